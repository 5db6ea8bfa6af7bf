package implement

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Helpdesk is a platform with the least a platform can have: its interface
// opens chats, takes messages and closes chats; its webhooks tell what the
// agents do, signed with a secret.
//
//	POST /chats                  {"attempt", "note", "said": [{"from", "text"}]} → {"chat"}
//	POST /chats/{chat}/messages  {"id", "from", "text"}
//	POST /chats/{chat}/close     {}
//	webhook                      {"id", "chat", "what", "at", "agent", "name", "text"}
type Helpdesk struct {
	URL    string // of the platform's interface
	Secret string
	Client *http.Client
}

// Info has the name by which queues refer to it.
func (h *Helpdesk) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: "helpdesk", Custody: handoff.CustodyQueue,
		Can: handoff.Capabilities{SendsOnce: true, AgentReturns: true},
	}
}

type helpdeskSaid struct {
	ID   string `json:"id,omitempty"`
	From string `json:"from"`
	Text string `json:"text"`
}

// Open opens a chat. The platform knows attempts: the same one is the same chat.
func (h *Helpdesk) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	in := struct {
		Attempt string         `json:"attempt"`
		Note    string         `json:"note"`
		Said    []helpdeskSaid `json:"said"`
	}{Attempt: o.Attempt, Note: o.Note}
	for i := range o.Transcript {
		e := &o.Transcript[i]
		in.Said = append(in.Said, helpdeskSaid{From: string(e.From.Role), Text: e.Text})
	}
	var out struct {
		Chat string `json:"chat"`
	}
	err := h.post(ctx, "open", "/chats", in, &out)
	return handoff.Session{Reference: out.Chat}, err
}

// Send passes on a message of the user.
func (h *Helpdesk) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	said := helpdeskSaid{ID: m.ID, From: string(m.From.Role), Text: m.Text}
	return h.post(ctx, "send", "/chats/"+url.PathEscape(s.Reference)+"/messages", said, nil)
}

// Close closes a chat. One that is gone is closed.
func (h *Helpdesk) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	err := h.post(ctx, "close", "/chats/"+url.PathEscape(s.Reference)+"/close", struct{}{}, nil)
	var pe *handoff.ProviderError
	if errors.As(err, &pe) && pe.Status == http.StatusNotFound {
		return nil
	}
	return err
}

// post calls the platform. Errors hold neither content nor secrets; a call
// without an answer may have been applied.
func (h *Helpdesk) post(ctx context.Context, op, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL+path, bytes.NewReader(body))
	if err != nil {
		return &handoff.ProviderError{Op: op, Code: "bad_address"}
	}
	req.Header.Set("Authorization", "Bearer "+h.Secret)
	resp, err := h.Client.Do(req)
	if err != nil {
		return &handoff.ProviderError{Op: op, Code: "no_answer", Retryable: true, Ambiguous: true}
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		return &handoff.ProviderError{Op: op, Status: resp.StatusCode, Retryable: true}
	case resp.StatusCode >= http.StatusInternalServerError:
		return &handoff.ProviderError{Op: op, Status: resp.StatusCode, Retryable: true, Ambiguous: true}
	case resp.StatusCode >= http.StatusBadRequest:
		return &handoff.ProviderError{Op: op, Status: resp.StatusCode}
	}
	if out == nil {
		return nil
	}
	if json.NewDecoder(resp.Body).Decode(out) != nil {
		return &handoff.ProviderError{Op: op, Code: "bad_answer", Retryable: true, Ambiguous: true}
	}
	return nil
}

// A helpdeskEvent is the body of a webhook.
type helpdeskEvent struct {
	ID    string    `json:"id"`
	Chat  string    `json:"chat"`
	What  string    `json:"what"`
	At    time.Time `json:"at"`
	Agent string    `json:"agent"`
	Name  string    `json:"name"`
	Text  string    `json:"text"`
}

var errSignature = errors.New("implement: the signature does not fit")

// Receive verifies the raw body, and then decodes it.
func (h *Helpdesk) Receive(_ context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	refused := handoff.WebhookReply{Status: http.StatusForbidden}
	got, err := hex.DecodeString(http.Header(w.Header).Get("X-Helpdesk-Signature"))
	if err != nil || !hmac.Equal(got, Sign(h.Secret, w.Body)) {
		return nil, refused, errSignature
	}
	var e helpdeskEvent
	if json.Unmarshal(w.Body, &e) != nil || e.At.Before(time.Now().Add(-24*time.Hour)) {
		return nil, refused, errors.New("implement: a webhook that is old or makes no sense")
	}
	ev := handoff.ProviderEvent{
		ID: e.ID, Reference: e.Chat, At: e.At, Text: e.Text, MessageID: e.ID,
		Agent: handoff.Party{Role: handoff.RoleAgent, ID: e.Agent, Name: e.Name},
	}
	kinds := map[string]handoff.ProviderEventKind{
		"joined": handoff.EventJoined, "said": handoff.EventMessage, "left": handoff.EventLeft,
		"closed": handoff.EventEnded, "returned": handoff.EventReturned,
	}
	ev.Kind = kinds[e.What]
	if ev.Kind == "" {
		return nil, handoff.WebhookReply{}, nil // nothing that concerns us
	}
	return []handoff.ProviderEvent{ev}, handoff.WebhookReply{}, nil
}

// Sign returns the signature of a webhook's body.
func Sign(secret string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return mac.Sum(nil)
}
