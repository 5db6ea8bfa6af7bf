package handoff

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"
)

// tend does what is due for one handoff.
func (e *Engine) tend(ctx context.Context, id ID) error {
	const most = 30 // then somebody else may have a turn
	for range most {
		h, err := e.get(ctx, id)
		if err != nil {
			return ignore(err, ErrNotFound)
		}
		at := e.storeNow()
		if !h.isDue(at) {
			return nil
		}
		d, ok := h.due(at)
		if !ok {
			// Nothing is due but the daily look.
			if h.own.Tombstone {
				return nil
			}
			d = Deadline{Kind: dueAudit, At: at}
		}
		again, err := e.fire(ctx, h, d)
		if err != nil {
			return ignore(err, ErrStale, ErrState, ErrNotFound)
		}
		if !again {
			return nil
		}
	}
	e.work.tend(id)
	return nil
}

// due returns the earliest deadline that has come. Those that only the
// outside world can move come last, so that they hold up nothing.
func (h *Handoff) due(at time.Time) (Deadline, bool) {
	var out Deadline
	outside := func(k string) bool {
		return k == dueImport || k == dueOpen || k == dueRead || k == dueClose || k == dueKeep || k == dueAudit || k == dueSummary
	}
	for _, d := range h.Deadlines {
		if d.At.After(at) {
			continue
		}
		if out.Kind == "" || outside(out.Kind) && !outside(d.Kind) ||
			outside(out.Kind) == outside(d.Kind) && d.At.Before(out.At) {
			out = d
		}
	}
	return out, out.Kind != ""
}

// fire acts on one deadline. It reports whether there may be more to do now.
func (e *Engine) fire(ctx context.Context, h *Handoff, d Deadline) (bool, error) {
	switch d.Kind {
	case dueNext:
		return e.fireNext(ctx, h)
	case dueImport:
		return e.importHistory(ctx, h)
	case dueOpen:
		return e.openProvider(ctx, h)
	case dueConnect:
		return true, e.connectTimedOut(ctx, h)
	case dueRead:
		return e.readState(ctx, h)
	case dueClose:
		return e.closeProvider(ctx, h)
	case dueAudit:
		return true, e.audit(ctx, h)
	case dueKeep:
		return false, e.forget(ctx, h)
	case dueSummary:
		return true, e.sumUp(ctx, h)
	}
	// A deadline may be armed for the same time again; the log's end tells the
	// two firings apart.
	op := "timer/" + d.Kind + "/" + strconv.FormatInt(d.At.UnixMilli(), 10) + "/" + itoa(h.Seq)
	full := false
	_, err := e.do(ctx, h.ID, op, func(h *Handoff) (command, error) {
		f, err := e.facts(ctx, h, d.Kind)
		f.full = full
		return cFire{kind: d.Kind, facts: f}, err
	})
	if errors.Is(err, ErrFull) && d.Kind == dueHold {
		full = true
		_, err = e.do(ctx, h.ID, op, func(h *Handoff) (command, error) {
			return cFire{kind: d.Kind, facts: facts{full: true}}, nil
		})
	}
	if errors.Is(err, ErrUnavailable) && d.Kind == dueAnswer {
		_, err = e.do(ctx, h.ID, op, func(*Handoff) (command, error) {
			return cFire{kind: d.Kind, facts: facts{closed: true}}, nil
		})
	}
	return true, err
}

// facts gathers what a deadline's decision needs to know.
func (e *Engine) facts(ctx context.Context, h *Handoff, kind string) (facts, error) {
	var f facts
	switch kind {
	case dueOffer:
		f.couldNot = e.couldNot(ctx, h)
	case dueHold:
		if who, err := e.candidate(ctx, "Agent", h.Agent, h, h.Need.Queue); err == nil {
			f.seat = who.seat
		} else {
			f.full = true
		}
	case dueGrace:
		st := e.status(ctx, []string{h.Agent}, now())[0]
		f.online = st.Availability != Offline
		f.awaySince = st.Since.Truncate(time.Millisecond) // as precise as what it is compared with
		if f.awaySince.IsZero() {
			f.awaySince = h.own.AwaySince
		}
	case dueIntake:
		d, err := e.formDoor(ctx, h, Response{Rest: true})
		f.door = d
		return f, err
	case dueIdle:
		if h.State == StateBot && h.own.Packet != nil {
			owed, err := e.isOwed(ctx, h, sinkPacket)
			f.packetOwed = owed
			return f, err
		}
	case dueAnswer:
		q := e.rules.queues[e.rules.botQueue]
		if q == nil {
			f.closed = true
			break
		}
		door, err := e.door(ctx, q, &Need{Queue: q.Name})
		f.closed = err != nil || door != nil
	}
	return f, nil
}

// couldNot names the agents who were asked and could not have accepted.
func (e *Engine) couldNot(ctx context.Context, h *Handoff) map[string]bool {
	out := map[string]bool{}
	ids := make([]string, len(h.Offers))
	for i := range h.Offers {
		ids[i] = h.Offers[i].Agent
	}
	for _, st := range e.status(ctx, ids, now()) {
		out[st.Agent] = st.Availability != Online
	}
	for i := range h.Offers {
		o := &h.Offers[i]
		if o.Broadcast && !out[o.Agent] {
			load, err := e.load(ctx, []string{seatKey(o.Agent)})
			out[o.Agent] = err == nil && load[seatKey(o.Agent)]+o.Seat.Units > o.Seat.Max
		}
	}
	return out
}

