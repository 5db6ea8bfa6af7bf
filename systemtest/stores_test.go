package systemtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/servertest"
	"github.com/seed-2a427302/handoff/memstore"
	"github.com/seed-2a427302/handoff/pgstore"
	"github.com/seed-2a427302/handoff/redisstore"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

// A kind is a kind of store. A place is where one is: a file, a schema of a
// server.
type kind struct {
	name    string
	durable bool // other processes can open the same place

	// place makes an empty one, which is gone when the test ends.
	place func(tb testing.TB) string

	// open opens the store at a place, in any process.
	open func(ctx context.Context, place string) (store handoff.Store, closes func() error, err error)
}

// kinds are the stores that are compared and killed.
var kinds = []kind{
	{
		name:  "memory",
		place: func(testing.TB) string { return "" },
		open: func(context.Context, string) (handoff.Store, func() error, error) {
			return memstore.New(), func() error { return nil }, nil
		},
	},
	{name: "sqlite", durable: true, place: sqlitePlace, open: openSQLite},
	{name: "postgres", durable: true, place: postgresPlace, open: openPostgres},
	{name: "redis", durable: true, place: redisPlace, open: openRedis},
}

// kindNamed finds a kind, in a child.
func kindNamed(name string) (kind, error) {
	for _, k := range kinds {
		if k.name == name {
			return k, nil
		}
	}
	return kind{}, fmt.Errorf("there is no store named %q", name)
}

// each runs a test for each kind that several processes can use.
func each(t *testing.T, f func(t *testing.T, k kind)) {
	t.Helper()
	for _, k := range kinds {
		if k.durable {
			t.Run(k.name, func(t *testing.T) { f(t, k) })
		}
	}
}

// opened is open, again while there is no answer.
func (k *kind) opened(ctx context.Context, place string) (handoff.Store, func() error, error) {
	type opened struct {
		store  handoff.Store
		closes func() error
	}
	o, err := again(ctx, func() (opened, error) {
		s, closes, err := k.open(ctx, place)
		if err != nil && closes != nil {
			err = errors.Join(err, closes())
		}
		return opened{s, closes}, err
	})
	return o.store, o.closes, err
}

// mustOpen opens a store for a test.
func mustOpen(tb testing.TB, k kind, place string) handoff.Store {
	tb.Helper()
	s, closes, err := k.opened(context.Background(), place)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, closes()) })
	return s
}

func sqlitePlace(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(tb.TempDir(), "handoff.db")
}

// openSQLite does not sync: what a killed process wrote is with the system.
func openSQLite(ctx context.Context, place string) (handoff.Store, func() error, error) {
	s, err := sqlitestore.Open(ctx, place, sqlitestore.Options{NoSync: true})
	if err != nil {
		return nil, nil, err
	}
	return s, s.Close, s.Migrate(ctx, sqlitestore.Latest)
}

var schemas atomic.Int64

// A place in PostgreSQL is a connection string and a schema.
func postgresPlace(tb testing.TB) string {
	tb.Helper()
	dsn, _ := servertest.Postgres(tb)
	schema := fmt.Sprintf("system%d_%d", os.Getpid(), schemas.Add(1))
	tb.Cleanup(func() {
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, dsn)
		require.NoError(tb, err)
		_, err = conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+schema+" CASCADE")
		require.NoError(tb, err)
		require.NoError(tb, conn.Close(ctx))
	})
	return schema + " " + dsn
}

// openPostgres does not sync: the server is not killed.
func openPostgres(ctx context.Context, place string) (handoff.Store, func() error, error) {
	schema, dsn, _ := strings.Cut(place, " ")
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, nil, err
	}
	cfg.MaxConns = 8
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	closes := func() error { pool.Close(); return nil }
	s := pgstore.New(pool, pgstore.Options{Schema: schema})
	return s, closes, s.Migrate(ctx, pgstore.Latest)
}

// A place in Redis is a URL and a prefix.
func redisPlace(tb testing.TB) string {
	tb.Helper()
	url, _ := servertest.Redis(tb)
	place := fmt.Sprintf("system%d_%d", os.Getpid(), schemas.Add(1)) + " " + url
	tb.Cleanup(func() {
		s, closes, err := openRedis(context.Background(), place)
		require.NoError(tb, err)
		if rs, ok := s.(*redisstore.Store); ok {
			require.NoError(tb, rs.Migrate(context.Background(), 0))
		}
		require.NoError(tb, closes())
	})
	return place
}

// openRedis does not sync: the server is not killed.
func openRedis(ctx context.Context, place string) (handoff.Store, func() error, error) {
	prefix, url, _ := strings.Cut(place, " ")
	opt, err := redis.ParseURL(url)
	if err != nil {
		return nil, nil, err
	}
	opt.ContextTimeoutEnabled, opt.PoolSize = true, 8
	client := redis.NewClient(opt)
	s := redisstore.New(client, redisstore.Options{Prefix: prefix})
	return s, client.Close, s.Migrate(ctx, redisstore.Latest)
}
