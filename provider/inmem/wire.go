package inmem

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// An event is what the platform tells, as it goes over the wire.
type event struct {
	ID           string         `json:"id"`
	Type         string         `json:"type"`
	Chat         string         `json:"chat"`
	Attempt      string         `json:"attempt,omitempty"`
	Conversation string         `json:"conversation,omitempty"`
	At           time.Time      `json:"at"`
	Agent        *agent         `json:"agent,omitempty"`
	MessageID    string         `json:"message_id,omitempty"`
	Text         string         `json:"text,omitempty"`
	Files        []handoff.File `json:"files,omitempty"`
	Position     int            `json:"position,omitempty"`
	WaitMillis   int64          `json:"wait_ms,omitempty"`
	Code         string         `json:"code,omitempty"`
	Control      bool           `json:"control,omitempty"`
}

type agent struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

func person(p handoff.Party) *agent { return &agent{ID: p.ID, Name: p.Name} }

// The platform's names of what happens.
const (
	typeQueued      = "chat.queued"
	typeJoined      = "agent.joined"
	typeLeft        = "agent.left"
	typeMessage     = "message.agent"
	typeUserMessage = "message.user"
	typeEcho        = "message.api" // what the provider sent comes back
	typeNote        = "note.created"
	typeTyping      = "agent.typing"
	typeTransferred = "chat.transferred"
	typeEnded       = "chat.ended"
	typeReturned    = "chat.returned"
	typeFailed      = "chat.failed"
)

var kinds = map[string]handoff.ProviderEventKind{
	typeQueued: handoff.EventQueued, typeJoined: handoff.EventJoined, typeLeft: handoff.EventLeft,
	typeMessage: handoff.EventMessage, typeUserMessage: handoff.EventUserMessage, typeNote: handoff.EventNote,
	typeTyping: handoff.EventTyping, typeTransferred: handoff.EventTransferred, typeEnded: handoff.EventEnded,
	typeReturned: handoff.EventReturned, typeFailed: handoff.EventFailed,
}

// decode turns an event into the engine's. Echoes, and what is not known here,
// are nothing.
func (ev *event) decode() (handoff.ProviderEvent, bool) {
	kind, ok := kinds[ev.Type]
	out := handoff.ProviderEvent{
		ID: ev.ID, Reference: ev.Chat, Attempt: ev.Attempt, Conversation: ev.Conversation, At: ev.At, Kind: kind,
		MessageID: ev.MessageID, Text: ev.Text, Files: ev.Files, Position: ev.Position,
		Wait: time.Duration(ev.WaitMillis) * time.Millisecond, Code: ev.Code, Control: ev.Control,
	}
	if ev.Agent != nil {
		out.Agent = handoff.Party{Role: handoff.RoleAgent, ID: ev.Agent.ID, Name: ev.Agent.Name}
	}
	return out, ok
}

const (
	headerTime = "X-Inmem-Timestamp"
	headerSign = "X-Inmem-Signature"
	window     = 5 * time.Minute // for clocks that differ, and against replays
)

func signature(secret, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(stamp + "."))
	_, _ = mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// sign makes the webhook of an event.
func (p *Platform) sign(ev event) handoff.Webhook {
	body, _ := json.Marshal(ev) //nolint:errchkjson // strings, numbers and times
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	h := http.Header{}
	h.Set(headerTime, stamp)
	h.Set(headerSign, signature(p.opt.Secret, stamp, body))
	h.Set("Content-Type", "application/json")
	return handoff.Webhook{Method: http.MethodPost, Path: "/", Header: h, Body: body}
}

// Receive implements [handoff.Receiver]: it verifies the raw bytes before it
// looks into them.
func (a *Provider) Receive(_ context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	h := http.Header(w.Header)
	stamp := h.Get(headerTime)
	if !hmac.Equal([]byte(h.Get(headerSign)), []byte(signature(a.p.opt.Secret, stamp, w.Body))) {
		return refuse(http.StatusUnauthorized, "signature")
	}
	at, err := strconv.ParseInt(stamp, 10, 64)
	if age := time.Since(time.Unix(at, 0)); err != nil || age > window || age < -window {
		return refuse(http.StatusUnauthorized, "timestamp")
	}
	var ev event
	if err := json.Unmarshal(w.Body, &ev); err != nil {
		return refuse(http.StatusBadRequest, "body")
	}
	out, ok := ev.decode()
	if !ok {
		return nil, handoff.WebhookReply{}, nil
	}
	return provider.Returned(a.p.opt.ReturnWord, []handoff.ProviderEvent{out}), handoff.WebhookReply{}, nil
}

func refuse(status int, code string) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return nil, handoff.WebhookReply{Status: status}, &handoff.ProviderError{
		Op: "receive", Status: status, Code: code, Err: errors.New("the webhook is not acceptable"),
	}
}
