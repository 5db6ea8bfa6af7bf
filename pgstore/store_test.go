package pgstore_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
	"github.com/seed-2a427302/handoff/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) handoff.Store { return open(t, pgstore.Options{}) })
}

// The same when commits always travel together, and nobody listens.
func TestStoreGroup(t *testing.T) {
	storetest.Run(t, func(t *testing.T) handoff.Store {
		return pgstore.ForceGroup(open(t, pgstore.Options{NoListen: true}))
	})
}

// A claim gives no more than was asked for, whatever plan the server chooses.
func TestClaimLimit(t *testing.T) {
	schema := nextSchema()
	s, pool := openPool(t, pgstore.Options{Schema: schema}, func(cfg *pgxpool.Config) {
		for _, way := range []string{"hashjoin", "mergejoin", "material"} {
			cfg.ConnConfig.RuntimeParams["enable_"+way] = "off"
		}
	})
	// The server believes that there is hardly anything.
	require.NoError(t, s.Commit(t.Context(), record("first"), entry(1)))
	_, err := pool.Exec(t.Context(), "VACUUM ANALYZE "+quoted(schema)+".handoff_record")
	require.NoError(t, err)
	for i := range 10 {
		r := record(string(rune('a' + i)))
		r.Wake = time.Now().Add(-time.Hour)
		require.NoError(t, s.Commit(t.Context(), r, entry(1)))
	}
	for _, want := range []int{3, 3, 3, 1, 0} {
		got, err := s.Claim(t.Context(), handoff.Claim{Now: time.Now(), Lease: time.Hour, Limit: 3})
		require.NoError(t, err)
		require.Len(t, got.Due, want)
	}
}
