package pgstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

// What is read for every match and every place is planned once for each
// connection, not at each call: a plan takes longer than the reads.
func TestReadsArePlannedOnce(t *testing.T) {
	const per = "a % of a schema" // is text in a format otherwise
	schema := nextSchema() + per
	s, pool := openPool(t, pgstore.Options{Schema: schema, NoListen: true}, func(cfg *pgxpool.Config) { cfg.MaxConns = 1 })
	first := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	var lines []string
	items := make([]handoff.Item, 300)
	for i := range items {
		r := record(fmt.Sprintf("%03d", i))
		r.Queue, r.Line, r.Since = "desk", fmt.Sprint("line", i%30), first.Add(time.Duration(i)*time.Second)
		items[i] = handoff.Item{Record: r, Entries: []handoff.RecordEntry{entry(1)}}
		lines = append(lines, r.Line)
	}
	for _, err := range s.CommitBatch(t.Context(), items) {
		require.NoError(t, err)
	}
	_, err := pool.Exec(t.Context(), "ANALYZE "+quoted(schema)+".handoff_record")
	require.NoError(t, err)

	for i := range 12 { // the server makes up its mind after five
		place := items[10+i].Record
		n, err := s.Ahead(t.Context(), place, 100)
		require.NoError(t, err)
		require.Equal(t, 10+i, n)
		list, err := s.List(t.Context(), handoff.Query{Queue: "desk", Lines: lines[4:10], Waiting: true, ByRank: true, Limit: 3})
		require.NoError(t, err)
		require.Len(t, list, 3)
		require.Equal(t, "004", list[0].ID.Conversation)
		_, err = s.Get(t.Context(), place.ID)
		require.NoError(t, err)
	}
	for _, like := range []string{"SELECT count(*)%LIMIT%", "%unnest($1::text[]) AS l(name)%", "%WHERE conversation = $1 AND number = $2"} {
		var once, again int
		require.NoError(t, pool.QueryRow(t.Context(), `SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements WHERE statement LIKE $1
			AND statement NOT LIKE '%pg_prepared%'`, like).Scan(&once, &again))
		require.Equal(t, []int{5, 7}, []int{again, once}, "plans made for one call, and calls that needed none, of %s", like)
	}
}
