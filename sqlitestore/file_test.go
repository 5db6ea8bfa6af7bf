package sqlitestore_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/enginetest"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

func synced(o *sqlitestore.Options) { o.NoSync = false }

func TestCheck(t *testing.T) {
	ctx := t.Context()
	s := open(t, synced)
	require.NoError(t, s.Check(ctx))
	require.ErrorIs(t, open(t).Check(ctx), sqlitestore.ErrNotDurable)
	require.NoError(t, sqlitestore.Pragma(ctx, s, "query_only = 1"))
	require.ErrorIs(t, s.Check(ctx), sqlitestore.ErrReadOnly)
}

func TestOpenRefuses(t *testing.T) {
	ctx := t.Context()
	path := file(t)
	require.NoError(t, openFile(t, path).Commit(ctx, record("c"), entry(1)))
	text := filepath.Join(t.TempDir(), "text.db")
	require.NoError(t, os.WriteFile(text, bytes.Repeat([]byte("no database "), 1000), 0o600))
	cut := file(t)
	s, err := sqlitestore.Open(ctx, cut, sqlitestore.Options{NoSync: true})
	require.NoError(t, err)
	require.NoError(t, s.Migrate(ctx, sqlitestore.Latest))
	require.NoError(t, s.Close())
	info, err := os.Stat(cut)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(cut, info.Size()/2))
	for name, c := range map[string]struct {
		path string
		opt  sqlitestore.Options
		want error
		says string
	}{
		"no folder":  {path: filepath.Join(t.TempDir(), "there is no", "x.db"), want: os.ErrNotExist},
		"folder":     {path: t.TempDir(), says: "unable to open"},
		"text":       {path: text, want: sqlitestore.ErrDamaged},
		"cut":        {path: cut, want: sqlitestore.ErrDamaged},
		"memory":     {path: ":memory:", want: sqlitestore.ErrNoFile, says: `":memory:"`},
		"nameless":   {want: sqlitestore.ErrNoFile},
		"memory URI": {path: "file:shared?mode=memory&cache=shared", want: sqlitestore.ErrNoFile},
		"prefix":     {path: file(t), opt: sqlitestore.Options{Prefix: "SQLite_x"}, says: "Options.Prefix"},
	} {
		_, err = sqlitestore.Open(ctx, c.path, c.opt)
		require.Error(t, err, name)
		if c.want != nil {
			require.ErrorIs(t, err, c.want, name)
		}
		require.ErrorContains(t, err, c.says, name)
	}
	after, err := os.ReadFile(text)
	require.NoError(t, err)
	assert.Equal(t, bytes.Repeat([]byte("no database "), 1000), after, "left alone")

	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = sqlitestore.Open(canceled, file(t), sqlitestore.Options{})
	require.ErrorIs(t, err, context.Canceled)
}

// A file that may not be written is an error of each call that writes, from the
// start or, where it becomes so, from then on. What is there can be read, and is
// what it was; one that is not there yet is no file.
func TestReadOnly(t *testing.T) {
	ctx := t.Context()
	_, err := sqlitestore.Open(ctx, "file:"+filepath.Join(t.TempDir(), "y.db")+"?mode=ro", sqlitestore.Options{})
	require.ErrorContains(t, err, "unable to open")
	for name, readOnly := range map[string]func(t *testing.T, path string, s *sqlitestore.Store) *sqlitestore.Store{
		"from the start": func(t *testing.T, path string, _ *sqlitestore.Store) *sqlitestore.Store {
			t.Helper()
			ro, err := sqlitestore.Open(ctx, "file:"+path+"?mode=ro", sqlitestore.Options{})
			require.NoError(t, err, "it can be read, since it is in WAL mode already")
			t.Cleanup(func() { require.NoError(t, ro.Close()) })
			return ro
		},
		"from then on": func(t *testing.T, _ string, s *sqlitestore.Store) *sqlitestore.Store {
			t.Helper()
			require.NoError(t, sqlitestore.Pragma(ctx, s, "query_only = 1"))
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			s := openFile(t, path)
			r := record("c")
			r.Wake = time.UnixMilli(1)
			require.NoError(t, s.Commit(ctx, r, entry(1)))
			before, err := s.Get(ctx, r.ID)
			require.NoError(t, err)

			ro := readOnly(t, path, s)
			tomb := record("tomb")
			tomb.Version = 1
			_, claim := ro.Claim(ctx, handoff.Claim{Now: time.Now(), Lease: time.Minute, Limit: 1})
			_, lead := ro.Lead(ctx, r.ID, "x", time.Now(), time.Minute)
			for call, err := range map[string]error{
				"Check":  ro.Check(ctx),
				"Commit": ro.Commit(ctx, record("d"), entry(1)),
				"Batch":  ro.CommitBatch(ctx, []handoff.Item{{Record: record("d"), Entries: []handoff.RecordEntry{entry(1)}}})[0],
				"Claim":  claim,
				"Lead":   lead,
				"Ack":    ro.Ack(ctx, handoff.Ack{ID: r.ID, Cursor: "x", Seq: 1}),
				"Erase":  ro.Erase(ctx, "c", tomb),
				"Delete": ro.Delete(ctx, r.ID, 1),
			} {
				require.ErrorIs(t, err, sqlitestore.ErrReadOnly, call)
			}
			got, err := ro.Get(ctx, r.ID)
			require.NoError(t, err)
			assert.Equal(t, before, got)
			log, err := ro.Log(ctx, r.ID, 0, 10)
			require.NoError(t, err)
			assert.Len(t, log, 1)

			other := openFile(t, path)
			_, err = other.Get(ctx, record("d").ID)
			require.ErrorIs(t, err, handoff.ErrNotFound, "nothing was written")
			claimed, err := other.Claim(ctx, handoff.Claim{Now: time.Now(), Lease: time.Minute, Limit: 1})
			require.NoError(t, err)
			assert.Len(t, claimed.Due, 1, "nor was it claimed")
		})
	}
}

