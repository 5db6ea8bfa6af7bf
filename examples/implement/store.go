package implement

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Store keeps everything in one map and looks at all of it for each
// question. It keeps bodies as bytes, as a database does. A real one has
// indexes for what is marked "index".
type Store struct {
	mu   sync.Mutex
	rows map[handoff.ID]*row
}

type row struct {
	handoff.Record
	log     []handoff.RecordEntry
	cursors map[string]*cursor
	hidden  time.Time // from other claims, until then
}

type cursor struct {
	handoff.Lead
	until time.Time // of the lead
}

// NewStore returns an empty store.
func NewStore() *Store { return &Store{rows: map[handoff.ID]*row{}} }

// Commit checks version, keys and entry ids, in this order, and then writes.
func (s *Store) Commit(_ context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.rows[r.ID]
	if old == nil {
		old = &row{cursors: map[string]*cursor{}}
	}
	switch {
	case len(entries) == 0:
		return errors.New("implement: a commit without entries")
	case old.Version != r.Version:
		return handoff.ErrConflict
	}
	for i, e := range entries {
		if e.Seq != r.Seq-int64(len(entries)-1-i) || i == 0 && e.Seq != old.Seq+1 {
			return errors.New("implement: entries with a gap")
		}
	}
	for _, k := range r.Keys {
		had := units(old.Keys, k.Name)
		held := s.holders(k.Name)
		total := k.Units - had
		for _, h := range held {
			total += h.Units
		}
		if k.Units > had && total > k.Max {
			return &handoff.HeldError{Key: k.Name, Holders: held}
		}
	}

	next := &row{Record: r, log: slices.Clone(old.log), cursors: old.cursors} // not hidden any more
	next.Version++
	next.Body = handoff.BodyOf(r.Body.Bytes())
	for _, e := range entries {
		if slices.ContainsFunc(next.log, func(o handoff.RecordEntry) bool { return o.ID == e.ID }) {
			return handoff.ErrDuplicate
		}
		e.Body = handoff.BodyOf(e.Body.Bytes())
		next.log = append(next.log, e)
	}
	s.rows[r.ID] = next
	return nil
}

func units(keys []handoff.Key, name string) int {
	for _, k := range keys {
		if k.Name == name {
			return k.Units
		}
	}
	return 0
}

// Get finds a record by its id.
func (s *Store) Get(_ context.Context, id handoff.ID) (handoff.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rows[id]; r != nil {
		return r.Record, nil
	}
	return handoff.Record{}, handoff.ErrNotFound
}

// Latest finds the record with the highest number (index: conversation, number).
func (s *Store) Latest(_ context.Context, conversation string) (handoff.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.latest(conversation); r != nil {
		return r.Record, nil
	}
	return handoff.Record{}, handoff.ErrNotFound
}

func (s *Store) latest(conversation string) *row {
	var last *row
	for id, r := range s.rows {
		if id.Conversation == conversation && (last == nil || id.Number > last.ID.Number) {
			last = r
		}
	}
	return last
}

// Holders finds who holds keys (index: key).
func (s *Store) Holders(_ context.Context, keys ...string) ([]handoff.Holding, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []handoff.Holding
	for _, k := range keys {
		out = append(out, s.holders(k)...)
	}
	return out, nil
}

func (s *Store) holders(key string) []handoff.Holding {
	var out []handoff.Holding
	for id, r := range s.rows {
		if n := units(r.Keys, key); n > 0 {
			out = append(out, handoff.Holding{Key: key, ID: id, Units: n})
		}
	}
	slices.SortFunc(out, func(a, b handoff.Holding) int { return a.ID.Compare(b.ID) })
	return out
}

// List selects and orders records (indexes: rank in a queue, created).
func (s *Store) List(_ context.Context, q handoff.Query) ([]handoff.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []handoff.Record
	for _, r := range s.rows {
		if q.Match(&r.Record) && (q.After.IsZero() || r.Cursor(q).Compare(q.After) > 0) {
			out = append(out, r.Record)
		}
	}
	slices.SortFunc(out, func(a, b handoff.Record) int { return a.Cursor(q).Compare(b.Cursor(q)) })
	if q.Limit > 0 && len(out) > q.Limit {
		out = out[:q.Limit]
	}
	return out, nil
}

