package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
)

func listChecks() []check {
	return []check{
		{"List/filters", ruleMatch, checkFilters},
		{"List/pairs", ruleMatch, checkFilterPairs},
		{"List/order", ruleByCreated, checkOrder},
		{"List/cursors", ruleAfter, checkCursors},
		{"List/many", ruleLimit, checkMany},
		{"List/changes", ruleAfter, checkCursorsUnderChange},
		{"List/moves", ruleStands, checkMoves},
	}
}

// pick returns one of several values.
func pick[T any](rnd *rand.Rand, list ...T) T { return list[rnd.IntN(len(list))] }

// world inserts records with few different values in every field, changes half
// of them, deletes some, and returns those that are there. The same seed makes
// the same world.
func (k *kit) world(n int) []handoff.Record {
	k.Helper()
	rnd := rand.New(rand.NewPCG(7, 7))
	fill := func(r *handoff.Record) {
		r.Queue = pick(rnd, "", "sales", "billing")
		r.State = pick(rnd, handoff.StateBot, handoff.StateWaiting, handoff.StateActive, handoff.StateEnded)
		r.Outcome = pick(rnd, "", "", handoff.OutcomeResolved, handoff.OutcomeMissed)
		r.Agent = pick(rnd, "", "ann", "bob")
		r.User = pick(rnd, "", "uma", "uwe")
		r.Tags = pick(rnd, nil, []string{"t1"}, []string{"t2", "t1"}, []string{"t3"})
		r.Line = pick(rnd, "", "", "l1", "l2", "l3")
		r.Priority = pick(rnd, -1_000_000, -2, -1, 0, 0, 0, 1, 2, 10, 1_000_000)
		r.Since = k.now.Add(-time.Duration(rnd.IntN(4)) * time.Millisecond)
		r.Created = k.now.Add(-time.Duration(rnd.IntN(8)) * time.Millisecond)
	}
	var all []handoff.Record
	for _, i := range rnd.Perm(n) {
		conversation := pick(rnd, "a", "b", "B", "é", "e\u0301") + strconv.Itoa(i%5)
		all = append(all, k.insert(conversation, int64(i)+1, fill))
	}
	for i := range all {
		if i%2 == 0 {
			// The indexes must follow.
			fill(&all[i])
			all[i] = k.commit(all[i])
		}
	}
	for range n / 10 {
		i := rnd.IntN(len(all))
		k.okf(k.store.Delete(k.ctx, all[i].ID, all[i].Version), "Delete")
		all = slices.Delete(all, i, i+1)
	}
	return all
}

// sorted returns the records of all that match q, in q's order, behind its
// cursor and up to its limit: what List must return.
func sorted(all []handoff.Record, q handoff.Query) []handoff.Record {
	var out []handoff.Record
	for i := range all {
		if q.Match(&all[i]) && (q.After.IsZero() || all[i].Cursor(q).Compare(q.After) > 0) {
			out = append(out, all[i])
		}
	}
	slices.SortFunc(out, func(a, b handoff.Record) int { return a.Cursor(q).Compare(b.Cursor(q)) })
	if q.Limit > 0 {
		out = out[:min(len(out), q.Limit)]
	}
	return out
}

// filters returns queries with a single filter each, by name.
func (k *kit) filters() []handoff.Query {
	at := func(ms int) time.Time { return k.now.Add(time.Duration(ms) * time.Millisecond) }
	return []handoff.Query{
		{Conversation: "b3"},
		{Conversation: "é1"},
		{Conversation: "nobody"},
		{Queue: "sales"},
		{Queue: "billing"},
		{Queue: "none"},
		{Agent: "ann"},
		{Agent: "bob"},
		{Agent: "none"},
		{User: "uma"},
		{User: "none"},
		{Tag: "t1"},
		{Tag: "t2"},
		{Tag: "none"},
		{States: []handoff.State{handoff.StateActive}},
		{States: []handoff.State{handoff.StateEnded, handoff.StateBot}},
		{States: []handoff.State{handoff.StateIntake}},
		{Outcomes: []handoff.Outcome{handoff.OutcomeMissed}},
		{Outcomes: []handoff.Outcome{handoff.OutcomeMissed, handoff.OutcomeIdle, handoff.OutcomeResolved}},
		{Lines: []string{"l1"}},
		{Lines: []string{"l3", "l1", "none", "l3"}},
		{Lines: []string{"none"}},
		{From: at(-3)},
		{From: at(1)},
		{To: at(-3)},
		{From: at(-5), To: at(-2)},
		{From: at(-2), To: at(-2)},
		{Waiting: true},
	}
}

