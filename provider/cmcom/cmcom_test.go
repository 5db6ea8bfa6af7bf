package cmcom_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/cmcom"
	"github.com/seed-2a427302/handoff/provider/cmcom/cmcomtest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

func config(h http.Handler) cmcom.Config {
	return cmcom.Config{
		URL: cmcomtest.URL, InboxURL: cmcomtest.InboxURL, PresenceURL: cmcomtest.PresenceURL,
		Account: cmcomtest.Account, Adapter: cmcomtest.Adapter, Inbox: cmcomtest.Inbox, Token: cmcomtest.Token, Key: cmcomtest.Key, Secret: cmcomtest.Secret,
		Secrets: []string{cmcomtest.Hook}, Skills: map[string]string{"support": "billing"}, Stores: map[string]string{"support": "https://shop.example"},
		Domain: "handoff.example", HTTP: providertest.Client(h),
	}
}

func adapter(tb testing.TB, h http.Handler, change ...func(c *cmcom.Config)) *cmcom.Provider {
	tb.Helper()
	c := config(h)
	for _, f := range change {
		f(&c)
	}
	p, err := cmcom.New(c)
	require.NoError(tb, err)
	return p
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := cmcomtest.New(t)
		return providertest.Harness{Provider: adapter(t, d), Vendor: d, Again: func() handoff.Provider { return adapter(t, d) }}
	})
}

// CM.com signs nothing: the secret is the host's own, where the form of the
// adapter has room for it.
func TestSignatures(t *testing.T) {
	body := []byte(`{"chat":{"id":"c"}}`)
	scheme := vendortest.Scheme{
		New: func(secrets ...string) handoff.Receiver {
			return adapter(t, nil, func(c *cmcom.Config) { c.Secrets = secrets })
		},
		Vectors: []vendortest.Vector{{
			Source: "as the form of a TwoWay adapter is filled in by docs/providers/cmcom.md", Secret: "a-secret-of-the-host",
			Webhook: handoff.Webhook{Method: http.MethodPost, Header: map[string][]string{"X-Handoff-Secret": {"a-secret-of-the-host"}}, Body: body},
		}, {
			Source: "the same, of the event endpoint: https://bot.example.org/hooks/cmcom?secret=…", Secret: "a-secret-of-the-host",
			Webhook: handoff.Webhook{Method: http.MethodPost, Query: map[string][]string{"secret": {"a-secret-of-the-host"}}, Body: body},
		}},
		Sign: func(secret string, _ time.Time) handoff.Webhook { return cmcomtest.Sign(secret, body) }, Header: cmcom.Header, Bare: true,
	}
	scheme.Check(t)
	scheme.Sign = func(secret string, _ time.Time) handoff.Webhook { return cmcomtest.SignEvent(secret, body) }
	scheme.Header = ""
	scheme.Check(t)

	// A wrong header is wrong, whatever the address says.
	w := cmcomtest.SignEvent(cmcomtest.Hook, body)
	http.Header(w.Header).Set(cmcom.Header, "wrong")
	_, reply, err := adapter(t, nil).Receive(t.Context(), w)
	require.Error(t, err)
	assert.Equal(t, http.StatusUnauthorized, reply.Status)
}

func TestConfig(t *testing.T) {
	vendortest.CheckConfig(t, func() cmcom.Config { return config(nil) }, cmcom.New, map[string]func(*cmcom.Config){
		"Config.Return":      func(c *cmcom.Config) { c.Return = "to bot" },
		"Config.Account":     func(c *cmcom.Config) { c.Account = "" },
		"Config.Adapter":     func(c *cmcom.Config) { c.Adapter = "" },
		"Config.Inbox":       func(c *cmcom.Config) { c.Inbox = c.Adapter },
		"Config.Token":       func(c *cmcom.Config) { c.Token = "" },
		"Config.Key":         func(c *cmcom.Config) { c.Key = "" },
		"Config.Secret":      func(c *cmcom.Config) { c.Secret = "" },
		"Config.Secrets":     func(c *cmcom.Config) { c.Secrets = nil },
		"Config.Domain":      func(c *cmcom.Config) { c.Domain = "a@b" },
		"Config.Poll":        func(c *cmcom.Config) { c.Poll = -1 },
		"Config.URL":         func(c *cmcom.Config) { c.URL = "x" },
		"Config.InboxURL":    func(c *cmcom.Config) { c.InboxURL = "ftp://x" },
		"Config.PresenceURL": func(c *cmcom.Config) { c.PresenceURL = "/x" },
	}, cmcomtest.Token, cmcomtest.Secret, cmcomtest.Hook)
	_, err := cmcom.New(cmcom.Config{Account: "a", Adapter: "b", Inbox: "c", Token: "t", Key: "k", Secret: "s", Secrets: []string{"x"}})
	require.NoError(t, err, "the rest has defaults")
}

