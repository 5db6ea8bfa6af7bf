package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

// A step that needs a table which a long transaction of the host holds waits for
// it, and everybody else goes on meanwhile.
func TestMigrateWaitsForNobodyElse(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	schema := nextSchema()
	s, pool := openPool(t, pgstore.Options{Schema: schema, NoListen: true})
	migrating, _ := openOnly(t, pgstore.Options{Schema: schema, NoListen: true})
	tx, err := pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	require.NoError(t, s.Tx(tx).Commit(ctx, record("host"), entry(1)))

	done := make(chan error, 1)
	go func() { done <- migrating.Migrate(ctx, 0) }()
	waits := func() (n int) {
		require.NoError(t, pool.QueryRow(ctx, "SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation"+
			" WHERE NOT granted AND mode = 'AccessExclusiveLock' AND relnamespace = $1::text::regnamespace", quoted(schema)).Scan(&n))
		return n
	}
	for i, waited := 0, 0; waited < 5; i++ { // a commit that comes while it waits is one that came to wait behind it
		waited += waits()
		require.NoError(t, s.Commit(ctx, record(fmt.Sprint(i)), entry(1)), "it waits for the host")
	}
	require.Empty(t, done)
	short, end := context.WithTimeout(ctx, time.Second)
	defer end()
	err = migrating.Migrate(short, 0)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	require.NoError(t, tx.Commit(ctx))
	require.NoError(t, <-done)
	require.Zero(t, objects(t, pool, schema))
}

// Writers go on while somebody takes the schema a step back and forth: what they
// are told is true, and no log has a gap.
func TestMigrateUnderLoad(t *testing.T) {
	ctx := t.Context()
	schema := nextSchema()
	s, _ := openPool(t, pgstore.Options{Schema: schema, NoListen: true})
	migrating, _ := openOnly(t, pgstore.Options{Schema: schema, NoListen: true})
	var acked, unfit atomic.Int64
	var stop atomic.Bool
	var writers sync.WaitGroup
	ends := make([]int64, 8) // how far each has got
	for w := range ends {
		writers.Go(func() {
			r := record(fmt.Sprint(w))
			for !stop.Load() {
				next := r
				next.Seq = r.Version + 1
				err := s.Commit(ctx, next, handoff.RecordEntry{ID: fmt.Sprint(next.Seq), Seq: next.Seq})
				var se *pgstore.SchemaError
				switch {
				case err == nil:
					r.Version++
					acked.Add(1)
				case errors.As(err, &se): // the version of a moment has no commits for groups
					unfit.Add(1)
				default:
					t.Errorf("writer %d: %v", w, err)
					return
				}
			}
			ends[w] = r.Version
		})
	}
	for round := range 15 {
		for _, version := range []int{pgstore.Latest - 1, pgstore.Latest} {
			before := acked.Load()
			require.NoError(t, migrating.Migrate(ctx, version), "round %d", round)
			for version == pgstore.Latest && acked.Load() < before+20 && !t.Failed() {
				time.Sleep(time.Millisecond) //nolint:forbidigo // commits tell nobody
			}
		}
	}
	stop.Store(true)
	writers.Wait()
	t.Logf("%d commits, %d refused", acked.Load(), unfit.Load())
	for w, end := range ends {
		log, err := s.Log(ctx, record(fmt.Sprint(w)).ID, 0, 1<<20)
		require.NoError(t, err)
		require.Len(t, log, int(end), "what was acknowledged, and nothing else")
		for i := range log {
			require.Equal(t, int64(i)+1, log[i].Seq)
		}
	}
}
