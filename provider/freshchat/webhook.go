package freshchat

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// glance is how long a webhook waits for the names of agents.
const glance = 2 * time.Second

// delivery is a webhook.
type delivery struct {
	Action string `json:"action"`
	Time   string `json:"action_time"` // the same when it is sent again
	Data   struct {
		Message    message    `json:"message"`
		Assignment assignment `json:"assignment"`
		Resolve    struct {
			Resolver     string       `json:"resolver"` // agent, system, …
			ResolverID   string       `json:"resolver_id"`
			Conversation conversation `json:"conversation"`
		} `json:"resolve"`
	} `json:"data"`
}

type assignment struct {
	To           string       `json:"to_agent_id"`
	From         string       `json:"from_agent_id"`
	Conversation conversation `json:"conversation"`
}

// signed reports whether a signature is that of a body under one of the keys.
func (p *Provider) signed(signature string, body []byte) bool {
	mac, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(body)
	found := false
	for _, key := range p.keys {
		found = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], mac) == nil || found
	}
	return found
}

// Receive implements [handoff.Receiver].
func (p *Provider) Receive(ctx context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	if !p.signed(http.Header(w.Header).Get("X-Freshchat-Signature"), w.Body) {
		return provider.RefuseSignature()
	}
	var d delivery
	if provider.DecodeJSON(w.Body, &d) != nil {
		return provider.RefuseBody()
	}
	ctx, cancel := context.WithTimeout(ctx, glance) // for all names together
	defer cancel()
	switch d.Action {
	case "message_create":
		return provider.Returned(p.cfg.Return, p.said(ctx, &d.Data.Message)), handoff.WebhookReply{}, nil
	case "conversation_assignment":
		return p.assigned(ctx, &d), handoff.WebhookReply{}, nil
	case "conversation_resolution":
		return p.ended(ctx, &d), handoff.WebhookReply{}, nil
	}
	return nil, handoff.WebhookReply{}, nil
}

// said is a message or a note of an agent. What the user says is ours, and so
// is what our agent says.
func (p *Provider) said(ctx context.Context, m *message) []handoff.ProviderEvent {
	text, files := m.read()
	text = provider.Text(text, provider.MaxText)
	ev := handoff.ProviderEvent{
		ID: provider.Name("message/" + m.ID), Kind: handoff.EventMessage, Reference: provider.Name(m.Conversation), At: moment(m.CreatedTime),
		MessageID: provider.Name(m.ID), Text: text, Files: files,
	}
	if m.Type == private || m.Note {
		ev.Kind = handoff.EventNote
	}
	wanted := m.Type == "" || m.Type == normal || m.Type == private
	if !wanted || ev.MessageID == "" || ev.Reference == "" || m.ActorType != byAgent || m.ActorID == "" || m.ActorID == p.cfg.Agent || text == "" && len(files) == 0 {
		return nil
	}
	ev.Agent = provider.Agent(m.ActorID, p.nameOf(ctx, m.ActorID))
	return []handoff.ProviderEvent{ev}
}

// assigned is a new assignee: an agent has joined or taken over, or the
// conversation waits again. Its group may change alone.
func (p *Provider) assigned(ctx context.Context, d *delivery) []handoff.ProviderEvent {
	a := &d.Data.Assignment
	to, from := a.To, a.From
	if to == p.cfg.Agent {
		to = ""
	}
	if from == p.cfg.Agent {
		from = ""
	}
	ev := handoff.ProviderEvent{
		ID: provider.Name("assignment/" + a.Conversation.ID + "/" + d.Time + "/" + to), Reference: provider.Name(a.Conversation.ID), At: moment(d.Time),
	}
	switch {
	case ev.Reference == "" || to == from:
		return nil
	case to == "":
		ev.Kind, ev.Agent = handoff.EventLeft, provider.Agent(from, p.nameOf(ctx, from))
		return []handoff.ProviderEvent{ev}
	}
	ev.Kind, ev.Agent = handoff.EventJoined, provider.Agent(to, p.nameOf(ctx, to))
	if from == "" {
		return []handoff.ProviderEvent{ev}
	}
	moved := ev
	moved.Kind, moved.ID, moved.Agent = handoff.EventTransferred, ev.ID+"/from", provider.Agent(from, p.nameOf(ctx, from))
	return []handoff.ProviderEvent{moved, ev}
}

func (p *Provider) ended(ctx context.Context, d *delivery) []handoff.ProviderEvent {
	r := &d.Data.Resolve
	ev := handoff.ProviderEvent{
		ID: provider.Name("resolution/" + r.Conversation.ID + "/" + d.Time), Kind: handoff.EventEnded,
		Reference: provider.Name(r.Conversation.ID), At: moment(d.Time),
	}
	if ev.Reference == "" {
		return nil
	}
	if r.Resolver == byAgent && r.ResolverID != "" && r.ResolverID != p.cfg.Agent {
		ev.Agent = provider.Agent(r.ResolverID, p.nameOf(ctx, r.ResolverID))
	}
	return []handoff.ProviderEvent{ev}
}
