package sqlitestore_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/sqlitestore"
	"github.com/seed-2a427302/handoff/storetest"
)

func BenchmarkStore(b *testing.B) {
	for name, opt := range map[string]func(*sqlitestore.Options){"full": synced, "nosync": func(*sqlitestore.Options) {}} {
		b.Run(name, func(b *testing.B) {
			storetest.Bench(b, func(b *testing.B) handoff.Store { return open(b, opt) })
		})
	}
}

// What commits gain by being written together, and what they cost beside the
// plain insert of a row through the same driver.
func BenchmarkCommit(b *testing.B) {
	body := handoff.BodyOf(make([]byte, 400))
	for _, callers := range []int{1, 8, 64} {
		for _, sync := range []bool{true, false} {
			name := fmt.Sprintf("callers=%d/sync=%v", callers, sync)
			b.Run(name+"/insert", func(b *testing.B) {
				db := plain(b, sync)
				each(b, callers, func(n int64) error {
					_, err := db.Exec(fmt.Sprint("c", n), body.Bytes())
					return err
				})
			})
			b.Run(name+"/commit", func(b *testing.B) {
				s := open(b, func(o *sqlitestore.Options) { o.NoSync = !sync })
				each(b, callers, func(n int64) error {
					r := record(fmt.Sprint("c", n))
					r.Body, r.Queue, r.Line, r.Seq = body, "queue", "line", 2
					r.Keys = []handoff.Key{{Name: "c/" + r.ID.Conversation, Max: 1, Units: 1}}
					return s.Commit(b.Context(), r, handoff.RecordEntry{ID: "a", Seq: 1, Body: body}, handoff.RecordEntry{ID: "b", Seq: 2, Body: body})
				})
			})
		}
	}
}

// each shares b.N calls among callers.
func each(b *testing.B, callers int, f func(n int64) error) {
	var next atomic.Int64
	errs := make(chan error, callers)
	b.ResetTimer()
	for range callers {
		go func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					errs <- nil
					return
				}
				if err := f(n); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	for range callers {
		require.NoError(b, <-errs)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

// plain is a table with one index, written through one prepared statement.
func plain(b *testing.B, sync bool) *sql.Stmt {
	b.Helper()
	mode := "NORMAL"
	if sync {
		mode = "FULL"
	}
	db, err := sql.Open("sqlite", filepath.Join(b.TempDir(), "plain.db")+"?_journal_mode=WAL&_synchronous="+mode)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	db.SetMaxOpenConns(1)
	_, err = db.Exec("CREATE TABLE plain (id TEXT PRIMARY KEY, body BLOB)")
	require.NoError(b, err)
	st, err := db.Prepare("INSERT INTO plain VALUES (?, ?)")
	require.NoError(b, err)
	return st
}
