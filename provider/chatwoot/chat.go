package chatwoot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// state is what a session needs. The source opens the conversation in the
// client API, so it is a secret.
type state struct {
	Source string `json:"source"`
}

// source names a conversation in the client API: the same for an attempt each
// time, and unguessable.
func (p *Provider) source(attempt string) string {
	return hex.EncodeToString(provider.MAC(sha256.New, p.cfg.Token, []byte("handoff "+attempt)))[:40]
}

func session(id int64, source string) handoff.Session {
	b, _ := json.Marshal(state{Source: source}) //nolint:errchkjson // a string
	return handoff.Session{Reference: strconv.FormatInt(id, 10), State: b}
}

// Open implements [handoff.Provider]. The conversation is pending, so that no
// agent sees it, until everything is there.
func (p *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	source := p.source(o.Attempt)
	c, err := p.conversationOf(ctx, "open", source)
	if err != nil {
		return handoff.Session{}, err
	}
	begun := c.ID != 0
	if begun && c.Status != statusPending {
		return session(c.ID, source), nil
	}
	render := provider.Renderer{Redact: p.cfg.Redact}
	if !begun {
		attributes := map[string]any{"handoff_attempt": o.Attempt, "handoff_reason": string(o.Handoff.Reason)}
		for k, v := range o.Handoff.Answers {
			attributes[k] = render.Redacted(v)
		}
		if c.ID, err = p.start(ctx, "open", &o.Handoff, source, statusPending, attributes); err != nil {
			return handoff.Session{}, err
		}
	}
	s := session(c.ID, source)
	note := outgoing{Type: "outgoing", Private: true, Mark: mark("opening")}
	note.Content = render.Note(o, MaxBytes)
	if note.Content != "" {
		m := handoff.ProviderMessage{Again: begun}
		if err := p.once(ctx, "open", s.Reference, m, &note); err != nil {
			return handoff.Session{}, err
		}
	}
	if len(o.Handoff.Flags) > 0 {
		err := p.put(ctx, "open", p.account("/conversations/%s/labels", s.Reference), map[string]any{"labels": labels(o.Handoff.Flags)})
		if err != nil {
			return handoff.Session{}, err
		}
	}
	if pr := priority(o.Handoff.Need.Priority); pr != "" {
		if err := p.put(ctx, "open", p.account("/conversations/%s/toggle_priority", s.Reference), map[string]string{"priority": pr}); err != nil {
			return handoff.Session{}, err
		}
	}
	return s, p.setStatus(ctx, "open", s.Reference, statusOpen)
}

// start makes a conversation of a source.
func (p *Provider) start(ctx context.Context, op string, h *handoff.Handoff, source, status string, attributes map[string]any) (int64, error) {
	who, err := p.contactOf(ctx, op, h)
	if err != nil {
		return 0, err
	}
	err = p.post(ctx, op, p.account("/contacts/%d/contact_inboxes", who), map[string]any{"inbox_id": p.cfg.Inbox, "source_id": source}, nil)
	if err = provider.Tolerate(err, http.StatusUnprocessableEntity); err != nil { // it is there already
		return 0, err
	}
	in := map[string]any{
		"source_id": source, "inbox_id": p.cfg.Inbox, "contact_id": who, "status": status, "custom_attributes": attributes,
	}
	if team := p.cfg.Teams[h.Need.Queue]; team > 0 {
		in["team_id"] = team
	}
	var made conversation
	if err := p.post(ctx, op, p.account("/conversations"), in, &made); err != nil {
		return 0, err
	}
	if made.ID == 0 {
		return 0, &handoff.ProviderError{Op: op, Code: "answer", Retryable: true, Ambiguous: true, Err: errors.New("the conversation has no id")}
	}
	return made.ID, nil
}

// labels are flags as Chatwoot takes them: letters, digits, dashes and
// underscores.
func labels(flags []string) []string {
	out := make([]string, len(flags))
	for i, f := range flags {
		out[i] = strings.Map(func(r rune) rune {
			if r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
				return r
			}
			return '-'
		}, strings.ToLower(f))
	}
	return out
}

func priority(n int) string {
	switch {
	case n >= 3:
		return "urgent"
	case n == 2:
		return "high"
	case n == 1:
		return "medium"
	case n < 0:
		return "low"
	}
	return ""
}

// Find implements [handoff.Finder].
func (p *Provider) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	source := p.source(attempt)
	c, err := p.conversationOf(ctx, "find", source)
	if err != nil || c.ID == 0 {
		return handoff.Session{}, false, err
	}
	s := session(c.ID, source)
	s.Partial = c.Status == statusPending
	return s, true, nil
}

// once says something that carries a mark, once.
func (p *Provider) once(ctx context.Context, op, reference string, m handoff.ProviderMessage, out *outgoing) error {
	return provider.Once(ctx, m,
		func(ctx context.Context) (bool, error) { return p.has(ctx, op, reference, out.Mark) },
		func(ctx context.Context) error { return p.say(ctx, op, reference, out) })
}

