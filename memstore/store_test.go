package memstore_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
	"github.com/seed-2a427302/handoff/storetest"
)

func open(*testing.T) handoff.Store { return memstore.New() }

func TestStore(t *testing.T) { storetest.Run(t, open) }

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(*testing.B) handoff.Store { return memstore.New() })
}

func record(conversation string) (handoff.Record, handoff.RecordEntry) {
	now := time.Now()
	return handoff.Record{ID: handoff.ID{Conversation: conversation, Number: 1}, Seq: 1, Created: now, Updated: now, Body: handoff.BodyOf([]byte("{}"))},
		handoff.RecordEntry{ID: "a", Seq: 1, At: now}
}

// TestBubble runs a store in a synctest bubble: it neither starts goroutines
// nor reads a clock of its own.
func TestBubble(t *testing.T) {
	before := runtime.NumGoroutine()
	s := memstore.New()
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("New started %d goroutines", n-before)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var hints []handoff.Hint
		done := make(chan error, 1)
		go func() { done <- s.Listen(ctx, func(h handoff.Hint) { hints = append(hints, h) }) }()
		synctest.Wait()

		r, e := record("c")
		r.Wake = time.Now().Add(time.Hour)
		if err := s.Commit(ctx, r, e); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !slices.Equal(hints, []handoff.Hint{{ID: r.ID}}) {
			t.Errorf("a commit without a queue was told as %v", hints)
		}
		claim := func() int {
			got, err := s.Claim(ctx, handoff.Claim{Now: time.Now(), Lease: time.Minute, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			return len(got.Due)
		}
		for _, step := range []struct {
			wait time.Duration
			due  int
		}{{0, 0}, {time.Hour - time.Millisecond, 0}, {time.Millisecond, 1}, {59 * time.Second, 0}, {time.Second, 1}} {
			time.Sleep(step.wait)
			if n := claim(); n != step.due {
				t.Errorf("at %s %d are due, want %d", time.Now().Format(time.TimeOnly), n, step.due)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Listen: %v", err)
		}
	})
}

// TestHints commits more than a listener can remember while it is busy.
func TestHints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		ctx, cancel := context.WithCancel(t.Context())
		busy, free := make(chan bool), make(chan bool)
		hints := make(map[handoff.Hint]int)
		done := make(chan error, 2)
		first := true
		go func() {
			done <- s.Listen(ctx, func(h handoff.Hint) {
				if hints[h]++; first {
					first = false
					close(busy)
					<-free // what it must not do; commits go on all the same
				}
			})
		}()
		other := make(map[handoff.Hint]int)
		go func() { done <- s.Listen(ctx, func(h handoff.Hint) { other[h]++ }) }()
		synctest.Wait()
		commit := func(conversation, queue, line string) {
			r, e := record(conversation)
			r.Queue, r.Line = queue, line
			if err := s.Commit(t.Context(), r, e); err != nil {
				t.Fatal(err)
			}
		}
		commit("first", "", "")
		<-busy
		for i := range 5000 {
			commit(fmt.Sprint("c", i), fmt.Sprint("queue ", i%7), "line")
		}
		commit("last", "idle", "") // does not stand
		close(free)
		synctest.Wait()
		for i := range 7 {
			if n := hints[handoff.Hint{Queue: fmt.Sprint("queue ", i)}]; n != 1 {
				t.Errorf("queue %d was told %d times to who was busy, want 1", i, n)
			}
		}
		if hints[handoff.Hint{Queue: "idle"}]+other[handoff.Hint{Queue: "idle"}] != 0 {
			t.Error("a queue in which nobody stands was told")
		}
		if len(hints) > 3000 {
			t.Errorf("%d hints were kept for who was busy", len(hints))
		}
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Errorf("Listen: %v", err)
			}
		}
		commit("afterwards", "", "")
	})
}

// TestFreedKey tells a queue when a seat is given back.
func TestFreedKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		ctx, cancel := context.WithCancel(t.Context())
		var hints []handoff.Hint
		go func() {
			_ = s.Listen(ctx, func(h handoff.Hint) {
				if h.Queue != "" {
					hints = append(hints, h)
				}
			})
		}()
		r, e := record("c")
		r.Queue, r.Keys = "q", []handoff.Key{{Name: "seat", Max: 3, Units: 2}}
		for i, units := range []int{2, 2, 3, 1, 0} {
			r.Keys = []handoff.Key{{Name: "seat", Max: 3, Units: units}}
			if units == 0 {
				r.Keys = nil
			}
			hints = nil
			if err := s.Commit(ctx, r, e); err != nil {
				t.Fatal(err)
			}
			r.Version, r.Seq = r.Version+1, r.Seq+1
			e.Seq, e.ID = r.Seq, strconv.FormatInt(r.Seq, 10)
			synctest.Wait()
			if want := i >= 3; (len(hints) > 0) != want {
				t.Errorf("after commit %d the hints are %v", i, hints)
			}
		}
		cancel()
	})
}

