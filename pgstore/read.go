package pgstore

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed-2a427302/handoff"
)

// Get is handoff.Store's.
func (s *Store) Get(ctx context.Context, id handoff.ID) (handoff.Record, error) {
	if !clean(id.Conversation) {
		return handoff.Record{}, handoff.ErrNotFound
	}
	return s.one(ctx, "get", s.sql.get, id.Conversation, id.Number)
}

// Latest is handoff.Store's.
func (s *Store) Latest(ctx context.Context, conversation string) (handoff.Record, error) {
	if !clean(conversation) {
		return handoff.Record{}, handoff.ErrNotFound
	}
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
	_ = emptied(&keys)
	rows, err := s.db.Query(ctx, s.sql.holders, texts(keys))
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
	if !clean(queue) {
		return nil, nil
	}
	rows, err := s.db.Query(ctx, s.sql.lines, queue)
	if err != nil {
		return nil, wrap("lines", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return list, wrap("lines", err)
}

// Log is handoff.Store's.
func (s *Store) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	if !clean(id.Conversation) {
		return nil, nil
	}
	rows, err := s.db.Query(ctx, s.sql.log, id.Conversation, id.Number, after, limit)
	if err != nil {
		return nil, wrap("log", err)
	}
	list, err := pgx.CollectRows(rows, scanEntry)
	return list, wrap("log", err)
}

// Entry is handoff.Store's.
func (s *Store) Entry(ctx context.Context, id handoff.ID, entry string) (handoff.RecordEntry, error) {
	if !clean(id.Conversation) || !clean(entry) {
		return handoff.RecordEntry{}, handoff.ErrNotFound
	}
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
	none, err := judge(&q)
	if none || err != nil {
		return nil, err
	}
	lines := q.Lines
	each := q.ByRank && q.Queue != "" && len(lines) > 0 && q.Limit > 0
	w := &clauses{}
	sql := s.sql.list
	if each {
		q.Lines = nil
		lines = sorted(slices.Clone(lines))
		padded := make([]*string, roundUp(len(lines))) // with NULLs, which no record is in
		for i := range lines {
			padded[i] = &lines[i]
		}
		w.args = append(w.args, padded)
		sql = fmt.Sprintf(s.sql.perLine, len(padded))
	}
	w.where(q)
	if !q.After.IsZero() {
		w.after(q)
	}
	by := " ORDER BY r.created, r.conversation, r.number"
	if q.ByRank {
		by = " ORDER BY ~r.priority, r.since, r.conversation, r.number"
	}
	order := by
	if q.Limit > 0 {
		w.args = append(w.args, int64(q.Limit))
		order += fmt.Sprintf(" LIMIT $%d::bigint", len(w.args))
	}
	if each {
		sql += w.and() + fmt.Sprintf("%s LIMIT %d) r", by, roundUp(q.Limit)) + order
	} else {
		sql += w.String() + order
	}
	rows, err := s.db.Query(ctx, sql, w.args...)
	if err != nil {
		return nil, wrap("list", err)
	}
	list, err := pgx.CollectRows(rows, scanRecord)
	return list, wrap("list", err)
}

// judge leaves those names out of a query that cannot be anybody's, and reports
// whether nothing is left to find. A place in an order that there is not is no
// answer.
func judge(q *handoff.Query) (none bool, err error) {
	if !clean(q.After.ID.Conversation) {
		return false, unclean("after")
	}
	for _, s := range [...]string{q.Conversation, q.Queue, q.Agent, q.User, q.Tag} {
		if !clean(s) {
			return true, nil
		}
	}
	return emptied(&q.States) || emptied(&q.Outcomes) || emptied(&q.Lines), nil
}

// emptied leaves names out of a list, and reports whether there were only such.
func emptied[T ~string](list *[]T) bool {
	unclean := func(s T) bool { return !clean(string(s)) }
	if !slices.ContainsFunc(*list, unclean) {
		return false
	}
	*list = slices.DeleteFunc(slices.Clone(*list), unclean)
	return len(*list) == 0
}

// roundUp returns the least power of two that is not less than n; n itself
// when that is large.
func roundUp(n int) int {
	if n > 1<<30 {
		return n
	}
	return 1 << bits.Len(uint(max(n, 1)-1))
}

// Count is handoff.Counter's.
func (s *Store) Count(ctx context.Context, q handoff.Query) (n int, err error) {
	q.After = handoff.Cursor{}
	if none, err := judge(&q); none || err != nil {
		return 0, err
	}
	w := &clauses{}
	w.where(q)
	err = s.db.QueryRow(ctx, s.sql.count+w.String(), w.args...).Scan(&n)
	return n, wrap("count", err)
}

// Ahead is handoff.AheadCounter's.
func (s *Store) Ahead(ctx context.Context, r handoff.Record, limit int) (n int, err error) {
	switch {
	case !clean(r.ID.Conversation):
		return 0, unclean("conversation")
	case !clean(r.Queue):
		return 0, nil
	}
	var most *int64
	each := "ALL"
	if n := int64(limit); n > 0 {
		most, each = &n, strconv.Itoa(roundUp(limit))
	}
	err = s.db.QueryRow(ctx, fmt.Sprintf(s.sql.ahead, each), r.Queue, int64(r.Priority), place(r.Since), r.ID.Conversation, r.ID.Number, most).Scan(&n)
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

// and continues conditions that are there.
func (c *clauses) and() string {
	if len(c.list) == 0 {
		return ""
	}
	return " AND " + strings.Join(c.list, " AND ")
}

// where adds the conditions of a query, those of After aside.
func (c *clauses) where(q handoff.Query) {
	for _, f := range []struct{ cond, value string }{
		{"r.conversation = $", q.Conversation},
		{"r.queue = $", q.Queue},
		{"r.agent = $", q.Agent},
		{"r.usr = $", q.User},
		{"$::text = ANY (r.tags)", q.Tag},
	} {
		if f.value != "" {
			c.add(f.cond, f.value)
		}
	}
	if len(q.States) > 0 {
		states, ended := make([]string, len(q.States)), false
		for i, st := range q.States {
			states[i] = string(st)
			ended = ended || st == handoff.StateEnded
		}
		c.add("r.state = ANY ($::text[])", states)
		if !ended {
			c.list = append(c.list, "r.state <> 'ended'") // lets the short index serve
		}
	}
	if len(q.Outcomes) > 0 {
		outcomes := make([]string, len(q.Outcomes))
		for i, o := range q.Outcomes {
			outcomes[i] = string(o)
		}
		c.add("r.outcome = ANY ($::text[])", outcomes)
	}
	if len(q.Lines) > 0 {
		c.add("r.line = ANY ($::text[])", q.Lines)
	}
	if q.Waiting {
		c.list = append(c.list, "r.line <> ''")
	}
	if !q.From.IsZero() {
		c.add("r.created >= $", place(q.From))
	}
	if !q.To.IsZero() {
		c.add("r.created < $", place(q.To))
	}
}

// after continues behind a cursor.
func (c *clauses) after(q handoff.Query) {
	n := len(c.args)
	c.args = append(c.args, place(q.After.At), q.After.ID.Conversation, q.After.ID.Number)
	if q.ByRank {
		c.args = append(c.args, int64(q.After.Priority))
		c.list = append(c.list, fmt.Sprintf(`(~r.priority, r.since, r.conversation, r.number) > (~$%d::bigint, $%d::timestamptz, $%d::text, $%d::bigint)`,
			n+4, n+1, n+2, n+3))
		return
	}
	c.list = append(c.list, fmt.Sprintf(`(r.created, r.conversation, r.number) > ($%d::timestamptz, $%d::text, $%d::bigint)`, n+1, n+2, n+3))
}
