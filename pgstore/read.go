package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed-2a427302/handoff"
)

// Get is handoff.Store's.
func (s *Store) Get(ctx context.Context, id handoff.ID) (handoff.Record, error) {
	return s.one(ctx, "get", s.sql.get, id.Conversation, id.Number)
}

// Latest is handoff.Store's.
func (s *Store) Latest(ctx context.Context, conversation string) (handoff.Record, error) {
	return s.one(ctx, "latest", s.sql.latest, conversation)
}

func (s *Store) one(ctx context.Context, op, sql string, args ...any) (handoff.Record, error) {
	rows, err := s.db.Query(ctx, sql, args...)
	if err != nil {
		return handoff.Record{}, wrap(op, err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, scanRecord)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, handoff.ErrNotFound
	}
	return r, wrap(op, err)
}

// Holders is handoff.Store's.
func (s *Store) Holders(ctx context.Context, keys ...string) ([]handoff.Holding, error) {
	return s.holders(ctx, s.db, keys...)
}

func (s *Store) holders(ctx context.Context, db db, keys ...string) ([]handoff.Holding, error) {
	rows, err := db.Query(ctx, s.sql.holders, texts(keys))
	if err != nil {
		return nil, wrap("holders", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h handoff.Holding, err error) {
		err = row.Scan(&h.Key, &h.ID.Conversation, &h.ID.Number, &h.Units)
		return h, err
	})
	return list, wrap("holders", err)
}

// Lines is handoff.Store's: a skip scan, a look into the index for each line.
func (s *Store) Lines(ctx context.Context, queue string) ([]string, error) {
	rows, err := s.db.Query(ctx, s.sql.lines, queue)
	if err != nil {
		return nil, wrap("lines", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return list, wrap("lines", err)
}

// Log is handoff.Store's.
func (s *Store) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	rows, err := s.db.Query(ctx, s.sql.log, id.Conversation, id.Number, after, limit)
	if err != nil {
		return nil, wrap("log", err)
	}
	list, err := pgx.CollectRows(rows, scanEntry)
	return list, wrap("log", err)
}

// Entry is handoff.Store's.
func (s *Store) Entry(ctx context.Context, id handoff.ID, entry string) (handoff.RecordEntry, error) {
	rows, err := s.db.Query(ctx, s.sql.entry, id.Conversation, id.Number, entry)
	if err != nil {
		return handoff.RecordEntry{}, wrap("entry", err)
	}
	e, err := pgx.CollectExactlyOneRow(rows, scanEntry)
	if errors.Is(err, pgx.ErrNoRows) {
		return e, handoff.ErrNotFound
	}
	return e, wrap("entry", err)
}

func scanEntry(row pgx.CollectableRow) (handoff.RecordEntry, error) {
	var e handoff.RecordEntry
	var t pgtype.Timestamptz
	var body []byte
	err := row.Scan(&e.ID, &e.Seq, &t, &body)
	e.At, e.Body = at(t), handoff.BodyOf(body)
	return e, err
}

// List is handoff.Store's.
func (s *Store) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	w := where(q)
	if !q.After.IsZero() {
		w.after(q)
	}
	sql := s.sql.list + w.String()
	if q.ByRank {
		sql += " ORDER BY r.priority DESC, coalesce(r.since, '-infinity'), r.conversation, r.number"
	} else {
		sql += " ORDER BY r.created, r.conversation, r.number"
	}
	if q.Limit > 0 {
		sql += fmt.Sprintf(" LIMIT %d", q.Limit)
	}
	rows, err := s.db.Query(ctx, sql, w.args...)
	if err != nil {
		return nil, wrap("list", err)
	}
	list, err := pgx.CollectRows(rows, scanRecord)
	return list, wrap("list", err)
}

// Count is handoff.Counter's.
func (s *Store) Count(ctx context.Context, q handoff.Query) (n int, err error) {
	w := where(q)
	err = s.db.QueryRow(ctx, s.sql.count+w.String(), w.args...).Scan(&n)
	return n, wrap("count", err)
}

// Ahead is handoff.AheadCounter's.
func (s *Store) Ahead(ctx context.Context, r handoff.Record, limit int) (n int, err error) {
	var most *int
	if limit > 0 {
		most = &limit
	}
	err = s.db.QueryRow(ctx, s.sql.ahead, r.Queue, int64(r.Priority), stamp(r.Since), r.ID.Conversation, r.ID.Number, most).Scan(&n)
	return n, wrap("ahead", err)
}

// clauses are the conditions of a query and their arguments.
type clauses struct {
	list []string
	args []any
}

// add appends a condition in which $ stands for its argument.
func (c *clauses) add(cond string, arg any) {
	c.args = append(c.args, arg)
	c.list = append(c.list, strings.ReplaceAll(cond, "$", fmt.Sprintf("$%d", len(c.args))))
}

func (c *clauses) String() string {
	if len(c.list) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.list, " AND ")
}

func where(q handoff.Query) *clauses {
	var w clauses
	for _, f := range []struct{ cond, value string }{
		{"r.conversation = $", q.Conversation},
		{"r.queue = $", q.Queue},
		{"r.agent = $", q.Agent},
		{"r.usr = $", q.User},
		{"$::text = ANY (r.tags)", q.Tag},
	} {
		if f.value != "" {
			w.add(f.cond, f.value)
		}
	}
	if len(q.States) > 0 {
		states, ended := make([]string, len(q.States)), false
		for i, st := range q.States {
			states[i] = string(st)
			ended = ended || st == handoff.StateEnded
		}
		w.add("r.state = ANY ($::text[])", states)
		if !ended {
			w.list = append(w.list, "r.state <> 'ended'") // lets the short index serve
		}
	}
	if len(q.Outcomes) > 0 {
		outcomes := make([]string, len(q.Outcomes))
		for i, o := range q.Outcomes {
			outcomes[i] = string(o)
		}
		w.add("r.outcome = ANY ($::text[])", outcomes)
	}
	if len(q.Lines) > 0 {
		w.add("r.line = ANY ($::text[])", q.Lines)
	}
	if q.Waiting {
		w.list = append(w.list, "r.line <> ''")
	}
	if !q.From.IsZero() {
		w.add("r.created >= $", stamp(q.From))
	}
	if !q.To.IsZero() {
		w.add("r.created < $", stamp(q.To))
	}
	return &w
}

// after continues behind a cursor.
func (c *clauses) after(q handoff.Query) {
	n := len(c.args)
	if q.ByRank {
		c.args = append(c.args, int64(q.After.Priority), rank(stamp(q.After.At)), q.After.ID.Conversation, q.After.ID.Number)
		c.list = append(c.list, fmt.Sprintf(`(r.priority < $%d OR r.priority = $%d AND
			(coalesce(r.since, '-infinity'), r.conversation, r.number) > ($%d::timestamptz, $%d::text COLLATE "C", $%d::bigint))`, n+1, n+1, n+2, n+3, n+4))
		return
	}
	c.args = append(c.args, rank(stamp(q.After.At)), q.After.ID.Conversation, q.After.ID.Number)
	c.list = append(c.list, fmt.Sprintf(`(coalesce(r.created, '-infinity'), r.conversation, r.number) > ($%d::timestamptz, $%d::text COLLATE "C", $%d::bigint)`, n+1, n+2, n+3))
}

// rank puts a time that is not set before all others.
func rank(t pgtype.Timestamptz) pgtype.Timestamptz {
	if !t.Valid {
		return pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
	}
	return t
}
