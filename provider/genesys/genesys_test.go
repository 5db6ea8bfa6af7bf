package genesys_test

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
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/provider/genesys"
	"github.com/seed-2a427302/handoff/provider/genesys/genesystest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

func adapter(tb testing.TB, h http.Handler) *genesys.Provider {
	tb.Helper()
	p, err := genesys.New(config(h))
	require.NoError(tb, err)
	return p
}

func config(h http.Handler) genesys.Config {
	return genesys.Config{
		URL: genesystest.URL, Login: genesystest.Login, Integration: genesystest.Integration, Client: genesystest.Client,
		Secret: genesystest.ClientKey, Secrets: []string{genesystest.Secret}, Queues: map[string]string{"support": genesystest.Queue},
		HTTP: providertest.Client(h),
	}
}

func TestSignatures(t *testing.T) {
	h := http.Header{}
	h.Set("X-Hub-Signature-256", "sha256=lOwtPcwb3MHj7Onwaqx3BcSqJSAzKA9ati2ShtcapKk=")
	standard := http.Header{}
	standard.Set("X-Hub-Signature-256", "sha256=W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=")
	vendortest.Scheme{
		New: func(secrets ...string) handoff.Receiver {
			c := config(nil)
			c.Secrets = secrets
			p, err := genesys.New(c)
			require.NoError(t, err)
			return p
		},
		Vectors: []vendortest.Vector{{
			// Genesys publishes none. Made by its page on validation with openssl:
			// printf '{"type":"Receipt"}' | openssl dgst -sha256 -hmac genesys-secret-token -binary | base64
			Source: "openssl dgst", Secret: "genesys-secret-token",
			Webhook: handoff.Webhook{Method: http.MethodPost, Header: h, Body: []byte(`{"type":"Receipt"}`)},
		}, {
			Source: "RFC 4231, test case 2, in base64", Secret: "Jefe",
			Webhook: handoff.Webhook{Method: http.MethodPost, Header: standard, Body: []byte("what do ya want for nothing?")},
		}},
		Sign: func(secret string, _ time.Time) handoff.Webhook {
			return genesystest.Sign(secret, []byte(`{"type":"Receipt"}`))
		},
		Header: "X-Hub-Signature-256",
	}.Check(t)
}

func opening(conversation string) handoff.Opening {
	return handoff.Opening{Attempt: conversation + ".1.1", Note: "n", Handoff: handoff.Handoff{
		ID: handoff.ID{Conversation: conversation, Number: 1}, User: &handoff.Contact{ID: "u1", Name: "U", Mail: "u@example.org"},
		Need: handoff.Need{Queue: "support", Skills: []handoff.Skill{{Name: "refunds", Level: 2}}}, Flags: []string{"angry"}, Created: time.Now(),
	}}
}

// What the platform says apart from the suite's failures.
func TestTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := genesystest.New(t)
		p := adapter(t, d)
		s, err := p.Open(t.Context(), opening("c"))
		require.NoError(t, err)
		require.Contains(t, string(d.Requests()[1].Body),
			`"customAttributes":{"handoff_flags":"angry","handoff_queue":"support","handoff_queue_id":"`+genesystest.Queue+`","handoff_reason":"","handoff_skills":"refunds:2"}`)

		const inbound = "POST /api/v2/conversations/messages/{integration}/inbound/open/message"
		m := handoff.ProviderMessage{ID: "m", Text: "hello\n<b>", From: handoff.Party{Role: handoff.RoleUser}, At: time.Now()}
		for _, c := range []struct {
			trouble   vendortest.Trouble
			code      string
			retryable bool
			ambiguous bool
			after     time.Duration
		}{
			{vendortest.Trouble{Status: 400, Body: `{"code":"not.a.client"}`}, "not.a.client", false, false, 0},
			{vendortest.Trouble{Status: 404}, "http_404", false, false, 0},
			{vendortest.Trouble{Status: 409}, "http_409", false, false, 0},
			{vendortest.Trouble{Status: 423, Times: 3}, "http_423", true, false, 0},
			{vendortest.Trouble{Status: 429, Times: 3, Body: `{"code":"too.many.requests"}`}, "too.many.requests", true, false, 0},
			{vendortest.Trouble{Status: 429, RetryAfter: "90"}, "http_429", true, false, 90 * time.Second},
			{vendortest.Trouble{Status: 500}, "http_500", true, true, 0},
			{vendortest.Trouble{Cut: true, Apply: true}, "no_answer", true, true, 0},
		} {
			c.trouble.On = inbound
			d.Next(c.trouble)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			err := p.Send(ctx, s, m)
			cancel()
			var pe *handoff.ProviderError
			require.ErrorAs(t, err, &pe, "%+v", c.trouble)
			assert.Equal(t, []any{c.code, c.retryable, c.ambiguous, c.after}, []any{pe.Code, pe.Retryable, pe.Ambiguous, pe.RetryAfter}, "%+v", c.trouble)
			time.Sleep(2 * time.Minute)
		}
		// It was applied without an answer; looked for, it is found: by two requests.
		before := len(d.Requests())
		m.Again = true
		require.NoError(t, p.Send(t.Context(), s, m))
		assert.Len(t, d.Requests(), before+2)

		// A token that was revoked is replaced, and the message arrives.
		d.Revoke()
		require.NoError(t, p.Send(t.Context(), s, handoff.ProviderMessage{ID: "m2", Text: "again", From: m.From}))
		// One that is refused again is not asked for without end.
		d.Next(vendortest.Trouble{On: inbound, Status: http.StatusUnauthorized, Times: 5})
		require.Error(t, p.Send(t.Context(), s, handoff.ProviderMessage{ID: "m3", Text: "no", From: m.From}))
		assert.Empty(t, d.Violations())
	})
}

