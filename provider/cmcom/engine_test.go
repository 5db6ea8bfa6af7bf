package cmcom_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
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
	"github.com/seed-2a427302/handoff/provider/cmcom"
	"github.com/seed-2a427302/handoff/provider/cmcom/cmcomtest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// scene is an engine with the adapter.
type scene struct {
	*handofftest.Rig

	d    *cmcomtest.Double
	logs *safe
}

func play(t *testing.T, stay time.Duration, change ...func(c *cmcom.Config)) *scene {
	t.Helper()
	s := &scene{d: cmcomtest.New(t), logs: &safe{}}
	p := adapter(t, s.d, change...)
	s.Rig = handofftest.New(t, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{p}
		c.Queues = []handoff.Queue{{Name: "support", Providers: []string{"cmcom"}, IdleTimeout: handoff.Never, StayOut: stay}}
		c.BotTimeout = handoff.Never
		c.Logger = slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	s.Start()
	return s
}

type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// deliver hands webhooks to the engine, which has to take them with 201.
func (s *scene) deliver(hooks ...handoff.Webhook) {
	s.T.Helper()
	for _, w := range hooks {
		reply, err := s.Webhook(s.T.Context(), "cmcom", w)
		require.NoError(s.T, err)
		require.Equal(s.T, http.StatusCreated, reply.Status)
	}
	s.Wait()
}

// do lets something happen, and be read and told.
func (s *scene) do(a providertest.Act) {
	s.T.Helper()
	require.True(s.T, s.d.Do(a))
	s.Sleep(30 * time.Second)
	s.deliver(s.d.Webhooks()...)
}

// begin lets a user ask for a person.
func (s *scene) begin(conversation string) (handoff.ID, string) {
	s.T.Helper()
	id := s.Asks(conversation).ID
	s.Sleep(20 * time.Second)
	require.Equal(s.T, handoff.StateQueued, s.Now(id).State)
	chats := s.d.Chats()
	return id, chats[len(chats)-1].Reference
}

func (s *scene) is(id handoff.ID, state handoff.State, outcome handoff.Outcome) {
	s.T.Helper()
	require.Equal(s.T, []any{state, outcome}, []any{s.Now(id).State, s.Now(id).Outcome})
}

// As CM.com's own bot, the host's stays out for 24 hours after a handover, where
// the queue says so: what the user says meanwhile is kept, and handed out then.
func TestStayOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, cmcom.StayOut)
		id, ref := s.begin("c")
		s.do(providertest.Act{Kind: providertest.Join, Chat: ref, Agent: ann})
		s.is(id, handoff.StateActive, "")
		s.do(providertest.Act{Kind: providertest.End, Chat: ref})
		s.is(id, handoff.StateEnded, handoff.OutcomeResolved)
		before := len(s.Bot.Calls(handoff.BotEnded))
		turn := s.Says("c", "are you there?")
		assert.False(t, turn.Open(), "the bot stays out")
		s.Sleep(23 * time.Hour)
		assert.Len(t, s.Bot.Calls(handoff.BotEnded), before)
		s.Sleep(2 * time.Hour)
		calls := s.Bot.Calls(handoff.BotEnded)
		require.NotEmpty(t, calls)
		last := calls[len(calls)-1]
		require.True(t, last.Turn.Open())
		require.Len(t, last.Turn.Messages, 1)
		assert.Equal(t, "are you there?", last.Turn.Messages[0].Text)
		_, err := s.Reply(t.Context(), last.Turn, handoff.Message{Text: "yes"})
		require.NoError(t, err)
		s.Wait()
		assert.Contains(t, s.Users.Texts("c"), "yes")

		// Another handoff of the user is another chat: the router's session of the
		// first one does not matter to it.
		_, second := s.begin("c")
		assert.NotEqual(t, ref, second)
	})
}

