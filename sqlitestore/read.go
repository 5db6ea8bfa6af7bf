package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/seed-2a427302/handoff"
)

// Get is handoff.Store's.
func (s *Store) Get(ctx context.Context, id handoff.ID) (handoff.Record, error) {
	return first(s.records(ctx, "get", s.sql.get, id.Conversation, id.Number))
}

// Latest is handoff.Store's.
func (s *Store) Latest(ctx context.Context, conversation string) (handoff.Record, error) {
	return first(s.records(ctx, "latest", s.sql.latest, conversation))
}

func (s *Store) records(ctx context.Context, op, query string, args ...any) ([]handoff.Record, error) {
	rows, err := s.read.query(ctx, query, args...)
	list, err := collect(rows, err, func(rows *sql.Rows) (handoff.Record, error) { return scanRecord(rows) })
	return list, wrap(op, err)
}

func first[T any](list []T, err error) (T, error) {
	if err == nil && len(list) > 0 {
		return list[0], nil
	}
	if err == nil {
		err = handoff.ErrNotFound
	}
	var zero T
	return zero, err
}

// Holders is handoff.Store's.
func (s *Store) Holders(ctx context.Context, keys ...string) ([]handoff.Holding, error) {
	list, err := s.holders(ctx, s.read, keys...)
	return list, wrap("holders", err)
}

func (s *Store) holders(ctx context.Context, r runner, keys ...string) ([]handoff.Holding, error) {
	rows, err := r.query(ctx, s.sql.holders, names(keys))
	return collect(rows, err, func(rows *sql.Rows) (h handoff.Holding, err error) {
		err = rows.Scan(&h.Key, &h.ID.Conversation, &h.ID.Number, &h.Units)
		return h, err
	})
}

// names makes a JSON list of names. What cannot be a name finds nothing.
func names[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, name := range list {
		if out[i] = string(name); !isName(out[i]) {
			out[i] = "\x00"
		}
	}
	b, _ := json.Marshal(out) //nolint:errchkjson // strings
	return string(b)
}

// Lines is handoff.Store's: a skip scan, a look into the index for each line.
func (s *Store) Lines(ctx context.Context, queue string) ([]string, error) {
	rows, err := s.read.query(ctx, s.sql.lines, queue)
	list, err := collect(rows, err, func(rows *sql.Rows) (line string, err error) {
		err = rows.Scan(&line)
		return line, err
	})
	return list, wrap("lines", err)
}

// Log is handoff.Store's.
func (s *Store) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	return s.entries(ctx, "log", s.sql.log, id.Conversation, id.Number, min(max(after, 0), mostEntries), max(limit, 0))
}

// Entry is handoff.Store's.
func (s *Store) Entry(ctx context.Context, id handoff.ID, entry string) (handoff.RecordEntry, error) {
	return first(s.entries(ctx, "entry", s.sql.entry, id.Conversation, id.Number, entry))
}

func (s *Store) entries(ctx context.Context, op, query string, args ...any) ([]handoff.RecordEntry, error) {
	rows, err := s.read.query(ctx, query, args...)
	list, err := collect(rows, err, func(rows *sql.Rows) (handoff.RecordEntry, error) {
		var e handoff.RecordEntry
		var ms int64
		var body []byte
		err := rows.Scan(&e.ID, &e.Seq, &ms, &body)
		e.At, e.Body = at(ms), handoff.BodyOf(body)
		return e, err
	})
	return list, wrap(op, err)
}

// Ahead is handoff.AheadCounter's.
func (s *Store) Ahead(ctx context.Context, r handoff.Record, limit int) (n int, err error) {
	if limit <= 0 {
		limit = -1
	}
	err = s.read.one(ctx, s.sql.ahead, []any{r.Queue, ^int64(r.Priority), stamp(r.Since), r.ID.Conversation, r.ID.Number, limit}, &n)
	return n, wrap("ahead", err)
}

// Count is handoff.Counter's.
func (s *Store) Count(ctx context.Context, q handoff.Query) (n int, err error) {
	w := &clauses{}
	w.where(q)
	err = s.read.one(ctx, s.sql.count+w.text(" WHERE "), w.args, &n)
	return n, wrap("count", err)
}

// List is handoff.Store's.
func (s *Store) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	each := q.ByRank && q.Queue != "" && len(q.Lines) > 0 && q.Limit > 0
	w := &clauses{}
	if each {
		w.args = append(w.args, names(q.Lines))
		q.Lines = nil
	}
	w.where(q)
	if !q.After.IsZero() {
		w.after(q)
	}
	order := " ORDER BY r.created, r.conversation, r.number"
	if q.ByRank {
		order = " ORDER BY r.rank, r.since, r.conversation, r.number"
	}
	if q.Limit > 0 {
		order += " LIMIT ?"
		w.args = append(w.args, q.Limit)
	}
	if !each {
		return s.records(ctx, "list", s.sql.list+w.text(" WHERE ")+order, w.args...)
	}
	w.args = append(w.args, q.Limit)
	return s.records(ctx, "list", s.sql.perLine+w.text(" AND ")+order+")"+order, w.args...)
}

// clauses are the conditions of a query and their arguments.
type clauses struct {
	list []string
	args []any
}

func (c *clauses) add(cond string, args ...any) {
	c.list = append(c.list, cond)
	c.args = append(c.args, args...)
}

func (c *clauses) text(begin string) string {
	if len(c.list) == 0 {
		return ""
	}
	return begin + strings.Join(c.list, " AND ")
}

// where adds the conditions of a query, those of After aside.
func (c *clauses) where(q handoff.Query) {
	for _, f := range []struct{ cond, value string }{
		{"r.conversation = ?", q.Conversation},
		{"r.queue = ?", q.Queue},
		{"r.agent = ?", q.Agent},
		{"r.usr = ?", q.User},
		{"EXISTS (SELECT 1 FROM json_each(r.tags) WHERE value = ?)", q.Tag},
	} {
		if f.value != "" {
			c.add(f.cond, f.value)
		}
	}
	if q.Agent != "" {
		c.add("r.agent <> ''") // lets the short indexes serve, here and below
	}
	if q.User != "" {
		c.add("r.usr <> ''")
	}
	if len(q.States) > 0 {
		c.add("r.state IN (SELECT value FROM json_each(?))", names(q.States))
		ended := false
		for _, st := range q.States {
			ended = ended || st == handoff.StateEnded
		}
		if !ended {
			c.add("r.state <> 'ended'")
		}
	}
	if len(q.Outcomes) > 0 {
		c.add("r.outcome IN (SELECT value FROM json_each(?))", names(q.Outcomes))
	}
	if len(q.Lines) > 0 {
		c.add("r.line IN (SELECT value FROM json_each(?))", names(q.Lines))
	}
	if q.Waiting {
		c.add("r.line <> ''")
	}
	if !q.From.IsZero() {
		c.add("r.created >= ?", stamp(q.From))
	}
	if !q.To.IsZero() {
		c.add("r.created < ?", stamp(q.To))
	}
}

// after continues behind a cursor.
func (c *clauses) after(q handoff.Query) {
	place := []any{stamp(q.After.At), q.After.ID.Conversation, q.After.ID.Number}
	if q.ByRank {
		c.add("(r.rank, r.since, r.conversation, r.number) > (?,?,?,?)", append([]any{^int64(q.After.Priority)}, place...)...)
		return
	}
	c.add("(r.created, r.conversation, r.number) > (?,?,?)", place...)
}

func newPool(db *sql.DB) runner {
	return newStatements(func(ctx context.Context, query string) (*sql.Stmt, error) { return db.PrepareContext(ctx, query) })
}