// both returns a query with the filters of two.
func both(a, b handoff.Query) handoff.Query {
	if b.Conversation != "" {
		a.Conversation = b.Conversation
	}
	if b.Queue != "" {
		a.Queue = b.Queue
	}
	if b.Agent != "" {
		a.Agent = b.Agent
	}
	if b.User != "" {
		a.User = b.User
	}
	if b.Tag != "" {
		a.Tag = b.Tag
	}
	if b.States != nil {
		a.States = b.States
	}
	if b.Outcomes != nil {
		a.Outcomes = b.Outcomes
	}
	if b.Lines != nil {
		a.Lines = b.Lines
	}
	if !b.From.IsZero() {
		a.From = b.From
	}
	if !b.To.IsZero() {
		a.To = b.To
	}
	a.Waiting = a.Waiting || b.Waiting
	return a
}

// agree ends the check unless List gives what all says, as a whole and with
// every field, in both orders. The rule is that of the filters if the members
// differ, and that of the order if only the order does.
func (k *kit) agree(all []handoff.Record, q handoff.Query) {
	k.Helper()
	for _, q.ByRank = range []bool{false, true} {
		got, want := k.list(q), sorted(all, q)
		members := func(list []handoff.Record) []string {
			out := make([]string, len(list))
			for i := range list {
				out[i] = fmt.Sprintf("%q %d", list[i].ID.Conversation, list[i].ID.Number)
			}
			slices.Sort(out)
			return out
		}
		if diff := difference(members(got), members(want)); diff != "" {
			k.fatalf("List(%s) has %d records of %d, sorted by id: %s", show(q), len(got), len(want), diff)
		}
		rule := k.rule
		if k.says(ruleByCreated); q.ByRank {
			k.says(ruleByRank)
		}
		k.sameIDsf(got, ids(want), "List(%s)", show(q))
		k.says(ruleList)
		for i := range got {
			k.samef(got[i], want[i], "List(%s)", show(q))
		}
		k.says(rule)
	}
}

func checkFilters(k *kit) {
	all := k.world(80)
	k.agree(all, handoff.Query{})
	for _, q := range k.filters() {
		if !q.From.IsZero() || !q.To.IsZero() {
			k.says(ruleSpan)
		}
		k.agree(all, q)
		for _, q.Limit = range []int{1, 3} {
			k.says(ruleLimit)
			k.agree(all, q)
		}
		k.says(ruleMatch)
	}
}

func checkFilterPairs(k *kit) {
	all := k.world(120)
	filters := k.filters()
	for i := range filters {
		for j := range i {
			// Pairs from different fields; the others would replace each other.
			q := both(filters[i], filters[j])
			if len(sorted(all, q)) > 0 {
				k.agree(all, q)
			}
		}
	}
	k.agree(all, handoff.Query{
		Queue: "sales", States: handoff.States(), Waiting: true, Lines: []string{"l1", "l2"}, From: k.now.Add(-time.Hour), Limit: 5,
	})
}

