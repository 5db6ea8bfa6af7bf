package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/seed-2a427302/handoff"
)

func raceChecks() []check {
	return []check{
		{"Race/versions", ruleConflict, raceVersions},
		{"Race/inserts", ruleConflict, raceInserts},
		{"Race/conversation", ruleExclusive, raceConversation},
		{"Race/seats", ruleTaking, raceSeats},
		{"Race/entries", ruleNumbered, raceEntries},
		{"Race/latest", ruleFresh, raceLatest},
		{"Race/whole", ruleCommit, raceWhole},
		{"Race/claims", ruleClaimOne, raceClaims},
		{"Race/leads", ruleLeased, raceLeads},
		{"Race/cursors", ruleNoBack, raceCursors},
		{"Race/everything", ruleConcurrent, raceEverything},
	}
}

// workers is how many goroutines race.
const workers = 8

// together runs f in several goroutines that begin at the same time, and ends
// the check if one of them gave an error.
func (k *kit) together(n int, f func(i int) error) {
	k.Helper()
	var begin, end sync.WaitGroup
	begin.Add(1)
	errs := make([]error, n)
	for i := range n {
		end.Go(func() {
			begin.Wait()
			errs[i] = f(i)
		})
	}
	begin.Done()
	end.Wait()
	if err := errors.Join(errs...); err != nil {
		k.fatalf("%v", err)
	}
}

// won sorts the answer to an attempt of which some may fail with target.
func won(err, target error) (bool, error) {
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, target):
		return false, nil
	}
	return false, fmt.Errorf("got error %w, want none or %w", err, target)
}

// heldOrNil sorts the answer to an attempt to take a key.
func heldOrNil(err error) (bool, error) {
	if held := (*handoff.HeldError)(nil); errors.As(err, &held) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("got error %w, want none or a *HeldError", err)
	}
	return true, nil
}

func raceVersions(k *kit) {
	r := k.insert("c", 1, nil)
	for round := range 20 {
		var winners atomic.Int32
		k.together(workers, func(i int) error {
			next := r
			next.Body = body(fmt.Sprint(round, i))
			ok, err := won(k.try(next, fmt.Sprint("r", round, " w", i)), handoff.ErrConflict)
			if ok {
				winners.Add(1)
			}
			return err
		})
		if n := winners.Load(); n != 1 {
			k.fatalf("%d of %d commits of one version succeeded, want 1", n, workers)
		}
		now := k.get(r.ID)
		if now.Version != r.Version+1 || now.Seq != r.Seq+1 {
			k.fatalf("after one of several commits the record has version %d and Seq %d", now.Version, now.Seq)
		}
		r = now
	}
}

func raceInserts(k *kit) {
	for round := range 20 {
		var winners atomic.Int32
		k.together(workers, func(i int) error {
			r := k.draft("c", int64(round)+1)
			r.Body = body(strconv.Itoa(i))
			ok, err := won(k.try(r, fmt.Sprint("w", i)), handoff.ErrConflict)
			if ok {
				winners.Add(1)
			}
			return err
		})
		if n := winners.Load(); n != 1 {
			k.fatalf("%d of %d inserts of one record succeeded, want 1", n, workers)
		}
		if n := len(k.log(handoff.ID{Conversation: "c", Number: int64(round) + 1})); n != 1 {
			k.fatalf("the log has %d entries, want 1", n)
		}
	}
}

// raceConversation inserts different records with one exclusive key.
func raceConversation(k *kit) {
	for round := range 20 {
		key := fmt.Sprint("conversation ", round)
		var winners atomic.Int32
		k.together(workers, func(i int) error {
			r := k.draft(fmt.Sprint("c", round), int64(i)+1)
			r.Keys = one(key, 1, 1)
			ok, err := heldOrNil(k.try(r, "a"))
			if ok {
				winners.Add(1)
			}
			return err
		})
		if n := winners.Load(); n != 1 {
			k.fatalf("%d of %d records took a key of maximum 1, want 1", n, workers)
		}
		if n := len(k.holders(key)); n != 1 {
			k.fatalf("%d records hold a key of maximum 1", n)
		}
		if n := len(k.list(handoff.Query{Conversation: fmt.Sprint("c", round)})); n != 1 {
			k.fatalf("%d records were inserted, want 1", n)
		}
	}
}

