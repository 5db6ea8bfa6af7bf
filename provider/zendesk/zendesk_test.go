package zendesk_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/provider/zendesk"
	"github.com/seed-2a427302/handoff/provider/zendesk/zendesktest"
	"github.com/seed-2a427302/handoff/providertest"
)

func config(h http.Handler) zendesk.Config {
	return zendesk.Config{
		URL: zendesktest.URL, App: zendesktest.App, KeyID: zendesktest.KeyID, Secret: zendesktest.Key, Bot: zendesktest.Bot,
		Secrets: []string{zendesktest.Secret}, TriggerSecrets: []string{zendesktest.TriggerSecret},
		Email: zendesktest.Email, Token: zendesktest.Token, ReferenceField: "11", NoteField: "12",
		Answers: map[string]string{"order": "13"}, Queues: map[string]string{"support": "queue_support"}, HTTP: providertest.Client(h),
	}
}

func adapter(tb testing.TB, h http.Handler) *zendesk.Provider {
	tb.Helper()
	p, err := zendesk.New(config(h))
	require.NoError(tb, err)
	return p
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := zendesktest.New(t)
		return providertest.Harness{Provider: adapter(t, d), Vendor: d, Again: func() handoff.Provider { return adapter(t, d) }}
	})
}

func TestTriggerSignatures(t *testing.T) {
	h := http.Header{}
	h.Set("X-Zendesk-Webhook-Signature", "gmB/OfCnHR0sjHNuAac3PrhD/4s2FN+Oh3TEAuS2+FA=")
	h.Set("X-Zendesk-Webhook-Signature-Timestamp", "2026-02-02T02:40:00Z")
	vendortest.Scheme{
		New: func(secrets ...string) handoff.Receiver {
			c := config(nil)
			c.TriggerSecrets = secrets
			p, err := zendesk.New(c)
			require.NoError(t, err)
			return p
		},
		Vectors: []vendortest.Vector{{
			// Made by Zendesk's description with openssl:
			// printf '2026-02-02T02:40:00Z{"conversation":""}' | openssl dgst -sha256 -hmac trigger-secret -binary | base64
			Source: "openssl dgst", Secret: "trigger-secret", At: time.Date(2026, 2, 2, 2, 40, 0, 0, time.UTC),
			Webhook: handoff.Webhook{Method: http.MethodPost, Header: h, Body: []byte(`{"conversation":""}`)},
		}},
		Sign: func(secret string, at time.Time) handoff.Webhook {
			return zendesktest.Sign(secret, "i", at, []byte(`{"conversation":""}`))
		},
		Header: "X-Zendesk-Webhook-Signature", Timed: true,
	}.Check(t)
}

// What the ticket gets: fields of answers, and tags that route; nothing that
// the host redacts.
func TestTicketFields(t *testing.T) {
	d := zendesktest.New(t)
	c := config(d)
	c.Redact = func(text string) string { return strings.ReplaceAll(text, "4711", "…") }
	p, err := zendesk.New(c)
	require.NoError(t, err)
	s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Note: "note 4711", Handoff: handoff.Handoff{
		ID: handoff.ID{Conversation: "c", Number: 1}, Flags: []string{"angry"}, Need: handoff.Need{Queue: "support"},
		Answers: map[string]string{"order": "A-4711", "other": "x"},
	}})
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"11: " + s.Reference, "12: note …", "13: A-…"}, d.Chats()[0].Internal)
	assert.Equal(t, "queue_support,angry", d.Tags(s.Reference))
	assert.Empty(t, d.Violations())
}

// What the platform says apart from the suite's failures.
func TestTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := zendesktest.New(t)
		p := adapter(t, d)
		s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
		require.NoError(t, err)
		m := handoff.ProviderMessage{ID: "m", Text: "hello", From: handoff.Party{Role: handoff.RoleUser}}
		for _, c := range []struct {
			trouble              vendortest.Trouble
			code                 string
			retryable, ambiguous bool
		}{
			{vendortest.Trouble{Status: 401}, "http_401", false, false},
			{vendortest.Trouble{Status: 404}, "http_404", false, false},
			{vendortest.Trouble{Status: 423, Times: 3}, "http_423", true, false},
			{vendortest.Trouble{Status: 429, Times: 3}, "http_429", true, false},
			{vendortest.Trouble{Status: 500}, "http_500", true, true},
			{vendortest.Trouble{Cut: true, Apply: true}, "no_answer", true, true},
		} {
			c.trouble.On = "POST /sc/v2/apps/{app}/conversations/{conversation}/messages"
			d.Next(c.trouble)
			var pe *handoff.ProviderError
			require.ErrorAs(t, p.Send(t.Context(), s, m), &pe, "%+v", c.trouble)
			assert.Equal(t, []any{c.code, c.retryable, c.ambiguous}, []any{pe.Code, pe.Retryable, pe.Ambiguous}, "%+v", c.trouble)
		}
		// The last was applied without an answer; looked for, it is found.
		m.Again = true
		require.NoError(t, p.Send(t.Context(), s, m))
		assert.Len(t, d.Chats()[0].Messages, 1)
	})
}

