package sqlitestore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

// shown is a Channel that keeps what users saw. Repeats are left out.
type shown struct {
	mu    sync.Mutex
	seen  map[string]bool
	lines []string
}

func (c *shown) Show(_ context.Context, _ string, m handoff.UserMessage) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	if !c.seen[m.ID] && m.Notice == "" {
		c.lines = append(c.lines, m.Text)
	}
	c.seen[m.ID] = true
	return nil
}

func (c *shown) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n")
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
		time.Sleep(time.Millisecond)
	}
}

func engine(t *testing.T, s handoff.Store, change ...func(*handoff.Config)) *handoff.Engine {
	t.Helper()
	cfg := handoff.Config{
		Store: s, Queues: []handoff.Queue{{Name: "support"}},
		Directory: handoff.Staff{{ID: "ann", Name: "Ann", Queues: []string{"support"}, Seats: 1}},
	}
	for _, f := range change {
		f(&cfg)
	}
	e, err := handoff.New(cfg)
	require.NoError(t, err)
	return e
}

// run runs an engine until the test ends.
func run(t *testing.T, e *handoff.Engine) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-done)
	})
}

// never makes an engine look at nothing by itself.
func never(c *handoff.Config) { c.Poll, c.Sweep = time.Hour, time.Hour }

// offered waits until ann is asked, and returns the offer's number.
func offered(t *testing.T, e *handoff.Engine, id handoff.ID) (number int64) {
	t.Helper()
	eventually(t, "an offer", func() bool {
		h, err := e.Get(t.Context(), id)
		require.NoError(t, err)
		o, ok := h.Offer("ann")
		number = o.Number
		return ok
	})
	return number
}

// A whole conversation, in real time, on one engine and on two that share
// nothing but the file: what the user sees is the same.
func TestConversation(t *testing.T) {
	for _, replicas := range []int{1, 2} {
		t.Run(fmt.Sprint(replicas), func(t *testing.T) {
			ctx := t.Context()
			path := file(t)
			channel := &shown{}
			calls := make(chan handoff.BotCall, 100)
			config := func(c *handoff.Config) {
				c.Channel = channel
				c.Bot = handoff.BotFunc(func(_ context.Context, call handoff.BotCall) error {
					calls <- call
					return nil
				})
			}
			a := engine(t, openFile(t, path), config)
			b := a
			run(t, a)
			if replicas == 2 {
				b = engine(t, openFile(t, path), config)
				run(t, b)
			}
			says := func(e *handoff.Engine, id, text string) handoff.Turn {
				turn, err := e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: id, Text: text})
				require.NoError(t, err)
				return turn
			}
			_, err := b.Reply(ctx, says(a, "m1", "hello"), handoff.Message{ID: "r1", Text: "how can I help?"})
			require.NoError(t, err)
			turn := says(b, "m2", "a person, please")
			out, err := a.Request(ctx, handoff.Request{Turn: turn, Queue: "support"})
			require.NoError(t, err)
			id := out.Handoff.ID
			_, err = a.Reply(ctx, turn, handoff.Message{ID: "r2", Text: "too late"})
			require.Error(t, err, "the bot no longer has the word")
			_, err = b.Accept(ctx, id, handoff.By("ann"), offered(t, b, id))
			require.NoError(t, err)
			_, err = a.Send(ctx, id, handoff.By("ann"), handoff.Message{ID: "s1", Text: "Ann here"})
			require.NoError(t, err)
			require.False(t, says(a, "m4", "great").Open())
			_, err = b.Send(ctx, id, handoff.By("ann"), handoff.Message{ID: "s2", Text: "done"})
			require.NoError(t, err)
			_, err = a.Return(ctx, id, handoff.By("ann"), "was about an invoice")
			require.NoError(t, err)
			var call handoff.BotCall
			for call.Kind != handoff.BotEnded {
				call = <-calls
			}
			_, err = b.Reply(ctx, call.Turn, handoff.Message{ID: "r3", Text: "me again"})
			require.NoError(t, err)
			eventually(t, "the last word", func() bool { return strings.HasSuffix(channel.text(), "me again") })
			assert.Equal(t, "how can I help?\nAnn here\ndone\nme again", channel.text())
		})
	}
}

// What another process asked for is offered because of its hint: this engine
// polls once an hour.
func TestWakeUp(t *testing.T) {
	path := file(t)
	listening := openFile(t, path)
	run(t, engine(t, listening, never))
	e := engine(t, openFile(t, path)) // does not run
	var took []time.Duration
	for i := range 20 {
		begun := time.Now()
		out, err := e.Request(t.Context(), handoff.Request{Conversation: fmt.Sprint("c", i), Queue: "support"})
		require.NoError(t, err)
		number := offered(t, e, out.Handoff.ID)
		took = append(took, time.Since(begun))
		_, err = e.Accept(t.Context(), out.Handoff.ID, handoff.By("ann"), number)
		require.NoError(t, err)
		_, err = e.End(t.Context(), out.Handoff.ID, handoff.By("ann"), handoff.Ending{})
		require.NoError(t, err)
	}
	t.Logf("from the request there to the offer here: %v", took)
}

// A handle hears of the commits of others, and not of its own.
func TestListen(t *testing.T) {
	path := file(t)
	s := openFile(t, path, func(o *sqlitestore.Options) { o.HintEvery = time.Millisecond })
	other := openFile(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	hints := make(chan handoff.Hint, 1000)
	done := make(chan error)
	go func() { done <- s.Listen(ctx, func(h handoff.Hint) { hints <- h }) }()
	n := 0
	next := func(who *sqlitestore.Store) handoff.ID {
		n++
		r := record(fmt.Sprint("c", n))
		r.Queue, r.Line = "q", "line"
		require.NoError(t, who.Commit(t.Context(), r, entry(1)))
		return r.ID
	}
	// The first that is heard says that it listens.
	for len(hints) == 0 {
		next(other)
		time.Sleep(time.Millisecond)
	}
	last := next(other)
	for h := range hints {
		if h.ID == last {
			break
		}
	}
	own := next(s)
	last = next(other)
	for h := range hints {
		require.NotEqual(t, own, h.ID)
		if h.ID == last {
			assert.Equal(t, "q", h.Queue)
			break
		}
	}
	cancel()
	require.NoError(t, <-done)
}

// A field that this build does not know stays when it rewrites a record.
func TestUnknownFields(t *testing.T) {
	ctx := t.Context()
	s := open(t)
	e := engine(t, s)
	turn, err := e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m1", Text: "hello"})
	require.NoError(t, err)
	require.NoError(t, sqlitestore.Exec(ctx, s, `UPDATE "@record" SET body = CAST(json_set(CAST(body AS TEXT), '$.brand_new', 'kept') AS BLOB)`))
	_, err = e.Reply(ctx, turn, handoff.Message{Text: "hi"})
	require.NoError(t, err)
	r, err := s.Latest(ctx, "c")
	require.NoError(t, err)
	assert.Contains(t, string(r.Body.Bytes()), `"brand_new":"kept"`)
}
