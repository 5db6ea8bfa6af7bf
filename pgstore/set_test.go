package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

// oddNames are what a text in an array has to be quoted for.
var oddNames = []string{`"`, `\`, `a,b`, `{}`, `NULL`, ` `, `\"{,}\`, "line\nbreak\ttab", "ü€😀", `'`}

// A batch that is judged as a set is judged as if its items came one after the
// other, and leaves the same.
func TestSetIsLikeEach(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	d := &drawn{Rand: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // no secret
	var stores [2]*pgstore.Store
	var pools [2]*pgxpool.Pool
	var schemas [2]string
	for i := range stores {
		schemas[i] = nextSchema()
		stores[i], pools[i] = openPool(t, pgstore.Options{Schema: schemas[i], NoListen: true})
	}
	words := map[string]int{}
	for round := range 120 {
		items := d.batch(t, stores[0])
		one, many := pgstore.CommitEach(t.Context(), stores[0], items), stores[1].CommitBatch(t.Context(), items)
		for i := range items {
			require.Equal(t, word(one[i]), word(many[i]), "round %d, item %d: %+v", round, i, items[i])
			words[fmt.Sprintf("%.4s", word(one[i]))]++
		}
		if d.IntN(3) == 0 {
			ack := handoff.Ack{ID: items[0].Record.ID, Cursor: d.pick("x", oddNames[0]), Seq: int64(d.IntN(4)), Keep: true}
			for _, s := range stores {
				require.NoError(t, s.Ack(t.Context(), ack))
			}
		}
		require.Equal(t, content(t, pools[0], schemas[0]), content(t, pools[1], schemas[1]), "after round %d", round)
	}
	t.Log(words)
	require.Equal(t, []string{"<nil", "conf", "dupl", "held", "the "}, slices.Sorted(maps.Keys(words)), "every answer was drawn")
}

// word is an error without the holders.
func word(err error) string {
	var held *handoff.HeldError
	switch {
	case errors.As(err, &held):
		return "held " + held.Key
	case errors.Is(err, handoff.ErrConflict):
		return "conflict"
	case errors.Is(err, handoff.ErrDuplicate):
		return "duplicate"
	case err != nil:
		return "the error " + err.Error()
	}
	return "<nil>"
}

// drawn makes batches by lot.
type drawn struct{ *rand.Rand }

func (d *drawn) pick(list ...string) string { return list[d.IntN(len(list))] }

// batch makes items of different records, most of which continue what s has.
func (d *drawn) batch(t *testing.T, s *pgstore.Store) []handoff.Item {
	t.Helper()
	items := make([]handoff.Item, 0, 12)
	for _, n := range d.Perm(12)[:2+d.IntN(10)] {
		id := handoff.ID{Conversation: oddNames[n/2], Number: int64(1 + n%2)}
		r, err := s.Get(context.Background(), id)
		if err != nil {
			require.ErrorIs(t, err, handoff.ErrNotFound)
			r = handoff.Record{ID: id}
		}
		if d.IntN(12) == 0 {
			r.Version += int64(d.IntN(3) - 1)
			r.Version = max(r.Version, 0)
		}
		if d.IntN(20) == 0 {
			r.Seq++ // a gap
		}
		items = append(items, d.item(r))
	}
	return items
}

// item changes everything.
func (d *drawn) item(r handoff.Record) handoff.Item {
	at := time.Date(2026, 1, 5, 9, 0, d.IntN(60), 0, time.UTC)
	r.Queue, r.Line, r.Agent, r.User = d.pick("", "q", oddNames[1]), d.pick("", "l", oddNames[3]), d.pick("", "ann"), d.pick("", oddNames[8])
	r.State, r.Outcome = handoff.State(d.pick("waiting", "active", "ended")), handoff.Outcome(d.pick("", "resolved"))
	r.Priority, r.Since, r.Created, r.Updated, r.Wake = d.IntN(3), at, at, time.Time{}, time.Time{}
	if d.IntN(2) == 0 {
		r.Since, r.Wake, r.Updated = time.Time{}, at, at
	}
	r.Tags, r.Keys, r.Owed = nil, nil, nil
	for _, n := range d.Perm(len(oddNames))[:d.IntN(4)] {
		r.Tags = append(r.Tags, oddNames[n])
	}
	for _, n := range d.Perm(5)[:d.IntN(4)] {
		r.Keys = append(r.Keys, handoff.Key{Name: oddNames[n], Max: 1 + d.IntN(4), Units: d.IntN(3)})
	}
	entries := make([]handoff.RecordEntry, 1+d.IntN(3))
	for i := range entries {
		r.Seq++
		name := fmt.Sprint(r.Seq)
		if d.IntN(15) == 0 {
			name = "1" // which is the first entry's of most
		}
		entries[i] = handoff.RecordEntry{ID: name, Seq: r.Seq, At: at, Body: handoff.BodyOf([]byte{0, byte(i)})}
		if d.IntN(4) == 0 {
			entries[i].At = time.Time{}
		}
	}
	for _, cursor := range []string{"x", oddNames[0]} {
		if d.IntN(2) == 0 {
			r.Owed = append(r.Owed, handoff.Owed{Sink: oddNames[2], Cursor: cursor, Seq: r.Seq - int64(d.IntN(2))})
		}
	}
	r.Body = handoff.BodyOf([]byte(d.pick("\x00", "{}", "")))
	return handoff.Item{Record: r, Entries: entries}
}

// content is all that a schema has, as text.
func content(t *testing.T, pool *pgxpool.Pool, schema string) (lines []string) {
	t.Helper()
	for _, table := range []string{"record", "key", "entry", "cursor"} {
		rows, err := pool.Query(t.Context(), "SELECT x::text FROM "+quoted(schema)+".handoff_"+table+" x ORDER BY 1")
		require.NoError(t, err)
		for rows.Next() {
			var line string
			require.NoError(t, rows.Scan(&line))
			lines = append(lines, table+": "+line)
		}
		require.NoError(t, rows.Err())
	}
	return lines
}
