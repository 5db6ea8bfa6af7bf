package handoff

import (
	"maps"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"time"
)

// A roster is what this engine read last about the agents: who can do what,
// who is there, who has a free seat. It finds the agents for a handoff, and
// the lines for agents, without looking at all of them. It is a hint and
// decides nothing: whom it finds is read again before he is offered anything,
// and when it finds nobody, everybody is read again.
type roster struct {
	mu     sync.Mutex
	clock  int64 // numbers reads, so that an older one does not undo a newer
	seats  []*attendant
	ids    map[string]int // into seats
	spare  []int
	able   *abilities
	free   bitset // online and with a free seat
	crews  map[string]*crew
	lines  map[string]*lineup // by queue
	filter filter
	found  []*Candidate
	words  []int
}

// A attendant is an agent in the roster.
type attendant struct {
	Candidate
	online bool
	used   map[string]int // units by queue, where he has a limit of his own
	read   int64          // when
}

// A crew is the agents of a queue.
type crew struct {
	who     bitset
	read    bool // all of them were, at least once
	next    time.Time
	waiting bool // a read is due at next
	mixed   bool // somebody waited whom nobody free could serve
}

// A sighting is what was read about an agent.
type sighting struct {
	agent  Agent
	online bool
	units  int            // in use
	used   map[string]int // of these by queue, where he has a limit of his own
	since  time.Time      // idle
	asked  time.Time      // last
	full   []string       // channels of which he has as many as he may
}

func newRoster() *roster {
	return &roster{ids: map[string]int{}, able: newAbilities(), crews: map[string]*crew{}, lines: map[string]*lineup{}}
}

// tick returns a number for a read that begins now.
func (r *roster) tick() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock++
	return r.clock
}

func (r *roster) crew(queue string) *crew {
	c := r.crews[queue]
	if c == nil {
		c = &crew{}
		r.crews[queue] = c
	}
	return c
}

// put takes in what a read that began at a tick found about one agent. It
// reports whether he can take something that he could not before.
func (r *roster) put(f *sighting, read int64) (better bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, better = r.set(f, read)
	return better
}

