package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff"
)

func atomicChecks() []check {
	return []check{
		{"Atomic/conflict", ruleCommit, func(k *kit) { checkAtomic(k, failConflict) }},
		{"Atomic/held", ruleCommit, func(k *kit) { checkAtomic(k, failHeld) }},
		{"Atomic/duplicate", ruleCommit, func(k *kit) { checkAtomic(k, failDuplicate) }},
		{"Atomic/insert", ruleCommit, checkAtomicInsert},
	}
}

// The names that the checks of atomicity use, so that view can ask for all.
var (
	viewQueues = []string{"old queue", "new queue"}
	viewAgents = []string{"old agent", "new agent"}
	viewUsers  = []string{"old user", "new user"}
	viewTags   = []string{"old tag", "new tag"}
	viewKeys   = []string{"conversation", "old seat", "new seat", "seat", "full", "more"}
	viewIDs    = []string{"first", "second", "new entry", "last entry"}
)

// view describes everything that can be seen of some conversations without
// changing anything, in lines of text.
func (k *kit) view(conversations ...string) []string {
	k.Helper()
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	records := func(what string, list []handoff.Record) {
		add("%s: %q", what, ids(list))
		for i := range list {
			out = append(out, showRecord(&list[i])...)
		}
	}
	for _, c := range conversations {
		r, err := k.store.Latest(k.ctx, c)
		add("Latest of %q: error %v", c, err)
		out = append(out, showRecord(&r)...)
		for n := range int64(4) {
			id := handoff.ID{Conversation: c, Number: n}
			r, err := k.store.Get(k.ctx, id)
			add("Get of %v: error %v", id, err)
			out = append(out, showRecord(&r)...)
			out = append(out, showLog(k.log(id))...)
			for _, entry := range viewIDs {
				e, err := k.store.Entry(k.ctx, id, entry)
				add("Entry %q of %v: error %v, %s", entry, id, err, showLog([]handoff.RecordEntry{e})[0])
			}
		}
	}
	records("List", k.list(handoff.Query{}))
	records("List by rank", k.list(handoff.Query{ByRank: true}))
	for _, s := range handoff.States() {
		records("state "+string(s), k.list(handoff.Query{States: []handoff.State{s}}))
	}
	for i := range 2 {
		records("queue", k.list(handoff.Query{Queue: viewQueues[i]}))
		records("waiting", k.list(handoff.Query{Queue: viewQueues[i], Waiting: true, ByRank: true}))
		records("agent", k.list(handoff.Query{Agent: viewAgents[i]}))
		records("user", k.list(handoff.Query{User: viewUsers[i]}))
		records("tag", k.list(handoff.Query{Tag: viewTags[i]}))
		add("lines %q", k.lines(viewQueues[i]))
	}
	add("holders %+v", k.holders(viewKeys...))
	return out
}

// unchangedf ends the check if what can be seen differs from before.
func (k *kit) unchangedf(before []string, format string, args ...any) {
	k.Helper()
	after := k.view("c", "other")
	if diff := difference(after, before); diff != "" {
		k.fatalf("%s changed something: %s", fmt.Sprintf(format, args...), diff)
	}
}

// A failure is how a commit is made to fail. It changes the commit and says
// what it expects.
type failure func(k *kit, r *handoff.Record, last int) (ids []string, judge func(error))

func failConflict(k *kit, r *handoff.Record, _ int) ([]string, func(error)) {
	r.Version--
	return []string{"new entry", "last entry"}, func(err error) {
		k.wantf(err, handoff.ErrConflict, "Commit with an old version")
	}
}

// failHeld takes too much of the last key, after all others could be taken.
func failHeld(k *kit, r *handoff.Record, last int) ([]string, func(error)) {
	full := handoff.Key{Name: "full", Max: 1, Units: 1}
	r.Keys = slices.Insert(r.Keys, min(last, len(r.Keys)), full)
	return []string{"new entry", "last entry"}, func(err error) {
		k.heldf(err, "full", "Commit that wants a held key")
	}
}

// failDuplicate has a known entry behind new ones.
func failDuplicate(k *kit, _ *handoff.Record, last int) ([]string, func(error)) {
	return slices.Insert([]string{"new entry", "last entry"}, min(last, 2), "first"), func(err error) {
		k.wantf(err, handoff.ErrDuplicate, "Commit of a known entry")
	}
}

