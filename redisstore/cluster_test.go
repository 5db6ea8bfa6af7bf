package redisstore_test

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/enginetest"
	"github.com/seed-2a427302/handoff/presencetest"
	"github.com/seed-2a427302/handoff/redisstore"
	"github.com/seed-2a427302/handoff/storetest"
)

// cluster starts a cluster of one node. It refuses scripts that touch names of
// two slots as a large one does.
func cluster(t *testing.T) *redis.ClusterClient {
	t.Helper()
	port := freePort(t)
	node := dial(t, start(t, "--port", port, "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--appendonly", "no",
		"--cluster-port", freePort(t)))
	require.NoError(t, node.ClusterAddSlotsRange(t.Context(), 0, 16383).Err())
	enginetest.Eventually(t, "a cluster", func() bool { return node.ClusterInfo(t.Context()).Val()[:16] == "cluster_state:ok" })
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:" + port}, ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestCluster(t *testing.T) {
	c := cluster(t)
	// That it refuses what it should:
	err := c.Eval(t.Context(), "#!lua\nreturn redis.call('GET', 'another')", []string{"one"}).Err()
	require.ErrorContains(t, err, "slot")

	t.Run("store", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) handoff.Store { return openOn(t, c, redisstore.Options{}) })
	})
	t.Run("presence", func(t *testing.T) {
		p := openOn(t, c, redisstore.Options{}).Presence()
		presencetest.Run(t, func(*testing.T) handoff.Sessions { return p })
	})
	t.Run("check", func(t *testing.T) {
		s := openOn(t, c, redisstore.Options{})
		require.ErrorIs(t, s.Check(t.Context()), redisstore.ErrNotDurable)
	})
	t.Run("slots", func(t *testing.T) { oneSlot(t, c) })
}

// All names of a prefix have one slot, whatever the prefix is; other prefixes
// have others.
func oneSlot(t *testing.T, c *redis.ClusterClient) {
	t.Helper()
	slots := map[int64]bool{}
	prefixes := []string{"", "a", "{b}", "}", "{", "{}", "c}d", "{{e", "日本", "%7D"}
	for _, prefix := range prefixes {
		s := openOn(t, c, redisstore.Options{Prefix: prefix})
		for i, conversation := range []string{"c", "{c}", "}", "}{x}", "{"} {
			r := record(conversation)
			r.Queue, r.Line, r.Agent, r.User, r.Wake, r.Updated = "{q}", "{l}", "{ann}", "{uwe}", s2024, s2024
			r.Keys = []handoff.Key{{Name: "{k" + string(rune('0'+i)) + "}", Max: 1, Units: 1}}
			r.Owed = []handoff.Owed{{Sink: "{s}", Cursor: "{s}", Seq: 1}}
			require.NoError(t, s.Commit(t.Context(), r, entry(1)))
		}
		_, err := s.Claim(t.Context(), handoff.Claim{Limit: 3, Lease: 1e9, Sinks: []string{"{s}"}})
		require.NoError(t, err)
		require.NoError(t, s.Presence().Want(t.Context(), "{ann}", true, "", s2024))
		require.NoError(t, s.Presence().Begin(t.Context(), "{ann}", "{s}", s2024, s2024))
		slot := int64(-1)
		node, err := c.MasterForKey(t.Context(), "x")
		require.NoError(t, err)
		found := names(t, node, "")
		assert.Greater(t, len(found), 20)
		for _, key := range found {
			n, err := node.ClusterKeySlot(t.Context(), key).Result()
			require.NoError(t, err)
			if slot < 0 {
				slot = n
			}
			require.Equal(t, slot, n, key)
		}
		slots[slot] = true
		require.NoError(t, s.Migrate(t.Context(), 0))
	}
	assert.Len(t, slots, len(prefixes))
}
