package pgstore_test

import (
	"fmt"
	"regexp"
	"strings"
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
	count := func(word string) (values int) {
		t.Helper()
		list, err := pool.Query(t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_schema = $1", schema)
		require.NoError(t, err)
		names, err := pgx.CollectRows(list, pgx.RowTo[string])
		require.NoError(t, err)
		require.NotEmpty(t, names)
		for _, name := range names {
			rows, err := pool.Query(t.Context(), "SELECT * FROM "+quoted(schema)+"."+quoted(name))
			require.NoError(t, err)
			for rows.Next() {
				row, err := rows.Values()
				require.NoError(t, err)
				for _, value := range row {
					if says(value, word) {
						values++
					}
				}
			}
			require.NoError(t, rows.Err())
		}
		return values
	}
	others := count("user of c11")
	for _, word := range []string{"user of c10", "c10"} {
		require.Positive(t, count(word), word)
	}
	got, err := history.Erase(t.Context(), daytest.Engine(t, s), history.Scope{User: "user of c10"})
	require.NoError(t, err)
	require.Equal(t, 1, got.Conversations)
	require.Zero(t, count("user of c10"))
	require.Zero(t, count("c10"))
	require.Equal(t, others, count("user of c11"))

	// It would have been noticed, in a column as in a body.
	for _, sql := range []string{
		"INSERT INTO @.handoff_key (name, conversation, number, units) VALUES ('open:c10', 'x', 1, 1)",
		`UPDATE @.handoff_record SET body = body || '"hello c10"' WHERE ctid = (SELECT min(ctid) FROM @.handoff_record)`,
		"UPDATE @.handoff_record SET tags = '{c10}' WHERE ctid = (SELECT min(ctid) FROM @.handoff_record)",
	} {
		before := count("c10")
		_, err = pool.Exec(t.Context(), strings.ReplaceAll(sql, "@", quoted(schema)))
		require.NoError(t, err)
		require.Greater(t, count("c10"), before, sql)
	}
}

// says reports whether a column's value holds a word that stands alone. Ids,
// hashes and their base64 are made at random and may have its letters inside.
func says(value any, word string) bool {
	text := fmt.Sprint(value)
	if b, ok := value.([]byte); ok {
		text = string(b)
	}
	const outside = `[^0-9A-Za-z+/=_-]`
	return regexp.MustCompile(`(^|` + outside + `)` + regexp.QuoteMeta(word) + `($|` + outside + `)`).MatchString(text)
}
