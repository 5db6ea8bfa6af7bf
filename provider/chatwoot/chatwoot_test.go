package chatwoot_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/chatwoot"
	"github.com/seed-2a427302/handoff/provider/chatwoot/chatwoottest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

func adapter(tb testing.TB, h http.Handler) *chatwoot.Provider {
	tb.Helper()
	p, err := chatwoot.New(config(h))
	require.NoError(tb, err)
	return p
}

func config(h http.Handler) chatwoot.Config {
	files := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("%PDF")) })
	return chatwoot.Config{
		URL: chatwoottest.URL, Account: chatwoottest.Account, Inbox: chatwoottest.Inbox, InboxIdentifier: chatwoottest.Name,
		Token: chatwoottest.Token, Secrets: []string{chatwoottest.Secret},
		HTTP: providertest.Client(h), Files: providertest.Client(files),
	}
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := chatwoottest.New(t)
		return providertest.Harness{Provider: adapter(t, d), Vendor: d, Again: func() handoff.Provider { return adapter(t, d) }}
	})
}

func TestSignatures(t *testing.T) {
	h := http.Header{}
	h.Set("X-Chatwoot-Timestamp", "1770000000")
	h.Set("X-Chatwoot-Signature", "sha256=a4cd1a0a1ee22e6eac0ebe0cd1fd71e2d37e856d67a4bcbcc788428ebec7cd53")
	vendortest.Scheme{
		New: func(secrets ...string) handoff.Receiver {
			c := config(nil)
			c.Secrets = secrets
			p, err := chatwoot.New(c)
			require.NoError(t, err)
			return p
		},
		Vectors: []vendortest.Vector{{
			// Chatwoot publishes none. Made with openssl by its description
			// (github.com/chatwoot/chatwoot, pull request 13573):
			// printf '1770000000.{"event":"message_created"}' | openssl dgst -sha256 -hmac chatwoot-secret
			Source: "openssl dgst", Secret: "chatwoot-secret", At: time.Unix(1770000000, 0),
			Webhook: handoff.Webhook{Method: http.MethodPost, Header: h, Body: []byte(`{"event":"message_created"}`)},
		}},
		Sign: func(secret string, at time.Time) handoff.Webhook {
			return chatwoottest.Sign(secret, "d", at, []byte(`{"event":"contact_created"}`))
		},
		Header: "X-Chatwoot-Signature", Timed: true,
	}.Check(t)
}

// The samples of Chatwoot's documentation; testdata/README.md has the address.
func TestPublishedSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(nil)
		c.Account, c.Inbox = 1, 1 // of the samples
		p, err := chatwoot.New(c)
		require.NoError(t, err)
		want := [][]handoff.ProviderEventKind{
			{handoff.EventMessage}, // message_created_agent.json
			nil,                    // message_created_contact.json
			nil,                    // status_changed_open.json
			{handoff.EventEnded},   // status_changed_resolved.json
			nil,                    // webwidget_triggered.json
		}
		for i, body := range vendortest.Files(t, "testdata/*.json") {
			events, _, err := p.Receive(t.Context(), chatwoottest.Sign(chatwoottest.Secret, "d", time.Now(), body))
			require.NoError(t, err)
			var kinds []handoff.ProviderEventKind
			for _, ev := range events {
				kinds = append(kinds, ev.Kind)
				assert.Equal(t, "10", ev.Reference)
				assert.Equal(t, "John", ev.Agent.Name)
			}
			assert.Equal(t, want[i], kinds, "sample %d", i)
		}
	})
}

// What the platform says apart from the suite's failures.
func TestTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := chatwoottest.New(t)
		p := adapter(t, d)
		o := handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{
			ID: handoff.ID{Conversation: "c", Number: 1}, User: &handoff.Contact{ID: "u1", Name: "U", Mail: "u@example.org", Phone: "0123"},
		}}
		s, err := p.Open(t.Context(), o)
		require.NoError(t, err)
		// Another user with the same address: the contact is made without it.
		o.Attempt, o.Handoff.ID.Conversation, o.Handoff.User = "d.1.1", "d", &handoff.Contact{ID: "u2", Mail: "u@example.org"}
		_, err = p.Open(t.Context(), o)
		require.NoError(t, err)

		m := handoff.ProviderMessage{ID: "m", Text: "hello", From: handoff.Party{Role: handoff.RoleUser}}
		send := func(ctx context.Context) error { return p.Send(ctx, s, m) }
		vendortest.CheckTroubles(t, d.Double, "POST /api/v1/accounts/{account}/conversations/{conversation}/messages", send)
		// It was applied twice by now, without an answer; looked for, it is found.
		before := len(d.Requests())
		m.Again = true
		require.NoError(t, send(t.Context()))
		assert.Len(t, d.Requests(), before+1)
		assert.Empty(t, d.Violations())
	})
}

