package sqlitestore_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/enginetest"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

func entry(seq int64) handoff.RecordEntry {
	return handoff.RecordEntry{ID: "e", Seq: seq, Body: handoff.BodyOf([]byte("x"))}
}

func record(conversation string) handoff.Record {
	return handoff.Record{ID: handoff.ID{Conversation: conversation, Number: 1}, Seq: 1, Body: handoff.BodyOf([]byte("x"))}
}

// file returns a path with what needs quotes.
func file(t *testing.T) string { return filepath.Join(t.TempDir(), `a %41?b#c "d" é.db`) }

// odd is a prefix that needs quotes.
func odd(o *sqlitestore.Options) { o.Prefix = `Odd "name" ` }

// raw opens a file without the store.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	path = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// objects lists what is in a file.
func objects(t *testing.T, path string) (list string) {
	t.Helper()
	require.NoError(t, raw(t, path).QueryRow("SELECT coalesce(group_concat(name, ', '), '') FROM (SELECT name FROM sqlite_schema ORDER BY name)").Scan(&list))
	return list
}

func TestMigrate(t *testing.T) {
	ctx := t.Context()
	path := file(t)
	s := openFile(t, path, odd)
	full := objects(t, path)
	require.NoError(t, s.Commit(ctx, record("c"), entry(1)))
	require.NoError(t, s.Migrate(ctx, sqlitestore.Latest), "again")
	assert.Equal(t, full, objects(t, path))
	_, err := s.Get(ctx, record("c").ID)
	require.NoError(t, err, "what is stored stays")

	other := openFile(t, path, func(o *sqlitestore.Options) { o.Prefix = "other_" })
	_, err = other.Get(ctx, record("c").ID)
	require.ErrorIs(t, err, handoff.ErrNotFound, "another prefix, another store")
	require.NoError(t, other.Migrate(ctx, 0))
	assert.Equal(t, full, objects(t, path))

	for v := sqlitestore.Latest; v > 0; v-- {
		require.NoError(t, s.Migrate(ctx, v-1))
	}
	assert.Empty(t, objects(t, path), "everything is gone")
	var se *sqlitestore.SchemaError
	require.ErrorAs(t, s.Check(ctx), &se)
	assert.Zero(t, se.Have)
	require.Error(t, s.Commit(ctx, record("c"), entry(1)))
	require.NoError(t, s.Migrate(ctx, sqlitestore.Latest))
	require.NoError(t, s.Commit(ctx, record("c"), entry(1)), "and is there again")

	require.Error(t, s.Migrate(ctx, sqlitestore.Latest+1))
	require.Error(t, s.Migrate(ctx, -1))
}

