package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff"
)

func deliveryChecks() []check {
	return []check{
		{"Overdue/owed", ruleOwed, checkOwed},
		{"Overdue/grace", ruleOverdue, checkGrace},
		{"Overdue/sinks", ruleOverdue, checkSinks},
		{"Overdue/led", ruleOverdue, checkLedDelivery},
		{"Overdue/hidden", ruleClaimOne, checkHiddenDelivery},
		{"Overdue/lapse", ruleClaimOne, checkDeliveryLapse},
		{"Overdue/limit", ruleClaimLimit, checkDeliveryLimit},
	}
}

// owing inserts a record whose entries have the given ages and that owes all
// of them to the named cursors, each of a sink of the same name.
func (k *kit) owing(conversation string, ages []time.Duration, cursors ...string) handoff.Record {
	k.Helper()
	r := k.draft(conversation, 1)
	list := make([]handoff.RecordEntry, len(ages))
	for i, age := range ages {
		list[i] = handoff.RecordEntry{ID: fmt.Sprint("e", i), Seq: int64(i) + 1, At: k.now.Add(-age), Body: body("entry")}
	}
	r.Seq = int64(len(ages))
	for _, c := range cursors {
		r.Owed = append(r.Owed, handoff.Owed{Sink: c, Cursor: c, Seq: r.Seq})
	}
	k.okf(k.store.Commit(k.ctx, r, list...), "Commit")
	r.Version = 1
	return r
}

// settle commits r with another entry that is not owed, so that a claim ends.
func (k *kit) settle(r handoff.Record) handoff.Record {
	k.Helper()
	return k.commit(r)
}

// overdue claims deliveries and ends the check unless they are these, in any
// order.
func (k *kit) overduef(grace time.Duration, sinks []string, want []handoff.Delivery, format string, args ...any) {
	k.Helper()
	got := k.claim(far, grace, sinks...).Overdue
	order := func(a, b handoff.Delivery) int {
		return cmp.Or(a.ID.Compare(b.ID), cmp.Compare(a.Sink, b.Sink), cmp.Compare(a.Cursor, b.Cursor))
	}
	got = slices.Clone(got)
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if !slices.Equal(got, want) {
		k.fatalf("%s: Claim for sinks %q with a grace of %v gives %+v, want %+v", fmt.Sprintf(format, args...), sinks, grace, got, want)
	}
}

func checkOwed(k *kit) {
	sinks := []string{"s"}
	r := k.owing("a", []time.Duration{3 * far, 2 * far, far}, "s")
	r.Updated = k.now.Add(-far) // what settle appends is old too
	all := []handoff.Delivery{{ID: r.ID, Sink: "s", Cursor: "s"}}
	k.overduef(time.Minute, sinks, all, "three old entries and a cursor that was never acknowledged")
	for seq := int64(1); seq <= 2; seq++ {
		k.ack(handoff.Ack{ID: r.ID, Cursor: "s", Seq: seq})
		r = k.settle(r)
		k.overduef(time.Minute, sinks, all, "the cursor at %d of 3 owed", seq)
	}
	k.ack(handoff.Ack{ID: r.ID, Cursor: "s", Seq: 3})
	r = k.settle(r)
	k.overduef(0, sinks, nil, "the cursor at 3 of 3 owed, with newer entries that are not")

	// Owed again, and no longer.
	r.Owed = []handoff.Owed{{Sink: "s", Cursor: "s", Seq: r.Seq + 1}}
	r = k.commit(r)
	k.overduef(time.Minute, sinks, all, "more is owed")
	r.Owed = nil
	r = k.settle(r)
	k.overduef(0, sinks, nil, "nothing is owed any more")
	r.Owed = []handoff.Owed{{Sink: "s", Cursor: "s", Seq: 3}}
	k.settle(r)
	k.overduef(0, sinks, nil, "what is owed was acknowledged before")

	// Several cursors, two of them of one sink.
	b := k.draft("b", 1)
	b.Updated = k.now.Add(-far)
	b.Owed = []handoff.Owed{{Sink: "s", Cursor: "s/1", Seq: 1}, {Sink: "s", Cursor: "s/2", Seq: 1}, {Sink: "t", Cursor: "s", Seq: 1}}
	b = k.commit(b)
	k.overduef(time.Minute, []string{"s", "t"}, []handoff.Delivery{
		{ID: b.ID, Sink: "s", Cursor: "s/1"}, {ID: b.ID, Sink: "s", Cursor: "s/2"}, {ID: b.ID, Sink: "t", Cursor: "s"},
	}, "three cursors")
	k.ack(handoff.Ack{ID: b.ID, Cursor: "s/1", Seq: 1})
	b = k.settle(b)
	k.overduef(time.Minute, []string{"s", "t"}, []handoff.Delivery{
		{ID: b.ID, Sink: "s", Cursor: "s/2"}, {ID: b.ID, Sink: "t", Cursor: "s"},
	}, "one of three cursors was acknowledged")

	// Due and overdue: at once, or one after the other since a due record is
	// hidden.
	b.Wake = k.now.Add(-far)
	b = k.settle(b)
	got := k.claim(far, time.Minute, "t")
	k.sameIDsf(got.Due, []handoff.ID{b.ID}, "Claim of a record that is due and behind")
	b.Wake = k.now.Add(far)
	b = k.settle(b)
	if len(got.Overdue) == 0 {
		got = k.claim(far, time.Minute, "t")
	}
	if !slices.Equal(got.Overdue, []handoff.Delivery{{ID: b.ID, Sink: "t", Cursor: "s"}}) {
		k.fatalf("Claim of a record that was due and is behind gives deliveries %+v", got.Overdue)
	}
	b = k.settle(b)
	k.okf(k.store.Delete(k.ctx, b.ID, b.Version), "Delete")
	k.overduef(0, []string{"s", "t"}, nil, "the record was deleted")
}