// putCrew takes in what was found about all agents of a queue. It reports
// whether one of them can take something that he could not before. Matching goes
// on meanwhile: thousands of agents are taken in some at a time.
func (r *roster) putCrew(queue string, all []sighting, read int64) (better bool) {
	const atOnce = 64
	var found bitset
	for some := range slices.Chunk(all, atOnce) {
		better = r.putSome(queue, some, read, &found) || better
		runtime.Gosched()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.crew(queue)
	c.read = true
	for n := range c.who.all {
		switch m := r.seats[n]; {
		case found.has(n):
		case m.read > read && m.Agent.serves(queue): // he joined since
		default:
			c.who.put(n, false)
			r.leave(n)
		}
	}
	return better
}

func (r *roster) putSome(queue string, some []sighting, read int64, found *bitset) (better bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.crew(queue)
	for i := range some {
		n, b := r.set(&some[i], read)
		better = better || b || !c.who.has(n)
		c.who.put(n, true)
		found.put(n, true)
	}
	return better
}

// leave forgets an agent who is left in no queue.
func (r *roster) leave(n int) {
	for _, c := range r.crews {
		if c.who.has(n) {
			return
		}
	}
	m := r.seats[n]
	r.able.put(n, &m.Agent, false)
	r.free.put(n, false)
	delete(r.ids, m.Agent.ID)
	r.seats[n] = nil
	r.spare = append(r.spare, n)
}

func (r *roster) set(f *sighting, read int64) (n int, better bool) {
	n, ok := r.ids[f.agent.ID]
	if !ok {
		if k := len(r.spare); k > 0 {
			n, r.spare = r.spare[k-1], r.spare[:k-1]
		} else {
			n = len(r.seats)
			r.seats = append(r.seats, nil)
		}
		r.ids[f.agent.ID], r.seats[n] = n, &attendant{}
	}
	m := r.seats[n]
	if m.read > read {
		return n, false
	}
	old, used := m.Candidate, m.used
	m.read, m.online, m.used = read, f.online, f.used
	m.Candidate = Candidate{Agent: f.agent, Load: f.units, Free: f.agent.Seats - f.units, IdleSince: f.since, Asked: f.asked, full: f.full}
	better = m.Free > old.Free || len(f.full) < len(old.full) || !maps.Equal(old.Agent.QueueSeats, f.agent.QueueSeats)
	for q, n := range used {
		better = better || f.used[q] < n
	}
	if !ok || !sameAbilities(&old.Agent, &f.agent) {
		r.able.put(n, &old.Agent, false)
		r.able.put(n, &f.agent, true)
		better = true
	}
	for _, q := range old.Agent.Queues {
		if !f.agent.serves(q) {
			r.crew(q).who.put(n, false)
		}
	}
	for _, q := range f.agent.Queues {
		if c := r.crew(q); !c.who.has(n) {
			c.who.put(n, true)
			better = true
		}
	}
	free := m.online && m.Free > 0
	better = free && (better || !r.free.has(n))
	r.free.put(n, free)
	return n, better
}

func sameAbilities(a, b *Agent) bool {
	return a.Video == b.Video && maps.Equal(a.Skills, b.Skills) && slices.Equal(a.Languages, b.Languages)
}

// drop forgets an agent who does not exist.
func (r *roster) drop(id string, read int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, ok := r.ids[id]
	if !ok || r.seats[n].read > read {
		return
	}
	for _, c := range r.crews {
		c.who.put(n, false)
	}
	r.leave(n)
}

// took notes that this engine gave an agent something by a commit that began at
// a tick. It reports whether he is to be read for it: who was read since may
// have given it back already, and would seem busy until somebody looks.
func (r *roster) took(id string, units int, at time.Time, began int64) (unsure bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, ok := r.ids[id]
	if !ok {
		return false
	}
	m := r.seats[n]
	m.IdleSince, m.Asked = at, at
	if m.read > began {
		return true
	}
	r.clock++
	m.read = r.clock
	r.give(n, units, at)
	return false
}

// give notes that an agent got something.
func (r *roster) give(n, units int, at time.Time) {
	m := r.seats[n]
	m.IdleSince, m.Asked, m.Load, m.Free = at, at, m.Load+units, m.Free-units
	r.free.put(n, m.online && m.Free > 0)
}

// queues returns the queues of an agent.
func (r *roster) queues(id string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n, ok := r.ids[id]; ok {
		return r.seats[n].Agent.Queues
	}
	return nil
}

// idle returns how many of a queue's agents seem to have a free seat.
func (r *roster) idle(queue string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for w, word := range r.crew(queue).who {
		n += bits.OnesCount64(word & r.free.word(w))
	}
	return n
}

// mixed reports whether somebody waited in a queue whom none of its free agents
// could serve.
func (r *roster) mixed(queue string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.crew(queue).mixed
}

// has reports whether a queue's agents were ever read.
func (r *roster) has(queue string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.crew(queue).read
}

// find returns who of a queue can do what a need asks for and has a free seat.
// The result holds until the lock is given back.
func (r *roster) find(queue string, n *Need) []*Candidate {
	r.found, r.filter.grown = r.found[:0], 0
	r.able.filter(n, &r.filter)
	who := r.crew(queue).who
	for w := range min(len(who), len(r.free)) {
		for word := r.able.word(&r.filter, w, who[w]&r.free[w]); word != 0; word &= word - 1 {
			if m := r.seats[w*64+bits.TrailingZeros64(word)]; m.may(queue) && m.Agent.reaches(queue, n) {
				r.found = append(r.found, &m.Candidate)
			}
		}
	}
	return r.found
}

// may reports whether an agent's own limit for a queue leaves room.
func (m *attendant) may(queue string) bool {
	most, ok := m.Agent.QueueSeats[queue]
	return !ok || m.used[queue] < most
}
