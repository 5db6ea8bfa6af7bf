package storetest

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-2a427302/handoff"
)

// raceLatest inserts one record after the other; each writer must see his own
// and all that were there when he asked.
func raceLatest(k *kit) {
	var last, version atomic.Int64
	k.insert("c", 1, nil)
	last.Store(1)
	version.Store(1)
	k.together(workers, func(i int) error {
		for range 25 {
			number, v := last.Load(), version.Load()
			got, err := k.store.Latest(k.ctx, "c")
			if err != nil {
				return err
			}
			if got.ID.Number < number || got.ID.Number == number && got.Version < v && last.Load() == number {
				return fmt.Errorf("latest gives number %d in version %d, though number %d in version %d was committed before",
					got.ID.Number, got.Version, number, v)
			}
			if i%2 == 1 {
				continue // only reads
			}
			ok, err := won(k.try(k.draft("c", got.ID.Number+1), "a"), handoff.ErrConflict)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			for n := last.Load(); n < got.ID.Number+1; n = last.Load() {
				if last.CompareAndSwap(n, got.ID.Number+1) {
					version.Store(1)
				}
			}
			own, err := k.store.Latest(k.ctx, "c")
			if err != nil {
				return err
			}
			if own.ID.Number < got.ID.Number+1 {
				return fmt.Errorf("latest gives number %d to who has just committed %d", own.ID.Number, got.ID.Number+1)
			}
		}
		return nil
	})
}

