package pgstore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/throwaway"
	"github.com/seed-2a427302/handoff/pgstore"
)

// All processes of the server are killed at once in the middle of commits. The
// next server on the same data has each commit that was acknowledged.
func TestServerKilled(t *testing.T) {
	for name, c := range map[string]struct {
		settings []string
		loses    bool
	}{
		"as it comes": {nil, false},
		// The mistake that this must find: commits that wait for no disk, and a
		// server that is in no hurry.
		"planted": {[]string{"synchronous_commit=off", "wal_writer_delay=10s"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := cluster(t)
			dsn, err := server.Start(c.settings...)
			require.NoError(t, err)
			migrate(t, dsn)
			var acked []handoff.ID
			for round := range 2 {
				acked = append(acked, commitUntilKilled(t, server, dsn, int64(round))...)
				_, err = server.Start(c.settings...)
				require.NoError(t, err)
			}
			s := mustAt(t, dsn)
			lost := 0
			for _, id := range acked {
				log, err := s.Log(t.Context(), id, 0, 10)
				require.NoError(t, err)
				_, err = s.Get(t.Context(), id)
				if len(log) != 2 || err != nil {
					lost++
				}
			}
			t.Logf("%d acknowledged, %d lost", len(acked), lost)
			require.NotEmpty(t, acked)
			require.Equal(t, c.loses, lost > 0)
		})
	}
}

// mustAt opens the store of a server of the test's own, and checks it.
func mustAt(t *testing.T, dsn string) *pgstore.Store {
	t.Helper()
	s, _ := openOnly(t, pgstore.Options{}, at(t, dsn))
	return s
}

func migrate(t *testing.T, dsn string) {
	t.Helper()
	require.NoError(t, mustAt(t, dsn).Migrate(t.Context(), pgstore.Latest))
}

// commitUntilKilled lets eight callers commit, and kills the server under them. It
// returns what was acknowledged: records with two entries and this number.
func commitUntilKilled(t *testing.T, server *throwaway.Cluster, dsn string, number int64) (acked []handoff.ID) {
	t.Helper()
	ctx := t.Context()
	pool, err := pgxpool.New(context.Background(), dsn)
	require.NoError(t, err)
	defer pool.Close()
	s := pgstore.New(pool, pgstore.Options{NoListen: true})
	var mu sync.Mutex
	var callers sync.WaitGroup
	enough := make(chan struct{})
	for c := range 8 {
		callers.Go(func() {
			for i := 0; ; i++ {
				r := record(fmt.Sprint(c, "-", i))
				r.ID.Number, r.Seq = number, 2
				second := entry(2)
				second.ID = "f"
				if s.Commit(ctx, r, entry(1), second) != nil {
					return
				}
				mu.Lock()
				if acked = append(acked, r.ID); len(acked) == 100 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	require.NoError(t, server.Kill())
	callers.Wait()
	return acked
}