func opening(conversation string) handoff.Opening {
	return handoff.Opening{Attempt: conversation + ".1.1", Note: "n", Handoff: handoff.Handoff{
		ID: handoff.ID{Conversation: conversation, Number: 1}, Created: time.Now(),
		Need: handoff.Need{Queue: "support", Skills: []handoff.Skill{{Name: "refunds", Level: 2}}},
		User: &handoff.Contact{ID: "u1", Name: "U <&>", Mail: "u@example.org"},
	}}
}

var (
	fromUser = handoff.Party{Role: handoff.RoleUser}
	ann      = handoff.Party{Role: handoff.RoleAgent, ID: "ann@example.com", Name: "Ann"}
	bob      = handoff.Party{Role: handoff.RoleAgent, ID: "bob@example.com", Name: "Bob"}
)

// What the platform says apart from the suite's failures.
func TestTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := cmcomtest.New(t)
		p := adapter(t, d)
		s, err := p.Open(t.Context(), opening("c"))
		require.NoError(t, err)
		n := 0
		send := func(ctx context.Context) error {
			n++
			return p.Send(ctx, s, handoff.ProviderMessage{ID: "m" + string(rune('a'+n)), Text: "hello\n<b>", From: fromUser, At: time.Now()})
		}
		applied := vendortest.CheckTroubles(t, d.Double, cmcomtest.TwoWay, send)
		assert.Len(t, d.Chats()[0].Messages, applied)

		// Reading changes nothing, so that it is never in doubt.
		d.Next(vendortest.Trouble{On: cmcomtest.Read, Status: http.StatusInternalServerError, Times: 3})
		_, _, err = p.ReadState(t.Context(), s)
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe)
		assert.Equal(t, []any{"http_500", true, false}, []any{pe.Code, pe.Retryable, pe.Ambiguous})
	})
}

// The handover carries what Agent Inbox routes by, and who the customer is.
func TestContext(t *testing.T) {
	d := cmcomtest.New(t)
	p := adapter(t, d, func(c *cmcom.Config) {
		c.Context = map[string]string{"Source": "bot"}
		c.Redact = func(s string) string { return strings.ReplaceAll(s, "4111", "…") }
		c.Title = "Hello from the bot"
	})
	o := opening("c")
	o.Note = "card 4111"
	s, err := p.Open(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"RoutingKeywords": "billing,refunds", "WebStoreReferrer": "https://shop.example", "Source": "bot",
		"CustomerInfo": `{"email":"u@example.org","name":"U \u003c\u0026\u003e"}`,
	}, d.Context(s.Reference))
	requests := d.Requests()
	require.Len(t, requests, 3)
	assert.Contains(t, string(requests[0].Body), "Hello from the bot")
	const link = `"operator":"And","sourceAdapterId":"` + cmcomtest.Adapter + `","targetAdapterId":"` + cmcomtest.Inbox + `"}`
	assert.Contains(t, string(requests[1].Body), `{"$type":"ruleMutation","action":"Enable",`+link)
	assert.Contains(t, string(requests[2].Body), "card …")
	var mark struct{ Mark, Mail string }
	require.NoError(t, json.Unmarshal(s.State, &mark))
	assert.Contains(t, string(requests[2].Body), mark.Mark)
	assert.Equal(t, "u@example.org", mark.Mail)

	// The inverse takes the chat back.
	require.NoError(t, p.Close(t.Context(), s, ""))
	last := d.Requests()[3]
	assert.Contains(t, string(last.Body), `"action":"Disable",`+link)
	assert.False(t, d.Chats()[0].Open)

	// A user without an address gets one that is his alone; without a domain none.
	o.Handoff.User, o.Handoff.Need = nil, handoff.Need{Queue: "other"}
	s, err = p.Open(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"Source": "bot", "CustomerInfo": `{"email":"` + mark.Mark[1:] + `@handoff.example"}`}, d.Context(s.Reference))
	s, err = adapter(t, d, func(c *cmcom.Config) { c.Domain = "" }).Open(t.Context(), func() handoff.Opening { o.Attempt = "d.1.1"; return o }())
	require.NoError(t, err)
	assert.Empty(t, d.Context(s.Reference))
	assert.Empty(t, d.Violations())
}

