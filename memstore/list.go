package memstore

import (
	"context"
	"iter"
	"slices"

	"github.com/seed-2a427302/handoff"
)

// List implements [handoff.Store].
func (s *Store) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.plan(&q)
	slots := p.sorted
	if p.sort {
		slots = func(yield func(*slot) bool) {
			for _, sl := range sortSlots(&q, p.any) {
				if !yield(sl) {
					return
				}
			}
		}
	}
	var out []handoff.Record
	for sl := range slots {
		if !q.ByRank && !q.To.IsZero() && !sl.rec.Created.Before(q.To) {
			break
		}
		if !q.Match(&sl.rec) {
			continue
		}
		out = append(out, sl.rec)
		if len(out) == q.Limit {
			break
		}
	}
	return out, nil
}

// Count implements [handoff.Counter].
func (s *Store) Count(ctx context.Context, q handoff.Query) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := 0
	if rest := q; stands(&q) {
		rest.Queue, rest.Lines, rest.Waiting = "", nil, false
		rest.After, rest.ByRank, rest.Limit = handoff.Cursor{}, false, 0
		if isZero(&rest) {
			for _, o := range s.standing(&q) {
				n += o.len()
			}
			return n, nil
		}
	}
	q.ByRank = false
	for sl := range s.plan(&q).any {
		if q.Match(&sl.rec) {
			n++
		}
	}
	return n, nil
}

// isZero reports whether q selects everything.
func isZero(q *handoff.Query) bool {
	return q.Conversation == "" && q.Queue == "" && q.Agent == "" && q.User == "" && q.Tag == "" &&
		len(q.States) == 0 && len(q.Outcomes) == 0 && len(q.Lines) == 0 &&
		q.From.IsZero() && q.To.IsZero() && !q.Waiting
}

// stands reports whether q asks only for records that stand in a line.
func stands(q *handoff.Query) bool {
	return q.Waiting || len(q.Lines) > 0 && !slices.Contains(q.Lines, "")
}

// A plan is how to find what a query asks for: any has every record that can
// match, once (it is nil for a line by rank, which sorted is for), and so has
// sorted, in the query's order and behind its cursor.
type plan struct {
	any    iter.Seq[*slot]
	sorted iter.Seq[*slot]
	sort   bool // sorting any is cheaper than walking sorted, or the only way
}

// few is how many records are sorted without further thought.
const few = 64

// plan picks the index with the fewest records that can match.
func (s *Store) plan(q *handoff.Query) plan {
	var p plan
	if q.ByRank && stands(q) {
		// What is asked for most often, and so in as few steps as can be.
		orders := s.standing(q)
		m := 0
		for _, o := range orders {
			m += o.len()
		}
		if n := s.fewest(q); n >= m || n > few && n >= m/8 {
			p.sorted = merge(orders, after(q))
			return p
		}
	}
	total := s.created.len()
	n := total
	p.any = s.created.all()
	consider := func(m int, all iter.Seq[*slot]) {
		if m < n {
			n, p.any = m, all
		}
	}
	if q.Conversation != "" {
		slots := s.conversations.m[q.Conversation]
		consider(len(slots), slices.Values(slots))
	}
	if q.Agent != "" {
		consider(s.agents.len(q.Agent), s.agents.all(q.Agent))
	}
	if q.User != "" {
		consider(s.users.len(q.User), s.users.all(q.User))
	}
	if len(q.States) > 0 {
		m := 0
		names := make([]string, 0, len(q.States))
		for _, state := range q.States {
			if !slices.Contains(names, string(state)) {
				names, m = append(names, string(state)), m+s.states.len(string(state))
			}
		}
		consider(m, s.states.all(names...))
	}
	if stands(q) {
		orders := s.standing(q)
		m := 0
		for _, o := range orders {
			m += o.len()
		}
		consider(m, merge(orders, nil))
	}
	if q.ByRank {
		p.sort = true
		return p
	}
	p.sorted = merge([]*order{&s.created}, after(q))
	p.sort = n < total && (n <= few || n < total/8)
	return p
}

