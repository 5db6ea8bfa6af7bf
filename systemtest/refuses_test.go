package systemtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/servertest"
	"github.com/seed-2a427302/handoff/internal/throwaway"
	"github.com/seed-2a427302/handoff/redisstore"
)

// A real server that refuses what it is asked: because a script of somebody's
// does not end (-BUSY), because it loads its data (-LOADING), because its memory
// is used up (-OOM). Commands fail with the error that names it; and when it is
// over, an engine that ran on goes on by itself.
func TestRedisRefuses(t *testing.T) {
	url, stop, err := throwaway.Redis("--busy-reply-threshold", "20", "--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024")
	if err != nil {
		servertest.Missing(t, "Redis", err, "install redis-server")
	}
	t.Cleanup(stop)
	k, err := kindNamed("redis")
	require.NoError(t, err)
	opt, err := redis.ParseURL(url)
	require.NoError(t, err)
	opt.MaxRetries, opt.ReadTimeout = -1, -1
	admin, victim := redis.NewClient(opt), redis.NewClient(opt)
	t.Cleanup(func() { _ = admin.Close(); _ = victim.Close() })
	set := func(name, value string) { require.NoError(t, admin.ConfigSet(t.Context(), name, value).Err()) }
	asked := func(code string) {
		eventually(t, code, func() bool { return redis.HasErrorPrefix(admin.Ping(t.Context()).Err(), code) })
	}
	var ended chan error
	begin := func(args ...any) {
		ended = make(chan error, 1)
		go func() { ended <- victim.Do(context.Background(), args...).Err() }()
	}

	for i, c := range []struct {
		name       string
		begin, end func()
		is         error
	}{
		{"busy", func() {
			begin("EVAL", "while true do end", 0)
			asked("BUSY")
		}, func() {
			require.NoError(t, admin.ScriptKill(t.Context()).Err())
			require.Error(t, <-ended)
		}, redisstore.ErrBusy},
		{"loading", func() {
			// Each key takes as long as it says, in microseconds, which is what
			// makes a small set of data a large one.
			require.NoError(t, admin.Do(t.Context(), "DEBUG", "POPULATE", 10_000, "filler", 200).Err())
			set("key-load-delay", "3000")
			begin("DEBUG", "RELOAD")
			asked("LOADING")
		}, func() {
			eventually(t, "the server's ear", func() bool { return admin.ConfigSet(t.Context(), "key-load-delay", "0").Err() == nil })
			require.NoError(t, <-ended)
		}, redisstore.ErrBusy},
		{"memory", func() { set("maxmemory", "1mb") }, func() { set("maxmemory", "0") }, redisstore.ErrNoMemory},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := t.Context()
			s := mustOpen(t, k, fmt.Sprint("refuses", i)+" "+url)
			chat := newFaultChat(t, s, func(cfg *handoff.Config) {
				cfg.Queues = append(cfg.Queues, handoff.Queue{Name: "push"})
				cfg.Directory = handoff.Staff{{ID: "ann", Queues: []string{"support", "push"}, Seats: 2}}
				cfg.Poll, cfg.Sweep = 50*time.Millisecond, 50*time.Millisecond
			})
			runUntilEnd(t, chat.e)
			require.NoError(t, chat.send(ctx, "before"))

			c.begin()
			err := chat.send(ctx, "lost")
			require.ErrorIs(t, err, c.is)
			var se *handoff.StoreError
			require.ErrorAs(t, err, &se)
			_, err = chat.e.Request(ctx, handoff.Request{Conversation: "d", Queue: "push"})
			require.ErrorIs(t, err, c.is)
			c.end()

			require.NoError(t, chat.send(ctx, "after"))
			assert.Equal(t, "before after", chat.said(t))
			out, err := chat.e.Request(ctx, handoff.Request{Conversation: "d", Queue: "push"})
			require.NoError(t, err)
			eventually(t, "an offer by the engine that ran on", func() bool {
				h, err := chat.e.Get(ctx, out.Handoff.ID)
				return err == nil && h.State == handoff.StateOffered
			})
		})
	}
}