// raceSeats takes and gives back seats of a few agents, one or two units at a
// time, and counts from outside.
func raceSeats(k *kit) {
	const agents, limit = 3, 3
	var taken [agents]atomic.Int32
	k.together(workers, func(i int) error {
		r := k.draft(fmt.Sprint("c", i), 1)
		if err := k.try(r, "a"); err != nil {
			return err
		}
		r.Version, r.Seq = 1, 1
		next := func() { r.Version++; r.Seq++ }
		for round := range 30 {
			agent := (i + round) % agents
			units := 1 + (i+round)%2
			r.Keys = one(fmt.Sprint("seat ", agent), limit, units)
			ok, err := heldOrNil(k.try(r, fmt.Sprint("take ", round)))
			if err != nil {
				return err
			}
			if !ok {
				r.Keys = nil
				continue
			}
			next()
			n := taken[agent].Add(int32(units))
			if n > limit {
				return fmt.Errorf("%d units of a key of maximum %d are held", n, limit)
			}
			taken[agent].Add(-int32(units))
			r.Keys = nil
			if err := k.try(r, fmt.Sprint("give ", round)); err != nil {
				return err
			}
			next()
		}
		return nil
	})
	for agent := range agents {
		k.sumf(fmt.Sprint("seat ", agent), 0, "after all was given back")
	}

	// All want the last units at once, and keep what they get.
	for round := range 10 {
		key := fmt.Sprint("last ", round)
		var units atomic.Int32
		k.together(workers, func(i int) error {
			r := k.draft(fmt.Sprint("last", round, " ", i), 1)
			r.Keys = one(key, 5, 1+i%2)
			ok, err := heldOrNil(k.try(r, "a"))
			if ok {
				units.Add(int32(1 + i%2))
			}
			return err
		})
		if got := k.sumOf(key); got != int(units.Load()) || got > 5 || got < 4 {
			k.fatalf("%d units of a key of maximum 5 are held, and %d were given out", got, units.Load())
		}
	}
}

// raceEntries appends from several goroutines, each reading again after a
// conflict.
func raceEntries(k *kit) {
	const each = 15
	r := k.insert("c", 1, nil)
	k.together(workers, func(i int) error {
		for n := range each {
			id := fmt.Sprint("w", i, " ", n)
			for tries := 0; ; tries++ {
				now, err := k.store.Get(k.ctx, r.ID)
				if err != nil {
					return err
				}
				ok, err := won(k.try(now, id, id+" second"), handoff.ErrConflict)
				if err != nil {
					return err
				}
				if ok {
					break
				}
				if tries > 10*workers*each { // each refusal is another one's success
					return fmt.Errorf("a commit was refused %d times, each time after a fresh read", tries)
				}
			}
		}
		return nil
	})
	list := k.log(r.ID)
	if want := 1 + 2*workers*each; len(list) != want {
		k.fatalf("the log has %d entries, want %d", len(list), want)
	}
	next := make([]int, workers)
	for i := range list {
		if list[i].Seq != int64(i)+1 {
			k.fatalf("entry %d of the log has the number %d", i+1, list[i].Seq)
		}
		var w, n int
		if _, err := fmt.Sscanf(list[i].ID, "w%d %d", &w, &n); err == nil {
			if n != next[w]/2 {
				k.fatalf("entry %q is out of its writer's order", list[i].ID)
			}
			next[w]++
		}
	}
	now := k.get(r.ID)
	if now.Seq != int64(len(list)) || now.Version != 1+workers*each {
		k.fatalf("Seq is %d and version %d after %d entries in %d commits", now.Seq, now.Version, len(list), 1+workers*each)
	}
}
