package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

// database opens pools and stores on one server, and closes them all.
type database struct {
	dsn   string
	pools []*pgxpool.Pool
}

// pool has so many connections, on which some settings of the server are off.
func (d *database) pool(ctx context.Context, conns int32, off ...string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(d.dsn)
	if err != nil {
		return nil, err
	}
	cfg.MinConns, cfg.MaxConns = conns, conns
	for _, name := range off {
		cfg.ConnConfig.RuntimeParams[name] = "off"
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err == nil {
		d.pools = append(d.pools, pool)
	}
	return pool, err
}

// store makes one in a schema and on connections of its own.
func (d *database) store(ctx context.Context, schema string, conns int32, opt pgstore.Options) (*pgstore.Store, error) {
	pool, err := d.pool(ctx, conns)
	if err != nil {
		return nil, err
	}
	opt.Schema = schema
	s := pgstore.New(pool, opt)
	return s, s.Migrate(ctx, pgstore.Latest)
}

func (d *database) close() error {
	for _, pool := range d.pools {
		pool.Close()
	}
	return nil
}

// openPostgres measures pgstore beside River and a plain insert, with fsync.
func openPostgres(ctx context.Context, dsn string, size effort) (_ *suite, err error) {
	d := &database{dsn: dsn}
	all := &suite{close: d.close}
	if err := age(ctx, d, size.segments); err != nil {
		return nil, errors.Join(err, d.close())
	}
	for _, part := range []func(context.Context, *database, effort) (*suite, error){
		openCommits, openOffers, openWakeups, openReads, openReplicas, openPostgresEngine,
	} {
		s, err := part(ctx, d, size)
		if err != nil {
			return nil, errors.Join(err, all.close())
		}
		all.measures, all.goals = append(all.measures, s.measures...), append(all.goals, s.goals...)
		if closes, before := s.close, all.close; closes != nil {
			all.close = func() error { return errors.Join(closes(), before()) }
		}
	}
	return all, nil
}

// age lets the server have segments of its log that it can write over, as one
// that has run for a while has. A new server makes each segment when it comes to
// it, 16 MiB of zeros and a sync while all commits wait, and who writes more
// would pay for that again.
func age(ctx context.Context, d *database, segments int) error {
	pool, err := d.pool(ctx, 1)
	if err != nil {
		return err
	}
	for range segments {
		if _, err := pool.Exec(ctx, "SELECT pg_logical_emit_message(false, '', ''), pg_switch_wal()"); err != nil {
			return err
		}
	}
	_, err = pool.Exec(ctx, "CHECKPOINT")
	return err
}

// fresh empties tables and does what is measured once before it counts, so that
// all begin alike: River's table is emptied before each measure of its work, for
// what is left there would be worked too.
func fresh(pool *pgxpool.Pool, tables string, run func(context.Context) (float64, error)) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		if _, err := pool.Exec(ctx, "TRUNCATE "+tables); err != nil {
			return 0, err
		}
		if _, err := run(ctx); err != nil { // whose first calls are planned
			return 0, err
		}
		return run(ctx)
	}
}

// tables are those of a store in a schema.
func tables(schema string) string {
	return schema + ".handoff_record, " + schema + ".handoff_entry, " + schema + ".handoff_key"
}

// openCommits is about commits: alone and in hidden groups.
func openCommits(ctx context.Context, d *database, size effort) (*suite, error) {
	const conns = 8
	pool, err := d.pool(ctx, conns)
	if err != nil {
		return nil, err
	}
	plain, err := newPlain(ctx, pool)
	if err != nil {
		return nil, err
	}
	peer, err := newRiver(ctx, pool)
	if err != nil {
		return nil, err
	}
	s := pgstore.New(pool, pgstore.Options{Schema: "commits"})
	if err := s.Migrate(ctx, pgstore.Latest); err != nil {
		return nil, err
	}
	// Commits go directly while one or two callers are in a handle, so that many
	// handles on the same connections show how it is without groups. Neither side
	// sends hints: each handle would gather its own.
	silent := pgstore.Options{Schema: "commits", NoListen: true}
	together, alone := pgstore.New(pool, silent), make([]handoff.Store, 64)
	for i := range alone {
		alone[i] = pgstore.New(pool, silent)
	}
	l := newLoad(s, size, "c")
	least, err := newRowsFloor(ctx, pool, func(ctx context.Context, f func(context.Context, int) error) (float64, error) {
		return during(ctx, size.window, conns, f)
	})
	if err != nil {
		return nil, err
	}
	judged := newJudgedFloor(pool)
	timed := func(tables string, f func(context.Context, int) error) func(context.Context) (float64, error) {
		return fresh(pool, tables, func(ctx context.Context) (float64, error) { return during(ctx, size.window, conns, f) })
	}
	out := &suite{
		measures: []measure{
			rate("plain insert of a row, 8 callers", timed("plain", plain)),
			rate("lifecycle, commits, 8 callers", fresh(pool, tables("commits"), l.lifecycles(conns, s))),
			rate("river.Insert, 8 callers", timed("river_job", peer.insert)),
			rate("request, 8 callers", fresh(pool, tables("commits"), l.requests(conns))),
			rate(floorRequest, least.requests),
			rate(floorMessage, least.messages),
			rate(floorJudged, timed(tables("floor"), judged)),
		},
		goals: []goal{
			atLeast("single commit / plain insert, 8 callers", "lifecycle, commits, 8 callers", "plain insert of a row, 8 callers", 0.4).
				because(operationsProfile).above(floorRequest, floorJudged, floorMessage),
			atLeast("request / river.Insert, 8 callers", "request, 8 callers", "river.Insert, 8 callers", 1.5).
				because(operationsProfile).above(floorRequest, floorJudged),
		},
	}
	for _, callers := range []int{64, 8, 1} {
		one, many := fmt.Sprintf("commits, one handle, %d callers", callers), fmt.Sprintf("commits, many handles, %d callers", callers)
		out.measures = append(out.measures, rate(one, l.lifecycles(callers, together)), rate(many, l.lifecycles(callers, alone...)))
		bound := 1.5
		if callers < 64 {
			bound = 0.95 // no loss
		}
		out.goals = append(out.goals, atLeast(fmt.Sprintf("hidden group commit / direct, %d callers", callers), one, many, bound).because(operationsProfile))
	}
	return out, nil
}

