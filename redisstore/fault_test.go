package redisstore_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/enginetest"
	"github.com/seed-2a427302/handoff/redisstore"
)

var s2024 = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// What these tests ran on; and that it is what was asked for.
func TestServer(t *testing.T) {
	info, err := dial(t, start(t)).InfoMap(t.Context(), "server").Result()
	require.NoError(t, err)
	name, version := "redis", info["Server"]["redis_version"]
	if v, ok := info["Server"]["valkey_version"]; ok {
		name, version = "valkey", v
	}
	require.NotEmpty(t, version)
	t.Log(name, version)
	if asked := filepath.Base(os.Getenv("HANDOFF_TEST_REDIS_SERVER")); strings.HasSuffix(asked, "-server") {
		require.Equal(t, strings.TrimSuffix(asked, "-server"), name)
	}
}

func TestCheck(t *testing.T) {
	ctx := t.Context()
	c := dial(t, start(t, "--appendfsync", "always"))
	s := redisstore.New(c, redisstore.Options{})
	require.NoError(t, s.Migrate(ctx, redisstore.Latest))
	require.NoError(t, s.Check(ctx))
	set := func(name, value string) { require.NoError(t, c.ConfigSet(ctx, name, value).Err()) }

	set("maxmemory-policy", "allkeys-lru")
	require.ErrorIs(t, s.Check(ctx), redisstore.ErrEvicts)
	set("maxmemory-policy", "noeviction")
	for _, sync := range []string{"everysec", "no"} {
		set("appendfsync", sync)
		require.ErrorIs(t, s.Check(ctx), redisstore.ErrNotDurable)
		require.ErrorContains(t, s.Check(ctx), sync)
	}
	set("appendfsync", "always")
	set("appendonly", "no")
	require.ErrorIs(t, s.Check(ctx), redisstore.ErrNotDurable)
	require.ErrorContains(t, s.Check(ctx), "appendonly is off")

	opt := *c.Options()
	opt.ContextTimeoutEnabled = false
	deaf := redis.NewClient(&opt)
	t.Cleanup(func() { _ = deaf.Close() })
	require.ErrorIs(t, redisstore.New(deaf, redisstore.Options{}).Check(ctx), redisstore.ErrClient)
	lagging := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}, ContextTimeoutEnabled: true, ReadOnly: true})
	t.Cleanup(func() { _ = lagging.Close() })
	require.ErrorIs(t, redisstore.New(lagging, redisstore.Options{}).Check(ctx), redisstore.ErrClient)
}

