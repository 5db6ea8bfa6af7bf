package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A meter counts what is asked of a store, and takes the time that it takes.
type meter struct {
	handoff.Store

	mu    sync.Mutex
	calls map[string]called
}

// called is how often something was called, and for how long.
type called struct {
	n    int
	took time.Duration
}

func (m *meter) spend(method string, begun time.Time) { m.add(method, called{1, time.Since(begun)}) }

func (m *meter) add(method string, more called) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls == nil {
		m.calls = map[string]called{}
	}
	c := m.calls[method]
	m.calls[method] = called{c.n + more.n, c.took + more.took}
}

// reset forgets what was counted, and returns it.
func (m *meter) reset() map[string]called {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls := m.calls
	m.calls = nil
	return calls
}

// took is how long the calls of a method took together; "" is all methods.
func (m *meter) took(method string) (sum time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, c := range m.calls {
		if name == method || method == "" {
			sum += c.took
		}
	}
	return sum
}

// print says what something that was done n times asked of the store, and how
// much of the time that all of it took went there. It forgets what was counted.
func (m *meter) print(w io.Writer, what string, took time.Duration, n int) error {
	calls, rest := m.reset(), took
	var names []string
	for name, c := range calls {
		names = append(names, name)
		rest -= c.took
	}
	slices.SortFunc(names, func(a, b string) int { return int(calls[b].took - calls[a].took) })
	per := func(d time.Duration) float64 { return micros(d) / float64(n) }
	where := fmt.Sprintf("%.0fus of them outside the store", per(rest))
	if rest < 0 {
		where = "some calls of the store at once"
	}
	if _, err := fmt.Fprintf(w, "  %s: %.0fus, %s\n", what, per(took), where); err != nil {
		return err
	}
	for _, name := range names {
		c := calls[name]
		if _, err := fmt.Fprintf(w, "    %-8s %5.2f calls of %6.0fus: %6.0fus\n", name, float64(c.n)/float64(n), micros(c.took)/float64(c.n), per(c.took)); err != nil {
			return err
		}
	}
	return nil
}

// Commit is handoff.Store's.
func (m *meter) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	defer m.spend("Commit", time.Now())
	return m.Store.Commit(ctx, r, entries...)
}

// Get is handoff.Store's.
func (m *meter) Get(ctx context.Context, id handoff.ID) (handoff.Record, error) {
	defer m.spend("Get", time.Now())
	return m.Store.Get(ctx, id)
}

// Latest is handoff.Store's.
func (m *meter) Latest(ctx context.Context, conversation string) (handoff.Record, error) {
	defer m.spend("Latest", time.Now())
	return m.Store.Latest(ctx, conversation)
}

// Holders is handoff.Store's.
func (m *meter) Holders(ctx context.Context, keys ...string) ([]handoff.Holding, error) {
	defer m.spend("Holders", time.Now())
	return m.Store.Holders(ctx, keys...)
}

// List is handoff.Store's.
func (m *meter) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	defer m.spend("List", time.Now())
	return m.Store.List(ctx, q)
}

// Lines is handoff.Store's.
func (m *meter) Lines(ctx context.Context, queue string) ([]string, error) {
	defer m.spend("Lines", time.Now())
	return m.Store.Lines(ctx, queue)
}

// Log is handoff.Store's.
func (m *meter) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	defer m.spend("Log", time.Now())
	return m.Store.Log(ctx, id, after, limit)
}

// Entry is handoff.Store's.
func (m *meter) Entry(ctx context.Context, id handoff.ID, entry string) (handoff.RecordEntry, error) {
	defer m.spend("Entry", time.Now())
	return m.Store.Entry(ctx, id, entry)
}

// Unwrap gives the engine what the store offers besides.
func (m *meter) Unwrap() handoff.Store { return m.Store }

// Ahead is handoff.AheadCounter's, of a store that has it.
func (m *meter) Ahead(ctx context.Context, r handoff.Record, limit int) (int, error) {
	defer m.spend("Ahead", time.Now())
	return m.Store.(handoff.AheadCounter).Ahead(ctx, r, limit)
}

// Count is handoff.Counter's, of a store that has it.
func (m *meter) Count(ctx context.Context, q handoff.Query) (int, error) {
	defer m.spend("Count", time.Now())
	return m.Store.(handoff.Counter).Count(ctx, q)
}