// checkAtomic lets a commit that changes every field fail, and looks at
// everything.
func checkAtomic(k *kit, fail failure) {
	k.insert("other", 1, with(one("full", 1, 1)...))
	r := k.draft("c", 1)
	r.Queue, r.Agent, r.User, r.Tags, r.Line = viewQueues[0], viewAgents[0], viewUsers[0], viewTags[:1], "old line"
	r.Wake, r.State = k.now.Add(24*time.Hour), handoff.StateWaiting
	r.Keys = []handoff.Key{
		{Name: "conversation", Max: 1, Units: 1},
		{Name: "old seat", Max: 1, Units: 1},
		{Name: "more", Max: 5, Units: 2},
		{Name: "seat", Max: 5, Units: 4},
	}
	r.Owed = []handoff.Owed{{Sink: "old sink", Cursor: "old cursor", Seq: 2}}
	r = k.commit(r, "first")
	r = k.commit(r, "second")
	before := k.view("c", "other")

	for last := range 4 {
		next := r
		next.Queue, next.Agent, next.User, next.Tags, next.Line = viewQueues[1], viewAgents[1], viewUsers[1], viewTags[1:], "new line"
		next.Priority, next.Since, next.Created = 9, k.now, k.now.Add(time.Hour)
		next.Wake, next.State, next.Outcome = k.now.Add(-time.Hour), handoff.StateEnded, handoff.OutcomeResolved
		next.Keys = []handoff.Key{{Name: "new seat", Max: 1, Units: 1}, {Name: "more", Max: 5, Units: 5}, {Name: "seat", Max: 5, Units: 1}}
		next.Owed = []handoff.Owed{{Sink: "new sink", Cursor: "new cursor", Seq: 3}}
		next.Body = body("new")
		list, judge := fail(k, &next, last)
		judge(k.try(next, list...))
		k.unchangedf(before, "a commit that failed")
	}

	// The indexes of Claim were left alone too.
	got := k.claim(time.Hour, time.Minute, "old sink", "new sink")
	if len(got.Due) != 0 {
		k.fatalf("Claim gives %q, whose Wake is only in commits that failed", ids(got.Due))
	}
	if slices.ContainsFunc(got.Overdue, func(d handoff.Delivery) bool { return d.Sink == "new sink" }) {
		k.fatalf("Claim gives %+v, owed only by commits that failed", got.Overdue)
	}
	// And the same commit can still succeed.
	r.Keys = []handoff.Key{{Name: "new seat", Max: 1, Units: 1}}
	r = k.commit(r, "new entry", "last entry")
	k.samef(k.get(r.ID), r, "Get after the commit that succeeded")
}

// checkAtomicInsert lets inserts fail.
func checkAtomicInsert(k *kit) {
	k.insert("other", 1, with(one("full", 1, 1)...))
	before := k.view("c", "other")
	for i, keys := range [][]handoff.Key{
		{{Name: "full", Max: 1, Units: 1}},
		{{Name: "new seat", Max: 1, Units: 1}, {Name: "full", Max: 1, Units: 1}},
		{{Name: "full", Max: 1, Units: 1}, {Name: "new seat", Max: 1, Units: 1}},
		{{Name: "new seat", Max: 1, Units: 1}, {Name: "more", Max: 5, Units: 6}},
	} {
		r := k.draft("c", 1)
		r.Queue, r.Agent, r.User, r.Tags, r.Line = viewQueues[1], viewAgents[1], viewUsers[1], viewTags[1:], "new line"
		r.Wake = k.now.Add(-time.Hour)
		r.Owed = []handoff.Owed{{Sink: "new sink", Cursor: "new cursor", Seq: 1}}
		r.Keys = keys
		if err := k.try(r, "new entry"); err == nil {
			k.fatalf("insert %d that wants a held key succeeded", i)
		}
		k.unchangedf(before, "an insert that failed")
	}
	if got := k.claim(time.Hour, 0, "new sink"); len(got.Due)+len(got.Overdue) != 0 {
		k.fatalf("Claim gives %q and %+v of inserts that failed", ids(got.Due), got.Overdue)
	}
	r := k.draft("c", 1)
	r.Keys = one("new seat", 1, 1)
	k.commit(r, "new entry")
}