// Lines finds the lines of a queue in which somebody stands.
func (s *Store) Lines(_ context.Context, queue string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, r := range s.rows {
		if r.Queue == queue && r.Line != "" {
			out = append(out, r.Line)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Log reads a page of a log.
func (s *Store) Log(_ context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []handoff.RecordEntry
	if r := s.rows[id]; r != nil {
		for _, e := range r.log {
			if e.Seq > after && len(out) < limit {
				out = append(out, e)
			}
		}
	}
	return out, nil
}

// Entry finds an entry by its id.
func (s *Store) Entry(_ context.Context, id handoff.ID, entry string) (handoff.RecordEntry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rows[id]; r != nil {
		for _, e := range r.log {
			if e.ID == entry {
				return e, nil
			}
		}
	}
	return handoff.RecordEntry{}, handoff.ErrNotFound
}

// Claim finds what is due (index: wake) and what is behind (index: cursors
// below what is owed).
func (s *Store) Claim(_ context.Context, c handoff.Claim) (handoff.Claimed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := handoff.Claimed{Now: c.Now}
	var due, seen []*row
	for _, r := range s.rows {
		if r.hidden.After(c.Now) {
			continue
		}
		if !r.Wake.IsZero() && !r.Wake.After(c.Now) {
			due = append(due, r)
		}
		seen = append(seen, r)
	}
	slices.SortFunc(due, func(a, b *row) int { return cmp.Or(a.Wake.Compare(b.Wake), a.ID.Compare(b.ID)) })
	for _, r := range due[:min(len(due), c.Limit)] {
		r.hidden = c.Now.Add(c.Lease)
		out.Due = append(out.Due, r.Record)
	}
	for _, r := range seen {
		for _, o := range r.Owed {
			if len(out.Overdue) < c.Limit && slices.Contains(c.Sinks, o.Sink) && r.behind(o, c.Now, c.Grace) {
				r.hidden = c.Now.Add(c.Lease)
				out.Overdue = append(out.Overdue, handoff.Delivery{ID: r.ID, Sink: o.Sink, Cursor: o.Cursor})
			}
		}
	}
	return out, nil
}

// behind reports whether nobody leads a cursor and its next entry is older
// than the grace.
func (r *row) behind(o handoff.Owed, now time.Time, grace time.Duration) bool {
	at := int64(0)
	if c := r.cursors[o.Cursor]; c != nil {
		if at = c.Seq; c.until.After(now) {
			return false
		}
	}
	for _, e := range r.log {
		if e.Seq > at {
			return o.Seq > at && e.At.Before(now.Add(-grace))
		}
	}
	return false
}

// Lead takes a lease on a cursor.
func (s *Store) Lead(_ context.Context, id handoff.ID, name string, now time.Time, lease time.Duration) (handoff.Lead, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rows[id]
	if r == nil {
		return handoff.Lead{}, handoff.ErrNotFound
	}
	c := r.cursors[name]
	if c == nil {
		c = &cursor{}
		r.cursors[name] = c
	}
	if c.until.After(now) {
		return handoff.Lead{}, handoff.ErrLeased
	}
	c.Tries++
	c.Term++
	c.until = now.Add(lease)
	return c.Lead, nil
}

// Ack moves cursors forward.
func (s *Store) Ack(_ context.Context, acks ...handoff.Ack) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range acks {
		r := s.rows[a.ID]
		if r == nil {
			continue
		}
		c := r.cursors[a.Cursor]
		if c == nil {
			c = &cursor{}
			r.cursors[a.Cursor] = c
		}
		if a.Seq > c.Seq {
			c.Seq, c.Tries = a.Seq, 0
		}
		if a.Term == c.Term && !a.Keep && !c.until.IsZero() { // a lead that has ended stays so
			if c.until = a.Until; a.Until.IsZero() {
				c.Tries = max(c.Tries-1, 0) // whoever led had nothing to send
			}
		}
	}
	return nil
}

// Erase leaves a tombstone in place of a conversation.
func (s *Store) Erase(_ context.Context, conversation string, tomb handoff.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.latest(conversation)
	if last == nil || last.ID.Number != tomb.ID.Number || last.Version != tomb.Version {
		return handoff.ErrConflict
	}
	for id := range s.rows {
		if id.Conversation == conversation {
			delete(s.rows, id)
		}
	}
	tomb.Version++
	tomb.Body = handoff.BodyOf(tomb.Body.Bytes())
	s.rows[tomb.ID] = &row{Record: tomb, cursors: map[string]*cursor{}}
	return nil
}

// Delete removes one record.
func (s *Store) Delete(_ context.Context, id handoff.ID, version int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rows[id]; r != nil && r.Version != version {
		return handoff.ErrConflict
	}
	delete(s.rows, id)
	return nil
}
