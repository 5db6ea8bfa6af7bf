package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
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
	for _, sql := range []string{
		"DROP FUNCTION @.handoff_remove", "DROP TABLE @.handoff_cursor CASCADE", "DROP TABLE @.handoff_session", "ALTER TABLE @.handoff_key DROP COLUMN units",
	} {
		_, err := pool.Exec(t.Context(), strings.ReplaceAll(sql, "@", quoted(schema)))
		require.NoError(t, err)
	}
	missing := []string{"handoff_cursor", "handoff_key.units", "handoff_owed", "handoff_remove", "handoff_session"}
	before := objects(t, pool, schema)
	for _, err := range []error{s.Check(t.Context()), s.Migrate(t.Context(), pgstore.Latest), s.Migrate(t.Context(), 1), s.Migrate(t.Context(), 0)} {
		var se *pgstore.SchemaError
		require.ErrorAs(t, err, &se)
		assert.Equal(t, missing, se.Missing)
		assert.Equal(t, pgstore.Latest, se.Have)
	}
	assert.Equal(t, before, objects(t, pool, schema), "left alone")
}

// What Check looks for is all that the migrations make.
func TestPartsAreWhole(t *testing.T) {
	schema := unusedSchema(t)
	_, pool := openPool(t, pgstore.Options{Schema: schema})
	rows, err := pool.Query(t.Context(), `SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
			WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'r' AND c.relname <> 'handoff_schema' AND a.attnum > 0 AND NOT a.attisdropped
		UNION SELECT relname::text FROM pg_class WHERE relnamespace = $1::text::regnamespace AND relkind = 'v'
		UNION SELECT proname::text FROM pg_proc WHERE pronamespace = $1::text::regnamespace`, quoted(schema))
	require.NoError(t, err)
	made, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	assert.ElementsMatch(t, made, pgstore.Parts())
}

// A step does not build on a version that lacks a part.
func TestHalfStep(t *testing.T) {
	schema := unusedSchema(t)
	s, pool := openOnly(t, pgstore.Options{Schema: schema})
	t.Cleanup(func() { _, _ = pool.Exec(context.Background(), "DROP SCHEMA "+quoted(schema)+" CASCADE") })
	require.NoError(t, s.Migrate(t.Context(), 1))
	_, err := pool.Exec(t.Context(), "DROP TABLE "+quoted(schema)+".handoff_entry CASCADE")
	require.NoError(t, err)
	for _, version := range []int{pgstore.Latest, 0} {
		var se *pgstore.SchemaError
		require.ErrorAs(t, s.Migrate(t.Context(), version), &se)
		assert.Equal(t, pgstore.SchemaError{Have: 1, Need: pgstore.Latest, Missing: []string{"handoff_entry", "handoff_owed"}}, *se)
	}
}

// Who did not migrate, or whose schema lost a part while he runs, hears that
// from the call.
func TestUnfitAtCall(t *testing.T) {
	ctx := t.Context()
	s, pool := openPool(t, pgstore.Options{Schema: unusedSchema(t)})
	unfit := func(err error) {
		t.Helper()
		var se *pgstore.SchemaError
		require.ErrorAs(t, err, &se)
		assert.Equal(t, -1, se.Have)
		require.ErrorContains(t, err, "call Migrate")
		var pe *pgconn.PgError
		require.ErrorAs(t, err, &pe, "what the server said")
	}
	never := pgstore.New(pool, pgstore.Options{Schema: unusedSchema(t)})
	_, err := never.Latest(ctx, "c")
	unfit(err)
	_, err = never.Claim(ctx, handoff.Claim{Limit: 1})
	unfit(err)
	unfit(never.Commit(ctx, record("c"), entry(1)))
	unfit(never.Presence().Want(ctx, "ann", true, "", time.Now()))
	require.NoError(t, s.Migrate(ctx, 0))
	unfit(s.Commit(ctx, record("c"), entry(1)))
	unfit(pgstore.ForceGroup(s).Commit(ctx, record("c"), entry(1)))
}

