// The engine's own tests on another store than the one in memory. TestEngine of
// systemtest adds this file to the tests of the root package; there it
// cannot lie, since the root module requires no store.

package handoff_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/internal/rigtest"
	"github.com/seed-2a427302/handoff/pgstore"
	"github.com/seed-2a427302/handoff/redisstore"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

// A source makes empty stores, in each call one with a function that closes it.
// end gives back what all of them had.
type source struct {
	next func(ctx context.Context) (handoff.Store, func() error, error)
	end  func() error
}

func TestMain(m *testing.M) {
	kind, place := os.Getenv("HANDOFF_TEST_KIND"), os.Getenv("HANDOFF_TEST_PLACE")
	open := map[string]func(place string) (source, error){
		"memory": inMemory, "sqlite": inFiles, "postgres": inSchemas, "redis": underPrefixes,
	}[kind]
	if open == nil {
		fmt.Fprintf(os.Stderr, "there is no store named %q\n", kind)
		os.Exit(2)
	}
	from, err := open(place)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	// Both are made here, outside of every bubble.
	outside, end := handofftest.NewOutside(16)
	var opened atomic.Int64
	if from.next != nil {
		rigtest.Open = func(tb testing.TB) handoff.Store {
			tb.Helper()
			var inner handoff.Store
			var closes func() error
			var err error
			outside.Do(context.Background(), func(ctx context.Context) { inner, closes, err = from.next(ctx) })
			if err != nil {
				tb.Fatal(err)
			}
			opened.Add(1)
			tb.Cleanup(func() {
				// The test's context has just ended, and its engines with it. What
				// they are about to store must not get among what the next test finds.
				synctest.Wait()
				outside.Do(context.Background(), func(context.Context) { err = closes() })
				if err != nil {
					tb.Error(err)
				}
			})
			return outside.Store(inner)
		}
	}
	code := m.Run()
	end()
	if err := from.end(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	fmt.Println("stores opened:", opened.Load())
	os.Exit(code)
}

func inMemory(string) (source, error) {
	return source{end: func() error { return nil }}, nil
}

func inFiles(dir string) (source, error) {
	var n atomic.Int64
	next := func(ctx context.Context) (handoff.Store, func() error, error) {
		s, err := sqlitestore.Open(ctx, filepath.Join(dir, fmt.Sprint(n.Add(1), ".db")), sqlitestore.Options{NoSync: true})
		if err != nil {
			return nil, nil, err
		}
		return s, s.Close, s.Migrate(ctx, sqlitestore.Latest)
	}
	return source{next, func() error { return nil }}, nil
}

// inSchemas uses each schema again, since to make one takes longer than most
// tests.
func inSchemas(place string) (source, error) {
	prefix, dsn, _ := strings.Cut(place, " ")
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return source{}, err
	}
	cfg.MaxConns = 16
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		return source{}, err
	}
	var mu sync.Mutex
	var spare []string
	n := 0
	next := func(ctx context.Context) (handoff.Store, func() error, error) {
		mu.Lock()
		defer mu.Unlock()
		if len(spare) == 0 {
			n++
			spare = append(spare, fmt.Sprint(prefix, "_", n))
		}
		schema := spare[len(spare)-1]
		spare = spare[:len(spare)-1]
		s := pgstore.New(pool, pgstore.Options{Schema: schema, NoListen: true, CallerClock: true})
		return whole{s}, func() error {
			var errs []error
			for _, table := range []string{"record", "entry", "key", "cursor"} {
				_, err := pool.Exec(context.Background(), "DELETE FROM "+pgx.Identifier{schema, "handoff_" + table}.Sanitize())
				errs = append(errs, err)
			}
			mu.Lock()
			defer mu.Unlock()
			spare = append(spare, schema)
			return errors.Join(errs...)
		}, s.Migrate(ctx, pgstore.Latest)
	}
	return source{next, func() error {
		defer pool.Close()
		var errs []error
		for i := range n {
			_, err := pool.Exec(context.Background(), "DROP SCHEMA "+pgx.Identifier{fmt.Sprint(prefix, "_", i+1)}.Sanitize()+" CASCADE")
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}}, nil
}

// whole is a store whose writes are not cut off. A server that has got a
// statement may carry it out after its caller has gone, and so after the schema
// was emptied for the next test.
type whole struct{ *pgstore.Store }

func (s whole) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Store.Commit(context.WithoutCancel(ctx), r, entries...)
}

func (s whole) CommitBatch(ctx context.Context, items []handoff.Item) []error {
	return s.Store.CommitBatch(context.WithoutCancel(ctx), items)
}

func (s whole) Claim(ctx context.Context, c handoff.Claim) (handoff.Claimed, error) {
	if err := ctx.Err(); err != nil {
		return handoff.Claimed{}, err
	}
	return s.Store.Claim(context.WithoutCancel(ctx), c)
}

func (s whole) Lead(ctx context.Context, id handoff.ID, cursor string, now time.Time, lease time.Duration) (handoff.Lead, error) {
	if err := ctx.Err(); err != nil {
		return handoff.Lead{}, err
	}
	return s.Store.Lead(context.WithoutCancel(ctx), id, cursor, now, lease)
}

func (s whole) Ack(ctx context.Context, acks ...handoff.Ack) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Store.Ack(context.WithoutCancel(ctx), acks...)
}

func (s whole) Erase(ctx context.Context, conversation string, tomb handoff.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Store.Erase(context.WithoutCancel(ctx), conversation, tomb)
}

func (s whole) Delete(ctx context.Context, id handoff.ID, version int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Store.Delete(context.WithoutCancel(ctx), id, version)
}

func underPrefixes(place string) (source, error) {
	prefix, url, _ := strings.Cut(place, " ")
	opt, err := redis.ParseURL(url)
	if err != nil {
		return source{}, err
	}
	opt.ContextTimeoutEnabled, opt.PoolSize = true, 16
	client := redis.NewClient(opt)
	var n atomic.Int64
	next := func(ctx context.Context) (handoff.Store, func() error, error) {
		s := redisstore.New(client, redisstore.Options{Prefix: fmt.Sprint(prefix, "_", n.Add(1)), NoListen: true, CallerClock: true})
		return s, func() error { return s.Migrate(context.Background(), 0) }, s.Migrate(ctx, redisstore.Latest)
	}
	return source{next, client.Close}, nil
}
