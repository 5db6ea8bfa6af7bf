package pgstore_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-2a427302/handoff/internal/servertest"
	"github.com/seed-2a427302/handoff/internal/throwaway"
	"github.com/seed-2a427302/handoff/pgstore"
)

func dsn(t testing.TB) string {
	t.Helper()
	dsn, own := servertest.Postgres(t)
	if !own {
		lasting.Store(&dsn)
	}
	return dsn
}

// cluster returns a cluster of the test's own, without a server.
func cluster(t *testing.T, flags ...string) *throwaway.Cluster {
	t.Helper()
	c, err := throwaway.NewCluster(flags...)
	if err != nil {
		servertest.Missing(t, "PostgreSQL", err, "install it")
	}
	t.Cleanup(c.Remove)
	return c
}

// at makes a pool connect to another server, which syncs what it acknowledges.
func at(t *testing.T, dsn string) func(*pgxpool.Config) {
	t.Helper()
	other, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return func(cfg *pgxpool.Config) { cfg.ConnConfig = other.ConnConfig.Copy() }
}

// lasting is the server if it is there after the tests.
var lasting atomic.Pointer[string]

var schemas atomic.Int64

func nextSchema() string { return fmt.Sprintf("t%d_%d", os.Getpid(), schemas.Add(1)) }

func quoted(schema string) string { return pgx.Identifier{schema}.Sanitize() }

// noise returns text that cannot be compressed.
func noise(n int) string {
	b := make([]byte, n/2)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// spare are schemas that were used and emptied again: to make one takes longer
// than most tests.
var spare []string

// open returns a store in a schema that nobody else uses.
func open(t testing.TB, opt pgstore.Options) *pgstore.Store {
	t.Helper()
	s, _ := openPool(t, opt)
	return s
}

// openPool returns the pool as well. A schema that opt names is made, and
// dropped at the end.
func openPool(t testing.TB, opt pgstore.Options, change ...func(*pgxpool.Config)) (*pgstore.Store, *pgxpool.Pool) {
	t.Helper()
	ctx := context.Background()
	end := "DROP SCHEMA IF EXISTS @ CASCADE"
	if opt.Schema == "" {
		if len(spare) == 0 {
			spare = append(spare, nextSchema())
		}
		opt.Schema, spare = spare[0], spare[1:]
		end = "DELETE FROM @.handoff_record; DELETE FROM @.handoff_entry; DELETE FROM @.handoff_key; DELETE FROM @.handoff_cursor;" +
			"DELETE FROM @.handoff_agent; DELETE FROM @.handoff_session"
		defer func() { t.Cleanup(func() { spare = append(spare, opt.Schema) }) }()
	}
	s, pool := openOnly(t, opt, change...)
	if err := s.Migrate(ctx, pgstore.Latest); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := pool.Exec(ctx, strings.ReplaceAll(end, "@", quoted(opt.Schema)), pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Error(err)
		}
	})
	return s, pool
}

// dropSpare removes what a server that is not our own would keep.
func dropSpare() {
	ctx := context.Background()
	dsn := lasting.Load()
	if dsn == nil {
		return
	}
	conn, err := pgx.Connect(ctx, *dsn)
	if err != nil {
		return
	}
	for _, schema := range spare {
		_, _ = conn.Exec(ctx, "DROP SCHEMA "+quoted(schema)+" CASCADE")
	}
	_ = conn.Close(ctx)
}

// openOnly returns a store on a pool of its own, without making its schema.
func openOnly(t testing.TB, opt pgstore.Options, change ...func(*pgxpool.Config)) (*pgstore.Store, *pgxpool.Pool) {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(dsn(t))
	if err != nil {
		t.Fatal(err)
	}
	cfg.MaxConns = 16
	// The server is not going to lose its power. See TestCheck for the rest.
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	for _, f := range change {
		f(cfg)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pgstore.New(pool, opt), pool
}
