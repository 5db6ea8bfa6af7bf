package rocketchat_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/rocketchat"
	"github.com/seed-2a427302/handoff/provider/rocketchat/rocketchattest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

func adapter(tb testing.TB, h http.Handler) *rocketchat.Provider {
	tb.Helper()
	p, err := rocketchat.New(config(h))
	require.NoError(tb, err)
	return p.(*rocketchat.Provider)
}

func config(h http.Handler) rocketchat.Config {
	files := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("%PDF")) })
	return rocketchat.Config{
		URL: rocketchattest.URL, User: rocketchattest.User, Token: rocketchattest.Token, Secrets: []string{rocketchattest.Secret},
		Departments: map[string]string{"support": "dep1"}, HTTP: providertest.Client(h), Files: providertest.Client(files),
	}
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := rocketchattest.New(t)
		return providertest.Harness{Provider: adapter(t, d), Vendor: d, Again: func() handoff.Provider { return adapter(t, d) }}
	})
}

// Rocket.Chat sends the secret itself: its documentation says in which header.
func TestSignatures(t *testing.T) {
	h := http.Header{}
	h.Set("X-Rocketchat-Livechat-Token", "your-secret-token")
	vendortest.Scheme{
		New: func(secrets ...string) handoff.Receiver {
			c := config(nil)
			c.Secrets = secrets
			p, err := rocketchat.New(c)
			require.NoError(t, err)
			return p.(handoff.Receiver)
		},
		Vectors: []vendortest.Vector{{
			Source: "https://docs.rocket.chat/docs/omnichannel-webhooks", Secret: "your-secret-token",
			Webhook: handoff.Webhook{Method: http.MethodPost, Header: h, Body: []byte(`{"_id":"","type":"LivechatSession"}`)},
		}},
		Sign: func(secret string, _ time.Time) handoff.Webhook {
			return rocketchattest.Sign(secret, []byte(`{"type":"LivechatEdit"}`))
		},
		Header: "X-Rocketchat-Livechat-Token", Bare: true,
	}.Check(t)
}

// What the platform says apart from the suite's failures.
func TestTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		p := adapter(t, d)
		o := handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{
			ID: handoff.ID{Conversation: "c", Number: 1}, User: &handoff.Contact{ID: "u1", Name: "U", Mail: "u@example.org", Phone: "0123"},
		}}
		// Nobody is there.
		d.Next(vendortest.Trouble{On: "GET /api/v1/livechat/room", Status: 400, Body: `{"success":false,"error":"Sorry, no online agents [no-agent-online]"}`})
		_, err := p.Open(t.Context(), o)
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe)
		assert.Equal(t, "no-agent-online", pe.Code)
		assert.False(t, pe.Retryable)

		s, err := p.Open(t.Context(), o)
		require.NoError(t, err)
		m := handoff.ProviderMessage{ID: "m", Text: "hello\n<b>", From: handoff.Party{Role: handoff.RoleUser}}
		send := func(ctx context.Context) error { return p.Send(ctx, s, m) }
		vendortest.CheckTroubles(t, d.Double, "POST /api/v1/livechat/message", send)
		// It was applied twice by now, without an answer; looked for, it is found.
		before := len(d.Requests())
		m.Again = true
		require.NoError(t, send(t.Context()))
		assert.Len(t, d.Requests(), before+1)
		assert.Empty(t, d.Violations())
	})
}

// What a user left goes through the offline form: to the department, with an
// address where there is none, and with the reference that the ticket has.
func TestOfflineForm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		p := adapter(t, d)
		h := handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}, Need: handoff.Need{Queue: "support"}}
		first, err := p.Ticket(t.Context(), h, "please call me", "t1")
		require.NoError(t, err)
		h.User, h.Need.Queue = &handoff.Contact{ID: "u1", Name: "Ursula\n", Mail: "u@example.org"}, "other"
		second, err := p.Ticket(t.Context(), h, "me, too", "t2")
		require.NoError(t, err)
		assert.NotEqual(t, first, second)
		d.Lock()
		assert.Equal(t, []rocketchattest.Mail{
			{Name: "Visitor", Email: rocketchat.NoMail, Message: "please call me\n\n(ref " + first + ")", Department: "dep1"},
			{Name: "Ursula", Email: "u@example.org", Message: "me, too\n\n(ref " + second + ")"},
		}, d.Mails)
		d.Unlock()
		// The form itself is told as an event of no room.
		for _, w := range d.Webhooks() {
			events, _, err := p.Receive(t.Context(), w)
			require.NoError(t, err)
			assert.Empty(t, events)
		}
		vendortest.CheckTroubles(t, d.Double, "POST /api/v1/livechat/offline.message", func(ctx context.Context) error {
			_, err := p.Ticket(ctx, h, "again", "t3")
			return err
		})
	})
}

