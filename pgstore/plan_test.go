package pgstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
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

// A batch looks up what it needs, in plans that were made when there was nothing.
func TestBatchReadsLittle(t *testing.T) {
	ctx := t.Context()
	schema := nextSchema()
	s, pool := openPool(t, pgstore.Options{Schema: schema, NoListen: true}, func(cfg *pgxpool.Config) { cfg.MaxConns = 1 })
	for _, table := range []string{"record", "key", "entry", "cursor"} {
		_, err := pool.Exec(ctx, "VACUUM ANALYZE "+quoted(schema)+".handoff_"+table)
		require.NoError(t, err)
	}
	item := func(n int, version int64, keys ...handoff.Key) handoff.Item {
		r := record(fmt.Sprintf("%04d", n))
		r.Version, r.Seq, r.Keys = version, version+1, keys
		e := entry(r.Seq)
		e.ID = fmt.Sprint(r.Seq)
		return handoff.Item{Record: r, Entries: []handoff.RecordEntry{e}}
	}
	begun := func(n int) handoff.Item {
		return item(n, 0, handoff.Key{Name: fmt.Sprintf("conversation/%d", n), Max: 1, Units: 1}, handoff.Key{Name: fmt.Sprintf("seat/%d", n/3), Max: 6, Units: 1})
	}
	moved := func(n int, version int64) handoff.Item {
		return item(n, version, handoff.Key{Name: fmt.Sprintf("seat/%d", n/3), Max: 6, Units: 2}, handoff.Key{Name: fmt.Sprintf("seat/%d", 5000+n), Max: 1, Units: 1})
	}
	commit := func(s *pgstore.Store, items ...handoff.Item) {
		t.Helper()
		for _, err := range s.CommitBatch(ctx, items) {
			require.NoError(t, err)
		}
	}
	commit(s, begun(0), begun(1), begun(2))
	commit(s, moved(0, 1), moved(1, 1), begun(3)) // every statement has its plan
	for n := 4; n < 2004; n += 100 {
		var items []handoff.Item
		for i := range 100 {
			items = append(items, begun(n+i))
		}
		commit(s, items...)
	}
	var items []handoff.Item
	for i := range 10 {
		items = append(items, moved(100+50*i, 1), begun(3000+i))
	}
	require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		commit(s.Tx(tx), items...)
		var read int
		err := tx.QueryRow(ctx, "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables WHERE schemaname = $1", schema).Scan(&read)
		require.NoError(t, err)
		require.Less(t, read, 12*len(items), "rows that were read for %d commits, of 2,000 that are there", len(items))
		t.Logf("%d rows for %d commits", read, len(items))
		return nil
	}))
}
