package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
)

// full is everything that both twins can do.
type full interface {
	handoff.Store
	handoff.AheadCounter
	handoff.Counter
	handoff.BatchCommitter
}

// A twin makes random calls to memstore and to the naive store, and compares
// every answer.
type twin struct {
	rnd   func(n int) int
	now   time.Time
	naive *naive
}

func (w *twin) chance(percent int) bool { return w.rnd(100) < percent }

func choose[T any](w *twin, list ...T) T { return list[w.rnd(len(list))] }

func (w *twin) id() handoff.ID {
	return handoff.ID{Conversation: choose(w, "a", "b", "b1", "c"), Number: int64(1 + w.rnd(3))}
}

// a record to be committed, mostly on the version that is stored.
func (w *twin) record() (handoff.Record, []handoff.RecordEntry) {
	id := w.id()
	r := handoff.Record{ID: id}
	if old := w.naive.find(id); old != nil {
		r = old.Record
	}
	if w.chance(10) {
		r.Version += int64(w.rnd(3)) - 1
	}
	if w.chance(70) {
		r.Queue, r.Line = choose(w, "q", "p", ""), choose(w, "", "l", "m", "n")
		r.State, r.Outcome = choose(w, handoff.StateBot, handoff.StateWaiting, handoff.StateEnded), choose[handoff.Outcome](w, "", "x")
		r.Agent, r.User, r.Tags = choose(w, "", "ann", "bob"), choose(w, "", "uma"), choose(w, nil, []string{"t"}, []string{"u", "t"})
		r.Priority, r.Since = w.rnd(3)-1, w.now.Add(time.Duration(w.rnd(3))*time.Second)
	}
	if r.Created.IsZero() || w.chance(5) {
		r.Created = w.now.Add(time.Duration(w.rnd(3)) * time.Second)
	}
	if w.chance(60) {
		r.Keys = nil
		for _, name := range []string{"k", "l", "m"} {
			if w.chance(50) {
				r.Keys = append(r.Keys, handoff.Key{Name: name, Max: w.rnd(5), Units: 1 + w.rnd(3)})
			}
		}
	}
	if w.chance(60) {
		r.Wake = w.now.Add(time.Duration(w.rnd(60)-20) * time.Second)
		if w.chance(20) {
			r.Wake = time.Time{}
		}
	}
	r.Updated = w.now
	var list []handoff.RecordEntry
	for range 1 + w.rnd(3) {
		r.Seq++
		e := handoff.RecordEntry{
			ID: fmt.Sprint(r.Seq, " ", w.rnd(50)), Seq: r.Seq, At: w.now.Add(-time.Duration(w.rnd(20)) * time.Second), Body: body(strconv.Itoa(w.rnd(9))),
		}
		if w.chance(3) {
			e.ID = "twice"
		}
		if w.chance(1) {
			e.Seq++
		}
		list = append(list, e)
	}
	if w.chance(60) {
		r.Owed = nil
		for _, cursor := range []string{"x", "y"} {
			if w.chance(60) {
				r.Owed = append(r.Owed, handoff.Owed{Sink: choose(w, "s", "t"), Cursor: cursor, Seq: int64(w.rnd(int(r.Seq) + 1))})
			}
		}
	}
	r.Body = body(strconv.Itoa(w.rnd(1000)))
	return r, list
}

func (w *twin) query() handoff.Query {
	q := handoff.Query{ByRank: w.chance(50), Waiting: w.chance(40), Limit: choose(w, 0, 0, 1, 2, 5)}
	if w.chance(20) {
		q.Conversation = w.id().Conversation
	}
	if w.chance(40) {
		q.Queue = choose(w, "q", "p", "none")
	}
	if w.chance(30) {
		q.Lines = choose(w, []string{"l"}, []string{"m", "l", "m"}, []string{"", "n"})
	}
	if w.chance(20) {
		q.Agent = choose(w, "ann", "bob")
	}
	if w.chance(10) {
		q.User, q.Tag = "uma", choose(w, "", "t", "u")
	}
	if w.chance(20) {
		q.States = choose(w, []handoff.State{handoff.StateBot}, []handoff.State{handoff.StateEnded, handoff.StateWaiting, handoff.StateEnded})
	}
	if w.chance(20) {
		q.From, q.To = w.now.Add(-time.Duration(w.rnd(30))*time.Second), w.now.Add(time.Duration(w.rnd(5))*time.Second)
	}
	if w.chance(30) {
		r := handoff.Record{ID: w.id(), Priority: w.rnd(3) - 1, Since: w.now, Created: w.now}
		if old := w.naive.find(r.ID); old != nil {
			r = old.Record
		}
		q.After = r.Cursor(q)
	}
	return q
}

