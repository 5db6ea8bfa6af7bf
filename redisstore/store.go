package redisstore

import (
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed-2a427302/handoff"
)

// Options are the rare choices. The zero value is a working default.
type Options struct {
	// Prefix begins the name of everything the store keeps, as a hash tag:
	// {handoff}:… by default. Engines of different tenants use different
	// prefixes; in a cluster each prefix lives on one node.
	Prefix string

	// NoListen keeps publish and subscribe away. Other processes are then
	// noticed by polling.
	NoListen bool

	// HintEvery is how long hints to other processes are gathered; default
	// 20ms.
	HintEvery time.Duration

	// CallerClock makes Claim decide by the time that it is given, and not by
	// the server's clock. It is for tests in a synctest bubble, whose time is
	// its own (handofftest.RunOn). A replica whose clock is ahead fires early.
	CallerClock bool
}

// A Store is a handoff.Store on Redis. Its methods may be called
// concurrently, and any number of processes may use one prefix. It is closed
// by closing the client.
type Store struct {
	client redis.UniversalClient
	opt    Options
	name   string // what every name begins with
	hints  *hints
}

var (
	_ handoff.Store          = (*Store)(nil)
	_ handoff.Listener       = (*Store)(nil)
	_ handoff.AheadCounter   = (*Store)(nil)
	_ handoff.Counter        = (*Store)(nil)
	_ handoff.BatchCommitter = (*Store)(nil)
)

// New returns a store on a client of one server, of a cluster or of a failover
// group. It does no I/O: call Migrate to create the layout, or Check to see
// whether it and the server fit. Create the client with ContextTimeoutEnabled,
// or it does not keep the deadlines of contexts.
func New(client redis.UniversalClient, opt Options) *Store {
	if opt.Prefix == "" {
		opt.Prefix = "handoff"
	}
	if opt.HintEvery == 0 {
		opt.HintEvery = 20 * time.Millisecond
	}
	s := &Store{client: client, opt: opt, name: tag(opt.Prefix)}
	s.hints = newHints(s)
	return s
}