// TestClaimIsFair has a sink with many deliveries that nobody can make and one
// with a few. Each gets its share.
func TestClaimIsFair(t *testing.T) {
	s := memstore.New()
	ctx := context.Background()
	now := time.Now()
	for i := range 200 {
		r, e := record(fmt.Sprint("c", i))
		e.At = now.Add(-time.Hour)
		sink := "down"
		if i >= 195 {
			sink, e.At = "user", now.Add(-time.Minute)
		}
		r.Owed = []handoff.Owed{{Sink: sink, Cursor: "x", Seq: 1}}
		if err := s.Commit(ctx, r, e); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Claim(ctx, handoff.Claim{Now: now, Lease: time.Minute, Limit: 20, Sinks: []string{"down", "user"}})
	if err != nil {
		t.Fatal(err)
	}
	users := 0
	for _, d := range got.Overdue {
		if d.Sink == "user" {
			users++
		}
	}
	if users != 5 || len(got.Overdue) != 20 {
		t.Errorf("%d of 20 deliveries are for the sink that works, want all 5", users)
	}
}

// TestCancelled calls every method with a context that has ended.
func TestCancelled(t *testing.T) {
	s := memstore.New()
	r, e := record("c")
	if err := s.Commit(t.Context(), r, e); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.Version, r.Seq, e.ID, e.Seq = 1, 2, "b", 2
	tomb := handoff.Record{ID: handoff.ID{Conversation: "tomb", Number: 1}, Version: 1}
	for name, call := range map[string]func() error{
		"Commit": func() error { return s.Commit(ctx, r, e) },
		"CommitBatch": func() error {
			return s.CommitBatch(ctx, []handoff.Item{{Record: r, Entries: []handoff.RecordEntry{e}}})[0]
		},
		"Get":     func() error { _, err := s.Get(ctx, r.ID); return err },
		"Latest":  func() error { _, err := s.Latest(ctx, "c"); return err },
		"Holders": func() error { _, err := s.Holders(ctx, "k"); return err },
		"List":    func() error { _, err := s.List(ctx, handoff.Query{}); return err },
		"Count":   func() error { _, err := s.Count(ctx, handoff.Query{}); return err },
		"Lines":   func() error { _, err := s.Lines(ctx, "q"); return err },
		"Log":     func() error { _, err := s.Log(ctx, r.ID, 0, 1); return err },
		"Entry":   func() error { _, err := s.Entry(ctx, r.ID, "a"); return err },
		"Claim":   func() error { _, err := s.Claim(ctx, handoff.Claim{Limit: 1}); return err },
		"Lead":    func() error { _, err := s.Lead(ctx, r.ID, "x", time.Now(), time.Minute); return err },
		"Ack":     func() error { return s.Ack(ctx, handoff.Ack{ID: r.ID, Cursor: "x", Seq: 1}) },
		"Erase":   func() error { return s.Erase(ctx, "c", tomb) },
		"Delete":  func() error { return s.Delete(ctx, r.ID, 1) },
		"Ahead":   func() error { _, err := s.Ahead(ctx, r, 0); return err },
	} {
		if err := call(); err == nil {
			t.Errorf("%s with a context that has ended succeeded", name)
		}
	}
	if got, err := s.Get(t.Context(), r.ID); err != nil || got.Version != 1 {
		t.Errorf("afterwards the record has version %d, %v", got.Version, err)
	}
	if l, err := s.Lead(t.Context(), r.ID, "x", time.Now(), time.Minute); err != nil || l.Seq != 0 || l.Tries != 1 {
		t.Errorf("afterwards Lead gives %+v, %v", l, err)
	}
}

// TestAheadAllocatesNothing is about the one call that every waiting user
// causes again and again.
func TestAheadAllocatesNothing(t *testing.T) {
	s := memstore.New()
	var last handoff.Record
	for i := range 10_000 {
		r, e := record(fmt.Sprint("c", i))
		r.Queue, r.Line, r.Since = "q", "l", r.Created.Add(time.Duration(i)*time.Millisecond)
		if err := s.Commit(t.Context(), r, e); err != nil {
			t.Fatal(err)
		}
		last = r
	}
	ctx := context.Background()
	if n := testing.AllocsPerRun(100, func() { _, _ = s.Ahead(ctx, last, 0) }); n != 0 {
		t.Errorf("Ahead allocates %v times", n)
	}
	if n, err := s.Ahead(ctx, last, 0); err != nil || n != 9999 {
		t.Errorf("Ahead of the last of 10000 gives %d, %v", n, err)
	}
}
