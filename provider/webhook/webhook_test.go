package webhook_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/provider/webhook"
	"github.com/seed-2a427302/handoff/provider/webhook/webhooktest"
	"github.com/seed-2a427302/handoff/providertest"
)

func bridge(t testing.TB, h http.Handler, change func(*webhook.Config)) *webhook.Provider {
	t.Helper()
	c := webhook.Config{URL: webhooktest.URL, Secrets: []string{webhooktest.Secret}, HTTP: providertest.Client(h)}
	if change != nil {
		change(&c)
	}
	p, err := webhook.New(c)
	require.NoError(t, err)
	return p
}

func suite(t *testing.T, change func(*webhook.Config)) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		c := webhooktest.New(t)
		return providertest.Harness{
			Provider: bridge(t, c, change), Vendor: c,
			Again: func() handoff.Provider { return bridge(t, c, change) },
		}
	})
}

func TestQueue(t *testing.T) { suite(t, nil) }

func TestConversation(t *testing.T) {
	suite(t, func(c *webhook.Config) { c.Custody, c.MaxBytes = handoff.CustodyConversation, 1000 })
}

// refuser takes nothing: a Config that cannot be.
type refuser struct{}

func (refuser) Receive(context.Context, handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return nil, handoff.WebhookReply{Status: http.StatusUnauthorized}, &handoff.ProviderError{Op: "receive", Status: http.StatusUnauthorized}
}

// key makes a valid secret of any text.
func key(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return "whsec_" + base64.StdEncoding.EncodeToString(sum[:])
}

func TestSignatures(t *testing.T) {
	// The reference vector of the Standard Webhooks project (MIT): libraries/go/webhook_symmetric_test.go
	// of github.com/standard-webhooks/standard-webhooks, and the same with the secret's other spelling.
	const reference = "https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/go/webhook_symmetric_test.go"
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vector := func(secret, signature string) vendortest.Vector {
		h := http.Header{}
		h.Set("Webhook-Id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
		h.Set("Webhook-Timestamp", "1614265330")
		h.Set("Webhook-Signature", signature)
		return vendortest.Vector{
			Source: reference, Secret: secret, At: time.Unix(1614265330, 0),
			Webhook: handoff.Webhook{Method: http.MethodPost, Header: h, Body: []byte(`{"test": 2432232314}`)},
		}
	}
	const good, bad = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
	vendortest.Scheme{
		New: func(secrets ...string) handoff.Receiver {
			for i, s := range secrets {
				if !strings.HasSuffix(s, secret[6:]) {
					secrets[i] = key(s)
				}
			}
			p, err := webhook.New(webhook.Config{URL: webhooktest.URL, Secrets: secrets})
			if err != nil {
				return refuser{}
			}
			return p
		},
		Vectors: []vendortest.Vector{
			vector(secret, good), vector(secret[6:], good), vector(secret, bad+" v2,"+bad[3:]+" "+good+" "+bad),
		},
		Sign: func(secret string, at time.Time) handoff.Webhook {
			return webhooktest.Sign(key(secret), "id", at, []byte(`{"type":"other","data":{}}`))
		},
		Header: "Webhook-Signature", Timed: true,
	}.Check(t)
}

// What goes out carries a signature of each secret while they are changed.
func TestRotationGoesBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, secrets := range [][]string{{key("new"), webhooktest.Secret}, {webhooktest.Secret, key("new")}} {
			c := webhooktest.New(t)
			p := bridge(t, c, func(c *webhook.Config) { c.Secrets = secrets })
			_, err := p.Available(t.Context(), handoff.Need{Queue: "q"})
			require.NoError(t, err)
		}
		c := webhooktest.New(t)
		_, err := bridge(t, c, func(c *webhook.Config) { c.Secrets = []string{key("new")} }).Available(t.Context(), handoff.Need{})
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe)
		assert.Equal(t, http.StatusUnauthorized, pe.Status)
	})
}

// A console that has nothing for a question says 501, and the engine goes on
// without.
func TestConsoleWithoutExtras(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := webhooktest.New(t)
		p := bridge(t, c, nil)
		s := handoff.Session{Reference: "r"}
		c.Next(vendortest.Trouble{Status: http.StatusNotImplemented, Times: 5})
		av, err := p.Available(t.Context(), handoff.Need{Queue: "q"})
		require.NoError(t, err)
		assert.Equal(t, handoff.Unknown, av)
		st, _, err := p.ReadState(t.Context(), s)
		require.NoError(t, err)
		assert.Equal(t, handoff.SessionUnknown, st)
		require.NoError(t, p.Typing(t.Context(), s, true))
		require.NoError(t, p.Note(t.Context(), s, handoff.ProviderMessage{ID: "n", From: handoff.Party{Role: handoff.RoleBot}}))
		_, err = p.Ticket(t.Context(), handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}, "x", "t")
		require.Error(t, err, "a ticket that nobody makes is no ticket")
		require.Empty(t, c.Violations())
	})
}

