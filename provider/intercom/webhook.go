package intercom

import (
	"context"
	"crypto/sha1" //nolint:gosec // what Intercom signs with
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// notification is a webhook.
type notification struct {
	Topic     string `json:"topic"`
	ID        string `json:"id"`
	CreatedAt int64  `json:"created_at"`
	Data      struct {
		Item conversation `json:"item"`
	} `json:"data"`
}

// Receive implements [handoff.Receiver].
func (p *Provider) Receive(ctx context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	sum, found := strings.CutPrefix(http.Header(w.Header).Get("X-Hub-Signature"), "sha1=")
	mac, err := hex.DecodeString(sum)
	if err != nil || !found || !provider.Secrets(p.cfg.Secrets).FitsMAC(sha1.New, mac, w.Body) {
		return provider.RefuseSignature()
	}
	var n notification
	if provider.DecodeJSON(w.Body, &n) != nil {
		return provider.RefuseBody()
	}
	c := &n.Data.Item
	if !isNumber(c.ID) {
		return nil, handoff.WebhookReply{}, nil
	}
	var events []handoff.ProviderEvent
	for i := range c.Parts.Parts {
		part := &c.Parts.Parts[i]
		if part.ID == "" || part.Author.ID == p.cfg.Admin && part.Author.Type == "admin" {
			continue // of no interest, or ours
		}
		switch n.Topic {
		case "conversation.admin.replied":
			events = append(events, c.said(part, handoff.EventMessage, "comment")...)
		case "conversation.admin.noted":
			events = append(events, c.said(part, handoff.EventNote, "note")...)
		case "conversation.admin.assigned":
			events = append(events, p.assigned(ctx, c, part)...)
		case "conversation.admin.closed":
			events = append(events, c.event(part, handoff.EventEnded, ""))
		}
	}
	return provider.Returned(p.cfg.Return, events), handoff.WebhookReply{}, nil
}

// event is something that a part tells.
func (c *conversation) event(part *part, kind handoff.ProviderEventKind, more string) handoff.ProviderEvent {
	ev := handoff.ProviderEvent{ID: provider.Name("part/" + part.ID + more), Kind: kind, Reference: c.ID}
	if part.CreatedAt > 0 && part.CreatedAt < 1e11 {
		ev.At = time.Unix(part.CreatedAt, 0).UTC()
	}
	if part.Author.Type == "admin" {
		ev.Agent = provider.Agent(part.Author.ID, part.Author.Name)
	}
	return ev
}

// words returns what a body says: HTML from paragraph to paragraph in older
// webhooks, plain text since version 2.15.
func words(body string) string {
	if t := strings.TrimSpace(body); strings.HasPrefix(t, "<") && strings.HasSuffix(t, ">") {
		return provider.Plain(body)
	}
	return body
}

func (c *conversation) said(part *part, kind handoff.ProviderEventKind, typ string) []handoff.ProviderEvent {
	// A reply that assigns, closes or opens has that type, and a body.
	text := provider.Text(words(part.Body), provider.MaxText)
	if part.Author.Type != "admin" || part.Author.ID == "" || text == "" && len(part.Attachments) == 0 || kind == handoff.EventNote && part.Type != typ {
		return nil
	}
	ev := c.event(part, kind, "")
	ev.MessageID, ev.Text = provider.Name(part.ID), text
	for _, f := range part.Attachments[:min(len(part.Attachments), provider.MaxFiles)] {
		ev.Files = append(ev.Files, handoff.File{Name: provider.Name(f.Name), URL: f.URL, Type: provider.Name(f.Type), Size: max(f.Size, 0)})
	}
	return []handoff.ProviderEvent{ev}
}

// assigned is a new assignee: a teammate has joined or took over, or the
// conversation waits again, as it does with the teammate that nobody works as.
func (p *Provider) assigned(ctx context.Context, c *conversation, part *part) []handoff.ProviderEvent {
	to := part.AssignedTo
	if to == nil || to.Type != "admin" || to.ID == "" || to.ID == "0" || to.ID == p.cfg.Admin {
		return []handoff.ProviderEvent{c.event(part, handoff.EventLeft, "")}
	}
	joined := c.event(part, handoff.EventJoined, "")
	if part.Author.ID == to.ID {
		return []handoff.ProviderEvent{joined}
	}
	joined.Agent = provider.Agent(to.ID, p.nameOf(ctx, to.ID)) // the webhook names who assigned, not to whom
	return []handoff.ProviderEvent{c.event(part, handoff.EventTransferred, "/from"), joined}
}
