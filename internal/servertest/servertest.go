// Package servertest gives tests a real server: the one that the environment
// names, or a throwaway one that ends with the test binary. Without either a
// test is skipped, loudly, or fails if HANDOFF_TEST_REQUIRE is 1.
package servertest

import (
	"net/url"
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

// Pooler returns the connection string, for pgx, of a pgbouncer in transaction
// mode before the server of Postgres: one for all tests of this process.
func Pooler(tb testing.TB) (dsn string) {
	tb.Helper()
	Postgres(tb)
	dsn, _ = pooler.get(tb)
	return dsn
}

// behind says in pgbouncer's words where a server is. Of the two forms of a
// connection string, that without a scheme is what it understands itself.
func behind(dsn string) (string, error) {
	if !strings.Contains(dsn, "://") {
		return dsn, nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	password, _ := u.User.Password()
	for _, set := range [][2]string{
		{"host", u.Hostname()}, {"port", u.Port()}, {"user", u.User.Username()}, {"password", password}, {"dbname", strings.TrimPrefix(u.Path, "/")},
	} {
		if set[1] != "" {
			b.WriteString(set[0] + "='" + strings.ReplaceAll(set[1], "'", "''") + "' ")
		}
	}
	return b.String(), nil
}

// A server is started once, when it is needed first.
type server struct {
	name  string
	env   string // "": no variable names one
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
	pooler   = server{name: "pgbouncer", start: func(...string) (string, func(), error) {
		database, err := behind(postgres.address)
		if err != nil {
			return "", nil, err
		}
		return throwaway.PgBouncer(database)
	}}
)

func (s *server) get(tb testing.TB) (string, bool) {
	tb.Helper()
	s.once.Do(func() {
		if s.env != "" {
			s.address = os.Getenv(s.env)
		}
		if s.address == "" {
			s.address, s.stop, s.err = s.start()
			s.own = true
		}
	})
	if s.err != nil {
		help := "install it"
		if s.env != "" {
			help = "set " + s.env
		}
		Missing(tb, s.name, s.err, help)
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
