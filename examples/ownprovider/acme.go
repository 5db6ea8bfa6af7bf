// Package ownprovider is a provider written by docs/providers/write-your-own.md
// alone, for an invented help desk, Acme:
//
//	POST /chats                  {"attempt", "note", "said"} → {"chat"}; the same attempt is the same chat
//	GET  /chats?attempt=         {"chat"}, or 404
//	GET  /chats/{chat}           {"state": "waiting" | "open" | "closed", "agent", "name"}
//	POST /chats/{chat}/messages  {"id", "from", "text"}; the same id is the same message
//	PUT  /chats/{chat}           {"state": "closed"}
//	webhook, signed              {"id", "chat", "attempt", "what", "at", "agent", "name", "text"}
package ownprovider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Config names an account of Acme.
type Config struct {
	URL, Token string
	Secrets    []string // that sign webhooks
	HTTP       *http.Client
}

// A Provider connects an engine with Acme.
type Provider struct {
	api     provider.Client
	secrets provider.Secrets
}

// New returns a provider. It does no I/O.
func New(c Config) (*Provider, error) {
	if c.Token == "" || len(c.Secrets) == 0 {
		return nil, &handoff.InvalidError{Field: "Config.Token or Secrets", Why: "is empty"}
	}
	return &Provider{secrets: c.Secrets, api: provider.Client{
		Base: c.URL, HTTP: c.HTTP, Limit: provider.NewLimiter(50, 50),
		Authorize: func(r *http.Request) error { r.Header.Set("Authorization", "Bearer "+c.Token); return nil },
	}}, nil
}

// Info implements handoff.Provider.
func (p *Provider) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: "acme", Custody: handoff.CustodyQueue, MaxBytes: 4000,
		Can: handoff.Capabilities{FindsAttempt: true, SendsOnce: true, ReadsState: true, NativeHistory: true},
	}
}

type said struct {
	ID   string       `json:"id"`
	From handoff.Role `json:"from"`
	Text string       `json:"text"`
}

type chat struct {
	Chat  string `json:"chat"`
	State string `json:"state"`
	Agent string `json:"agent"`
	Name  string `json:"name"`
}

func path(s handoff.Session) string { return "/chats/" + url.PathEscape(s.Reference) }

// Open implements handoff.Provider.
func (p *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	script := []said{}
	for _, l := range (provider.Renderer{}).Replay(o.Transcript, 4000) {
		script = append(script, said{l.ID, l.From.Role, l.Text})
	}
	in := map[string]any{"attempt": o.Attempt, "note": o.Note, "said": script}
	var out chat
	err := p.api.Do(ctx, provider.Call{Op: "open", Path: "/chats", JSON: in, Repeatable: true}, &out)
	return handoff.Session{Reference: out.Chat}, err
}

// Find implements handoff.Finder.
func (p *Provider) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	var out chat
	err := p.api.Do(ctx, provider.Call{Op: "find", Path: "/chats", Query: url.Values{"attempt": {attempt}}}, &out)
	return handoff.Session{Reference: out.Chat}, out.Chat != "", provider.Tolerate(err, http.StatusNotFound)
}

// Send implements handoff.Provider.
func (p *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	return p.api.Do(ctx, provider.Call{Op: "send", Path: path(s) + "/messages", JSON: said{m.ID, m.From.Role, m.Text}, Repeatable: true}, nil)
}

// Close implements handoff.Provider.
func (p *Provider) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	call := provider.Call{Op: "close", Method: http.MethodPut, Path: path(s), JSON: map[string]string{"state": "closed"}, Repeatable: true}
	return provider.Tolerate(p.api.Do(ctx, call, nil), http.StatusNotFound)
}

// ReadState implements handoff.StateReader.
func (p *Provider) ReadState(ctx context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	states := map[string]handoff.SessionState{"waiting": handoff.SessionQueued, "open": handoff.SessionActive, "closed": handoff.SessionEnded}
	var out chat
	err := p.api.Do(ctx, provider.Call{Op: "state", Path: path(s)}, &out)
	return states[out.State], provider.Agent(out.Agent, out.Name), err
}

// Receive implements handoff.Receiver. Webhooks that it does not know say nothing.
func (p *Provider) Receive(_ context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	h := http.Header(w.Header)
	mac, err := hex.DecodeString(h.Get("X-Acme-Signature"))
	at := h.Get("X-Acme-Time")
	if err != nil || !provider.Fresh(at) || !p.secrets.FitsMAC(sha256.New, mac, []byte(at+"."), w.Body) {
		return provider.RefuseSignature()
	}
	var e struct {
		ID, Chat, Attempt, What, Agent, Name, Text string
		At                                         time.Time
	}
	if provider.DecodeJSON(w.Body, &e) != nil || e.ID == "" {
		return provider.RefuseBody()
	}
	kind, ok := map[string]handoff.ProviderEventKind{
		"joined": handoff.EventJoined, "said": handoff.EventMessage, "left": handoff.EventLeft, "closed": handoff.EventEnded,
	}[e.What]
	if !ok || e.What == "said" && e.Text == "" {
		return nil, handoff.WebhookReply{}, nil
	}
	return []handoff.ProviderEvent{{
		ID: provider.Name(e.ID), Kind: kind, At: e.At, Reference: provider.Name(e.Chat), Attempt: provider.Name(e.Attempt),
		MessageID: provider.Name(e.ID), Agent: provider.Agent(e.Agent, e.Name), Text: provider.Text(e.Text, provider.MaxText),
	}}, handoff.WebhookReply{}, nil
}
