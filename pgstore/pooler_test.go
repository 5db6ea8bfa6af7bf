package pgstore_test

import (
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/servertest"
	"github.com/seed-2a427302/handoff/pgstore"
	"github.com/seed-2a427302/handoff/storetest"
)

// pooled makes a pool connect to pgbouncer, which gives each transaction
// another session.
func pooled(t *testing.T) func(*pgxpool.Config) {
	t.Helper()
	through, err := pgxpool.ParseConfig(servertest.Pooler(t))
	require.NoError(t, err)
	return func(cfg *pgxpool.Config) { cfg.ConnConfig = through.ConnConfig.Copy() }
}

// Behind a transaction pooler statements are not prepared, and nobody listens.
// The simple protocol is what the oldest poolers need.
func TestStorePooler(t *testing.T) {
	run := func(t *testing.T, change func(*pgxpool.Config)) {
		t.Helper()
		storetest.Run(t, func(t *testing.T) handoff.Store {
			s, _ := openPool(t, pgstore.Options{NoListen: true}, change)
			return s
		})
	}
	t.Run("pgbouncer", func(t *testing.T) { run(t, pooled(t)) })
	t.Run("simple", func(t *testing.T) {
		run(t, func(cfg *pgxpool.Config) { cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol })
	})
}

// The pooler of these tests is one: sixteen clients that stay connected share
// fewer sessions. Where each had his own, half of them would wait for ever.
func TestPooler(t *testing.T) {
	_, pool := openOnly(t, pgstore.Options{}, pooled(t))
	var mu sync.Mutex
	sessions := map[int]bool{}
	var clients, connected sync.WaitGroup
	connected.Add(16)
	for range 16 {
		clients.Go(func() {
			var pid int
			conn, err := pool.Acquire(t.Context())
			if err == nil {
				defer conn.Release()
				err = conn.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&pid)
			}
			mu.Lock()
			sessions[pid] = true
			if err != nil {
				t.Error(err)
			}
			mu.Unlock()
			connected.Done()
			connected.Wait()
		})
	}
	clients.Wait()
	require.LessOrEqual(t, len(sessions), 8)
}