func checkGrace(k *kit) {
	sinks := []string{"s"}
	r := k.owing("a", []time.Duration{2 * far, 0}, "s")
	all := []handoff.Delivery{{ID: r.ID, Sink: "s", Cursor: "s"}}
	k.overduef(3*far, sinks, nil, "the oldest entry is 2h old")
	k.overduef(far, sinks, all, "the oldest entry is 2h old")
	// The oldest that it lacks counts, not the oldest of all.
	k.ack(handoff.Ack{ID: r.ID, Cursor: "s", Seq: 1})
	r = k.settle(r)
	k.overduef(far, sinks, nil, "the entry that it lacks is new")

	// What a shorter grace makes work was not forgotten by a longer one.
	d := k.owing("d", []time.Duration{3 * far, far}, "d")
	k.ack(handoff.Ack{ID: d.ID, Cursor: "d", Seq: 1})
	k.overduef(2*far, []string{"d"}, nil, "the entry that it lacks is 1h old")
	k.overduef(far/2, []string{"d"}, []handoff.Delivery{{ID: d.ID, Sink: "d", Cursor: "d"}}, "the entry that it lacks is 1h old")

	// Neither does the newest.
	b := k.owing("b", []time.Duration{3 * far, far, 0}, "s")
	k.overduef(2*far, sinks, []handoff.Delivery{{ID: b.ID, Sink: "s", Cursor: "s"}}, "entries of 3h, 1h and now")

	// Nor when the record was changed.
	c := k.owing("c", []time.Duration{2 * far}, "s")
	c.Updated = k.now
	c = k.settle(c)
	k.overduef(far, sinks, []handoff.Delivery{{ID: c.ID, Sink: "s", Cursor: "s"}}, "an entry of 2h in a record that was changed now")
	k.ack(handoff.Ack{ID: r.ID, Cursor: "s", Seq: 2}, handoff.Ack{ID: b.ID, Cursor: "s", Seq: 3}, handoff.Ack{ID: c.ID, Cursor: "s", Seq: 1})
}

