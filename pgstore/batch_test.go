package pgstore_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

// with is a record that holds a number of keys of its own.
func with(conversation string, keys int) handoff.Item {
	r := record(conversation)
	for k := range keys {
		r.Keys = append(r.Keys, handoff.Key{Name: fmt.Sprint(conversation, "-", k), Max: 1, Units: 1})
	}
	return handoff.Item{Record: r, Entries: []handoff.RecordEntry{entry(1)}}
}

// However large a batch is, it leaves room in the server's table of locks, for
// itself and for others. A hundred travel together.
func TestLargeBatch(t *testing.T) {
	schema := nextSchema()
	s, pool := openPool(t, pgstore.Options{Schema: schema, NoListen: true})
	for name, c := range map[string]struct{ items, keys, transactions int }{
		"hundred":      {100, 3, 1},
		"one more":     {101, 0, 2},
		"many keys":    {100, 9, 2}, // 51 of 10 locks, and 49
		"one for each": {3, 600, 3},
		"too many":     {350, 100, 70}, // 35,350 locks
	} {
		t.Run(name, func(t *testing.T) {
			items := make([]handoff.Item, c.items)
			for i := range items {
				items[i] = with(fmt.Sprint(name, i), c.keys)
			}
			require.NoError(t, errors.Join(s.CommitBatch(t.Context(), items)...))
			var stored, transactions int
			require.NoError(t, pool.QueryRow(t.Context(), "SELECT count(*), count(DISTINCT xmin::text) FROM "+quoted(schema)+".handoff_record WHERE starts_with(conversation, $1)",
				name).Scan(&stored, &transactions))
			require.Equal(t, c.items, stored)
			require.Equal(t, c.transactions, transactions)
		})
	}
}

// What one transaction of a batch has stored, the next one judges by.
func TestLargeBatchInOrder(t *testing.T) {
	s := open(t, pgstore.Options{NoListen: true})
	items := make([]handoff.Item, 250)
	for i := range items {
		items[i] = with(fmt.Sprint("c", i), 0)
		items[i].Record.Keys = []handoff.Key{{Name: "seat", Max: 120, Units: 1}}
	}
	items[249] = items[0]
	for i, err := range s.CommitBatch(t.Context(), items) {
		var held *handoff.HeldError
		switch {
		case i == 249:
			require.ErrorIs(t, err, handoff.ErrConflict)
		case i >= 120:
			require.ErrorAs(t, err, &held, "%d", i)
		default:
			require.NoError(t, err, "%d", i)
		}
	}
}
