package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-2a427302/handoff"
)

func abilityChecks() []check {
	return []check{
		{"Ahead", ruleAhead, checkAhead},
		{"Count", ruleCount, checkCount},
		{"CommitBatch/each", ruleBatch, checkBatch},
		{"CommitBatch/order", ruleBatch, checkBatchOrder},
		{"CommitBatch/poison", ruleBatch, checkBatchPoison},
		{"CommitBatch/atomic", ruleCommit, checkBatchAtomic},
		{"Listen/end", ruleListen, checkListen},
		{"Listen/hints", ruleHint, checkHints},
	}
}

// ability finds an optional ability of a store or of one that it wraps.
func ability[T any](s handoff.Store) (T, bool) {
	for s != nil {
		if t, ok := s.(T); ok {
			return t, true
		}
		u, ok := s.(interface{ Unwrap() handoff.Store })
		if !ok {
			break
		}
		s = u.Unwrap()
	}
	var none T
	return none, false
}

// needs skips the check for a store without an ability.
func needs[T any](k *kit) T {
	k.Helper()
	t, ok := ability[T](k.store)
	if !ok {
		k.Skipf("the store does not have this optional ability")
	}
	return t
}

func checkAhead(k *kit) {
	s := needs[handoff.AheadCounter](k)
	agree := func(all []handoff.Record, queue string) {
		k.Helper()
		standing := sorted(all, handoff.Query{Queue: queue, Waiting: true, ByRank: true})
		for rank := range standing {
			for _, limit := range []int{0, 1, 3, 1000} {
				want := rank
				if limit > 0 {
					want = min(rank, limit)
				}
				got, err := s.Ahead(k.ctx, standing[rank], limit)
				k.okf(err, "Ahead")
				if got != want {
					k.fatalf("Ahead of number %d of %d in the order of List, at most %d, gives %d", rank+1, len(standing), limit, got)
				}
			}
		}
	}
	all := k.world(120)
	agree(all, "sales")
	agree(all, "billing")

	// The head leaves, and all others move up.
	for range 3 {
		standing := sorted(all, handoff.Query{Queue: "sales", Waiting: true, ByRank: true})
		i := slices.IndexFunc(all, func(r handoff.Record) bool { return r.ID == standing[0].ID })
		all[i].Line = ""
		all[i] = k.commit(all[i])
		agree(all, "sales")
	}
	// One is moved to the front.
	standing := sorted(all, handoff.Query{Queue: "billing", Waiting: true, ByRank: true})
	i := slices.IndexFunc(all, func(r handoff.Record) bool { return r.ID == standing[len(standing)-1].ID })
	all[i].Priority = 2_000_000
	all[i] = k.commit(all[i])
	agree(all, "billing")
	all = slices.DeleteFunc(all, func(r handoff.Record) bool {
		if r.Line != "" && r.ID.Number%3 == 0 {
			k.okf(k.store.Delete(k.ctx, r.ID, r.Version), "Delete")
			return true
		}
		return false
	})
	agree(all, "billing")
	agree(all, "sales")
}

func checkCount(k *kit) {
	s := needs[handoff.Counter](k)
	all := k.world(100)
	filters := append(k.filters(), handoff.Query{})
	for i := range filters {
		for j := range i + 1 {
			q := both(filters[i], filters[j])
			want := len(sorted(all, q))
			switch (i + j) % 4 { // what does not count
			case 1:
				q.ByRank = true
			case 2:
				q.Limit = 2
			case 3:
				q.After, q.Limit = all[5].Cursor(q), 1
			}
			got, err := s.Count(k.ctx, q)
			k.okf(err, "Count(%s)", show(q))
			if got != want {
				k.fatalf("Count(%s) gives %d, want %d", show(q), got, want)
			}
		}
	}
}

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

func checkListen(k *kit) {
	l := needs[handoff.Listener](k)
	var over atomic.Bool
	k.together(3, func(i int) error {
		ctx, cancel := context.WithCancel(k.ctx)
		defer cancel()
		result := make(chan error, 1)
		var ended atomic.Bool
		go func() {
			err := l.Listen(ctx, func(handoff.Hint) {
				if ended.Load() {
					over.Store(true)
				}
			})
			ended.Store(true)
			result <- err
		}()
		for n := range 20 {
			if err := k.try(k.draft(fmt.Sprint("c", i), int64(n)+1), "a"); err != nil {
				return err
			}
		}
		cancel()
		select {
		case err := <-result:
			if err != nil {
				return fmt.Errorf("listen returned %w after its context ended", err)
			}
		case <-time.After(10 * time.Second):
			return errors.New("listen does not return after its context ended")
		}
		// Who goes on listening is heard now.
		for n := range 20 {
			if err := k.try(k.draft(fmt.Sprint("c", i), int64(n)+1000), "a"); err != nil {
				return err
			}
		}
		<-time.After(10 * time.Millisecond)
		return nil
	})
	if over.Load() {
		k.fatalf("Listen called f after it had returned")
	}
	// One whose context has ended does not listen.
	ctx, cancel := context.WithCancel(k.ctx)
	cancel()
	k.okf(l.Listen(ctx, func(handoff.Hint) {}), "Listen with a context that has ended")
}

// checkHints looks at the hints that come, if any do: they may all be lost,
// and those of this handle need not be told at all.
func checkHints(k *kit) {
	l := needs[handoff.Listener](k)
	ctx, cancel := context.WithCancel(k.ctx)
	defer cancel()
	var mu sync.Mutex
	hints := make(map[handoff.Hint]int)
	result := make(chan error, 1)
	go func() {
		result <- l.Listen(ctx, func(h handoff.Hint) {
			mu.Lock()
			hints[h]++
			mu.Unlock()
		})
	}()
	known := map[handoff.ID]bool{{}: true}
	k.soon(func() bool {
		for range 5 {
			r := k.insert("c", int64(len(known)), func(r *handoff.Record) { r.Queue, r.Line = "q", "l" })
			known[r.ID] = true
		}
		mu.Lock()
		defer mu.Unlock()
		return len(hints) > 0 || len(known) > 100
	})
	cancel()
	k.okf(<-result, "Listen")
	for h := range hints {
		if !known[h.ID] || h.Queue != "" && h.Queue != "q" || h == (handoff.Hint{}) {
			k.fatalf("Listen told of %+v, which did not happen", h)
		}
	}
}
