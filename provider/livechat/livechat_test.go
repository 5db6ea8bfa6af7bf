package livechat_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/livechat"
	"github.com/seed-2a427302/handoff/provider/livechat/livechattest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

func config(h http.Handler) livechat.Config {
	files := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone.pdf" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte("%PDF"))
	})
	return livechat.Config{
		URL: livechattest.URL, Accounts: livechattest.Accounts, Organization: livechattest.Organization,
		ClientID: livechattest.ClientID, ClientSecret: livechattest.ClientSecret, RefreshToken: livechattest.RefreshToken,
		Secrets: []string{livechattest.Secret}, Groups: map[string]int{"support": livechattest.Group},
		HTTP: providertest.Client(h), Files: providertest.Client(files),
	}
}

func adapter(tb testing.TB, h http.Handler) *livechat.Provider {
	tb.Helper()
	p, err := livechat.New(config(h))
	require.NoError(tb, err)
	only, ok := p.(*livechat.Provider)
	require.True(tb, ok, "without Dial there is nothing to read")
	return only
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := livechattest.New(t)
		return providertest.Harness{Provider: adapter(t, d), Vendor: d, Again: func() handoff.Provider { return adapter(t, d) }}
	})
}

// LiveChat sends the secret itself, in the body. The first is of the tests of
// its SDK: https://github.com/livechat/lc-sdk-go webhooks/testdata/chat_deactivated.json
func TestSignatures(t *testing.T) {
	vendortest.Scheme{
		New: func(secrets ...string) handoff.Receiver {
			c := config(livechattest.New(t))
			c.Secrets = secrets
			p, err := livechat.New(c)
			require.NoError(t, err)
			return p.(*livechat.Provider)
		},
		Vectors: []vendortest.Vector{{
			Source: "livechat/lc-sdk-go webhooks/testdata/chat_deactivated.json", Secret: "dummy_key",
			Webhook: handoff.Webhook{Method: http.MethodPost, Body: []byte(`{"webhook_id":"37901609f767dea5bc3a8acf5458bd80","secret_key":"dummy_key",` +
				`"action":"chat_deactivated","license_id":21377312,` +
				`"payload":{"chat_id":"PS0X0L086G","thread_id":"PZ070E0W1B","user_id":"agent@livechatinc.com"},"additional_data":{}}`)},
		}},
		Sign: func(secret string, _ time.Time) handoff.Webhook {
			return livechattest.Sign(secret, []byte(`{"action":"routing_status_set","payload":{}}`))
		},
		Bare: true,
	}.Check(t)
}

// What the platform says apart from the suite's failures.
func TestTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := livechattest.New(t)
		p := adapter(t, d)
		o := handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}}
		// Nobody is there.
		d.Next(vendortest.Trouble{On: "POST /v3.6/customer/action/start_chat", Status: 422, Body: `{"error":{"type":"groups_offline","message":"Groups offline"}}`})
		_, err := p.Open(t.Context(), o)
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe)
		assert.Equal(t, []any{"groups_offline", false, false}, []any{pe.Code, pe.Retryable, pe.Ambiguous})

		s, err := p.Open(t.Context(), o)
		require.NoError(t, err)
		m := handoff.ProviderMessage{ID: "m", Text: "hello\n<b>", From: handoff.Party{Role: handoff.RoleUser}, At: time.Now()}
		send := func(ctx context.Context) error { return p.Send(ctx, s, m) }
		applied := vendortest.CheckTroubles(t, d.Double, "POST /v3.6/customer/action/send_event", send)
		m.Again = true
		require.NoError(t, send(t.Context()))
		assert.Len(t, d.Chats()[0].Messages, applied)

		// LiveChat's own code says more than the status.
		for _, c := range []struct {
			code                 string
			retryable, ambiguous bool
			tries                int
		}{
			{"too_many_requests", true, false, 3},
			{"service_unavailable", true, false, 3},
			{"internal", true, true, 1},
			{"request_timeout", true, true, 1},
			{"chat_inactive", false, false, 1},
		} {
			d.Next(vendortest.Trouble{
				On: "POST /v3.6/customer/action/send_event", Status: 400, Body: `{"error":{"type":"` + c.code + `","message":"m"}}`, Times: c.tries,
			})
			m.ID, m.Again = c.code, false
			require.ErrorAs(t, send(t.Context()), &pe)
			assert.Equal(t, []any{c.code, c.retryable, c.ambiguous}, []any{pe.Code, pe.Retryable, pe.Ambiguous})
			require.NoError(t, send(t.Context()))
		}
	})
}

