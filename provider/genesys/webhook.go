package genesys

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// notice is a webhook: a normalized message to the customer.
type notice struct {
	ID      string `json:"id"`
	Channel struct {
		ID        string `json:"id"` // of the integration
		MessageID string `json:"messageId"`
		Time      string `json:"time"`
		To        struct {
			ID string `json:"id"`
		} `json:"to"`
	} `json:"channel"`
	Type    string `json:"type"` // Text, Structured, Event, Receipt
	Text    string `json:"text"`
	Content []struct {
		Attachment *attachment `json:"attachment"`
	} `json:"content"`
	Events []struct {
		Type string `json:"eventType"`
	} `json:"events"`
	Direction    string `json:"direction"`
	Entity       string `json:"originatingEntity"` // Human, Bot
	Conversation string `json:"conversationId"`
}

type attachment struct {
	URL  string `json:"url"`
	Mime string `json:"mime"`
	Name string `json:"filename"`
	Size int64  `json:"contentSizeBytes"`
}

// Receive implements [handoff.Receiver].
func (p *Provider) Receive(ctx context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	sum, found := strings.CutPrefix(http.Header(w.Header).Get("X-Hub-Signature-256"), "sha256=")
	mac, err := base64.StdEncoding.DecodeString(sum)
	if err != nil || !found || !provider.Secrets(p.cfg.Secrets).FitsMAC(sha256.New, mac, w.Body) {
		return provider.RefuseSignature()
	}
	var n notice
	if provider.DecodeJSON(w.Body, &n) != nil {
		return provider.RefuseBody()
	}
	return provider.Returned(p.cfg.Return, p.events(ctx, &n)), handoff.WebhookReply{}, nil
}

func (p *Provider) events(ctx context.Context, n *notice) []handoff.ProviderEvent {
	id := n.ID
	if id == "" {
		id = n.Channel.MessageID
	}
	ev := handoff.ProviderEvent{Reference: provider.Name(n.Channel.To.ID), At: when(n.Channel.Time)}
	if n.Channel.ID != p.cfg.Integration || ev.Reference == "" || id == "" || n.Direction == "Inbound" {
		return nil // another integration's, ours, or of no interest
	}
	switch n.Type {
	case "Event":
		for _, e := range n.Events {
			if e.Type == "Typing" {
				ev.Kind, ev.ID = handoff.EventTyping, provider.Name("typing/"+id)
				return []handoff.ProviderEvent{ev}
			}
		}
	case "Text", "Structured":
		ev.Text = provider.Text(n.Text, provider.MaxText)
		for _, c := range n.Content[:min(len(n.Content), provider.MaxFiles)] {
			if a := c.Attachment; a != nil && a.URL != "" {
				ev.Files = append(ev.Files, handoff.File{Name: provider.Name(a.Name), URL: a.URL, Type: provider.Name(a.Mime), Size: max(a.Size, 0)})
			}
		}
		if ev.Text == "" && len(ev.Files) == 0 || n.Entity == "Bot" {
			return nil
		}
		who, said := p.author(ctx, n)
		if !said {
			return nil
		}
		ev.Kind, ev.ID, ev.MessageID, ev.Agent = handoff.EventMessage, provider.Name("message/"+id), provider.Name(id), who
		return []handoff.ProviderEvent{ev}
	}
	return nil
}

// author finds who wrote a message: the webhook does not say. It reports false
// if nobody has had the conversation, so that a flow wrote it. What cannot be
// found out at once is not waited for.
func (p *Provider) author(ctx context.Context, n *notice) (handoff.Party, bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	unknown := handoff.Party{Role: handoff.RoleAgent}
	id := n.Conversation
	if id == "" && isID(n.ID) {
		var m struct {
			Conversation string `json:"conversationId"`
		}
		if p.api.Do(ctx, provider.Call{Op: "author", Path: messages + url.PathEscape(n.ID) + "/details"}, &m) != nil {
			return unknown, true
		}
		id = m.Conversation
	}
	if !isID(id) {
		return unknown, true
	}
	c, err := p.read(ctx, "author", id)
	if err != nil {
		return unknown, true
	}
	who := c.agent(when(n.Channel.Time))
	if who == nil {
		return handoff.Party{}, false
	}
	return who.party(), true
}

// isID reports whether s can be an id of Genesys Cloud: they are GUIDs.
func isID(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "0123456789abcdefABCDEF-") == ""
}
