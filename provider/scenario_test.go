package provider_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// scene is an engine with a platform.
type scene struct {
	*handofftest.Rig

	d    double
	p    handoff.Provider
	name string
	read bool // it is read, too
	logs *logs
}

type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// each plays a scene on each platform, in short runs on three that differ.
func each(t *testing.T, f func(t *testing.T, s *scene)) {
	t.Helper()
	for name, open := range platforms {
		if testing.Short() && !slices.Contains([]string{"chatwoot", "slack", "webhook"}, name) {
			continue // the race detector makes it slow
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, play(t, open)) })
		})
	}
}

func play(t *testing.T, open opener, change ...func(c *handoff.Config)) *scene {
	t.Helper()
	d, _, p, err := open(t)
	require.NoError(t, err)
	name := p.Info().Name
	_, read := p.(handoff.Streamer)
	s := &scene{d: d, p: p, name: name, read: read, logs: &logs{}}
	s.Rig = handofftest.New(t, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{p}
		c.Queues = []handoff.Queue{{Name: "support", Providers: []string{name}, IdleTimeout: handoff.Never, ConnectTime: 5 * time.Minute}}
		c.BotTimeout, c.SendTimeout = handoff.Never, 20*time.Second
		c.Logger = slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
		for _, f := range change {
			f(c)
		}
	})
	s.Start()
	return s
}

// settle delivers what the platform sends, over HTTP, each so many times.
func (s *scene) settle(times int) {
	s.T.Helper()
	h := provider.Handler(s.Engine, s.name)
	if s.read {
		s.Sleep(time.Minute)
	}
	for range 20 {
		s.Wait()
		hooks := s.d.Webhooks()
		if len(hooks) == 0 {
			return
		}
		for _, w := range hooks {
			var wg sync.WaitGroup
			for range times { // at once, as a platform that grew impatient does
				wg.Go(func() {
					r := httptest.NewRequest(w.Method, "https://bot.example/hooks", bytes.NewReader(w.Body))
					r.Header = w.Header
					rec := httptest.NewRecorder()
					h.ServeHTTP(rec, r)
					assert.Less(s.T, rec.Code, http.StatusMultipleChoices)
				})
			}
			wg.Wait()
		}
	}
}

// pass lets two minutes pass, so many times. What the platform sends meanwhile
// is there before its signature is too old.
func (s *scene) pass(times int) {
	s.T.Helper()
	for range times {
		s.Sleep(2 * time.Minute)
		s.settle(1)
	}
}

func (s *scene) do(times int, a providertest.Act) {
	s.T.Helper()
	require.True(s.T, s.d.Do(a), "the platform has no %s", a.Kind)
	s.settle(times)
}

var ann = handoff.Party{ID: "7", Name: "Ann"}

// W-32 (chatwoot pull requests 12379, 12720, 12754): a bot that answered after
// five seconds counted as failed, and healthy conversations were flipped. Slow
// is not failed; what fails is tried within a budget and then named.
func TestW32_SlowIsNotFailed(t *testing.T) {
	each(t, func(t *testing.T, s *scene) {
		s.d.Next(vendortest.Trouble{Slow: 8 * time.Second, Apply: true, Times: 3})
		id := s.Asks("c").ID
		s.Sleep(time.Minute)
		s.settle(1)
		require.Equal(t, handoff.StateQueued, s.Now(id).State, "a platform that is slow has opened the chat")
		require.Len(t, s.d.Chats(), 1)
		ref := s.d.Chats()[0].Reference
		s.do(1, providertest.Act{Kind: providertest.Join, Chat: ref, Agent: ann})

		s.d.Next(vendortest.Trouble{Slow: 8 * time.Second, Apply: true})
		s.Says("c", "slow")
		s.Sleep(time.Minute)
		assert.Equal(t, handoff.StateActive, s.Now(id).State)
		assert.Equal(t, 1, strings.Count(saidBy(s.d.Chats()[0], handoff.RoleUser), "slow"))

		// Too slow: it was applied, and nobody said so. It is not said twice.
		s.d.Next(vendortest.Trouble{Slow: time.Minute, Apply: true})
		s.Says("c", "endless")
		s.Sleep(10 * time.Minute)
		assert.Equal(t, handoff.StateActive, s.Now(id).State)
		said := strings.Count(saidBy(s.d.Chats()[0], handoff.RoleUser), "endless")
		assert.Positive(t, said)
		if s.p.Info().Can.SendsOnce {
			assert.Equal(t, 1, said)
		}

		// Failed for good: the agent's side is told which, and the chat goes on.
		s.d.Break(providertest.Refuses)
		s.Says("c", "refused")
		s.Sleep(10 * time.Minute)
		s.d.Break(providertest.Works)
		s.Says("c", "after")
		s.Sleep(time.Minute)
		assert.Equal(t, handoff.StateActive, s.Now(id).State)
		assert.Contains(t, saidBy(s.d.Chats()[0], handoff.RoleUser), "after")
		var failed []handoff.Entry
		for _, en := range s.Entries(id) {
			if en.Kind == handoff.KindUndelivered {
				failed = append(failed, en)
			}
		}
		require.Len(t, failed, 1)
		assert.NotZero(t, failed[0].About)
	})
}

func saidBy(c providertest.Chat, role handoff.Role) string {
	var b strings.Builder
	for _, m := range c.Messages {
		if m.From == role {
			b.WriteString(m.Text + "\n")
		}
	}
	return b.String()
}