// A list that makes no sense does not say that there is no conversation: taken
// for that, an opening that is repeated would begin another one.
func TestListThatMakesNoSense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := chatwoottest.New(t)
		p := adapter(t, d)
		o := handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}}
		s, err := p.Open(t.Context(), o)
		require.NoError(t, err)
		const list = "GET /public/api/v1/inboxes/{inbox}/contacts/{source}/conversations"
		for _, body := range []string{`null`, `[null]`, `[null,{"id":1}]`, `[{"x":1}]`, `[{"id":-1}]`} {
			for what, call := range map[string]func() error{
				"open":   func() error { _, err := p.Open(t.Context(), o); return err },
				"find":   func() error { _, _, err := p.Find(t.Context(), o.Attempt); return err },
				"ticket": func() error { _, err := p.Ticket(t.Context(), o.Handoff, "t", "t1"); return err },
			} {
				d.Next(vendortest.Trouble{On: list, Status: 200, Body: body})
				var pe *handoff.ProviderError
				require.ErrorAs(t, call(), &pe, "%s %s", what, body)
				assert.Equal(t, []any{what, "answer", true, false}, []any{pe.Op, pe.Code, pe.Retryable, pe.Ambiguous}, body)
			}
		}
		again, err := p.Open(t.Context(), o)
		require.NoError(t, err)
		assert.Equal(t, s.Reference, again.Reference)
		assert.Len(t, d.Chats(), 1)
		d.Next(vendortest.Trouble{On: list, Status: 200, Body: `[]`})
		_, found, err := p.Find(t.Context(), "d.1.1")
		require.NoError(t, err)
		assert.False(t, found)
	})
}

func TestConfig(t *testing.T) {
	vendortest.CheckConfig(t, func() chatwoot.Config { return config(nil) }, chatwoot.New, map[string]func(*chatwoot.Config){
		"Config.URL":             func(c *chatwoot.Config) { c.URL = "ftp://x" },
		"Config.Account":         func(c *chatwoot.Config) { c.Account = 0 },
		"Config.Inbox":           func(c *chatwoot.Config) { c.Inbox = -1 },
		"Config.InboxIdentifier": func(c *chatwoot.Config) { c.InboxIdentifier = "" },
		"Config.Token":           func(c *chatwoot.Config) { c.Token = "" },
		"Config.Secrets":         func(c *chatwoot.Config) { c.Secrets = nil },
	}, chatwoottest.Token)
}

func FuzzReceive(f *testing.F) {
	d := chatwoottest.New(f)
	p := adapter(f, d)
	s, err := p.Open(context.Background(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
	require.NoError(f, err)
	ann := handoff.Party{ID: "7", Name: "Ann"}
	vendortest.Talk(d, s.Reference, ann)
	for _, a := range []providertest.Act{
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Type},
		{Kind: providertest.Say, Text: "**é** <b>"},
		{Kind: providertest.Say, Files: []handoff.File{{URL: "https://chatwoot.example/rails/a.pdf?x=1", Size: 3}}},
		{Kind: providertest.Write, Text: "n"},
		{Kind: providertest.Leave},
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Transfer, Agent: handoff.Party{ID: "8", Name: "Bob"}},
		{Kind: providertest.Return},
	} {
		a.Chat = s.Reference
		d.Do(a)
	}
	seeds := append(vendortest.Bodies(d.Webhooks()), vendortest.Files(f, "testdata/*.json")...)
	for _, text := range []string{
		`{}`, `null`, `{"event":"message_created"}`, `{"event":"message_created","id":1,"message_type":"outgoing","sender":{"type":"user","id":-1},"conversation":{"id":1}}`,
		`{"event":"message_created","id":1,"message_type":"outgoing","content":"\u0000","created_at":1e300,"sender":{"type":"user"},"conversation":{"id":1}}`,
		`{"event":"conversation_updated","id":1,"changed_attributes":[{"assignee_id":{}}],"updated_at":"x"}`,
		`{"event":"conversation_status_changed","id":1,"status":"resolved","updated_at":-1}`,
	} {
		seeds = append(seeds, []byte(text))
	}
	vendortest.FuzzReceive(f, p, func(body []byte) handoff.Webhook {
		return chatwoottest.Sign(chatwoottest.Secret, "d", time.Now(), body)
	}, seeds...)
}

func TestStrangers(t *testing.T) {
	vendortest.Strangers{
		New: func(t *testing.T) (vendortest.Platform, handoff.Provider) {
			d := chatwoottest.New(t)
			return d, adapter(t, d)
		},
		Tenants: []vendortest.Tenant{
			{What: "account", Ours: fmt.Sprintf(`"account":{"id":%d}`, chatwoottest.Account), Theirs: `"account":{"id":4711}`},
			{What: "inbox", Ours: fmt.Sprintf(`"inbox_id":%d`, chatwoottest.Inbox), Theirs: `"inbox_id":4711`},
		},
		Sign: func(_ handoff.Webhook, body []byte) handoff.Webhook {
			return chatwoottest.Sign(chatwoottest.Secret, "d1", time.Now(), body)
		},
	}.Check(t)
}

// A conversation with more messages than a page has: what was sent long ago is
// found.
func TestLongConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := chatwoottest.New(t)
		p := adapter(t, d)
		s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
		require.NoError(t, err)
		m := handoff.ProviderMessage{From: handoff.Party{Role: handoff.RoleUser}, Text: "x"}
		const messages = 70
		for i := range messages {
			m.ID = strconv.Itoa(i)
			require.NoError(t, p.Send(t.Context(), s, m))
		}
		m.ID, m.Again = "0", true
		require.NoError(t, p.Send(t.Context(), s, m))
		assert.Len(t, d.Chats()[0].Messages, messages)
	})
}
