package slack_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/slack"
	"github.com/seed-2a427302/handoff/provider/slack/slacktest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

func config(h http.Handler) slack.Config {
	files := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "slack.example" || r.URL.Host == "slack.example" {
			h.ServeHTTP(w, r)
			return
		}
		_, _ = w.Write([]byte("%PDF"))
	})
	return slack.Config{
		URL: slacktest.URL, Token: slacktest.Token, Secrets: []string{slacktest.Secret}, Channel: slacktest.Channel,
		Agents: map[string]string{"7": "Ann", "8": "Bob"}, HTTP: providertest.Client(h), Files: providertest.Client(files),
	}
}

func adapter(tb testing.TB, h http.Handler) *slack.Provider {
	tb.Helper()
	p, err := slack.New(config(h))
	require.NoError(tb, err)
	return p
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := slacktest.New(t)
		return providertest.Harness{Provider: adapter(t, d), Vendor: d, Again: func() handoff.Provider { return adapter(t, d) }}
	})
}

func TestSignatures(t *testing.T) {
	h := http.Header{}
	h.Set("X-Slack-Request-Timestamp", "1531420618")
	h.Set("X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503")
	h.Set("Content-Type", "application/x-www-form-urlencoded")
	vendortest.Scheme{
		New: func(secrets ...string) handoff.Receiver {
			c := config(nil)
			c.Secrets = secrets
			p, err := slack.New(c)
			require.NoError(t, err)
			return p
		},
		Vectors: []vendortest.Vector{{
			// The worked example of Slack's documentation.
			Source: "https://docs.slack.dev/authentication/verifying-requests-from-slack/",
			Secret: "8f742231b10e8888abcd99yyyzzz85a5", At: time.Unix(1531420618, 0),
			Webhook: handoff.Webhook{Method: http.MethodPost, Header: h, Body: []byte("token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&" +
				"channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&" +
				"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&" +
				"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c")},
		}},
		Sign: func(secret string, at time.Time) handoff.Webhook {
			return slacktest.Sign(secret, "application/json", at, []byte(`{"type":"other"}`))
		},
		Header: "X-Slack-Signature", Timed: true,
	}.Check(t)
}

func receive(t *testing.T, typ, body string) ([]handoff.ProviderEvent, handoff.WebhookReply) {
	t.Helper()
	events, reply, err := adapter(t, nil).Receive(t.Context(), slacktest.Sign(slacktest.Secret, typ, time.Now(), []byte(body)))
	require.NoError(t, err)
	return events, reply
}

func TestChallenge(t *testing.T) {
	_, reply := receive(t, "application/json", `{"token":"x","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}`)
	assert.Equal(t, "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", string(reply.Body))
}

// Slack's marks are for people what they stand for.
func TestTextOfAgents(t *testing.T) {
	for in, want := range map[string]string{
		"a &lt;b&gt; &amp;amp; c":                              "a <b> &amp; c",
		"see <https://example.org/?a=1&amp;b=2>":               "see https://example.org/?a=1&b=2",
		"see <https://example.org|the page>":                   "see the page (https://example.org)",
		"<http://example.org|example.org> ok":                  "http://example.org ok",
		"ask <@U123|ann> in <#C1|help> or <@U9> <!here>":       "ask @ann in #help or @U9 @here",
		"1 &lt; 2 <broken":                                     "1 < 2 <broken",
		"mail <mailto:a@example.org|a@example.org>, *bold* :)": "mail a@example.org (mailto:a@example.org), *bold* :)",
	} {
		body := vendortest.JSON(map[string]any{"type": "event_callback", "event": map[string]string{
			"type": "message", "channel": "C1", "user": "U1", "text": in, "ts": "1700000000.000200", "thread_ts": "1700000000.000100",
		}})
		events, _ := receive(t, "application/json", string(body))
		require.Len(t, events, 1)
		assert.Equal(t, want, events[0].Text)
		assert.Equal(t, time.Unix(1700000000, 200_000).UTC(), events[0].At)
	}
}

