package desk

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
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

// Alike tells changes of rows to actors, both made of a seed, out of order as
// streams do of which some are late. It returns where one was not told just what
// he may know.
func Alike(seed uint64) string {
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // it is to be repeated
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	var actors []Actor
	for i := range 12 {
		a := Actor{ID: fmt.Sprint("a", i), Role: Role(random.IntN(4))}
		switch random.IntN(4) {
		case 0:
			a.Queues = []string{}
		case 1:
			a.Queues = []string{"q1"}
		case 2:
			a.Queues = []string{"q2", "q1"}
		}
		actors = append(actors, a)
	}
	who := func() string { return one("", fmt.Sprint("a", random.IntN(12))) }
	now := func(id handoff.ID) *row {
		r := &row{ID: token(id), State: handoff.States()[random.IntN(len(handoff.States()))]}
		r.facts = facts{id: id, state: r.State, queue: one("q1", "q2", "q3"), agent: who(), last: who(), public: random.IntN(2) == 0, left: random.IntN(3) == 0}
		r.Agent, r.Queue = r.facts.agent, r.facts.queue
		if asked := who(); asked != "" {
			r.facts.asked, r.offers = []string{asked}, []handoff.Offer{{Agent: asked, Number: 1}}
		}
		return r
	}
	v := newView(func(string) bool { return false })
	var events []*event
	for n := range 3 {
		id := handoff.ID{Conversation: fmt.Sprint("c", n), Number: 1}
		c := rowChange{now: now(id)}
		if random.IntN(3) > 0 {
			c.old = now(id)
		}
		if c.old != nil && random.IntN(5) == 0 {
			c.now = nil
		}
		events = append(events, &event{n: int64(n + 1), name: "rows", rows: []rowChange{c}})
	}
	for range 60 {
		a, e := &actors[random.IntN(len(actors))], events[random.IntN(len(events))]
		if random.IntN(4) > 0 {
			e = events[len(events)-1] // most are up to date
		}
		got, _ := json.Marshal(v.rowsFor(a, a.class(), e))
		want, _ := json.Marshal(v.filterRows(a, e.rows))
		if string(got) != string(want) {
			return fmt.Sprintf("%+v of event %d: %s, not %s", *a, e.n, got, want)
		}
	}
	return ""
}