// fewest returns how many records the smallest index has for q, those of queues
// and lines aside.
func (s *Store) fewest(q *handoff.Query) int {
	n := s.created.len()
	if q.Conversation != "" {
		n = min(n, len(s.conversations.m[q.Conversation]))
	}
	if q.Agent != "" {
		n = min(n, s.agents.len(q.Agent))
	}
	if q.User != "" {
		n = min(n, s.users.len(q.User))
	}
	if len(q.States) > 0 {
		m := 0
		for _, state := range q.States {
			m += s.states.len(string(state))
		}
		n = min(n, m)
	}
	return n
}

// sortSlots returns those of all that can be in the result, in its order.
func sortSlots(q *handoff.Query, all iter.Seq[*slot]) []*slot {
	behind := after(q)
	var slots []*slot
	for sl := range all {
		if q.Match(&sl.rec) && (behind == nil || comparePlaces(placeIn(q, sl), *behind) > 0) {
			slots = append(slots, sl)
		}
	}
	slices.SortFunc(slots, func(a, b *slot) int { return comparePlaces(placeIn(q, a), placeIn(q, b)) })
	return slots
}

// placeIn returns where a slot stands in the order of q.
func placeIn(q *handoff.Query, sl *slot) place {
	if q.ByRank {
		return rankPlace(&sl.rec)
	}
	return place{0, sl.rec.Created.UnixMilli(), sl.rec.ID}
}

// after returns the place behind which the result of q begins, or nil for the
// beginning.
func after(q *handoff.Query) *place {
	switch {
	case !q.After.IsZero() && q.ByRank:
		return &place{^int64(q.After.Priority), q.After.At.UnixMilli(), q.After.ID}
	case !q.After.IsZero():
		p := &place{0, q.After.At.UnixMilli(), q.After.ID}
		if !q.From.IsZero() && p.minor < q.From.UnixMilli()-1 {
			return &place{minor: q.From.UnixMilli() - 1}
		}
		return p
	case !q.From.IsZero() && !q.ByRank:
		return &place{minor: q.From.UnixMilli() - 1}
	}
	return nil
}

// standing returns orders that together hold, once, every record that stands
// in the queue and lines of q.
func (s *Store) standing(q *handoff.Query) []*order {
	if q.Queue != "" {
		if one := s.queues[q.Queue]; one != nil {
			return one.orders(q.Lines, nil)
		}
		return nil
	}
	var all []*order
	for _, one := range s.queues {
		all = one.orders(q.Lines, all)
	}
	return all
}

func (q *queue) orders(lines []string, to []*order) []*order {
	if len(lines) == 0 {
		return append(to, &q.all)
	}
	for i, name := range lines {
		if line := q.lines[name]; line != nil && !slices.Contains(lines[:i], name) {
			to = append(to, line)
		}
	}
	return to
}

// all returns every member, in order.
func (o *order) all() iter.Seq[*slot] { return merge([]*order{o}, nil) }

// merge walks several orders as one, behind a place.
func merge(orders []*order, behind *place) iter.Seq[*slot] {
	return func(yield func(*slot) bool) {
		// A heap of walks by the item that each has reached.
		heads := make([]head, 0, len(orders))
		for _, o := range orders {
			h := head{order: o, item: o.first()}
			if behind != nil {
				h.start(behind)
			}
			if h.item != nil {
				heads = append(heads, h)
			}
		}
		for i := len(heads)/2 - 1; i >= 0; i-- {
			sink(heads, i)
		}
		for len(heads) > 0 {
			if !yield(heads[0].item.slot) {
				return
			}
			if heads[0].next(); heads[0].item == nil {
				heads[0] = heads[len(heads)-1]
				heads = heads[:len(heads)-1]
			}
			sink(heads, 0)
		}
	}
}

// A head is where a walk of an order is. Most go no further than the first
// member: the walk begins with the second.
type head struct {
	item  *item
	order *order
	walk  *walk
}

func (h *head) start(behind *place) {
	w := h.order.walk(behind)
	h.walk, h.item = &w, w.next()
}

func (h *head) next() {
	if h.walk == nil {
		h.start(&place{h.item.major, h.item.minor, h.item.slot.rec.ID})
		return
	}
	h.item = h.walk.next()
}

func sink(heads []head, i int) {
	for {
		kid := 2*i + 1
		if kid >= len(heads) {
			return
		}
		if kid+1 < len(heads) && heads[kid+1].item.before(heads[kid].item) {
			kid++
		}
		if !heads[kid].item.before(heads[i].item) {
			return
		}
		heads[i], heads[kid] = heads[kid], heads[i]
		i = kid
	}
}
