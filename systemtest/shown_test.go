package systemtest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2a427302/handoff"
)

// shown is a Channel that keeps what users saw, notices aside. Repeats are
// left out.
type shown struct {
	mu    sync.Mutex
	seen  map[string]bool
	lines []string
}

func (c *shown) Show(_ context.Context, _ string, m handoff.UserMessage) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	if !c.seen[m.ID] && m.Notice == "" {
		c.lines = append(c.lines, m.Text)
	}
	c.seen[m.ID] = true
	return nil
}

func (c *shown) said() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lines)
}

// runUntilEnd runs an engine until the test ends.
func runUntilEnd(t *testing.T, e *handoff.Engine) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-done)
	})
}