func TestConfig(t *testing.T) {
	good := webhook.Config{URL: webhooktest.URL, Secrets: []string{webhooktest.Secret}}
	for field, change := range map[string]func(*webhook.Config){
		"Config.URL":      func(c *webhook.Config) { c.URL = "console.example" },
		"Config.Secrets":  func(c *webhook.Config) { c.Secrets = nil },
		"Config.Secrets ": func(c *webhook.Config) { c.Secrets = []string{"whsec_c2hvcnQ="} },
		"Config.Secrets2": func(c *webhook.Config) { c.Secrets = []string{"whsec_!!"} },
	} {
		c := good
		change(&c)
		_, err := webhook.New(c)
		var bad *handoff.InvalidError
		require.ErrorAs(t, err, &bad)
		assert.True(t, strings.HasPrefix(field, bad.Field))
		assert.NotContains(t, err.Error(), "c2hvcnQ")
	}
}

// The published schema has every type that the code knows, and no other.
func TestSchemaIsComplete(t *testing.T) {
	var s struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(webhook.Schema(), &s))
	_, err := vendortest.ParseSchema(webhook.Schema())
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		p := bridge(t, webhooktest.New(t), nil)
		for name := range s.Defs {
			typ, in := strings.CutPrefix(name, "in.")
			if !in {
				continue
			}
			body := fmt.Sprintf(`{"type":%q,"timestamp":"2000-01-01T00:00:00Z","data":{"reference":"r","text":"x"}}`, typ)
			events, _, err := p.Receive(t.Context(), webhooktest.Sign(webhooktest.Secret, "id", time.Now(), []byte(body)))
			require.NoError(t, err)
			assert.Len(t, events, 1, "%s is in the schema and nothing in the code", typ)
		}
	})
}

func FuzzReceive(f *testing.F) {
	p, err := webhook.New(webhook.Config{URL: webhooktest.URL, Secrets: []string{webhooktest.Secret}})
	if err != nil {
		f.Fatal(err)
	}
	c := webhooktest.New(f)
	s, err := bridge(f, c, nil).Open(context.Background(), handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
	if err != nil {
		f.Fatal(err)
	}
	ann := handoff.Party{ID: "7", Name: "Ann"}
	vendortest.Talk(c, s.Reference, ann)
	for _, a := range []providertest.Act{
		{Kind: providertest.Queue, Position: 2},
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Type},
		{Kind: providertest.Say, Text: "<b>é"},
		{Kind: providertest.Say, Text: "x", Files: []handoff.File{{Name: "a", URL: "https://example.org/a"}}},
		{Kind: providertest.Write, Text: "n"},
		{Kind: providertest.UserSays, ID: "u", Text: "y"},
		{Kind: providertest.Leave},
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Transfer, Agent: handoff.Party{ID: "8"}},
		{Kind: providertest.Return},
		{Kind: providertest.TakeControl, Conversation: "d", Agent: ann},
	} {
		a.Chat = s.Reference
		c.Do(a)
	}
	seeds := vendortest.Bodies(c.Webhooks())
	for _, text := range []string{
		`{}`, `[]`, `{"type":"chat.failed","timestamp":"2026-01-02T03:04:05Z","data":{"reference":"r","code":"no_agent"}}`,
		`{"type":"chat.queued","timestamp":"2026-01-02T03:04:05Z","data":{"reference":"r","position":-1,"wait_seconds":1e308}}`,
		`{"type":"agent.message","timestamp":"x","data":{}}`, `{"type":"agent.message","timestamp":"2026-01-02T03:04:05+02:00","data":{"reference":"r","text":"\u0000\ud800"}}`,
		`{"type":"agent.typing","timestamp":"2026-01-02T03:04:05Z","data":{"reference":"r","on":false}}`,
		`{"type":"chat.ended","timestamp":"2026-01-02T03:04:05Z","data":{"attempt":"c.1.1"}}`,
	} {
		seeds = append(seeds, []byte(text))
	}
	vendortest.FuzzReceive(f, p, func(body []byte) handoff.Webhook {
		return webhooktest.Sign(webhooktest.Secret, "event-1", time.Now(), body)
	}, seeds...)
}

