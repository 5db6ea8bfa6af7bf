package chatwoot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// message is the webhook of a message.
type message struct {
	ID           int64    `json:"id"`
	Content      string   `json:"content"`
	Type         string   `json:"message_type"`
	Private      bool     `json:"private"`
	Mark         string   `json:"source_id"`
	CreatedAt    stamp    `json:"created_at"`
	Sender       actor    `json:"sender"`
	Attachments  []file   `json:"attachments"`
	Conversation standing `json:"conversation"`
}

// standing is the webhook of a conversation, and part of every other.
type standing struct {
	ID         int64             `json:"id"`
	Status     string            `json:"status"`
	UpdatedAt  stamp             `json:"updated_at"`
	Attributes map[string]any    `json:"custom_attributes"`
	Changed    []map[string]diff `json:"changed_attributes"`
	Meta       struct {
		Assignee *agent `json:"assignee"`
	} `json:"meta"`
}

// writing is the webhook of somebody who writes.
type writing struct {
	User         actor    `json:"user"`
	Private      bool     `json:"is_private"`
	Conversation standing `json:"conversation"`
}

type diff struct {
	Before json.RawMessage `json:"previous_value"`
	Now    json.RawMessage `json:"current_value"`
}

type actor struct {
	agent

	Kind string `json:"type"` // user, contact, agent_bot
}

type file struct {
	URL  string `json:"data_url"`
	Size int64  `json:"file_size"`
}

// stamp is a time as Chatwoot writes it: text, or seconds since 1970.
type stamp struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler. What is no time is none.
func (s *stamp) UnmarshalJSON(b []byte) error {
	var seconds float64
	if json.Unmarshal(b, &seconds) == nil {
		if whole, part := math.Modf(seconds); whole > 0 && whole < 1e11 {
			s.Time = time.Unix(int64(whole), int64(part*1e6)*1e3).UTC()
		}
		return nil
	}
	var text string
	_ = json.Unmarshal(b, &text)
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05 MST"} {
		if t, err := time.Parse(layout, text); err == nil {
			s.Time = t.UTC()
		}
	}
	return nil
}

// Receive implements [handoff.Receiver].
func (p *Provider) Receive(_ context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	h := http.Header(w.Header)
	at := h.Get("X-Chatwoot-Timestamp")
	sum, _ := strings.CutPrefix(h.Get("X-Chatwoot-Signature"), "sha256=")
	mac, err := hex.DecodeString(sum)
	if err != nil || !provider.Secrets(p.cfg.Secrets).FitsMAC(sha256.New, mac, []byte(at+"."), w.Body) || !provider.Fresh(at) ||
		!strings.HasPrefix(h.Get("X-Chatwoot-Signature"), "sha256=") {
		return provider.RefuseSignature()
	}
	var head struct {
		Event string `json:"event"`
	}
	if provider.DecodeJSON(w.Body, &head) != nil {
		return provider.RefuseBody()
	}
	if !p.isOurs(w.Body) {
		return nil, handoff.WebhookReply{}, nil
	}
	delivery := provider.Name(h.Get("X-Chatwoot-Delivery"))
	var events []handoff.ProviderEvent
	switch head.Event {
	case "message_created":
		var m message
		if json.Unmarshal(w.Body, &m) != nil {
			return provider.RefuseBody()
		}
		events = m.events()
	case "conversation_status_changed", "conversation_updated":
		var c standing
		if json.Unmarshal(w.Body, &c) != nil {
			return provider.RefuseBody()
		}
		if head.Event == "conversation_updated" {
			events = c.assigned(delivery)
		} else {
			events = c.changed(delivery)
		}
	case "conversation_typing_on", "conversation_typing_off":
		var t writing
		if json.Unmarshal(w.Body, &t) != nil {
			return provider.RefuseBody()
		}
		events = t.events(delivery, head.Event == "conversation_typing_off")
	}
	return events, handoff.WebhookReply{}, nil
}