// PostgreSQL shortens names without a word, so that the schemas of two tenants
// would be one. Such a name, and one that is no text, is refused by every call.
func TestSchemaNames(t *testing.T) {
	ctx := t.Context()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	long := strings.Repeat("t", 63)
	s, pool := openPool(t, pgstore.Options{Schema: long})
	for _, name := range []string{long + "2", long + "é", strings.Repeat("t", 62) + "\x00" + "t", long[:60] + "\xff"} {
		other := pgstore.New(pool, pgstore.Options{Schema: name})
		_, err1 := other.Latest(ctx, "c")
		_, err2 := other.List(ctx, handoff.Query{})
		_, err3 := other.Claim(ctx, handoff.Claim{Limit: 1})
		tx, err := pool.Begin(ctx)
		require.NoError(t, err)
		t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
		for _, err := range []error{
			other.Migrate(ctx, pgstore.Latest), other.Migrate(ctx, 0), other.Check(ctx), other.Commit(ctx, record("c"), entry(1)), err1, err2, err3,
			other.Tx(tx).Commit(ctx, record("c"), entry(1)), other.Presence().Want(ctx, "ann", true, "", time.Now()),
			pgstore.CommitEach(ctx, other, []handoff.Item{{Record: record("d"), Entries: []handoff.RecordEntry{entry(1)}}})[0],
			other.Listen(ended, func(handoff.Hint) {}),
		} {
			var ie *handoff.InvalidError
			require.ErrorAs(t, err, &ie)
			assert.Equal(t, "Options.Schema", ie.Field)
		}
		require.NoError(t, tx.Rollback(ctx))
	}
	n, err := s.Count(ctx, handoff.Query{})
	require.NoError(t, err)
	assert.Zero(t, n)
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
	require.ErrorIs(t, s.Commit(t.Context(), record("c"), entry(1)), pgstore.ErrReadOnly)
	require.ErrorIs(t, s.Migrate(t.Context(), pgstore.Latest), pgstore.ErrReadOnly)
	require.ErrorIs(t, s.Ack(t.Context(), handoff.Ack{ID: record("c").ID, Cursor: "x", Seq: 1}), pgstore.ErrReadOnly)
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
		require.ErrorIs(t, err, pgstore.ErrDenied)
		assert.ErrorContains(t, err, "nobody_of_that_name")
		assert.NotContains(t, err.Error(), "sesame")
	}
}

// The server of the other tests trusts everybody. One that does not lets nobody
// in with a wrong password.
func TestWrongPassword(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte("open sesame\n"), 0o600))
	if os.Getuid() == 0 { // somebody else reads it
		require.NoError(t, os.Chmod(filepath.Dir(password), 0o755))               //nolint:gosec // for a minute, on a machine that tests
		require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(password)), 0o755)) //nolint:gosec // as above
		require.NoError(t, os.Chmod(password, 0o644))                             //nolint:gosec // as above
	}
	server := cluster(t, "--auth=scram-sha-256", "--pwfile="+password)
	address, err := server.Start("fsync=off")
	require.NoError(t, err)
	as := func(password string) *pgstore.Store {
		s, _ := openOnly(t, pgstore.Options{}, at(t, address), func(cfg *pgxpool.Config) { cfg.ConnConfig.Password = password })
		return s
	}
	require.NoError(t, as("open sesame").Migrate(t.Context(), pgstore.Latest))
	for _, password := range []string{"open barley", ""} {
		s := as(password)
		for _, err := range []error{s.Check(t.Context()), s.Migrate(t.Context(), pgstore.Latest), s.Commit(t.Context(), record("c"), entry(1))} {
			require.ErrorIs(t, err, pgstore.ErrDenied)
			assert.NotContains(t, err.Error(), "barley")
		}
	}
}

func TestUnknownDatabase(t *testing.T) {
	s, _ := openOnly(t, pgstore.Options{}, func(cfg *pgxpool.Config) { cfg.ConnConfig.Database = "none_of_that_name" })
	_, err := s.Latest(t.Context(), "c")
	for _, err := range []error{s.Check(t.Context()), s.Migrate(t.Context(), pgstore.Latest), s.Commit(t.Context(), record("c"), entry(1)), err} {
		require.ErrorIs(t, err, pgstore.ErrNoDatabase)
	}
}