func TestConfig(t *testing.T) {
	vendortest.CheckConfig(t, func() rocketchat.Config { return config(nil) }, rocketchat.New, map[string]func(*rocketchat.Config){
		"Config.Return":  func(c *rocketchat.Config) { c.Return = "to bot" },
		"Config.URL":     func(c *rocketchat.Config) { c.URL = "ftp://x" },
		"Config.User":    func(c *rocketchat.Config) { c.User = "" },
		"Config.Token":   func(c *rocketchat.Config) { c.Token = "" },
		"Config.Secrets": func(c *rocketchat.Config) { c.Secrets = nil },
		"Config.Sorting": func(c *rocketchat.Config) { c.Sorting = "Name" },
		"Config.Poll":    func(c *rocketchat.Config) { c.Poll = -1 },
	}, rocketchattest.Token)
}

func FuzzReceive(f *testing.F) {
	d := rocketchattest.New(f)
	p := adapter(f, d)
	s, err := p.Open(context.Background(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
	require.NoError(f, err)
	ann := handoff.Party{ID: "7", Name: "Ann"}
	vendortest.Talk(d, s.Reference, ann)
	for _, a := range []providertest.Act{
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Say, Text: "**é** <b>"},
		{Kind: providertest.Say, Files: []handoff.File{{URL: "/file-upload/x/a.pdf", Name: "a.pdf"}}},
		{Kind: providertest.Leave},
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Transfer, Agent: handoff.Party{ID: "8", Name: "Bob"}},
		{Kind: providertest.End},
	} {
		a.Chat = s.Reference
		d.Do(a)
	}
	seeds := vendortest.Bodies(d.Webhooks())
	for _, text := range []string{
		`{}`, `null`, `{"_id":5}`, `{"_id":"r","type":"Message"}`, `{"_id":"r","type":"Message","messages":[{"_id":"","agentId":"7","msg":"x"}]}`,
		`{"_id":"r","type":"Message","messages":[{"_id":"m","agentId":"7","msg":"\u0000","ts":"never"}]}`,
		`{"_id":"r","type":"Message","messages":[{"_id":"m","agentId":"7","msg":"x","closingMessage":true}]}`,
		`{"_id":"r","type":"LivechatSessionTaken"}`, `{"_id":"r","type":"LivechatSessionTaken","agent":{"_id":"7","name":"Ann"}}`,
		`{"_id":"r","type":"LivechatSessionForwarded"}`, `{"_id":"r","type":"LivechatSessionForwarded","servedBy":{"_id":"7","ts":"2024-01-01T00:00:00Z"}}`,
		`{"_id":"r","type":"LivechatSessionQueued","servedBy":{"ts":5}}`, `{"_id":"r","type":"LivechatSession","closer":"visitor"}`,
		`{"_id":"r","type":"LivechatSession","closedBy":{"_id":"7"},"closedAt":"x"}`, `{"_id":"r","type":"LivechatOfflineMessage"}`,
	} {
		seeds = append(seeds, []byte(text))
	}
	vendortest.FuzzReceive(f, p, func(body []byte) handoff.Webhook { return rocketchattest.Sign(rocketchattest.Secret, body) }, seeds...)
}

func TestStrangers(t *testing.T) {
	vendortest.Strangers{
		New: func(t *testing.T) (vendortest.Platform, handoff.Provider) {
			d := rocketchattest.New(t)
			return d, adapter(t, d)
		},
		NoTenant: "webhooks name none: the secret is the workspace's, and ids of rooms are random",
	}.Check(t)
}
