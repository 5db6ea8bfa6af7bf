package desk

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"sync"
)

// alike is the newest change of rows as it was written for one actor, for those
// to whom it looks the same: colleagues of the same queues who have no part in
// it. With hundreds of pages that is nearly all of them.
type alike struct {
	mu      sync.Mutex
	n       int64 // of the event
	parties map[string]bool
	told    map[string]any // by class
}

// class names those actors to whom a row looks the same in which they have no
// part: what Actor.may looks at, but for the ID.
func (a *Actor) class() string { return fmt.Sprintf("%d %t %q", a.Role, a.Queues == nil, a.Queues) }

// mark is a short name of what an actor may know of.
func (a *Actor) mark() string {
	sum := fnv.New32a()
	fmt.Fprintf(sum, "%q %s", a.ID, a.class())
	return strconv.FormatUint(uint64(sum.Sum32()), 36)
}

// parties are those to whom a change of rows looks as it does to nobody else.
func parties(changes []rowChange) map[string]bool {
	out := map[string]bool{}
	for _, c := range changes {
		for _, r := range [...]*row{c.old, c.now} {
			if r == nil {
				continue
			}
			out[r.facts.agent], out[r.facts.last] = true, true
			for _, id := range r.facts.asked {
				out[id] = true
			}
		}
	}
	return out
}

// rowsFor is what an actor gets of a change of rows, written once for all who
// get the same; nil is nothing.
func (v *view) rowsFor(a *Actor, class string, e *event) any {
	s := &v.alike
	s.mu.Lock()
	if e.n > s.n {
		s.n, s.parties, s.told = e.n, parties(e.rows), map[string]any{}
	}
	if e.n < s.n || s.parties[a.ID] {
		s.mu.Unlock()
		return v.filterRows(a, e.rows)
	}
	defer s.mu.Unlock() // the others wait for the first rather than do the same
	data, ok := s.told[class]
	if !ok {
		if data = v.filterRows(a, e.rows); data != nil {
			if b, err := json.Marshal(data); err == nil {
				data = json.RawMessage(b)
			}
		}
		s.told[class] = data
	}
	return data
}
