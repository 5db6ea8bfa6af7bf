package handoff

import (
	"context"
	"errors"
	"time"
)

// A conversation is shown to its user in order, across handoffs too: what the
// bot says in one comes after the last notice of the one before.

// shownBefore reports whether the channel has shown all of the handoffs before
// id. What nobody else is showing, it shows.
func (e *Engine) shownBefore(ctx context.Context, id ID) (bool, error) {
	const most = 10 // handoffs back, of those that had nothing to show
	if _, ok := e.begun.get(id); ok {
		return true, nil
	}
	prev := id
	for range most {
		if prev.Number--; prev.Number < 1 {
			break
		}
		h, err := e.get(ctx, prev)
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return false, err
		}
		if h.owedSeq(sinkChannel) == 0 {
			continue
		}
		// To look would cost a lead, and so a try: what is owed is sent at once.
		done, err := e.sendAll(ctx, task{pool: sinkChannel, do: "send", id: prev, name: sinkChannel})
		if err != nil || !done {
			return false, err
		}
		break
	}
	e.begun.put(id, struct{}{})
	return true, nil
}

// soon is when a delivery that waits for another one looks again, if nothing
// tells it to.
func soon() time.Time { return now().Add(100 * time.Millisecond) }

// A receiver is a cursor of a handoff.
type receiver struct {
	id     ID
	cursor string
}

// hasReached reports whether a cursor was seen to be so far. A cursor never
// goes back, so what was reached once needs no second look, which would cost a
// lead and be counted as a try.
func (e *Engine) hasReached(id ID, cursor string, seq int64) bool {
	at, ok := e.reached.get(receiver{id, cursor})
	return ok && at >= seq
}
