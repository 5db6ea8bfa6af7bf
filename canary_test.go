package handoff_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/analytics"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/history"
)

// canary stands in everything that somebody said, and in every secret.
const canary = "CANARY-4711"

// logbook is what a logger wrote.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// leaky is a platform whose sessions hold a secret and whose errors do not.
type leaky struct{ platform }

func (p *leaky) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	s, err := p.platform.Open(ctx, o)
	s.State = []byte(canary)
	return s, err
}

// No log line, at any level, and no hook, feed or error of the engine has what
// somebody said, who he is, or a platform's secret.
func TestCanaryLogsHoldNoContent(t *testing.T) {
	var logs logbook
	var hooks logbook
	failing := errors.New("the receiver says: " + canary)
	var counters analytics.Counters
	desk := &leaky{platform{name: "vendor"}}
	note := func(v any) {
		b, err := json.Marshal(v)
		if err == nil {
			_, err = hooks.Write(b)
		}
		require.NoError(t, err)
	}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 5, "support")
		ctx, cancel := context.WithCancel(r.Ctx)
		defer cancel()
		go func() {
			for ev, err := range r.Feed(ctx, "") {
				if err != nil {
					return
				}
				note(ev)
			}
		}()
		who := &handoff.Contact{ID: canary, Name: canary, Mail: canary, Phone: canary, Attributes: map[string]string{"k": canary}}
		say := func(conversation, id string) handoff.Turn {
			turn, err := r.Receive(r.Ctx, handoff.Incoming{
				Conversation: conversation, ID: id, Text: canary, Payload: json.RawMessage(`{"x":"` + canary + `"}`), User: who, URL: canary,
				Files: []handoff.File{{Name: canary, URL: canary}},
			})
			require.NoError(t, err)
			return turn
		}
		var errs []error
		verb := func(err error) { errs = append(errs, err) }
		for i, queue := range []string{"support", "vendor", "support"} {
			c := talk(i)
			turn := say(c, "m1")
			_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: canary})
			require.NoError(t, err)
			turn = say(c, "m2")
			_, err = r.Request(r.Ctx, handoff.Request{
				Turn: turn, Queue: queue, Note: canary, Summary: canary, Data: map[string]string{"k": canary},
				Answers: map[string]string{"k": canary}, Flags: []string{canary}, Tags: []string{canary}, Reason: canary,
			})
			require.NoError(t, err)
			r.Sleep(time.Second)
		}
		var calls atomic.Int64 // the store is out of order now and then
		r.Store.Plan(func(op string, _ handoff.ID) handofftest.Fault {
			if calls.Add(1)%5 == 0 && op == "Commit" {
				return handofftest.Fault{After: handofftest.ErrStore}
			}
			return handofftest.Fault{}
		})
		h := takes(r, ann, "c0")
		say("c0", "m3")
		_, err := r.Send(r.Ctx, h.ID, ann.By(), handoff.Message{Text: canary})
		verb(err)
		_, err = r.Note(r.Ctx, h.ID, ann.By(), canary)
		verb(err)
		_, err = r.Hold(r.Ctx, h.ID, ann.By(), canary)
		verb(err)
		_, err = r.Hold(r.Ctx, h.ID, ann.By(), canary)
		verb(err)
		_, err = r.Send(r.Ctx, h.ID, handoff.By("bob"), handoff.Message{Text: canary})
		verb(err)
		_, err = r.Return(r.Ctx, h.ID, ann.By(), canary)
		verb(err)
		_, err = r.LeaveMessage(r.Ctx, h.ID, canary, map[string]string{"k": canary})
		verb(err)
		_, err = r.Rate(r.Ctx, h.ID, 9, canary)
		verb(err)
		_, err = r.Rate(r.Ctx, h.ID, 1, canary)
		verb(err)

		// What cannot be accepted is not repeated in the error.
		bad := canary + "\x00"
		_, err = r.Receive(r.Ctx, handoff.Incoming{Conversation: bad, ID: "m", Text: "x"})
		verb(err)
		_, err = r.Receive(r.Ctx, handoff.Incoming{Conversation: "c", ID: "m", Text: bad})
		verb(err)
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c", Queue: canary})
		verb(err)
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c", Queue: "support", Skills: []handoff.Skill{{Name: canary}}})
		verb(err)
		_, err = r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Agent: canary})
		verb(err)
		_, err = r.Answer(r.Ctx, "c1", handoff.Response{Value: canary})
		verb(err)
		_, err = r.Search(r.Ctx, handoff.Query{Tag: bad}, canary)
		verb(err)
		_, err = r.Search(r.Ctx, handoff.Query{}, bad)
		verb(err)
		_, err = history.List(r.Ctx, r.Engine, history.Filter{Class: canary}, "", 1)
		verb(err)
		_, err = history.List(r.Ctx, r.Engine, history.Filter{}, canary, 1)
		verb(err)
		_, err = history.Export{Format: canary}.Write(r.Ctx, io.Discard, r.Engine)
		verb(err)
		_, err = history.Erase(r.Ctx, r.Engine, history.Scope{User: bad})
		verb(err)
		_, err = analytics.Now(r.Ctx, r.Engine, canary)
		verb(err)
		_, err = analytics.Compute(r.Ctx, r.Engine, analytics.Options{Query: handoff.Query{Queue: bad}})
		verb(err)
		r.Store.Plan(nil)

		// A platform's agent, webhook and end.
		v := r.Last("c1")
		require.Equal(t, "vendor", v.Provider)
		for i, kind := range []handoff.ProviderEventKind{handoff.EventMessage, handoff.EventNote, handoff.EventUserMessage, "nonsense", handoff.EventEnded} {
			verb(r.Deliver(r.Ctx, "vendor", handoff.ProviderEvent{
				ID: talk(i), Reference: desk.opened[0].Attempt, Attempt: desk.opened[0].Attempt, Kind: kind, Text: canary, MessageID: talk(i),
				Agent: handoff.Party{ID: canary, Name: canary},
			}))
		}
		r.Sleep(48 * time.Hour) // everything is tried, given up and forgotten
		for _, err := range errs {
			if err != nil {
				require.NotContains(t, err.Error(), canary)
			}
		}
		require.Greater(t, len(errs), 15)
		for _, h := range []handoff.Handoff{h, r.Last("c1"), r.Now(v.ID)} {
			b, err := json.Marshal(&h)
			require.NoError(t, err)
			require.NotContains(t, string(b), "Q0FOQVJZ", "a session's state, in base64")
		}
	}, func(c *handoff.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug - 100, AddSource: true}))
		c.Hooks = handoff.Hooks{
			Changed:   func(ctx context.Context, ch handoff.Change) { note(ch); counters.Hooks().Changed(ctx, ch) },
			Delivered: func(_ context.Context, d handoff.Delivered) { d.Err = nil; note(d) },
			Span: func(ctx context.Context, name string, id handoff.ID) (context.Context, func(error)) {
				note([]any{name, id})
				return ctx, func(error) {}
			},
		}
		c.Channel = handoff.ChannelFunc(func(_ context.Context, _ string, m handoff.UserMessage) error {
			if m.From.Role == handoff.RoleAgent {
				return &handoff.DeliveryError{Permanent: true, Code: "blocked", Err: failing}
			}
			return failing
		})
		c.Bot = handoff.BotFunc(func(context.Context, handoff.BotCall) error { panic(canary) })
		c.Sinks = map[string]handoff.Sink{
			"archive": handoff.SinkFunc(func(context.Context, *handoff.Handoff, *handoff.Entry) error { return failing }),
		}
		c.Providers = []handoff.Provider{desk}
		c.BotQueue, c.Poll, c.Sweep = "support", 20*time.Second, time.Minute
		c.Queues = []handoff.Queue{{Name: "support", Ladder: patient()}, {Name: "vendor", Providers: []string{"vendor"}}}
	})
	note(counters.Read())
	require.Contains(t, logs.String(), "level=WARN", "the test made the engine complain")
	require.Contains(t, logs.String(), "level=DEBUG")
	for what, text := range map[string]string{"log": logs.String(), "hook or feed": hooks.String()} {
		for line := range strings.SplitSeq(text, "\n") {
			require.NotContainsf(t, line, canary, "a %s", what)
		}
	}
}