// raceWhole reads while others write: a record is never seen in parts, and an
// entry never before its record.
func raceWhole(k *kit) {
	whole := func(r *handoff.Record) error {
		n := r.Version
		if r.Seq != 2*n || r.Priority != int(n) || r.User != fmt.Sprint("user ", n) || !r.Wake.Equal(k.now.Add(far+time.Duration(n)*time.Millisecond)) ||
			len(r.Keys) != 1 || r.Keys[0].Units != int(n) || !equalBodies(r.Body, body(fmt.Sprint("version ", n))) {
			return fmt.Errorf("version %d was read with parts of another one: Seq %d, Priority %d, %q, Units %+v", n, r.Seq, r.Priority, r.User, r.Keys)
		}
		return nil
	}
	next := func(r handoff.Record) handoff.Record {
		n := r.Version + 1
		r.Priority, r.User, r.Wake = int(n), fmt.Sprint("user ", n), k.now.Add(far+time.Duration(n)*time.Millisecond)
		r.Keys, r.Body = one("k", 1000, int(n)), body(fmt.Sprint("version ", n))
		return r
	}
	ids := func(r *handoff.Record) []string {
		return []string{fmt.Sprint("a", r.Version+1), fmt.Sprint("b", r.Version+1)}
	}
	r := next(k.draft("c", 1))
	r = k.commit(r, ids(&r)...)
	id := r.ID
	var done atomic.Bool
	k.together(4, func(i int) error {
		if i == 0 {
			defer done.Store(true)
			for range 100 {
				n := next(r)
				if err := k.try(n, ids(&r)...); err != nil {
					return err
				}
				r = n
				r.Version, r.Seq = r.Version+1, r.Seq+2
				runtime.Gosched() // lets the readers in between
			}
			return nil
		}
		for !done.Load() {
			switch i {
			case 1:
				got, err := k.store.Get(k.ctx, id)
				if err != nil {
					return err
				}
				if err := whole(&got); err != nil {
					return err
				}
				list, err := k.store.Log(k.ctx, id, 0, 1000)
				if err != nil {
					return err
				}
				if len(list) < int(got.Seq) || len(list)%2 != 0 {
					return fmt.Errorf("a log of %d entries was read after a record with Seq %d whose commits bring two each", len(list), got.Seq)
				}
			case 2:
				list, err := k.store.List(k.ctx, handoff.Query{Conversation: "c"})
				if err != nil {
					return err
				}
				if len(list) != 1 {
					return fmt.Errorf("a list while the record is committed has %d records, want 1", len(list))
				}
				if err := whole(&list[0]); err != nil {
					return err
				}
			default:
				got, err := k.store.Latest(k.ctx, "c")
				if err != nil {
					return err
				}
				if err := whole(&got); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// raceClaims claims many records and deliveries from several goroutines.
func raceClaims(k *kit) {
	const n = 60
	for i := range n {
		r := k.draft(fmt.Sprint("c", i), 1)
		r.Updated = k.now.Add(-far)
		if i%2 == 0 {
			r.Wake = k.now.Add(-far - time.Duration(i)*time.Second)
		} else {
			r.Owed = []handoff.Owed{{Sink: "s", Cursor: "s", Seq: 1}}
		}
		k.commit(r)
	}
	var mu sync.Mutex
	given := make(map[handoff.ID]int)
	k.together(workers, func(int) error {
		for range 2 * n { // more is more than there is
			got, err := k.store.Claim(k.ctx, handoff.Claim{Now: k.now, Lease: far, Limit: 3, Sinks: []string{"s"}, Grace: time.Minute})
			if err != nil {
				return err
			}
			if len(got.Due)+len(got.Overdue) == 0 {
				break
			}
			mu.Lock()
			for _, id := range slices.Concat(ids(got.Due), deliveryIDs(got.Overdue)) {
				given[id]++
			}
			mu.Unlock()
		}
		return nil
	})
	for id, times := range given {
		if times != 1 {
			k.fatalf("%v was given %d times", id, times)
		}
	}
	// A store may overlook a record that another call is just looking at.
	rest := k.claim(far, time.Minute, "s")
	for _, id := range slices.Concat(ids(rest.Due), deliveryIDs(rest.Overdue)) {
		if given[id]++; given[id] > 1 {
			k.fatalf("%v was given again", id)
		}
	}
	if len(given) != n {
		k.fatalf("%d of %d records were given", len(given), n)
	}
}

func raceLeads(k *kit) {
	id := k.log5("c")
	for round := range 20 {
		var leaders atomic.Int32
		now := k.at(round * 60)
		k.together(workers, func(int) error {
			_, err := k.store.Lead(k.ctx, id, "x", now, minute)
			ok, err := won(err, handoff.ErrLeased)
			if ok {
				leaders.Add(1)
			}
			return err
		})
		if n := leaders.Load(); n != 1 {
			k.fatalf("%d of %d who asked to be the one sender got it", n, workers)
		}
	}
	k.says(ruleTries)
	if l := k.lead(id, "x", k.at(20*60), minute); l.Tries != 21 {
		k.fatalf("the cursor was led 20 times before, and Tries is %d", l.Tries)
	}
}

func raceCursors(k *kit) {
	r := k.draft("c", 1)
	list := make([]string, 100)
	for i := range list {
		list[i] = fmt.Sprint("e", i)
	}
	id := k.commit(r, list...).ID
	k.together(workers, func(i int) error {
		for n := i; n < 100; n += workers {
			seq := int64(n*37%100) + 1 // all of them, in no order
			if err := k.store.Ack(k.ctx, handoff.Ack{ID: id, Cursor: "x", Seq: seq}, handoff.Ack{ID: id, Cursor: strconv.Itoa(i), Seq: seq}); err != nil {
				return err
			}
			l, err := k.store.Lead(k.ctx, id, strconv.Itoa(i), k.at(n), time.Millisecond)
			if err != nil {
				return err
			}
			if l.Seq < seq {
				return fmt.Errorf("a cursor stands at %d after an Ack of %d", l.Seq, seq)
			}
		}
		return nil
	})
	if got := k.position(id, "x", k.now); got != 100 {
		k.fatalf("a cursor stands at %d after Acks up to 100", got)
	}
}

// raceEverything calls every method at once. It finds deadlocks, and data
// races when the race detector watches.
func raceEverything(k *kit) {
	var n atomic.Int64
	k.together(workers, func(i int) error {
		for round := range 12 {
			conversation := fmt.Sprint("c", (i+round)%4)
			number := n.Add(1)
			r := k.draft(conversation, number)
			r.Queue, r.Line, r.Agent, r.User, r.Tags = "q", fmt.Sprint("l", i), "ann", "uwe", []string{"t"}
			r.Wake, r.Updated = k.now.Add(-far), k.now.Add(-far)
			r.Keys = one("all", 1000, 1)
			r.Owed = []handoff.Owed{{Sink: "s", Cursor: "s", Seq: 1}}
			if err := k.try(r, "a"); err != nil {
				return err
			}
			_, latest := k.store.Latest(k.ctx, conversation)
			_, claim := k.store.Claim(k.ctx, handoff.Claim{Now: k.now, Lease: time.Millisecond, Limit: 5, Sinks: []string{"s"}})
			_, list := k.store.List(k.ctx, handoff.Query{Queue: "q", Waiting: true, ByRank: true, Limit: 5})
			_, lines := k.store.Lines(k.ctx, "q")
			_, holders := k.store.Holders(k.ctx, "all")
			_, log := k.store.Log(k.ctx, r.ID, 0, 10)
			ack := k.store.Ack(k.ctx, handoff.Ack{ID: r.ID, Cursor: "s", Seq: 1})
			if err := errors.Join(claim, list, lines, holders, log, ack, notFoundIsFine(latest)); err != nil {
				return err
			}
			r.Version, r.Seq, r.Line, r.Keys = 1, 1, "", nil
			if err := notFoundIsFine(k.try(r, "b")); err != nil && !errors.Is(err, handoff.ErrConflict) {
				return err
			}
			if round%3 == 0 {
				if err := k.store.Delete(k.ctx, r.ID, 2); err != nil && !errors.Is(err, handoff.ErrConflict) {
					return err
				}
			}
			if round%6 == 5 {
				last, err := k.store.Latest(k.ctx, conversation)
				if err != nil {
					continue
				}
				err = k.store.Erase(k.ctx, conversation, k.tomb(last, "erased "+conversation))
				if err != nil && !errors.Is(err, handoff.ErrConflict) {
					return err
				}
			}
		}
		return nil
	})
	for _, r := range k.list(handoff.Query{}) {
		k.samef(k.get(r.ID), r, "Get and List afterwards")
	}
	left := k.list(handoff.Query{Waiting: true})
	if got := k.holders("all"); len(got) != len(left) {
		k.fatalf("%d records hold the key that %d records should hold", len(got), len(left))
	}
}

func notFoundIsFine(err error) error {
	if errors.Is(err, handoff.ErrNotFound) {
		return nil
	}
	return err
}
