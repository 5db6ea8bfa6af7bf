package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-2a427302/handoff/pgstore"
)

// waits prints what the server's processes wait for while 8 callers insert,
// and how often each was seen doing that.
func waits(ctx context.Context, w io.Writer, d *database, look *pgxpool.Pool) error {
	const callers, window = 8, 500 * time.Millisecond
	pool, err := d.pool(ctx, callers)
	if err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, "TRUNCATE plain"); err != nil { // its rows are numbered anew
		return err
	}
	plain, err := newPlain(ctx, pool)
	if err != nil {
		return err
	}
	peer, err := newRiver(ctx, pool)
	if err != nil {
		return err
	}
	l := newLoad(pgstore.New(pool, pgstore.Options{Schema: "profile", NoListen: true}), full, "w")
	for _, o := range []struct {
		name string
		run  func(context.Context, int) error
	}{
		{"plain insert", plain},
		{"river.Insert", peer.insert},
		{"request", func(ctx context.Context, _ int) error {
			item := l.request()
			return l.s.Commit(ctx, item.Record, item.Entries...)
		}},
	} {
		done := make(chan error, 1)
		var rate float64
		go func() {
			var err error
			rate, err = during(ctx, window, callers, o.run)
			done <- err
		}()
		seen, err := waiting(ctx, look, done)
		if err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		if _, err := fmt.Fprintf(w, "%s, 8 callers: %.0f/s;%s\n", o.name, rate, seen); err != nil {
			return err
		}
	}
	return nil
}

// waiting looks again and again, until done, what others do.
func waiting(ctx context.Context, look *pgxpool.Pool, done <-chan error) (seen string, err error) {
	if _, err := look.Exec(ctx, "CREATE TEMPORARY TABLE IF NOT EXISTS seen (what text); TRUNCATE seen"); err != nil {
		return "", errors.Join(err, <-done)
	}
	for {
		select {
		case err := <-done:
			if err != nil {
				return "", err
			}
			rows, err := look.Query(ctx, `SELECT format(' %s %s %%', what, round(100.0 * count(*) / sum(count(*)) OVER ())) FROM seen GROUP BY what ORDER BY count(*) DESC LIMIT 5`)
			if err != nil {
				return "", err
			}
			var share string
			_, err = pgx.ForEachRow(rows, []any{&share}, func() error { seen += share; return nil })
			return seen, err
		default:
		}
		if _, err := look.Exec(ctx, `INSERT INTO seen SELECT coalesce(wait_event, 'CPU') FROM pg_stat_activity
			WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()`); err != nil {
			return "", errors.Join(err, <-done)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