// With appendfsync always the class is: nothing that was acknowledged is lost
// when the server is killed.
func TestServerKilled(t *testing.T) {
	// Not t.TempDir: the server runs as somebody else, who could not get there.
	dir, err := os.MkdirTemp("", "redis") //nolint:usetesting // as above
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o777)) //nolint:gosec // the same
	args := []string{"--dir", dir, "--appendfsync", "always"}
	c := dial(t, start(t, args...))
	s := redisstore.New(c, redisstore.Options{})
	require.NoError(t, s.Migrate(t.Context(), redisstore.Latest))
	info, err := c.InfoMap(t.Context(), "server").Result()
	require.NoError(t, err)
	pid, err := strconv.Atoi(info["Server"]["process_id"])
	require.NoError(t, err)

	const n = 200
	acked := make(chan int, n)
	go func() {
		defer close(acked)
		for i := range n {
			if s.Commit(context.Background(), record(fmt.Sprint("c", i)), entry(1)) != nil {
				return
			}
			acked <- i
		}
	}()
	count := 0
	for i := range acked {
		if count = i + 1; count == n/2 {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	require.Less(t, count, n, "killed too late")

	s = redisstore.New(dial(t, start(t, args...)), redisstore.Options{})
	for i := range count {
		_, err := s.Get(t.Context(), record(fmt.Sprint("c", i)).ID)
		require.NoError(t, err, "an acknowledged commit is gone")
		log, err := s.Log(t.Context(), record(fmt.Sprint("c", i)).ID, 0, 10)
		require.NoError(t, err)
		require.Len(t, log, 1)
	}
	require.NoError(t, s.Check(t.Context()))
}

// A replica answers questions and takes no writes.
func TestReadOnly(t *testing.T) {
	s := redisstore.New(dial(t, start(t, "--replicaof", "127.0.0.1", "1")), redisstore.Options{})
	for _, err := range []error{
		s.Migrate(t.Context(), redisstore.Latest), s.Check(t.Context()), s.Commit(t.Context(), record("c"), entry(1)),
		s.Ack(t.Context(), handoff.Ack{ID: record("c").ID, Cursor: "x", Seq: 1}), s.Presence().Want(t.Context(), "ann", true, "", s2024),
	} {
		require.ErrorIs(t, err, redisstore.ErrReadOnly)
	}
	_, err := s.Claim(t.Context(), handoff.Claim{Limit: 1})
	require.ErrorIs(t, err, redisstore.ErrReadOnly)
	_, err = s.Get(t.Context(), record("c").ID)
	require.ErrorIs(t, err, handoff.ErrNotFound, "nothing was written")
	_, err = s.Latest(t.Context(), "c")
	require.ErrorIs(t, err, handoff.ErrNotFound)
}

// When the memory is used up, whatever writes is refused before it begins, and
// reading goes on.
func TestNoMemory(t *testing.T) {
	ctx := t.Context()
	c := dial(t, start(t, "--appendonly", "no"))
	s := redisstore.New(c, redisstore.Options{})
	require.NoError(t, s.Migrate(ctx, redisstore.Latest))
	r := record("c")
	r.Queue, r.Line, r.Agent, r.User, r.Wake = "q", "l", "ann", "uwe", s2024
	r.Keys = []handoff.Key{{Name: "k", Max: 1, Units: 1}}
	require.NoError(t, s.Commit(ctx, r, entry(1)))
	before := dump(t, c)
	require.NoError(t, c.ConfigSet(ctx, "maxmemory", "1mb").Err())

	other := r
	other.ID.Conversation, other.Keys = "d", []handoff.Key{{Name: "other", Max: 1, Units: 1}}
	other.Body = handoff.BodyOf(bytes.Repeat([]byte("x"), 1<<20))
	require.ErrorIs(t, s.Commit(ctx, other, entry(1)), redisstore.ErrNoMemory)
	for _, err := range s.CommitBatch(ctx, []handoff.Item{{Record: other, Entries: []handoff.RecordEntry{entry(1)}}}) {
		require.ErrorIs(t, err, redisstore.ErrNoMemory)
	}
	_, err := s.Lead(ctx, r.ID, "x", s2024, time.Minute)
	require.ErrorIs(t, err, redisstore.ErrNoMemory)
	require.ErrorIs(t, s.Presence().Begin(ctx, "ann", "s", s2024, s2024.Add(time.Hour)), redisstore.ErrNoMemory)
	got, err := s.Get(ctx, r.ID)
	require.NoError(t, err)
	assert.Equal(t, int64(1), got.Version)
	list, err := s.List(ctx, handoff.Query{Queue: "q", Waiting: true, ByRank: true})
	require.NoError(t, err)
	assert.Len(t, list, 1)
	require.NoError(t, c.ConfigSet(ctx, "maxmemory", "0").Err())
	assert.Equal(t, before, dump(t, c), "nothing half written")
	require.NoError(t, s.Commit(ctx, other, entry(1)))
}

// dump returns all that a server has.
func dump(t *testing.T, c *redis.Client) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, key := range names(t, c, "") {
		v, err := c.Dump(t.Context(), key).Result()
		require.NoError(t, err)
		out[key] = v
	}
	return out
}