// What is no message of a person in a thread says nothing.
func TestOtherEvents(t *testing.T) {
	for _, event := range []string{
		`{"type":"message","channel":"C1","user":"U1","text":"in the channel","ts":"1.1"}`,
		`{"type":"message","channel":"C1","user":"U1","text":"root","ts":"1.1","thread_ts":"1.1"}`,
		`{"type":"message","subtype":"message_changed","channel":"C1","user":"U1","text":"x","ts":"1.2","thread_ts":"1.1"}`,
		`{"type":"message","channel":"C1","user":"U1","bot_id":"B1","text":"x","ts":"1.2","thread_ts":"1.1"}`,
		`{"type":"reaction_added","user":"U1"}`,
	} {
		events, _ := receive(t, "application/json", `{"type":"event_callback","event":`+event+`}`)
		assert.Empty(t, events, event)
	}
	events, _ := receive(t, "application/x-www-form-urlencoded", "command=%2Fx")
	assert.Empty(t, events)
}

// What Slack answers apart from what it is asked for.
func TestTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := slacktest.New(t)
		p := adapter(t, d)
		s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
		require.NoError(t, err)
		m := handoff.ProviderMessage{ID: "m", Text: "hello", From: handoff.Party{Role: handoff.RoleUser}}
		send := func(ctx context.Context) error { return p.Send(ctx, s, m) }
		applied := vendortest.CheckTroubles(t, d.Double, "POST /api/chat.postMessage", send)
		// It was applied without an answer; looked for, it is found.
		m.Again = true
		require.NoError(t, send(t.Context()))
		assert.Len(t, d.Chats()[0].Messages, applied)
	})
}

// Slack says most of what is wrong with 200 and ok: false.
func TestFailuresWithStatus200(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := slacktest.New(t)
		p := adapter(t, d)
		s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
		require.NoError(t, err)
		for code, want := range map[string][]bool{
			"ratelimited": {true, false}, "internal_error": {true, true}, "not_in_channel": {false, false}, "invalid_auth": {false, false},
		} {
			d.Next(vendortest.Trouble{Status: http.StatusOK, Body: `{"ok":false,"error":"` + code + `"}`, Times: 3, On: "POST /api/chat.postMessage"})
			err := p.Send(t.Context(), s, handoff.ProviderMessage{ID: "m", Text: "x", From: handoff.Party{Role: handoff.RoleUser}})
			var pe *handoff.ProviderError
			require.ErrorAs(t, err, &pe)
			assert.Equal(t, code, pe.Code)
			assert.Equal(t, want, []bool{pe.Retryable, pe.Ambiguous}, code)
			for range 3 { // what is left of it
				_, _ = p.Ticket(t.Context(), handoff.Handoff{}, "x", code)
			}
		}
	})
}

func TestConfig(t *testing.T) {
	vendortest.CheckConfig(t, func() slack.Config { return config(nil) }, slack.New, map[string]func(*slack.Config){
		"Config.URL":     func(c *slack.Config) { c.URL = "x" },
		"Config.Token":   func(c *slack.Config) { c.Token = "" },
		"Config.Secrets": func(c *slack.Config) { c.Secrets = nil },
		"Config.Channel": func(c *slack.Config) { c.Channel = "" },
	}, slacktest.Token)
}

