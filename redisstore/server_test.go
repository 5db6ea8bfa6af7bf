package redisstore_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/seed-2a427302/handoff/internal/servertest"
	"github.com/seed-2a427302/handoff/internal/throwaway"
	"github.com/seed-2a427302/handoff/redisstore"
)

// dial returns a client of a server.
func dial(t testing.TB, url string, change ...func(*redis.Options)) *redis.Client {
	t.Helper()
	opt, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	opt.ContextTimeoutEnabled, opt.PoolSize = true, 16
	for _, f := range change {
		f(opt)
	}
	c := redis.NewClient(opt)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// client returns a client of the server that tests share.
func client(t testing.TB, change ...func(*redis.Options)) *redis.Client {
	t.Helper()
	url, _ := servertest.Redis(t)
	return dial(t, url, change...)
}

// start runs a server of the test's own and returns its URL.
func start(t testing.TB, args ...string) string {
	t.Helper()
	url, stop, err := throwaway.Redis(args...)
	if err != nil {
		servertest.Missing(t, "Redis", err, "install redis-server")
	}
	t.Cleanup(stop)
	return url
}

// freePort returns a port of the loopback that nobody has.
func freePort(t testing.TB) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) //nolint:forcetypeassert // it is
}

var prefixes atomic.Int64

func nextPrefix() string { return fmt.Sprintf("t%d_%d", os.Getpid(), prefixes.Add(1)) }

// open returns a store under a prefix that nobody else uses, which is emptied
// at the end.
func open(t testing.TB, opt redisstore.Options) *redisstore.Store {
	t.Helper()
	return openOn(t, client(t), opt)
}

func openOn(t testing.TB, c redis.UniversalClient, opt redisstore.Options) *redisstore.Store {
	t.Helper()
	if opt.Prefix == "" {
		opt.Prefix = nextPrefix()
	}
	s := redisstore.New(c, opt)
	if err := s.Migrate(context.Background(), redisstore.Latest); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Migrate(context.Background(), 0); err != nil {
			t.Error(err)
		}
	})
	return s
}
