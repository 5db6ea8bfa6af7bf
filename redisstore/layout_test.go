package redisstore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/redisstore"
)

func entry(seq int64) handoff.RecordEntry {
	return handoff.RecordEntry{ID: "e", Seq: seq, Body: handoff.BodyOf([]byte("x"))}
}

func record(conversation string) handoff.Record {
	return handoff.Record{ID: handoff.ID{Conversation: conversation, Number: 1}, Seq: 1, Body: handoff.BodyOf([]byte("x"))}
}

// names returns what is stored under a prefix.
func names(t *testing.T, c redis.Cmdable, tag string) (keys []string) {
	t.Helper()
	it := c.Scan(t.Context(), 0, "*", 1000).Iterator()
	for it.Next(t.Context()) {
		if strings.HasPrefix(it.Val(), tag) {
			keys = append(keys, it.Val())
		}
	}
	require.NoError(t, it.Err())
	return keys
}

func TestMigrate(t *testing.T) {
	ctx := t.Context()
	c := client(t)
	other := openOn(t, c, redisstore.Options{})
	require.NoError(t, other.Commit(ctx, record("c"), entry(1)))
	odd := "odd *[a-z]? {x}\\" + nextPrefix()
	s := redisstore.New(c, redisstore.Options{Prefix: odd})
	var le *redisstore.LayoutError
	require.ErrorAs(t, s.Check(ctx), &le)
	assert.Equal(t, redisstore.LayoutError{Need: redisstore.Latest}, *le)

	for range 2 { // again is nothing
		require.NoError(t, s.Migrate(ctx, redisstore.Latest))
		require.ErrorIs(t, s.Check(ctx), redisstore.ErrNotDurable, "the tests' server syncs every second")
		err := s.Commit(ctx, record("c"), entry(1))
		if !errors.Is(err, handoff.ErrConflict) {
			require.NoError(t, err)
		}
		require.NoError(t, s.Presence().Want(ctx, "ann", true, "", s2024))
	}
	_, err := s.Get(ctx, record("c").ID)
	require.NoError(t, err, "what is stored stays")

	tag := "{odd *[a-z]? %7Bx%7D\\" + strings.TrimPrefix(odd, "odd *[a-z]? {x}\\") + "}:"
	assert.NotEmpty(t, names(t, c, tag))
	for range 2 { // once more removes nothing
		require.NoError(t, s.Migrate(ctx, 0))
		assert.Empty(t, names(t, c, tag), "0 removes everything")
		require.ErrorAs(t, s.Check(ctx), &le)
	}
	_, err = other.Get(ctx, record("c").ID)
	require.NoError(t, err, "other prefixes stay")
	require.Error(t, s.Migrate(ctx, redisstore.Latest+1))
	require.Error(t, s.Migrate(ctx, -1))
}

func TestMigrateAtOnce(t *testing.T) {
	c, prefix := client(t), nextPrefix()
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			s := redisstore.New(c, redisstore.Options{Prefix: prefix})
			errs[i] = errors.Join(s.Migrate(t.Context(), redisstore.Latest), s.Commit(t.Context(), record(string(rune('a'+i))), entry(1)))
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	s := openOn(t, c, redisstore.Options{Prefix: prefix})
	n, err := s.Count(t.Context(), handoff.Query{})
	require.NoError(t, err)
	assert.Equal(t, 8, n)
}

// A build that is older than the layout leaves it alone.
func TestNewerLayout(t *testing.T) {
	c, prefix := client(t), nextPrefix()
	s := openOn(t, c, redisstore.Options{Prefix: prefix})
	require.NoError(t, s.Commit(t.Context(), record("c"), entry(1)))
	layout := "{" + prefix + "}:layout"
	require.NoError(t, c.Set(t.Context(), layout, 99, 0).Err())
	before := names(t, c, "{"+prefix+"}:")
	for _, err := range []error{s.Check(t.Context()), s.Migrate(t.Context(), redisstore.Latest), s.Migrate(t.Context(), 0)} {
		var le *redisstore.LayoutError
		require.ErrorAs(t, err, &le)
		assert.Equal(t, 99, le.Have)
		assert.ErrorContains(t, err, "newer than this build")
	}
	assert.ElementsMatch(t, before, names(t, c, "{"+prefix+"}:"))
	require.Equal(t, "99", c.Get(t.Context(), layout).Val())
	require.NoError(t, c.Set(t.Context(), layout, redisstore.Latest, 0).Err())
}

