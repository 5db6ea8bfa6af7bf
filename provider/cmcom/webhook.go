package cmcom

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// glance is how long a webhook waits for the name of an agent.
const glance = 2 * time.Second

// created is what the router wants to read.
var created = handoff.WebhookReply{Status: http.StatusCreated}

// notice is a webhook: of the message and the event endpoint, which have a chat,
// or of the handover endpoint, which has the fields of its form. An event may come
// as either.
type notice struct {
	twoway

	ChatID    string `json:"chatId"`
	SessionID string `json:"sessionId"`
	AccountID string `json:"accountId"`
	HostID    string `json:"conversationHostId"`
	Type      string `json:"$type"`
	EventType string `json:"eventType"`
}

// flat puts what a webhook without a chat says where others have it.
func (n *notice) flat() {
	if n.Chat.ID != "" || n.ChatID == "" {
		return
	}
	n.Chat = chat{ID: n.ChatID, Session: n.SessionID, Account: n.AccountID, Host: n.HostID}
	for _, typ := range []string{n.Type, n.EventType} {
		if typ != "" {
			n.Events = append(n.Events, event{Type: typ})
		}
	}
}

// Receive implements [handoff.Receiver]: of all three endpoints.
func (p *Provider) Receive(ctx context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	secrets := provider.Secrets(p.cfg.Secrets)
	got := http.Header(w.Header).Get(Header)
	if got == "" && len(w.Query[Parameter]) == 1 {
		got = w.Query[Parameter][0]
	}
	if !secrets.FitsBare(got) {
		return provider.RefuseSignature()
	}
	var n notice
	if provider.DecodeJSON(w.Body, &n) != nil {
		return p.handedOver(w.Body)
	}
	n.flat()
	reference := provider.Name(n.Chat.ID)
	if reference == "" || n.Chat.Account != p.cfg.Account || n.Chat.Host != "" && n.Chat.Host != p.cfg.Adapter {
		return nil, created, nil // another account's, another adapter's
	}
	var out []handoff.ProviderEvent
	for i := range n.Messages[:min(len(n.Messages), mostAtOnce)] {
		if ev, ok := said(reference, &n.Messages[i], w.Body, i); ok {
			out = append(out, ev)
		}
	}
	if len(out) > 0 {
		who := p.author(ctx, reference)
		for i := range out {
			out[i].Agent = who
		}
	}
	for i := range n.Events {
		if strings.EqualFold(n.Events[i].Type, "RouterSessionEnded") {
			out = append(out, handoff.ProviderEvent{
				ID: provider.Name(reference + "/session/" + n.Chat.Session), Kind: handoff.EventEnded, Reference: reference, At: when(n.Events[i].At),
			})
			break
		}
	}
	return provider.Returned(p.cfg.Return, out), created, nil
}

// mostAtOnce is how many messages of one webhook are read.
const mostAtOnce = 100

// handedOver takes what the handover endpoint sends with an empty context: its
// form then makes no JSON. It tells nothing that is not read from Agent Inbox.
func (p *Provider) handedOver(body []byte) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	const empty = `"context":}`
	text := strings.TrimSpace(string(body))
	var n notice
	if head, ok := strings.CutSuffix(text, empty); ok && provider.DecodeJSON([]byte(head+`"context":null}`), &n) == nil && n.ChatID != "" {
		return nil, created, nil
	}
	return provider.RefuseBody()
}

// said is a message of an agent. What the client says is ours.
func said(reference string, m *message, body []byte, at int) (handoff.ProviderEvent, bool) {
	ev := handoff.ProviderEvent{Kind: handoff.EventMessage, Reference: reference, At: when(m.At)}
	if m.Direction != toClient {
		return ev, false
	}
	switch strings.ToLower(m.Type) {
	case "text":
		ev.Text = provider.Text(m.Text, provider.MaxText)
	case "media":
		ev.Text = provider.Text(m.Text, provider.MaxText)
		if m.Media != nil && m.Media.URI != "" {
			ev.Files = []handoff.File{{Name: provider.Name(m.Media.Name), URL: m.Media.URI, Type: provider.Name(m.Media.Type)}}
		}
	}
	if ev.Text == "" && len(ev.Files) == 0 {
		return ev, false
	}
	ev.MessageID = provider.Name(m.ID)
	if ev.MessageID == "" { // the same body is the same message
		sum := sha256.Sum256(body)
		ev.MessageID = hex.EncodeToString(sum[:16]) + "/" + strconv.Itoa(at)
	}
	ev.ID = provider.Name(reference + "/message/" + ev.MessageID)
	return ev, true
}

// author finds who wrote a message: the router does not say. It is who has the
// chat; nobody is waited for, and where nobody is known he has no name.
func (p *Provider) author(ctx context.Context, reference string) handoff.Party {
	nobody := handoff.Party{Role: handoff.RoleAgent}
	v, ok := p.chats.Load(reference)
	w, _ := v.(*watch)
	if !ok || w == nil {
		return nobody
	}
	_, who := w.known()
	if who.ID == "" && w.st.Mail != "" {
		ctx, cancel := context.WithTimeout(ctx, glance)
		defer cancel()
		if c, err := p.look(ctx, "author", w); err == nil && c != nil {
			who, _ = c.agent()
		}
	}
	if who.ID == "" {
		return nobody
	}
	return who
}

func when(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
