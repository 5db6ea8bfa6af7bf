package pgstore

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-2a427302/handoff"
)

// Options are the rare choices. The zero value is a working default.
type Options struct {
	// Schema is the Postgres schema that holds the tables; default "handoff".
	// Engines of different tenants use different schemas. A name that
	// PostgreSQL would shorten, of more than 63 bytes, is refused by every call.
	Schema string

	// NoListen keeps LISTEN and NOTIFY away, for databases behind a
	// transaction pooler. Other processes are then noticed by polling.
	NoListen bool

	// HintEvery is how long hints to other processes are gathered; default
	// 20ms.
	HintEvery time.Duration

	// CallerClock makes Claim decide by the time that it is given, and not by
	// the server's clock. It is for tests in a synctest bubble, whose time is
	// its own (handofftest.RunOn). A replica whose clock is ahead fires early.
	CallerClock bool
}

// A Store is a handoff.Store on PostgreSQL. Its methods may be called
// concurrently, and any number of processes may use one schema. It is closed
// by closing the pool.
type Store struct {
	pool   *pgxpool.Pool
	db     db    // the pool, or a transaction of the caller
	bad    error // of the schema's name: no call succeeds
	schema string
	sql    queries
	opt    Options
	hints  *hints
	busy   *atomic.Int64 // callers in Commit
	crowd  int64         // so few callers at once commit each for himself: a batch of two costs more than two commits
	group  *group        // nil: each commit travels alone
}

// db is what a pool, a connection and a transaction have in common.
type db interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Begin(ctx context.Context) (pgx.Tx, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

var (
	_ handoff.Store          = (*Store)(nil)
	_ handoff.Listener       = (*Store)(nil)
	_ handoff.AheadCounter   = (*Store)(nil)
	_ handoff.Counter        = (*Store)(nil)
	_ handoff.BatchCommitter = (*Store)(nil)
)

// New returns a store on a pool. It does no I/O: call Migrate to create or
// update the schema, or Check to see whether it fits.
func New(pool *pgxpool.Pool, opt Options) *Store {
	if opt.Schema == "" {
		opt.Schema = "handoff"
	}
	if opt.HintEvery == 0 {
		opt.HintEvery = 20 * time.Millisecond
	}
	s := &Store{
		pool: pool, db: pool, schema: opt.Schema, opt: opt, sql: newQueries(pgx.Identifier{opt.Schema}.Sanitize()),
		busy: new(atomic.Int64), crowd: 2,
	}
	if err := checkSchema(opt.Schema); err != nil {
		s.bad, s.db = err, refused{err}
	}
	s.hints = newHints(s)
	s.group = &group{s: s}
	return s
}

// Check says whether this build can use the database: a *SchemaError when the
// schema is missing, older, newer, another one or in part, ErrDenied,
// ErrReadOnly, ErrIsolation, and ErrNotDurable when the server acknowledges
// commits that it may lose.
func (s *Store) Check(ctx context.Context) error {
	if err := s.fits(ctx); err != nil {
		return err
	}
	var readOnly, isolation, fsync, sync string
	err := s.db.QueryRow(ctx, `SELECT current_setting('transaction_read_only'), current_setting('transaction_isolation'),
		current_setting('fsync'), current_setting('synchronous_commit')`).Scan(&readOnly, &isolation, &fsync, &sync)
	switch {
	case err != nil:
		return wrap("check", err)
	case readOnly == "on":
		return wrap("check", ErrReadOnly)
	case isolation != "read committed" && isolation != "read uncommitted":
		return wrap("check", ErrIsolation)
	case fsync == "off" || sync == "off":
		return fmt.Errorf("pgstore: check: %w: fsync is %s, synchronous_commit is %s", ErrNotDurable, fsync, sync)
	}
	return nil
}

// Tx returns a store within a transaction of the caller, on the same schema.
// What the engine commits through it takes effect with that transaction, or
// not at all; hints to other processes are sent by Committed. A conflict is
// found at once, and leaves the transaction usable.
func (s *Store) Tx(tx pgx.Tx) *Store {
	t := *s
	t.group = nil
	if s.bad == nil {
		t.db = tx
	}
	t.hints = newHints(s)
	t.hints.held = true
	return &t
}

// Committed sends the hints that a store of Tx has gathered. Call it after the
// transaction was committed; without it other processes are slower, not wrong.
func (s *Store) Committed() { s.hints.release() }
