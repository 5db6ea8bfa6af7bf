package livechat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// delivery is a webhook.
type delivery struct {
	Secret  string  `json:"secret_key"`
	Owner   string  `json:"organization_id"`
	Action  string  `json:"action"`
	Payload payload `json:"payload"`
}

type payload struct {
	ChatID   string `json:"chat_id"`
	ThreadID string `json:"thread_id"`
	Event    event  `json:"event"`
	Chat     chat   `json:"chat"`
	User     user   `json:"user"`
	UserID   string `json:"user_id"`
	UserType string `json:"user_type"`
	Queue    *queue `json:"queue"`
	To       struct {
		Agents []string `json:"agent_ids"`
	} `json:"transferred_to"`
}

// Receive implements [handoff.Receiver]. The secret is in the body, so that
// this has to be read before anything is known about it: no further than that.
func (p *Provider) Receive(ctx context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	var head struct {
		Secret string `json:"secret_key"`
	}
	if provider.DecodeJSON(w.Body, &head) != nil || !provider.Secrets(p.cfg.Secrets).FitsBare(head.Secret) {
		return provider.RefuseSignature()
	}
	var d delivery
	if provider.DecodeJSON(w.Body, &d) != nil {
		return provider.RefuseBody()
	}
	if d.Owner != "" && d.Owner != p.cfg.Organization {
		return nil, handoff.WebhookReply{}, nil // another tenant's
	}
	// What happens to people has neither an id nor a time there: the same body
	// is the same thing.
	sum := sha256.Sum256(w.Body)
	same := hex.EncodeToString(sum[:16])
	switch x := &d.Payload; d.Action {
	case "incoming_event":
		return provider.Returned(p.cfg.Return, p.said(ctx, x)), handoff.WebhookReply{}, nil
	case "incoming_chat":
		return x.began(), handoff.WebhookReply{}, nil
	case "user_added_to_chat", "chat_user_added":
		return p.came(ctx, x, same), handoff.WebhookReply{}, nil
	case "user_removed_from_chat", "chat_user_removed":
		return p.went(ctx, x, same), handoff.WebhookReply{}, nil
	case "chat_transferred":
		return x.moved(same), handoff.WebhookReply{}, nil
	case "chat_deactivated":
		return p.ended(ctx, x), handoff.WebhookReply{}, nil
	}
	return nil, handoff.WebhookReply{}, nil
}

func (x *payload) happened(kind handoff.ProviderEventKind, id string) handoff.ProviderEvent {
	return handoff.ProviderEvent{ID: provider.Name(string(kind) + "/" + id), Kind: kind, Reference: provider.Name(x.ChatID)}
}

// said is a message or a file of an agent. What is ours says so.
func (p *Provider) said(ctx context.Context, x *payload) []handoff.ProviderEvent {
	e := &x.Event
	text := provider.Text(e.Text, provider.MaxText)
	wanted := e.Type == "message" && text != "" || e.Type == "file" && e.URL != ""
	if !wanted || e.ID == "" || e.Author == "" || provider.Name(x.ChatID) == "" || strings.HasPrefix(e.CustomID, ours) {
		return nil
	}
	ev := x.happened(handoff.EventMessage, e.ID)
	if e.Visibility == "agents" || e.Recipients == "agents" {
		ev = x.happened(handoff.EventNote, e.ID)
	}
	ev.At, ev.MessageID, ev.Agent = moment(e.CreatedAt), provider.Name(e.ID), provider.Agent(e.Author, p.nameOf(ctx, x.ChatID, e.Author))
	if e.Type == "message" {
		ev.Text = text
		return []handoff.ProviderEvent{ev}
	}
	ev.Files = []handoff.File{{Name: provider.Name(e.Name), URL: e.URL, Type: provider.Name(e.Content), Size: int64(max(min(e.Size, 1<<50), 0))}}
	return []handoff.ProviderEvent{ev}
}

// waiting is a place in LiveChat's queue.
func (x *payload) waiting(q *queue, id string) []handoff.ProviderEvent {
	if q == nil || provider.Name(x.ChatID) == "" {
		return nil
	}
	const most = 1e6 // seconds
	ev := x.happened(handoff.EventQueued, id)
	ev.Position, ev.Wait = max(q.Position, 0), time.Duration(min(max(q.Wait, 0), most)*float64(time.Second))
	return []handoff.ProviderEvent{ev}
}

// began is a new chat: in the queue, or with an agent at once.
func (x *payload) began() []handoff.ProviderEvent {
	x.ChatID = x.Chat.ID
	if provider.Name(x.ChatID) == "" {
		return nil
	}
	if u := x.Chat.server(); u != nil {
		ev := x.happened(handoff.EventJoined, "began/"+x.ChatID+"/"+x.Chat.Thread.ID)
		ev.Agent = provider.Agent(u.ID, u.Name)
		return []handoff.ProviderEvent{ev}
	}
	return x.waiting(x.Chat.Thread.Queue, "began/"+x.ChatID+"/"+x.Chat.Thread.ID)
}

// look returns who the customer talks to now, and false if that cannot be had
// at once. Webhooks about people come in any order and have no time.
func (p *Provider) look(ctx context.Context, reference string) (*user, bool) {
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	c, err := p.read(ctx, "agent", reference)
	return c.server(), err == nil
}

// came is an agent who was added to a chat.
func (p *Provider) came(ctx context.Context, x *payload, id string) []handoff.ProviderEvent {
	who := &x.User
	who.Present = true
	if !who.serves() || provider.Name(x.ChatID) == "" {
		return nil
	}
	if now, ok := p.look(ctx, x.ChatID); ok {
		if now == nil {
			return nil // gone again
		}
		who = now
	}
	ev := x.happened(handoff.EventJoined, id)
	ev.Agent = provider.Agent(who.ID, who.Name)
	return []handoff.ProviderEvent{ev}
}

// went is a user who was removed from a chat. Only his id is told for sure:
// it matters if no agent is left.
func (p *Provider) went(ctx context.Context, x *payload, id string) []handoff.ProviderEvent {
	if provider.Name(x.ChatID) == "" || x.UserID == "" || x.UserType == "customer" {
		return nil
	}
	now, ok := p.look(ctx, x.ChatID)
	name, known := p.names.Load(x.UserID)
	if now != nil || !ok && !known && !strings.Contains(x.UserID, "@") {
		return nil
	}
	text, _ := name.(string)
	ev := x.happened(handoff.EventLeft, id)
	ev.Agent = provider.Agent(x.UserID, text)
	return []handoff.ProviderEvent{ev}
}

// moved is a transfer: to the queue, or to agents, of whom another webhook tells.
func (x *payload) moved(id string) []handoff.ProviderEvent {
	if provider.Name(x.ChatID) == "" {
		return nil
	}
	if x.Queue != nil {
		return x.waiting(x.Queue, id)
	}
	if len(x.To.Agents) == 0 {
		return nil
	}
	return []handoff.ProviderEvent{x.happened(handoff.EventTransferred, id)}
}

func (p *Provider) ended(ctx context.Context, x *payload) []handoff.ProviderEvent {
	if provider.Name(x.ChatID) == "" {
		return nil
	}
	ev := x.happened(handoff.EventEnded, x.ChatID+"/"+x.ThreadID)
	if x.UserID != "" && p.nameOf(ctx, x.ChatID, x.UserID) != "" { // not the customer
		ev.Agent = provider.Agent(x.UserID, p.nameOf(ctx, x.ChatID, x.UserID))
	}
	return []handoff.ProviderEvent{ev}
}
