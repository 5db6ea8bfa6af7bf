package handoff

import (
	"context"
	"slices"
	"testing"
	"time"
)

// Next returns what waits longest of what a free agent of a queue can serve:
// what matching does before it offers.
func (e *Engine) Next(ctx context.Context, queue string) ([]Record, error) {
	q, _, err := e.next(ctx, e.rules.queue(queue))
	if err != nil || q.Limit == 0 {
		return nil, err
	}
	return e.list(ctx, q)
}

// Read lets the engine read agents, as it does when a seat comes free.
func (e *Engine) Read(tb testing.TB, agents ...string) {
	tb.Helper()
	if _, err := e.readAgents(tb.Context(), agents...); err != nil {
		tb.Fatal(err)
	}
}

// IsOwed reports whether the channel lacks something of a handoff.
func (e *Engine) IsOwed(tb testing.TB, id ID) bool {
	tb.Helper()
	h, err := e.get(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	owed, err := e.isOwed(tb.Context(), h, sinkChannel)
	if err != nil {
		tb.Fatal(err)
	}
	return owed
}

// PutOff puts something off, and returns until when.
func PutOff(at time.Time) time.Time {
	w := newWork()
	w.runs = 1
	w.after(task{}, at)
	return w.later[task{}]
}

// Indexed is a Staff that finds an agent without looking at all of them.
func Indexed(s Staff) Directory {
	by := map[string]Agent{}
	for _, a := range s {
		by[a.ID] = a
	}
	slices.SortFunc(s, func(a, b Agent) int { return compare(a.ID, b.ID) })
	return &indexed{s, by}
}

type indexed struct {
	Staff
	by map[string]Agent
}

func (s *indexed) Get(_ context.Context, id string) (Agent, error) {
	a, ok := s.by[id]
	if !ok {
		return a, ErrNotFound
	}
	return a, nil
}

func (s *indexed) List(_ context.Context, queue string) ([]Agent, error) {
	var out []Agent
	for i := range s.Staff {
		if queue == "" || s.Staff[i].serves(queue) {
			out = append(out, s.Staff[i])
		}
	}
	return out, nil
}

func (s *indexed) Agents(_ context.Context, ids []string, _ time.Time) ([]Status, error) {
	out := make([]Status, len(ids))
	for i, id := range ids {
		out[i] = Status{Agent: id}
		if _, ok := s.by[id]; ok {
			out[i].Availability = Online
		}
	}
	return out, nil
}

// A Recent is what an engine remembers of numbers.
type Recent struct{ r *recent[int, bool] }

// NewRecent returns one in which so many may be young.
func NewRecent(most int) Recent { return Recent{newRecent[int, bool](most)} }

// Put remembers n.
func (r Recent) Put(n int) { r.r.put(n, true) }

// Has reports whether n is remembered, and remembers it for longer.
func (r Recent) Has(n int) bool { v, _ := r.r.get(n); return v }

// SetBack does as if the clock had been set back by d.
func (r Recent) SetBack(d time.Duration) { r.r.since = r.r.since.Add(d) }

// Len is how many are remembered.
func (r Recent) Len() int {
	r.r.mu.Lock()
	defer r.r.mu.Unlock()
	return len(r.r.young) + len(r.r.old)
}