// A message that comes after the end begins another conversation there, which
// is closed again: nobody would.
func TestMessageAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := genesystest.New(t)
		p := adapter(t, d)
		s, err := p.Open(t.Context(), opening("c"))
		require.NoError(t, err)
		d.Do(providertest.Act{Kind: providertest.Join, Chat: s.Reference, Agent: handoff.Party{ID: "7", Name: "Ann"}})
		d.Do(providertest.Act{Kind: providertest.End, Chat: s.Reference})
		err = p.Send(t.Context(), s, handoff.ProviderMessage{ID: "m", Text: "one more", At: time.Now(), From: handoff.Party{Role: handoff.RoleUser}})
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe)
		assert.Equal(t, "conversation_over", pe.Code)
		assert.False(t, pe.Retryable || pe.Ambiguous)
		chats := d.Chats()
		require.Len(t, chats, 2)
		assert.False(t, chats[0].Open || chats[1].Open)
	})
}

// The wait comes from the platform, is told to the user, and has no place.
func TestWaitEstimate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := genesystest.New(t)
		d.Wait = 4 * time.Minute
		rig := handofftest.New(t, func(c *handoff.Config) {
			c.Providers = []handoff.Provider{adapter(t, d)}
			c.Queues = []handoff.Queue{{Name: "support", Providers: []string{"genesys"}}}
		})
		rig.Start()
		id := rig.Asks("c").ID
		rig.Sleep(time.Minute)
		place, err := rig.Place(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, handoff.Place{Why: handoff.ReasonProvider, Known: true, P50: d.Wait, P90: d.Wait}, place)
		told := 0
		for _, m := range rig.Users.Saw("c") {
			if m.Notice == handoff.NoticePlace {
				told++
			}
		}
		assert.Equal(t, 1, told)
		asked := func() (n int) {
			for _, r := range d.Requests() {
				if strings.HasSuffix(r.Pattern, "/estimatedwaittime") {
					n++
				}
			}
			return n
		}
		before := asked()
		rig.Sleep(10 * time.Minute) // it is the same, and is not told again
		assert.InDelta(t, 10, asked()-before, 1, "it is asked for once a minute")
		for _, m := range rig.Users.Saw("c") {
			if m.Notice == handoff.NoticePlace {
				told--
			}
		}
		assert.Zero(t, told)
	})
}

// A webhook of another integration, or of somebody whom nobody knows, has no
// effect; one of a flow is not taken for an agent's.
func TestOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := genesystest.New(t)
		p := adapter(t, d)
		s, err := p.Open(t.Context(), opening("c"))
		require.NoError(t, err)
		d.Do(providertest.Act{Kind: providertest.Say, Chat: s.Reference, Text: "Please wait."}) // nobody has joined
		hooks := d.Webhooks()
		require.Len(t, hooks, 1)
		events, _, err := p.Receive(t.Context(), hooks[0])
		require.NoError(t, err)
		assert.Empty(t, events)
		for _, body := range []string{
			`{"id":"1","type":"Text","text":"x","direction":"Outbound","channel":{"id":"another","to":{"id":"` + s.Reference + `"}}}`,
			`{"id":"1","type":"Text","text":"x","direction":"Inbound","channel":{"id":"` + genesystest.Integration + `","to":{"id":"` + s.Reference + `"}}}`,
			`{"id":"1","type":"Text","text":"x","originatingEntity":"Bot","channel":{"id":"` + genesystest.Integration + `","to":{"id":"` + s.Reference + `"}}}`,
		} {
			events, reply, err := p.Receive(t.Context(), genesystest.Sign(genesystest.Secret, []byte(body)))
			require.NoError(t, err)
			assert.Empty(t, events)
			assert.Zero(t, reply.Status)
		}
	})
}

