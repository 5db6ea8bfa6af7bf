package multi_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/inmem"
	"github.com/seed-2a427302/handoff/provider/multi"
	"github.com/seed-2a427302/handoff/providertest"
)

// vendor is the first of two platforms, as the suite drives it.
type vendor struct{ *inmem.Platform }

func (v vendor) Do(a providertest.Act) bool {
	a.Chat = strings.TrimPrefix(a.Chat, "one:")
	switch a.Kind {
	case providertest.Queue:
		v.Queue(a.Chat, a.Position, 3*time.Minute)
	case providertest.Join:
		v.Join(a.Chat, a.Agent)
	case providertest.Say:
		v.Say(a.Chat, a.Text, a.Files...)
	case providertest.Write:
		v.Write(a.Chat, a.Text)
	case providertest.Type:
		v.Types(a.Chat)
	case providertest.Leave:
		v.Leave(a.Chat)
	case providertest.Transfer:
		v.Transfer(a.Chat, a.Agent)
	case providertest.End:
		v.End(a.Chat)
	case providertest.Return:
		v.Return(a.Chat)
	default:
		return false
	}
	return true
}

func (v vendor) Webhooks() []handoff.Webhook {
	list := v.Take()
	for i := range list {
		list[i].Path = "/hooks/one"
	}
	return list
}

func (v vendor) Break(f providertest.Failure) { v.Platform.Break(inmem.Failure(f)) }

func (v vendor) Chats() []providertest.Chat {
	var out []providertest.Chat
	for _, c := range v.Platform.Chats() {
		chat := providertest.Chat{
			Reference: "one:" + c.Reference, Internal: append(slices.Clone(c.Notes), c.Note), UserTypes: c.UserTypes,
			Open: c.State == handoff.SessionQueued || c.State == handoff.SessionActive,
		}
		for _, m := range c.Messages {
			chat.Messages = append(chat.Messages, providertest.Said{From: m.From.Role, Text: m.Text, Files: len(m.Files)})
		}
		out = append(out, chat)
	}
	return out
}

func both(t *testing.T, change func(*multi.Config), options ...inmem.Options) (p handoff.Provider, one, two *inmem.Platform) {
	t.Helper()
	var o inmem.Options
	if len(options) > 0 {
		o = options[0]
	}
	o.Name = "one"
	one, two = inmem.New(o), inmem.New(inmem.Options{Name: "two", MaxBytes: 5000})
	c := multi.Config{Providers: []handoff.Provider{one.Provider(), two.Provider()}}
	if change != nil {
		change(&c)
	}
	p, err := multi.New(c)
	require.NoError(t, err)
	return p, one, two
}

func suite(t *testing.T, o inmem.Options) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		p, one, _ := both(t, func(c *multi.Config) { c.Queues = map[string][]string{"support": {"one"}} }, o)
		return providertest.Harness{Provider: p, Vendor: vendor{one}}
	})
}

func TestProvider(t *testing.T) { suite(t, inmem.Options{}) }
func TestReading(t *testing.T)  { suite(t, inmem.Options{Streams: true, TokenLife: 10 * time.Minute}) }

func opening(queue string) handoff.Opening {
	return handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}, Need: handoff.Need{Queue: queue}, Language: "el"}}
}

func TestChoice(t *testing.T) {
	for _, c := range []struct {
		queue, want string
		choose      []string
	}{
		{queue: "billing", want: "two"},
		{queue: "sales", want: "one"},
		{queue: "sales", want: "two", choose: []string{"nobody", "two"}},
		{queue: "billing", want: "two", choose: []string{"nobody"}},
		{queue: "billing", want: "one", choose: []string{"one"}},
	} {
		p, _, _ := both(t, func(cfg *multi.Config) {
			cfg.Queues = map[string][]string{"billing": {"two", "one"}}
			cfg.Choose = func(h *handoff.Handoff) []string {
				assert.Equal(t, "el", h.Language)
				return c.choose
			}
		})
		s, err := p.Open(t.Context(), opening(c.queue))
		require.NoError(t, err)
		assert.Equal(t, c.want, strings.Split(s.Reference, ":")[0], "%+v", c)
	}
}

func TestFailOver(t *testing.T) {
	for failure, want := range map[inmem.Failure]string{
		inmem.Works: "one:chat-1", inmem.Refuses: "two:chat-1", inmem.Busy: "two:chat-1", inmem.LosesAnswer: "one:chat-1",
	} {
		p, one, two := both(t, nil)
		one.Break(failure, "open")
		s, err := p.Open(t.Context(), opening("support"))
		require.NoError(t, err)
		assert.Equal(t, want, s.Reference, string(failure))
		assert.Equal(t, 1, len(one.Chats())+len(two.Chats()), "there is one chat, whatever failed: %s", failure)
		require.NoError(t, p.Send(t.Context(), s, handoff.ProviderMessage{ID: "m", Text: "hello"}))
	}
	// What may have been opened and cannot be asked for is not opened elsewhere.
	p, one, two := both(t, nil)
	one.Break(inmem.LosesAnswer)
	one.Break(inmem.LosesAnswer, "open", "find")
	_, err := p.Open(t.Context(), opening("support"))
	require.Error(t, err)
	assert.Empty(t, two.Chats())
	one.Break(inmem.Works)
	s, err := p.Open(t.Context(), opening("support"))
	require.NoError(t, err)
	assert.Equal(t, "one:chat-1", s.Reference)
	// All are down: the last error is told.
	synctest.Test(t, func(t *testing.T) {
		p, one, two := both(t, nil)
		one.Break(inmem.Hangs)
		two.Break(inmem.Refuses)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := p.Open(ctx, opening("support"))
		require.Error(t, err)
	})
}

