package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

// openReplicas is about an edge at one replica that lets another make an offer.
func openReplicas(ctx context.Context, d *database, size effort) (*suite, error) {
	const (
		every = 20 * time.Millisecond // the default of Options.HintEvery
		pause = every + 5*time.Millisecond
	)
	here, err := d.store(ctx, "replicas", 4, pgstore.Options{})
	if err != nil {
		return nil, err
	}
	there, err := d.store(ctx, "replicas", 8, pgstore.Options{})
	if err != nil {
		return nil, err
	}
	queues := []handoff.Queue{{Name: "desk", OfferTimeout: time.Hour}}
	staff := handoff.Staff{{ID: "ann", Queues: []string{"desk"}, Seats: 1}}
	spent, before := &meter{Store: there}, &meter{}
	watch := &watch{Store: spent, offered: make(chan time.Time, 1), told: func() {
		for name, c := range spent.reset() {
			before.add(name, c)
		}
	}}
	asks, err := handoff.New(handoff.Config{Store: here, Directory: staff, Queues: queues}) // does not run: it matches nobody itself
	if err != nil {
		return nil, err
	}
	matches, err := handoff.New(handoff.Config{Store: watch, Directory: staff, Queues: queues})
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- matches.Run(running) }()

	n := 0
	edge := func(ctx context.Context) (float64, error) {
		n++
		spent.reset()
		got, err := asks.Request(ctx, handoff.Request{Conversation: fmt.Sprint("c", n), Queue: "desk"})
		begun := time.Now()
		if err != nil {
			return 0, err
		}
		var took float64
		select {
		case at := <-watch.offered:
			took = max(1, micros(at.Sub(begun))) // on a busy machine the offer may be there before the answer is read
		case <-time.After(time.Minute):
			return 0, errors.New("no offer was made")
		}
		// The seat is given back there, so that this replica stays idle until
		// its next hint may go at once.
		if _, err := matches.End(ctx, got.Handoff.ID, handoff.By("ann"), handoff.Ending{}); err != nil {
			if _, err = matches.Cancel(ctx, got.Handoff.ID.Conversation, false); err != nil {
				return 0, err
			}
		}
		time.Sleep(pause)
		return took, nil
	}
	l := newLoad(here, size, "r")
	why := &explanation{"what lies between an edge and another replica's offer", func(ctx context.Context, w io.Writer) error {
		const times = 100
		var all float64
		before.reset()
		for range times {
			took, err := edge(ctx)
			if err != nil {
				return err
			}
			all += took
		}
		return before.print(w, "an edge", time.Duration(all*float64(time.Microsecond)), times)
	}}
	return &suite{
		measures: []measure{
			{[]string{"NOTIFY to LISTEN, idle, p50", "NOTIFY to LISTEN, idle, p99"}, "us", func(ctx context.Context) ([]float64, error) {
				return notified(ctx, d.dsn, size.calls, 0)
			}},
			{[]string{"the same after the pause before an edge, p50", "the same after the pause before an edge, p99"}, "us", func(ctx context.Context) ([]float64, error) {
				return notified(ctx, d.dsn, size.calls, pause)
			}},
			{[]string{"commit, idle, p50", "commit, idle, p99"}, "us", func(ctx context.Context) ([]float64, error) {
				list, err := latencies(ctx, size.calls, func(ctx context.Context) error {
					item := l.request()
					item.Record.Queue = "elsewhere"
					return there.Commit(ctx, item.Record, item.Entries...)
				})
				return []float64{quantile(list, 0.5), quantile(list, 0.99)}, err
			}},
			{[]string{"edge to offer of another replica, p50", "edge to offer of another replica, p99"}, "us", func(ctx context.Context) ([]float64, error) {
				list := make([]float64, size.calls)
				for i := range list {
					var err error
					if list[i], err = edge(ctx); err != nil {
						return nil, err
					}
				}
				slices.Sort(list)
				return []float64{quantile(list, 0.5), quantile(list, 0.99)}, nil
			}},
		},
		goals: []goal{
			atMost("edge to offer of another replica / NOTIFY, p50", "edge to offer of another replica, p50", "NOTIFY to LISTEN, idle, p50", 10).because(why),
			atMost("the same / NOTIFY after the same pause, p50", "edge to offer of another replica, p50", "the same after the pause before an edge, p50", 10).because(why),
			{
				name: "the same / (NOTIFY + 20 ms + 3 commits), p99", bound: 1, atMost: true, why: why,
				ratio: func(f func(string) float64) float64 {
					return f("edge to offer of another replica, p99") /
						(f("NOTIFY to LISTEN, idle, p99") + micros(every) + 3*f("commit, idle, p99"))
				},
			},
		},
		close: func() error { stop(); return <-done },
	}, nil
}

// watch is a store that tells when an offer was stored.
type watch struct {
	handoff.Store

	offered chan time.Time
	told    func() // is called before that
}

func (s *watch) Unwrap() handoff.Store { return s.Store }

func (s *watch) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	err := s.Store.Commit(ctx, r, entries...)
	if err == nil && r.State == handoff.StateOffered {
		at := time.Now()
		s.told()
		s.offered <- at
	}
	return err
}

// notified returns how long a notification takes from one connection to
// another, after a pause: processors and connections that have slept are slow to
// wake.
func notified(ctx context.Context, dsn string, n int, pause time.Duration) ([]float64, error) {
	var conns [2]*pgx.Conn
	for i := range conns {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return nil, err
		}
		defer func() { _ = conn.Close(ctx) }()
		conns[i] = conn
	}
	if _, err := conns[0].Exec(ctx, "LISTEN bench"); err != nil {
		return nil, err
	}
	list, err := spaced(ctx, n, pause, func(ctx context.Context) error {
		sent := make(chan error, 1)
		go func() {
			_, err := conns[1].Exec(ctx, "SELECT pg_notify('bench', 'x')")
			sent <- err
		}()
		_, err := conns[0].WaitForNotification(ctx)
		return errors.Join(err, <-sent)
	})
	return []float64{quantile(list, 0.5), quantile(list, 0.99)}, err
}
