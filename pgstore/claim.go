package pgstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed-2a427302/handoff"
)

// Claim is handoff.Store's. It decides by the server's clock, so that a
// replica whose own clock is wrong fires nothing early.
func (s *Store) Claim(ctx context.Context, c handoff.Claim) (handoff.Claimed, error) {
	var got handoff.Claimed
	if err := s.db.QueryRow(ctx, "SELECT date_trunc('milliseconds', clock_timestamp())").Scan(&got.Now); err != nil {
		return got, wrap("claim", err)
	}
	got.Now = got.Now.UTC()
	rows, err := s.db.Query(ctx, s.sql.claim, got.Now, interval(c.Lease), c.Limit)
	if err != nil {
		return got, wrap("claim", err)
	}
	if got.Due, err = pgx.CollectRows(rows, scanRecord); err != nil {
		return got, wrap("claim", err)
	}
	sortByWake(got.Due)
	if len(c.Sinks) == 0 {
		return got, nil
	}
	rows, err = s.db.Query(ctx, s.sql.overdue, got.Now, interval(c.Grace), c.Sinks, c.Limit)
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

// Lead is handoff.Store's.
func (s *Store) Lead(ctx context.Context, id handoff.ID, cursor string, now time.Time, lease time.Duration) (handoff.Lead, error) {
	var l handoff.Lead
	err := s.db.QueryRow(ctx, s.sql.lead, id.Conversation, id.Number, cursor, stamp(now), stamp(now.Add(lease))).Scan(&l.Seq, &l.Tries, &l.Term)
	if errors.Is(err, pgx.ErrNoRows) {
		return l, handoff.ErrLeased
	}
	return l, wrap("lead", err)
}

// Ack is handoff.Store's.
func (s *Store) Ack(ctx context.Context, acks ...handoff.Ack) error {
	if len(acks) == 0 {
		return nil
	}
	var b pgx.Batch
	for _, a := range acks {
		b.Queue(s.sql.ack, a.ID.Conversation, a.ID.Number, a.Cursor, a.Seq, a.Term, stamp(a.Until), a.Keep)
		b.Queue(s.sql.settled, a.ID.Conversation, a.ID.Number)
	}
	return wrap("ack", s.db.SendBatch(ctx, &b).Close())
}