// Where the desk knows no address, or the Agent Inbox API is closed, agents have
// no name; messages go both ways, and the router's session ends the chat.
func TestWithoutAgentInbox(t *testing.T) {
	for what, change := range map[string]func(c *cmcom.Config){
		"no address": func(c *cmcom.Config) { c.Domain = "" }, "no access": func(c *cmcom.Config) { c.Secret = "revoked" },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := play(t, 0, change)
			id, ref := s.begin("c")
			s.do(providertest.Act{Kind: providertest.Join, Chat: ref, Agent: ann})
			s.is(id, handoff.StateQueued, "")
			s.do(providertest.Act{Kind: providertest.Say, Chat: ref, Text: "hello"})
			s.is(id, handoff.StateActive, "")
			s.Says("c", "thanks")
			s.Sleep(20 * time.Second)
			s.do(providertest.Act{Kind: providertest.Say, Chat: ref, Text: "bye"})
			assert.Equal(t, []string{"thanks"}, fromUserIn(s.d), what)
			assert.Subset(t, s.Users.Texts("c"), []string{"hello", "bye"}, what)
			s.d.HandOver(ref, `{}`)
			s.d.HandOver(ref, "")
			s.deliver(s.d.Webhooks()...)
			s.is(id, handoff.StateActive, "")
			s.d.EndSession(ref)
			s.deliver(s.d.Webhooks()...)
			s.is(id, handoff.StateEnded, handoff.OutcomeResolved)
			turn := s.Says("c", "and now?")
			_, err := s.Reply(t.Context(), turn, handoff.Message{Text: "I am the bot"})
			require.NoError(t, err, what)
		})
	}
}

// What Agent Inbox tells comes to the engine also when the webhooks are late, and
// an agent is named by whoever asks first.
func TestTransferIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, 0)
		id, ref := s.begin("c")
		s.do(providertest.Act{Kind: providertest.Join, Chat: ref, Agent: ann})
		assert.Equal(t, "Ann", s.Now(id).AgentName)
		s.do(providertest.Act{Kind: providertest.Transfer, Chat: ref, Agent: bob})
		assert.Equal(t, "Bob", s.Now(id).AgentName)
		s.do(providertest.Act{Kind: providertest.Transfer, Chat: ref, Agent: ann})
		s.Sleep(3 * time.Minute)
		assert.Equal(t, "Ann", s.Now(id).AgentName, "she has it again")
		s.do(providertest.Act{Kind: providertest.Leave, Chat: ref})
		s.is(id, handoff.StateQueued, "")
		s.do(providertest.Act{Kind: providertest.End, Chat: ref})
		s.Sleep(2 * time.Minute)
		s.is(id, handoff.StateEnded, handoff.OutcomeResolved)
	})
}

// One chat costs one request each Config.Poll, and one a minute for its state;
// nothing more once it is over.
func TestPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, 0, func(c *cmcom.Config) { c.Poll = 5 * time.Second })
		_, ref := s.begin("c")
		s.do(providertest.Act{Kind: providertest.Join, Chat: ref, Agent: ann})
		before := len(s.d.Requests())
		s.Sleep(5 * time.Minute)
		assert.InDelta(t, 60+5, len(s.d.Requests())-before, 3)
		s.do(providertest.Act{Kind: providertest.End, Chat: ref})
		before = len(s.d.Requests())
		s.Sleep(time.Hour)
		assert.Len(t, s.d.Requests(), before)
	})
}