// newPlain returns the insert of a row into a table with a primary key and
// nothing else.
func newPlain(ctx context.Context, pool *pgxpool.Pool) (func(context.Context, int) error, error) {
	_, err := pool.Exec(ctx, "CREATE TABLE IF NOT EXISTS plain (id text COLLATE \"C\" PRIMARY KEY, queue text, created timestamptz DEFAULT now(), body bytea)")
	var n atomic.Int64
	return func(ctx context.Context, _ int) error {
		_, err := pool.Exec(ctx, "INSERT INTO plain (id, queue, body) VALUES ($1, 'queue', $2)", fmt.Sprint("c", n.Add(1)), body.Bytes())
		return err
	}, err
}

// openWakeups is about what it costs to tell other replicas.
func openWakeups(ctx context.Context, d *database, size effort) (*suite, error) {
	const conns = 32
	silent, err := d.store(ctx, "wakeups", conns, pgstore.Options{NoListen: true})
	if err != nil {
		return nil, err
	}
	telling, err := d.store(ctx, "wakeups", conns, pgstore.Options{})
	if err != nil {
		return nil, err
	}
	other, err := d.store(ctx, "wakeups", 2, pgstore.Options{})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- other.Listen(ctx, func(handoff.Hint) {}) }()
	return &suite{
		measures: []measure{
			rate("request, no wake-ups, 32 callers", newLoad(silent, size, "s").requests(conns)),
			rate("request, wake-ups, 32 callers", newLoad(telling, size, "t").requests(conns)),
		},
		goals: []goal{atLeast("request with wake-ups / without, 32 callers", "request, wake-ups, 32 callers", "request, no wake-ups, 32 callers", 0.85).because(operationsProfile)},
		close: func() error { stop(); return <-done },
	}, nil
}

// openReads is about queues in which many wait.
func openReads(ctx context.Context, d *database, size effort) (*suite, error) {
	out := &suite{}
	names := []string{"short", "long"}
	for i, n := range []int{size.short, size.long} {
		s, err := d.store(ctx, names[i]+"_queue", 4, pgstore.Options{NoListen: true})
		if err != nil {
			return nil, err
		}
		// One in a hundred has a need that an agent covers, in six lines of 600.
		lines := make([]string, 600)
		for i := range lines {
			lines[i] = fmt.Sprintf("m=\x1es=%03d\x1f1", i)
		}
		pool := d.pools[len(d.pools)-1]
		var records []handoff.Record
		fill := func(ctx context.Context) (err error) {
			if len(records) > 0 {
				return nil
			}
			first := time.Now().UTC().Truncate(time.Millisecond)
			records, err = newLoad(s, size, "w").fill(ctx, n, func(i int, r *handoff.Record) {
				r.Line, r.Since = lines[i%len(lines)], first.Add(time.Duration(i)*time.Millisecond)
			})
			if err == nil { // as the server does by itself after a minute
				_, err = pool.Exec(ctx, "ANALYZE "+names[i]+"_queue.handoff_record")
			}
			return err
		}
		query := handoff.Query{Queue: "queue", Lines: lines[100:106], Waiting: true, ByRank: true, Limit: 1}
		calls := []struct {
			figure string
			f      func(ctx context.Context) error
		}{
			{names[i] + " queue: position, to 100", func(ctx context.Context) error {
				ahead, err := s.Ahead(ctx, records[n-1], 100)
				if err == nil && ahead != min(100, n-1) {
					err = fmt.Errorf("%d are ahead", ahead)
				}
				return err
			}},
			{names[i] + " queue: position near the head", func(ctx context.Context) error {
				ahead, err := s.Ahead(ctx, records[4], 100)
				if err == nil && ahead != 4 {
					err = fmt.Errorf("%d are ahead of the fifth", ahead)
				}
				return err
			}},
			{names[i] + " queue: next of six lines in 600", func(ctx context.Context) error {
				found, err := s.List(ctx, query)
				if err == nil && len(found) != 1 {
					err = errors.New("nobody is next")
				}
				return err
			}},
			{names[i] + " queue: read by id", func(ctx context.Context) error {
				_, err := s.Get(ctx, records[n-1].ID)
				return err
			}},
		}
		for _, c := range calls {
			out.measures = append(out.measures, measure{[]string{c.figure}, "us", func(ctx context.Context) ([]float64, error) {
				if err := fill(ctx); err != nil {
					return nil, err
				}
				list, err := latencies(ctx, size.calls, c.f)
				return []float64{quantile(list, 0.5)}, err
			}})
		}
	}
	out.goals = []goal{
		atMost(fmt.Sprintf("position to 100: %d waiting / %d", size.long, size.short), "long queue: position, to 100", "short queue: position, to 100", 2),
		atMost(fmt.Sprintf("position near the head: %d waiting / %d", size.long, size.short), "long queue: position near the head", "short queue: position near the head", 2),
		atMost(fmt.Sprintf("next suitable, %d waiting / read by id", size.long), "long queue: next of six lines in 600", "long queue: read by id", 5),
	}
	for i := range out.goals {
		out.goals[i] = out.goals[i].because(operationsProfile)
	}
	return out, nil
}
