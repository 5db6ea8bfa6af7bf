package zendesk

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// delivery is a webhook of Sunshine Conversations.
type delivery struct {
	App struct {
		ID string `json:"id"`
	} `json:"app"`
	Events []happening `json:"events"`
}

type happening struct {
	ID        string `json:"id"`
	CreatedAt string `json:"createdAt"`
	Type      string `json:"type"`
	Payload   struct {
		Conversation conversation `json:"conversation"`
		Message      message      `json:"message"`
		Reason       string       `json:"reason"`
		Activity     struct {
			Type   string `json:"type"`
			Author struct {
				Type string `json:"type"`
				Name string `json:"displayName"`
			} `json:"author"`
		} `json:"activity"`
	} `json:"payload"`
}

// change is the webhook of the trigger, which tells who has a ticket. The page
// in docs/providers has its body.
type change struct {
	Conversation string `json:"conversation"`
	Status       string `json:"status"`
	AgentID      string `json:"agent_id"`
	AgentName    string `json:"agent_name"`
}

// Receive implements [handoff.Receiver].
func (p *Provider) Receive(ctx context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return p.receive(ctx, w, (*message).tell)
}

// receive decodes a webhook. tell puts a message into an event, and reports
// whether it is one.
func (p *Provider) receive(_ context.Context, w handoff.Webhook, tell func(m *message, ev *handoff.ProviderEvent) bool) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	h := http.Header(w.Header)
	if h.Get("X-Zendesk-Webhook-Signature") != "" {
		return p.changed(h, w.Body)
	}
	if !provider.Secrets(p.cfg.Secrets).FitsBare(h.Get("X-Api-Key")) {
		return provider.RefuseSignature()
	}
	var d delivery
	if provider.DecodeJSON(w.Body, &d) != nil {
		return provider.RefuseBody()
	}
	if d.App.ID != "" && d.App.ID != p.cfg.App {
		return nil, handoff.WebhookReply{}, nil // another tenant's
	}
	var out []handoff.ProviderEvent
	for i := range d.Events {
		if ev, ok := d.Events[i].event(tell); ok {
			out = append(out, ev)
		}
	}
	return out, handoff.WebhookReply{}, nil
}

func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

func (e *happening) event(tell func(m *message, ev *handoff.ProviderEvent) bool) (handoff.ProviderEvent, bool) {
	c := &e.Payload.Conversation
	ev := handoff.ProviderEvent{ID: provider.Name(e.ID), Reference: provider.Name(c.ID), At: moment(e.CreatedAt)}
	if ev.ID == "" || ev.Reference == "" {
		return ev, false
	}
	switch e.Type {
	case "conversation:message":
		return ev, tell(&e.Payload.Message, &ev)
	case "conversation:typing":
		act := &e.Payload.Activity
		ev.Kind, ev.Stopped = handoff.EventTyping, act.Type == "typing:stop"
		ev.Agent = handoff.Party{Role: handoff.RoleAgent, Name: provider.Name(act.Author.Name)}
		return ev, act.Author.Type == "business" && (ev.Stopped || act.Type == "typing:start")
	case "switchboard:passControl", "switchboard:releaseControl":
		ev.Kind = handoff.EventReturned
		if e.Payload.Reason == "ticketClosed" {
			ev.Kind = handoff.EventEnded
		}
		return ev, e.Type == "switchboard:releaseControl" || c.Active != nil && !c.atAgents()
	}
	return ev, false
}

// tell puts what an agent wrote into an event. What has our mark is ours, and
// what the system writes is for nobody.
func (m *message) tell(ev *handoff.ProviderEvent) bool {
	_, ours := m.Metadata[markKey]
	if ours || m.ID == "" || m.Author.Type != "business" || slices.Contains(m.Author.Subtypes, "activity") {
		return false
	}
	m.read(ev)
	ev.Kind, ev.Agent = handoff.EventMessage, provider.Agent(m.Author.ID, m.Author.Name)
	return ev.Text != "" || len(ev.Files) > 0
}

// read puts what a message says into an event.
func (m *message) read(ev *handoff.ProviderEvent) {
	ev.ID, ev.MessageID, ev.Text = provider.Name("message/"+m.ID), provider.Name(m.ID), provider.Text(m.Content.Text, provider.MaxText)
	if at := moment(m.Received); !at.IsZero() {
		ev.At = at
	}
	if c := &m.Content; c.MediaURL != "" {
		f := handoff.File{Name: provider.Name(c.AltText), URL: c.MediaURL, Type: provider.Name(c.MediaType)}
		if c.MediaSize > 0 && c.MediaSize < 1e12 {
			f.Size = int64(c.MediaSize)
		}
		ev.Files = []handoff.File{f}
	}
}

// changed is a webhook of the trigger.
func (p *Provider) changed(h http.Header, body []byte) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	stamp := h.Get("X-Zendesk-Webhook-Signature-Timestamp")
	mac, err := base64.StdEncoding.DecodeString(h.Get("X-Zendesk-Webhook-Signature"))
	at := moment(stamp)
	if err != nil || !provider.Secrets(p.cfg.TriggerSecrets).FitsMAC(sha256.New, mac, []byte(stamp), body) || !provider.Fresh(strconv.FormatInt(at.Unix(), 10)) {
		return provider.RefuseSignature()
	}
	var c change
	if provider.DecodeJSON(body, &c) != nil {
		return provider.RefuseBody()
	}
	id := h.Get("X-Zendesk-Webhook-Invocation-Id")
	if id == "" {
		id = h.Get("X-Zendesk-Webhook-Signature")
	}
	ev := handoff.ProviderEvent{ID: provider.Name("ticket/" + id), Reference: provider.Name(c.Conversation), At: at, Kind: handoff.EventLeft}
	if ev.Reference == "" {
		return nil, handoff.WebhookReply{}, nil
	}
	if c.AgentID != "" {
		ev.Kind, ev.Agent = handoff.EventJoined, provider.Agent(c.AgentID, c.AgentName)
	}
	if c.Status == "solved" || c.Status == "closed" {
		ev.Kind = handoff.EventEnded
	}
	return []handoff.ProviderEvent{ev}, handoff.WebhookReply{}, nil
}
