package redisstore_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/presencetest"
	"github.com/seed-2a427302/handoff/redisstore"
	"github.com/seed-2a427302/handoff/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) handoff.Store { return open(t, redisstore.Options{}) })
}

// The older protocol has no maps and no nulls of its own, and a prefix may be
// anything.
func TestStoreOlderProtocol(t *testing.T) {
	storetest.Run(t, func(t *testing.T) handoff.Store {
		c := client(t, func(opt *redis.Options) { opt.Protocol = 2 })
		return openOn(t, c, redisstore.Options{Prefix: "{odd}*[a-z]%?\\ " + nextPrefix(), NoListen: true})
	})
}

func TestPresence(t *testing.T) {
	p := open(t, redisstore.Options{}).Presence()
	presencetest.Run(t, func(*testing.T) handoff.Sessions { return p })
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) handoff.Store { return open(b, redisstore.Options{}) })
}
