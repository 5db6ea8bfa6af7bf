package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	_ "modernc.org/sqlite" // the driver of the plain insert and of sqlitestore

	"github.com/seed-2a427302/handoff/sqlitestore"
)

// openSQLite measures sqlitestore beside the plain insert of a row through the
// same driver, each with a sync for every commit and without.
func openSQLite(ctx context.Context, dir string, size effort) (*suite, error) {
	var closes []func() error
	all := &suite{}
	all.close = func() (err error) {
		for _, f := range closes {
			err = errors.Join(err, f())
		}
		return err
	}
	for _, mode := range []struct {
		name, pragma string
		noSync       bool
	}{{"FULL", "FULL", false}, {"NORMAL", "NORMAL", true}} {
		plain, end, err := plainSQLite(ctx, filepath.Join(dir, "plain"+mode.name+".db"), mode.pragma)
		if err != nil {
			return nil, errors.Join(err, all.close())
		}
		closes = append(closes, end)
		s, err := sqlitestore.Open(ctx, filepath.Join(dir, "store"+mode.name+".db"), sqlitestore.Options{NoSync: mode.noSync})
		if err == nil {
			closes = append(closes, s.Close)
			err = s.Migrate(ctx, sqlitestore.Latest)
		}
		if err != nil {
			return nil, errors.Join(err, all.close())
		}
		l := newLoad(s, size, "c")
		inserts, lives := func(ctx context.Context) error { return plain(ctx, 0) }, func(ctx context.Context) error { return l.lifecycle(ctx, s) }
		why := &explanation{"what a commit and a plain insert write, " + mode.name, func(ctx context.Context, w io.Writer) error {
			return errors.Join(
				pagesWritten(ctx, w, "plain insert", filepath.Join(dir, "plain"+mode.name+".db"), 1, inserts),
				pagesWritten(ctx, w, "a commit of a lifecycle", filepath.Join(dir, "store"+mode.name+".db"), commits, lives))
		}}
		for _, callers := range []int{1, 8, 64} {
			insert, commit := fmt.Sprintf("plain insert of a row, %s, %d callers", mode.name, callers), fmt.Sprintf("lifecycle, commits, %s, %d callers", mode.name, callers)
			all.measures = append(all.measures,
				rate(insert, func(ctx context.Context) (float64, error) { return during(ctx, size.window, callers, plain) }),
				rate(commit, l.lifecycles(callers, s)))
			all.goals = append(all.goals, atLeast(fmt.Sprintf("commit / plain insert, %s, %d callers", mode.name, callers), commit, insert, 0.3).because(why))
		}
		if mode.noSync {
			continue
		}
		engine, err := engineSuite(s, size, 1.3)
		if err != nil {
			return nil, errors.Join(err, all.close())
		}
		all.measures, all.goals = append(all.measures, engine.measures...), append(all.goals, engine.goals...)
	}
	return all, nil
}

// pagesWritten prints what something that is done some times, each time so many
// steps, adds to a file's write-ahead log. The log is emptied before.
func pagesWritten(ctx context.Context, w io.Writer, what, path string, steps int, do func(context.Context) error) error {
	const times, header = 20, 24
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return err
	}
	var page float64
	if err := db.QueryRowContext(ctx, "PRAGMA page_size").Scan(&page); err != nil {
		return err
	}
	own := ownCPU()
	list, err := latencies(ctx, times, do)
	if err != nil {
		return err
	}
	own = ownCPU() - own
	info, err := os.Stat(path + "-wal")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "  %s: %.0fus, %.0fus of CPU, %.1f pages of %.0f bytes\n", what, quantile(list, 0.5)/float64(steps),
		micros(own)/float64(times*steps), float64(info.Size())/(page+header)/float64(times*steps), page)
	return err
}

// plainSQLite returns the insert of a row into a table with a primary key, by
// one prepared statement on one connection.
func plainSQLite(ctx context.Context, path, sync string) (insert func(context.Context, int) error, end func() error, err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous("+sync+")")
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, "CREATE TABLE plain (id TEXT PRIMARY KEY, body BLOB)")
	var statement *sql.Stmt
	if err == nil {
		statement, err = db.PrepareContext(ctx, "INSERT INTO plain VALUES (?, ?)")
	}
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	var n atomic.Int64
	return func(ctx context.Context, _ int) error {
		_, err := statement.ExecContext(ctx, fmt.Sprint("c", n.Add(1)), body.Bytes())
		return err
	}, func() error { return errors.Join(statement.Close(), db.Close()) }, nil
}
