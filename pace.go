package handoff

import (
	"slices"
	"sync"
	"time"
)

// pace remembers when agents got or gave back something and when they were
// asked, as far as this engine made it or heard of it. It orders candidates and
// spreads offers; nothing that must not happen rests on it.
type pace struct {
	mu     sync.Mutex
	last   map[string]time.Time  // by agent: got or gave back
	offers map[string][]asked    // by agent: the last offers, oldest first
	rest   map[inQueue]time.Time // who is to be offered nothing more before a time
}

// inQueue is an agent in a queue.
type inQueue struct{ agent, queue string }

// asked is an offer that was made.
type asked struct {
	queue  string
	id     ID
	number int64
	at     time.Time
}

func newPace() *pace {
	return &pace{last: map[string]time.Time{}, offers: map[string][]asked{}, rest: map[inQueue]time.Time{}}
}

// note learns from a commit of this engine.
func (p *pace) note(r *rules, old, h *Handoff) {
	if old.Agent == h.Agent && h.OfferNo == old.OfferNo && len(old.Offers) == len(h.Offers) && (old.own.Seat == nil) == (h.own.Seat == nil) {
		return
	}
	agents := freed(old, h)
	if h.Agent != "" && h.Agent != old.Agent {
		agents = append(agents, h.Agent)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range agents {
		p.last[a] = h.Updated
	}
	p.made(r, h)
}

// heard learns from a commit of another engine.
func (p *pace) heard(r *rules, h *Handoff) {
	if h.Agent == "" && len(h.Offers) == 0 && h.State != StateEnded {
		return
	}
	agent := h.Agent
	if h.State == StateEnded {
		agent = h.LastAgent
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if agent != "" && h.Updated.After(p.last[agent]) && (h.State == StateEnded || h.Joined.Equal(h.Updated)) {
		p.last[agent] = h.Updated
	}
	p.made(r, h)
}

func (p *pace) made(r *rules, h *Handoff) {
	for i := range h.Offers {
		o := &h.Offers[i]
		list := p.offers[o.Agent]
		if slices.ContainsFunc(list, func(a asked) bool { return a.id == h.ID && a.number == o.Number }) {
			continue
		}
		list = append(list, asked{queue: h.Need.Queue, id: h.ID, number: o.Number, at: h.Updated})
		p.offers[o.Agent] = slices.Delete(list, 0, max(0, len(list)-r.remember))
	}
}

func (p *pace) idleSince(agent string, online time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.last[agent]; t.After(online) {
		return t
	}
	return online
}

// asked returns when an agent was last asked; zero if that is not known.
func (p *pace) asked(agent string) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if list := p.offers[agent]; len(list) > 0 {
		return list[len(list)-1].at
	}
	return time.Time{}
}

// again returns when an agent may be offered something of a queue again.
func (p *pace) again(agent string, q *Queue, at time.Time) time.Time {
	if q.AgentMost == 0 {
		return at
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if until, ok := p.rest[inQueue{agent, q.Name}]; ok {
		if until.After(at) && until.Sub(at) <= 3*q.AgentEvery { // else the clock was put right
			return until
		}
		delete(p.rest, inQueue{agent, q.Name})
	}
	n := 0
	for _, a := range slices.Backward(p.offers[agent]) {
		if a.queue != q.Name {
			continue
		}
		if n++; n == q.AgentMost {
			return a.at.Add(q.AgentEvery)
		}
	}
	return at
}

// rests notes that an agent had as many offers of a queue as he may get before
// a time.
func (p *pace) rests(agent, queue string, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest[inQueue{agent, queue}] = until
}
