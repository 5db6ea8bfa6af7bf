package redisstore_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/redisstore"
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
	if c.seen[m.ID] {
		return nil
	}
	c.seen[m.ID] = true
	if m.Notice != "" {
		c.lines = append(c.lines, "["+m.Notice+"]")
	} else {
		c.lines = append(c.lines, m.From.Name+": "+m.Text)
	}
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
		time.Sleep(5 * time.Millisecond)
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
// nothing but the server: what the user sees is the same.
func TestConversation(t *testing.T) {
	for _, replicas := range []int{1, 2} {
		t.Run(fmt.Sprint(replicas), func(t *testing.T) {
			ctx := t.Context()
			prefix := nextPrefix()
			first := open(t, redisstore.Options{Prefix: prefix})
			channel := &shown{}
			calls := make(chan handoff.BotCall, 100)
			config := func(c *handoff.Config) {
				c.Channel = channel
				c.Bot = handoff.BotFunc(func(_ context.Context, call handoff.BotCall) error {
					calls <- call
					return nil
				})
			}
			a := engine(t, first, config)
			b := a
			run(t, a)
			if replicas == 2 {
				b = engine(t, redisstore.New(client(t), redisstore.Options{Prefix: prefix}), config)
				run(t, b)
			}

			says := func(e *handoff.Engine, id, text string) handoff.Turn {
				turn, err := e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: id, Text: text})
				require.NoError(t, err)
				return turn
			}
			turn := says(a, "m1", "hello")
			_, err := b.Reply(ctx, turn, handoff.Message{ID: "r1", Text: "how can I help?"})
			require.NoError(t, err)
			turn = says(b, "m2", "a person, please")
			out, err := a.Request(ctx, handoff.Request{Turn: turn, Queue: "support"})
			require.NoError(t, err)
			id := out.Handoff.ID
			_, err = a.Reply(ctx, turn, handoff.Message{ID: "r2", Text: "too late"})
			require.Error(t, err, "the bot no longer has the word")
			says(b, "m3", "are you there?")
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
			require.True(t, call.Turn.Open(), "the bot has the word again")
			_, err = b.Reply(ctx, call.Turn, handoff.Message{ID: "r3", Text: "me again"})
			require.NoError(t, err)
			eventually(t, "the last word", func() bool { return strings.HasSuffix(channel.text(), "me again") })
			var said []string
			for line := range strings.SplitSeq(channel.text(), "\n") {
				if !strings.HasPrefix(line, "[") {
					said = append(said, line[strings.Index(line, ":")+2:])
				}
			}
			assert.Equal(t, []string{"how can I help?", "Ann here", "done", "me again"}, said)
			assert.Contains(t, channel.text(), "[", "notices were shown")
		})
	}
}

// never makes an engine look at nothing by itself.
func never(c *handoff.Config) { c.Poll, c.Sweep = time.Hour, time.Hour }

// What another process asked for is offered because of its hint: this engine
// polls once an hour.
func TestWakeUp(t *testing.T) {
	prefix := nextPrefix()
	first := open(t, redisstore.Options{Prefix: prefix})
	c := client(t)
	run(t, engine(t, redisstore.New(c, redisstore.Options{Prefix: prefix}), never))
	eventually(t, "a subscriber", func() bool {
		n, err := c.PubSubNumSub(t.Context(), redisstore.Channel(first)).Result()
		require.NoError(t, err)
		return n[redisstore.Channel(first)] == 1
	})
	e := engine(t, first) // does not run
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

// Nothing but the text is lost when the process that has the chat is killed.
func TestReplicaKilled(t *testing.T) {
	ctx := t.Context()
	prefix := nextPrefix()
	s := open(t, redisstore.Options{Prefix: prefix})
	other := spawn(t, "replica", prefix)
	require.Equal(t, "chat", other.line(t)) // Ann has the user there

	channel := &shown{}
	e := engine(t, s, quick, func(c *handoff.Config) { c.Channel = channel }) // does not run yet
	h, err := e.Latest(ctx, "c")
	require.NoError(t, err)
	require.Equal(t, handoff.StateActive, h.State)
	_, err = e.Send(ctx, h.ID, handoff.By("ann"), handoff.Message{ID: "s1", Text: "one moment"})
	require.NoError(t, err)
	require.Equal(t, "showing one moment", other.line(t)) // and hangs in it
	other.kill()

	run(t, e)
	turn, err := e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m2", Text: "still there?"})
	require.NoError(t, err)
	assert.False(t, turn.Open(), "Ann has the word, not the bot")
	_, err = e.Send(ctx, h.ID, handoff.By("ann"), handoff.Message{ID: "s2", Text: "here"})
	require.NoError(t, err)
	eventually(t, "both messages", func() bool { return strings.HasSuffix(channel.text(), "Ann: one moment\nAnn: here") })
	log, err := e.Log(ctx, h.ID, 0, 1000)
	require.NoError(t, err)
	var said []string
	for i := range log {
		assert.Equal(t, int64(i)+1, log[i].Seq)
		if log[i].Kind == handoff.KindMessage {
			said = append(said, log[i].Text)
		}
	}
	assert.Equal(t, []string{"hello", "one moment", "still there?", "here"}, said)
}

func quick(c *handoff.Config) {
	c.Lease, c.SendTimeout, c.Overdue, c.Poll = time.Second, time.Second, 200*time.Millisecond, 100*time.Millisecond
}

// replicaChild brings a user and Ann together, and hangs in the first message
// that it is to show.
func replicaChild(ctx context.Context, s *redisstore.Store) error {
	var e *handoff.Engine
	cfg := handoff.Config{
		Store: s, Queues: []handoff.Queue{{Name: "support"}},
		Directory: handoff.Staff{{ID: "ann", Name: "Ann", Queues: []string{"support"}, Seats: 1}},
		Channel: handoff.ChannelFunc(func(ctx context.Context, _ string, m handoff.UserMessage) error {
			if m.Notice != "" {
				return nil
			}
			fmt.Fprintln(os.Stdout, "showing", m.Text)
			<-ctx.Done()
			return ctx.Err()
		}),
		Sinks: map[string]handoff.Sink{"desk": handoff.SinkFunc(func(ctx context.Context, h *handoff.Handoff, en *handoff.Entry) error {
			o, ok := h.Offer("ann")
			if !ok || en.Kind != handoff.KindOffered {
				return nil
			}
			_, err := e.Accept(ctx, h.ID, handoff.By("ann"), o.Number)
			if err == nil {
				fmt.Fprintln(os.Stdout, "chat")
			}
			return err
		})},
	}
	quick(&cfg)
	cfg.SendTimeout = 3 * time.Second
	var err error
	if e, err = handoff.New(cfg); err != nil {
		return err
	}
	turn, err := e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m1", Text: "hello"})
	if err == nil {
		_, err = e.Request(ctx, handoff.Request{Turn: turn, Queue: "support"})
	}
	if err != nil {
		return err
	}
	return e.Run(ctx)
}
