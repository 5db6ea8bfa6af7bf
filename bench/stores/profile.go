package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/throwaway"
	"github.com/seed-2a427302/handoff/pgstore"
)

// profile prints what one caller's operations cost PostgreSQL, as the server's
// own statistics tell it: statements, those within functions included, how long
// they were planned and executed, what they wrote to the log, and how many
// updates spared the indexes.
func profile(ctx context.Context, w io.Writer, n int) error {
	dsn, stop, err := profiledServer()
	if err != nil {
		return err
	}
	defer stop()
	return profileOn(ctx, w, dsn, n)
}

// operationsProfile is profile for a few hundred operations of each kind, on a
// server of its own.
var operationsProfile = &explanation{"what an operation makes the server do", func(ctx context.Context, w io.Writer) error { return profile(ctx, w, 300) }}

// profiledServer keeps the statistics that the profile reads.
func profiledServer() (dsn string, stop func(), err error) {
	return throwaway.Postgres("shared_buffers=512MB", "max_wal_size=8GB", "checkpoint_timeout=1h",
		"shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track=all", "pg_stat_statements.track_planning=on")
}

func profileOn(ctx context.Context, w io.Writer, dsn string, n int) (err error) {
	d := &database{dsn: dsn}
	defer func() { err = errors.Join(err, d.close()) }()
	pool, err := d.pool(ctx, 1)
	if err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, "CREATE EXTENSION pg_stat_statements"); err != nil {
		return err
	}
	operations, err := operations(ctx, pool, n)
	if err != nil {
		return err
	}
	for _, o := range operations {
		if err := observe(ctx, w, pool, o, n); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
	}
	return waits(ctx, w, d, pool)
}

// An operation is done n times at a call. Without a name it only prepares the
// next one.
type operation struct {
	name string
	run  func(ctx context.Context) error
}

func operations(ctx context.Context, pool *pgxpool.Pool, n int) ([]operation, error) {
	plain, err := newPlain(ctx, pool)
	if err != nil {
		return nil, err
	}
	peer, err := newRiver(ctx, pool)
	if err != nil {
		return nil, err
	}
	s := pgstore.New(pool, pgstore.Options{Schema: "profile", NoListen: true})
	if err := s.Migrate(ctx, pgstore.Latest); err != nil {
		return nil, err
	}
	l := newLoad(s, full, "p")
	var items, offers []handoff.Item
	times := func(f func(context.Context, int) error) func(context.Context) error {
		return func(ctx context.Context) error {
			for i := range n {
				if err := f(ctx, i); err != nil {
					return err
				}
			}
			return nil
		}
	}
	commit := func(ctx context.Context, i int) error { return s.Commit(ctx, items[i].Record, items[i].Entries...) }
	next := func(change func(r handoff.Record) handoff.Item) func(context.Context) error {
		return times(func(ctx context.Context, i int) error {
			items[i].Record.Version++
			items[i] = change(items[i].Record)
			return commit(ctx, i)
		})
	}
	return []operation{
		{"plain insert", times(plain)},
		{"river.Insert", times(peer.insert)},
		{"request", times(func(ctx context.Context, i int) error {
			items = append(items, l.request())
			return commit(ctx, i)
		})},
		{"offer", next(l.offer)},
		{"accept", next(accepted)},
		{"message", next(written)},
		{"end", next(ended)},
		{"", func(ctx context.Context) (err error) { offers, err = l.waiting(ctx, n); return err }},
		{"offer, by the hundred", func(ctx context.Context) error { _, err := l.batch(ctx, 1, offers); return err }},
	}, nil
}

// observe prints what n times an operation made the server do.
func observe(ctx context.Context, w io.Writer, pool *pgxpool.Pool, o operation, n int) error {
	if _, err := pool.Exec(ctx, "SELECT pg_stat_statements_reset(), pg_stat_reset()"); err != nil {
		return err
	}
	backend := 0
	if err := pool.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return err
	}
	cpu, server := ownCPU(), otherCPU(backend)
	lists, err := latencies(ctx, 1, func(context.Context) error { return o.run(ctx) })
	if err != nil || o.name == "" {
		return err
	}
	cpu, server = ownCPU()-cpu, otherCPU(backend)-server
	per := func(v float64) float64 { return v / float64(n) }
	rows, err := pool.Query(ctx, `SELECT query, toplevel, calls, total_exec_time * 1000, total_plan_time * 1000, wal_records, wal_bytes::float8
		FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_%' ORDER BY toplevel DESC, total_exec_time + total_plan_time DESC`)
	if err != nil {
		return err
	}
	var lines []string
	var all statement
	var s statement
	_, err = pgx.ForEachRow(rows, []any{&s.query, &s.top, &s.calls, &s.exec, &s.plan, &s.records, &s.bytes}, func() error {
		all.calls += s.calls
		all.plan += s.plan
		if s.top {
			all.exec, all.records, all.bytes = all.exec+s.exec, all.records+s.records, all.bytes+s.bytes
		}
		if len(lines) < 14 {
			where := "within"
			if s.top {
				where = "sent"
			}
			query := strings.Join(strings.Fields(s.query), " ")
			lines = append(lines, fmt.Sprintf("  %-6s %5.2f calls %7.1fus + %6.1fus planning %7.0f bytes of log  %.90s",
				where, per(s.calls), per(s.exec), per(s.plan), per(s.bytes), query))
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s: %.0fus; CPU: %.0fus here, %.0fus in the server; %.1f statements, %.0fus in them, %.0fus planned; %.1f records, %.0f bytes of log\n%s\n",
		o.name, per(lists[0]), per(micros(cpu)), per(micros(server)), per(all.calls), per(all.exec), per(all.plan), per(all.records), per(all.bytes), strings.Join(lines, "\n"))
	return err
}

// A statement is a row of pg_stat_statements; times are microseconds. What one
// within a function took is in the one that called it, planning aside.
type statement struct {
	query                             string
	top                               bool
	calls, exec, plan, records, bytes float64
}