// isOurs reports whether a webhook is about our account and inbox, as far as it
// names them: ids of conversations are those of an account, so that another
// one's may be the same.
func (p *Provider) isOurs(body []byte) bool {
	type named struct {
		ID int64 `json:"id"`
	}
	var of struct {
		Account      named `json:"account"`
		Inbox        named `json:"inbox"`
		InboxID      int64 `json:"inbox_id"`
		Conversation struct {
			InboxID int64 `json:"inbox_id"`
		} `json:"conversation"`
	}
	_ = json.Unmarshal(body, &of) // what can be read of it
	is := func(id, ours int64) bool { return id == 0 || id == ours }
	return is(of.Account.ID, p.cfg.Account) && is(of.Inbox.ID, p.cfg.Inbox) && is(of.InboxID, p.cfg.Inbox) && is(of.Conversation.InboxID, p.cfg.Inbox)
}

// about begins an event of a conversation; without one there is none.
func (c *standing) about(kind handoff.ProviderEventKind, id string, at time.Time) []handoff.ProviderEvent {
	if c.ID == 0 {
		return nil
	}
	attempt, _ := c.Attributes["handoff_attempt"].(string)
	return []handoff.ProviderEvent{{
		ID: provider.Name(id), Kind: kind, At: at, Reference: strconv.FormatInt(c.ID, 10), Attempt: provider.Name(attempt),
	}}
}

// moment names a change of a conversation.
func (c *standing) moment(delivery string) string {
	if c.UpdatedAt.IsZero() {
		return delivery
	}
	return strconv.FormatInt(c.UpdatedAt.UnixMicro(), 10)
}

// events of a message: those of agents. What we have sent has our mark, and
// what the contact says is the user's.
func (m *message) events() []handoff.ProviderEvent {
	if m.ID == 0 || provider.Text(m.Content, 0) == "" && len(m.Attachments) == 0 || m.Type != "outgoing" || m.Sender.Kind != "user" || strings.HasPrefix(m.Mark, markPrefix) {
		return nil
	}
	id := strconv.FormatInt(m.ID, 10)
	kind := handoff.EventMessage
	if m.Private {
		kind = handoff.EventNote
	}
	out := m.Conversation.about(kind, "message/"+id, m.CreatedAt.Time)
	for i := range out {
		ev := &out[i]
		ev.MessageID, ev.Agent, ev.Text = id, m.Sender.party(), provider.Text(m.Content, provider.MaxText)
		for _, f := range m.Attachments[:min(len(m.Attachments), provider.MaxFiles)] {
			ev.Files = append(ev.Files, handoff.File{Name: provider.Name(nameOf(f.URL)), URL: f.URL, Size: max(f.Size, 0)})
		}
	}
	return out
}

// nameOf is the last part of an address.
func nameOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.Trim(path.Base(u.Path), "./")
}

// changed is a new status: resolved is an end, and pending is the bot's.
func (c *standing) changed(delivery string) []handoff.ProviderEvent {
	kinds := map[string]handoff.ProviderEventKind{statusResolved: handoff.EventEnded, statusPending: handoff.EventReturned}
	kind, ok := kinds[c.Status]
	if !ok {
		return nil
	}
	out := c.about(kind, "status/"+strconv.FormatInt(c.ID, 10)+"/"+c.Status+"/"+c.moment(delivery), c.UpdatedAt.Time)
	for i := range out {
		if a := c.Meta.Assignee; a != nil && a.ID != 0 {
			out[i].Agent = a.party()
		}
	}
	return out
}

// assigned is a new assignee: somebody joined, took over, or left.
func (c *standing) assigned(delivery string) []handoff.ProviderEvent {
	for _, change := range c.Changed {
		d, ok := change["assignee_id"]
		if !ok {
			continue
		}
		id := "assignee/" + strconv.FormatInt(c.ID, 10) + "/" + c.moment(delivery)
		a := c.Meta.Assignee
		if a == nil || a.ID == 0 {
			return c.about(handoff.EventLeft, id, c.UpdatedAt.Time)
		}
		out := c.about(handoff.EventJoined, id, c.UpdatedAt.Time)
		if before := string(d.Before); before != "" && before != "null" {
			out = append(c.about(handoff.EventTransferred, id+"/from", c.UpdatedAt.Time), out...)
		}
		for i := range out {
			out[i].Agent = a.party()
		}
		return out
	}
	return nil
}

func (t *writing) events(delivery string, stopped bool) []handoff.ProviderEvent {
	if t.User.Kind != "user" || t.Private {
		return nil
	}
	out := t.Conversation.about(handoff.EventTyping, "typing/"+delivery, time.Time{})
	for i := range out {
		out[i].Agent, out[i].Stopped = t.User.party(), stopped
	}
	return out
}
