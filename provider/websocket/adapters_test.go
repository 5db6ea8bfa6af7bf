package websocket_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/livechat"
	"github.com/seed-2a427302/handoff/provider/livechat/livechattest"
	"github.com/seed-2a427302/handoff/provider/rocketchat"
	"github.com/seed-2a427302/handoff/provider/rocketchat/rocketchattest"
	"github.com/seed-2a427302/handoff/provider/websocket"
	"github.com/seed-2a427302/handoff/providertest"
)

// bridge serves a double over a real network: its sockets, and all else. Its address
// has the scheme http.
func bridge(t *testing.T, double http.Handler, dial provider.Dialer, address string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			double.ServeHTTP(w, r)
			return
		}
		there, err := dial(r.Context(), address+r.URL.RequestURI(), r.Header)
		if err != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		here, err := coder.Accept(w, r, nil)
		if err != nil {
			return
		}
		ctx, stop := context.WithCancel(r.Context())
		defer stop()
		go func() {
			defer stop()
			for message, err := there.Read(ctx); err == nil; message, err = there.Read(ctx) {
				_ = here.Write(ctx, coder.MessageText, message)
			}
		}()
		for _, message, err := here.Read(ctx); err == nil; _, message, err = here.Read(ctx) {
			_ = there.Write(ctx, message)
		}
		_ = there.Close()
		_ = here.CloseNow()
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// The adapters hear over a real network, in plain text, that an agent writes; the end
// of a Stream is that of its connection.
func TestAdapters(t *testing.T) {
	type platform struct {
		p       handoff.Provider
		err     error
		do      func(a providertest.Act) bool
		sockets func() int
	}
	for name, open := range map[string]func() platform{
		"rocketchat": func() platform {
			d := rocketchattest.New(t)
			p, err := rocketchat.New(rocketchat.Config{
				URL: bridge(t, d, d.Dial, "wss://chat.example"), User: rocketchattest.User, Token: rocketchattest.Token,
				Secrets: []string{rocketchattest.Secret}, Dial: websocket.Dial,
			})
			return platform{p, err, d.Do, func() int { return len(d.Sockets()) }}
		},
		"livechat": func() platform {
			d := livechattest.New(t)
			address := bridge(t, d, d.Dial, "wss://api.livechat.example")
			p, err := livechat.New(livechat.Config{
				URL: address, Accounts: address, Organization: livechattest.Organization, ClientID: livechattest.ClientID,
				ClientSecret: livechattest.ClientSecret, RefreshToken: livechattest.RefreshToken, Secrets: []string{livechattest.Secret}, Dial: websocket.Dial,
			})
			return platform{p, err, d.Do, func() int { return len(d.Sockets()) }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := open()
			require.NoError(t, x.err)
			s, err := x.p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
			require.NoError(t, err)
			x.do(providertest.Act{Kind: providertest.Join, Chat: s.Reference, Agent: handoff.Party{ID: "7", Name: "Ann"}})
			ctx, stop := context.WithCancel(t.Context())
			told, done := make(chan handoff.ProviderEvent, 10), make(chan error, 1)
			go func() {
				done <- x.p.(handoff.Streamer).Stream(ctx, s, func(ev handoff.ProviderEvent) error { told <- ev; return nil })
			}()
			require.Eventually(t, func() bool { return x.do(providertest.Act{Kind: providertest.Type, Chat: s.Reference}) }, time.Minute, 10*time.Millisecond)
			ev := <-told
			assert.Equal(t, []any{handoff.EventTyping, s.Reference, false}, []any{ev.Kind, ev.Reference, ev.Stopped})
			stop()
			require.NoError(t, <-done)
			require.Eventually(t, func() bool { return x.sockets() == 0 }, time.Minute, 10*time.Millisecond)
		})
	}
}
