package storetest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

func (s *naive) Claim(ctx context.Context, c handoff.Claim) (handoff.Claimed, error) {
	if err := ctx.Err(); err != nil {
		if s.is("Claim is done and fails when its context has ended") {
			_, _ = s.Claim(context.WithoutCancel(ctx), c)
		}
		return handoff.Claimed{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims++
	out := handoff.Claimed{Now: c.Now}
	until := c.Now.Add(c.Lease)
	visible := func(r *naiveRecord) bool {
		switch s.bug {
		case "a claim does not hide":
			return true
		case "a claim hides from the second on":
			return s.claims%2 == 0 || !c.Now.Before(r.hidden)
		case "a claim hides for ever":
			return r.hidden.IsZero()
		}
		return !c.Now.Before(r.hidden)
	}
	limit := c.Limit
	if s.is("Claim ignores its limit") {
		limit = 1 << 30
	}
	var due []*naiveRecord
	for _, r := range s.records {
		ready := !r.Wake.IsZero() && !r.Wake.After(c.Now)
		switch s.bug {
		case "Wake must have passed":
			ready = ready && r.Wake.Before(c.Now)
		case "Wake of zero is due":
			ready = ready || r.Wake.IsZero()
		case "the future is due":
			ready = !r.Wake.IsZero()
		case "the next two hours are due":
			ready = !r.Wake.IsZero() && r.Wake.Before(c.Now.Add(2*time.Hour))
		case "ended records are never due":
			ready = ready && r.State != handoff.StateEnded
		case "only the latest record is due":
			for _, other := range s.records {
				ready = ready && (other.ID.Conversation != r.ID.Conversation || other.ID.Number <= r.ID.Number)
			}
		case "a day late is too late":
			ready = ready && r.Wake.After(c.Now.AddDate(0, 0, -1))
		}
		if ready && visible(r) {
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b *naiveRecord) int {
		switch s.bug {
		case "latest first":
			return b.Wake.Compare(a.Wake)
		case "due by creation":
			return a.Created.Compare(b.Created)
		case "due by id":
			return a.ID.Compare(b.ID)
		}
		return a.Wake.Compare(b.Wake)
	})
	given := make(map[*naiveRecord]bool)
	for i, r := range due {
		if i >= limit {
			if s.is("Claim hides what it does not give") {
				r.hidden = until
			}
			continue
		}
		rec := r.Record
		if s.is("Claim raises the version") {
			r.Version++
		}
		if s.is("Claim clears Wake") {
			r.Wake = time.Time{}
		}
		if s.is("Claim moves Wake") {
			r.Wake = until
		}
		given[r] = true
		if s.is("Claim gives records without bodies") {
			rec.Body = handoff.Body{}
		}
		out.Due = append(out.Due, rec)
	}
	if s.is("a limit for both") {
		limit -= len(out.Due)
	}
	s.yield("Claim looks first and hides later")
	for _, r := range s.all() {
		if !visible(r) {
			continue
		}
		for i, o := range r.Owed {
			if i > 0 && s.is("only the first cursor is overdue") {
				continue
			}
			if len(out.Overdue) >= limit {
				if s.is("Claim hides deliveries that it does not give") && s.behind(c, r, o) {
					r.hidden = until
				}
				continue
			}
			if s.behind(c, r, o) {
				out.Overdue = append(out.Overdue, handoff.Delivery{ID: r.ID, Sink: o.Sink, Cursor: o.Cursor})
				if s.is("deliveries give the cursor for the sink") {
					out.Overdue[len(out.Overdue)-1].Sink = o.Cursor
				}
				if s.is("Claim forgets an owed delivery") {
					r.Owed = slices.Delete(slices.Clone(r.Owed), i, i+1)
					given[r] = true
					break
				}
				if s.is("a claimed delivery is led") {
					s.cursor(r, o.Cursor).until = until
				}
				if s.is("a claimed delivery is acknowledged") {
					s.cursor(r, o.Cursor).seq = o.Seq
				}
				if s.is("a delivery raises the version") {
					r.Version++
				}
				if !s.is("deliveries are not hidden") {
					given[r] = true
				}
			}
		}
	}
	for r := range given {
		r.hidden = until
	}
	if s.is("Claim does not say when") {
		out.Now = time.Time{}
	}
	if s.is("a clock that is an hour off") {
		out.Now = out.Now.Add(time.Hour)
	}
	return out, nil
}

// behind reports whether a delivery is overdue.
func (s *naive) behind(c handoff.Claim, r *naiveRecord, o handoff.Owed) bool {
	sink := o.Sink
	if s.is("sinks are taken for cursors") {
		sink = o.Cursor
	}
	switch {
	case s.is("no sinks are all sinks") && len(c.Sinks) == 0, s.is("sinks are ignored"):
	case s.is("sinks by prefix"):
		if !slices.ContainsFunc(c.Sinks, func(name string) bool { return strings.HasPrefix(name, sink) }) {
			return false
		}
	case s.is("only the first sink is served"):
		if len(c.Sinks) == 0 || c.Sinks[0] != sink {
			return false
		}
	case !slices.Contains(c.Sinks, sink):
		return false
	}
	cur := r.cursors[s.name(o.Cursor)]
	if cur == nil {
		if s.is("a cursor without an Ack owes nothing") {
			return false
		}
		cur = new(naiveCursor)
	}
	if c.Now.Before(cur.until) && !s.is("led deliveries are overdue") {
		return false
	}
	if cur.term > 0 && s.is("a delivery that was led is never overdue") {
		return false
	}
	seq := o.Seq
	if s.is("everything in the log is owed") {
		seq = r.Seq
	}
	if cur.seq >= seq && !s.is("what was acknowledged is owed") {
		return false
	}
	if cur.seq > 0 && s.is("a cursor that has begun owes nothing") {
		return false
	}
	for i, e := range r.log {
		switch s.bug {
		case "grace counts from the first entry":
		case "grace counts from the last entry":
			e = r.log[len(r.log)-1]
		case "grace counts from the last owed entry":
			if i := slices.IndexFunc(r.log, func(e handoff.RecordEntry) bool { return e.Seq == o.Seq }); i >= 0 {
				e = r.log[i]
			}
		case "grace counts from the update":
			e.At = r.Updated
		default:
			if e.Seq <= cur.seq && (i < len(r.log)-1 || !s.is("what was acknowledged is owed")) {
				continue
			}
		}
		return s.is("grace is ignored") || e.At.Before(c.Now.Add(-c.Grace))
	}
	return false
}

func (s *naive) cursor(r *naiveRecord, name string) *naiveCursor {
	name = s.name(name)
	if s.is("one cursor for each record") {
		name = ""
	}
	if s.is("cursors joined by a colon") {
		if s.cursors[joined(r.ID, name)] == nil {
			s.cursors[joined(r.ID, name)] = new(naiveCursor)
		}
		return s.cursors[joined(r.ID, name)]
	}
	c := r.cursors[name]
	if c == nil {
		c = new(naiveCursor)
		if s.is("cursors begin at 1") {
			c.seq = 1
		}
		if s.is("new cursors begin at the end") {
			c.seq = r.Seq
		}
		r.cursors[name] = c
	}
	return c
}

func (s *naive) Lead(ctx context.Context, id handoff.ID, cursor string, now time.Time, lease time.Duration) (handoff.Lead, error) {
	if err := ctx.Err(); err != nil {
		if s.is("Lead is done and fails when its context has ended") {
			_, _ = s.Lead(context.WithoutCancel(ctx), id, cursor, now, lease)
		}
		return handoff.Lead{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(id)
	if r == nil {
		return handoff.Lead{}, handoff.ErrNotFound
	}
	if s.is("cursors of a conversation are one") {
		for _, other := range s.all() {
			if other.ID.Conversation == id.Conversation {
				r = other
				break
			}
		}
	}
	c := s.cursor(r, cursor)
	s.yield("Lead looks first and writes later")
	free := !now.Before(c.until)
	switch s.bug {
	case "Lead is given twice":
		free = true
	case "a lead never ends by its time":
		free = c.until.IsZero()
	case "a lead ends a moment late":
		free = now.After(c.until)
	case "a lead ends a second early":
		free = !now.Before(c.until.Add(-time.Second))
	case "one lead for each record":
		for _, other := range r.cursors {
			free = free && !now.Before(other.until)
		}
	case "a lead hides behind a claim":
		free = free && !now.Before(r.hidden)
	}
	if s.is("Lead looks first and writes later") {
		s.mu.Unlock()
		time.Sleep(time.Nanosecond)
		s.mu.Lock()
	}
	if !free {
		if s.is("refused leads count as tries") {
			c.tries++
		}
		if s.is("a refused lead is a conflict") {
			return handoff.Lead{}, handoff.ErrConflict
		}
		if s.is("a refused lead prolongs") {
			c.until = now.Add(lease)
		}
		return handoff.Lead{}, handoff.ErrLeased
	}
	if s.is("a lead lasts a minute, whatever was asked") {
		lease = time.Minute
	}
	c.until = now.Add(lease)
	if !s.is("terms stay") {
		c.term++
	}
	if s.is("terms are random") {
		c.term = (c.term*7919 + 3) % 101
	}
	if !s.is("tries are not counted") {
		c.tries++
	}
	if s.is("tries are not counted after an end") && c.term > 1 {
		c.tries = 1
	}
	out := handoff.Lead{Seq: c.seq, Tries: c.tries, Term: c.term}
	if s.is("tries without this one") {
		out.Tries--
	}
	if s.is("Lead raises the version") {
		r.Version++
	}
	if s.is("Lead gives the log's end") {
		out.Seq = r.Seq
	}
	return out, nil
}

func (s *naive) Ack(ctx context.Context, acks ...handoff.Ack) error {
	if err := ctx.Err(); err != nil {
		if s.is("Ack is done and fails when its context has ended") {
			_ = s.Ack(context.WithoutCancel(ctx), acks...)
		}
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.is("one Ack for each call") && len(acks) > 1 {
		acks = acks[:1]
	}
	if s.is("the last Ack for a cursor counts") {
		m := map[string]handoff.Ack{}
		for _, a := range acks {
			m[a.ID.String()+a.Cursor] = a
		}
		acks = slices.Collect(maps.Values(m))
	}
	for _, a := range acks {
		r := s.find(a.ID)
		if r == nil {
			switch s.bug {
			case "an Ack of nothing is an error":
				return handoff.ErrNotFound
			case "an Ack of nothing ends the call":
				return nil
			case "an Ack of nothing is kept":
				s.orphans[a.ID] = &naiveRecord{cursors: map[string]*naiveCursor{a.Cursor: {seq: a.Seq}}}
			case "an Ack of nothing makes a record":
				s.put(nil, handoff.Record{ID: a.ID}, 1)
			}
			continue
		}
		s.ack(r, s.cursor(r, a.Cursor), a)
	}
	return nil
}

func (s *naive) ack(r *naiveRecord, c *naiveCursor, a handoff.Ack) {
	current := a.Term == c.term && c.term > 0
	before := c.seq
	switch {
	case s.is("Ack without a term is ignored") && !current:
		return
	case s.is("a cursor goes back"):
		c.seq = a.Seq
	case s.is("a cursor goes back to the start") && a.Seq == 0:
		c.seq = 0
	case s.is("a leader's cursor goes back") && current:
		c.seq = a.Seq
	case s.is("an earlier term moves nothing") && a.Term < c.term && a.Term > 0:
	case s.is("an Ack with Keep moves nothing") && a.Keep:
	case s.is("Ack moves one at a time"):
		c.seq = min(c.seq+1, max(c.seq, a.Seq))
	default:
		c.seq = max(c.seq, a.Seq)
	}
	if c.seq != before && !s.is("tries are never reset") || s.is("any Ack resets the tries") ||
		s.is("an Ack of the same place resets the tries") && a.Seq == before && a.Seq > 0 {
		c.tries = 0
	}
	if s.is("Ack raises the version") {
		r.Version++
	}
	if s.is("Ack touches Updated") {
		r.Updated = r.Updated.Add(time.Second)
	}
	switch {
	case s.is("any term ends a lead"):
		current = true
	case s.is("no term ends a lead") && a.Term == 0:
		current = true
	case s.is("a higher term ends a lead") && a.Term > c.term:
		current = true
	case s.is("an earlier term ends a lead") && a.Term < c.term && a.Term > 0:
		current = true
	}
	if !current && s.is("an earlier lead can be no try later") || a.Keep && s.is("progress kept is no try") {
		c.tries = max(c.tries-1, 0)
	}
	if !current || a.Keep && !s.is("Keep is ignored") && (a.Until.IsZero() || !s.is("Until beats Keep")) {
		return
	}
	if c.until.IsZero() && !s.is("a lead that has ended can be prolonged") {
		return
	}
	switch noTry := a.Until.IsZero() && a.Seq <= before; {
	case noTry && s.is("whoever finds nothing starts the tries anew"):
		c.tries = 0
	case noTry && !s.is("whoever finds nothing has tried"):
		c.tries = max(c.tries-1, 0)
	case !a.Until.IsZero() && s.is("a back-off is no try"):
		c.tries = max(c.tries-1, 0)
	}
	switch {
	case s.is("an Ack does not end the lead") && a.Until.IsZero():
	case s.is("only progress ends a lead") && a.Seq <= before && a.Until.IsZero():
	case s.is("Until is ignored"):
		c.until = time.Time{}
	case s.is("Until only shortens") && a.Until.After(c.until):
	case s.is("Until only prolongs") && a.Until.Before(c.until) && !a.Until.IsZero():
	default:
		c.until = a.Until
	}
	if s.is("the end of a lead starts the terms anew") {
		c.term = 0
	}
	if s.is("a move starts the terms anew") && c.seq != before {
		c.term = 0
	}
}
