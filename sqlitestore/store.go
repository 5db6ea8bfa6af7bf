package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/seed-2a427302/handoff"
)

// Options are the rare choices. The zero value is a working default.
type Options struct {
	// Prefix begins the names of the tables; default "handoff_". Engines of
	// different tenants use different prefixes, or different files.
	Prefix string

	// NoSync does without the sync of the disk that each commit waits for
	// (synchronous=NORMAL): the last moments before a power loss may be gone.
	NoSync bool

	// Busy is how long a write waits for writers of other processes; default
	// 10s. Then it fails with ErrBusy.
	Busy time.Duration

	// NoListen spares looking for commits of other processes, where there are
	// none. HintEvery is how often it is done; default 20ms.
	NoListen  bool
	HintEvery time.Duration
}

// A Store is a handoff.Store in a SQLite file. Its methods may be called
// concurrently, and several processes of one host may use one file.
type Store struct {
	sql   queries
	opt   Options
	read  runner  // the readers, or a transaction of the caller
	write *writer // nil within a transaction of the caller
	group *group
	hints *hints
	close func() error
}

var (
	_ handoff.Store          = (*Store)(nil)
	_ handoff.Listener       = (*Store)(nil)
	_ handoff.AheadCounter   = (*Store)(nil)
	_ handoff.Counter        = (*Store)(nil)
	_ handoff.BatchCommitter = (*Store)(nil)
)

// A commit writes a page of each table and index that it touches, a dozen of
// them, and little into each, so that small pages halve what it writes. A file
// that is there keeps the pages that it has. The log is moved into the file,
// with a sync or two, when it has this many: as many bytes as SQLite's own
// number of its larger pages.
const (
	pageSize = "page_size(1024)"
	logSize  = "wal_autocheckpoint(4000)"
)

// Open opens a file, which is made if there is none, in a folder that is
// there. path may be a SQLite URI (file:…). Call Migrate to create or update
// the tables, or Check to see whether they fit. A path that cannot be opened or
// names no file (ErrNoFile), a file that takes no writes (ErrReadOnly) and one
// that is no SQLite database (ErrDamaged) are errors.
//
// The file must be on a disk of this host: WAL does not work over a network.
func Open(ctx context.Context, path string, opt Options) (*Store, error) {
	if opt.Prefix == "" {
		opt.Prefix = "handoff_"
	}
	if strings.ContainsRune(opt.Prefix, 0) || strings.HasPrefix(strings.ToLower(opt.Prefix), "sqlite_") {
		return nil, fmt.Errorf("sqlitestore: open: Options.Prefix %q cannot begin a table's name", opt.Prefix)
	}
	if opt.Busy == 0 {
		opt.Busy = 10 * time.Second
	}
	if opt.HintEvery == 0 {
		opt.HintEvery = 20 * time.Millisecond
	}
	if err := create(path); err != nil {
		return nil, wrap("open", err)
	}
	sync := "FULL"
	if opt.NoSync {
		sync = "NORMAL"
	}
	// fullfsync is for macOS, whose fsync does not reach the disk.
	writers, err := sql.Open("sqlite", dsn(path, pageSize, "busy_timeout(0)", "synchronous("+sync+")", "fullfsync(1)", logSize, "journal_size_limit(67108864)"))
	if err != nil {
		return nil, wrap("open", err)
	}
	readers, err := sql.Open("sqlite", dsn(path, "busy_timeout(10000)", "query_only(1)"))
	if err != nil {
		return nil, errors.Join(wrap("open", err), writers.Close())
	}
	n := max(4, runtime.GOMAXPROCS(0))
	readers.SetMaxOpenConns(n)
	readers.SetMaxIdleConns(n)
	writers.SetMaxIdleConns(1)
	s := &Store{sql: newQueries(opt.Prefix), opt: opt, write: newWriter(writers, opt.Busy), hints: &hints{readers: readers}}
	s.read = reading{newPool(readers), s.write.file}
	s.group = &group{s: s}
	s.close = func() error { return errors.Join(s.write.close(), readers.Close(), writers.Close()) }
	if err := s.write.wal(ctx); err != nil {
		return nil, errors.Join(wrap("open", refusal(path, err)), s.close())
	}
	return s, nil
}

// Close closes the file. The engine must have stopped.
func (s *Store) Close() error { return wrap("close", s.close()) }

// create makes a file that only its owner may read. It never opens one that is
// there: to close it again would drop the locks that this process has on it.
func create(path string) error {
	switch {
	case strings.HasPrefix(path, "file:"):
		return nil
	case path == "" || path == ":memory:": // SQLite's own names
		return fmt.Errorf("%w: %q", ErrNoFile, path)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the host says where
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// dsn makes a URI of a path.
func dsn(path string, pragmas ...string) string {
	v := url.Values{"_pragma": pragmas}
	if strings.HasPrefix(path, "file:") {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		return path + sep + v.Encode()
	}
	v.Set("mode", "rw") // the file is there; one that was deleted is not to come back empty
	path = filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		path = "/" + path
	}
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) + "?" + v.Encode()
}

// Check says whether this build can use the file: a *SchemaError when its
// tables are missing, older, newer or others, ErrReadOnly when it takes no
// writes, ErrMoved when it is not there any more, ErrNotDurable when acknowledged commits may be lost with the power.
func (s *Store) Check(ctx context.Context) error {
	if s.write != nil {
		if err := s.write.found(ctx); err != nil {
			return wrap("check", err)
		}
	}
	if err := s.fits(ctx); err != nil {
		return err
	}
	var mode string
	var sync int
	err := s.change(ctx, durable, func(ctx context.Context, w runner) error {
		if err := w.one(ctx, "PRAGMA journal_mode", nil, &mode); err != nil {
			return err
		}
		if err := w.one(ctx, "PRAGMA synchronous", nil, &sync); err != nil {
			return err
		}
		// Writes what is there: a file that was made read-only says so now.
		return do(ctx, w, s.sql.touch)
	})
	switch {
	case err != nil:
		return wrap("check", err)
	case mode != "wal":
		return fmt.Errorf("sqlitestore: check: %w: journal_mode is %s", ErrNotDurable, mode)
	case sync < 2:
		return fmt.Errorf("sqlitestore: check: %w: synchronous is NORMAL", ErrNotDurable)
	}
	return nil
}

// Tx returns a store within a transaction of the caller on the same file. What
// the engine commits through it takes effect with that transaction, or not at
// all. A refusal is found at once, and leaves the transaction usable.
//
// The transaction should begin with BEGIN IMMEDIATE (_txlock=immediate in this
// driver's connection string). One that has read before it writes fails when
// somebody else wrote meanwhile, and has to begin again.
func (s *Store) Tx(tx *sql.Tx) *Store {
	t := *s
	t.read, t.write, t.group = onTx{tx}, nil, nil
	t.close = func() error { return nil }
	return &t
}