func TestConfig(t *testing.T) {
	for field, change := range map[string]func(*genesys.Config){
		"Config.Return":      func(c *genesys.Config) { c.Return = "to bot" },
		"Config.URL":         func(c *genesys.Config) { c.URL = "ftp://x" },
		"Config.Login":       func(c *genesys.Config) { c.Login = "x" },
		"Config.Integration": func(c *genesys.Config) { c.Integration = "" },
		"Config.Client":      func(c *genesys.Config) { c.Client = "" },
		"Config.Secret":      func(c *genesys.Config) { c.Secret = "" },
		"Config.Secrets":     func(c *genesys.Config) { c.Secrets = nil },
		"Config.Poll":        func(c *genesys.Config) { c.Poll = -1 },
	} {
		c := config(nil)
		change(&c)
		_, err := genesys.New(c)
		var bad *handoff.InvalidError
		require.ErrorAs(t, err, &bad)
		assert.Equal(t, field, bad.Field)
		assert.NotContains(t, err.Error(), genesystest.ClientKey)
	}
}

func FuzzReceive(f *testing.F) {
	d := genesystest.New(f)
	p := adapter(f, d).Unlimited()
	s, err := p.Open(context.Background(), opening("c"))
	require.NoError(f, err)
	vendortest.Talk(d, s.Reference, handoff.Party{ID: "7", Name: "Ann"})
	for _, a := range []providertest.Act{
		{Kind: providertest.Join, Agent: handoff.Party{ID: "7", Name: "Ann"}},
		{Kind: providertest.Say, Text: "**é** <b>"},
		{Kind: providertest.Say, Files: []handoff.File{{URL: "https://api.genesys.example/a.pdf?x=1", Name: "a.pdf", Type: "application/pdf", Size: 3}}},
		{Kind: providertest.Type},
		{Kind: providertest.Transfer, Agent: handoff.Party{ID: "8", Name: "Bob"}},
		{Kind: providertest.Say, Text: "I am Bob"},
	} {
		a.Chat = s.Reference
		d.Do(a)
	}
	seeds := append(vendortest.Bodies(d.Webhooks()), vendortest.Files(f, "testdata/*.json")...)
	channel := `"channel":{"id":"` + genesystest.Integration + `","to":{"id":"` + s.Reference + `"},"time":"2026-01-01T00:00:00.000Z"},`
	for _, text := range []string{
		`{}`, `null`, `{"id":5}`, `{"channel":null}`, `{` + channel + `"id":"m"}`, `{` + channel + `"id":"m","type":"Text"}`,
		`{` + channel + `"id":"m","type":"Text","text":"\u0000"}`, `{` + channel + `"id":"m","type":"Text","text":"x","content":[null,{"attachment":null}]}`,
		`{` + channel + `"id":"m","type":"Text","content":[{"attachment":{"url":"x","contentSizeBytes":-1}}]}`,
		`{` + channel + `"id":"..","type":"Text","text":"x","conversationId":".."}`, `{` + channel + `"id":"m","type":"Event","events":[]}`,
		`{` + channel + `"id":"m","type":"Event","events":[{"eventType":"Presence"}]}`, `{` + channel + `"id":"m","type":"Receipt","status":"Delivered"}`,
		`{` + channel + `"id":"m","type":"Structured","text":"pick one"}`, `{` + channel + `"id":"m","type":"Text","text":"x","direction":"Inbound"}`,
		`{"id":"m","type":"Text","text":"x","channel":{"id":"` + genesystest.Integration + `","to":{"id":"` + s.Reference + `"},"time":"never"}}`,
	} {
		seeds = append(seeds, []byte(text))
	}
	vendortest.FuzzReceive(f, p, func(body []byte) handoff.Webhook { return genesystest.Sign(genesystest.Secret, body) }, seeds...)
}

func TestStrangers(t *testing.T) {
	vendortest.Strangers{
		New: func(t *testing.T) (vendortest.Platform, handoff.Provider) {
			d := genesystest.New(t)
			return d, adapter(t, d)
		},
		Tenants: []vendortest.Tenant{{What: "integration", Ours: genesystest.Integration, Theirs: "5a8c1c2e-3bd7-4a0d-9b6e-0f6d6cf0a002"}},
		Sign: func(_ handoff.Webhook, body []byte) handoff.Webhook {
			return genesystest.Sign(genesystest.Secret, body)
		},
	}.Check(t)
}
