package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// riverPeer is River in the public schema of the same database.
type riverPeer struct {
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx] // inserts only
}

// An assignment is a job as large as a handoff.
type assignment struct {
	Body string `json:"body"`
}

func (assignment) Kind() string { return "assignment" }

var job = assignment{strings.Repeat("x", 400)}

// idle is a worker that does nothing.
type idle struct {
	river.WorkerDefaults[assignment]
}

func (*idle) Work(context.Context, *river.Job[assignment]) error { return nil }

func newRiver(ctx context.Context, pool *pgxpool.Pool) (*riverPeer, error) {
	driver := riverpgxv5.New(pool)
	m, err := rivermigrate.New(driver, nil)
	if err != nil {
		return nil, err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}
	client, err := river.NewClient(driver, &river.Config{})
	return &riverPeer{pool, client}, err
}

func (p *riverPeer) insert(ctx context.Context, _ int) error {
	_, err := p.client.Insert(ctx, job, nil)
	return err
}

// work lets River work off n jobs that do nothing, with its default settings or
// with those of its own benchmark.
func (p *riverPeer) work(tuned bool, n int) func(context.Context) (float64, error) {
	return func(ctx context.Context) (_ float64, err error) {
		// What others left behind.
		if _, err := p.pool.Exec(ctx, "TRUNCATE river_job"); err != nil {
			return 0, err
		}
		workers := river.NewWorkers()
		river.AddWorker(workers, &idle{})
		cfg := &river.Config{
			Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 100}},
			Logger: slog.New(slog.DiscardHandler),
		}
		if tuned {
			cfg.Queues[river.QueueDefault] = river.QueueConfig{MaxWorkers: 2000}
			cfg.FetchCooldown, cfg.FetchPollInterval = 2*time.Millisecond, 20*time.Millisecond
		}
		client, err := river.NewClient(riverpgxv5.New(p.pool), cfg)
		if err != nil {
			return 0, err
		}
		if err := client.Start(ctx); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, client.Stop(ctx)) }()
		// A job is done when that is stored.
		done, end := client.SubscribeConfig(&river.SubscribeConfig{Kinds: []river.EventKind{river.EventKindJobCompleted}, ChanSize: n + 1})
		defer end()
		// One job alone, so that what it needs to begin does not count.
		if err := p.insert(ctx, 0); err != nil {
			return 0, err
		}
		<-done
		jobs := make([]river.InsertManyParams, n)
		for i := range jobs {
			jobs[i].Args = job
		}
		if _, err := p.client.InsertMany(ctx, jobs); err != nil {
			return 0, err
		}
		begun := time.Now()
		for range n {
			select {
			case <-done:
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		return float64(n) / time.Since(begun).Seconds(), nil
	}
}
