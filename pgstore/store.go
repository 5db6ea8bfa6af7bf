package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-2a427302/handoff"
)

// Options are the rare choices. The zero value is a working default.
type Options struct {
	// Schema is the Postgres schema that holds the tables; default "handoff".
	// Engines of different tenants use different schemas.
	Schema string

	// NoListen keeps LISTEN and NOTIFY away, for databases behind a
	// transaction pooler. Other processes are then noticed by polling.
	NoListen bool

	// HintEvery is how long hints to other processes are gathered; default
	// 20ms.
	HintEvery time.Duration
}

// A Store is a handoff.Store on PostgreSQL. Its methods may be called
// concurrently, and any number of processes may use one schema. It is closed
// by closing the pool.
type Store struct {
	pool   *pgxpool.Pool
	db     db // the pool, or a transaction of the caller
	schema string
	sql    queries
	opt    Options
	hints  *hints
	busy   *atomic.Int64 // callers in Commit
	group  *group
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
	s := &Store{busy: new(atomic.Int64), pool: pool, db: pool, schema: opt.Schema, opt: opt, sql: newQueries(pgx.Identifier{opt.Schema}.Sanitize())}
	s.hints = newHints(s)
	s.group = newGroup(s)
	return s
}

// Check says whether this build can use the database: a *SchemaError when the
// schema is missing, older or newer, and an error when the server is read-only
// or answers with a commit before it is on disk.
func (s *Store) Check(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	var readOnly, fsync, sync string
	err := s.db.QueryRow(ctx, "SELECT current_setting('transaction_read_only'), current_setting('fsync'), current_setting('synchronous_commit')").
		Scan(&readOnly, &fsync, &sync)
	switch {
	case err != nil:
		return fmt.Errorf("pgstore: %w", err)
	case readOnly == "on":
		return errors.New("pgstore: the server is read-only")
	case fsync == "off" || sync == "off":
		return fmt.Errorf("pgstore: %w: fsync is %s, synchronous_commit is %s", ErrNotDurable, fsync, sync)
	}
	return nil
}

// ErrNotDurable is part of what Check returns when the server may lose commits
// that it has acknowledged. The store works with such a server; whether that
// is good enough is for the host to say.
var ErrNotDurable = errors.New("commits may be lost with the power")

// Tx returns a store within a transaction of the caller, on the same schema.
// What the engine commits through it takes effect with that transaction, or
// not at all; hints to other processes are sent by Committed. A conflict is
// found at once, and leaves the transaction usable.
func (s *Store) Tx(tx pgx.Tx) *Store {
	t := *s
	t.db, t.group = tx, nil
	t.hints = newHints(s)
	t.hints.held = true
	return &t
}

// Committed sends the hints that a store of Tx has gathered. Call it after the
// transaction was committed; without it other processes are slower, not wrong.
func (s *Store) Committed() { s.hints.release() }

