package handoff

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// A Candidate is an agent who could take a handoff now: online, in the queue,
// with the skills and with a free seat.
type Candidate struct {
	Agent     Agent
	Load      int       // units in use
	Free      int       // units that are free
	IdleSince time.Time // when he last got or gave back a handoff, or came online
	Asked     time.Time // when he was last offered one; zero if that is not known

	full []string // channels of which he has as many as he may
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

	// RoundRobin picks whoever was not asked for the longest time, so that each
	// has his turn whether or not he accepts. Who was never asked comes first.
	RoundRobin Router = strategy{"round robin", func(a, b *Candidate) int { return a.Asked.Compare(b.Asked) }}
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

// othersLeft reports whether somebody of online who has not refused could take
// h.
func (h *Handoff) othersLeft(online []Agent, at time.Time) bool {
	return slices.ContainsFunc(online, func(a Agent) bool { return h.leftFor(&a, at) })
}

// leftFor reports whether an agent who is online has not refused h and could
// take it, now or when he has a seat.
func (h *Handoff) leftFor(a *Agent, at time.Time) bool {
	_, cooling := h.cooling(a.ID, at)
	return a.Seats >= h.Capacity() && !cooling && !h.refused(a.ID) && !slices.Contains(h.Need.Exclude, a.ID) &&
		a.reaches(h.Need.Queue, &h.Need) && a.covers(&h.Need)
}

// refused reports whether an agent said no to h or gave it back. Who only let
// an offer lapse did not.
func (h *Handoff) refused(agent string) bool {
	return slices.ContainsFunc(h.own.Declined, func(d declined) bool { return d.Agent == agent && d.Refused })
}
