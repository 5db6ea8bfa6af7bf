package desk

import (
	"time"

	"github.com/seed-2a427302/handoff"
)

// Routes is the API, for the test that walks all of it.
func Routes() []route { return routes() }

// Token is a handoff's name in addresses.
var Token, ParseToken = token, parseToken

// Pages are the addresses of the page itself.
func Pages() []string { return pages }

// ParseWords reads catalogues that are written side by side.
var ParseWords = parseWords

// RingSize is how many events are kept.
const RingSize = ringSize

// Stirred reports whether n events about a conversation wake a stream, with it
// open there or not.
func Stirred(n int, open bool) bool {
	v, id := newView(nil), handoff.ID{Conversation: "c", Number: 1}
	a := Actor{ID: "me", Role: Agent}
	s := newStream(a, "s")
	if open {
		v.opened[s.page] = map[string]opening{"tab": {id: id, actor: a, until: time.Now().Add(time.Hour)}}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.streams[s] = struct{}{}
	for range n {
		v.publish(&event{name: "entries", id: id})
	}
	return len(s.wake) > 0
}

// Heard reports whether a page that opens a conversation, and says so again, is
// told of events before, between and after.
func Heard() (before, between, after bool) {
	v, id := newView(nil), handoff.ID{Conversation: "c", Number: 1}
	a := Actor{ID: "me", Role: Admin}
	v.rows[id] = &row{facts: facts{id: id, state: handoff.StateActive}}
	say := func() *event {
		v.mu.Lock()
		defer v.mu.Unlock()
		e := &event{name: "typing", id: id, data: []byte("{}")}
		v.publish(e)
		return e
	}
	var told [3]*event
	for i := range told {
		if i > 0 {
			v.look(a, "s", "tab", id)
		}
		told[i] = say()
	}
	hears := func(e *event) bool { return v.filter(&a, "s", a.class(), e) != nil }
	return hears(told[0]), hears(told[1]), hears(told[2])
}
