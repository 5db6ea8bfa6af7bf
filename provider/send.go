package provider

import (
	"context"
	"sync"

	"github.com/seed-2a427302/handoff"
)

// Once sends a message to a platform that cannot tell repeats. If the message
// may be there already (m.Again), find looks for it first. If the look
// fails, so does the send: to say nothing for a while is better than to say it twice.
func Once(ctx context.Context, m handoff.ProviderMessage, find func(ctx context.Context) (bool, error), send func(ctx context.Context) error) error {
	if m.Again {
		found, err := find(ctx)
		if found || err != nil {
			return err
		}
	}
	return send(ctx)
}

// Echoes remembers what an adapter has sent, by the platform's ids, to know it
// when it comes back as a webhook. It is a help for platforms whose messages
// cannot carry a mark: it knows what this process has sent, and forgets the
// oldest. Its zero value is ready to use, also concurrently.
type Echoes struct {
	mu   sync.Mutex
	ids  map[string]bool
	ring []string
	next int
}

const mostEchoes = 4096

// Sent remembers an id.
func (e *Echoes) Sent(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if id == "" || e.ids[id] {
		return
	}
	if e.ids == nil {
		e.ids, e.ring = map[string]bool{}, make([]string, mostEchoes)
	}
	delete(e.ids, e.ring[e.next])
	e.ring[e.next], e.ids[id] = id, true
	e.next = (e.next + 1) % mostEchoes
}

// Is reports whether an id is that of something sent.
func (e *Echoes) Is(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ids[id]
}
