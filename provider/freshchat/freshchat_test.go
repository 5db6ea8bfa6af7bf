package freshchat_test

import (
	"context"
	"crypto/rsa"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/freshchat"
	"github.com/seed-2a427302/handoff/provider/freshchat/freshchattest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

func config(h http.Handler) freshchat.Config {
	return freshchat.Config{
		URL: freshchattest.URL, Token: freshchattest.Token, Agent: freshchattest.Agent, Channel: freshchattest.Channel,
		Keys: []string{freshchattest.PEM(freshchattest.Key())}, Groups: map[string]string{"support": freshchattest.Group}, HTTP: providertest.Client(h),
	}
}

func adapter(tb testing.TB, h http.Handler) *freshchat.Suite {
	tb.Helper()
	p, err := freshchat.NewSuite(config(h), freshchat.Freshdesk{URL: freshchattest.Desk, Key: freshchattest.DeskKey, HTTP: providertest.Client(h)})
	require.NoError(tb, err)
	return p
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := freshchattest.New(t)
		return providertest.Harness{Provider: adapter(t, d), Vendor: d, Again: func() handoff.Provider { return adapter(t, d) }}
	})
}

// A webhook that Freshchat signed in 2019, with the public key of its account:
// https://github.com/nyaruka/courier/blob/main/handlers/freshchat/handler_test.go
const (
	vectorKey = "-----BEGIN RSA PUBLIC KEY----- MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuGJLF4hTTtxWogT6dNkGf3CEgLAR2mGJzlds5cNbrHFoJNFn" +
		"mVhkRYGzLYxx4EtDiezNCZVHfyMI2AKuNSQW2fEdDatVIG+q3Zr/X9eeDl8kQOGy804J/fgCYDrN8RQu0n5Dh1inv4puca0wb29SCvoAwrWb33ehDBIvv6+rUKBdjtv2xTV65k" +
		"NiVDo5VRCaYRVeE10osxeONgw55HVY4nczuxnR+dmc2282de6WHe5LXtr0ZBdJ8yttFOLIluZ/sNM5DIWZBkIWQhyT581tbA7bTpsIbrT/IMBlmioIILw8WGtI7zcmNkjU5dnq" +
		"5HnlVKEDhj/Ug/dLiyno8+Vp7QIDAQAB -----END RSA PUBLIC KEY-----"
	vectorSignature = "AhrmypOSWoewHG6LmIRuWjxyokuMDmPklrSU9p0gpUNjdSRCJzvpL6rjuTi5poV/ZLzWRWNM7X9yWjT5m9YFPshYrvigcd1ph4Ot2xmaJGYoUNJHijQccE6oDtDI" +
		"p6i/8oLRafHgObQnGukZWPbP9OE5EiKz/VcsMP0Wv7hawI/sfIviM0w+6fNOKXWi0jDBH9ap1mj5CqOUOojni7OD5iYmIrjV/h33dyNmbvAta9E+trzcEhYqxfHIN4Z8R2FsatfR" +
		"HWicoQ4PE5cQ8+UONVya8qr85nQ9w8N7Ql7yNg9fEViYG4/W/JnGEbPPEf8WrYtKzoVyuupDz4mVHdfKWg=="
	vectorBody = `{"actor":{"actor_type":"user","actor_id":"882f3926-b292-414b-a411-96380db373cd"},"action":"message_create","action_time":"2019-06-21T17:43:20.875Z",` +
		`"data":{"message":{"message_parts":[{"text":{"content":"Test 2"}}],"app_id":"55b190fa-5d3c-45c4-bc49-74ddcfcf53d7","actor_id":"882f3926-b292-414b-a411-96380db373cd",` +
		`"id":"7a454fde-c720-4c97-a61d-0ffe70449eb6","channel_id":"c8fddfaf-622a-4a0e-b060-4f3ccbeab606","conversation_id":"c327498e-f713-481e-8d83-0603e03d2521",` +
		`"message_type":"normal","actor_type":"user","created_time":"2019-06-21T17:43:20.866Z"}}}`
)

func TestSignatures(t *testing.T) {
	// A "secret" is the name of a key here, or the public key of the vector.
	keys := map[string]*rsa.PrivateKey{"": freshchattest.NewKey()}
	key := func(name string) *rsa.PrivateKey {
		if keys[name] == nil {
			keys[name] = freshchattest.NewKey()
		}
		return keys[name]
	}
	h := http.Header{}
	h.Set("X-Freshchat-Signature", vectorSignature)
	vendortest.Scheme{
		New: func(secrets ...string) handoff.Receiver {
			c := config(nil)
			c.Keys = nil
			for _, s := range secrets {
				switch s {
				case vectorKey:
					c.Keys = append(c.Keys, s)
				case "":
					c.Keys = append(c.Keys, freshchattest.PEM(freshchattest.Key())) // there is no empty key
				default:
					c.Keys = append(c.Keys, freshchattest.PEM(key(s)))
				}
			}
			p, err := freshchat.New(c)
			require.NoError(t, err)
			return p
		},
		Vectors: []vendortest.Vector{{
			Source: "nyaruka/courier handlers/freshchat/handler_test.go", Secret: vectorKey,
			Webhook: handoff.Webhook{Method: http.MethodPost, Header: h, Body: []byte(vectorBody)},
		}},
		Sign: func(secret string, _ time.Time) handoff.Webhook {
			return freshchattest.Sign(key(secret), []byte(`{"action":"conversation_reopen"}`))
		},
		Header: "X-Freshchat-Signature",
	}.Check(t)
}