// A bare secret: two of them fit, others and none do not.
func TestBareSecret(t *testing.T) {
	c := config(nil)
	c.Secrets = []string{"old", "new"}
	p, err := zendesk.New(c)
	require.NoError(t, err)
	for secret, fits := range map[string]bool{"old": true, "new": true, "": false, "ol": false, "old ": false} {
		_, reply, err := p.Receive(t.Context(), zendesktest.Bare(secret, []byte(`{"events":[]}`)))
		assert.Equal(t, fits, err == nil, secret)
		assert.Equal(t, fits, reply.Status != http.StatusUnauthorized, secret)
	}
}

func TestConfig(t *testing.T) {
	for field, change := range map[string]func(*zendesk.Config){
		"Config.URL":            func(c *zendesk.Config) { c.URL = "ftp://x" },
		"Config.App":            func(c *zendesk.Config) { c.App = "" },
		"Config.Bot":            func(c *zendesk.Config) { c.Bot = "" },
		"Config.Secrets":        func(c *zendesk.Config) { c.Secrets = nil },
		"Config.TriggerSecrets": func(c *zendesk.Config) { c.TriggerSecrets = nil },
		"Config.ReferenceField": func(c *zendesk.Config) { c.ReferenceField = "x" },
		"Config.NoteField":      func(c *zendesk.Config) { c.NoteField = "" },
		"Config.Answers":        func(c *zendesk.Config) { c.Answers = map[string]string{"a": "x"} },
	} {
		c := config(nil)
		change(&c)
		_, err := zendesk.New(c)
		var bad *handoff.InvalidError
		require.ErrorAs(t, err, &bad)
		assert.Equal(t, field, bad.Field)
		assert.NotContains(t, err.Error(), zendesktest.Token)
	}
}

func FuzzReceive(f *testing.F) {
	d := zendesktest.New(f)
	p := adapter(f, d)
	s, err := p.Open(context.Background(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
	require.NoError(f, err)
	for _, a := range []providertest.Act{
		{Kind: providertest.Say, Text: "**é** <b>"},
		{Kind: providertest.Say, Files: []handoff.File{{URL: "https://files.zendesk.example/a.pdf?x=1", Name: "a.pdf", Size: 3}}},
		{Kind: providertest.Return},
	} {
		a.Chat = s.Reference
		d.Do(a)
	}
	seeds := vendortest.Bodies(d.Webhooks())
	for _, text := range []string{"{}", "null", `{"events":null}`, `{"events":[{}]}`, `{"events":[{"id":5}]}`} {
		seeds = append(seeds, []byte(text))
	}
	for _, what := range []string{"conversation:message", "switchboard:passControl", "switchboard:releaseControl", "switchboard:passControl:failure", "conversation:typing"} {
		for _, payload := range []string{
			`{"conversation":{"id":"a","activeSwitchboardIntegration":null},"message":{"id":"m","author":{"type":"business"},"content":{"type":"text","text":"x"}}}`,
			`{"conversation":{"id":"a"},"reason":"ticketClosed","message":{"id":"m","metadata":{"handoff":1},"author":null,"content":{"mediaUrl":"u","mediaSize":1e300}}}`,
			`{"conversation":null,"message":null}`,
		} {
			seeds = append(seeds, []byte(`{"events":[{"id":"e","createdAt":"2026-02-02T02:40:00.123Z","type":"`+what+`","payload":`+payload+`}]}`))
		}
	}
	vendortest.FuzzReceive(f, p, func(body []byte) handoff.Webhook { return zendesktest.Bare(zendesktest.Secret, body) }, seeds...)
}
