package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

// openPostgresEngine is about what the engine adds to the commits it makes.
func openPostgresEngine(ctx context.Context, d *database, size effort) (*suite, error) {
	s, err := d.store(ctx, "engine", 4, pgstore.Options{NoListen: true})
	if err != nil {
		return nil, err
	}
	return engineSuite(s, size, 1.2)
}

// engineSuite takes the time of verbs and, in the same calls, of what they ask
// of the store.
func engineSuite(s handoff.Store, size effort, bound float64) (*suite, error) {
	m := &meter{Store: s}
	e, err := handoff.New(handoff.Config{
		Store: m, Directory: handoff.Staff{{ID: "ann", Queues: []string{"desk"}, Seats: 10}}, Queues: []handoff.Queue{{Name: "desk", Style: handoff.Pull}},
	})
	if err != nil {
		return nil, err
	}
	n, ann := 0, handoff.By("ann")
	life := func(ctx context.Context) error {
		n++
		got, err := e.Request(ctx, handoff.Request{Conversation: fmt.Sprint("e", n), Queue: "desk"})
		if err != nil {
			return err
		}
		if _, err := e.Accept(ctx, got.Handoff.ID, ann, 0); err != nil {
			return err
		}
		for range 3 {
			if _, err := e.Send(ctx, got.Handoff.ID, ann, handoff.Message{Text: "Good morning, what can I do for you?"}); err != nil {
				return err
			}
		}
		_, err = e.End(ctx, got.Handoff.ID, ann, handoff.Ending{})
		return err
	}
	const verbs, whole, inCommits, inReads = 6, "verb of an engine", "its commits", "its reads"
	return &suite{
		measures: []measure{{[]string{whole, inCommits, inReads}, "us", func(ctx context.Context) ([]float64, error) {
			m.commits.Store(0)
			m.reads.Store(0)
			begun, lives := time.Now(), 0
			for ; lives == 0 || time.Since(begun) < 2*size.window; lives++ {
				if err := life(ctx); err != nil {
					return nil, err
				}
			}
			of := func(d time.Duration) float64 { return micros(d) / verbs / float64(lives) }
			return []float64{of(time.Since(begun)), of(time.Duration(m.commits.Load())), of(time.Duration(m.reads.Load()))}, nil
		}}},
		goals: []goal{
			atMost("verb of an engine / its commits, 1 caller", whole, inCommits, bound),
			{
				name: "the same without its reads", bound: bound, atMost: true,
				ratio: func(f func(string) float64) float64 { return (f(whole) - f(inReads)) / f(inCommits) },
			},
		},
	}, nil
}

// A meter takes the time that a store takes.
type meter struct {
	handoff.Store

	commits, reads atomic.Int64 // nanoseconds
}

func (m *meter) spend(on *atomic.Int64, begun time.Time) { on.Add(int64(time.Since(begun))) }

func (m *meter) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	defer m.spend(&m.commits, time.Now())
	return m.Store.Commit(ctx, r, entries...)
}

func (m *meter) Get(ctx context.Context, id handoff.ID) (handoff.Record, error) {
	defer m.spend(&m.reads, time.Now())
	return m.Store.Get(ctx, id)
}

func (m *meter) Latest(ctx context.Context, conversation string) (handoff.Record, error) {
	defer m.spend(&m.reads, time.Now())
	return m.Store.Latest(ctx, conversation)
}

func (m *meter) Holders(ctx context.Context, keys ...string) ([]handoff.Holding, error) {
	defer m.spend(&m.reads, time.Now())
	return m.Store.Holders(ctx, keys...)
}

func (m *meter) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	defer m.spend(&m.reads, time.Now())
	return m.Store.List(ctx, q)
}

func (m *meter) Lines(ctx context.Context, queue string) ([]string, error) {
	defer m.spend(&m.reads, time.Now())
	return m.Store.Lines(ctx, queue)
}

func (m *meter) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	defer m.spend(&m.reads, time.Now())
	return m.Store.Log(ctx, id, after, limit)
}

func (m *meter) Entry(ctx context.Context, id handoff.ID, entry string) (handoff.RecordEntry, error) {
	defer m.spend(&m.reads, time.Now())
	return m.Store.Entry(ctx, id, entry)
}

// Ahead is handoff.AheadCounter's, of a store that has it.
func (m *meter) Ahead(ctx context.Context, r handoff.Record, limit int) (int, error) {
	defer m.spend(&m.reads, time.Now())
	return m.Store.(handoff.AheadCounter).Ahead(ctx, r, limit)
}

// Count is handoff.Counter's, of a store that has it.
func (m *meter) Count(ctx context.Context, q handoff.Query) (int, error) {
	defer m.spend(&m.reads, time.Now())
	return m.Store.(handoff.Counter).Count(ctx, q)
}
