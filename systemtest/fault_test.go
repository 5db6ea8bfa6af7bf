package systemtest

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/redisstore"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

// remote are the kinds with a server behind a network.
func remote(t *testing.T, f func(t *testing.T, k kind, p *proxy, s handoff.Store)) {
	t.Helper()
	for _, k := range kinds {
		if k.name == "postgres" || k.name == "redis" {
			t.Run(k.name, func(t *testing.T) {
				p, place := behind(t, k, k.place(t))
				f(t, k, p, mustOpen(t, k, place))
			})
		}
	}
}

// A faultChat is a chat of a user with Ann, on an engine that does not run.
type faultChat struct {
	e  *handoff.Engine
	id handoff.ID
}

func newFaultChat(t *testing.T, s handoff.Store, change ...func(*handoff.Config)) *faultChat {
	t.Helper()
	cfg := handoff.Config{
		Store: s, Queues: []handoff.Queue{{Name: "support", Style: handoff.Pull}},
		Directory: handoff.Staff{{ID: "ann", Queues: []string{"support"}, Seats: 2}, {ID: "bob", Queues: []string{"support"}, Seats: 1}},
	}
	for _, f := range change {
		f(&cfg)
	}
	e, err := handoff.New(cfg)
	require.NoError(t, err)
	out, err := e.Request(t.Context(), handoff.Request{ID: "r", Conversation: "c", Queue: "support"})
	require.NoError(t, err)
	_, err = e.Accept(t.Context(), out.Handoff.ID, handoff.By("ann"), 0)
	require.NoError(t, err)
	return &faultChat{e, out.Handoff.ID}
}

func (c *faultChat) send(ctx context.Context, text string) error {
	_, err := c.e.Send(ctx, c.id, handoff.By("ann"), handoff.Message{ID: text, Text: text})
	return err
}

// said returns the messages of the log, and fails the test if there is a gap.
func (c *faultChat) said(t *testing.T) string {
	t.Helper()
	log, err := c.e.Log(t.Context(), c.id, 0, 1000)
	require.NoError(t, err)
	var said []string
	for i := range log {
		require.Equal(t, int64(i)+1, log[i].Seq)
		if log[i].Kind == handoff.KindMessage {
			said = append(said, log[i].Text)
		}
	}
	return strings.Join(said, " ")
}

// The connection is lost when a commit was sent: before the server had it, or
// before its answer came. The caller hears of neither, and what he said is
// there once.
func TestCut(t *testing.T) {
	remote(t, func(t *testing.T, _ kind, p *proxy, s handoff.Store) {
		c := newFaultChat(t, s)
		for i, after := range []bool{true, false, true, false} {
			text := fmt.Sprint("say-", i)
			p.cutOff(text, after)
			require.NoError(t, c.send(t.Context(), text))
		}
		assert.Equal(t, 4, p.cuts)
		assert.Equal(t, "say-0 say-1 say-2 say-3", c.said(t))

		// The same for a request: there is one handoff, and who asked has it.
		p.cutOff("asked-for", true)
		out, err := c.e.Request(t.Context(), handoff.Request{ID: "asked-for", Conversation: "d", Queue: "support"})
		require.NoError(t, err)
		assert.Equal(t, 5, p.cuts)
		assert.Equal(t, handoff.StateWaiting, out.Handoff.State)
		all, err := s.List(t.Context(), handoff.Query{Conversation: "d"})
		require.NoError(t, err)
		assert.Len(t, all, 1)
	})
}

// While the store is down, commands fail with a typed error and the bot keeps
// whom it has; when it is back, an engine that ran on goes on by itself.
func TestDown(t *testing.T) {
	remote(t, func(t *testing.T, _ kind, p *proxy, s handoff.Store) {
		var calls, claims atomic.Int64
		counted := handofftest.NewStore(s)
		counted.Plan(func(op string, _ handoff.ID) (none handofftest.Fault) {
			calls.Add(1)
			if op == "Claim" {
				claims.Add(1)
			}
			return none
		})
		const pace = 50 * time.Millisecond
		c := newFaultChat(t, counted, func(cfg *handoff.Config) {
			cfg.Queues[0].Style = handoff.Pull
			cfg.Queues = append(cfg.Queues, handoff.Queue{Name: "push"})
			cfg.Directory = handoff.Staff{{ID: "ann", Queues: []string{"support", "push"}, Seats: 2}}
			cfg.Poll, cfg.Sweep = pace, pace
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.e.Run(ctx) }()
		defer func() {
			cancel()
			require.NoError(t, <-done)
		}()
		turn, err := c.e.Receive(ctx, handoff.Incoming{Conversation: "d", ID: "m1", Text: "hello"})
		require.NoError(t, err)

		p.setDown(true)
		var se *handoff.StoreError
		require.ErrorAs(t, c.send(ctx, "lost"), &se)
		_, err = c.e.Request(ctx, handoff.Request{Turn: turn, Queue: "push"})
		require.ErrorAs(t, err, &se)
		// It tries at its pace, an eighth early at times, with a handful of calls
		// for each queue, and none of these dials more often than a client may.
		begun, dialled, before, looked := time.Now(), p.dials(), calls.Load(), claims.Load()
		for claims.Load() < looked+20 {
			time.Sleep(time.Millisecond)
		}
		looks, tried, dials := claims.Load()-looked, calls.Load()-before, p.dials()-dialled
		rounds := int64(time.Since(begun)/(pace*7/8)) + 2
		t.Logf("%d looks at a store that is down took a running engine %v, %d calls and %d dials", looks, time.Since(begun).Round(time.Millisecond), tried, dials)
		assert.LessOrEqual(t, looks, rounds)
		assert.LessOrEqual(t, tried, 15*rounds)
		assert.LessOrEqual(t, dials, 3*(tried+rounds))
		p.setDown(false)

		eventually(t, "the store", func() bool { _, err := c.e.Get(ctx, c.id); return err == nil })
		_, err = c.e.Reply(ctx, turn, handoff.Message{ID: "r1", Text: "the bot is still here"})
		require.NoError(t, err, "a request that failed left the bot in control")
		turn, err = c.e.Receive(ctx, handoff.Incoming{Conversation: "d", ID: "m2", Text: "a person"})
		require.NoError(t, err)
		out, err := c.e.Request(ctx, handoff.Request{Turn: turn, Queue: "push"})
		require.NoError(t, err)
		eventually(t, "an offer by the engine that ran on", func() bool {
			h, err := c.e.Get(ctx, out.Handoff.ID)
			return err == nil && h.State == handoff.StateOffered
		})
		require.NoError(t, c.send(ctx, "again"))
		assert.Equal(t, "again", c.said(t))
	})
}

// A store that does not answer: deadlines are kept, callers do not pile up,
// and what was asked for takes effect once or not at all.
func TestSlow(t *testing.T) {
	remote(t, func(t *testing.T, _ kind, p *proxy, s handoff.Store) {
		c := newFaultChat(t, s)
		before := besideProxy()
		p.hold()
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				err := c.send(ctx, fmt.Sprint("slow-", i))
				assert.ErrorIs(t, err, context.DeadlineExceeded)
			})
		}
		wg.Wait()
		p.release()
		eventually(t, "the callers' goroutines to end", func() bool { return besideProxy() < before+20 })
		require.NoError(t, c.send(t.Context(), "after"))
		said := c.said(t)
		for i := range 30 {
			assert.LessOrEqual(t, strings.Count(said+" ", fmt.Sprintf("slow-%d ", i)), 1)
		}
		assert.True(t, strings.HasSuffix(said, "after"), said)
	})
}