// What the platform says apart from the suite's failures.
func TestTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := freshchattest.New(t)
		p := adapter(t, d)
		s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
		require.NoError(t, err)
		m := handoff.ProviderMessage{ID: "m", Text: "hello\n<b>", From: handoff.Party{Role: handoff.RoleUser}, At: time.Now()}
		send := func(ctx context.Context) error { return p.Send(ctx, s, m) }
		const messages = "POST /v2/conversations/{conversation}/messages"
		applied := vendortest.CheckTroubles(t, d.Double, messages, send)
		// It was applied without an answer; looked for, it is found.
		m.Again = true
		require.NoError(t, send(t.Context()))
		assert.Len(t, d.Chats()[0].Messages, applied)
		// Another text is another message, and so is the same one that is said
		// again later.
		m.Text, m.At = "hello", time.Now()
		require.NoError(t, send(t.Context()))
		time.Sleep(time.Hour)
		m.At = time.Now()
		require.NoError(t, send(t.Context()))
		assert.Len(t, d.Chats()[0].Messages, applied+2)
	})
}

// A conversation with more messages than a page has: the newest are on the
// first one, and the note of the opening is on the last.
func TestLongConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := freshchattest.New(t)
		p := adapter(t, d)
		o := handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}}
		s, err := p.Open(t.Context(), o)
		require.NoError(t, err)
		m := handoff.ProviderMessage{From: handoff.Party{Role: handoff.RoleUser}, At: time.Now()}
		for i := range 120 {
			m.Text = strings.Repeat("x", i+1)
			require.NoError(t, p.Send(t.Context(), s, m))
		}
		found, ok, err := p.Find(t.Context(), o.Attempt)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.False(t, found.Partial)
		m.Again = true
		require.NoError(t, p.Send(t.Context(), s, m))
		assert.Len(t, d.Chats()[0].Messages, 120)
	})
}

// Without Freshdesk there are no tickets, and the rest is the same.
func TestWithoutFreshdesk(t *testing.T) {
	p, err := freshchat.New(config(nil))
	require.NoError(t, err)
	var plain handoff.Provider = p
	_, ok := plain.(handoff.Ticketer)
	assert.False(t, ok)
	assert.False(t, p.Info().Can.Ticket)
	suite := adapter(t, nil).Info()
	suite.Can.Ticket = false
	assert.Equal(t, suite, p.Info())
}

// Somebody without an address leaves a message.
func TestTicketWithoutMail(t *testing.T) {
	d := freshchattest.New(t)
	p := adapter(t, d)
	h := handoff.Handoff{ID: handoff.ID{Conversation: strings.Repeat("é", 300), Number: 1}}
	a, err := p.Ticket(t.Context(), h, "call me", "t1")
	require.NoError(t, err)
	b, err := p.Ticket(t.Context(), h, "call me", "t1")
	require.NoError(t, err)
	assert.Equal(t, a, b)
	h.User = &handoff.Contact{ID: "u1", Name: "U"}
	const words = "1 < 2 <b>&amp;\ncall me"
	c, err := p.Ticket(t.Context(), h, words, "t2")
	require.NoError(t, err)
	assert.NotEqual(t, a, c)
	assert.Equal(t, []string{"call me", words}, d.Tickets(), "a ticket is HTML, and reads as it was said")
	assert.Empty(t, d.Violations())
}

func TestConfig(t *testing.T) {
	vendortest.CheckConfig(t, func() freshchat.Config { return config(nil) }, freshchat.New, map[string]func(*freshchat.Config){
		"Config.Return":  func(c *freshchat.Config) { c.Return = "to bot" },
		"Config.URL":     func(c *freshchat.Config) { c.URL = "ftp://x" },
		"Config.Token":   func(c *freshchat.Config) { c.Token = "" },
		"Config.Agent":   func(c *freshchat.Config) { c.Agent = "" },
		"Config.Channel": func(c *freshchat.Config) { c.Channel = "" },
		"Config.Keys":    func(c *freshchat.Config) { c.Keys = []string{"a secret"} },
	}, freshchattest.Token)
	good := func() freshchat.Freshdesk {
		return freshchat.Freshdesk{URL: freshchattest.Desk, Key: freshchattest.DeskKey}
	}
	suite := func(f freshchat.Freshdesk) (*freshchat.Suite, error) { return freshchat.NewSuite(config(nil), f) }
	vendortest.CheckConfig(t, good, suite, map[string]func(*freshchat.Freshdesk){
		"Freshdesk.URL": func(f *freshchat.Freshdesk) { f.URL = "acme" },
		"Freshdesk.Key": func(f *freshchat.Freshdesk) { f.Key = "" },
	}, freshchattest.DeskKey)
}

// Keys as Freshchat shows them, and as other tools write them.
func TestKeys(t *testing.T) {
	for name, key := range map[string]string{
		"one line": vectorKey, "bare": strings.Fields(vectorKey)[4], "lines": strings.ReplaceAll(vectorKey, " MII", "\nMII"),
	} {
		c := config(nil)
		c.Keys = []string{key}
		_, err := freshchat.New(c)
		assert.NoError(t, err, name)
	}
	for _, key := range []string{"", "-----BEGIN PUBLIC KEY-----", "MIIB", "-----BEGIN X----- ! -----END X-----"} {
		c := config(nil)
		c.Keys = []string{key}
		_, err := freshchat.New(c)
		assert.Error(t, err, key)
	}
}

func TestStrangers(t *testing.T) {
	vendortest.Strangers{
		New: func(t *testing.T) (vendortest.Platform, handoff.Provider) {
			d := freshchattest.New(t)
			return d, adapter(t, d)
		},
		NoTenant: "webhooks name none: the key is the account's",
	}.Check(t)
}
