package handoff

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
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

// allowanceName is the conversation under which the store keeps when an agent
// was asked in a queue.
func allowanceName(queue, agent string) string {
	sum := sha256.Sum256([]byte(strconv.Quote(queue) + " asks " + strconv.Quote(agent)))
	return "learned:" + hex.EncodeToString(sum[:])
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
	name := allowanceName(q.Name, agent)
	offer := asking{For: hash(h.ID.Conversation + " " + itoa(h.ID.Number) + " " + itoa(h.OfferNo+1))}
	for try := 0; ; try++ {
		last, err := e.kept(ctx, name)
		if err != nil {
			return until, err
		}
		var asked []asking
		if last != nil {
			asked = last.own.Lesson.Asked
		}
		offer.At = now()
		// A time well ahead was written by a clock that was wrong.
		asked = slices.DeleteFunc(slices.Clone(asked), func(a asking) bool { return offer.At.Sub(a.At).Abs() >= q.AgentEvery })
		if slices.ContainsFunc(asked, func(a asking) bool { return a.For == offer.For }) {
			return until, nil
		}
		if n := len(asked); n >= q.AgentMost {
			return asked[n-q.AgentMost].At.Add(q.AgentEvery), nil
		}
		next := nextKept(name, last)
		next.own.Lesson = lesson{By: newID(), Asked: append(asked, offer)}
		if err = e.insertKept(ctx, next); err == nil {
			e.deleteKept(ctx, next)
			return until, nil
		}
		if !errors.Is(err, ErrConflict) || try >= tries {
			return until, err
		}
		if err := backOff(ctx, try); err != nil {
			return until, err
		}
	}
}