// step makes one random call and returns what it does to a store.
func (w *twin) step() (what string, call func(ctx context.Context, s full) string) {
	if w.chance(30) {
		w.now = w.now.Add(time.Duration(w.rnd(8000)) * time.Millisecond)
	}
	now := w.now
	switch n := w.rnd(100); {
	case n < 40:
		r, list := w.record()
		return fmt.Sprintf("Commit %v %d, %+v", r.ID, r.Version, r), func(ctx context.Context, s full) string { return w.answer(s.Commit(ctx, r, list...)) }
	case n < 45:
		var items []handoff.Item
		seen := make(map[handoff.ID]bool)
		for range w.rnd(4) {
			if r, list := w.record(); !seen[r.ID] {
				seen[r.ID] = true
				items = append(items, handoff.Item{Record: r, Entries: list})
			}
		}
		return "CommitBatch", func(ctx context.Context, s full) string {
			var out string
			for _, err := range s.CommitBatch(ctx, items) {
				out += w.answer(err) + ";"
			}
			return out
		}
	case n < 55:
		q := w.query()
		return "List " + show(q), func(ctx context.Context, s full) string {
			list, err := s.List(ctx, q)
			for i := range list {
				got, _ := s.Get(ctx, list[i].ID)
				if !equalRecords(&got, &list[i]) {
					return "List and Get differ"
				}
			}
			return fmt.Sprint(ids(list), err)
		}
	case n < 60:
		q := w.query()
		return "Count " + show(q), func(ctx context.Context, s full) string { return fmt.Sprint(s.Count(ctx, q)) }
	case n < 63:
		id, limit := w.id(), w.rnd(4)
		r := handoff.Record{ID: id, Queue: "q", Since: now}
		if old := w.naive.find(id); old != nil {
			r = old.Record
		}
		return "Ahead", func(ctx context.Context, s full) string { return fmt.Sprint(s.Ahead(ctx, r, limit)) }
	case n < 66:
		queue := choose(w, "q", "p", "")
		return "Lines", func(ctx context.Context, s full) string {
			lines, err := s.Lines(ctx, queue)
			return fmt.Sprintf("%q %v", lines, err)
		}
	case n < 69:
		return "Holders", func(ctx context.Context, s full) string { return fmt.Sprint(s.Holders(ctx, "l", "k", "m", "none")) }
	case n < 72:
		id, after, limit := w.id(), int64(w.rnd(5)), w.rnd(6)
		return "Log", func(ctx context.Context, s full) string {
			list, err := s.Log(ctx, id, after, limit)
			return fmt.Sprint(showLog(list), err)
		}
	case n < 74:
		conversation := w.id().Conversation
		return "Latest", func(ctx context.Context, s full) string {
			r, err := s.Latest(ctx, conversation)
			return fmt.Sprint(showRecord(&r), err)
		}
	case n < 84:
		id, cursor, lease := w.id(), choose(w, "x", "y", "z"), time.Duration(1+w.rnd(10))*time.Second
		return fmt.Sprint("Lead ", id, cursor, lease), func(ctx context.Context, s full) string {
			return fmt.Sprint(s.Lead(ctx, id, cursor, now, lease))
		}
	case n < 92:
		a := handoff.Ack{ID: w.id(), Cursor: choose(w, "x", "y", "z"), Seq: int64(w.rnd(8)), Term: int64(w.rnd(4)), Keep: w.chance(20)}
		if r := w.naive.find(a.ID); r != nil {
			if c := r.cursors[a.Cursor]; c != nil && w.chance(60) {
				a.Term = c.term
				// Whether a lead that was ended is still the current one is
				// not said.
				if c.until.IsZero() || !now.Before(c.until) {
					a.Term = -1
				}
			}
		}
		if a.Term >= 0 && w.ended(a, now) {
			a.Term = -1
		}
		if w.chance(30) {
			a.Until = now.Add(time.Duration(w.rnd(20)-5) * time.Second)
		}
		return fmt.Sprintf("Ack %+v", a), func(ctx context.Context, s full) string { return fmt.Sprint(s.Ack(ctx, a)) }
	case n < 96:
		c := handoff.Claim{
			Now: now, Lease: time.Duration(w.rnd(10)) * time.Second, Limit: 1000,
			Sinks: choose(w, nil, []string{"s"}, []string{"t", "s"}), Grace: time.Duration(w.rnd(15)) * time.Second,
		}
		return fmt.Sprintf("Claim %+v", c), func(ctx context.Context, s full) string {
			got, err := s.Claim(ctx, c)
			slices.SortFunc(got.Overdue, func(a, b handoff.Delivery) int {
				return cmp.Or(a.ID.Compare(b.ID), cmp.Compare(a.Cursor, b.Cursor))
			})
			if !slices.IsSortedFunc(got.Due, func(a, b handoff.Record) int { return a.Wake.Compare(b.Wake) }) {
				return "not earliest first"
			}
			slices.SortFunc(got.Due, func(a, b handoff.Record) int { return cmp.Or(a.Wake.Compare(b.Wake), a.ID.Compare(b.ID)) })
			return fmt.Sprint(ids(got.Due), got.Overdue, got.Now, err)
		}
	case n < 98:
		id := w.id()
		version := int64(w.rnd(3))
		if old := w.naive.find(id); old != nil && w.chance(70) {
			version = old.Version
		}
		return fmt.Sprint("Delete ", id, version), func(ctx context.Context, s full) string { return fmt.Sprint(s.Delete(ctx, id, version)) }
	default:
		id := w.id()
		tomb := handoff.Record{ID: handoff.ID{Conversation: "tomb of " + id.Conversation, Number: id.Number}, Created: now, Body: body("tomb")}
		if last, err := w.naive.Latest(context.Background(), id.Conversation); err == nil && w.chance(80) {
			tomb.ID.Number, tomb.Version, tomb.Seq = last.ID.Number, last.Version, last.Seq
		}
		if w.chance(50) {
			tomb.Wake = now
		}
		return fmt.Sprint("Erase ", id.Conversation, tomb), func(ctx context.Context, s full) string {
			return fmt.Sprint(s.Erase(ctx, id.Conversation, tomb))
		}
	}
}

