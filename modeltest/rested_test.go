package modeltest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// rested checks what must hold some minutes after the last trouble: nothing is
// owed to anybody, nobody waits beside somebody who could help, and everything
// that is due was done.
func (w *world) rested() {
	ctx := context.Background()
	now := time.Now()
	list, err := w.mem.List(ctx, handoff.Query{})
	if err != nil {
		w.fail("reading: %v", err)
		return
	}
	live := map[string]bool{}
	for i := range list {
		r := &list[i]
		if strings.HasPrefix(r.ID.Conversation, "erased:") {
			continue
		}
		h, err := w.reader.Engine.Get(ctx, r.ID)
		if err != nil {
			w.fail("reading: %v", err)
			continue
		}
		if !r.Wake.IsZero() && r.Wake.Before(now.Add(-20*time.Second)) {
			w.fail("%v: a due timer fires (32): %s is due since %v: %v", r.ID, h.State, now.Sub(r.Wake), h.Deadlines)
		}
		if h.NextOwed() {
			w.fail("%v: the next handoff is opened (R13): %s still owes it", r.ID, h.State)
		}
		for _, p := range h.Pending {
			since := p.At
			if h.Created.After(since) {
				since = h.Created
			}
			if h.State == handoff.StateBot && h.StayOut.IsZero() && now.Sub(since) > time.Minute {
				w.fail("%v: every message is answered, or said to be unanswered (11): %s waits since %v for %q", r.ID, p.Message, now.Sub(since), p.Call)
			}
		}
		for _, o := range r.Owed {
			l, err := w.mem.Lead(ctx, r.ID, o.Cursor, now, time.Millisecond)
			if errors.Is(err, handoff.ErrLeased) || err == nil && l.Seq < o.Seq {
				w.fail("%v: nothing is owed (36): %s stands at %d of %d (%v)", r.ID, o.Cursor, l.Seq, o.Seq, err)
			}
		}
		for _, b := range h.Bindings() {
			if b.Status == handoff.BindOpen || b.Status == handoff.BindGivenUp {
				live[b.Attempt], live[b.Session.Reference] = true, true
			}
			if b.Status == handoff.BindOwed || b.Status == handoff.BindOpening && h.State != handoff.StateConnecting {
				w.fail("%v: a vendor's chat is closed (e4): binding %d is %s while %s", r.ID, b.Number, b.Status, h.State)
			}
		}
		w.beside(ctx, &h)
	}
	for _, p := range w.platforms {
		p.mu.Lock()
		for _, c := range p.chats {
			if c.state != handoff.SessionEnded && !strings.HasPrefix(c.attempt, "self") && !live[c.attempt] && !live[c.ref] {
				w.fail("%s#0: no chat of ours is left open there (e1): %s of %s is %s", c.conversation, c.ref, c.attempt, c.state)
			}
		}
		p.mu.Unlock()
	}
}

// beside checks that one who waits has nobody who could take him.
func (w *world) beside(ctx context.Context, h *handoff.Handoff) {
	if h.State != handoff.StateWaiting {
		return
	}
	i := slices.IndexFunc(w.queues, func(q handoff.Queue) bool { return q.Name == h.Need.Queue })
	if i < 0 || w.queues[i].Style == handoff.Pull || time.Since(h.Updated) < 15*time.Second {
		return
	}
	x, err := w.reader.Engine.Explain(ctx, h.ID)
	if err != nil {
		w.fail("explaining: %v", err)
		return
	}
	for _, a := range x.Agents {
		if a.Why == "" {
			w.fail("%v: nobody waits beside somebody who is free (28): %s could take it (%s)", h.ID, a.Agent, x.Why)
		}
	}
}