// What a console answers apart from what it is asked for. Every webhook is sent
// again under its id for a while, so that what was applied without an answer is
// there once.
func TestTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := webhooktest.New(t)
		p := bridge(t, c, nil)
		s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
		require.NoError(t, err)
		var want []string
		for i, tc := range []struct {
			trouble              vendortest.Trouble
			code                 string
			retryable, ambiguous bool
			after                time.Duration
		}{
			{vendortest.Trouble{Status: http.StatusUnauthorized}, "http_401", false, false, 0},
			{vendortest.Trouble{Status: http.StatusNotFound}, "http_404", false, false, 0},
			{vendortest.Trouble{Status: http.StatusConflict}, "http_409", false, false, 0},
			{vendortest.Trouble{Status: http.StatusLocked, Times: 10}, "http_423", true, false, 0},
			{vendortest.Trouble{Status: http.StatusTooManyRequests, Times: 10}, "http_429", true, false, 0},
			{vendortest.Trouble{Status: http.StatusTooManyRequests, RetryAfter: "90"}, "http_429", true, false, 90 * time.Second},
			{vendortest.Trouble{Status: http.StatusInternalServerError, Times: 10}, "http_500", true, true, 0},
			{vendortest.Trouble{Cut: true, Apply: true, Times: 10}, "no_answer", true, true, 0},
			{vendortest.Trouble{Slow: time.Minute, Apply: true, Times: 10}, "cancelled", true, true, 0},
		} {
			m := handoff.ProviderMessage{ID: fmt.Sprintf("m%d", i), Text: fmt.Sprintf("message %d", i), From: handoff.Party{Role: handoff.RoleUser}}
			want = append(want, m.Text)
			send := func() error {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				return p.Send(ctx, s, m)
			}
			c.Next(tc.trouble)
			err := send()
			var pe *handoff.ProviderError
			require.ErrorAs(t, err, &pe, "%+v", tc.trouble)
			assert.Equal(t, []any{tc.code, tc.retryable, tc.ambiguous, tc.after}, []any{pe.Code, pe.Retryable, pe.Ambiguous, pe.RetryAfter}, "%+v", tc.trouble)
			for range 10 { // until the trouble is over
				time.Sleep(2 * time.Minute) //nolint:forbidigo // in a bubble
				m.Again = true
				if err = send(); err == nil {
					break
				}
			}
			require.NoError(t, err, "%+v", tc.trouble)
		}
		var got []string
		for _, m := range c.Chats()[0].Messages {
			got = append(got, m.Text)
		}
		assert.Equal(t, want, got)
		assert.Empty(t, c.Violations())
	})
}

// Errors of a console that quotes what it was sent do not carry it on.
func TestErrorsAreQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := webhooktest.New(t)
		c.Next(vendortest.Trouble{Status: http.StatusBadRequest, Body: `{"error":"secret text"}`})
		m := handoff.ProviderMessage{ID: "m", Text: "secret text", From: handoff.Party{Role: handoff.RoleUser}}
		err := bridge(t, c, nil).Send(t.Context(), handoff.Session{Reference: "r"}, m)
		require.Error(t, err)
		for e := err; e != nil; e = errors.Unwrap(e) {
			assert.NotContains(t, fmt.Sprintf("%+v", e), "secret text")
		}
	})
}

func TestStrangers(t *testing.T) {
	for _, custody := range []handoff.Custody{handoff.CustodyQueue, handoff.CustodyConversation} {
		vendortest.Strangers{
			New: func(t *testing.T) (vendortest.Platform, handoff.Provider) {
				d := webhooktest.New(t)
				return d, bridge(t, d, func(c *webhook.Config) { c.Custody = custody })
			},
			NoTenant: "a console has one tenant for each secret, and its references are the console's",
		}.Check(t)
	}
}

// An agent who stops writing is told so, and an answer that is none leaves open
// whether it was done.
func TestStopsAndNonsense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := webhooktest.New(t)
		p := bridge(t, c, nil)
		for on, stopped := range map[string]bool{`"on":true,`: false, `"on":false,`: true, "": false} {
			body := `{"type":"agent.typing","timestamp":"2000-01-01T00:00:00Z","data":{` + on + `"reference":"r"}}`
			events, _, err := p.Receive(t.Context(), webhooktest.Sign(webhooktest.Secret, "id", time.Now(), []byte(body)))
			require.NoError(t, err)
			require.Len(t, events, 1)
			assert.Equal(t, stopped, events[0].Stopped, on)
		}
		c.Next(vendortest.Trouble{Status: http.StatusOK, Body: "fine", Apply: true})
		_, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe)
		assert.Equal(t, []any{"answer", true, true}, []any{pe.Code, pe.Retryable, pe.Ambiguous})
	})
}