// besideProxy is how many goroutines there are, without those of proxies: how
// many connections a driver keeps open is its own affair.
func besideProxy() (n int) {
	all := make([]byte, 1<<20)
	for _, g := range strings.Split(string(all[:runtime.Stack(all, true)]), "\n\n") {
		if !strings.Contains(g, "(*proxy).serve") {
			n++
		}
	}
	return n
}

// Errors of a store that mean "try again" are tried again, a few times, and
// then told; each command takes effect once.
func TestTransient(t *testing.T) {
	faults := map[string]error{
		"serialization failure": &pgconn.PgError{Severity: "ERROR", Code: "40001"},
		"deadlock":              &pgconn.PgError{Severity: "ERROR", Code: "40P01"},
		"busy":                  fmt.Errorf("sqlitestore: commit: %w", sqlitestore.ErrBusy),
		"script":                fmt.Errorf("redisstore: commit: %w: BUSY Redis is busy running a script", redisstore.ErrBusy),
		"loading":               fmt.Errorf("redisstore: commit: %w: LOADING Redis is loading the dataset in memory", redisstore.ErrBusy),
		"replica":               fmt.Errorf("redisstore: commit: %w: READONLY You can't write against a read only replica", redisstore.ErrReadOnly),
		"memory":                fmt.Errorf("redisstore: commit: %w: OOM command not allowed when used memory > 'maxmemory'", redisstore.ErrNoMemory),
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			f := &failing{Store: mustOpen(t, k, k.place(t))}
			c := newFaultChat(t, f)
			want := ""
			for name, fault := range faults {
				f.fail(fault, 2)
				require.NoError(t, c.send(t.Context(), name))
				want += " " + name
				f.fail(fault, 1000)
				err := c.send(t.Context(), "lost")
				require.ErrorIs(t, err, handoff.ErrUnknown)
				require.ErrorContains(t, err, fault.Error())
				assert.Greater(t, f.left, 900, "and not for ever")
				f.fail(nil, 0)
			}
			assert.Equal(t, want[1:], c.said(t))
		})
	}
}

// failing refuses commits before they begin.
type failing struct {
	handoff.Store
	err  error
	left int
}

func (s *failing) Unwrap() handoff.Store { return s.Store }

func (s *failing) fail(err error, times int) { s.err, s.left = err, times }

func (s *failing) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	if s.left > 0 {
		s.left--
		return s.err
	}
	return s.Store.Commit(ctx, r, entries...)
}

// Another process that writes to the SQLite file and does not end makes writes
// fail, and reads go on.
func TestBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handoff.db")
	s, err := sqlitestore.Open(t.Context(), path, sqlitestore.Options{NoSync: true, Busy: 20 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context(), sqlitestore.Latest))
	c := newFaultChat(t, s)
	db, err := sql.Open("sqlite", "file:"+path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	other, err := db.Conn(t.Context())
	require.NoError(t, err)
	_, err = other.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	err = c.send(t.Context(), "lost")
	require.ErrorIs(t, err, sqlitestore.ErrBusy)
	require.ErrorIs(t, err, handoff.ErrUnknown)
	_, err = c.e.Get(t.Context(), c.id)
	require.NoError(t, err)
	_, err = other.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	require.NoError(t, other.Close())
	require.NoError(t, c.send(t.Context(), "again"))
	assert.Equal(t, "again", c.said(t))
}

// eventually waits until f is true. There is no limit but the test's own, so
// that a slow machine fails nothing.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline, ok := t.Deadline()
	if !ok {
		deadline = time.Now().Add(5 * time.Minute)
	}
	for !f() {
		if time.Until(deadline) < 10*time.Second {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
