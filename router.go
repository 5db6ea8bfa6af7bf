package handoff

import (
	"cmp"
	"context"
	"time"
)

// A Candidate is an agent who could take a handoff now: online, in the queue,
// with the skills and with a free seat.
type Candidate struct {
	Agent     Agent
	Load      int       // units in use
	Free      int       // units that are free
	IdleSince time.Time // when he last got or gave back a handoff, or came online
}

// A Router picks one of the candidates for a handoff, of which there is at
// least one, and says why in a few words for Explain. It returns "" to leave
// the handoff waiting. It must be fast; it may be called again for the same
// handoff, and its choice may be refused by the store.
type Router interface {
	Route(ctx context.Context, h *Handoff, free []Candidate) (agent, why string)
}

// A RouterFunc is a Router.
type RouterFunc func(ctx context.Context, h *Handoff, free []Candidate) (agent, why string)

// Route calls f.
func (f RouterFunc) Route(ctx context.Context, h *Handoff, free []Candidate) (agent, why string) {
	return f(ctx, h, free)
}

// The strategies. All of them are deterministic: equal candidates are told
// apart by id.
var (
	// MostSpecialised picks who has the fewest skills, so that those who can
	// do everything stay free, then who is idle longest. It is the default.
	MostSpecialised Router = strategy{"most specialised", func(a, b *Candidate) int {
		return cmp.Or(cmp.Compare(len(a.Agent.Skills)+len(a.Agent.Queues), len(b.Agent.Skills)+len(b.Agent.Queues)),
			a.IdleSince.Compare(b.IdleSince))
	}}

	// LongestIdle picks who had nothing to do for the longest time.
	LongestIdle Router = strategy{"longest idle", func(a, b *Candidate) int { return a.IdleSince.Compare(b.IdleSince) }}

	// LeastBusy picks who has the smallest share of his seats in use, then who
	// is idle longest.
	LeastBusy Router = strategy{"least busy", func(a, b *Candidate) int {
		return cmp.Or(cmp.Compare(a.Load*(b.Load+b.Free), b.Load*(a.Load+a.Free)), a.IdleSince.Compare(b.IdleSince))
	}}

	// RoundRobin picks the agent whose turn it is, by the order of ids: the
	// one behind who got something most recently.
	RoundRobin Router = roundRobin{}
)

// Sticky prefers the agent who had the conversation last, if he is among the
// candidates, and otherwise asks next.
func Sticky(next Router) Router { return sticky{next} }

// A picker is a Router that needs no copies of the candidates. One that is
// pure runs no code of the host.
type picker interface {
	Router
	pick(h *Handoff, free []*Candidate) (*Candidate, string)
	pure() bool
}

// strategy picks the first in an order.
type strategy struct {
	why   string
	order func(a, b *Candidate) int
}

func (s strategy) pure() bool { return true }

func (s strategy) pick(_ *Handoff, free []*Candidate) (*Candidate, string) {
	b := free[0]
	for _, c := range free[1:] {
		if n := s.order(c, b); n < 0 || n == 0 && c.Agent.ID < b.Agent.ID {
			b = c
		}
	}
	return b, s.why
}

func (s strategy) Route(_ context.Context, h *Handoff, free []Candidate) (string, string) {
	return picked(s, h, free)
}

type roundRobin struct{}

func (roundRobin) pure() bool { return true }

func (roundRobin) pick(_ *Handoff, free []*Candidate) (*Candidate, string) {
	var last, first, next *Candidate
	for _, c := range free {
		if last == nil || c.IdleSince.After(last.IdleSince) || c.IdleSince.Equal(last.IdleSince) && c.Agent.ID < last.Agent.ID {
			last = c
		}
		if first == nil || c.Agent.ID < first.Agent.ID {
			first = c
		}
	}
	for _, c := range free {
		if c.Agent.ID > last.Agent.ID && (next == nil || c.Agent.ID < next.Agent.ID) {
			next = c
		}
	}
	if next == nil {
		next = first
	}
	return next, "round robin"
}

func (r roundRobin) Route(_ context.Context, h *Handoff, free []Candidate) (string, string) {
	return picked(r, h, free)
}

type sticky struct{ next Router }

func (s sticky) pure() bool {
	p, ok := s.next.(picker)
	return ok && p.pure()
}

func (s sticky) pick(h *Handoff, free []*Candidate) (*Candidate, string) {
	for _, c := range free {
		if c.Agent.ID == h.LastAgent {
			return c, "had the conversation last"
		}
	}
	if p, ok := s.next.(picker); ok {
		return p.pick(h, free)
	}
	return nil, ""
}

func (s sticky) Route(ctx context.Context, h *Handoff, free []Candidate) (string, string) {
	if id, why := picked(s, h, free); id != "" || s.pure() {
		return id, why
	}
	return s.next.Route(ctx, h, free)
}

func picked(p picker, h *Handoff, free []Candidate) (agent, why string) {
	list := make([]*Candidate, len(free))
	for i := range free {
		list[i] = &free[i]
	}
	if c, why := p.pick(h, list); c != nil {
		return c.Agent.ID, why
	}
	return "", ""
}

func compare[T cmp.Ordered](a, b T) int { return cmp.Compare(a, b) }
