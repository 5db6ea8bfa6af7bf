package pgstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/seed-2a427302/handoff"
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

// Who holds up one conversation holds up nobody else: what has travelled with it
// goes on without it.
func TestGroupParts(t *testing.T) {
	ctx := t.Context()
	s, pool := openPool(t, pgstore.Options{Schema: nextSchema(), NoListen: true})
	tx, err := pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	require.NoError(t, s.Tx(tx).Commit(ctx, record("held"), entry(1)))

	pgstore.ForceGroup(s)
	held, others := make(chan error, 1), make(chan error, 20)
	go func() { held <- s.Commit(ctx, record("held"), entry(1)) }()
	for i := range cap(others) {
		go func() { others <- s.Commit(ctx, record(fmt.Sprint(i)), entry(1)) }()
	}
	for range cap(others) {
		require.NoError(t, <-others)
	}
	require.Empty(t, held, "it waits for the one who came first")
	require.NoError(t, tx.Commit(ctx))
	require.ErrorIs(t, <-held, handoff.ErrConflict)
}

// Who gives up while his batch is held up hears that his time is over, and those
// who travel with him arrive.
func TestGroupGivesUp(t *testing.T) {
	ctx := t.Context()
	opt := pgstore.Options{Schema: nextSchema(), NoListen: true}
	s, pool := openPool(t, opt)
	tx, err := pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	require.NoError(t, s.Tx(tx).Commit(ctx, record("held"), entry(1)))

	for round := range 3 {
		s := pgstore.ForceGroup(pgstore.New(pool, opt))
		soon, cancel := context.WithTimeout(ctx, 100*time.Millisecond) // a batch waits longer
		defer cancel()
		later, cancel := context.WithTimeout(ctx, 5*time.Minute)
		defer cancel()
		gone, others := make(chan error, 1), make(chan error, 20)
		go func() { gone <- s.Commit(soon, record("held"), entry(1)) }()
		for i := range cap(others) {
			go func() { others <- s.Commit(later, record(fmt.Sprint(round, "-", i)), entry(1)) }()
		}
		for range cap(others) {
			require.NoError(t, <-others)
		}
		require.ErrorIs(t, <-gone, context.DeadlineExceeded)
	}
}