// checkOrder makes records that differ only in what decides last.
func checkOrder(k *kit) {
	rnd := rand.New(rand.NewPCG(3, 3))
	names := []string{"a", "B", "b", "Z", "é", "e\u0301", "a b", "a-b", "ab", "10", "9", "a\x01", "ａ"}
	var all []handoff.Record
	for _, i := range rnd.Perm(len(names) * 4) {
		number := []int64{1, 2, 10, 100}[i%4]
		all = append(all, k.insert(names[i/4], number, func(r *handoff.Record) { r.Queue, r.Line, r.Since = "q", "l", k.now }))
	}
	k.agree(all, handoff.Query{})
	k.agree(all, handoff.Query{Queue: "q", Waiting: true})
	k.agree(all, handoff.Query{Queue: "q", Lines: []string{"l"}, Limit: 7})

	// Priority goes before Since, and Since before the id; Created plays no part.
	for i, p := range []struct {
		priority int
		since    int // milliseconds
	}{{1, 3}, {1, -3}, {-1, -100}, {2, 50}, {0, 1}, {0, -1}, {10, 60}, {9, 0}, {-10, 0}, {-9, 0}} {
		all = append(all, k.insert("p", int64(100-i), func(r *handoff.Record) {
			r.Queue, r.Line, r.Priority, r.Since = "q", "m", p.priority, k.now.Add(time.Duration(p.since)*time.Millisecond)
			r.Created = k.now.Add(time.Duration(i%3) * time.Millisecond)
		}))
	}
	k.agree(all, handoff.Query{Queue: "q", Waiting: true})
	k.agree(all, handoff.Query{Queue: "q", Lines: []string{"m"}})
	k.agree(all, handoff.Query{Queue: "q", Lines: []string{"m", "l"}, Waiting: true, Limit: 20})
	k.agree(all, handoff.Query{States: []handoff.State{handoff.StateBot}})

	// Commits that change neither keep the place.
	for i := range all {
		if rnd.IntN(2) == 0 {
			all[i].Updated = k.now.Add(time.Hour)
			all[i].State = pick(rnd, handoff.StateBot, handoff.StateWaiting)
			all[i] = k.commit(all[i])
		}
	}
	k.agree(all, handoff.Query{})
	k.agree(all, handoff.Query{Queue: "q", Waiting: true})
}

// checkMoves moves a record through queues, lines and ranks.
func checkMoves(k *kit) {
	all := make([]handoff.Record, 0, 12)
	for i := range 12 {
		all = append(all, k.insert(fmt.Sprintf("c%02d", i), 1, func(r *handoff.Record) {
			r.Queue, r.Line, r.Since = "q", "l", k.now.Add(time.Duration(i)*time.Second)
		}))
	}
	r := &all[5]
	for i, change := range []func(){
		func() { r.Priority = 1 },
		func() { r.Priority = -1 },
		func() { r.Priority = 0 },
		func() { r.Since = k.now.Add(-time.Hour) },
		func() { r.Since = k.now.Add(time.Hour) },
		func() { r.Line = "m" },
		func() { r.Queue = "other" },
		func() { r.Queue, r.Line = "q", "" },
		func() { r.Line = "l" },
		func() { r.Line, r.Priority, r.Queue = "", 5, "other" },
		func() { r.Line, r.Queue = "m", "q" },
		func() { r.Created = k.now.Add(-time.Hour) },
		func() { r.Created = k.now.Add(time.Hour) },
		func() { r.Agent, r.User, r.Tags = "x", "x", []string{"x"} },
		func() { r.Agent, r.User, r.Tags = "", "", nil },
	} {
		change()
		*r = k.commit(*r)
		for _, q := range []handoff.Query{
			{},
			{Queue: "q"},
			{Queue: "q", Waiting: true},
			{Queue: "other", Waiting: true},
			{Queue: "q", Lines: []string{"l"}},
			{Queue: "q", Lines: []string{"m"}},
			{Queue: "q", Lines: []string{"l", "m"}, Waiting: true},
			{Lines: []string{"m"}},
			{Agent: "x"},
			{User: "x"},
			{Tag: "x"},
		} {
			k.rule = ruleStands
			if i > 10 {
				k.rule = ruleList
			}
			k.agree(all, q)
		}
	}
}
