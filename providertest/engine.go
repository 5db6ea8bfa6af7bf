package providertest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// An engineCase is a rule that a provider and an engine keep together.
type engineCase struct {
	name    string
	custody handoff.Custody // empty: both
	rule    string
	check   func(l *live)
	change  func(l *live, c *handoff.Config)
}

// live is an engine with the provider.
type live struct {
	*handofftest.Rig
	*run

	logs *safeBuffer
}

func engineCases() []engineCase {
	return slices.Concat(queueCases(), failingCases(), custodyCases(), wholeCases(), abilityCases())
}

func (c engineCase) run(t *testing.T, start func(t *testing.T) Harness) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &live{run: newRun(t, start(t), c.rule), logs: &safeBuffer{}}
		if c.custody != "" && c.custody != l.info.Custody {
			return
		}
		l.Rig = handofftest.New(t, func(cfg *handoff.Config) {
			cfg.Providers = []handoff.Provider{l.p}
			cfg.Queues = []handoff.Queue{{Name: "support", Providers: []string{l.info.Name}, IdleTimeout: handoff.Never}}
			cfg.BotTimeout = handoff.Never
			cfg.Logger = slog.New(slog.NewTextHandler(l.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
			if c.change != nil {
				c.change(l, cfg)
			}
		})
		l.Start()
		c.check(l)
		l.quiet()
		l.valid()
	})
}

// quiet checks that no log has said what it must not.
func (l *live) quiet() {
	l.t.Helper()
	out := l.logs.String()
	l.rule = "no secret and no content is logged, at any level"
	for _, s := range append(l.v.Secrets(), canary) {
		if s != "" && strings.Contains(out, s) {
			l.failf("the log holds one")
			return
		}
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// settle lets everything happen that can happen now, the platform's webhooks
// included.
func (l *live) settle() {
	l.t.Helper()
	if _, ok := l.p.(handoff.Streamer); ok {
		l.Sleep(40 * time.Second) // readers begin with a sweep, and some poll
	}
	for range 20 {
		l.Wait()
		hooks := l.v.Webhooks()
		if len(hooks) == 0 {
			return
		}
		l.deliver(hooks...)
	}
}

// deliver hands webhooks to the engine, which has to take them.
func (l *live) deliver(hooks ...handoff.Webhook) {
	l.t.Helper()
	for _, w := range hooks {
		ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
		if reply, err := l.Webhook(ctx, l.info.Name, w); err != nil || reply.Status >= 300 {
			l.failf("the engine did not take a webhook: status %d and %v", reply.Status, err)
		}
		cancel()
	}
	l.Wait()
}

// passes lets time pass for retries and timers, with webhooks in between.
func (l *live) passes(d time.Duration) {
	l.t.Helper()
	for ; d > 0; d -= 10 * time.Second {
		l.Sleep(min(d, 10*time.Second))
		for hooks := l.v.Webhooks(); len(hooks) > 0; hooks = l.v.Webhooks() {
			l.deliver(hooks...)
		}
	}
}

// asks lets a user ask for a person, and returns the handoff and his chat.
func (l *live) asks(conversation string) (handoff.ID, string) {
	l.t.Helper()
	h := l.Asks(conversation)
	l.settle()
	return h.ID, l.last().Reference
}

// last returns the chat that was opened last.
func (l *live) last() Chat {
	l.t.Helper()
	var out Chat
	for _, c := range l.v.Chats() {
		if c.Open {
			out = c
		}
	}
	if out.Reference == "" {
		l.fatalf("the platform has no open chat")
	}
	return out
}

func (l *live) chatOf(reference string) Chat {
	l.t.Helper()
	return l.chat(handoff.Session{Reference: reference})
}

// act makes something happen, and everything that follows from it.
func (l *live) act(a Act) bool {
	l.t.Helper()
	ok := l.v.Do(a)
	l.settle()
	return ok
}

// takes lets an agent take a chat.
func (l *live) takes(id handoff.ID, reference string, who handoff.Party) {
	l.t.Helper()
	l.act(Act{Kind: Join, Chat: reference, Agent: who})
	h := l.Now(id)
	if h.State != handoff.StateActive || h.AgentName != who.Name {
		l.fatalf("after %s joined the handoff is %s with %q", who.Name, h.State, h.AgentName)
	}
}

// is checks the state of a handoff.
func (l *live) is(id handoff.ID, want handoff.State, outcome handoff.Outcome) {
	l.t.Helper()
	if h := l.Now(id); h.State != want || h.Outcome != outcome {
		l.fatalf("the handoff is %s %s, want %s %s", h.State, h.Outcome, want, outcome)
	}
}

// saw returns which of the texts the user saw, in the order in which he did.
func (l *live) saw(conversation string, texts ...string) []string {
	var out []string
	for _, m := range l.Users.Saw(conversation) {
		if slices.Contains(texts, m.Text) {
			out = append(out, m.Text)
		}
	}
	return out
}

func (l *live) notices(conversation string) []string {
	var out []string
	for _, m := range l.Users.Saw(conversation) {
		if m.Notice != "" {
			out = append(out, m.Notice)
		}
	}
	return out
}

// userSaw checks what the user saw of some texts.
func (l *live) userSaw(conversation string, texts ...string) {
	l.t.Helper()
	if got := l.saw(conversation, texts...); !slices.Equal(got, texts) {
		l.failf("the user saw %q, want %q", cuts(got), cuts(texts))
	}
}

// agentSaw checks what the agents saw of some texts. Where the platform cannot
// tell repeats, they may come twice in a row.
func (l *live) agentSaw(reference string, texts ...string) {
	l.t.Helper()
	var got []string
	c := l.chatOf(reference)
	for _, m := range c.Messages {
		if m.From != handoff.RoleAgent && slices.Contains(texts, m.Text) {
			got = append(got, m.Text)
		}
	}
	if !l.info.Can.SendsOnce {
		got = slices.Compact(got)
	}
	if !slices.Equal(got, texts) {
		l.failf("the agent saw %q, want %q", cuts(got), cuts(texts))
	}
}

// undelivered reports whether the log says that the platform did not get a message.
func (l *live) undelivered(id handoff.ID, text string) bool {
	said := map[int64]bool{}
	for _, en := range l.Entries(id) {
		switch {
		case en.Kind == handoff.KindMessage && en.Text == text:
			said[en.Seq] = true
		case en.Kind == handoff.KindUndelivered && said[en.About]:
			return true
		}
	}
	return false
}

func cuts(list []string) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = cut(list[i])
	}
	return out
}

// botGoesOn checks that the bot has the user, was told why, and can answer.
func (l *live) botGoesOn(id handoff.ID, outcome handoff.Outcome) {
	l.t.Helper()
	l.is(id, handoff.StateEnded, outcome)
	told := false
	for _, c := range l.Bot.Calls(handoff.BotEnded) {
		told = told || c.Handoff.ID == id && c.Outcome == outcome
	}
	if !told {
		l.failf("the bot was not told that the handoff ended as %s", outcome)
	}
	answer := fmt.Sprintf("the bot answers after %d", id.Number)
	turn := l.Says(id.Conversation, "are you there?")
	if _, err := l.Reply(l.t.Context(), turn, handoff.Message{Text: answer}); err != nil {
		l.failf("the bot cannot answer: %v", err)
	}
	l.Wait()
	l.userSaw(id.Conversation, answer)
}
