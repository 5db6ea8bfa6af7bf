package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Claim is handoff.Store's. It decides by the server's clock, so that a
// replica whose own clock is wrong fires nothing early.
func (s *Store) Claim(ctx context.Context, c handoff.Claim) (handoff.Claimed, error) {
	var got handoff.Claimed
	now := "" // the server's
	if s.opt.CallerClock {
		now = strconv.FormatInt(c.Now.UnixMilli(), 10)
	}
	args := []any{c.Lease.Milliseconds(), max(c.Limit, 0), c.Grace.Milliseconds(), now}
	for _, sink := range c.Sinks {
		args = append(args, sink)
	}
	v, err := s.run(ctx, claimScript, args...)
	if err != nil {
		return got, wrap(ctx, "claim", err)
	}
	answer := list(v)
	if len(answer) != 3 {
		return got, fmt.Errorf("redisstore: claim: answer of type %T", v)
	}
	got.Now = atMilli(number(answer[0]))
	got.Due = slices.Collect(rows(answer[1]))
	slices.SortFunc(got.Due, func(a, b handoff.Record) int { return cmp.Or(a.Wake.Compare(b.Wake), a.ID.Compare(b.ID)) })
	late := list(answer[2])
	for i := 0; i+2 < len(late); i += 3 {
		got.Overdue = append(got.Overdue, handoff.Delivery{ID: idOf(text(late[i])), Sink: text(late[i+1]), Cursor: text(late[i+2])})
	}
	return got, nil
}

// Lead is handoff.Store's. It fails with ErrNotFound when there is no such
// record.
func (s *Store) Lead(ctx context.Context, id handoff.ID, cursor string, now time.Time, lease time.Duration) (handoff.Lead, error) {
	if !clean(id.Conversation) || id.Number < 0 {
		return handoff.Lead{}, handoff.ErrNotFound
	}
	if !clean(cursor) {
		return handoff.Lead{}, &handoff.InvalidError{Field: "cursor", Why: "is not valid UTF-8 without NUL"}
	}
	v, err := s.run(ctx, leadScript, rid(id), cursor, now.UnixMilli(), now.Add(lease).UnixMilli())
	if err != nil {
		return handoff.Lead{}, wrap(ctx, "lead", err)
	}
	answer := list(v)
	word := ""
	if len(answer) > 0 {
		word = text(answer[0])
	}
	switch {
	case word == "ok" && len(answer) == 4:
		return handoff.Lead{Seq: number(answer[1]), Tries: int(number(answer[2])), Term: number(answer[3])}, nil
	case word == "leased":
		return handoff.Lead{}, handoff.ErrLeased
	case word == "missing":
		return handoff.Lead{}, handoff.ErrNotFound
	}
	return handoff.Lead{}, fmt.Errorf("redisstore: lead: unknown answer %q", word)
}

// Ack is handoff.Store's. It touches the cursors alone, so that acknowledging
// does not get in the way of commits.
func (s *Store) Ack(ctx context.Context, acks ...handoff.Ack) error {
	for part := range slices.Chunk(acks, together) {
		args := make([]any, 0, 6*len(part))
		for _, a := range part {
			if !clean(a.ID.Conversation) || !clean(a.Cursor) || a.ID.Number < 0 {
				continue // of no record that exists
			}
			keep := "0"
			if a.Keep {
				keep = "1"
			}
			args = append(args, rid(a.ID), a.Cursor, strconv.FormatInt(a.Seq, 10), strconv.FormatInt(a.Term, 10), stamp(a.Until), keep)
		}
		if _, err := s.run(ctx, ackScript, args...); err != nil {
			return wrap(ctx, "ack", err)
		}
	}
	return nil
}