// All orders of six webhooks, each twice: the same final state, and what came
// before the end shown once.
func TestEveryOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, 0, func(c *cmcom.Config) { c.Domain = "" }) // nothing but webhooks tells anything
		round, skipped := 0, 0
		permute([]int{0, 1, 2, 3, 4, 5}, func(order []int) {
			if testing.Short() && order[0] != 0 {
				skipped++ // the race detector makes it slow
				return
			}
			round++
			conversation := fmt.Sprintf("c%d", round)
			id := s.Asks(conversation).ID
			s.Wait()
			chats := s.d.Chats()
			ref := chats[len(chats)-1].Reference
			texts := []string{"first", "second", "third"}
			for _, text := range texts {
				s.d.Do(providertest.Act{Kind: providertest.Say, Chat: ref, Text: text})
			}
			s.d.HandOver(ref, `{"RoutingKeywords":"billing"}`)
			s.d.HandOver(ref, "")
			s.d.EndSession(ref)
			hooks := s.d.Webhooks()
			require.Len(t, hooks, 6)
			for _, i := range order {
				s.deliver(hooks[i], hooks[i])
			}
			var want []string
			for _, i := range order[:slices.Index(order, 5)] {
				if i < len(texts) {
					want = append(want, texts[i])
				}
			}
			outcome := handoff.OutcomeResolved
			if len(want) == 0 {
				outcome = handoff.OutcomeMissed
			}
			s.is(id, handoff.StateEnded, outcome)
			var got []string
			for _, m := range s.Users.Saw(conversation) {
				if slices.Contains(texts, m.Text) {
					got = append(got, m.Text)
				}
			}
			require.Equal(t, want, got, "%v", order)
		})
		assert.Equal(t, 720, round+skipped)
	})
}

// permute calls f with all orders of list.
func permute(list []int, f func(order []int)) {
	var rest func(k int)
	rest = func(k int) {
		if k == len(list) {
			f(slices.Clone(list))
			return
		}
		for i := k; i < len(list); i++ {
			list[k], list[i] = list[i], list[k]
			rest(k + 1)
			list[k], list[i] = list[i], list[k]
		}
	}
	rest(0)
}

// No secret, and nothing that was said, is in any error or log, whatever goes
// wrong at the platform.
func TestCanary(t *testing.T) {
	const canary = "CANARY-4711"
	synctest.Test(t, func(t *testing.T) {
		s := play(t, 0)
		trouble := func(status int) vendortest.Trouble {
			quote := strings.Join(append(s.d.Secrets(), canary), " ")
			return vendortest.Trouble{Status: status, RetryAfter: quote, Body: `{"message":"` + quote + `","error":{"code":"` + quote + `"}}`}
		}
		s.Says("c", canary)
		s.d.Next(trouble(http.StatusInternalServerError), trouble(http.StatusTooManyRequests), trouble(http.StatusBadGateway))
		id := s.Asks("c", func(r *handoff.Request) { r.Note, r.Summary = canary, canary }).ID
		s.Sleep(2 * time.Minute)
		s.is(id, handoff.StateQueued, "")
		ref := s.d.Chats()[0].Reference
		s.do(providertest.Act{Kind: providertest.Join, Chat: ref, Agent: ann})
		for _, status := range []int{200, 400, 401, 403, 404, 422, 423, 429, 500, 503} {
			s.d.Next(slices.Repeat([]vendortest.Trouble{trouble(status)}, 6)...)
			s.Says("c", canary+" again")
			s.Sleep(time.Minute)
			s.is(id, handoff.StateActive, "")
		}
		for _, w := range s.d.Forged() {
			_, err := s.Webhook(t.Context(), "cmcom", w)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), cmcomtest.Hook)
		}
		s.Sleep(time.Minute)
		s.do(providertest.Act{Kind: providertest.Say, Chat: ref, Text: canary})
		assert.Contains(t, s.Users.Texts("c"), canary, "the agent's words arrive")
		out := s.logs.String()
		require.Contains(t, out, "reading a platform failed")
		for _, secret := range append(s.d.Secrets(), canary) {
			assert.NotContains(t, out, secret)
			for _, en := range s.Entries(id) {
				if en.Kind != handoff.KindMessage && en.Kind != handoff.KindNote {
					assert.NotContains(t, fmt.Sprint(en.Text, en.Data), secret, "entry %s", en.Kind)
				}
			}
		}
	})
}
