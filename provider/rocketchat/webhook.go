package rocketchat

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// notice is a webhook.
type notice struct {
	Room     string    `json:"_id"`
	Type     string    `json:"type"`
	ClosedAt string    `json:"closedAt"`
	ClosedBy *agent    `json:"closedBy"`
	Closer   string    `json:"closer"` // user: an agent; visitor
	Agent    *agent    `json:"agent"`
	ServedBy *agent    `json:"servedBy"`
	Messages []message `json:"messages"`
}

type message struct {
	ID          string `json:"_id"`
	Text        string `json:"msg"`
	At          string `json:"ts"`
	AgentID     string `json:"agentId"`
	Closing     bool   `json:"closingMessage"`
	Attachments []struct {
		Title string `json:"title"`
		Link  string `json:"title_link"` // within the workspace
	} `json:"attachments"`
}

// Receive implements [handoff.Receiver].
func (p *Provider) Receive(_ context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	if !provider.Secrets(p.cfg.Secrets).FitsBare(http.Header(w.Header).Get("X-Rocketchat-Livechat-Token")) {
		return provider.RefuseSignature()
	}
	var n notice
	if provider.DecodeJSON(w.Body, &n) != nil {
		return provider.RefuseBody()
	}
	if provider.Name(n.Room) == "" {
		return nil, handoff.WebhookReply{}, nil
	}
	return provider.Returned(p.cfg.Return, n.events(p.api.Base)), handoff.WebhookReply{}, nil
}

func (n *notice) events(base string) []handoff.ProviderEvent {
	switch n.Type {
	case "Message":
		return n.said(base)
	case "LivechatSessionTaken":
		return n.taken("")
	case "LivechatSessionForwarded":
		if out := n.taken("forwarded/"); out != nil {
			moved := out[0]
			moved.Kind, moved.ID = handoff.EventTransferred, moved.ID+"/from"
			return []handoff.ProviderEvent{moved, out[0]}
		}
		return []handoff.ProviderEvent{n.event(handoff.EventLeft, "left/"+n.stamp(), "")}
	case "LivechatSessionQueued":
		return []handoff.ProviderEvent{n.event(handoff.EventLeft, "queued/"+n.stamp(), "")}
	case "LivechatSession":
		ev := n.event(handoff.EventEnded, "closed", n.ClosedAt)
		if n.ClosedBy != nil && n.Closer != "visitor" {
			ev.Agent = n.ClosedBy.party()
		}
		return []handoff.ProviderEvent{ev}
	}
	return nil
}

// stamp tells one change of a room from another, as far as the webhook does.
func (n *notice) stamp() string {
	if n.ServedBy != nil {
		return n.ServedBy.At
	}
	if k := len(n.Messages); k > 0 {
		return n.Messages[k-1].ID
	}
	return ""
}

func (n *notice) event(kind handoff.ProviderEventKind, id, at string) handoff.ProviderEvent {
	ev := handoff.ProviderEvent{ID: provider.Name(n.Room + "/" + id), Kind: kind, Reference: provider.Name(n.Room)}
	if t, err := time.Parse(time.RFC3339, at); err == nil {
		ev.At = t.UTC()
	}
	return ev
}

// taken is an agent who has the room now.
func (n *notice) taken(prefix string) []handoff.ProviderEvent {
	who := n.ServedBy
	if who == nil || who.ID == "" {
		who = n.Agent
	}
	if who == nil || who.ID == "" {
		return nil
	}
	full := *who
	if n.Agent != nil && n.Agent.ID == who.ID {
		full.Name = n.Agent.Name // servedBy has the username alone
	}
	ev := n.event(handoff.EventJoined, prefix+"taken/"+who.ID+"/"+who.At, who.At)
	ev.Agent = full.party()
	return []handoff.ProviderEvent{ev}
}

// said are the messages of agents. What the visitor says is ours.
func (n *notice) said(base string) (out []handoff.ProviderEvent) {
	for i := range n.Messages {
		m := &n.Messages[i]
		text := provider.Text(m.Text, provider.MaxText)
		if m.ID == "" || m.AgentID == "" || m.Closing {
			continue
		}
		ev := n.event(handoff.EventMessage, "message/"+m.ID, m.At)
		ev.MessageID, ev.Text = provider.Name(m.ID), text
		who := agent{ID: m.AgentID}
		if n.Agent != nil && n.Agent.ID == m.AgentID {
			who = *n.Agent
		}
		ev.Agent = who.party()
		for _, a := range m.Attachments[:min(len(m.Attachments), provider.MaxFiles)] {
			if strings.HasPrefix(a.Link, "/") {
				a.Link = base + a.Link
			}
			if a.Link != "" {
				ev.Files = append(ev.Files, handoff.File{Name: provider.Name(a.Title), URL: a.Link})
			}
		}
		if ev.Text != "" || len(ev.Files) > 0 { // else what was attached has no address
			out = append(out, ev)
		}
	}
	return out
}
