package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/seed-2a427302/handoff"
)

// cursor is a row: how far one receiver has got, who sends to it, and what the
// record owes it.
type cursor struct {
	name             string
	seq, term, tries int64
	until            sql.NullInt64
	sink             string
	owed             int64
	behind           sql.NullInt64
	is               bool // stored already
}

func (c *cursor) dest() []any {
	c.is = true
	return []any{&c.name, &c.seq, &c.term, &c.tries, &c.until, &c.sink, &c.owed, &c.behind}
}

func (s *Store) saveCursor(ctx context.Context, w runner, rec int64, c *cursor) error {
	q := s.sql.setCursor
	if !c.is {
		q = s.sql.addCursor
	}
	return do(ctx, w, q, c.seq, c.term, c.tries, c.until, c.sink, c.owed, c.behind, rec, c.name)
}

// owe takes over what a record owes. before is what it did, as stored.
func (s *Store) owe(ctx context.Context, w runner, rec int64, isNew bool, before string, owed []handoff.Owed, entries []handoff.RecordEntry) error {
	var have []cursor
	if !isNew && (len(owed) > 0 || before != "[]") {
		rows, err := w.query(ctx, s.sql.cursors, rec)
		have, err = collect(rows, err, func(rows *sql.Rows) (c cursor, err error) {
			err = rows.Scan(c.dest()...)
			return c, err
		})
		if err != nil {
			return err
		}
	}
	for i := range have {
		c := &have[i]
		if c.owed == 0 && c.sink == "" || owesTo(owed, c.name) {
			continue
		}
		c.sink, c.owed, c.behind = "", 0, sql.NullInt64{}
		if err := s.saveCursor(ctx, w, rec, c); err != nil {
			return err
		}
	}
	for _, o := range owed {
		c := cursor{name: o.Cursor}
		for i := range have {
			if have[i].name == o.Cursor {
				c = have[i]
			}
		}
		was := c
		c.sink, c.owed = o.Sink, o.Seq
		// While it is behind, the oldest entry that it lacks stays the same.
		if !c.behind.Valid || c.seq >= c.owed {
			var err error
			if c.behind, err = s.behind(ctx, w, rec, &c, entries); err != nil {
				return err
			}
		}
		if c != was || !c.is {
			if err := s.saveCursor(ctx, w, rec, &c); err != nil {
				return err
			}
		}
	}
	return nil
}

func owesTo(owed []handoff.Owed, name string) bool {
	for i := range owed {
		if owed[i].Cursor == name {
			return true
		}
	}
	return false
}

// behind returns the time of the oldest entry that c lacks. entries are the
// newest of the log, as far as they are at hand.
func (s *Store) behind(ctx context.Context, w runner, rec int64, c *cursor, entries []handoff.RecordEntry) (at sql.NullInt64, err error) {
	if c.seq >= c.owed {
		return at, nil
	}
	if len(entries) > 0 && c.seq+1 >= entries[0].Seq {
		if i := c.seq + 1 - entries[0].Seq; i < int64(len(entries)) {
			return sql.NullInt64{Int64: stamp(entries[i].At), Valid: true}, nil
		}
		return at, nil
	}
	err = w.one(ctx, s.sql.entryAt, []any{rec<<24 | c.seq + 1}, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return at, nil
	}
	return at, err
}

// findCursor returns a record's row and one of its cursors, which may be a new one.
func (s *Store) findCursor(ctx context.Context, w runner, id handoff.ID, name string) (rec int64, c cursor, err error) {
	if err := w.one(ctx, s.sql.find, []any{id.Conversation, id.Number}, &rec); err != nil {
		return 0, c, err
	}
	err = w.one(ctx, s.sql.cursor, []any{rec, name}, c.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return rec, cursor{name: name}, nil
	}
	return rec, c, err
}

// Lead is handoff.Store's. It fails with ErrNotFound when there is no such
// record.
func (s *Store) Lead(ctx context.Context, id handoff.ID, name string, now time.Time, lease time.Duration) (handoff.Lead, error) {
	if !isName(name) {
		return handoff.Lead{}, badName("cursor")
	}
	var l handoff.Lead
	err := s.change(ctx, light, func(ctx context.Context, w runner) error {
		rec, c, err := s.findCursor(ctx, w, id, name)
		if errors.Is(err, sql.ErrNoRows) {
			return handoff.ErrNotFound
		}
		if err != nil {
			return err
		}
		if c.until.Valid && c.until.Int64 > stamp(now) {
			return handoff.ErrLeased
		}
		c.until = sql.NullInt64{Int64: stamp(now.Add(lease)), Valid: true}
		c.term++
		c.tries++
		l = handoff.Lead{Seq: c.seq, Tries: int(c.tries), Term: c.term}
		return s.saveCursor(ctx, w, rec, &c)
	})
	switch {
	case errors.Is(err, handoff.ErrNotFound):
		return handoff.Lead{}, handoff.ErrNotFound
	case errors.Is(err, handoff.ErrLeased):
		return handoff.Lead{}, handoff.ErrLeased
	case err != nil:
		return handoff.Lead{}, wrap("lead", err)
	}
	return l, nil
}

// Ack is handoff.Store's.
func (s *Store) Ack(ctx context.Context, acks ...handoff.Ack) error {
	if len(acks) == 0 {
		return nil
	}
	for i := range acks {
		if !isName(acks[i].Cursor) {
			return badName("cursor")
		}
	}
	return wrap("ack", s.change(ctx, light, func(ctx context.Context, w runner) error {
		for i := range acks {
			if err := s.ack(ctx, w, &acks[i]); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (s *Store) ack(ctx context.Context, w runner, a *handoff.Ack) error {
	rec, c, err := s.findCursor(ctx, w, a.ID, a.Cursor)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	was := c
	if a.Seq > c.seq {
		c.seq, c.tries = a.Seq, 0
		if c.behind, err = s.behind(ctx, w, rec, &c, nil); err != nil {
			return err
		}
	}
	if !a.Keep && a.Term == c.term && c.until.Valid {
		c.until = sql.NullInt64{Int64: stamp(a.Until), Valid: !a.Until.IsZero()}
		if !c.until.Valid {
			c.tries = max(c.tries-1, 0)
		}
	}
	if c == was && c.is {
		return nil
	}
	return s.saveCursor(ctx, w, rec, &c)
}