// A file that cannot be had, or that LiveChat does not take, is an address.
func TestFilesThatCannotBePassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := livechattest.New(t)
		p := adapter(t, d)
		s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
		require.NoError(t, err)
		m := handoff.ProviderMessage{ID: "m", Text: "see", From: handoff.Party{Role: handoff.RoleUser}}
		m.Files = []handoff.File{{Name: "gone.pdf", URL: "https://example.org/gone.pdf"}}
		require.NoError(t, p.Send(t.Context(), s, m))
		d.Next(vendortest.Trouble{On: "POST /v3.6/customer/action/upload_file", Status: 413, Body: `{"error":{"type":"entity_too_large","message":"m"}}`})
		m.ID, m.Files[0] = "n", handoff.File{URL: "https://example.org/big.pdf"}
		require.NoError(t, p.Send(t.Context(), s, m))
		// A repeat of a message whose file is there sends the rest.
		m.ID, m.Files[0].URL = "o", "https://example.org/good.pdf"
		d.Next(vendortest.Trouble{On: "POST /v3.6/customer/action/send_event", Cut: true, Apply: true})
		require.Error(t, p.Send(t.Context(), s, m))
		m.Again = true
		require.NoError(t, p.Send(t.Context(), s, m))
		said := d.Chats()[0].Messages
		require.Len(t, said, 4)
		assert.Equal(t, "see\ngone.pdf https://example.org/gone.pdf", said[0].Text)
		assert.Equal(t, "see\n https://example.org/big.pdf", said[1].Text)
		assert.Equal(t, []any{1, "", "see"}, []any{said[2].Files, said[2].Text, said[3].Text})
	})
}

// Only a list of people says that none of them is there.
func TestWhoIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := livechattest.New(t)
		p := adapter(t, d)
		for body, want := range map[string]handoff.Availability{
			`[]`: handoff.Offline, `[{"agent_id":"a","status":"offline"},{"agent_id":"b","status":"not_accepting_chats"}]`: handoff.Offline,
			`[{"agent_id":"a","status":"another"}]`: handoff.Offline, `[{"agent_id":"a","status":"offline"},{"agent_id":"b","status":"accepting_chats"}]`: handoff.Online,
			`null`: handoff.Unknown, `[null,{"x":1}]`: handoff.Unknown, `[{"agent_id":"a","status":"offline"},{}]`: handoff.Unknown,
		} {
			d.Next(vendortest.Trouble{On: "POST /v3.6/agent/action/list_routing_statuses", Status: 200, Body: body})
			got, err := p.Available(t.Context(), handoff.Need{})
			assert.Equal(t, want, got, body)
			var pe *handoff.ProviderError
			if want != handoff.Unknown {
				require.NoError(t, err, body)
				continue
			}
			require.ErrorAs(t, err, &pe, body)
			assert.Equal(t, "answer", pe.Code, body)
		}
	})
}

func TestConfig(t *testing.T) {
	vendortest.CheckConfig(t, func() livechat.Config { return config(nil) }, livechat.New, map[string]func(*livechat.Config){
		"Config.Return":       func(c *livechat.Config) { c.Return = "to bot" },
		"Config.URL":          func(c *livechat.Config) { c.URL = "ftp://x" },
		"Config.Accounts":     func(c *livechat.Config) { c.Accounts = "x" },
		"Config.Organization": func(c *livechat.Config) { c.Organization = "" },
		"Config.ClientID":     func(c *livechat.Config) { c.ClientID = "" },
		"Config.ClientSecret": func(c *livechat.Config) { c.ClientSecret = "" },
		"Config.RefreshToken": func(c *livechat.Config) { c.RefreshToken = "" },
		"Config.Secrets":      func(c *livechat.Config) { c.Secrets = nil },
		"Config.Groups":       func(c *livechat.Config) { c.Groups = map[string]int{"q": -1} },
	}, livechattest.ClientSecret, livechattest.RefreshToken)
}

// Webhooks about people have no time: in whatever order they come, they tell
// who is there now.
func TestPeopleInAnyOrder(t *testing.T) {
	d := livechattest.New(t)
	p := adapter(t, d)
	s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
	require.NoError(t, err)
	d.Webhooks()
	ann, bob := handoff.Party{ID: "ann@example.com", Name: "Ann"}, handoff.Party{ID: "bob@example.com", Name: "Bob"}
	d.Do(providertest.Act{Kind: providertest.Join, Chat: s.Reference, Agent: ann})
	d.Do(providertest.Act{Kind: providertest.Transfer, Chat: s.Reference, Agent: bob})
	hooks := d.Webhooks()
	tell := func(w handoff.Webhook) []handoff.ProviderEvent {
		events, _, err := p.Receive(t.Context(), w)
		require.NoError(t, err)
		return events
	}
	for _, w := range hooks { // each alone: so the last one, whichever it is
		for _, ev := range tell(w) {
			assert.NotEqual(t, handoff.EventLeft, ev.Kind)
			if ev.Kind == handoff.EventJoined {
				assert.Equal(t, bob.ID, ev.Agent.ID)
			}
		}
	}
	d.Do(providertest.Act{Kind: providertest.Leave, Chat: s.Reference})
	left := 0
	for _, w := range append(hooks, d.Webhooks()...) {
		for _, ev := range tell(w) {
			assert.NotEqual(t, handoff.EventJoined, ev.Kind)
			if ev.Kind == handoff.EventLeft {
				left++
			}
		}
	}
	assert.Equal(t, 2, left)
}

func TestStrangers(t *testing.T) {
	vendortest.Strangers{
		New: func(t *testing.T) (vendortest.Platform, handoff.Provider) {
			d := livechattest.New(t)
			return d, adapter(t, d)
		},
		Tenants: []vendortest.Tenant{{What: "organization", Ours: `"organization_id":"` + livechattest.Organization + `"`, Theirs: `"organization_id":"another"`}},
		Sign: func(_ handoff.Webhook, body []byte) handoff.Webhook {
			return livechattest.Sign(livechattest.Secret, body)
		},
	}.Check(t)
}
