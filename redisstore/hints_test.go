package redisstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/redisstore"
)

// A hint names the queue of who waits there for an agent, and of nobody else.
func TestHintNamesQueue(t *testing.T) {
	s := open(t, redisstore.Options{HintEvery: time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	hints, done := make(chan handoff.Hint, 1000), make(chan error, 1)
	go func() { done <- s.Listen(ctx, func(h handoff.Hint) { hints <- h }) }()
	defer func() { cancel(); require.NoError(t, <-done) }()

	// The first that is heard says that there is somebody who listens.
	for n := int64(1); len(hints) == 0; n++ {
		r := record("first")
		r.ID.Number = n
		require.NoError(t, s.Commit(ctx, r, entry(1)))
		select {
		case h := <-hints:
			hints <- h
		case <-time.After(10 * time.Millisecond):
		}
	}
	r := record("c")
	r.Seq, r.Queue = 0, "desk"
	for _, c := range []struct{ line, agent, queue string }{
		{"m=\x1el=de", "", "desk"},
		{"m=\x1el=de", "ann", ""}, // he is offered to her, and keeps his place
		{"", "ann", ""},           // she has him
	} {
		r.Line, r.Agent = c.line, c.agent
		require.NoError(t, s.Commit(ctx, r, more(&r, 1)...))
		r.Version++
		h := <-hints
		for h.ID != r.ID {
			h = <-hints
		}
		require.Equal(t, c.queue, h.Queue, c)
	}
}
