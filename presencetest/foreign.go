package presencetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Floor is a [handoff.Presence] that another system keeps, with ids whose
// status is known and does not change during the test.
type Floor struct {
	Presence handoff.Presence
	Online   []string // there now
	Offline  []string // known, and not there
	Unknown  []string // nobody ever heard of them; some are added
}

// RunPresence proves a foreign Presence, as far as that goes without making
// anybody come and go.
func RunPresence(t *testing.T, open func(t *testing.T) Floor) {
	t.Helper()
	report(t, checkFloor(t.Context(), open(t)))
}

func checkFloor(ctx context.Context, f Floor) []string {
	v := &verdict{rule: "Agents returns one status for each id, in the order of ids"}
	want := map[string]handoff.Availability{}
	var ids []string
	add := func(a handoff.Availability, list ...string) {
		for _, id := range list {
			want[id] = a
			ids = append(ids, id)
		}
	}
	mark := newMark()
	for _, pair := range hostile(mark) {
		add(handoff.Unknown, pair[0], pair[1])
	}
	add(handoff.Online, f.Online...)
	for i := range 300 {
		add(handoff.Unknown, mark+strconv.Itoa(i))
	}
	add(handoff.Offline, f.Offline...)
	add(handoff.Unknown, f.Unknown...)
	add(handoff.Online, f.Online...) // once more
	slices.Reverse(ids)
	now := time.Now()
	list, err := f.Presence.Agents(ctx, ids, now)
	if err != nil || len(list) != len(ids) {
		v.failf("Agents of %d ids returned %d and %v", len(ids), len(list), err)
		return v.failures
	}
	for i, st := range list {
		v.rule = "Agents returns one status for each id, in the order of ids"
		if st.Agent != ids[i] {
			v.failf("status %d is of %q, want %q", i, st.Agent, ids[i])
			continue
		}
		v.rule = "an availability is online, offline or unknown; an id that the presence never heard of is Unknown"
		if st.Availability != want[ids[i]] {
			v.failf("%q is %q, want %q", ids[i], st.Availability, want[ids[i]])
		}
		v.rule = "Since says since when the availability holds: never a time to come; zero if that is unknown"
		if st.Since.After(now.Add(time.Minute)) {
			v.failf("%q is %s since %s, which is still to come", ids[i], st.Availability, st.Since)
		}
	}
	v.rule = "asking about nobody returns nothing"
	if list, err := f.Presence.Agents(ctx, nil, now); err != nil || len(list) != 0 {
		v.failf("Agents of no ids returned %d and %v", len(list), err)
	}
	return v.failures
}

// RunDirectory proves a Directory, and more of one that is a
// [handoff.DirectoryWriter]: agents of the suite's own are put there and
// deleted again. A Directory that cannot be edited must have some agents.
func RunDirectory(t *testing.T, open func(t *testing.T) handoff.Directory) {
	t.Helper()
	report(t, checkDirectory(t.Context(), open(t)))
}

func checkDirectory(ctx context.Context, d handoff.Directory) []string {
	v := &verdict{}
	if w, ok := d.(handoff.DirectoryWriter); ok {
		checkWriter(ctx, w, v)
	}
	v.rule = "Get returns ErrNotFound for an agent who is not there"
	if a, err := d.Get(ctx, "nobody-"+newMark()); !errors.Is(err, handoff.ErrNotFound) {
		v.failf("Get of a stranger returned %q and %v", a.ID, err)
	}
	all := listed(ctx, d, "", v)
	queues := map[string]bool{}
	for i := range all {
		v.rule = "List and Get tell the same of an agent"
		if a, err := d.Get(ctx, all[i].ID); err != nil || !sameAgent(a, all[i]) {
			v.failf("Get of %q, who is listed, returned %+v and %v, want %+v", all[i].ID, a, err, all[i])
		}
		for _, q := range all[i].Queues {
			queues[q] = true
		}
	}
	for q := range queues {
		if q == "" {
			continue
		}
		got := listed(ctx, d, q, v)
		want := slices.DeleteFunc(slices.Clone(all), func(a handoff.Agent) bool { return !slices.Contains(a.Queues, q) })
		v.rule = "List returns the agents of a queue, all of them and nobody else"
		if !slices.EqualFunc(got, want, func(a, b handoff.Agent) bool { return a.ID == b.ID }) {
			v.failf("queue %q has %q, want %q", q, names(got), names(want))
		}
	}
	v.rule = "a queue without agents is an empty list"
	if got := listed(ctx, d, "no-queue-"+newMark(), v); len(got) != 0 {
		v.failf("an unknown queue has %d agents", len(got))
	}
	return v.failures
}

