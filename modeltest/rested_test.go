package modeltest_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
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
		if strings.HasPrefix(r.ID.Conversation, "erased:") || strings.HasPrefix(r.ID.Conversation, "learned:") {
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
		w.givenUp(&h)
		for _, b := range h.Bindings() {
			if b.Status == handoff.BindOpen {
				live[b.Attempt], live[b.Session.Reference] = true, true
			}
			if b.Status == handoff.BindOwed || b.Status == handoff.BindOpening && h.State != handoff.StateConnecting {
				w.fail("%v: a vendor's chat is closed (e4): binding %d is %s while %s", r.ID, b.Number, b.Status, h.State)
			}
		}
		w.beside(ctx, &h)
		w.told(ctx, &h)
	}
	w.mu.Lock()
	maps.Copy(live, w.gaveUp)
	w.mu.Unlock()
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
	due := func(d handoff.Deadline) bool { return !d.At.After(time.Now()) && time.Since(d.At) < 10*time.Second }
	if slices.ContainsFunc(h.Deadlines, due) {
		return // a cool-down that has just ended, for one, is seen at the next poll
	}
	x, err := w.reader.Engine.Explain(ctx, h.ID)
	if err != nil {
		w.fail("explaining: %v", err)
		return
	}
	for _, a := range x.Agents {
		if len(a.Why) == 0 {
			w.fail("%v: nobody waits beside somebody who is free (28): %s could take it (%s)", h.ID, a.Agent, x.Why)
		}
	}
}

// told checks that the staff's sink was given everything, and that a user who
// pulls finds what was shown.
func (w *world) told(ctx context.Context, h *handoff.Handoff) {
	log, err := w.reader.Engine.Log(ctx, h.ID, 0, 1<<20)
	if err != nil {
		w.fail("reading: %v", err)
		return
	}
	missed := map[int64]bool{}
	for i := range log {
		if e := &log[i]; e.Kind == handoff.KindUndelivered && e.Data["sink"] == "sink/audit" {
			missed[e.About] = true
		}
	}
	for i := range log {
		e := &log[i]
		if e.Kind != handoff.KindTimer && e.Kind != handoff.KindUndelivered && e.Kind != handoff.KindGaveUp && !missed[e.Seq] && !w.ledger.Handled(h.ID, e.Seq) {
			w.fail("%v: the staff sees everything (36): a sink was not given entry %d (%s)", h.ID, e.Seq, e.Kind)
		}
	}
	if w.Unwatched || h.IsOpen() == false && h.ID.Number > 1 {
		return
	}
	shown := w.ledger.Shown(h.ID.Conversation, 0) // read first: what is shown during the pull may come behind its end
	pulled := map[string]bool{}
	fctx, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	for m, err := range w.reader.Engine.FollowUser(fctx, h.ID.Conversation, handoff.UserCursor{Number: h.ID.Number}) {
		if err != nil {
			break
		}
		pulled[m.ID] = true
	}
	for _, s := range shown {
		if id := strconv.FormatInt(s.Number, 10) + "/" + s.ID; s.Number == h.ID.Number && !pulled[id] {
			w.fail("%v: who pulls finds what was shown (49): %s", h.ID, id)
		}
	}
}