// A server that has as many sessions as it lets in, and one that has no room for
// more locks, say so to everybody who comes; then work goes on.
func TestServerExhausted(t *testing.T) {
	ctx := t.Context()
	server := cluster(t)
	address, err := server.Start("fsync=off", "max_connections=5", "superuser_reserved_connections=0", "max_wal_senders=0", "max_locks_per_transaction=10")
	require.NoError(t, err)
	s, pool := openOnly(t, pgstore.Options{}, at(t, address))
	require.NoError(t, s.Migrate(ctx, pgstore.Latest))
	full := make([]handoff.Item, 300) // the locks that the server has are 100 and some
	for i := range full {
		full[i] = with(fmt.Sprint("f", i), 9)
	}
	tx, err := pool.Begin(ctx)
	require.NoError(t, err)
	err = errors.Join(s.Tx(tx).CommitBatch(ctx, full)...)
	require.NoError(t, tx.Rollback(ctx))
	require.ErrorIs(t, err, pgstore.ErrNoMemory)
	pool.Close()

	others, err := pgxpool.New(ctx, address+" pool_max_conns=5")
	require.NoError(t, err)
	defer others.Close()
	for range 5 {
		conn, err := others.Acquire(ctx)
		require.NoError(t, err)
		defer conn.Release()
	}
	s, _ = openOnly(t, pgstore.Options{}, at(t, address))
	_, err = s.Latest(ctx, "c")
	for _, err := range []error{s.Check(ctx), s.Migrate(ctx, pgstore.Latest), s.Commit(ctx, record("c"), entry(1)), err} {
		require.ErrorIs(t, err, pgstore.ErrNoConnection)
	}
}

// Where the host has all connections of the pool, a call says so when its time
// is over, and the next one goes on.
func TestPoolExhausted(t *testing.T) {
	s, pool := openPool(t, pgstore.Options{}, func(cfg *pgxpool.Config) { cfg.MaxConns = 1 })
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	<-ctx.Done()
	_, err1 := s.Latest(ctx, "c")
	_, err2 := s.Claim(ctx, handoff.Claim{Limit: 1})
	for _, err := range []error{
		s.Commit(ctx, record("c"), entry(1)), err1, err2, s.Check(ctx), s.Migrate(ctx, pgstore.Latest),
		s.CommitBatch(ctx, []handoff.Item{{Record: record("d"), Entries: []handoff.RecordEntry{entry(1)}}})[0],
	} {
		require.ErrorIs(t, err, pgstore.ErrNoConnection)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	conn.Release()
	require.NoError(t, s.Commit(t.Context(), record("c"), entry(1)), "nothing was stored")
}

// A role needs no more than its README says; what it lacks is named.
func TestRole(t *testing.T) {
	ctx := t.Context()
	schema, role := unusedSchema(t), nextSchema()
	_, pool := openPool(t, pgstore.Options{Schema: schema})
	do := func(sql string) {
		t.Helper()
		_, err := pool.Exec(ctx, strings.NewReplacer("@", quoted(schema), "$", quoted(role)).Replace(sql))
		require.NoError(t, err)
	}
	do("CREATE ROLE $ NOLOGIN")
	t.Cleanup(func() {
		_, _ = pool.Exec(context.Background(), "DROP OWNED BY "+quoted(role))
		_, _ = pool.Exec(context.Background(), "DROP ROLE "+quoted(role))
	})
	s, _ := openOnly(t, pgstore.Options{Schema: schema}, func(cfg *pgxpool.Config) {
		cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
		cfg.ConnConfig.RuntimeParams["role"] = role
	})
	for _, err := range []error{s.Check(ctx), s.Migrate(ctx, pgstore.Latest), s.Commit(ctx, record("c"), entry(1))} {
		require.ErrorIs(t, err, pgstore.ErrDenied)
	}
	do("GRANT USAGE ON SCHEMA @ TO $")
	require.ErrorIs(t, s.Commit(ctx, record("c"), entry(1)), pgstore.ErrDenied)
	do("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA @ TO $")
	require.NoError(t, s.Check(ctx))
	require.NoError(t, s.Commit(ctx, record("c"), entry(1)))
	require.NoError(t, s.Presence().Want(ctx, "ann", true, "", time.Now()))
	_, err := s.Claim(ctx, handoff.Claim{Limit: 1})
	require.NoError(t, err)
	require.NoError(t, s.Delete(ctx, record("c").ID, 1))
	require.ErrorIs(t, s.Migrate(ctx, pgstore.Latest), pgstore.ErrDenied)
}