// ms is the precision of stored times.
func stamp(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

// at is the inverse of stamp.
func at(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

// texts never returns NULL.
func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// wrap names the operation of an error, and leaves out what a driver may quote
// from the data.
func wrap(op string, err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return fmt.Errorf("pgstore: %s: %s (%s)", op, pe.Message, pe.Code)
	}
	if err != nil {
		return fmt.Errorf("pgstore: %s: %w", op, err)
	}
	return nil
}

// queries are the statements with the schema's name in them.
type queries struct {
	commit, get, latest, holders, lines, log, entry string
	claim, overdue, lead, ack, settled              string
	ahead, list, count, remove, schema              string
}

func newQueries(schema string) queries {
	q := func(s string) string { return strings.ReplaceAll(s, "@", schema+".") }
	return queries{
		schema:  schema,
		commit:  q(`SELECT answer, detail FROM @handoff_commit($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27)`),
		get:     q(`SELECT ` + columns + ` FROM @handoff_record r WHERE conversation = $1 AND number = $2`),
		latest:  q(`SELECT ` + columns + ` FROM @handoff_record r WHERE conversation = $1 ORDER BY number DESC LIMIT 1`),
		holders: q(`SELECT k.name, k.conversation, k.number, k.units FROM unnest($1::text[]) WITH ORDINALITY AS w(name, n) JOIN @handoff_key k ON k.name = w.name COLLATE "C" ORDER BY w.n, k.conversation, k.number`),
		lines: q(`WITH RECURSIVE walk AS (
			(SELECT line FROM @handoff_record WHERE queue = $1 AND line <> '' ORDER BY line LIMIT 1)
			UNION ALL
			SELECT (SELECT r.line FROM @handoff_record r WHERE r.queue = $1 AND r.line <> '' AND r.line > walk.line ORDER BY r.line LIMIT 1)
			FROM walk WHERE walk.line IS NOT NULL)
			SELECT line FROM walk WHERE line IS NOT NULL`),
		log:   q(`SELECT id, seq, at, body FROM @handoff_entry WHERE conversation = $1 AND number = $2 AND seq > $3 ORDER BY seq LIMIT $4`),
		entry: q(`SELECT id, seq, at, body FROM @handoff_entry WHERE conversation = $1 AND number = $2 AND id = $3`),
		claim: q(`UPDATE @handoff_record r SET claimed_until = $1::timestamptz + $2::interval
			FROM (SELECT conversation, number FROM @handoff_record
				WHERE wake <= $1 AND (claimed_until IS NULL OR claimed_until <= $1)
				ORDER BY wake LIMIT $3 FOR UPDATE SKIP LOCKED) d
			WHERE r.conversation = d.conversation AND r.number = d.number RETURNING ` + columns),
		overdue: q(`SELECT r.conversation, r.number, o.sink, o.name
			FROM (SELECT * FROM @handoff_record WHERE behind <= $1::timestamptz - $2::interval ORDER BY behind) r
			CROSS JOIN LATERAL unnest(r.owed_sinks, r.owed_cursors, r.owed_seqs) AS o(sink, name, seq)
			LEFT JOIN @handoff_cursor c ON c.conversation = r.conversation AND c.number = r.number AND c.name = o.name COLLATE "C"
			JOIN @handoff_entry e ON e.conversation = r.conversation AND e.number = r.number AND e.seq = coalesce(c.seq, 0) + 1
			WHERE o.sink = ANY ($3) AND coalesce(c.seq, 0) < o.seq AND (c.until IS NULL OR c.until <= $1) AND e.at <= $1::timestamptz - $2::interval
			LIMIT $4`),
		lead: q(`INSERT INTO @handoff_cursor AS c (conversation, number, name, term, tries, until) VALUES ($1, $2, $3, 1, 1, $5)
			ON CONFLICT (conversation, number, name) DO UPDATE SET term = c.term + 1, tries = c.tries + 1, until = $5
			WHERE c.until IS NULL OR c.until <= $4 RETURNING seq, tries, term`),
		ack: q(`INSERT INTO @handoff_cursor AS c (conversation, number, name, seq)
			SELECT $1, $2, $3, $4 FROM @handoff_record WHERE conversation = $1 AND number = $2
			ON CONFLICT (conversation, number, name) DO UPDATE SET
				tries = CASE WHEN $4 > c.seq THEN 0 ELSE c.tries END, seq = greatest(c.seq, $4),
				until = CASE WHEN $7 OR $5 <> c.term THEN c.until ELSE $6 END`),
		settled: q(`UPDATE @handoff_record r SET behind = NULL WHERE conversation = $1 AND number = $2 AND behind IS NOT NULL AND NOT EXISTS (
				SELECT FROM unnest(r.owed_cursors, r.owed_seqs) AS o(name, seq)
				LEFT JOIN @handoff_cursor c ON c.conversation = r.conversation AND c.number = r.number AND c.name = o.name COLLATE "C"
				WHERE coalesce(c.seq, 0) < o.seq)`),
		ahead: q(`SELECT count(*) FROM (SELECT FROM @handoff_record WHERE queue = $1 AND line <> '' AND
			(priority > $2 OR priority = $2 AND (since < $3 OR since = $3 AND (conversation, number) < ($4, $5))) LIMIT $6) x`),
		list:  q(`SELECT ` + columns + ` FROM @handoff_record r`),
		count: q(`SELECT count(*) FROM @handoff_record r`),
		remove: q(`WITH e AS (DELETE FROM @handoff_entry x USING unnest($1::text[], $2::bigint[]) AS d(conversation, number) WHERE x.conversation = d.conversation COLLATE "C" AND x.number = d.number),
			k AS (DELETE FROM @handoff_key x USING unnest($1::text[], $2::bigint[]) AS d(conversation, number) WHERE x.conversation = d.conversation COLLATE "C" AND x.number = d.number),
			c AS (DELETE FROM @handoff_cursor x USING unnest($1::text[], $2::bigint[]) AS d(conversation, number) WHERE x.conversation = d.conversation COLLATE "C" AND x.number = d.number)
			DELETE FROM @handoff_record x USING unnest($1::text[], $2::bigint[]) AS d(conversation, number) WHERE x.conversation = d.conversation COLLATE "C" AND x.number = d.number`),
	}
}

// columns are what scanRecord reads.
const columns = `r.conversation, r.number, r.version, r.seq, r.queue, r.state, r.outcome, r.agent, r.usr, r.tags, r.line, r.priority,
	r.since, r.created, r.updated, r.wake, r.key_names, r.key_units, r.key_max, r.owed_sinks, r.owed_cursors, r.owed_seqs, r.body`

func scanRecord(row pgx.CollectableRow) (handoff.Record, error) {
	var r handoff.Record
	var state, outcome string
	var since, created, updated, wake pgtype.Timestamptz
	var keys, sinks, cursors []string
	var units, most, seqs []int64
	var body []byte
	err := row.Scan(&r.ID.Conversation, &r.ID.Number, &r.Version, &r.Seq, &r.Queue, &state, &outcome, &r.Agent, &r.User, &r.Tags,
		&r.Line, &r.Priority, &since, &created, &updated, &wake, &keys, &units, &most, &sinks, &cursors, &seqs, &body)
	if err != nil {
		return r, err
	}
	r.State, r.Outcome = handoff.State(state), handoff.Outcome(outcome)
	r.Since, r.Created, r.Updated, r.Wake = at(since), at(created), at(updated), at(wake)
	for i := range keys {
		r.Keys = append(r.Keys, handoff.Key{Name: keys[i], Units: int(units[i]), Max: int(most[i])})
	}
	for i := range sinks {
		r.Owed = append(r.Owed, handoff.Owed{Sink: sinks[i], Cursor: cursors[i], Seq: seqs[i]})
	}
	if len(r.Tags) == 0 {
		r.Tags = nil
	}
	r.Body = handoff.BodyOf(body)
	return r, nil
}