func seeds(f *testing.F) [][]byte {
	d := slacktest.New(f)
	s, err := adapter(f, d).Open(context.Background(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
	require.NoError(f, err)
	ann := handoff.Party{ID: "U7", Name: "Ann"}
	vendortest.Talk(d, s.Reference, ann)
	for _, a := range []providertest.Act{
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Say, Text: "é <b> &"},
		{Kind: providertest.Say, Text: "https://example.org"},
		{Kind: providertest.Say, Text: "x", Files: []handoff.File{{Name: "a.png", Type: "image/png"}}},
		{Kind: providertest.Write, Text: "n"},
		{Kind: providertest.Leave},
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Return},
	} {
		a.Chat = s.Reference
		d.Do(a)
	}
	out := vendortest.Bodies(d.Webhooks())
	for _, text := range []string{
		`{}`, `[]`, `{"type":"url_verification","challenge":"x\u0000"}`, `{"type":"event_callback","event":null}`,
		`{"type":"event_callback","event":{"type":"message","channel":"C1","user":"U1","text":"<","ts":"-1.5","thread_ts":"1.1"}}`,
		`{"type":"event_callback","event":{"type":"message","channel":"C1","user":"U1","text":"<|>","ts":"9e9","thread_ts":"1.1"}}`,
		`{"type":"event_callback","event":{"type":"message","channel":"C1","user":"U1","text":"//","ts":"1.2","thread_ts":"1.1"}}`,
		`{"type":"event_callback","event":{"type":"app_mention"}}`,
		"payload=%7B%7D", "payload=x", "payload=" + url.QueryEscape(`{"type":"view_submission"}`),
		"payload=" + url.QueryEscape(`{"type":"block_actions","container":{"channel_id":"C1","message_ts":"1.1"},"actions":[{"action_id":"handoff_end","action_ts":"1.2"}]}`),
	} {
		out = append(out, []byte(text))
	}
	return out
}

func FuzzReceive(f *testing.F) {
	p, list := adapter(f, nil), seeds(f)
	vendortest.FuzzReceive(f, p, func(body []byte) handoff.Webhook {
		typ := "application/json"
		if len(body) > 0 && body[0] == 'p' {
			typ = "application/x-www-form-urlencoded"
		}
		return slacktest.Sign(slacktest.Secret, typ, time.Now(), body)
	}, list...)
}

func TestStrangers(t *testing.T) {
	vendortest.Strangers{
		New: func(t *testing.T) (vendortest.Platform, handoff.Provider) {
			d := slacktest.New(t)
			return d, adapter(t, d)
		},
		Tenants: []vendortest.Tenant{{What: "channel", Ours: slacktest.Channel, Theirs: "C0OTHER"}},
		Sign: func(w handoff.Webhook, body []byte) handoff.Webhook {
			return slacktest.Sign(slacktest.Secret, http.Header(w.Header).Get("Content-Type"), time.Now(), body)
		},
	}.Check(t)
}

// A thread with more messages than a page has.
func TestLongThread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := slacktest.New(t)
		p := adapter(t, d)
		s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
		require.NoError(t, err)
		m := handoff.ProviderMessage{From: handoff.Party{Role: handoff.RoleUser}, Text: "x"}
		const messages = 450
		for i := range messages {
			m.ID = strconv.Itoa(i)
			require.NoError(t, p.Send(t.Context(), s, m))
		}
		m.Again = true
		require.NoError(t, p.Send(t.Context(), s, m))
		assert.Len(t, d.Chats()[0].Messages, messages)
		assert.Empty(t, d.Violations())
	})
}

// How long Slack wants to be left alone is heeded, also where it says so with 200;
// and what it names as the place of an upload is reached through the guard alone.
func TestRateLimitWithStatus200(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, uploads := slacktest.New(t), 0
		c := config(d)
		through := c.Files
		c.Files = providertest.Client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/upload/") {
				uploads++
			}
			resp, err := through.Transport.RoundTrip(r)
			if err != nil {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			defer func() { _ = resp.Body.Close() }()
			w.WriteHeader(resp.StatusCode)
			_, _ = io.Copy(w, resp.Body)
		}))
		p, err := slack.New(c)
		require.NoError(t, err)
		s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
		require.NoError(t, err)
		m := handoff.ProviderMessage{ID: "m", Text: "x", From: handoff.Party{Role: handoff.RoleUser}, Files: []handoff.File{{Name: "a.pdf", URL: "https://files.example/a.pdf"}}}
		require.NoError(t, p.Send(t.Context(), s, m))
		assert.Equal(t, 1, uploads)

		m.ID, m.Files = "n", nil
		d.Next(vendortest.Trouble{Status: http.StatusOK, Body: `{"ok":false,"error":"ratelimited"}`, RetryAfter: "90", On: "POST /api/chat.postMessage"})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var pe *handoff.ProviderError
		require.ErrorAs(t, p.Send(ctx, s, m), &pe)
		assert.Equal(t, 90*time.Second, pe.RetryAfter)
	})
}
