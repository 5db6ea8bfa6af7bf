package pgstore_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/seed-2a427302/handoff/pgstore"
)

// Who may go on when a batch is about to leave is in it, and those who have their
// answers from the last one may.
func TestGroupGathers(t *testing.T) {
	const callers, rounds = 8, 100
	all := 0
	for range rounds {
		all += pgstore.Gathered(callers)
	}
	require.Greater(t, all, callers*rounds/2)
	t.Logf("%d of %d", all, callers*rounds)
}

// Callers who commit one thing after the other travel together again and again.
func TestGroup(t *testing.T) {
	const callers, each = 8, 30
	schema := nextSchema()
	s, pool := openPool(t, pgstore.Options{Schema: schema, NoListen: true})
	var all errgroup.Group
	for c := range callers {
		all.Go(func() error {
			for i := range each {
				if err := s.Commit(t.Context(), record(fmt.Sprintf("%d-%d", c, i)), entry(1)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, all.Wait())
	var stored, transactions int
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT count(*), count(DISTINCT xmin::text) FROM "+quoted(schema)+".handoff_record").Scan(&stored, &transactions))
	require.Equal(t, callers*each, stored)
	require.Less(t, transactions, stored*2/5, "of eight callers four and more travel together at a time")
	t.Logf("%d commits in %d transactions", stored, transactions)
}
