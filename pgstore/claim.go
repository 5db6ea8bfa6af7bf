package pgstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed-2a427302/handoff"
)

// Claim is handoff.Store's. It decides by the server's clock, so that a
// replica whose own clock is wrong fires nothing early.
func (s *Store) Claim(ctx context.Context, c handoff.Claim) (handoff.Claimed, error) {
	got := handoff.Claimed{Now: c.Now}
	if !s.opt.CallerClock {
		if err := s.db.QueryRow(ctx, "SELECT date_trunc('milliseconds', clock_timestamp())").Scan(&got.Now); err != nil {
			return got, wrap("claim", err)
		}
	}
	got.Now = got.Now.UTC()
	rows, err := s.db.Query(ctx, s.sql.due, got.Now, interval(c.Lease), int64(c.Limit))
	if err != nil {
		return got, wrap("claim", err)
	}
	if got.Due, err = pgx.CollectRows(rows, scanRecord); err != nil {
		return got, wrap("claim", err)
	}
	slices.SortFunc(got.Due, func(a, b handoff.Record) int { return cmp.Or(a.Wake.Compare(b.Wake), a.ID.Compare(b.ID)) })
	if emptied(&c.Sinks) || len(c.Sinks) == 0 {
		return got, nil
	}
	rows, err = s.db.Query(ctx, s.sql.late, got.Now, interval(c.Lease), interval(c.Grace), c.Sinks, int64(c.Limit))
	if err != nil {
		return got, wrap("claim", err)
	}
	got.Overdue, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (d handoff.Delivery, err error) {
		err = row.Scan(&d.ID.Conversation, &d.ID.Number, &d.Sink, &d.Cursor)
		return d, err
	})
	return got, wrap("claim", err)
}

func interval(d time.Duration) pgtype.Interval {
	return pgtype.Interval{Microseconds: d.Microseconds(), Valid: true}
}

// Lead is handoff.Store's. It fails with ErrNotFound when there is no such
// record.
func (s *Store) Lead(ctx context.Context, id handoff.ID, cursor string, now time.Time, lease time.Duration) (handoff.Lead, error) {
	var l handoff.Lead
	switch {
	case !clean(id.Conversation):
		return l, handoff.ErrNotFound
	case !clean(cursor):
		return l, unclean("cursor")
	}
	err := s.guarded(ctx, cursors(id, cursor), func(db db) error {
		return db.QueryRow(ctx, s.sql.lead, id.Conversation, id.Number, cursor, stamp(now), stamp(now.Add(lease))).Scan(&l.Seq, &l.Tries, &l.Term)
	})
	if !errors.Is(err, pgx.ErrNoRows) {
		return l, wrap("lead", err)
	}
	var exists bool
	if err := s.db.QueryRow(ctx, s.sql.exists, id.Conversation, id.Number).Scan(&exists); err != nil {
		return l, wrap("lead", err)
	}
	if !exists {
		return l, handoff.ErrNotFound
	}
	return l, handoff.ErrLeased
}

// Ack is handoff.Store's. It touches the cursors alone, so that acknowledging
// does not get in the way of commits.
func (s *Store) Ack(ctx context.Context, acks ...handoff.Ack) error {
	nobodys := func(a handoff.Ack) bool { return !clean(a.ID.Conversation) || !clean(a.Cursor) }
	if slices.ContainsFunc(acks, nobodys) {
		acks = slices.DeleteFunc(slices.Clone(acks), nobodys)
	}
	args := func(a handoff.Ack) []any {
		return []any{a.ID.Conversation, a.ID.Number, a.Cursor, a.Seq, a.Term, stamp(a.Until), a.Keep}
	}
	switch len(acks) {
	case 0:
		return nil
	case 1:
		return wrap("ack", s.guarded(ctx, cursors(acks[0].ID, acks[0].Cursor), func(db db) error {
			_, err := db.Exec(ctx, s.sql.ack, args(acks[0])...)
			return err
		}))
	}
	// Several rows are locked here: under the conversations' locks, as
	// everybody else who locks several.
	conversations := make([]string, len(acks))
	for i := range acks {
		conversations[i] = acks[i].ID.Conversation
	}
	var b pgx.Batch
	b.Queue(s.sql.lock, sorted(conversations), []string{})
	for _, a := range acks {
		b.Queue(s.sql.ack, args(a)...)
	}
	return wrap("ack", s.db.SendBatch(ctx, &b).Close())
}
