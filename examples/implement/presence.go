package implement

import (
	"context"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A TimeClock is a presence that another system keeps: people clock in and
// out, and there are no heartbeats. Its owner calls Engine.AgentChanged after
// each change; without that the engines notice a little later.
type TimeClock struct {
	mu    sync.Mutex
	known map[string]handoff.Status
}

// NewTimeClock returns a clock that nobody has used.
func NewTimeClock() *TimeClock { return &TimeClock{known: map[string]handoff.Status{}} }

// Set clocks somebody in or out.
func (c *TimeClock) Set(agent string, in bool, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := handoff.Offline
	if in {
		a = handoff.Online
	}
	if c.known[agent].Availability != a {
		c.known[agent] = handoff.Status{Agent: agent, Availability: a, Since: at}
	}
}

// Agents answers in the order of the ids. Who never clocked in is unknown.
func (c *TimeClock) Agents(_ context.Context, ids []string, _ time.Time) ([]handoff.Status, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]handoff.Status, len(ids))
	for i, id := range ids {
		out[i] = c.known[id]
		out[i].Agent = id
	}
	return out, nil
}
