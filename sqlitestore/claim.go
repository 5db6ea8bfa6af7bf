package sqlitestore

import (
	"context"
	"database/sql"
	"slices"

	"github.com/seed-2a427302/handoff"
)

// Claim is handoff.Store's. It decides by c.Now: all who use the file have the
// host's clock. It looks first, and writes only when there is something.
func (s *Store) Claim(ctx context.Context, c handoff.Claim) (handoff.Claimed, error) {
	if s.write != nil {
		got, hide, err := s.find(ctx, s.read, c)
		if err != nil || len(hide) == 0 {
			return got, wrap("claim", err)
		}
	}
	var got handoff.Claimed
	err := s.change(ctx, light, func(ctx context.Context, w runner) (err error) {
		var hide []int64
		if got, hide, err = s.find(ctx, w, c); err != nil {
			return err
		}
		for _, rec := range hide {
			if err := do(ctx, w, s.sql.hide, stamp(c.Now.Add(c.Lease)), rec); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return handoff.Claimed{}, wrap("claim", err)
	}
	return got, nil
}

// find returns what is due and late, and the records to hide.
func (s *Store) find(ctx context.Context, r runner, c handoff.Claim) (got handoff.Claimed, hide []int64, err error) {
	now := stamp(c.Now)
	got.Now = c.Now
	rows, err := r.query(ctx, s.sql.due, now, now, c.Limit)
	got.Due, err = collect(rows, err, func(rows *sql.Rows) (handoff.Record, error) {
		var rec int64
		r, err := scanRecord(rows, &rec)
		hide = append(hide, rec)
		return r, err
	})
	if err != nil {
		return got, nil, err
	}
	// One delivery of each sink in turn: a sink with many that nobody can
	// deliver must not stand before the others.
	var bySink [][]handoff.Delivery
	recs := map[handoff.ID]int64{}
	for i, sink := range c.Sinks {
		if slices.Contains(c.Sinks[:i], sink) {
			continue
		}
		rows, err := r.query(ctx, s.sql.late, sink, stamp(c.Now.Add(-c.Grace)), now, now, c.Limit)
		list, err := collect(rows, err, func(rows *sql.Rows) (handoff.Delivery, error) {
			d := handoff.Delivery{Sink: sink}
			var rec int64
			err := rows.Scan(&rec, &d.ID.Conversation, &d.ID.Number, &d.Cursor)
			recs[d.ID] = rec
			return d, err
		})
		if err != nil {
			return got, nil, err
		}
		bySink = append(bySink, list)
	}
	for i := 0; len(got.Overdue) < c.Limit; i++ {
		more := false
		for _, list := range bySink {
			if i < len(list) && len(got.Overdue) < c.Limit {
				got.Overdue = append(got.Overdue, list[i])
				hide = append(hide, recs[list[i].ID])
				more = true
			}
		}
		if !more {
			break
		}
	}
	return got, hide, nil
}