func checkSinks(k *kit) {
	old := []time.Duration{far}
	a := k.owing("a", old, "s")
	b := k.owing("b", old, "t")
	k.owing("c", old, "u")
	k.overduef(time.Minute, nil, nil, "no sinks")
	k.overduef(time.Minute, []string{"none", "S", "", "st", "s%"}, nil, "other sinks")
	k.overduef(time.Minute, []string{"t"}, []handoff.Delivery{{ID: b.ID, Sink: "t", Cursor: "t"}}, "one sink")
	k.overduef(time.Minute, []string{"x", "s", "s"}, []handoff.Delivery{{ID: a.ID, Sink: "s", Cursor: "s"}}, "a sink named twice")

	// The sink is named, not the cursor.
	d := k.draft("d", 1)
	d.Updated = k.now.Add(-far)
	d.Owed = []handoff.Owed{{Sink: "sink", Cursor: "cursor", Seq: 1}}
	d = k.commit(d)
	k.overduef(time.Minute, []string{"cursor"}, nil, "the cursor's name")
	k.overduef(time.Minute, []string{"sink"}, []handoff.Delivery{{ID: d.ID, Sink: "sink", Cursor: "cursor"}}, "the sink's name")

	// A cursor may get another sink.
	d.Owed = []handoff.Owed{{Sink: "other", Cursor: "cursor", Seq: 1}}
	d = k.commit(d)
	k.overduef(time.Minute, []string{"sink"}, nil, "the sink that the cursor had")
	k.overduef(time.Minute, []string{"other"}, []handoff.Delivery{{ID: d.ID, Sink: "other", Cursor: "cursor"}}, "the sink that the cursor has")
}

func checkLedDelivery(k *kit) {
	sinks := []string{"s"}
	r := k.owing("a", []time.Duration{2 * far, 2 * far}, "s")
	all := []handoff.Delivery{{ID: r.ID, Sink: "s", Cursor: "s"}}
	l := k.lead(r.ID, "s", k.now, far)
	k.overduef(time.Minute, sinks, nil, "led for an hour")
	k.ack(handoff.Ack{ID: r.ID, Cursor: "s", Seq: 1, Term: l.Term, Keep: true})
	k.overduef(time.Minute, sinks, nil, "led, and acknowledged with Keep")
	r = k.settle(r)
	k.overduef(time.Minute, sinks, nil, "led, and the record was committed")
	k.ack(handoff.Ack{ID: r.ID, Cursor: "s", Term: l.Term})
	k.overduef(time.Minute, sinks, all, "the lead was ended at once")

	// A lead whose time is over is nobody's.
	r = k.settle(r)
	k.lead(r.ID, "s", k.now.Add(-2*far), far)
	k.overduef(time.Minute, sinks, all, "the lead ended an hour ago")

	// Back-off: the lead ends in the future, and then at once.
	r = k.settle(r)
	l = k.lead(r.ID, "s", k.now, time.Minute)
	k.ack(handoff.Ack{ID: r.ID, Cursor: "s", Term: l.Term, Until: k.now.Add(far)})
	k.overduef(time.Minute, sinks, nil, "backing off for an hour")
	k.ack(handoff.Ack{ID: r.ID, Cursor: "s", Term: l.Term, Until: k.now.Add(-far)})
	r = k.settle(r)
	k.overduef(time.Minute, sinks, all, "backed off until an hour ago")

	// Leading another cursor is something else.
	b := k.owing("b", []time.Duration{far}, "s", "t")
	k.lead(b.ID, "t", k.now, far)
	k.lead(r.ID, "t", k.now, far)
	k.overduef(time.Minute, []string{"s", "t"}, []handoff.Delivery{{ID: b.ID, Sink: "s", Cursor: "s"}}, "another cursor is led")
}

// checkHiddenDelivery claims deliveries twice. A claim hides the record; it
// may hide all of it or only what was given.
func checkHiddenDelivery(k *kit) {
	sinks := []string{"s"}
	a := k.owing("a", []time.Duration{far}, "s")
	b := k.owing("b", []time.Duration{far}, "s")
	both := []handoff.Delivery{{ID: a.ID, Sink: "s", Cursor: "s"}, {ID: b.ID, Sink: "s", Cursor: "s"}}
	k.overduef(time.Minute, sinks, both, "two records that are behind")
	for range 3 {
		k.overduef(time.Minute, sinks, nil, "both are claimed")
	}
	k.says(ruleEndsClaim)
	a = k.settle(a)
	k.overduef(time.Minute, sinks, both[:1], "the claim of one of them was ended by a commit")
	k.says(ruleClaimOne)
	k.overduef(time.Minute, sinks, nil, "both are claimed again")
	k.says(ruleClaimed)
	k.samef(k.get(b.ID), b, "Get of a record whose delivery is claimed")
	k.says(ruleLead)
	k.lead(a.ID, "s", k.now, far) // a claim is not a lead
}

