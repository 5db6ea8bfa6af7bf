package slack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// Receive implements [handoff.Receiver], for events and for buttons: both may
// have the same address.
func (p *Provider) Receive(_ context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	h := http.Header(w.Header)
	at := h.Get("X-Slack-Request-Timestamp")
	sum, ok := strings.CutPrefix(h.Get("X-Slack-Signature"), "v0=")
	mac, err := hex.DecodeString(sum)
	if !ok || err != nil || !provider.Fresh(at) || !provider.Secrets(p.cfg.Secrets).FitsMAC(sha256.New, mac, []byte("v0:"+at+":"), w.Body) {
		return provider.RefuseSignature()
	}
	if strings.HasPrefix(h.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, _ := url.ParseQuery(string(w.Body)) // what can be read of it
		var a pressed
		if form.Get("payload") == "" {
			return nil, handoff.WebhookReply{}, nil // a slash command, or nothing that concerns us
		}
		if provider.DecodeJSON([]byte(form.Get("payload")), &a) != nil {
			return provider.RefuseBody()
		}
		return p.buttons(&a), handoff.WebhookReply{}, nil
	}
	var e callback
	if provider.DecodeJSON(w.Body, &e) != nil {
		return provider.RefuseBody()
	}
	if e.Type == "url_verification" {
		return nil, handoff.WebhookReply{Type: "text/plain", Body: []byte(provider.Name(e.Challenge))}, nil
	}
	if e.Type != "event_callback" {
		return nil, handoff.WebhookReply{}, nil
	}
	return p.said(&e), handoff.WebhookReply{}, nil
}

// callback is what the Events API sends.
type callback struct {
	Type      string `json:"type"`
	Challenge string `json:"challenge"`
	EventID   string `json:"event_id"`
	Event     struct {
		Type    string `json:"type"`
		Subtype string `json:"subtype"`
		Channel string `json:"channel"`
		User    string `json:"user"`
		BotID   string `json:"bot_id"`
		Text    string `json:"text"`
		TS      string `json:"ts"`
		Thread  string `json:"thread_ts"`
		Files   []struct {
			Name string `json:"name"`
			Type string `json:"mimetype"`
			URL  string `json:"url_private"`
			ID   string `json:"id"`
			Size int64  `json:"size"`
		} `json:"files"`
	} `json:"event"`
}

// said are the messages of people in threads. What a bot wrote is ours, or not
// for the user.
func (p *Provider) said(e *callback) []handoff.ProviderEvent {
	m := &e.Event
	if m.Type != "message" || m.BotID != "" || m.User == "" || m.TS == "" || m.Thread == "" || m.Thread == m.TS ||
		m.Channel == "" || m.Subtype != "" && m.Subtype != "file_share" {
		return nil
	}
	text := provider.Text(plain(m.Text), provider.MaxText)
	ev := handoff.ProviderEvent{
		ID: provider.Name("message/" + m.Channel + "/" + m.TS), Kind: handoff.EventMessage, At: timeOf(m.TS),
		Reference: provider.Name(reference(m.Channel, m.Thread)), MessageID: provider.Name(m.TS), Agent: p.agent(m.User, ""), Text: text,
	}
	if note, ok := strings.CutPrefix(text, p.cfg.NotePrefix); ok {
		ev.Kind, ev.Text = handoff.EventNote, strings.TrimSpace(note)
	}
	for _, f := range m.Files[:min(len(m.Files), provider.MaxFiles)] {
		ev.Files = append(ev.Files, handoff.File{
			Name: provider.Name(f.Name), Type: provider.Name(f.Type), URL: f.URL, Ref: provider.Name(f.ID), Size: max(f.Size, 0),
		})
	}
	if ev.Text == "" && len(ev.Files) == 0 {
		return nil
	}
	return []handoff.ProviderEvent{ev}
}

// pressed is what a button sends.
type pressed struct {
	Type string `json:"type"`
	User struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Username string `json:"username"`
	} `json:"user"`
	Container struct {
		Channel string `json:"channel_id"`
		TS      string `json:"message_ts"`
	} `json:"container"`
	Actions []struct {
		Action string `json:"action_id"`
		TS     string `json:"action_ts"`
	} `json:"actions"`
}

func (p *Provider) buttons(a *pressed) []handoff.ProviderEvent {
	kinds := map[string]handoff.ProviderEventKind{
		actionTake: handoff.EventJoined, actionRelease: handoff.EventLeft, actionReturn: handoff.EventReturned, actionEnd: handoff.EventEnded,
	}
	if a.Type != "block_actions" || a.Container.Channel == "" || a.Container.TS == "" {
		return nil
	}
	var out []handoff.ProviderEvent
	for _, act := range a.Actions {
		kind, ok := kinds[act.Action]
		if !ok {
			continue
		}
		out = append(out, handoff.ProviderEvent{
			ID: provider.Name("action/" + a.Container.TS + "/" + act.Action + "/" + act.TS), Kind: kind, At: timeOf(act.TS),
			Reference: provider.Name(reference(a.Container.Channel, a.Container.TS)), Agent: p.agent(a.User.ID, or(a.User.Name, a.User.Username)),
		})
	}
	return out
}

// agent is a person, by the name that the host has for him.
func (p *Provider) agent(id, name string) handoff.Party {
	return provider.Agent(id, or(p.cfg.Agents[id], name))
}

// timeOf is the time in a ts.
func timeOf(ts string) time.Time {
	whole, part, _ := strings.Cut(ts, ".")
	s, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || s <= 0 || s > 1e11 {
		return time.Time{}
	}
	micro, _ := strconv.ParseInt(part, 10, 32)
	return time.Unix(s, max(micro, 0)*1e3).UTC()
}
