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

func switchboard(tb testing.TB, h http.Handler) *zendesk.Switchboard {
	tb.Helper()
	p, err := zendesk.NewSwitchboard(config(h))
	require.NoError(tb, err)
	return p
}

func TestSwitchboard(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := zendesktest.NewInside(t)
		return providertest.Harness{Provider: switchboard(t, d), Vendor: d, Again: func() handoff.Provider { return switchboard(t, d) }}
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

// Sunshine Conversations sends the secret itself: its documentation says in which
// header. Both topologies take it so.
func TestSecrets(t *testing.T) {
	h := http.Header{}
	h.Set("X-Api-Key", "a-shared-secret-of-the-webhook")
	for name, open := range map[string]func(c zendesk.Config) (handoff.Receiver, error){
		"outside": func(c zendesk.Config) (handoff.Receiver, error) { return zendesk.New(c) },
		"within":  func(c zendesk.Config) (handoff.Receiver, error) { return zendesk.NewSwitchboard(c) },
	} {
		t.Run(name, func(t *testing.T) {
			vendortest.Scheme{
				New: func(secrets ...string) handoff.Receiver {
					c := config(nil)
					c.Secrets = secrets
					rc, err := open(c)
					require.NoError(t, err)
					return rc
				},
				Vectors: []vendortest.Vector{{
					Source: "Securing Sunshine Conversations Webhooks, in zendesk/sunshine-conversations-java api/openapi.yaml",
					Secret: "a-shared-secret-of-the-webhook",
					Webhook: handoff.Webhook{
						Method: http.MethodPost, Header: h, Body: []byte(`{"app":{"id":"` + exampleApp + `"},"events":[]}`),
					},
				}},
				Sign: func(secret string, _ time.Time) handoff.Webhook {
					return zendesktest.Bare(secret, []byte(`{"events":[]}`))
				},
				Header: "X-Api-Key", Bare: true,
			}.Check(t)
		})
	}
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
		send := func(ctx context.Context) error { return p.Send(ctx, s, m) }
		applied := vendortest.CheckTroubles(t, d.Double, "POST /sc/v2/apps/{app}/conversations/{conversation}/messages", send)
		// It was applied without an answer; looked for, it is found.
		m.Again = true
		require.NoError(t, send(t.Context()))
		assert.Len(t, d.Chats()[0].Messages, applied)
	})
}

func TestConfig(t *testing.T) {
	vendortest.CheckConfig(t, func() zendesk.Config { return config(nil) }, zendesk.New, map[string]func(*zendesk.Config){
		"Config.URL":            func(c *zendesk.Config) { c.URL = "ftp://x" },
		"Config.App":            func(c *zendesk.Config) { c.App = "" },
		"Config.Bot":            func(c *zendesk.Config) { c.Bot = "" },
		"Config.Secrets":        func(c *zendesk.Config) { c.Secrets = nil },
		"Config.TriggerSecrets": func(c *zendesk.Config) { c.TriggerSecrets = nil },
		"Config.ReferenceField": func(c *zendesk.Config) { c.ReferenceField = "x" },
		"Config.NoteField":      func(c *zendesk.Config) { c.NoteField = "" },
		"Config.Answers":        func(c *zendesk.Config) { c.Answers = map[string]string{"a": "x"} },
	}, zendesktest.Token, zendesktest.Key)
}