func TestMigrateAtOnce(t *testing.T) {
	path := file(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			s, err := sqlitestore.Open(t.Context(), path, sqlitestore.Options{NoSync: true})
			if err == nil {
				err = errors.Join(s.Migrate(t.Context(), sqlitestore.Latest), s.Commit(t.Context(), record(string(rune('a'+i))), entry(1)), s.Close())
			}
			errs[i] = err
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	n, err := openFile(t, path).Count(t.Context(), handoff.Query{})
	require.NoError(t, err)
	assert.Equal(t, 8, n)
}

// A build that is older than the schema leaves it alone.
func TestNewerSchema(t *testing.T) {
	path := file(t)
	s := openFile(t, path, odd)
	before := objects(t, path)
	require.NoError(t, sqlitestore.Exec(t.Context(), s, `UPDATE "@schema" SET version = 99`))
	for _, err := range []error{s.Check(t.Context()), s.Migrate(t.Context(), sqlitestore.Latest), s.Migrate(t.Context(), 0)} {
		var se *sqlitestore.SchemaError
		require.ErrorAs(t, err, &se)
		assert.Equal(t, 99, se.Have)
		assert.ErrorContains(t, err, "newer than this build")
	}
	assert.Equal(t, before, objects(t, path))
}

func TestForeignSchema(t *testing.T) {
	for name, c := range map[string]struct{ sql, says string }{
		"table":   {`CREATE TABLE handoff_record (id int)`, "handoff_record"},
		"case":    {`CREATE TABLE HANDOFF_KEY (name, rec, units)`, "handoff_key"},
		"view":    {`CREATE VIEW handoff_log AS SELECT 1 AS conversation`, "handoff_log"},
		"version": {`CREATE TABLE handoff_schema (name text)`, "handoff_schema"},
		"index":   {`CREATE TABLE mine (x); CREATE INDEX handoff_cursor ON mine (x)`, "handoff_cursor"},
		"later":   {`CREATE TABLE mine (x); CREATE INDEX handoff_record_usr ON mine (x)`, "handoff_record_usr"},
	} {
		t.Run(name, func(t *testing.T) {
			path := file(t)
			_, err := raw(t, path).Exec(c.sql)
			require.NoError(t, err)
			before := objects(t, path)
			s, err := sqlitestore.Open(t.Context(), path, sqlitestore.Options{})
			require.NoError(t, err)
			defer func() { require.NoError(t, s.Close()) }()
			err = s.Migrate(t.Context(), sqlitestore.Latest)
			require.ErrorContains(t, err, c.says)
			var se *sqlitestore.SchemaError
			require.ErrorAs(t, err, &se)
			require.ErrorAs(t, s.Check(t.Context()), &se)
			assert.Equal(t, before, objects(t, path), "nothing half made")
		})
	}
}

// A file that lost a part, or that somebody has restored in part.
func TestHalfSchema(t *testing.T) {
	s := openFile(t, file(t))
	for _, q := range []string{`DROP VIEW "@owed"`, `DROP TABLE "@cursor"`} {
		require.NoError(t, sqlitestore.Exec(t.Context(), s, q))
	}
	for _, err := range []error{s.Check(t.Context()), s.Migrate(t.Context(), sqlitestore.Latest), s.Migrate(t.Context(), 0)} {
		var se *sqlitestore.SchemaError
		require.ErrorAs(t, err, &se)
		assert.Equal(t, []string{"handoff_cursor", "handoff_owed"}, se.Missing)
	}
}

// A step that fails leaves nothing.
func TestMigrateFails(t *testing.T) {
	path := file(t)
	s, err := sqlitestore.Open(t.Context(), path, sqlitestore.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.NoError(t, sqlitestore.Pragma(t.Context(), s, "max_page_count = 8"))
	require.ErrorIs(t, s.Migrate(t.Context(), sqlitestore.Latest), sqlitestore.ErrFull)
	assert.Empty(t, objects(t, path))
	require.NoError(t, sqlitestore.Pragma(t.Context(), s, "max_page_count = 1000"))
	require.NoError(t, s.Migrate(t.Context(), sqlitestore.Latest))
}

// The views are for people.
func TestViews(t *testing.T) {
	path := file(t)
	s := openFile(t, path)
	e := enginetest.Engine(t, s)
	out, err := e.Request(t.Context(), handoff.Request{Conversation: "c", Queue: "support", Priority: 3})
	require.NoError(t, err)
	require.NotZero(t, out.Handoff.ID)
	db := raw(t, path)
	var state, queue, since, at, body string
	var priority int
	require.NoError(t, db.QueryRow("SELECT state, queue, priority, since FROM handoff_handoffs WHERE conversation = 'c'").Scan(&state, &queue, &priority, &since))
	assert.Equal(t, []any{"waiting", "support", 3}, []any{state, queue, priority})
	assert.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$`, since)
	require.NoError(t, db.QueryRow("SELECT at, body FROM handoff_log WHERE conversation = 'c' AND seq = 1").Scan(&at, &body))
	assert.Regexp(t, `^{.*}$`, body)
	var rows int
	require.NoError(t, db.QueryRow("SELECT count(*) FROM handoff_owed").Scan(&rows))
}
