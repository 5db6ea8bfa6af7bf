package pgstore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

// objects counts what is in a schema.
func objects(t *testing.T, pool *pgxpool.Pool, schema string) (n int) {
	t.Helper()
	err := pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace($1::text)::oid)
		+ (SELECT count(*) FROM pg_proc WHERE pronamespace = to_regnamespace($1::text)::oid)`, quoted(schema)).Scan(&n)
	require.NoError(t, err)
	return n
}

func entry(seq int64) handoff.RecordEntry {
	return handoff.RecordEntry{ID: "e", Seq: seq, Body: handoff.BodyOf([]byte("x"))}
}

func record(conversation string) handoff.Record {
	return handoff.Record{ID: handoff.ID{Conversation: conversation, Number: 1}, Seq: 1, Body: handoff.BodyOf([]byte("x"))}
}

func TestMigrate(t *testing.T) {
	ctx := t.Context()
	schema := unusedSchema(t)
	s, pool := openPool(t, pgstore.Options{Schema: schema})
	full := objects(t, pool, schema)
	require.NoError(t, s.Commit(ctx, record("c"), entry(1)))

	require.NoError(t, s.Migrate(ctx, pgstore.Latest), "again")
	assert.Equal(t, full, objects(t, pool, schema))
	_, err := s.Get(ctx, record("c").ID)
	require.NoError(t, err, "what is stored stays")

	for v := pgstore.Latest - 1; v >= 1; v-- { // each step down, and up again
		require.NoError(t, s.Migrate(ctx, v))
		var se *pgstore.SchemaError
		require.ErrorAs(t, s.Check(ctx), &se)
		assert.Equal(t, v, se.Have)
		require.NoError(t, s.Migrate(ctx, pgstore.Latest))
		assert.Equal(t, full, objects(t, pool, schema))
	}
	_, err = s.Get(ctx, record("c").ID)
	require.NoError(t, err, "steps down to 1 keep what is stored")

	require.NoError(t, s.Migrate(ctx, 0))
	assert.Zero(t, objects(t, pool, schema), "0 removes everything")
	var se *pgstore.SchemaError
	require.ErrorAs(t, s.Check(ctx), &se)
	assert.Equal(t, pgstore.SchemaError{Need: pgstore.Latest}, *se)
	require.NoError(t, s.Migrate(ctx, 0), "nothing to remove")
	require.NoError(t, s.Migrate(ctx, pgstore.Latest))
	assert.Equal(t, full, objects(t, pool, schema))
	require.Error(t, s.Migrate(ctx, pgstore.Latest+1))
	require.Error(t, s.Migrate(ctx, -1))
}

// unusedSchema returns the name of a schema that does not exist, with what
// needs quotes.
func unusedSchema(t *testing.T) string {
	return `Odd "name" ` + strings.ToLower(t.Name()) + " " + nextSchema()
}

func TestMigrateAtOnce(t *testing.T) {
	schema := unusedSchema(t)
	_, pool := openPool(t, pgstore.Options{}) // of another schema
	t.Cleanup(func() { _, _ = pool.Exec(context.Background(), "DROP SCHEMA "+quoted(schema)+" CASCADE") })
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			s := pgstore.New(pool, pgstore.Options{Schema: schema})
			errs[i] = errors.Join(s.Migrate(t.Context(), pgstore.Latest), s.Commit(t.Context(), record(string(rune('a'+i))), entry(1)))
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	n, err := pgstore.New(pool, pgstore.Options{Schema: schema}).Count(t.Context(), handoff.Query{})
	require.NoError(t, err)
	assert.Equal(t, 8, n)
}

// A build that is older than the schema leaves it alone.
func TestNewerSchema(t *testing.T) {
	schema := unusedSchema(t)
	s, pool := openPool(t, pgstore.Options{Schema: schema})
	before := objects(t, pool, schema)
	_, err := pool.Exec(t.Context(), "UPDATE "+quoted(schema)+".handoff_schema SET version = 99")
	require.NoError(t, err)
	for _, err := range []error{s.Check(t.Context()), s.Migrate(t.Context(), pgstore.Latest), s.Migrate(t.Context(), 0)} {
		var se *pgstore.SchemaError
		require.ErrorAs(t, err, &se)
		assert.Equal(t, 99, se.Have)
		assert.ErrorContains(t, err, "newer than this build")
	}
	assert.Equal(t, before, objects(t, pool, schema))
}

func TestForeignSchema(t *testing.T) {
	for name, c := range map[string]struct{ sql, says string }{
		"table":    {`CREATE TABLE @.handoff_record (id int)`, "handoff_record"},
		"version":  {`CREATE TABLE @.handoff_schema (name text)`, "handoff_schema"},
		"type":     {`CREATE TABLE @.handoff_schema (version text)`, "handoff_schema"},
		"function": {`CREATE FUNCTION @.handoff_hash(kind text, name text) RETURNS bigint LANGUAGE sql AS 'SELECT 1'`, "handoff_hash"},
	} {
		t.Run(name, func(t *testing.T) {
			schema := unusedSchema(t)
			_, pool := openPool(t, pgstore.Options{})
			_, err := pool.Exec(t.Context(), "CREATE SCHEMA "+quoted(schema)+";"+strings.ReplaceAll(c.sql, "@", quoted(schema)))
			require.NoError(t, err)
			t.Cleanup(func() { _, _ = pool.Exec(context.Background(), "DROP SCHEMA "+quoted(schema)+" CASCADE") })
			before := objects(t, pool, schema)
			s := pgstore.New(pool, pgstore.Options{Schema: schema})
			err = s.Migrate(t.Context(), pgstore.Latest)
			var se *pgstore.SchemaError
			require.ErrorAs(t, err, &se)
			require.ErrorContains(t, err, c.says)
			require.ErrorAs(t, s.Check(t.Context()), &se)
			assert.Equal(t, before, objects(t, pool, schema), "nothing half made")
		})
	}
}

// A schema that lost a part, or that somebody has restored in part.
func TestHalfSchema(t *testing.T) {
	schema := unusedSchema(t)
	s, pool := openPool(t, pgstore.Options{Schema: schema})
	for _, sql := range []string{"DROP FUNCTION @.handoff_remove", "DROP TABLE @.handoff_cursor CASCADE", "DROP TABLE @.handoff_session"} {
		_, err := pool.Exec(t.Context(), strings.ReplaceAll(sql, "@", quoted(schema)))
		require.NoError(t, err)
	}
	var se *pgstore.SchemaError
	require.ErrorAs(t, s.Check(t.Context()), &se)
	assert.Equal(t, []string{"handoff_cursor", "handoff_owed", "handoff_remove", "handoff_session"}, se.Missing)
}

func TestCheck(t *testing.T) {
	schema := unusedSchema(t)
	with := func(key, value string) *pgstore.Store {
		s, _ := openPool(t, pgstore.Options{Schema: schema}, func(cfg *pgxpool.Config) {
			cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
		})
		if key == "" {
			return s
		}
		s, _ = openOnly(t, pgstore.Options{Schema: schema}, func(cfg *pgxpool.Config) {
			cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
			cfg.ConnConfig.RuntimeParams[key] = value
		})
		return s
	}
	require.NoError(t, with("", "").Check(t.Context()))
	require.ErrorIs(t, with("synchronous_commit", "off").Check(t.Context()), pgstore.ErrNotDurable)

	s := with("default_transaction_isolation", "repeatable read")
	require.ErrorIs(t, s.Check(t.Context()), pgstore.ErrIsolation)
	require.ErrorIs(t, s.Commit(t.Context(), record("c"), entry(1)), pgstore.ErrIsolation)

	s = with("default_transaction_read_only", "on")
	require.ErrorIs(t, s.Check(t.Context()), pgstore.ErrReadOnly)
	var pe *pgconn.PgError
	require.ErrorAs(t, s.Commit(t.Context(), record("c"), entry(1)), &pe)
	assert.Equal(t, "25006", pe.Code)
	require.ErrorAs(t, s.Migrate(t.Context(), pgstore.Latest), &pe)
	_, err := s.Get(t.Context(), record("c").ID)
	require.ErrorIs(t, err, handoff.ErrNotFound, "nothing was written")
}

func TestWrongCredentials(t *testing.T) {
	s, _ := openOnly(t, pgstore.Options{}, func(cfg *pgxpool.Config) {
		cfg.ConnConfig.User, cfg.ConnConfig.Password = "nobody_of_that_name", "open sesame"
	})
	for _, err := range []error{s.Check(t.Context()), s.Migrate(t.Context(), pgstore.Latest), s.Commit(t.Context(), record("c"), entry(1))} {
		var ce *pgconn.ConnectError
		require.ErrorAs(t, err, &ce)
		assert.ErrorContains(t, err, "nobody_of_that_name")
		assert.NotContains(t, err.Error(), "sesame")
	}
}

// What PostgreSQL cannot store is refused as a whole, and leaves the others of
// a batch alone.
func TestHostileValues(t *testing.T) {
	s := open(t, pgstore.Options{})
	ctx := t.Context()
	bad := map[string]func(*handoff.Record){
		"NUL":           func(r *handoff.Record) { r.User = "a\x00b" },
		"invalid UTF-8": func(r *handoff.Record) { r.Tags = []string{"\xff"} },
		"1 MiB name":    func(r *handoff.Record) { r.ID.Conversation = noise(1 << 20) },
		"1 MiB key":     func(r *handoff.Record) { r.Keys = []handoff.Key{{Name: noise(1 << 20), Max: 1, Units: 1}} },
	}
	for name, change := range bad {
		r := record(name)
		change(&r)
		require.Error(t, s.Commit(ctx, r, entry(1)), name)
		errs := s.CommitBatch(ctx, []handoff.Item{
			{Record: record("before " + name), Entries: []handoff.RecordEntry{entry(1)}},
			{Record: r, Entries: []handoff.RecordEntry{entry(1)}},
			{Record: record("after " + name), Entries: []handoff.RecordEntry{entry(1)}},
		})
		require.NoError(t, errs[0], name)
		require.Error(t, errs[1], name)
		require.NoError(t, errs[2], name)
	}
	n, err := s.Count(ctx, handoff.Query{})
	require.NoError(t, err)
	assert.Equal(t, 2*len(bad), n)

	big := record("big")
	big.Body = handoff.BodyOf([]byte(strings.Repeat("\x00\xff", 1<<19)))
	require.NoError(t, s.Commit(ctx, big, handoff.RecordEntry{ID: "e", Seq: 1, Body: big.Body}))
	got, err := s.Get(ctx, big.ID)
	require.NoError(t, err)
	assert.Equal(t, big.Body.Bytes(), got.Body.Bytes())
}
