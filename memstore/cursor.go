package memstore

import (
	"context"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A cursor says how far one receiver of a log has got, and who sends to it.
type cursor struct {
	mark  mark // in the agenda of its sink or, while it is led, in led
	name  string
	sink  string // of the record's Owed; empty when the record does not list it
	owed  int64
	seq   int64
	term  int64
	until int64 // in milliseconds; nobody leads from then on
	tries int
}

func (s *slot) cursor(name string) *cursor {
	for _, c := range s.cursors {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (s *slot) newCursor(name string) *cursor {
	c := &cursor{name: name, until: noLead}
	c.mark.slot, c.mark.cursor = s, c
	s.cursors = append(s.cursors, c)
	return c
}

// noLead is before every time.
const noLead = -1 << 63

// owe takes over what the slot's record owes.
func (s *Store) owe(sl *slot) {
	owed := sl.rec.Owed
	for _, c := range sl.cursors {
		if !lists(owed, c) {
			s.unwatch(c)
			c.owed, c.sink = 0, ""
		}
	}
	for i := range owed {
		c := sl.cursor(owed[i].Cursor)
		if c == nil {
			c = sl.newCursor(owed[i].Cursor)
		}
		c.sink, c.owed = owed[i].Sink, owed[i].Seq
		s.watch(c)
	}
}

// lists reports whether owed has c, for the same sink as before.
func lists(owed []handoff.Owed, c *cursor) bool {
	for i := range owed {
		if owed[i].Cursor == c.name {
			return owed[i].Sink == c.sink
		}
	}
	return false
}

// lacks returns the oldest entry that c must still get, or nil.
func (c *cursor) lacks() *handoff.RecordEntry {
	if c.seq >= c.owed {
		return nil
	}
	return c.mark.slot.history.behind(c.seq)
}

// watch makes sure that c is looked at when it is behind. A cursor that is
// known to be led, or whose record is claimed, is left alone: it comes back
// when that ends.
func (s *Store) watch(c *cursor) {
	if c.mark.in == &s.led || c.mark.slot.look.in == &s.claimed {
		return
	}
	if e := c.lacks(); e != nil {
		a := s.behind[c.sink]
		if a == nil {
			a = new(agenda)
			s.behind[c.sink] = a
		}
		a.put(&c.mark, e.At.UnixMilli())
	}
}

// unwatch takes c out of its agenda, and forgets a sink that nothing is owed
// to any more.
func (s *Store) unwatch(c *cursor) {
	a := c.mark.in
	c.mark.drop()
	if a != nil && a != &s.led && a.stale == len(a.entries) {
		delete(s.behind, c.sink)
	}
}

// Lead implements [handoff.Store]. It fails with ErrNotFound when there is no
// such record.
func (s *Store) Lead(ctx context.Context, id handoff.ID, name string, now time.Time, lease time.Duration) (handoff.Lead, error) {
	if err := ctx.Err(); err != nil {
		return handoff.Lead{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := s.find(id)
	if sl == nil {
		return handoff.Lead{}, handoff.ErrNotFound
	}
	c := sl.cursor(name)
	if c == nil {
		c = sl.newCursor(name)
	}
	if now.UnixMilli() < c.until {
		return handoff.Lead{}, handoff.ErrLeased
	}
	c.until = now.Add(lease).UnixMilli()
	c.term++
	c.tries++
	return handoff.Lead{Seq: c.seq, Tries: c.tries, Term: c.term}, nil
}

// Ack implements [handoff.Store].
func (s *Store) Ack(ctx context.Context, acks ...handoff.Ack) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range acks {
		s.ack(&acks[i])
	}
	return nil
}

func (s *Store) ack(a *handoff.Ack) {
	sl := s.find(a.ID)
	if sl == nil {
		return
	}
	c := sl.cursor(a.Cursor)
	if c == nil {
		c = sl.newCursor(a.Cursor)
	}
	if a.Seq > c.seq {
		c.seq, c.tries = a.Seq, 0
	}
	if a.Keep || a.Term != c.term || c.until == noLead {
		return
	}
	if a.Until.IsZero() {
		c.until, c.tries = noLead, max(c.tries-1, 0)
	} else {
		c.until = a.Until.UnixMilli()
	}
	if c.mark.in == &s.led {
		// It is looked at in vain if the lead goes on, and then waits for the
		// new end.
		c.mark.drop()
		s.watch(c)
	}
}