// A file that somebody deletes, moves or replaces while it is open takes no more
// commits: nobody would find them. Who opens it again works with what is there.
func TestMoved(t *testing.T) {
	for name, move := range map[string]func(t *testing.T, path string){
		"deleted": func(t *testing.T, path string) {
			t.Helper()
			for _, suffix := range []string{"", "-wal", "-shm"} {
				require.NoError(t, os.Remove(path+suffix))
			}
		},
		"moved": func(t *testing.T, path string) { t.Helper(); require.NoError(t, os.Rename(path, path+".away")) },
		"log":   func(t *testing.T, path string) { t.Helper(); require.NoError(t, os.Remove(path+"-wal")) },
		"replaced": func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.WriteFile(path+".new", nil, 0o600))
			require.NoError(t, os.Rename(path+".new", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			path := file(t)
			s := openFile(t, path)
			require.NoError(t, s.Commit(ctx, record("c"), entry(1)))
			move(t, path)
			for _, err := range []error{
				s.Commit(ctx, record("d"), entry(1)), s.CommitBatch(ctx, []handoff.Item{{Record: record("e"), Entries: []handoff.RecordEntry{entry(1)}}})[0],
				s.Ack(ctx, handoff.Ack{ID: record("c").ID, Cursor: "x", Seq: 1}), s.Check(ctx), s.Migrate(ctx, sqlitestore.Latest),
			} {
				require.ErrorIs(t, err, sqlitestore.ErrMoved)
			}
			_, err := s.Get(ctx, record("d").ID)
			require.Error(t, err, "nothing was written")
			if name == "deleted" {
				_, err = os.Stat(path)
				require.ErrorIs(t, err, os.ErrNotExist, "it does not come back empty")
				again := openFile(t, path)
				require.NoError(t, again.Commit(ctx, record("d"), entry(1)))
				require.ErrorIs(t, s.Commit(ctx, record("f"), entry(1)), sqlitestore.ErrMoved, "the file that is there is another")
			}
		})
	}
}

// Whoever closes a store lets go of its files: SQLite removes the log with the
// last connection that is really closed.
func TestCloseLetsGo(t *testing.T) {
	path := file(t)
	s, err := sqlitestore.Open(t.Context(), path, sqlitestore.Options{NoSync: true})
	require.NoError(t, err)
	require.NoError(t, s.Migrate(t.Context(), sqlitestore.Latest))
	require.NoError(t, s.Commit(t.Context(), record("c"), entry(1)))
	_, err = s.Get(t.Context(), record("c").ID)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	for _, suffix := range []string{"-wal", "-shm"} {
		_, err = os.Stat(path + suffix)
		require.ErrorIs(t, err, os.ErrNotExist, suffix)
	}
}

