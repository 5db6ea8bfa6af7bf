package storetest

import (
	"slices"

	"github.com/seed-2a427302/handoff"
)

// item makes an item of a batch that appends entries with these ids to r.
func item(r handoff.Record, list ...string) handoff.Item {
	e := entries(&r, list...)
	return handoff.Item{Record: r, Entries: e}
}

// batch commits items and ends the check unless there is an answer to each.
func (k *kit) batch(s handoff.BatchCommitter, items ...handoff.Item) []error {
	k.Helper()
	errs := s.CommitBatch(k.ctx, items)
	if len(errs) != len(items) {
		k.fatalf("CommitBatch of %d items gives %d errors", len(items), len(errs))
	}
	return errs
}

func checkBatch(k *kit) {
	s := needs[handoff.BatchCommitter](k)
	if errs := k.batch(s); len(errs) != 0 {
		k.fatalf("CommitBatch of nothing gives %v", errs)
	}
	k.insert("holder", 1, with(one("full", 1, 1)...))
	a := k.commit(k.draft("a", 1), "known")
	b := k.commit(k.draft("b", 1), "known")
	b = k.commit(b)
	c := k.commit(k.draft("c", 1), "known")
	d := k.commit(k.draft("d", 1), "known")
	fresh := k.draft("e", 1)

	stale := b
	stale.Version, stale.Seq = 1, 1
	held := c
	held.Keys = one("full", 1, 1)
	errs := k.batch(s,
		item(a, "new", "newer"),
		item(stale, "new"),
		item(held, "new"),
		item(d, "new", "known"),
		item(fresh, "first"),
	)
	k.okf(errs[0], "the first item")
	k.wantf(errs[1], handoff.ErrConflict, "an item with an old version")
	k.heldf(errs[2], "full", "an item that wants a held key")
	k.wantf(errs[3], handoff.ErrDuplicate, "an item with a known entry")
	k.okf(errs[4], "the last item, an insert")
	a.Version, a.Seq = 2, 3
	fresh.Version, fresh.Seq = 1, 1
	for _, r := range []handoff.Record{a, b, c, d, fresh} {
		k.samef(k.get(r.ID), r, "Get after CommitBatch")
		if n := len(k.log(r.ID)); n != int(r.Seq) {
			k.fatalf("the log of %v has %d entries after CommitBatch, want %d", r.ID, n, r.Seq)
		}
	}

	// The order of the failures is the same as for a single commit.
	stale.Keys = one("full", 1, 1)
	held = d
	held.Keys = one("full", 1, 1)
	errs = k.batch(s, item(stale, "known"), item(held, "known"), item(k.draft("a", 1), "known"))
	k.wantf(errs[0], handoff.ErrConflict, "an item with an old version, a held key and a known entry")
	k.heldf(errs[1], "full", "an item with a held key and a known entry")
	k.wantf(errs[2], handoff.ErrConflict, "an insert of a record that exists")
}

// checkBatchOrder lets items give and take what others of the batch want.
func checkBatchOrder(k *kit) {
	s := needs[handoff.BatchCommitter](k)
	insert := func(conversation string, units int) handoff.Item {
		r := k.draft(conversation, 1)
		r.Keys = one("seat", 3, units)
		return item(r, "a")
	}
	// The seats go to the first ones, and what does not fit is passed over.
	errs := k.batch(s, insert("a", 2), insert("b", 2), insert("c", 1), insert("d", 1))
	k.okf(errs[0], "2 of 3 units")
	k.refused(errs[1], "seat", "2 of 3 units when the item before took 2")
	k.okf(errs[2], "the last unit")
	k.refused(errs[3], "seat", "a unit when the items before took all")
	k.sumf("seat", 3, "after CommitBatch")

	// What an item gives back, a later one may take.
	a := k.get(handoff.ID{Conversation: "a", Number: 1})
	a.Keys = nil
	errs = k.batch(s, item(a, "b"), insert("e", 1), insert("f", 1), insert("g", 1))
	for i := range 3 {
		k.okf(errs[i], "item %d of a batch whose first item gives 2 units back", i)
	}
	k.refused(errs[3], "seat", "a third unit when 2 were given back")
	// But not an earlier one.
	e := k.get(handoff.ID{Conversation: "e", Number: 1})
	e.Keys = nil
	errs = k.batch(s, insert("h", 1), item(e, "b"))
	k.refused(errs[0], "seat", "a unit that a later item gives back")
	k.okf(errs[1], "the item that gives it back")
	k.sumf("seat", 2, "after CommitBatch")

	// A failed item takes nothing.
	big := k.draft("i", 1)
	big.Keys = []handoff.Key{{Name: "x", Max: 1, Units: 1}, {Name: "seat", Max: 3, Units: 3}}
	small := k.draft("j", 1)
	small.Keys = one("x", 1, 1)
	errs = k.batch(s, item(big, "a"), item(small, "a"))
	k.refused(errs[0], "seat", "3 units when 1 is left")
	k.okf(errs[1], "a key that only a failed item wanted")
}

// checkBatchPoison has items that can never be stored among good ones.
func checkBatchPoison(k *kit) {
	s := needs[handoff.BatchCommitter](k)
	gap := item(k.draft("gap", 1), "a")
	gap.Record.Seq, gap.Entries[0].Seq = 7, 7
	empty := item(k.draft("empty", 1), "a")
	empty.Entries = nil
	twins := item(k.draft("twins", 1), "a", "a")
	errs := k.batch(s, item(k.draft("a", 1), "a"), gap, item(k.draft("b", 1), "a"), empty, twins, item(k.draft("c", 1), "a"))
	for _, i := range []int{0, 2, 5} {
		k.okf(errs[i], "good item %d of a batch with bad ones", i)
	}
	for _, i := range []int{1, 3, 4} {
		if errs[i] == nil {
			k.fatalf("bad item %d of a batch succeeded", i)
		}
	}
	want := []handoff.ID{{Conversation: "a", Number: 1}, {Conversation: "b", Number: 1}, {Conversation: "c", Number: 1}}
	k.sameIDsf(k.list(handoff.Query{}), want, "List afterwards")
}

// checkBatchAtomic looks at everything after items that failed.
func checkBatchAtomic(k *kit) {
	s := needs[handoff.BatchCommitter](k)
	k.insert("other", 1, with(one("full", 1, 1)...))
	r := k.commit(k.draft("c", 1), "first")
	before := k.view("c", "other")
	bad := r
	bad.Queue, bad.Line, bad.Agent, bad.User, bad.Tags, bad.State = viewQueues[1], "l", viewAgents[1], viewUsers[1], viewTags[1:], handoff.StateWaiting
	bad.Keys = one("new seat", 1, 1)
	held := bad
	held.Keys = append(slices.Clone(bad.Keys), handoff.Key{Name: "full", Max: 1, Units: 1})
	fresh := held
	fresh.ID.Number, fresh.Version, fresh.Seq = 2, 0, 0
	stale := bad
	stale.Version++
	for _, it := range []handoff.Item{item(held, "new entry"), item(bad, "new entry", "first"), item(fresh, "new entry"), item(stale, "new entry")} {
		if err := k.batch(s, it)[0]; err == nil {
			k.fatalf("an item that must fail succeeded")
		}
		k.unchangedf(before, "an item of a batch that failed")
	}
}
