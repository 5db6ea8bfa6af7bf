package systemtest

import (
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/servertest"
	"github.com/seed-2a427302/handoff/internal/throwaway"
)

// testFailover lets a replica take over that had not got everything. What it lacks
// is lost, as the store says of itself; what it has is whole: records, logs and
// seats agree, nobody is stuck, and work goes on. stop returns when the replica
// has what there is, and follows no more; over lets s have it.
func testFailover(t *testing.T, s handoff.Store, stop, over func()) {
	t.Helper()
	ctx := t.Context()
	c := newFaultChat(t, s)
	require.NoError(t, c.send(ctx, "kept"))
	request := func(conversation string) handoff.ID {
		out, err := c.e.Request(ctx, handoff.Request{Conversation: conversation, Queue: "support"})
		require.NoError(t, err)
		return out.Handoff.ID
	}
	waits := request("waits")
	stop()

	// What follows is acknowledged, and lost.
	require.NoError(t, c.send(ctx, "lost"))
	_, err := c.e.Accept(ctx, waits, handoff.By("bob"), 0)
	require.NoError(t, err)
	gone := request("gone")
	_, err = c.e.Accept(ctx, gone, handoff.By("ann"), 0)
	require.NoError(t, err)
	over()

	eventually(t, "the store", func() bool { _, err := s.Get(ctx, c.id); return err == nil })
	_, err = c.e.Get(ctx, gone)
	require.ErrorIs(t, err, handoff.ErrNotFound)
	_, err = c.e.Send(ctx, gone, handoff.By("ann"), handoff.Message{ID: "x", Text: "x"})
	require.ErrorIs(t, err, handoff.ErrNotFound)
	_, err = c.e.Send(ctx, waits, handoff.By("bob"), handoff.Message{ID: "x", Text: "x"})
	require.ErrorIs(t, err, handoff.ErrState)
	assert.Equal(t, "kept", c.said(t))
	require.NoError(t, c.send(ctx, "again"))
	assert.Equal(t, "kept again", c.said(t))

	// Bob's seat and one of Ann's are free, and no more.
	for i, by := range []string{"bob", "ann"} {
		_, err = c.e.Accept(ctx, request(fmt.Sprint("new", i)), handoff.By(by), 0)
		require.NoError(t, err)
		_, err = c.e.Accept(ctx, waits, handoff.By(by), 0)
		require.ErrorIs(t, err, handoff.ErrFull)
	}
	agree(t, s)
}

func TestFailover(t *testing.T) {
	ctx := t.Context()
	port := freePort(t)
	primary := redisServer(t, "--port", port, "--bind", "127.0.0.1")
	replica := redisServer(t, "--replicaof", "127.0.0.1", port, "--appendonly", "no")
	eventually(t, "the replica", func() bool { return primary.Wait(ctx, 1, time.Second).Val() == 1 })

	p := newProxy(t, addr{"unix", primary.Options().Addr})
	k, err := kindNamed("redis")
	require.NoError(t, err)
	s := mustOpen(t, k, "failover redis://"+p.address)
	testFailover(t, s, func() {
		replicated(t, primary)
		require.NoError(t, replica.ReplicaOf(ctx, "NO", "ONE").Err())
	}, func() { p.failOver(addr{"unix", replica.Options().Addr}) })
}

// replicated waits until the replica has all that was written so far. WAIT is
// about what its own connection wrote, so that this one writes something last.
func replicated(t *testing.T, primary *redis.Client) {
	t.Helper()
	conn := primary.Conn()
	defer func() { require.NoError(t, conn.Close()) }()
	require.NoError(t, conn.Set(t.Context(), "mark", 1, 0).Err())
	got, err := conn.Wait(t.Context(), 1, time.Minute).Result()
	require.NoError(t, err)
	require.Equal(t, int64(1), got)
}

// agree compares the seats that are held with the records that say so.
func agree(t *testing.T, s handoff.Store) {
	t.Helper()
	all, err := s.List(t.Context(), handoff.Query{})
	require.NoError(t, err)
	want := map[handoff.Holding]bool{}
	var keys []string
	seen := map[string]bool{}
	for i := range all {
		for _, k := range all[i].Keys {
			want[handoff.Holding{Key: k.Name, ID: all[i].ID, Units: k.Units}] = true
			if !seen[k.Name] {
				seen[k.Name] = true
				keys = append(keys, k.Name)
			}
		}
		log, err := s.Log(t.Context(), all[i].ID, 0, 1000)
		require.NoError(t, err)
		assert.Len(t, log, int(all[i].Seq))
	}
	held, err := s.Holders(t.Context(), keys...)
	require.NoError(t, err)
	assert.Len(t, held, len(want))
	for _, h := range held {
		assert.True(t, want[h], "%+v", h)
	}
}

func redisServer(t *testing.T, args ...string) *redis.Client {
	t.Helper()
	url, stop, err := throwaway.Redis(args...)
	if err != nil {
		servertest.Missing(t, "Redis", err, "install redis-server")
	}
	t.Cleanup(stop)
	opt, err := redis.ParseURL(url)
	require.NoError(t, err)
	c := redis.NewClient(opt)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// freePort returns a port of the loopback that nobody has.
func freePort(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) //nolint:forcetypeassert // it is
}