// A server that lost everything while replicas run, as one without appendonly
// does when it is restarted, and one to which nobody has migrated are used by
// the first commit, and whoever starts next migrates as ever.
func TestLayoutLost(t *testing.T) {
	ctx := t.Context()
	c, prefix := client(t), nextPrefix()
	s := openOn(t, c, redisstore.Options{Prefix: prefix})
	tag := "{" + prefix + "}:"
	items := func(conversations ...string) (list []handoff.Item) {
		for _, conversation := range conversations {
			list = append(list, handoff.Item{Record: record(conversation), Entries: []handoff.RecordEntry{entry(1)}})
		}
		return list
	}
	for _, store := range []func() error{
		func() error { return s.Commit(ctx, record("c"), entry(1)) },
		func() error { return errors.Join(s.CommitBatch(ctx, items("c", "d"))...) },
	} {
		require.NoError(t, c.Del(ctx, names(t, c, tag)...).Err())
		var le *redisstore.LayoutError
		require.ErrorAs(t, s.Check(ctx), &le)
		require.NoError(t, store())
		next := redisstore.New(c, redisstore.Options{Prefix: prefix})
		require.NotErrorAs(t, next.Check(ctx), &le)
		require.NoError(t, next.Migrate(ctx, redisstore.Latest))
		_, err := next.Get(ctx, record("c").ID)
		require.NoError(t, err, "what was stored meanwhile stays")
	}
	require.NoError(t, c.Set(ctx, tag+"layout", 99, 0).Err())
	require.NoError(t, s.Commit(ctx, record("e"), entry(1)))
	require.Equal(t, "99", c.Get(ctx, tag+"layout").Val(), "a newer version stays")
	require.NoError(t, c.Set(ctx, tag+"layout", redisstore.Latest, 0).Err())
}

func TestForeignLayout(t *testing.T) {
	z := redis.Z{Member: "x"}
	for name, put := range map[string]func(context.Context, redis.Cmdable, string) error{
		"a name of ours, another type": func(ctx context.Context, c redis.Cmdable, p string) error { return c.Set(ctx, p+"due", 1, 0).Err() },
		"an index without a layout":    func(ctx context.Context, c redis.Cmdable, p string) error { return c.ZAdd(ctx, p+"open", z).Err() },
		"a version that is none": func(ctx context.Context, c redis.Cmdable, p string) error {
			return c.Set(ctx, p+"layout", "two", 0).Err()
		},
		"a version of another type": func(ctx context.Context, c redis.Cmdable, p string) error { return c.SAdd(ctx, p+"layout", 1).Err() },
	} {
		t.Run(name, func(t *testing.T) {
			c, prefix := client(t), nextPrefix()
			tag := "{" + prefix + "}:"
			require.NoError(t, put(t.Context(), c, tag))
			before := names(t, c, tag)
			t.Cleanup(func() { c.Del(context.Background(), before...) })
			s := redisstore.New(c, redisstore.Options{Prefix: prefix})
			for _, err := range []error{s.Migrate(t.Context(), redisstore.Latest), s.Check(t.Context()), s.Migrate(t.Context(), 0)} {
				var le *redisstore.LayoutError
				require.ErrorAs(t, err, &le)
				assert.Equal(t, before[0], le.Foreign)
			}
			assert.Equal(t, before, names(t, c, tag), "nothing half made")
		})
	}
}

// What Check does not look at, since there may be millions of it, says so when
// it is met.
func TestForeignValue(t *testing.T) {
	ctx := t.Context()
	c, prefix := client(t), nextPrefix()
	tag := "{" + prefix + "}:"
	s := openOn(t, c, redisstore.Options{Prefix: prefix})
	require.NoError(t, c.MSet(ctx, tag+"n:c", "x", tag+"r:d\x000000000000000000001", "x").Err())
	_, err := s.Latest(ctx, "c")
	require.ErrorIs(t, err, redisstore.ErrForeign)
	_, err = s.Get(ctx, record("d").ID)
	require.ErrorIs(t, err, redisstore.ErrForeign)
	before := names(t, c, tag)
	require.ErrorIs(t, s.Commit(ctx, record("c"), entry(1)), redisstore.ErrForeign)
	require.ElementsMatch(t, before, names(t, c, tag), "nothing half written")
}

// What a newer build keeps in a record or an entry survives an older one's
// commit: the body is the engine's, and fields of a hash that this build does
// not know are left alone.
func TestUnknownFields(t *testing.T) {
	c, prefix := client(t), nextPrefix()
	s := openOn(t, c, redisstore.Options{Prefix: prefix})
	r := record("c")
	require.NoError(t, s.Commit(t.Context(), r, entry(1)))
	var key string
	for _, k := range names(t, c, "{"+prefix+"}:r:") {
		key = k
	}
	require.NoError(t, c.HSet(t.Context(), key, "X", "of 2031").Err())
	r.Version, r.Seq = 1, 2
	require.NoError(t, s.Commit(t.Context(), r, handoff.RecordEntry{ID: "f", Seq: 2}))
	require.Equal(t, "of 2031", c.HGet(t.Context(), key, "X").Val())
}