// Without a connection there is no log either. That is no file that was moved:
// the next connection makes another log.
func TestConnectionsDropped(t *testing.T) {
	ctx := t.Context()
	path := file(t)
	s := openFile(t, path)
	require.NoError(t, s.Commit(ctx, record("c"), entry(1)))
	for _, name := range []string{"d", "e"} {
		require.NoError(t, sqlitestore.Drop(ctx, s))
		_, err := os.Stat(path + "-wal")
		require.ErrorIs(t, err, os.ErrNotExist)
		require.NotErrorIs(t, s.Check(ctx), sqlitestore.ErrMoved)
		require.NoError(t, sqlitestore.Drop(ctx, s))
		require.NoError(t, s.Commit(ctx, record(name), entry(1)))
	}
	require.NoError(t, sqlitestore.Drop(ctx, s))
	require.NoError(t, os.Rename(path, path+".away"))
	require.ErrorIs(t, s.Commit(ctx, record("f"), entry(1)), sqlitestore.ErrMoved)

	// In its place there is another, which nobody is told to migrate.
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, err := s.Get(ctx, record("c").ID)
	require.ErrorIs(t, err, sqlitestore.ErrMoved)
	var unfit *sqlitestore.SchemaError
	require.NotErrorAs(t, err, &unfit)
}

