package memstore

import (
	"context"

	"github.com/seed-2a427302/handoff"
)

// Claim implements [handoff.Store]. It decides by c.Now. A record that is
// given to a caller, for its own sake or for one of its deliveries, is hidden
// with all of them.
func (s *Store) Claim(ctx context.Context, c handoff.Claim) (handoff.Claimed, error) {
	if err := ctx.Err(); err != nil {
		return handoff.Claimed{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := c.Now.UnixMilli()
	s.expire(now)
	out := handoff.Claimed{Now: c.Now}

	var given []*slot
	for len(out.Due) < c.Limit {
		m := s.due.next(now)
		if m == nil {
			break
		}
		switch wake := m.slot.rec.Wake; {
		case wake.IsZero():
		case wake.UnixMilli() > m.at:
			s.due.put(m, wake.UnixMilli())
		default:
			out.Due = append(out.Due, m.slot.rec)
			given = append(given, m.slot)
		}
	}
	// One delivery for each sink in turn: a sink with many that nobody can
	// deliver must not stand before the others.
	oldest := c.Now.Add(-c.Grace).UnixMilli() - 1
	for open := c.Sinks; len(open) > 0 && len(out.Overdue) < c.Limit; {
		var again []string
		for _, sink := range open {
			if len(out.Overdue) == c.Limit {
				break
			}
			if cur := s.overdue(sink, oldest, now); cur != nil {
				out.Overdue = append(out.Overdue, handoff.Delivery{ID: cur.mark.slot.rec.ID, Sink: cur.sink, Cursor: cur.name})
				given = append(given, cur.mark.slot)
				again = append(again, sink)
			}
		}
		open = again
	}
	for _, sl := range given {
		s.claimed.put(&sl.look, c.Now.Add(c.Lease).UnixMilli())
		for _, cur := range sl.cursors {
			if cur.mark.in != &s.led {
				cur.mark.drop()
			}
		}
	}
	return out, nil
}

// expire brings back what was hidden until now.
func (s *Store) expire(now int64) {
	for m := s.claimed.next(now); m != nil; m = s.claimed.next(now) {
		s.rest(m.slot)
		for _, c := range m.slot.cursors {
			s.watch(c)
		}
	}
	for m := s.led.next(now); m != nil; m = s.led.next(now) {
		s.watch(m.cursor)
	}
}

// overdue takes out the cursor of a sink that has been behind for longest, if
// what it lacks is not younger than oldest.
func (s *Store) overdue(sink string, oldest, now int64) *cursor {
	a := s.behind[sink]
	for a != nil {
		m := a.next(oldest)
		if m == nil {
			if len(a.entries) == 0 {
				delete(s.behind, sink)
			}
			return nil
		}
		c := m.cursor
		e := c.lacks()
		switch {
		case e == nil:
		case c.until > now:
			s.led.put(m, c.until)
		case e.At.UnixMilli() > m.at:
			a.put(m, e.At.UnixMilli())
		default:
			return c
		}
	}
	return nil
}
