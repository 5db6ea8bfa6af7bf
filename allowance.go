package handoff

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// Queue.AgentMost is counted in the store, so that replicas together keep to it
// and a restart forgets nothing. What this engine heard of (pace) only saves
// the looks.

// asking is an offer that counts against a limit. It names the handoff by a
// hash, since it outlives it.
type asking struct {
	At  time.Time `json:"at"`
	For uint64    `json:"for"`
}

// allowanceName is the name under which the store keeps when an agent was
// asked in a queue.
func allowanceName(queue, agent string) string {
	return keptName(strconv.Quote(queue) + " asks " + strconv.Quote(agent))
}

// allowed returns those who may be asked for h just now, after counting it.
// Who may not be is remembered, so that he is not chosen again before his time.
func (e *Engine) allowed(ctx context.Context, q *Queue, h *Handoff, to []candidate) ([]candidate, error) {
	if q.AgentMost == 0 {
		return to, nil
	}
	out := make([]candidate, 0, len(to))
	for _, c := range to {
		until, err := e.spend(ctx, q, h, c.agent)
		if err != nil {
			return nil, err
		}
		if until.IsZero() {
			out = append(out, c)
		} else {
			e.pace.rests(c.agent, q.Name, until)
		}
	}
	return out, nil
}

// spend counts one offer to an agent, or says until when he had as many as he
// may get. The same offer, tried again, counts once.
func (e *Engine) spend(ctx context.Context, q *Queue, h *Handoff, agent string) (until time.Time, err error) {
	offer := asking{For: nextOffer(h)}
	added, err := e.keep(ctx, allowanceName(q.Name, agent), func(last *kept) *kept {
		offer.At, until = now(), time.Time{}
		// A time well ahead was written by a clock that was wrong.
		asked := slices.DeleteFunc(slices.Clone(last.Asked), func(a asking) bool { return offer.At.Sub(a.At).Abs() >= q.AgentEvery })
		if slices.ContainsFunc(asked, func(a asking) bool { return a.For == offer.For }) {
			return nil
		}
		if n := len(asked); n >= q.AgentMost {
			until = asked[n-q.AgentMost].At.Add(q.AgentEvery)
			return nil
		}
		return &kept{Asked: append(asked, offer)}
	})
	if added != nil {
		e.shorten(ctx, added)
	}
	return until, err
}

// nextOffer names the next offer of a handoff.
func nextOffer(h *Handoff) uint64 {
	return hash(h.ID.Conversation + " " + itoa(h.ID.Number) + " " + itoa(h.OfferNo+1))
}

// refund takes back what spend has counted for an offer that another replica
// has made to somebody else in the meantime. Where that is not certain the count
// stays: an agent may get an offer less, never one more.
func (e *Engine) refund(ctx context.Context, q *Queue, h *Handoff, agent, op string) error {
	made, err := e.entry(ctx, h.ID, op)
	if err != nil || made == nil || made.Agent == agent {
		return err
	}
	offer := nextOffer(h)
	added, err := e.keep(ctx, allowanceName(q.Name, agent), func(last *kept) *kept {
		i := slices.IndexFunc(last.Asked, func(a asking) bool { return a.For == offer })
		if i < 0 {
			return nil
		}
		return &kept{Asked: slices.Delete(slices.Clone(last.Asked), i, i+1)}
	})
	if added != nil {
		e.shorten(ctx, added)
	}
	return err
}
