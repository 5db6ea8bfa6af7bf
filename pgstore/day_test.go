package pgstore_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/daytest"
	"github.com/seed-2a427302/handoff/history"
	"github.com/seed-2a427302/handoff/pgstore"
)

// History and analytics are the same here as on every store.
func TestDay(t *testing.T) {
	daytest.Run(t, func(t *testing.T) handoff.Store { return open(t, pgstore.Options{}) })
}

// After an erasure no row of any table has a word of it.
func TestEraseLeavesNoRow(t *testing.T) {
	schema := nextSchema()
	s, pool := openPool(t, pgstore.Options{Schema: schema, NoListen: true})
	daytest.Fill(t, s)
	words := func(word string) (rows int) {
		t.Helper()
		list, err := pool.Query(t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_schema = $1", schema)
		require.NoError(t, err)
		names, err := pgx.CollectRows(list, pgx.RowTo[string])
		require.NoError(t, err)
		require.NotEmpty(t, names)
		for _, name := range names {
			var n int
			// Bytes are shown as hex in a row's text, so bodies are looked at as bytes.
			q := fmt.Sprintf("SELECT count(*) FROM %s.%s t WHERE position($1 IN t::text) > 0 OR position(encode($1::bytea, 'hex') IN t::text) > 0",
				quoted(schema), quoted(name))
			require.NoError(t, pool.QueryRow(t.Context(), q, word).Scan(&n), name)
			rows += n
		}
		return rows
	}
	require.Positive(t, words("user of c10"))
	others := words("user of c11")
	got, err := history.Erase(t.Context(), daytest.Engine(t, s), history.Scope{User: "user of c10"})
	require.NoError(t, err)
	require.Equal(t, 1, got.Conversations)
	require.Zero(t, words("user of c10"))
	require.Zero(t, words("c10"))
	require.Equal(t, others, words("user of c11"))
}