// ended reports whether an Ack names a lead that is over.
func (w *twin) ended(a handoff.Ack, now time.Time) bool {
	r := w.naive.find(a.ID)
	if r == nil || r.cursors[a.Cursor] == nil {
		return true
	}
	c := r.cursors[a.Cursor]
	return a.Term == c.term && !now.Before(c.until)
}

// answer describes an error; which key of several is named does not matter.
func (*twin) answer(err error) string {
	held := (*handoff.HeldError)(nil)
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &held):
		return fmt.Sprint("held ", held.Key, held.Holders)
	case errors.Is(err, handoff.ErrConflict), errors.Is(err, handoff.ErrDuplicate):
		return err.Error()
	}
	return "refused"
}

func (w *twin) run(t *testing.T, steps int) {
	t.Helper()
	ctx := context.Background()
	w.now = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	w.naive = newNaive("")
	mem := memstore.New()
	var trail []string
	for i := range steps {
		what, call := w.step()
		trail = append(trail, what)
		want, got := call(ctx, w.naive), call(ctx, mem)
		if got != want {
			for _, line := range trail[max(0, len(trail)-12):] {
				t.Log(line)
			}
			t.Fatalf("step %d, %s:\n memstore says %s\n naive says    %s", i, what, got, want)
		}
	}
}

func TestTwins(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		(&twin{rnd: rnd.IntN}).run(t, 1500)
	}
}

func FuzzTwins(f *testing.F) {
	f.Add([]byte("some random bytes make some random calls, and more of them make more"))
	f.Fuzz(func(t *testing.T, program []byte) {
		i := 0
		(&twin{rnd: func(n int) int {
			if i >= len(program) {
				return 0
			}
			i++
			return int(program[i-1]) % n
		}}).run(t, min(200, len(program)/4))
	})
}