func TestWrongCredentials(t *testing.T) {
	url := start(t)
	require.NoError(t, dial(t, url).ConfigSet(t.Context(), "requirepass", "right").Err())
	for name, change := range map[string]func(*redis.Options){
		"none":  func(*redis.Options) {},
		"wrong": func(opt *redis.Options) { opt.Password = "open sesame" },
		"user":  func(opt *redis.Options) { opt.Username, opt.Password = "nobody_of_that_name", "open sesame" },
	} {
		s := redisstore.New(dial(t, url, change), redisstore.Options{})
		for _, err := range []error{s.Check(t.Context()), s.Migrate(t.Context(), redisstore.Latest), s.Commit(t.Context(), record("c"), entry(1))} {
			require.ErrorIs(t, err, redisstore.ErrDenied, name)
			assert.NotContains(t, err.Error(), "sesame")
		}
	}
	s := redisstore.New(dial(t, url, func(opt *redis.Options) { opt.Password = "right" }), redisstore.Options{})
	_, err := s.Get(t.Context(), record("c").ID)
	require.ErrorIs(t, err, handoff.ErrNotFound, "nothing was written")
}

// A server that was restarted or flushed its scripts gets them again.
func TestScriptsForgotten(t *testing.T) {
	c := dial(t, start(t))
	s := redisstore.New(c, redisstore.Options{})
	require.NoError(t, s.Migrate(t.Context(), redisstore.Latest))
	for i := range 3 {
		require.NoError(t, c.ScriptFlush(t.Context()).Err())
		require.NoError(t, s.Commit(t.Context(), record(strconv.Itoa(i)), entry(1)))
		_, err := s.Latest(t.Context(), strconv.Itoa(i))
		require.NoError(t, err)
	}
}

// A script of somebody else that does not end makes calls fail, not hang.
func TestBusy(t *testing.T) {
	url := start(t, "--busy-reply-threshold", "20")
	c := dial(t, url)
	s := redisstore.New(c, redisstore.Options{})
	require.NoError(t, s.Migrate(t.Context(), redisstore.Latest))
	go func() { _ = c.Eval(context.Background(), "while true do end", nil).Err() }()
	enginetest.Eventually(t, "a busy server", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return redis.HasErrorPrefix(c.Ping(ctx).Err(), "BUSY")
	})
	require.ErrorIs(t, s.Commit(t.Context(), record("c"), entry(1)), redisstore.ErrBusy)
	require.NoError(t, c.ScriptKill(t.Context()).Err())
	enginetest.Eventually(t, "an idle server", func() bool { return c.Ping(t.Context()).Err() == nil })
	require.NoError(t, s.Commit(t.Context(), record("c"), entry(1)))
}

