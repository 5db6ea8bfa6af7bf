package memstore

import (
	"context"
	"slices"

	"github.com/seed-2a427302/handoff"
)

// A queue holds the records that stand in it: all of them, which gives the
// rank, and those of each line, which gives the next one that an agent can
// take without looking at those that he cannot.
type queue struct {
	all   order
	lines map[string]*order
	names []string // of the lines, sorted; nil when it must be made anew
}

// rankPlace returns where a record stands: high priority first. The
// complement turns the order around and, unlike the negative, cannot overflow.
func rankPlace(r *handoff.Record) place {
	return place{^int64(r.Priority), r.Since.UnixMilli(), r.ID}
}

// enter puts a slot into its queue if it stands in a line.
func (s *Store) enter(sl *slot) {
	r := &sl.rec
	if r.Line == "" {
		return
	}
	q := s.queues[r.Queue]
	if q == nil {
		q = &queue{lines: make(map[string]*order)}
		s.queues[r.Queue] = q
	}
	line := q.lines[r.Line]
	if line == nil {
		line = new(order)
		q.lines[r.Line] = line
		q.names = nil
	}
	it := item{^int64(r.Priority), r.Since.UnixMilli(), sl}
	q.all.insert(it)
	line.insert(it)
}

// leave takes a slot out of its queue.
func (s *Store) leave(sl *slot) {
	r := &sl.rec
	if r.Line == "" {
		return
	}
	q := s.queues[r.Queue]
	line := q.lines[r.Line]
	it := item{^int64(r.Priority), r.Since.UnixMilli(), sl}
	q.all.remove(it)
	line.remove(it)
	if line.root == nil {
		delete(q.lines, r.Line)
		q.names = nil
	}
	if q.all.root == nil {
		delete(s.queues, r.Queue)
	}
}

// Lines implements [handoff.Store].
func (s *Store) Lines(ctx context.Context, name string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	if q := s.queues[name]; q == nil || q.names != nil {
		defer s.mu.RUnlock()
		if q == nil {
			return nil, nil
		}
		return q.names, nil
	}
	s.mu.RUnlock()

	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[name]
	if q == nil {
		return nil, nil
	}
	if q.names == nil {
		names := make([]string, 0, len(q.lines))
		for line := range q.lines {
			names = append(names, line)
		}
		slices.Sort(names)
		q.names = slices.Clip(names)
	}
	return q.names, nil
}

// Ahead implements [handoff.AheadCounter]. It allocates nothing.
func (s *Store) Ahead(ctx context.Context, r handoff.Record, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	q := s.queues[r.Queue]
	if q == nil {
		return 0, nil
	}
	p := rankPlace(&r)
	n := q.all.rank(&p)
	if limit > 0 {
		n = min(n, limit)
	}
	return n, nil
}