// fireNext opens the handoff that follows an ended one.
func (e *Engine) fireNext(ctx context.Context, h *Handoff) (bool, error) {
	latest, err := e.latest(ctx, h.ID.Conversation)
	if err != nil {
		return false, err
	}
	if latest != nil && latest.ID.Number == h.ID.Number {
		_, err := e.openNext(ctx, h.ID.Conversation, h)
		if err != nil && !errors.Is(err, ErrConflict) {
			return false, err
		}
	}
	_, err = e.do(ctx, h.ID, "next", func(*Handoff) (command, error) { return cOpened{}, nil })
	return true, err
}

// importHistory reads what the host knows of the conversation. While that
// fails nobody can accept; after a while the request goes on without.
func (e *Engine) importHistory(ctx context.Context, h *Handoff) (bool, error) {
	const patience = 30 * time.Second
	if e.cfg.History == nil {
		_, err := e.do(ctx, h.ID, "import", func(*Handoff) (command, error) { return cImport{failed: true}, nil })
		return true, err
	}
	hctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	past, err := e.cfg.History.Messages(hctx, h.ID.Conversation)
	cancel()
	if err != nil {
		e.log.WarnContext(ctx, "history cannot be read", "number", h.ID.Number, "error", err)
		if now().Before(h.own.Stands.Add(patience)) {
			e.work.after(task{pool: poolTend, do: "tend", id: h.ID}, now().Add(time.Second))
			return false, nil
		}
	}
	_, err = e.do(ctx, h.ID, "import", func(h *Handoff) (command, error) {
		list, lerr := e.unknownPast(ctx, h, past)
		return cImport{past: list, failed: err != nil}, lerr
	})
	return true, err
}

// unknownPast leaves out what the log has already and what has no usable id,
// takes the newest if there are too many, and makes the rest storable: history
// that the host kept for years is not what a caller can be asked to correct.
func (e *Engine) unknownPast(ctx context.Context, h *Handoff, past []Past) ([]Past, error) {
	seen := map[string]bool{}
	for after := int64(0); ; {
		page, err := e.page(ctx, h.ID, after, 200)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			if page[i].Message != "" {
				seen[page[i].Message] = true
			}
		}
		after = page[len(page)-1].Seq
	}
	var out []Past
	for _, p := range past {
		if p.From.Role == "" {
			p.From.Role = RoleUser
		}
		p.tidy()
		if seen[p.ID] || checkName("Past.ID", p.ID) != nil || checkFiles("Past", p.Files) != nil {
			continue
		}
		seen[p.ID] = true
		out = append(out, p)
	}
	if len(out) > maxPast {
		out = out[len(out)-maxPast:]
	}
	return out, nil
}

// isOwed reports whether a cursor is behind. It looks by leading for a moment;
// somebody who leads has something to send.
func (e *Engine) isOwed(ctx context.Context, h *Handoff, cursor string) (bool, error) {
	i := slices.IndexFunc(h.own.Owed, func(o Owed) bool { return o.Cursor == cursor })
	if i < 0 {
		return false, nil
	}
	if e.hasReached(h.ID, cursor, h.own.Owed[i].Seq) {
		return false, nil
	}
	lead, err := e.lead(ctx, h.ID, cursor)
	if errors.Is(err, ErrLeased) {
		return true, nil
	}
	if err != nil {
		return true, err
	}
	o := h.own.Owed[i]
	if err := e.ack(ctx, Ack{ID: h.ID, Cursor: cursor, Term: lead.Term}); err != nil || lead.Seq >= o.Seq {
		return err != nil, err
	}
	e.work.send(h.ID, o) // whoever was about to may have seen the lead and gone away
	return true, nil
}

// audit gives up receivers that nobody has served for a day, and arms the next
// look.
func (e *Engine) audit(ctx context.Context, h *Handoff) error {
	mine := e.sinks()
	c := cGiveUp{again: Never}
	for _, o := range h.own.Owed {
		if slices.Contains(mine, o.Sink) {
			continue
		}
		since, err := e.behind(ctx, h, o)
		if err != nil {
			return err
		}
		age := now().Sub(since)
		switch {
		case since.IsZero():
		case age >= look:
			c.cursors = append(c.cursors, o.Cursor)
		case c.again < 0 || look-age < c.again:
			c.again = look - age
		}
	}
	op := "audit/" + strconv.FormatInt(h.wake().UnixMilli(), 10)
	_, err := e.do(ctx, h.ID, op, func(*Handoff) (command, error) { return c, nil })
	return err
}

// behind returns since when a cursor is behind; zero if it is not. Somebody
// who leads it serves it: for him it is behind since now.
func (e *Engine) behind(ctx context.Context, h *Handoff, o Owed) (time.Time, error) {
	lead, err := e.lead(ctx, h.ID, o.Cursor)
	if errors.Is(err, ErrLeased) {
		return now(), nil
	}
	if err != nil {
		return time.Time{}, err
	}
	if err := e.ack(ctx, Ack{ID: h.ID, Cursor: o.Cursor, Term: lead.Term}); err != nil || lead.Seq >= o.Seq {
		return time.Time{}, err
	}
	en, err := e.entryAt(ctx, h.ID, lead.Seq+1)
	if err != nil || en == nil {
		return time.Time{}, err
	}
	return en.At, nil
}

// forget removes a handoff whose time is over.
func (e *Engine) forget(ctx context.Context, h *Handoff) error {
	if h.State != StateEnded || h.own.NextOwed || slices.ContainsFunc(h.own.Bindings, func(b Binding) bool { return b.Status == BindOwed }) {
		return nil
	}
	return e.call(ctx, "delete", h.ID, func(ctx context.Context) error { return e.store.Delete(ctx, h.ID, h.Version) })
}
