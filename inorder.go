package handoff

import (
	"context"
	"errors"
	"time"
)

// A conversation is shown to its user in order, across handoffs too: what the
// bot says in one comes after the last notice of the one before.

// shownBefore returns zero when the channel has shown all of the handoffs
// before id, and else when to look again. What nobody else is showing, it shows.
func (e *Engine) shownBefore(ctx context.Context, id ID) (again time.Time, err error) {
	const most = 10 // handoffs back, of those that had nothing to show
	if _, ok := e.begun.get(id); ok {
		return time.Time{}, nil
	}
	prev := id
	for range most {
		if prev.Number--; prev.Number < 1 {
			break
		}
		if until := e.stuckUntil(prev); !until.IsZero() {
			return until, nil
		}
		h, err := e.get(ctx, prev)
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return soon(id, now()), err
		}
		if h.owedSeq(sinkChannel) == 0 {
			continue
		}
		// To look would cost a lead: what is owed is sent at once.
		done, err := e.sendAll(ctx, task{pool: sinkChannel, do: "send", id: prev, name: sinkChannel})
		if err != nil || !done {
			until := e.stuckUntil(prev)
			if until.IsZero() {
				until = soon(prev, h.Updated)
			}
			return until, err
		}
		break
	}
	e.begun.put(id, struct{}{})
	return time.Time{}, nil
}

// stuckUntil returns when the channel is tried again with a handoff that it
// could not show; zero: it may be tried now. Whoever comes after it in the
// conversation need not look before. Otherwise a channel that is down would have each of them
// read its whole conversation again and again.
func (e *Engine) stuckUntil(id ID) time.Time {
	if until, ok := e.stuck.get(id); ok && time.Now().Before(until) {
		return until
	}
	return time.Time{}
}

// putOff has a delivery tried again later.
func (e *Engine) putOff(t task, until time.Time) {
	until = steady(until)
	if t.pool == sinkChannel {
		e.stuck.put(t.id, until)
	}
	e.work.after(t, until)
}

// unblock sends what comes after a handoff that was shown.
func (e *Engine) unblock(id ID) {
	e.stuck.put(id, time.Time{})
	id.Number++
	e.stuck.put(id, time.Time{})
	e.work.send(id, Owed{Sink: sinkChannel, Cursor: sinkChannel})
}

// soon is when to look again whether somebody else has shown a handoff that
// was changed then. Who shows it sends what comes after it himself, so that to
// look is only for when he dies: at first often, and seldom when it is old.
func soon(id ID, changed time.Time) time.Time {
	d := min(max(now().Sub(changed), 200*time.Millisecond), 10*time.Second)
	return now().Add(d/2 + time.Duration(hash(id.String())%uint64(d/2)))
}

// A receiver is a cursor of a handoff.
type receiver struct {
	id     ID
	cursor string
}

// hasReached reports whether a cursor was seen to be so far. A cursor never
// goes back, so what was reached once needs no second look, which would cost a
// lead.
func (e *Engine) hasReached(id ID, cursor string, seq int64) bool {
	at, ok := e.reached.get(receiver{id, cursor})
	return ok && at >= seq
}
