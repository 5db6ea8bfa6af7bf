package memstore

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
)

// watch inserts a record of a watched conversation: it will be looked at in a
// day, holds its conversation, and has delivered everything.
func watch(t *testing.T, s *Store, i int) handoff.ID {
	t.Helper()
	ctx := context.Background()
	r, entries := request(i)
	r.State, r.Queue, r.Line, r.Wake = handoff.StateBot, "", "", r.Created.Add(24*time.Hour)
	r.Owed = []handoff.Owed{{Sink: "user", Cursor: "user", Seq: 2}, {Sink: "staff" + strconv.Itoa(i%10), Cursor: "staff", Seq: 2}}
	if err := s.Commit(ctx, r, entries...); err != nil {
		t.Fatal(err)
	}
	if err := s.Ack(ctx, handoff.Ack{ID: r.ID, Cursor: "user", Seq: 2}); err != nil {
		t.Fatal(err)
	}
	return r.ID
}

// TestMemoryIsFlat makes and deletes a million records, a thousand at a time.
func TestMemoryIsFlat(t *testing.T) {
	rounds := 1000
	if testing.Short() || underRace {
		rounds = 50
	}
	s := New()
	round := func(n int) {
		var ids [1000]handoff.ID
		for i := range ids {
			ids[i] = watch(t, s, n*len(ids)+i)
		}
		for i, id := range ids {
			var err error
			if i%10 == 0 {
				// Some are erased, and their tombstones go too.
				tomb := handoff.Record{ID: handoff.ID{Conversation: "x" + id.Conversation, Number: 1}, Version: 1, Seq: 2}
				err = s.Erase(context.Background(), id.Conversation, tomb)
				id, n = tomb.ID, 2
			} else {
				n = 1
			}
			if err == nil {
				err = s.Delete(context.Background(), id, int64(n))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range 10 {
		round(n)
	}
	before := heap()
	for n := range rounds {
		round(n)
	}
	after := heap()
	ratio := float64(after) / float64(before)
	t.Logf("heap after %d records / after 10000: %.2f", rounds*1000, ratio)
	if ratio > 1.5 {
		t.Errorf("the heap grows with records that were deleted: %d bytes, then %d", before, after)
	}
	empty(t, s)
}

// TestMemoryIsGivenBack fills a store and empties it.
func TestMemoryIsGivenBack(t *testing.T) {
	const n = 50_000
	before := heap()
	s := New()
	ids := make([]handoff.ID, 0, n)
	for i := range n {
		if i%2 == 0 {
			ids = append(ids, watch(t, s, i))
			continue
		}
		r, entries := request(i) // stands in a line
		if err := s.Commit(context.Background(), r, entries...); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	full := heap() - before
	for _, id := range ids {
		if err := s.Delete(context.Background(), id, 1); err != nil {
			t.Fatal(err)
		}
	}
	clear(ids)
	left := max(heap(), before) - before
	t.Logf("%d bytes of %d are left", left, full)
	if left > full/20 {
		t.Errorf("an emptied store keeps %d bytes of %d", left, full)
	}
	empty(t, s)
}

// empty looks for anything that an empty store still knows.
func empty(t *testing.T, s *Store) {
	t.Helper()
	for what, n := range map[string]int{
		"conversations": len(s.conversations.m), "created": s.created.len(), "queues": len(s.queues), "keys": len(s.keys.m),
		"states": len(s.states.by.m), "agents": len(s.agents.by.m), "users": len(s.users.by.m),
		"due": len(s.due.entries) - s.due.stale, "claimed": len(s.claimed.entries) - s.claimed.stale,
		"behind": len(s.behind), "led": len(s.led.entries) - s.led.stale,
	} {
		if n != 0 {
			t.Errorf("an empty store has %d in %s", n, what)
		}
	}
}