// Send implements [handoff.Provider]: the user's messages are incoming, the
// bot's outgoing.
func (p *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	out := outgoing{Content: m.Text, Type: "incoming", Mark: mark(m.ID)}
	if m.From.Role != handoff.RoleUser {
		out.Type = "outgoing"
	}
	if m.Again {
		if found, err := p.has(ctx, "send", s.Reference, out.Mark); found || err != nil {
			return err
		}
	}
	const most = 40 << 20 // what Chatwoot takes
	for _, f := range m.Files {
		body, typ, err := provider.Fetch(ctx, p.cfg.Files, f.URL, most)
		var pe *handoff.ProviderError
		switch {
		case err == nil:
			out.files = append(out.files, attachment{name: or(f.Name, "file"), typ: or(f.Type, typ), body: body})
		case errors.As(err, &pe) && pe.Retryable:
			return err
		default: // it cannot be had: its address is better than nothing
			out.Content = strings.TrimSpace(out.Content + "\n" + f.Name + " " + f.URL)
		}
	}
	return p.say(ctx, "send", s.Reference, &out)
}

// Note implements [handoff.Noter].
func (p *Provider) Note(ctx context.Context, s handoff.Session, n handoff.ProviderMessage) error {
	text := n.Text
	if n.From.Name != "" {
		text = n.From.Name + ": " + text
	}
	return p.once(ctx, "note", s.Reference, n, &outgoing{Content: text, Type: "outgoing", Private: true, Mark: mark(n.ID)})
}

// Typing implements [handoff.Typist].
func (p *Provider) Typing(ctx context.Context, s handoff.Session, on bool) error {
	var st state
	if err := json.Unmarshal(s.State, &st); err != nil {
		return &handoff.ProviderError{Op: "typing", Code: "session"}
	}
	status := "off"
	if on {
		status = "on"
	}
	return p.api.Do(ctx, provider.Call{
		Op: "typing", Method: http.MethodPost, Path: p.client(st.Source, "/conversations/"+url.PathEscape(s.Reference)+"/toggle_typing"),
		Query: url.Values{"typing_status": {status}}, JSON: map[string]string{"typing_status": status},
	}, nil)
}

// Close implements [handoff.Provider].
func (p *Provider) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	return provider.Tolerate(p.setStatus(ctx, "close", s.Reference, statusResolved), http.StatusNotFound)
}

// ReturnToBot implements [handoff.BotReturner]: a conversation that a bot has
// is pending in Chatwoot.
func (p *Provider) ReturnToBot(ctx context.Context, s handoff.Session) error {
	return provider.Tolerate(p.setStatus(ctx, "return", s.Reference, statusPending), http.StatusNotFound)
}

// ReadState implements [handoff.StateReader].
func (p *Provider) ReadState(ctx context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	var c conversation
	path, err := p.chat("state", s.Reference, "")
	if err == nil {
		err = p.api.Do(ctx, provider.Call{Op: "state", Path: path}, &c)
	}
	if err == nil && c.Status == "" {
		err = provider.AnswerLacks("state")
	}
	if err != nil {
		return handoff.SessionUnknown, handoff.Party{}, err
	}
	switch {
	case c.Status == statusResolved:
		return handoff.SessionEnded, handoff.Party{}, nil
	case c.Status == statusPending:
		return handoff.SessionBot, handoff.Party{}, nil
	case c.Meta.Assignee != nil && c.Meta.Assignee.ID != 0:
		return handoff.SessionActive, c.Meta.Assignee.party(), nil
	}
	return handoff.SessionQueued, handoff.Party{}, nil
}

// Available implements [handoff.AvailabilityChecker]: whether an agent of the
// inbox is online. Who is busy takes no new chat.
func (p *Provider) Available(ctx context.Context, _ handoff.Need) (handoff.Availability, error) {
	var list struct {
		Payload []agent `json:"payload"`
	}
	if err := p.api.Do(ctx, provider.Call{Op: "availability", Path: p.account("/inbox_members/%d", p.cfg.Inbox)}, &list); err != nil {
		return handoff.Unknown, err
	}
	if list.Payload == nil {
		return handoff.Unknown, provider.AnswerLacks("availability")
	}
	for _, a := range list.Payload {
		if a.Availability == "online" {
			return handoff.Online, nil
		}
	}
	return handoff.Offline, nil
}

// Ticket implements [handoff.Ticketer]: a conversation that waits for somebody.
func (p *Provider) Ticket(ctx context.Context, h handoff.Handoff, text, id string) (string, error) {
	source := p.source("ticket " + id)
	c, err := p.conversationOf(ctx, "ticket", source)
	begun := c.ID != 0
	if err == nil && !begun {
		c.ID, err = p.start(ctx, "ticket", &h, source, statusOpen, map[string]any{"handoff_ticket": id})
	}
	if err != nil {
		return "", err
	}
	reference := strconv.FormatInt(c.ID, 10)
	m := handoff.ProviderMessage{Again: begun}
	return reference, p.once(ctx, "ticket", reference, m, &outgoing{Content: text, Type: "incoming", Mark: mark("ticket")})
}

func isStatus(err error, status int) bool {
	var pe *handoff.ProviderError
	return errors.As(err, &pe) && pe.Status == status
}
