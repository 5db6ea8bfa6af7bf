// Package servertest gives tests a real server: the one that the environment
// names, or a throwaway one that ends with the test binary. Without either a
// test is skipped, loudly, or fails if HANDOFF_TEST_REQUIRE is 1.
package servertest

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/seed-2a427302/handoff/internal/throwaway"
)

// Postgres returns the connection string of a PostgreSQL server: of the one in
// HANDOFF_TEST_POSTGRES, or of one for all tests of this process. own says
// that it is of the latter kind.
func Postgres(tb testing.TB) (dsn string, own bool) {
	tb.Helper()
	return postgres.get(tb)
}

// Redis is the same for Redis and HANDOFF_TEST_REDIS; the address is a URL.
func Redis(tb testing.TB) (url string, own bool) {
	tb.Helper()
	return redis.get(tb)
}

// A server is started once, when it is needed first.
type server struct {
	name  string
	env   string
	start func(...string) (string, func(), error)

	once    sync.Once
	address string
	own     bool
	err     error
	stop    func() // held on to: the server ends when nobody does
}

var (
	postgres = server{name: "PostgreSQL", env: "HANDOFF_TEST_POSTGRES", start: throwaway.Postgres}
	redis    = server{name: "Redis", env: "HANDOFF_TEST_REDIS", start: throwaway.Redis}
)

func (s *server) get(tb testing.TB) (string, bool) {
	tb.Helper()
	s.once.Do(func() {
		if s.address = os.Getenv(s.env); s.address == "" {
			s.address, s.stop, s.err = s.start()
			s.own = true
		}
	})
	if s.err != nil {
		Missing(tb, s.name, s.err, "set "+s.env)
	}
	return s.address, s.own
}

// Missing skips a test, or fails it if HANDOFF_TEST_REQUIRE is 1: what it needs
// is not there. help says what to do.
func Missing(tb testing.TB, what string, err error, help string) {
	tb.Helper()
	if os.Getenv("HANDOFF_TEST_REQUIRE") == "1" {
		tb.Fatalf("no %s: %v (%s)", what, err, help)
	}
	tb.Skipf("NO %s, NOTHING TESTED: %v (%s)", strings.ToUpper(what), err, help)
}
