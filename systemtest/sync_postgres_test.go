package systemtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/servertest"
	"github.com/seed-2a427302/handoff/internal/throwaway"
	"github.com/seed-2a427302/handoff/pgstore"
)

// A server whose disk cannot sync its log at times: it breaks off and recovers.
// Nobody was told that a commit is stored which the disk had not taken, and what
// was acknowledged is there when a server with a sound disk has the data.
func TestSyncPostgres(t *testing.T) {
	strace := straced(t)
	for name, c := range map[string]struct {
		settings []string
		noSync   bool
	}{
		"at times": {nil, false},
		// The mistake that this must find: commits that wait for no sync.
		"planted": {[]string{"fsync=off"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			server, err := throwaway.NewCluster()
			if err != nil {
				servertest.Missing(t, "PostgreSQL", err, "install it")
			}
			t.Cleanup(server.Remove)
			_, err = server.Start() // with a sound disk
			require.NoError(t, err)
			pool := poolAt(t, server)
			s := pgstore.New(pool, pgstore.Options{NoListen: true})
			require.NoError(t, s.Migrate(t.Context(), pgstore.Latest))
			require.NoError(t, s.Check(t.Context()))
			server.Stop()

			// Of each process every sync from the twelfth on fails.
			server.Wrapper = []string{strace, "-D", "-f", "-o", os.DevNull, "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=12+"}
			_, err = server.Start(c.settings...)
			require.NoError(t, err)
			pool.Reset() // of connections to the server before
			acked, failed := commitAll(t, s)
			t.Logf("%d acknowledged, %d failed", len(acked), len(failed))
			if c.noSync {
				require.Empty(t, failed, "commits without a sync look like commits with one")
				return
			}
			require.NotEmpty(t, acked)
			require.NotEmpty(t, failed)

			server.Stop()
			server.Wrapper = nil
			_, err = server.Start()
			require.NoError(t, err)
			eventually(t, "the store", func() bool { _, err := s.Latest(t.Context(), acked[0]); return err == nil })
			for _, name := range acked {
				_, err := s.Latest(t.Context(), name)
				require.NoError(t, err, "%s was acknowledged", name)
			}
			all, err := s.List(t.Context(), handoff.Query{})
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(all), len(acked))
			require.LessOrEqual(t, len(all), len(acked)+len(failed))
			for i := range all {
				log, err := s.Log(t.Context(), all[i].ID, 0, 10)
				require.NoError(t, err)
				require.Len(t, log, 1, "nothing is half there")
			}
		})
	}
}

// poolAt is a pool of a server that syncs what it acknowledges.
func poolAt(t *testing.T, c *throwaway.Cluster) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), c.DSN())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// commitAll commits from four callers, each of whom waits for the server when it
// breaks off, and says how each commit ended.
func commitAll(t *testing.T, s *pgstore.Store) (acked, failed []string) {
	t.Helper()
	var mu sync.Mutex
	var callers sync.WaitGroup
	for c := range 4 {
		callers.Go(func() {
			for i := range 15 {
				name := fmt.Sprint(c, "-", i)
				err := s.Commit(t.Context(), syncRecord(name), handoff.RecordEntry{ID: "e", Seq: 1})
				mu.Lock()
				if err == nil {
					acked = append(acked, name)
				} else {
					failed = append(failed, name)
				}
				mu.Unlock()
				if err != nil {
					eventually(t, "the server", func() bool { _, err := s.Count(t.Context(), handoff.Query{}); return err == nil })
				}
			}
		})
	}
	callers.Wait()
	return acked, failed
}
