package handoff

import (
	"context"
	"sync"
	"time"
)

// hub tells followers in this process that a conversation changed. It holds no
// state that matters: losing a signal costs one poll interval.
type hub struct {
	mu   sync.Mutex
	subs map[string]map[chan struct{}]struct{} // by conversation; "" hears everything
	feed *ring
}

func newHub() *hub {
	return &hub{subs: map[string]map[chan struct{}]struct{}{}, feed: newRing()}
}

// changed signals the followers of a conversation.
func (h *hub) changed(conversation string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range []string{conversation, ""} {
		for c := range h.subs[name] {
			select {
			case c <- struct{}{}:
			default: // it has a signal already
			}
		}
	}
}

// subscribe returns a channel that gets a signal after each change, and what
// ends that.
func (h *hub) subscribe(conversation string) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.subs[conversation]
	if m == nil {
		m = map[chan struct{}]struct{}{}
		h.subs[conversation] = m
	}
	m[c] = struct{}{}
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(m, c)
		if len(m) == 0 {
			delete(h.subs, conversation)
		}
	}
}

// wait returns when something changed, when d is over or when ctx ends.
func wait(ctx context.Context, c <-chan struct{}, d time.Duration) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c:
	case <-t.C:
	}
	return nil
}
