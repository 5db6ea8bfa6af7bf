package main

import (
	"context"
	"fmt"
	"io"
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
	why := &explanation{"what a verb of an engine asks of the store", func(ctx context.Context, w io.Writer) error {
		const lives = 200
		m.reset()
		begun := time.Now()
		for range lives {
			if err := life(ctx); err != nil {
				return err
			}
		}
		return m.print(w, "a verb", time.Since(begun), lives*verbs)
	}}
	return &suite{
		measures: []measure{{[]string{whole, inCommits, inReads}, "us", func(ctx context.Context) ([]float64, error) {
			m.reset()
			begun, lives := time.Now(), 0
			for ; lives == 0 || time.Since(begun) < 2*size.window; lives++ {
				if err := life(ctx); err != nil {
					return nil, err
				}
			}
			of := func(d time.Duration) float64 { return micros(d) / verbs / float64(lives) }
			return []float64{of(time.Since(begun)), of(m.took("Commit")), of(m.took("") - m.took("Commit"))}, nil
		}}},
		goals: []goal{
			atMost("verb of an engine / its commits, 1 caller", whole, inCommits, bound).because(why),
			{
				name: "the same without its reads", bound: bound, atMost: true, why: why,
				ratio: func(f func(string) float64) float64 { return (f(whole) - f(inReads)) / f(inCommits) },
			},
		},
	}, nil
}