// Who did not migrate hears that from the call.
func TestUnfitAtCall(t *testing.T) {
	ctx := t.Context()
	s, err := sqlitestore.Open(ctx, file(t), sqlitestore.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	_, err1 := s.Latest(ctx, "c")
	_, err2 := s.Claim(ctx, handoff.Claim{Limit: 1})
	for _, err := range []error{s.Commit(ctx, record("c"), entry(1)), err1, err2} {
		var se *sqlitestore.SchemaError
		require.ErrorAs(t, err, &se)
		require.Equal(t, -1, se.Have)
		require.ErrorContains(t, err, "call Migrate")
		require.ErrorContains(t, err, "no such table")
	}
}

// A new file has small pages, of which a commit writes one for each table and
// index; one that is there is used as it is.
func TestPages(t *testing.T) {
	ctx := t.Context()
	size := func(path string) (n int) {
		require.NoError(t, raw(t, path).QueryRowContext(ctx, "PRAGMA page_size").Scan(&n))
		return n
	}
	fresh := filepath.Join(t.TempDir(), "fresh.db")
	require.NoError(t, openFile(t, fresh).Commit(ctx, record("c"), entry(1)))
	require.Equal(t, 1024, size(fresh))

	before := filepath.Join(t.TempDir(), "before.db")
	_, err := raw(t, before).ExecContext(ctx, "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; CREATE TABLE of_the_host (x)")
	require.NoError(t, err)
	s := openFile(t, before)
	require.NoError(t, s.Commit(ctx, record("c"), entry(1)))
	_, err = s.Get(ctx, record("c").ID)
	require.NoError(t, err)
	require.Equal(t, 4096, size(before))
}

// A disk that is full refuses, keeps what it has, and goes on when there is
// room again.
func TestFull(t *testing.T) {
	ctx := t.Context()
	s := open(t)
	require.NoError(t, s.Commit(ctx, record("c"), entry(1)))
	require.NoError(t, sqlitestore.Pragma(ctx, s, "max_page_count = 160"))
	big := record("big")
	big.Keys = []handoff.Key{{Name: "seat", Max: 1, Units: 1}}
	big.Body = handoff.BodyOf(bytes.Repeat([]byte("x"), 1<<20))
	require.ErrorIs(t, s.Commit(ctx, big, entry(1)), sqlitestore.ErrFull)
	errs := s.CommitBatch(ctx, []handoff.Item{
		{Record: record("before"), Entries: []handoff.RecordEntry{entry(1)}},
		{Record: big, Entries: []handoff.RecordEntry{entry(1)}},
		{Record: record("after"), Entries: []handoff.RecordEntry{entry(1)}},
	})
	require.NoError(t, errs[0])
	require.ErrorIs(t, errs[1], sqlitestore.ErrFull)
	require.NoError(t, errs[2])
	n, err := s.Count(ctx, handoff.Query{})
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	held, err := s.Holders(ctx, "seat")
	require.NoError(t, err)
	assert.Empty(t, held, "nothing half written")
	require.NoError(t, sqlitestore.Pragma(ctx, s, "max_page_count = 100000"))
	require.NoError(t, s.Commit(ctx, big, entry(1)))
}

// What is not a name is refused as a whole, and leaves the others of a batch
// alone.
func TestHostileValues(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	item := func(r handoff.Record) handoff.Item {
		return handoff.Item{Record: r, Entries: []handoff.RecordEntry{entry(1)}}
	}
	for name, c := range map[string]struct {
		field  string
		change func(*handoff.Record)
	}{
		"NUL":           {"user", func(r *handoff.Record) { r.User = "a\x00b" }},
		"invalid UTF-8": {"tag", func(r *handoff.Record) { r.Tags = []string{"\xff"} }},
		"conversation":  {"conversation", func(r *handoff.Record) { r.ID.Conversation = "\xc3" }},
		"key":           {"key", func(r *handoff.Record) { r.Keys = []handoff.Key{{Name: "\xff"}} }},
		"owed":          {"owed", func(r *handoff.Record) { r.Owed = []handoff.Owed{{Cursor: "\x00"}} }},
	} {
		r := record(name)
		c.change(&r)
		var ne *handoff.InvalidError
		require.ErrorAs(t, s.Commit(ctx, r, entry(1)), &ne, name)
		assert.Equal(t, c.field, ne.Field)
		errs := s.CommitBatch(ctx, []handoff.Item{item(record("before " + name)), item(r), item(record("after " + name))})
		require.NoError(t, errs[0], name)
		require.ErrorAs(t, errs[1], &ne, name)
		require.NoError(t, errs[2], name)
	}
	n, err := s.Count(ctx, handoff.Query{})
	require.NoError(t, err)
	assert.Equal(t, 10, n)

	big := record(strings.Repeat("n", 1<<20))
	big.Keys = []handoff.Key{{Name: strings.Repeat("k", 1<<20), Max: 1, Units: 1}}
	big.Body = handoff.BodyOf([]byte(strings.Repeat("\x00\xff", 1<<19)))
	require.NoError(t, s.Commit(ctx, big, handoff.RecordEntry{ID: "e", Seq: 1, Body: big.Body}))
	got, err := s.Get(ctx, big.ID)
	require.NoError(t, err)
	assert.Equal(t, big.Body.Bytes(), got.Body.Bytes())
}

// Who waits for another process gives up when told to, or after a while.
func TestBusy(t *testing.T) {
	ctx := t.Context()
	path := file(t)
	s := openFile(t, path, func(o *sqlitestore.Options) { o.Busy = 50 * time.Millisecond })
	tx, err := raw(t, path).BeginTx(ctx, nil) // as another process does
	require.NoError(t, err)
	require.ErrorIs(t, s.Commit(ctx, record("c"), entry(1)), sqlitestore.ErrBusy)
	canceled, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
	defer cancel()
	patient := openFile(t, path+"2", func(o *sqlitestore.Options) { o.Busy = time.Hour })
	tx2, err := raw(t, path+"2").BeginTx(ctx, nil)
	require.NoError(t, err)
	require.ErrorIs(t, patient.Commit(canceled, record("c"), entry(1)), context.DeadlineExceeded)
	done := make(chan error)
	go func() { done <- patient.Commit(ctx, record("c"), entry(1)) }()
	_, err = patient.Get(ctx, record("c").ID)
	require.ErrorIs(t, err, handoff.ErrNotFound, "readers wait for nobody")
	require.NoError(t, tx2.Rollback())
	require.NoError(t, <-done)
	require.NoError(t, tx.Rollback())
	require.NoError(t, s.Commit(ctx, record("c"), entry(1)))
}

// Commits that come together are written together. Who gives up before they
// are is not written, and disturbs nobody.
func TestGroup(t *testing.T) {
	ctx := t.Context()
	s := open(t)
	release, err := sqlitestore.Hold(ctx, s)
	require.NoError(t, err)
	const n = 20
	errs := make(chan error, n)
	for i := range n {
		go func() {
			r := record("c") // all the same: one of them wins
			r.User = string(rune('a' + i))
			errs <- s.Commit(ctx, r, entry(1))
		}()
	}
	waiting := func(n int) { enginetest.Eventually(t, "a queue", func() bool { return sqlitestore.Queued(s) == n }) }
	waiting(n)
	hasty, cancel := context.WithCancel(ctx)
	gone := make(chan error)
	go func() { gone <- s.Commit(hasty, record("hasty"), entry(1)) }()
	waiting(n + 1)
	cancel()
	require.ErrorIs(t, <-gone, context.Canceled)
	release()
	won := 0
	for range n {
		if err := <-errs; err == nil {
			won++
		} else {
			require.ErrorIs(t, err, handoff.ErrConflict)
		}
	}
	assert.Equal(t, 1, won)
	_, err = s.Get(ctx, record("hasty").ID)
	require.ErrorIs(t, err, handoff.ErrNotFound)
}

// The file, which has what people said, is for its owner alone.
func TestFileMode(t *testing.T) {
	path := file(t)
	s := openFile(t, path)
	require.NoError(t, s.Commit(t.Context(), record("c"), entry(1)))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), suffix)
	}
}