// An opening that the router refuses after the handover is taken back: no agent
// waits for a customer who has gone on with the bot.
func TestOpeningTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := cmcomtest.New(t)
		p := adapter(t, d)
		refuse := func(status, times int) { // the second message
			d.Next(vendortest.Trouble{On: cmcomtest.TwoWay, Slow: time.Millisecond, Apply: true}, vendortest.Trouble{On: cmcomtest.TwoWay, Status: status, Times: times})
		}
		refuse(http.StatusForbidden, 1)
		_, err := p.Open(t.Context(), opening("c"))
		require.Error(t, err)
		require.Len(t, d.Chats(), 1)
		assert.False(t, d.Chats()[0].Open)

		// What may be tried again is: it is the same chat.
		refuse(http.StatusServiceUnavailable, 3)
		_, err = p.Open(t.Context(), opening("d"))
		require.Error(t, err)
		s, err := p.Open(t.Context(), opening("d"))
		require.NoError(t, err)
		require.Len(t, d.Chats(), 2)
		assert.Equal(t, []any{s.Reference, true}, []any{d.Chats()[1].Reference, d.Chats()[1].Open})
	})
}

// An answer that names no chat is none: webhooks could not be told from others'.
func TestAnswersToOpening(t *testing.T) {
	for _, body := range []string{"", "{}", `{"chat":null}`, `{"chat":{"id":""}}`, `{"chat":{"id":"a\u0000b"}}`, "[]", "<html>"} {
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(body))
		})
		_, err := adapter(t, h).Open(t.Context(), opening("c"))
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe, "%s", body)
		assert.Equal(t, []any{"answer", true}, []any{pe.Code, pe.Ambiguous}, "%s", body)
	}
}

// A customer has more conversations in Agent Inbox than a page shows: ours is
// among them.
func TestCustomerWithManyConversations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := cmcomtest.New(t)
		p := adapter(t, d)
		var list []handoff.Session
		for _, conversation := range []string{"a", "b", "c", "d", "e", "f", "g"} {
			s, err := p.Open(t.Context(), opening(conversation))
			require.NoError(t, err)
			list = append(list, s)
		}
		for i, s := range list {
			if i%2 == 0 {
				d.Do(providertest.Act{Kind: providertest.Join, Chat: s.Reference, Agent: ann})
			}
		}
		for i, s := range list {
			st, who, err := p.ReadState(t.Context(), s)
			require.NoError(t, err)
			if i%2 == 0 {
				assert.Equal(t, []any{handoff.SessionActive, ann.ID}, []any{st, who.ID}, i)
			} else {
				assert.Equal(t, handoff.SessionQueued, st, i)
			}
		}
		assert.Empty(t, d.Violations())
	})
}

// Files that the router does not take go as links.
func TestFilesRefused(t *testing.T) {
	d := cmcomtest.New(t)
	d.NoMedia = true
	p := adapter(t, d)
	s, err := p.Open(t.Context(), opening("c"))
	require.NoError(t, err)
	m := handoff.ProviderMessage{ID: "m", Text: "see", From: fromUser, Files: []handoff.File{{Name: "a.pdf", URL: "https://cdn.example/a.pdf"}}}
	require.NoError(t, p.Send(t.Context(), s, m))
	m.ID, m.Text = "n", ""
	require.NoError(t, p.Send(t.Context(), s, m))
	said := d.Chats()[0].Messages
	require.Len(t, said, 2)
	assert.Equal(t, []string{"see\na.pdf https://cdn.example/a.pdf", "a.pdf https://cdn.example/a.pdf"}, []string{said[0].Text, said[1].Text})
	assert.Empty(t, d.Violations())
}

// The presence is one of two words; anything else is an error, never online.
func TestPresence(t *testing.T) {
	need := handoff.Need{Queue: "support"}
	for body, want := range map[string]handoff.Availability{
		"Online": handoff.Online, "\"Online\"\r\n": handoff.Online, "Offline": handoff.Offline, "offline": handoff.Offline,
		"": handoff.Unknown, "OnlineX": handoff.Unknown, "<html>Online</html>": handoff.Unknown,
	} {
		var asked string
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.URL.RawQuery
			_, _ = w.Write([]byte(body))
		})
		got, err := adapter(t, h).Available(t.Context(), need)
		assert.Equal(t, want, got, "%q", body)
		assert.Equal(t, want == handoff.Unknown, err != nil, "%q", body)
		assert.Equal(t, "Channel=WebChat&apikey="+cmcomtest.Key+"&referrer=https%3A%2F%2Fshop.example", asked)
		if err != nil {
			assert.NotContains(t, err.Error(), cmcomtest.Key)
		}
	}
	d := cmcomtest.New(t)
	d.Online = false
	got, err := adapter(t, d).Available(t.Context(), need)
	require.NoError(t, err)
	assert.Equal(t, handoff.Offline, got)
}
