package redisstore_test

import (
	"context"
	"os"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/enginetest"
	"github.com/seed-2a427302/handoff/internal/servertest"
	"github.com/seed-2a427302/handoff/redisstore"
)

func TestMain(m *testing.M) { enginetest.Main(m, openChild, nil) }

// openChild opens the prefix of the test that started this process.
func openChild(context.Context) (handoff.Store, func(), error) {
	opt, err := redis.ParseURL(os.Getenv("HANDOFF_TEST_URL"))
	if err != nil {
		return nil, nil, err
	}
	opt.ContextTimeoutEnabled = true
	c := redis.NewClient(opt)
	return redisstore.New(c, redisstore.Options{Prefix: os.Getenv("HANDOFF_TEST_PREFIX")}), func() { _ = c.Close() }, nil
}

// Two engines share nothing but the server.
func TestConversation(t *testing.T) {
	t.Run("1", func(t *testing.T) { enginetest.Conversation(t, open(t, redisstore.Options{})) })
	t.Run("2", func(t *testing.T) {
		opt := redisstore.Options{Prefix: nextPrefix()}
		first := open(t, opt)
		enginetest.Conversation(t, first, redisstore.New(client(t), opt))
	})
}

func TestWakeUp(t *testing.T) {
	opt := redisstore.Options{Prefix: nextPrefix()}
	asking := open(t, opt)
	c := client(t)
	listening := redisstore.New(c, opt)
	enginetest.WakeUp(t, listening, asking, func() {
		enginetest.Eventually(t, "a subscriber", func() bool {
			n, err := c.PubSubNumSub(t.Context(), redisstore.Channel(listening)).Result()
			require.NoError(t, err)
			return n[redisstore.Channel(listening)] == 1
		})
	})
}

func TestReplicaKilled(t *testing.T) {
	prefix := nextPrefix()
	s := open(t, redisstore.Options{Prefix: prefix})
	url, _ := servertest.Redis(t)
	enginetest.Killed(t, s, "HANDOFF_TEST_URL="+url, "HANDOFF_TEST_PREFIX="+prefix)
}
