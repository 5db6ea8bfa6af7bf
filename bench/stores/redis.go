package main

import (
	"context"
	"errors"
	"io"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/redisstore"
)

// openRedis measures redisstore beside asynq, with the append-only file synced
// every second.
func openRedis(ctx context.Context, url string, size effort) (*suite, error) {
	opt, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	opt.ContextTimeoutEnabled = true
	client := redis.NewClient(opt)
	store := redisstore.New(client, redisstore.Options{})
	if err := store.Migrate(ctx, redisstore.Latest); err != nil {
		return nil, err
	}
	a := newAsynq(opt)
	l := newLoad(store, size, "c")
	const callers = 8
	least, names := recordFloor(client), namesFloor(client)
	why := &explanation{"what an operation makes the server do", func(ctx context.Context, w io.Writer) error {
		return explainRedis(ctx, w, client, a, l)
	}}
	// Each begins with an empty server, as asynq's measure of its work always
	// has: a larger one is slower.
	fresh := func(name string, run func(context.Context) (float64, error)) measure {
		return rate(name, func(ctx context.Context) (float64, error) {
			if err := client.Do(ctx, "FLUSHALL", "SYNC").Err(); err != nil {
				return 0, err
			}
			if err := store.Migrate(ctx, redisstore.Latest); err != nil {
				return 0, err
			}
			return run(ctx)
		})
	}
	return &suite{
		measures: []measure{
			fresh("asynq Enqueue, 8 callers", func(ctx context.Context) (float64, error) {
				return during(ctx, size.window, callers, func(ctx context.Context, _ int) error { return a.enqueue(ctx) })
			}),
			fresh("request, 8 callers", l.requests(callers)),
			fresh(floorHash, func(ctx context.Context) (float64, error) {
				return during(ctx, size.window, callers, least)
			}),
			fresh(floorNames, func(ctx context.Context) (float64, error) {
				return during(ctx, size.window, callers, names)
			}),
			fresh("asynq process, no-op", func(ctx context.Context) (float64, error) { return a.process(ctx, size.items) }),
			fresh("offer, 8 callers", l.offers(callers)),
			fresh("offer, by the hundred, 8 callers", l.batches(callers)),
			fresh("lifecycle, commits, 8 callers", l.lifecycles(callers, store)),
		},
		goals: []goal{
			atLeast("request / asynq Enqueue", "request, 8 callers", "asynq Enqueue, 8 callers", 0.6).because(why).above(floorHash, floorNames),
			atLeast("offer / asynq process", "offer, 8 callers", "asynq process, no-op", 2).because(why).above(floorHash),
		},
		close: func() error { return errors.Join(a.close(), client.Close()) },
	}, nil
}

// explainRedis profiles what the goals are about, for one caller.
func explainRedis(ctx context.Context, w io.Writer, client *redis.Client, a *asynqPeer, l *load) error {
	const n = 500
	times := func(f func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			for range n {
				if err := f(ctx); err != nil {
					return err
				}
			}
			return nil
		}
	}
	offers, err := l.waiting(ctx, n)
	if err != nil {
		return err
	}
	next := 0
	commit := func(ctx context.Context, item handoff.Item) error {
		return l.s.Commit(ctx, item.Record, item.Entries...)
	}
	for _, o := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"asynq Enqueue", times(a.enqueue)},
		{"request", times(func(ctx context.Context) error { return commit(ctx, l.request()) })},
		{"asynq process, with Enqueue", func(ctx context.Context) error { _, err := a.process(ctx, n); return err }},
		{"offer", times(func(ctx context.Context) error { next++; return commit(ctx, offers[next-1]) })},
	} {
		if err := commandProfile(ctx, w, client, o.name, n, o.run); err != nil {
			return err
		}
	}
	return nil
}

// asynqPeer is asynq on a database of its own on the same server.
type asynqPeer struct {
	opt    asynq.RedisClientOpt
	admin  *redis.Client
	client *asynq.Client
	task   *asynq.Task
}

func newAsynq(opt *redis.Options) *asynqPeer {
	own := *opt
	own.DB = 1
	a := &asynqPeer{
		opt: asynq.RedisClientOpt{Network: own.Network, Addr: own.Addr, DB: own.DB}, admin: redis.NewClient(&own),
		task: asynq.NewTask("assign", make([]byte, 400)),
	}
	a.client = asynq.NewClient(a.opt)
	return a
}

func (a *asynqPeer) close() error { return errors.Join(a.client.Close(), a.admin.Close()) }

func (a *asynqPeer) enqueue(ctx context.Context) error {
	_, err := a.client.EnqueueContext(ctx, a.task)
	return err
}

// process lets asynq work off n tasks that do nothing.
func (a *asynqPeer) process(ctx context.Context, n int) (float64, error) {
	// What Enqueue left behind.
	if err := a.admin.FlushDB(ctx).Err(); err != nil {
		return 0, err
	}
	if _, err := over(ctx, 16, make([]struct{}, n), func(ctx context.Context, _ struct{}) error { return a.enqueue(ctx) }); err != nil {
		return 0, err
	}
	server := asynq.NewServer(a.opt, asynq.Config{Concurrency: 10, LogLevel: asynq.FatalLevel})
	c := newCountdown(n)
	if err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error { c.one(); return nil })); err != nil {
		return 0, err
	}
	defer server.Shutdown()
	// From the first task to the last, so that what it needs to begin does not
	// count.
	err := c.wait(ctx)
	return float64(n) / c.last.Sub(c.first).Seconds(), err
}
