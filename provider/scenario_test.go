package provider_test

import (
	"bytes"
	"context"
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
	"github.com/seed-2a427302/handoff/provider/chatwoot"
	"github.com/seed-2a427302/handoff/provider/chatwoot/chatwoottest"
	"github.com/seed-2a427302/handoff/provider/slack"
	"github.com/seed-2a427302/handoff/provider/slack/slacktest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/provider/webhook"
	"github.com/seed-2a427302/handoff/provider/webhook/webhooktest"
	"github.com/seed-2a427302/handoff/providertest"
)

// double is a platform's double with the adapter for it.
type double interface {
	http.Handler
	providertest.Vendor
	Next(list ...vendortest.Trouble)
}

// scene is an engine with a platform.
type scene struct {
	*handofftest.Rig

	d    double
	name string
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

var platforms = map[string]func(t *testing.T) (double, handoff.Provider, error){
	"chatwoot": func(t *testing.T) (double, handoff.Provider, error) {
		d := chatwoottest.New(t)
		p, err := chatwoot.New(chatwoot.Config{
			URL: chatwoottest.URL, Account: chatwoottest.Account, Inbox: chatwoottest.Inbox, InboxIdentifier: chatwoottest.Name,
			Token: chatwoottest.Token, Secrets: []string{chatwoottest.Secret}, HTTP: providertest.Client(d),
		})
		return d, p, err
	},
	"slack": func(t *testing.T) (double, handoff.Provider, error) {
		d := slacktest.New(t)
		p, err := slack.New(slack.Config{
			URL: slacktest.URL, Token: slacktest.Token, Secrets: []string{slacktest.Secret}, Channel: slacktest.Channel, HTTP: providertest.Client(d),
		})
		return d, p, err
	},
	"webhook": func(t *testing.T) (double, handoff.Provider, error) {
		d := webhooktest.New(t)
		p, err := webhook.New(webhook.Config{URL: webhooktest.URL, Secrets: []string{webhooktest.Secret}, HTTP: providertest.Client(d)})
		return d, p, err
	},
}

// each plays a scene on each platform.
func each(t *testing.T, f func(t *testing.T, s *scene)) {
	t.Helper()
	for name, open := range platforms {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, play(t, name, open)) })
		})
	}
}

func play(t *testing.T, name string, open func(t *testing.T) (double, handoff.Provider, error)) *scene {
	t.Helper()
	d, p, err := open(t)
	require.NoError(t, err)
	s := &scene{d: d, name: name, logs: &logs{}}
	s.Rig = handofftest.New(t, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{p}
		c.Queues = []handoff.Queue{{Name: "support", Providers: []string{name}, IdleTimeout: handoff.Never, ConnectTime: 5 * time.Minute}}
		c.BotTimeout, c.SendTimeout = handoff.Never, 20*time.Second
		c.Logger = slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	s.Start()
	return s
}

// settle delivers what the platform sends, over HTTP, each so many times.
func (s *scene) settle(times int) {
	s.T.Helper()
	h := provider.Handler(s.Engine, s.name)
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
					assert.Equal(s.T, http.StatusOK, rec.Code)
				})
			}
			wg.Wait()
		}
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
		assert.Equal(t, 1, strings.Count(saidBy(s.d.Chats()[0], handoff.RoleUser), "endless"))

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
		d := webhooktest.New(t)
		s := play(t, "webhook", func(*testing.T) (double, handoff.Provider, error) {
			p, err := webhook.New(webhook.Config{
				URL: webhooktest.URL, Secrets: []string{webhooktest.Secret}, HTTP: providertest.Client(d), Custody: handoff.CustodyConversation,
			})
			return d, p, err
		})
		turn := s.Says("c", "hello")
		require.True(t, turn.Open())
		s.do(1, providertest.Act{Kind: providertest.TakeControl, Conversation: "c", Agent: ann})
		id := s.Last("c").ID
		require.Equal(t, handoff.StateActive, s.Now(id).State, "the person has it")
		_, err := s.Reply(t.Context(), turn, handoff.Message{Text: "too late"})
		require.ErrorIs(t, err, handoff.ErrStale)
		ref := d.Chats()[0].Reference
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
		s.do(3, providertest.Act{Kind: providertest.Write, Chat: ref, Text: "a note"})
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
		assert.Equal(t, 1, notes)
		s.do(3, providertest.Act{Kind: providertest.End, Chat: ref})
		assert.Equal(t, handoff.OutcomeResolved, s.Now(id).Outcome)
		assert.Len(t, s.Bot.Calls(handoff.BotEnded), 1)
		assert.Len(t, s.d.Chats(), 1)
		assert.LessOrEqual(t, s.Last("c").ID.Number, id.Number+1)
	})
}

// No secret, and nothing that was said, is in any error or log, whatever goes
// wrong at the platform.
func TestCanary(t *testing.T) {
	const canary = "CANARY-4711"
	each(t, func(t *testing.T, s *scene) {
		// Whatever the platform quotes in its answers.
		quote := strings.Join(append(s.d.Secrets(), canary), " ")
		trouble := func(status int) vendortest.Trouble {
			return vendortest.Trouble{Status: status, Body: fmt.Sprintf(`{"ok":false,"error":%q,"message":%q}`, quote, quote), RetryAfter: quote}
		}
		s.Says("c", canary)
		s.d.Next(trouble(http.StatusInternalServerError), trouble(http.StatusTooManyRequests), trouble(http.StatusBadGateway))
		id := s.Asks("c", func(r *handoff.Request) { r.Note, r.Summary = canary, canary }).ID
		s.Sleep(2 * time.Minute)
		s.settle(1)
		require.Equal(t, handoff.StateQueued, s.Now(id).State)
		ref := s.d.Chats()[len(s.d.Chats())-1].Reference
		s.do(1, providertest.Act{Kind: providertest.Join, Chat: ref, Agent: ann})
		for _, status := range []int{400, 401, 404, 422, 423, 429, 500, 503, 200} {
			s.d.Next(trouble(status), trouble(status), trouble(status))
			s.Says("c", canary+" again")
			_ = s.UserTyping(t.Context(), "c", true)
			s.Sleep(time.Minute)
			s.settle(1)
		}
		s.do(1, providertest.Act{Kind: providertest.Say, Chat: ref, Text: canary})
		// And webhooks that are not the platform's.
		h := provider.Handler(s.Engine, s.name)
		for _, w := range s.d.(providertest.Forger).Forged() {
			r := httptest.NewRequestWithContext(context.Background(), w.Method, "/hooks?key="+quote[:4], bytes.NewReader(w.Body))
			r.Header = w.Header
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			assert.Empty(t, rec.Body.String())
		}
		s.Sleep(10 * time.Minute)
		out := s.logs.String()
		require.NotEmpty(t, out)
		for _, secret := range append(s.d.Secrets(), canary) {
			assert.NotContains(t, out, secret)
		}
		for _, en := range s.Entries(id) {
			if en.Kind != handoff.KindMessage && en.Kind != handoff.KindNote {
				for _, secret := range append(s.d.Secrets(), canary) {
					assert.NotContains(t, fmt.Sprint(en.Text, en.Data), secret, "entry %s", en.Kind)
				}
			}
		}
	})
}