// W-41 (botpress/v12 issues 1326, 1327, 1405): a person paused the bot on one
// kind of channel only, messages of others were missing, and the transcript was
// blank. A conversation is routed as such, whatever its channel.
func TestW41_EveryChannelIsTheSame(t *testing.T) {
	channels := []string{"web", "telegram", "sms", "whatsapp", "custom/é", ""}
	each(t, func(t *testing.T, s *scene) {
		refs := map[string]string{}
		for i, channel := range channels {
			c := fmt.Sprintf("c%d", i)
			turn, err := s.Receive(t.Context(), handoff.Incoming{Conversation: c, Channel: channel, ID: "before", Text: "said before on " + c})
			require.NoError(t, err)
			_, err = s.Reply(t.Context(), turn, handoff.Message{Text: "the bot on " + c})
			require.NoError(t, err)
			s.Asks(c)
			s.settle(1)
			chats := s.d.Chats()
			chat := chats[len(chats)-1]
			refs[c] = chat.Reference
			all := saidBy(chat, handoff.RoleUser) + saidBy(chat, handoff.RoleBot) + strings.Join(chat.Internal, "\n")
			assert.Contains(t, all, "said before on "+c, "the transcript is there")
			assert.Contains(t, all, "the bot on "+c)
			s.do(1, providertest.Act{Kind: providertest.Join, Chat: chat.Reference, Agent: ann})
		}
		for i, channel := range channels {
			c := fmt.Sprintf("c%d", i)
			turn, err := s.Receive(t.Context(), handoff.Incoming{Conversation: c, Channel: channel, ID: "after", Text: "to a person on " + c})
			require.NoError(t, err)
			assert.False(t, turn.Open(), "the bot is silent on %q", channel)
		}
		s.Sleep(time.Minute)
		for _, chat := range s.d.Chats() {
			for c, ref := range refs {
				assert.Equal(t, ref == chat.Reference, strings.Contains(saidBy(chat, handoff.RoleUser), "to a person on "+c))
			}
		}
	})
}

// W-43 (botbuilder-dotnet 1522, botframework-sdk 4946,
// messenger-platform-samples 129): a bot on a platform that has the
// conversation was not told what was said while it stood by, and a person who
// took the conversation from the inbox was ignored.
func TestW43_StandbyIsHeardAndControlIsHeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, within["webhook"])
		turn := s.Says("c", "hello")
		require.True(t, turn.Open())
		s.do(1, providertest.Act{Kind: providertest.TakeControl, Conversation: "c", Agent: ann})
		id := s.Last("c").ID
		require.Equal(t, handoff.StateActive, s.Now(id).State, "the person has it")
		_, err := s.Reply(t.Context(), turn, handoff.Message{Text: "too late"})
		require.ErrorIs(t, err, handoff.ErrStale)
		ref := s.d.Chats()[0].Reference
		s.do(1, providertest.Act{Kind: providertest.UserSays, Chat: ref, ID: "u-1", Text: "on standby"})
		s.do(1, providertest.Act{Kind: providertest.Say, Chat: ref, Text: "by the person"})
		var heard []string
		for _, en := range s.Entries(id) {
			if en.Kind == handoff.KindMessage {
				heard = append(heard, en.Text)
			}
		}
		assert.Subset(t, heard, []string{"on standby", "by the person"})
		s.do(1, providertest.Act{Kind: providertest.Return, Chat: ref})
		calls := s.Bot.Calls(handoff.BotEnded)
		require.Len(t, calls, 1)
		assert.GreaterOrEqual(t, len(calls[0].Human), 2, "the bot is told what was said")
		assert.Equal(t, "on standby", calls[0].Human[slices.IndexFunc(calls[0].Human, func(e handoff.Entry) bool { return e.From.Role == handoff.RoleUser })].Text)
	})
}

// W-44 (chatwoot 11901, waha 1627): webhooks that came twice made two messages
// and two conversations.
func TestW44_WebhooksThatComeTwice(t *testing.T) {
	each(t, func(t *testing.T, s *scene) {
		id := s.Asks("c").ID
		s.settle(3)
		ref := s.d.Chats()[0].Reference
		s.do(3, providertest.Act{Kind: providertest.Join, Chat: ref, Agent: ann})
		for i := range 3 {
			s.do(3, providertest.Act{Kind: providertest.Say, Chat: ref, Text: fmt.Sprintf("agent %d", i)})
		}
		s.d.Do(providertest.Act{Kind: providertest.Write, Chat: ref, Text: "a note"}) // where there are notes
		s.settle(3)
		var texts []string
		for _, m := range s.Users.Saw("c") {
			if m.From.Role == handoff.RoleAgent {
				texts = append(texts, m.Text)
			}
		}
		assert.Equal(t, []string{"agent 0", "agent 1", "agent 2"}, texts)
		notes := 0
		for _, en := range s.Entries(id) {
			if en.Kind == handoff.KindNote {
				notes++
			}
		}
		want := 0
		if slices.Contains([]string{"chatwoot", "freshchat", "intercom", "livechat", "slack", "webhook"}, s.name) { // that tell notes
			want = 1
		}
		assert.Equal(t, want, notes)
		s.do(3, providertest.Act{Kind: providertest.End, Chat: ref})
		assert.Equal(t, handoff.OutcomeResolved, s.Now(id).Outcome)
		assert.Len(t, s.Bot.Calls(handoff.BotEnded), 1)
		assert.Len(t, s.d.Chats(), 1)
		assert.LessOrEqual(t, s.Last("c").ID.Number, id.Number+1)
	})
}