// What cannot be a name is refused as a whole, and leaves the others of a
// batch alone; what is only large is kept.
func TestHostileValues(t *testing.T) {
	ctx := t.Context()
	s := open(t, redisstore.Options{})
	bad := map[string]func(*handoff.Record, *handoff.RecordEntry){
		"conversation": func(r *handoff.Record, _ *handoff.RecordEntry) { r.ID.Conversation = "a\x00b" },
		"queue":        func(r *handoff.Record, _ *handoff.RecordEntry) { r.Queue = "\xff" },
		"state":        func(r *handoff.Record, _ *handoff.RecordEntry) { r.State = "\x00" },
		"outcome":      func(r *handoff.Record, _ *handoff.RecordEntry) { r.Outcome = "\x00" },
		"agent":        func(r *handoff.Record, _ *handoff.RecordEntry) { r.Agent = "\xc3\x28" },
		"user":         func(r *handoff.Record, _ *handoff.RecordEntry) { r.User = "a\x00b" },
		"line":         func(r *handoff.Record, _ *handoff.RecordEntry) { r.Line = "a\x00b" },
		"tag":          func(r *handoff.Record, _ *handoff.RecordEntry) { r.Tags = []string{"fine", "\xff"} },
		"key": func(r *handoff.Record, _ *handoff.RecordEntry) {
			r.Keys = []handoff.Key{{Name: "a\x00b", Max: 1, Units: 1}}
		},
		"units": func(r *handoff.Record, _ *handoff.RecordEntry) {
			r.Keys = []handoff.Key{{Name: "k", Max: 1 << 60, Units: 1 << 60}}
		},
		"sink": func(r *handoff.Record, _ *handoff.RecordEntry) {
			r.Owed = []handoff.Owed{{Sink: "\x00", Cursor: "c", Seq: 1}}
		},
		"cursor": func(r *handoff.Record, _ *handoff.RecordEntry) {
			r.Owed = []handoff.Owed{{Sink: "s", Cursor: "\x00", Seq: 1}}
		},
		"entry":  func(_ *handoff.Record, e *handoff.RecordEntry) { e.ID = "a\x00b" },
		"number": func(r *handoff.Record, _ *handoff.RecordEntry) { r.ID.Number = -1 },
	}
	for field, change := range bad {
		r, e := record(field), entry(1)
		change(&r, &e)
		var ie *handoff.InvalidError
		require.ErrorAs(t, s.Commit(ctx, r, e), &ie, field)
		assert.Equal(t, field, ie.Field)
		errs := s.CommitBatch(ctx, []handoff.Item{
			{Record: record("before " + field), Entries: []handoff.RecordEntry{entry(1)}},
			{Record: r, Entries: []handoff.RecordEntry{e}},
			{Record: record("after " + field), Entries: []handoff.RecordEntry{entry(1)}},
		})
		require.NoError(t, errs[0], field)
		require.ErrorAs(t, errs[1], &ie, field)
		require.NoError(t, errs[2], field)
	}
	n, err := s.Count(ctx, handoff.Query{})
	require.NoError(t, err)
	assert.Equal(t, 2*len(bad), n)
	require.ErrorIs(t, s.Presence().Want(ctx, "ann", true, "\x00", s2024), handoff.ErrInvalid)
	require.ErrorIs(t, s.Presence().Want(ctx, "a\x00b", true, "", s2024), handoff.ErrInvalid)
	require.ErrorIs(t, s.Presence().Begin(ctx, "ann", "", s2024, s2024), handoff.ErrInvalid)
	_, err = s.Latest(ctx, "a\x00b")
	require.ErrorIs(t, err, handoff.ErrNotFound)

	long := strings.Repeat("long ", 1<<20/5)
	big := record(long)
	big.Queue, big.Line, big.Agent, big.User, big.Tags = long, long, long, long, []string{long}
	big.Keys = []handoff.Key{{Name: long, Max: 1, Units: 1}}
	big.Body = handoff.BodyOf(bytes.Repeat([]byte{0, 255}, 1<<19))
	require.NoError(t, s.Commit(ctx, big, handoff.RecordEntry{ID: long, Seq: 1, Body: big.Body}))
	got, err := s.Latest(ctx, long)
	require.NoError(t, err)
	assert.Equal(t, big.Body.Bytes(), got.Body.Bytes())
	list, err := s.List(ctx, handoff.Query{Queue: long, Lines: []string{long}, Waiting: true, ByRank: true, Limit: 1})
	require.NoError(t, err)
	assert.Len(t, list, 1)
	e, err := s.Entry(ctx, big.ID, long)
	require.NoError(t, err)
	assert.Equal(t, int64(1), e.Seq)
}

// A commit of many entries, as when a long history is imported.
func TestManyEntries(t *testing.T) {
	const n = 12_345
	s := open(t, redisstore.Options{})
	r := record("c")
	r.Seq = n
	r.Owed = []handoff.Owed{{Sink: "s", Cursor: "s", Seq: n}}
	list := make([]handoff.RecordEntry, n)
	for i := range list {
		list[i] = handoff.RecordEntry{ID: fmt.Sprint("e", i), Seq: int64(i) + 1}
	}
	require.NoError(t, s.Commit(t.Context(), r, list...))
	log, err := s.Log(t.Context(), r.ID, 0, 1<<30)
	require.NoError(t, err)
	require.Len(t, log, n)
	require.Equal(t, "e12344", log[n-1].ID)
	require.Equal(t, int64(n), log[n-1].Seq)
	log, err = s.Log(t.Context(), r.ID, n-1, 5)
	require.NoError(t, err)
	require.Len(t, log, 1)
}