func listed(ctx context.Context, d handoff.Directory, queue string, v *verdict) []handoff.Agent {
	list, err := d.List(ctx, queue)
	if err != nil {
		v.rule = "List fails only when it cannot know; a queue without agents is an empty list"
		v.failf("List returned %v", err)
	}
	v.rule = "List returns the agents sorted by ID, compared as bytes"
	if !slices.IsSortedFunc(list, func(a, b handoff.Agent) int { return strings.Compare(a.ID, b.ID) }) {
		v.failf("List returned %q", names(list))
	}
	return list
}

func names(list []handoff.Agent) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].ID
	}
	return out
}

// sameAgent compares what an agent is; nil and empty lists are the same.
func sameAgent(a, b handoff.Agent) bool {
	for _, x := range []*handoff.Agent{&a, &b} {
		if len(x.Queues) == 0 {
			x.Queues = nil
		}
		if len(x.Languages) == 0 {
			x.Languages = nil
		}
		if len(x.Skills) == 0 {
			x.Skills = nil
		}
		if len(x.QueueSeats) == 0 {
			x.QueueSeats = nil
		}
	}
	return reflect.DeepEqual(a, b)
}

// checkWriter edits the directory and leaves it as it was.
func checkWriter(ctx context.Context, d handoff.DirectoryWriter, v *verdict) {
	mark := newMark()
	full := handoff.Agent{
		ID: mark + "z", Name: "Ann O'Hara", Alias: "Ann", Queues: []string{mark + "q1", mark + "q2"},
		Skills: map[string]int{"Kasse": 3, "ünï": 0}, Languages: []string{"de-AT", "en"}, Seats: 3,
		QueueSeats: map[string]int{mark + "q1": 1}, Video: true,
	}
	var put []string
	add := func(a handoff.Agent) {
		put = append(put, a.ID)
		if err := d.Put(ctx, a); err != nil {
			v.failf("Put of %q returned %v", a.ID, err)
		}
	}
	get := func(want handoff.Agent) {
		if got, err := d.Get(ctx, want.ID); err != nil || !sameAgent(got, want) {
			v.failf("Get of %q returned %+v and %v, want %+v", want.ID, got, err, want)
		}
	}
	v.rule = "Put keeps every field of an agent"
	add(full)
	get(full)

	v.rule = "Put replaces the agent with that ID, whole"
	small := handoff.Agent{ID: full.ID, Queues: []string{mark + "q2"}}
	add(small)
	get(small)

	v.rule = "names are compared as bytes; no two may be mixed up"
	for _, pair := range hostile(mark + "x") {
		add(handoff.Agent{ID: pair[0], Seats: 1, Queues: []string{pair[0]}})
		if a, err := d.Get(ctx, pair[1]); !errors.Is(err, handoff.ErrNotFound) {
			v.failf("Get of %q returned %q and %v, but only %q is there", pair[1], a.ID, err, pair[0])
		}
		add(handoff.Agent{ID: pair[1], Seats: 2, Queues: []string{pair[1]}})
		get(handoff.Agent{ID: pair[0], Seats: 1, Queues: []string{pair[0]}})
		got, err := d.List(ctx, pair[0])
		if err != nil || len(got) != 1 || got[0].ID != pair[0] {
			v.failf("the queue %q has %q and %v, want one agent", pair[0], names(got), err)
		}
	}

	v.rule = "what was put or returned can be changed without changing the directory"
	mine := handoff.Agent{ID: mark + "copy", Queues: []string{mark + "q3"}, Skills: map[string]int{"a": 1}}
	add(mine)
	mine.Queues[0], mine.Skills["a"] = "changed", 9
	if got, err := d.Get(ctx, mine.ID); err == nil && len(got.Queues) == 1 && got.Skills != nil {
		got.Queues[0], got.Skills["a"] = "changed", 9
	}
	if list, err := d.List(ctx, mark+"q3"); err == nil && len(list) == 1 && list[0].Skills != nil {
		list[0].Skills["a"] = 9
	}
	get(handoff.Agent{ID: mine.ID, Queues: []string{mark + "q3"}, Skills: map[string]int{"a": 1}})

	v.rule = "Delete removes an agent, from every list too"
	for _, id := range put {
		if err := d.Delete(ctx, id); err != nil {
			v.failf("Delete of %q returned %v", id, err)
		}
		if _, err := d.Get(ctx, id); !errors.Is(err, handoff.ErrNotFound) {
			v.failf("Get of %q, who was deleted, returned %v", id, err)
		}
	}
	if list, err := d.List(ctx, mark+"q2"); err != nil || len(list) != 0 {
		v.failf("the queue of a deleted agent has %q and %v", names(list), err)
	}
}
