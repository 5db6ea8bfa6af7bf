package analytics

import (
	"context"
	"errors"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/history"
)

// Compute reads the handoffs that o selects and counts them.
func Compute(ctx context.Context, e *handoff.Engine, o Options) (Report, error) {
	t, err := NewTally(o)
	if err != nil {
		return Report{}, err
	}
	for h, err := range history.All(ctx, e, history.Filter{Query: o.Query}, "") {
		if err != nil {
			return Report{}, err
		}
		again, err := reopened(ctx, e, &h, t.o.Reopen)
		if err != nil {
			return Report{}, err
		}
		t.Add(&h, again)
	}
	return t.Report(), nil
}

// reopened reports whether a person was asked for in h soon after somebody
// had the user.
func reopened(ctx context.Context, e *handoff.Engine, h *handoff.Handoff, within time.Duration) (bool, error) {
	if h.Reason == "" {
		return false, nil
	}
	// The bot's time comes first; then somebody is asked for.
	asked := h.Created.Add(h.Stretch.Bot)
	const most = 50 // stretches that the bot contained in between
	for n := h.ID.Number - 1; n >= max(1, h.ID.Number-most); n-- {
		prev, err := e.Get(ctx, handoff.ID{Conversation: h.ID.Conversation, Number: n})
		if errors.Is(err, handoff.ErrNotFound) {
			continue // no longer kept
		}
		if err != nil {
			return false, err
		}
		over := prev.Ended.Add(-prev.Stretch.Wrapup)
		if prev.Ended.IsZero() {
			over = prev.Updated // in wrap-up
		}
		if asked.Sub(over) > within {
			return false, nil
		}
		if prev.Attended {
			return true, nil
		}
	}
	return false, nil
}
