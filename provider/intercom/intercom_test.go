package intercom_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/intercom"
	"github.com/seed-2a427302/handoff/provider/intercom/intercomtest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

func adapter(tb testing.TB, h http.Handler) *intercom.Provider {
	tb.Helper()
	p, err := intercom.New(config(h))
	require.NoError(tb, err)
	return p
}

func config(h http.Handler) intercom.Config {
	return intercom.Config{
		URL: intercomtest.URL, Admin: intercomtest.Admin, Token: intercomtest.Token, Secrets: []string{intercomtest.Secret},
		Teams: map[string]string{"support": intercomtest.Team}, HTTP: providertest.Client(h),
	}
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := intercomtest.New(t)
		return providertest.Harness{Provider: adapter(t, d), Vendor: d, Again: func() handoff.Provider { return adapter(t, d) }}
	})
}

func TestSignatures(t *testing.T) {
	h := http.Header{}
	h.Set("X-Hub-Signature", "sha1=1f228f7f9115bcc587299ec60064f40648f8ea76")
	standard := http.Header{}
	standard.Set("X-Hub-Signature", "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
	vendortest.Scheme{
		New: func(secrets ...string) handoff.Receiver {
			c := config(nil)
			c.Secrets = secrets
			p, err := intercom.New(c)
			require.NoError(t, err)
			return p
		},
		Vectors: []vendortest.Vector{{
			// Intercom publishes none. Made by its description with openssl:
			// printf '{"topic":"ping"}' | openssl dgst -sha1 -hmac intercom-secret
			Source: "openssl dgst", Secret: "intercom-secret",
			Webhook: handoff.Webhook{Method: http.MethodPost, Header: h, Body: []byte(`{"topic":"ping"}`)},
		}, {
			Source: "RFC 2202, test case 2 of HMAC-SHA-1", Secret: "Jefe",
			Webhook: handoff.Webhook{Method: http.MethodPost, Header: standard, Body: []byte("what do ya want for nothing?")},
		}},
		Sign: func(secret string, _ time.Time) handoff.Webhook {
			return intercomtest.Sign(secret, []byte(`{"topic":"ping"}`))
		},
		Header: "X-Hub-Signature",
	}.Check(t)
}

// What the platform says apart from the suite's failures.
func TestTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := intercomtest.New(t)
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

		m := handoff.ProviderMessage{ID: "m", Text: "hello\n<b>", From: handoff.Party{Role: handoff.RoleUser}, At: time.Now()}
		send := func(ctx context.Context) error { return p.Send(ctx, s, m) }
		vendortest.CheckTroubles(t, d.Double, "POST /conversations/{conversation}/reply", send)
		// It was applied twice by now, without an answer; looked for, it is found.
		before := len(d.Requests())
		m.Again = true
		require.NoError(t, send(t.Context()))
		assert.Len(t, d.Requests(), before+1)
		// Another text of the same second is another message.
		m.Text = "hello"
		require.NoError(t, send(t.Context()))
		assert.Len(t, d.Requests(), before+3)
		assert.Empty(t, d.Violations())
	})
}

func TestConfig(t *testing.T) {
	vendortest.CheckConfig(t, func() intercom.Config { return config(nil) }, intercom.New, map[string]func(*intercom.Config){
		"Config.Return":  func(c *intercom.Config) { c.Return = "to bot" },
		"Config.URL":     func(c *intercom.Config) { c.URL = "ftp://x" },
		"Config.Token":   func(c *intercom.Config) { c.Token = "" },
		"Config.Admin":   func(c *intercom.Config) { c.Admin = "ann" },
		"Config.Secrets": func(c *intercom.Config) { c.Secrets = nil },
		"Config.Teams":   func(c *intercom.Config) { c.Teams = map[string]string{"q": "../1"} },
	}, intercomtest.Token)
}

func FuzzReceive(f *testing.F) {
	d := intercomtest.New(f)
	p := adapter(f, d)
	s, err := p.Open(context.Background(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
	require.NoError(f, err)
	ann := handoff.Party{ID: "7", Name: "Ann"}
	vendortest.Talk(d, s.Reference, ann)
	for _, a := range []providertest.Act{
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Say, Text: "**é** <b>"},
		{Kind: providertest.Say, Files: []handoff.File{{URL: "https://downloads.intercom.example/a.pdf?x=1", Name: "a.pdf", Size: 3}}},
		{Kind: providertest.Write, Text: "n"},
		{Kind: providertest.Leave},
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Transfer, Agent: handoff.Party{ID: "8", Name: "Bob"}},
		{Kind: providertest.End},
	} {
		a.Chat = s.Reference
		d.Do(a)
	}
	seeds := vendortest.Bodies(d.Webhooks())
	item := func(topic, part string) []byte {
		return []byte(`{"type":"notification_event","topic":"` + topic + `","data":{"item":{"id":"1","conversation_parts":{"conversation_parts":[` + part + `]}}}}`)
	}
	for _, text := range []string{`{}`, `null`, `{"topic":"ping"}`, `{"data":{"item":{"id":5}}}`, `{"data":{"item":{"id":"x"}}}`} {
		seeds = append(seeds, []byte(text))
	}
	for _, what := range []string{"admin.replied", "admin.noted", "admin.assigned", "admin.closed", "operator.replied"} {
		topic := "conversation." + what
		seeds = append(seeds,
			item(topic, `{"id":"9","part_type":"comment","body":"<p>x</p>","created_at":1e300,"author":{"type":"admin","id":"7"}}`),
			item(topic, `{"id":"9","part_type":"close","body":null,"created_at":-1,"author":null,"assigned_to":{"type":"nobody_admin","id":null}}`))
	}
	vendortest.FuzzReceive(f, p, func(body []byte) handoff.Webhook { return intercomtest.Sign(intercomtest.Secret, body) }, seeds...)
}

func TestStrangers(t *testing.T) {
	vendortest.Strangers{
		New: func(t *testing.T) (vendortest.Platform, handoff.Provider) {
			d := intercomtest.New(t)
			return d, adapter(t, d)
		},
		NoTenant: "the workspace is that of the token, which Config does not name; ids of conversations are the whole region's",
	}.Check(t)
}