// checkDeliveryLapse is checkLapse for deliveries: what is owed comes again
// until it is acknowledged.
func checkDeliveryLapse(k *kit) {
	const lease = 400 * time.Millisecond
	r := k.owing("a", []time.Duration{far}, "s")
	want := []handoff.Delivery{{ID: r.ID, Sink: "s", Cursor: "s"}}
	for round := range 2 {
		var got []handoff.Delivery
		if !k.soon(func() bool {
			now := time.Now().UTC().Truncate(time.Millisecond).Add(time.Duration(round) * lease)
			got = k.claimSome(handoff.Claim{Now: now, Lease: lease, Limit: 10, Sinks: []string{"s"}, Grace: time.Minute}).Overdue
			return len(got) > 0
		}) {
			k.fatalf("a delivery that is owed is not given (round %d)", round)
		}
		if !slices.Equal(got, want) {
			k.fatalf("Claim gives deliveries %+v, want %+v", got, want)
		}
	}

	// The same after a lead: it ends by its time, without an Ack.
	b := k.owing("b", []time.Duration{far}, "t")
	now := time.Now().UTC().Truncate(time.Millisecond)
	k.lead(b.ID, "t", now, lease)
	c := handoff.Claim{Now: now, Lease: far, Limit: 10, Sinks: []string{"t"}, Grace: time.Minute}
	if got := k.claimSome(c); time.Since(now) < lease/2 && len(got.Overdue) != 0 {
		k.fatalf("a delivery that is led is given: %+v", got.Overdue)
	}
	k.says(ruleOverdue)
	c.Now = now.Add(lease)
	if !k.soon(func() bool {
		got := k.claimSome(c)
		return slices.Equal(got.Overdue, []handoff.Delivery{{ID: b.ID, Sink: "t", Cursor: "t"}})
	}) {
		k.fatalf("a delivery whose lead has lapsed is not given")
	}
}

func checkDeliveryLimit(k *kit) {
	const n = 10
	want := make(map[handoff.ID]bool)
	for i := range n {
		r := k.owing(fmt.Sprint("c", i), []time.Duration{far}, "s")
		r.Wake = k.now.Add(-far)
		r = k.settle(r)
		want[r.ID] = true
	}
	// Records and deliveries are counted apart, and none is forgotten. A store
	// that hides the whole record gives up to three of each first.
	got := k.claimSome(handoff.Claim{Lease: far, Limit: 3, Sinks: []string{"s"}, Grace: time.Minute})
	if len(got.Due) != 3 || len(got.Overdue) != 3 {
		k.fatalf("Claim of at most 3 gives %d records and %d deliveries of %d each", len(got.Due), len(got.Overdue), n)
	}
	seen := make(map[handoff.ID]bool)
	for _, d := range got.Overdue {
		seen[d.ID] = true
	}
	for _, id := range append(ids(got.Due), deliveryIDs(got.Overdue)...) {
		k.rest(id)
	}
	k.says(ruleOwed)
	for range n {
		got := k.claimSome(handoff.Claim{Lease: far, Limit: 3, Sinks: []string{"s"}, Grace: time.Minute})
		for _, d := range got.Overdue {
			seen[d.ID] = true
			k.ack(handoff.Ack{ID: d.ID, Cursor: "s", Seq: 1})
		}
		for _, id := range append(ids(got.Due), deliveryIDs(got.Overdue)...) {
			k.rest(id)
		}
	}
	for id := range want {
		if !seen[id] {
			k.fatalf("the delivery of %v was forgotten", id)
		}
	}
}

// rest ends the claims of a record and makes it no longer due.
func (k *kit) rest(id handoff.ID) {
	k.Helper()
	r := k.get(id)
	r.Wake = k.now.Add(far)
	k.commit(r)
}

func deliveryIDs(list []handoff.Delivery) []handoff.ID {
	out := make([]handoff.ID, len(list))
	for i, d := range list {
		out[i] = d.ID
	}
	return out
}
