package redisstore_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/redisstore"
)

// slowClock is a context whose deadline others notice first.
type slowClock struct {
	context.Context
	until time.Time
}

func (c slowClock) Deadline() (time.Time, bool) { return c.until, true }

// Who ran out of patience is told so, whether his context or the connection
// noticed it.
func TestDeadline(t *testing.T) {
	c := redis.NewClient(&redis.Options{ContextTimeoutEnabled: true, MaxRetries: -1, Dialer: func(context.Context, string, string) (net.Conn, error) {
		mute, server := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, server) }()
		return mute, nil
	}})
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	s := redisstore.New(c, redisstore.Options{})
	_, err := s.Get(slowClock{t.Context(), time.Now().Add(20 * time.Millisecond)}, handoff.ID{Conversation: "c", Number: 1})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "i/o timeout", "and what noticed it")

	// A connection that gives up by itself is something else.
	c.Options().ReadTimeout = time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	_, err = s.Get(ctx, handoff.ID{Conversation: "c", Number: 1})
	require.ErrorContains(t, err, "i/o timeout")
	require.NotErrorIs(t, err, context.DeadlineExceeded)
}
