package sqlitestore_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/enginetest"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

// A host stores what it received and lets the engine receive it, in one
// transaction: both, or neither.
func ExampleStore_Tx() { //nolint:testableexamples // TestTx runs the same
	receive := func(ctx context.Context, db *sql.DB, store *sqlitestore.Store, e *handoff.Engine, in handoff.Incoming) (handoff.Turn, error) {
		tx, err := db.BeginTx(ctx, nil) // db was opened with _txlock=immediate
		if err != nil {
			return handoff.Turn{}, err
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.ExecContext(ctx, "INSERT INTO inbox (id, text) VALUES (?, ?)", in.ID, in.Text); err != nil {
			return handoff.Turn{}, err
		}
		bound, committed := e.On(store.Tx(tx))
		turn, err := bound.Receive(ctx, in)
		if err == nil {
			err = tx.Commit()
		}
		if err == nil {
			committed()
		}
		return turn, err
	}
	_ = receive
}

func TestTx(t *testing.T) {
	ctx := t.Context()
	path := file(t)
	s := openFile(t, path)
	db := raw(t, path)
	_, err := db.Exec("CREATE TABLE inbox (id TEXT PRIMARY KEY)")
	require.NoError(t, err)
	e := enginetest.Engine(t, s, enginetest.Never)
	enginetest.Run(t, e)

	// ask lets a host note something and ask for a person, and then commit or not.
	ask := func(conversation string, commit bool) handoff.ID {
		tx, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		_, err = tx.Exec("INSERT INTO inbox VALUES (?)", conversation)
		require.NoError(t, err)
		bound, committed := e.On(s.Tx(tx))
		turn, err := bound.Receive(ctx, handoff.Incoming{Conversation: conversation, ID: "m", Text: "a person, please"})
		require.NoError(t, err)
		out, err := bound.Request(ctx, handoff.Request{Turn: turn, Queue: "support"})
		require.NoError(t, err)
		_, err = bound.Get(ctx, out.Handoff.ID)
		require.NoError(t, err, "the transaction sees what it did")
		_, err = e.Get(ctx, out.Handoff.ID)
		require.ErrorIs(t, err, handoff.ErrNotFound, "nobody else does")
		if !commit {
			require.NoError(t, tx.Rollback())
			return out.Handoff.ID
		}
		require.NoError(t, tx.Commit())
		committed()
		return out.Handoff.ID
	}
	count := func(table string) (n int) {
		require.NoError(t, db.QueryRow("SELECT count(*) FROM "+table).Scan(&n))
		return n
	}

	id := ask("a", false)
	_, err = e.Get(ctx, id)
	require.ErrorIs(t, err, handoff.ErrNotFound)
	for _, table := range []string{"inbox", "handoff_record", "handoff_key", "handoff_entry", "handoff_cursor"} {
		assert.Zero(t, count(table), "%s after a roll-back", table)
	}

	// The engine polls once an hour: it is the host's commit that wakes it.
	id = ask("a", true)
	enginetest.Offered(t, e, id)
	assert.Equal(t, 1, count("inbox"))
}

// A refusal leaves the transaction usable, and so does a failure.
func TestTxRefused(t *testing.T) {
	ctx := t.Context()
	path := file(t)
	s := openFile(t, path)
	r := record("c")
	r.Keys = []handoff.Key{{Name: "seat", Max: 1, Units: 1}}
	require.NoError(t, s.Commit(ctx, r, entry(1)))
	db := raw(t, path)
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(ctx, nil)
	require.NoError(t, err)
	in := s.Tx(tx)
	require.ErrorIs(t, in.Commit(ctx, r, entry(1)), handoff.ErrConflict)
	other := record("d")
	other.Keys = r.Keys
	var held *handoff.HeldError
	require.ErrorAs(t, in.Commit(ctx, other, entry(1)), &held)
	require.Len(t, held.Holders, 1)
	require.ErrorIs(t, in.Delete(ctx, r.ID, 7), handoff.ErrConflict)
	require.Error(t, in.Migrate(ctx, 0))
	_, err = tx.Exec("PRAGMA max_page_count = 30")
	require.NoError(t, err)
	big := record("big")
	big.Body = handoff.BodyOf(make([]byte, 1<<20))
	require.ErrorIs(t, in.Commit(ctx, big, entry(1)), sqlitestore.ErrFull)
	_ = tx.Rollback()

	tx, err = db.BeginTx(ctx, nil)
	require.NoError(t, err)
	other.Keys = nil
	require.NoError(t, s.Tx(tx).Commit(ctx, other, entry(1)))
	require.NoError(t, tx.Commit())
	_, err = s.Get(ctx, other.ID)
	require.NoError(t, err)
	_, err = s.Get(ctx, big.ID)
	require.ErrorIs(t, err, handoff.ErrNotFound)
}

// One store within a transaction keeps the contract as well as one without.
func TestTxDirect(t *testing.T) {
	ctx := t.Context()
	path := file(t)
	s := openFile(t, path)
	tx, err := raw(t, path).BeginTx(ctx, nil)
	require.NoError(t, err)
	in := s.Tx(tx)
	r := record("c")
	r.Owed = []handoff.Owed{{Sink: "user", Cursor: "user", Seq: 1}}
	require.NoError(t, in.Commit(ctx, r, entry(1)))
	l, err := in.Lead(ctx, r.ID, "user", r.Created, 0)
	require.NoError(t, err)
	require.NoError(t, in.Ack(ctx, handoff.Ack{ID: r.ID, Cursor: "user", Seq: 1, Term: l.Term}))
	_, err = in.Claim(ctx, handoff.Claim{Limit: 10, Sinks: []string{"user"}})
	require.NoError(t, err)
	list, err := in.List(ctx, handoff.Query{Conversation: "c"})
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.NoError(t, in.Erase(ctx, "c", handoff.Record{ID: handoff.ID{Conversation: "tomb", Number: 1}, Version: 1}))
	require.NoError(t, in.Close())
	require.NoError(t, tx.Commit())
	_, err = s.Get(ctx, handoff.ID{Conversation: "tomb", Number: 1})
	require.NoError(t, err)
}
