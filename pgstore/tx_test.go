package pgstore_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/enginetest"
	"github.com/seed-2a427302/handoff/pgstore"
)

// A host stores what it received and lets the engine receive it, in one
// transaction: both, or neither.
func ExampleStore_Tx() { //nolint:testableexamples // it needs a server; TestTx runs the same
	receive := func(ctx context.Context, pool *pgxpool.Pool, store *pgstore.Store, e *handoff.Engine, in handoff.Incoming) (turn handoff.Turn, err error) {
		var committed func()
		err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO inbox (id, text) VALUES ($1, $2)", in.ID, in.Text); err != nil {
				return err
			}
			var bound *handoff.Engine
			bound, committed = e.On(store.Tx(tx))
			turn, err = bound.Receive(ctx, in)
			return err
		})
		if err == nil {
			committed()
		}
		return turn, err
	}
	_ = receive
}

func TestTx(t *testing.T) {
	ctx := t.Context()
	schema := nextSchema()
	s, pool := openPool(t, pgstore.Options{Schema: schema})
	in := quoted(schema) + "."
	_, err := pool.Exec(ctx, "CREATE TABLE "+in+"inbox (id text PRIMARY KEY)")
	require.NoError(t, err)
	e := enginetest.Engine(t, s, enginetest.Never)
	enginetest.Run(t, e)

	// ask lets a host note something and ask for a person, and then commit or not.
	ask := func(conversation string, opt pgx.TxOptions, commit bool) (handoff.ID, error) {
		tx, err := pool.BeginTx(ctx, opt)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback(ctx) }()
		_, err = tx.Exec(ctx, "INSERT INTO "+in+"inbox VALUES ($1)", conversation)
		require.NoError(t, err)
		bound, committed := e.On(s.Tx(tx))
		turn, err := bound.Receive(ctx, handoff.Incoming{Conversation: conversation, ID: "m", Text: "a person, please"})
		if err != nil {
			return handoff.ID{}, err
		}
		out, err := bound.Request(ctx, handoff.Request{Turn: turn, Queue: "support"})
		if err != nil {
			return handoff.ID{}, err
		}
		_, err = bound.Get(ctx, out.Handoff.ID)
		require.NoError(t, err, "the transaction sees what it did")
		_, err = e.Get(ctx, out.Handoff.ID)
		require.ErrorIs(t, err, handoff.ErrNotFound, "nobody else does")
		if !commit {
			require.NoError(t, tx.Rollback(ctx))
			return out.Handoff.ID, nil
		}
		require.NoError(t, tx.Commit(ctx))
		committed()
		return out.Handoff.ID, nil
	}
	count := func(table string) (n int) {
		require.NoError(t, pool.QueryRow(ctx, "SELECT count(*) FROM "+in+table).Scan(&n))
		return n
	}

	id, err := ask("a", pgx.TxOptions{}, false)
	require.NoError(t, err)
	_, err = e.Get(ctx, id)
	require.ErrorIs(t, err, handoff.ErrNotFound)
	for _, table := range []string{"inbox", "handoff_record", "handoff_key", "handoff_entry", "handoff_cursor"} {
		assert.Zero(t, count(table), "%s after a roll-back", table)
	}

	// The engine polls once an hour: it is the host's commit that wakes it.
	id, err = ask("a", pgx.TxOptions{}, true)
	require.NoError(t, err)
	enginetest.Offered(t, e, id)
	assert.Equal(t, 1, count("inbox"))

	_, err = ask("b", pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, true)
	require.ErrorIs(t, err, pgstore.ErrIsolation)
	assert.Equal(t, 1, count("inbox"))
}

// A refusal leaves the transaction usable.
func TestTxRefused(t *testing.T) {
	ctx := t.Context()
	s, pool := openPool(t, pgstore.Options{})
	r := record("c")
	r.Keys = []handoff.Key{{Name: "seat", Max: 1, Units: 1}}
	require.NoError(t, s.Commit(ctx, r, entry(1)))
	require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		in := s.Tx(tx)
		require.ErrorIs(t, in.Commit(ctx, r, entry(1)), handoff.ErrConflict)
		other := record("d")
		other.Keys = r.Keys
		var held *handoff.HeldError
		require.ErrorAs(t, in.Commit(ctx, other, entry(1)), &held)
		require.ErrorIs(t, in.Delete(ctx, r.ID, 7), handoff.ErrConflict)
		other.Keys = nil
		return in.Commit(ctx, other, entry(1))
	}))
	_, err := s.Get(ctx, record("d").ID)
	require.NoError(t, err)
}
