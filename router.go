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
	MostSpecialised RouterFunc = func(_ context.Context, _ *Handoff, free []Candidate) (string, string) {
		return best(free, "most specialised", func(a, b *Candidate) int {
			return cmp.Or(cmp.Compare(len(a.Agent.Skills)+len(a.Agent.Queues), len(b.Agent.Skills)+len(b.Agent.Queues)),
				a.IdleSince.Compare(b.IdleSince))
		})
	}

	// LongestIdle picks who had nothing to do for the longest time.
	LongestIdle RouterFunc = func(_ context.Context, _ *Handoff, free []Candidate) (string, string) {
		return best(free, "longest idle", func(a, b *Candidate) int { return a.IdleSince.Compare(b.IdleSince) })
	}

	// LeastBusy picks who has the smallest share of his seats in use, then who
	// is idle longest.
	LeastBusy RouterFunc = func(_ context.Context, _ *Handoff, free []Candidate) (string, string) {
		return best(free, "least busy", func(a, b *Candidate) int {
			return cmp.Or(cmp.Compare(a.Load*(b.Load+b.Free), b.Load*(a.Load+a.Free)), a.IdleSince.Compare(b.IdleSince))
		})
	}

	// RoundRobin picks the agent whose turn it is, by the order of ids. The
	// handoff's own name decides where to start, so that equal replicas agree.
	RoundRobin RouterFunc = func(_ context.Context, h *Handoff, free []Candidate) (string, string) {
		last := ""
		for i := range free {
			if c := &free[i]; last == "" || c.IdleSince.After(idle(free, last)) {
				last = c.Agent.ID
			}
		}
		// Whoever got something most recently was last; the next id follows.
		ids := make([]string, len(free))
		for i := range free {
			ids[i] = free[i].Agent.ID
		}
		slices.Sort(ids)
		i, _ := slices.BinarySearch(ids, last)
		return ids[(i+1)%len(ids)], "round robin"
	}
)

// Sticky prefers the agent who had the conversation last, if he is among the
// candidates, and otherwise asks next.
func Sticky(next Router) Router {
	return RouterFunc(func(ctx context.Context, h *Handoff, free []Candidate) (string, string) {
		for i := range free {
			if id := free[i].Agent.ID; id == h.LastAgent {
				return id, "had the conversation last"
			}
		}
		return next.Route(ctx, h, free)
	})
}

func best(free []Candidate, why string, order func(a, b *Candidate) int) (string, string) {
	b := &free[0]
	for i := range free[1:] {
		c := &free[i+1]
		if n := cmp.Or(order(c, b), cmp.Compare(c.Agent.ID, b.Agent.ID)); n < 0 {
			b = c
		}
	}
	return b.Agent.ID, why
}

func idle(free []Candidate, id string) time.Time {
	for i := range free {
		if free[i].Agent.ID == id {
			return free[i].IdleSince
		}
	}
	return time.Time{}
}

func compare[T cmp.Ordered](a, b T) int { return cmp.Compare(a, b) }
