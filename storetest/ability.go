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
		{"Listen/asked", ruleAsked, checkAsked},
		{"Listen/versions", ruleHinted, checkHinted},
		{"Search", ruleSearch, checkSearch},
		{"Search/erased", ruleErased, checkSearchErased},
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

// hints are what is told of records that are inserted as change makes them, of
// which it returns the ids, too. All hints may be lost, and
// those of this handle need not be told.
func (k *kit) hints(conversation string, change func(*handoff.Record)) (hints map[handoff.Hint]int, known map[handoff.ID]bool) {
	l := needs[handoff.Listener](k)
	ctx, cancel := context.WithCancel(k.ctx)
	defer cancel()
	var mu sync.Mutex
	hints = map[handoff.Hint]int{}
	result := make(chan error, 1)
	go func() {
		result <- l.Listen(ctx, func(h handoff.Hint) {
			mu.Lock()
			hints[h]++
			mu.Unlock()
		})
	}()
	known = map[handoff.ID]bool{{}: true}
	k.soon(func() bool {
		for range 5 {
			r := k.insert(conversation, int64(len(known)), change)
			known[r.ID] = true
		}
		mu.Lock()
		defer mu.Unlock()
		return len(hints) > 0 || len(known) > 100
	})
	cancel()
	k.okf(<-result, "Listen")
	return hints, known
}

func waits(r *handoff.Record) { r.Queue, r.Line = "q", "l" }

func checkAsked(k *kit) {
	for _, line := range []string{"l", ""} { // he is offered, and keeps his place; he was accepted
		hints, _ := k.hints("c"+line, func(r *handoff.Record) { r.Queue, r.Line, r.Agent = "q", line, "ann" })
		for h := range hints {
			if !h.ID.IsZero() && h.Queue != "" {
				k.fatalf("Listen told of %+v, and agent ann is asked or has it, line %q", h, line)
			}
		}
	}
}

func checkHints(k *kit) {
	hints, known := k.hints("c", waits)
	for h := range hints {
		if !known[h.ID] || h.Queue != "" && h.Queue != "q" || h == (handoff.Hint{}) {
			k.fatalf("Listen told of %+v, which did not happen", h)
		}
	}
}

func checkHinted(k *kit) {
	hints, _ := k.hints("c", waits)
	for h := range hints {
		if h.Version > 1 || h.Line != "" && h.Line != "l" {
			k.fatalf("Listen told of %+v, and each record was inserted once, in line l", h)
		}
	}
}