func FuzzReceive(f *testing.F) {
	d := zendesktest.New(f)
	p := adapter(f, d)
	s, err := p.Open(context.Background(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
	require.NoError(f, err)
	vendortest.Talk(d, s.Reference, handoff.Party{ID: "7", Name: "Ann"})
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

// Webhooks of the trigger are as a host's administrator writes them.
func FuzzTrigger(f *testing.F) {
	p := switchboard(f, zendesktest.NewInside(f))
	seeds := [][]byte{[]byte(`{}`), []byte(`null`), []byte(`{"conversation":5}`), []byte(`{"conversation":"c","status":null}`)}
	for _, status := range []string{"new", "open", "pending", "hold", "solved", "closed", "Gelöst", ""} {
		for _, agent := range []string{
			`"agent_id":"7","agent_name":"Ann"`, `"agent_id":"","agent_name":""`, `"agent_id":"{{ticket.assignee.id}}","agent_name":"\u0000"`,
		} {
			seeds = append(seeds, []byte(`{"conversation":"000000000000000000000001","status":"`+status+`",`+agent+`}`))
		}
	}
	vendortest.FuzzReceive(f, p, func(body []byte) handoff.Webhook {
		return zendesktest.Sign(zendesktest.TriggerSecret, "i", time.Now(), body)
	}, seeds...)
}

// Where the bot is within Zendesk it writes by itself, and its messages are
// nobody's; so are its own after a handoff.
func TestSwitchboardTellsWhoWrites(t *testing.T) {
	p := switchboard(t, zendesktest.NewInside(t))
	for name, c := range map[string]struct {
		message string
		kind    handoff.ProviderEventKind
	}{
		"user":   {`{"id":"m","author":{"type":"user","userId":"u"},"content":{"type":"text","text":"x"},"source":{"type":"whatsapp"}}`, handoff.EventUserMessage},
		"file":   {`{"id":"m","author":{"type":"user"},"content":{"type":"image","mediaUrl":"https://x.example/a.png"},"source":{"type":"messenger"}}`, handoff.EventUserMessage},
		"agent":  {`{"id":"m","author":{"type":"business","userId":"7"},"content":{"type":"text","text":"x"},"source":{"type":"zd:agentWorkspace"}}`, handoff.EventMessage},
		"bot":    {`{"id":"m","author":{"type":"business"},"content":{"type":"text","text":"x"},"source":{"type":"api:conversations"}}`, ""},
		"ours":   {`{"id":"m","author":{"type":"business"},"content":{"type":"text","text":"x"},"metadata":{"handoff":"m"},"source":{"type":"zd:agentWorkspace"}}`, ""},
		"nobody": {`{"id":"m","author":{"type":"user"},"content":{"type":"text","text":""}}`, ""},
	} {
		body := `{"events":[{"id":"e","createdAt":"2026-02-02T02:40:00Z","type":"conversation:message","payload":{"conversation":{"id":"c"},"message":` + c.message + `}}]}`
		events, _, err := p.Receive(t.Context(), zendesktest.Bare(zendesktest.Secret, []byte(body)))
		require.NoError(t, err)
		if c.kind == "" {
			assert.Empty(t, events, name)
			continue
		}
		require.Len(t, events, 1, name)
		assert.Equal(t, []any{c.kind, "c", "m"}, []any{events[0].Kind, events[0].Conversation, events[0].MessageID}, name)
	}
}

// A solved ticket gives the bot control back; a late webhook of an earlier one
// does not take it from the agents.
func TestSolvedGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := zendesktest.NewInside(t)
		p := switchboard(t, d)
		s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
		require.NoError(t, err)
		is := func(want handoff.SessionState) {
			t.Helper()
			st, _, err := p.ReadState(t.Context(), s)
			require.NoError(t, err)
			assert.Equal(t, want, st)
		}
		tell := func(hooks []handoff.Webhook) {
			t.Helper()
			for _, w := range hooks {
				_, _, err := p.Receive(t.Context(), w)
				require.NoError(t, err)
			}
		}
		d.Do(providertest.Act{Kind: providertest.Join, Chat: "c", Agent: handoff.Party{ID: "7", Name: "Ann"}})
		d.Do(providertest.Act{Kind: providertest.End, Chat: "c"})
		is(handoff.SessionEnded)
		hooks := d.Webhooks()
		tell(hooks)
		is(handoff.SessionBot)
		_, err = p.Open(t.Context(), handoff.Opening{Attempt: "c.2.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 2}}})
		require.NoError(t, err)
		tell(hooks)
		is(handoff.SessionQueued)
	})
}

// An answer without what it has to have does not say that there is no ticket
// yet, and that of another ticket says nothing about this one.
func TestTicketThatMakesNoSense(t *testing.T) {
	d := zendesktest.New(t)
	p := adapter(t, d)
	s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
	require.NoError(t, err)
	const search, ticket = "GET /api/v2/search.json", "GET /api/v2/tickets/{ticket}"
	for body, on := range map[string]string{
		`{"count":0}`: search, `null`: search, `{"results":[{"status":"solved"}]}`: search,
		`{}`: ticket, `{"ticket":{"status":"solved"}}`: ticket, `{"ticket":{"id":1,"status":"solved"}}`: ticket,
	} {
		d.Next(vendortest.Trouble{On: on, Status: 200, Body: body})
		st, _, err := p.ReadState(t.Context(), s)
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe, body)
		assert.Equal(t, []any{handoff.SessionUnknown, "state", "answer", true, false}, []any{st, pe.Op, pe.Code, pe.Retryable, pe.Ambiguous}, body)
	}
	st, _, err := p.ReadState(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, handoff.SessionQueued, st)
}

// The search learns of a ticket with a delay: until then nobody knows who has
// the conversation, and a note waits.
func TestTicketThatCannotBeFoundYet(t *testing.T) {
	d := zendesktest.New(t)
	p := adapter(t, d)
	s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
	require.NoError(t, err)
	nothing := vendortest.Trouble{On: "GET /api/v2/search.json", Status: 200, Body: `{"results":[],"count":0}`}
	d.Next(nothing, nothing)
	st, _, err := p.ReadState(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, handoff.SessionUnknown, st)
	var pe *handoff.ProviderError
	require.ErrorAs(t, p.Note(t.Context(), s, handoff.ProviderMessage{ID: "n", Text: "x"}), &pe)
	assert.Equal(t, []any{"no_ticket", true, false}, []any{pe.Code, pe.Retryable, pe.Ambiguous})
	require.NoError(t, p.Note(t.Context(), s, handoff.ProviderMessage{ID: "n", Text: "x"}))
}

func TestStrangers(t *testing.T) {
	vendortest.Strangers{
		New: func(t *testing.T) (vendortest.Platform, handoff.Provider) {
			d := zendesktest.New(t)
			return d, adapter(t, d)
		},
		Tenants: []vendortest.Tenant{{What: "app", Ours: `"app":{"id":"` + zendesktest.App + `"}`, Theirs: `"app":{"id":"another"}`}},
		Sign: func(_ handoff.Webhook, body []byte) handoff.Webhook {
			return zendesktest.Bare(zendesktest.Secret, body)
		},
	}.Check(t)
}

func TestStrangersOfASwitchboard(t *testing.T) {
	vendortest.Strangers{
		New: func(t *testing.T) (vendortest.Platform, handoff.Provider) {
			d := zendesktest.NewInside(t)
			return d, switchboard(t, d)
		},
		Tenants: []vendortest.Tenant{{What: "app", Ours: `"app":{"id":"` + zendesktest.App + `"}`, Theirs: `"app":{"id":"another"}`}},
		Sign: func(_ handoff.Webhook, body []byte) handoff.Webhook {
			return zendesktest.Bare(zendesktest.Secret, body)
		},
	}.Check(t)
}