func TestAvailability(t *testing.T) {
	p, one, two := both(t, nil)
	check := func(want handoff.Availability) {
		t.Helper()
		av, err := p.(handoff.AvailabilityChecker).Available(t.Context(), handoff.Need{Queue: "q"})
		require.NoError(t, err)
		assert.Equal(t, want, av)
	}
	check(handoff.Online)
	one.Staffed(false)
	check(handoff.Online)
	two.Staffed(false)
	check(handoff.Offline)
	one.Break(inmem.Busy)
	_, err := p.(handoff.AvailabilityChecker).Available(t.Context(), handoff.Need{Queue: "q"})
	require.Error(t, err)
}

func TestWebhooksGoToTheirPlatform(t *testing.T) {
	p, one, two := both(t, nil)
	rc := p.(handoff.Receiver)
	for name, desk := range map[string]*inmem.Platform{"one": one, "two": two} {
		desk.TakeControl("c", handoff.Party{ID: "7"})
		w := desk.Take()[0]
		w.Path = "/hooks/" + name
		events, _, err := rc.Receive(t.Context(), w)
		require.NoError(t, err)
		assert.Equal(t, name+":chat-1", events[0].Reference)
		assert.True(t, strings.HasPrefix(events[0].ID, name+":"), "two platforms may have the same id: %q", events[0].ID)
		w.Path = "/hooks/other"
		_, _, err = rc.Receive(t.Context(), w)
		require.Error(t, err)
		w.Path = "/hooks/" + map[string]string{"one": "two", "two": "one"}[name]
		_, _, err = rc.Receive(t.Context(), w)
		require.Error(t, err, "the other one's secret does not fit")
	}
}

func TestConfig(t *testing.T) {
	in := func(name string, custody handoff.Custody) handoff.Provider {
		return inmem.New(inmem.Options{Name: name, Custody: custody}).Provider()
	}
	for field, c := range map[string]multi.Config{
		"Config.Providers":            {},
		"Config.Providers[0]":         {Providers: []handoff.Provider{nil}},
		"Config.Providers[1].Name":    {Providers: []handoff.Provider{in("a", ""), in("a", "")}},
		"Config.Providers[0].Name":    {Providers: []handoff.Provider{in("a:b", "")}},
		"Config.Providers[0].Custody": {Providers: []handoff.Provider{in("a", handoff.CustodyConversation)}},
		"Config.Queues[q]":            {Providers: []handoff.Provider{in("a", "")}, Queues: map[string][]string{"q": {"b"}}},
	} {
		_, err := multi.New(c)
		var bad *handoff.InvalidError
		require.ErrorAs(t, err, &bad)
		assert.Equal(t, field, bad.Field)
	}
}

// changed is a platform that is in some way another one.
type changed struct {
	handoff.Provider
	handoff.Receiver

	can     func(c *handoff.Capabilities)
	partial bool
}

func (c changed) Info() handoff.ProviderInfo {
	info := c.Provider.Info()
	if c.can != nil {
		c.can(&info.Can)
	}
	return info
}

func (c changed) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	s, found, err := c.Provider.(handoff.Finder).Find(ctx, attempt)
	s.Partial = c.partial
	return s, found, err
}

// What one of them cannot do, the whole cannot, where the engine would rely on it.
func TestWhatAllCan(t *testing.T) {
	one, two := inmem.New(inmem.Options{Name: "one"}).Provider(), inmem.New(inmem.Options{Name: "two"}).Provider()
	for name, lacks := range map[string]func(c *handoff.Capabilities){
		"files": func(c *handoff.Capabilities) { c.Files = false }, "once": func(c *handoff.Capabilities) { c.SendsOnce = false },
		"history": func(c *handoff.Capabilities) { c.NativeHistory = false }, "return": func(c *handoff.Capabilities) { c.AgentReturns = false },
	} {
		for _, list := range [][]handoff.Provider{{one, changed{Provider: two, can: lacks}}, {changed{Provider: one, can: lacks}, two}} {
			p, err := multi.New(multi.Config{Providers: list})
			require.NoError(t, err)
			want := p.Info().Can
			lacks(&want)
			assert.Equal(t, want, p.Info().Can, name)
		}
	}
}

// A chat that was begun at a platform is not left there for the next one's.
func TestBegunIsNotLeft(t *testing.T) {
	desk := inmem.New(inmem.Options{Name: "one"})
	two := inmem.New(inmem.Options{Name: "two"})
	in := desk.Provider()
	p, err := multi.New(multi.Config{Providers: []handoff.Provider{changed{Provider: in, Receiver: in.(handoff.Receiver), partial: true}, two.Provider()}})
	require.NoError(t, err)
	desk.Break(inmem.LosesAnswer, "open")
	_, err = p.Open(t.Context(), opening("q"))
	require.Error(t, err)
	assert.Empty(t, two.Chats())
	desk.Break(inmem.Works)
	s, err := p.Open(t.Context(), opening("q"))
	require.NoError(t, err)
	assert.Equal(t, "one:chat-1", s.Reference)
}
