package intercom

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// state is what a session needs besides its reference.
type state struct {
	Contact string `json:"contact"`
}

func session(c *conversation, who string) handoff.Session {
	if who == "" && len(c.Contacts.Contacts) > 0 {
		who = c.Contacts.Contacts[0].ID
	}
	b, _ := json.Marshal(state{Contact: who}) //nolint:errchkjson // a string
	return handoff.Session{Reference: c.ID, State: b}
}

// Open implements [handoff.Provider]. The note comes last: a conversation that
// has it is complete.
func (p *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	mark := p.mark(o.Attempt)
	c, err := p.search(ctx, "open", mark)
	if err == nil && c.ID != "" {
		c, err = p.read(ctx, "open", c.ID)
	}
	if err != nil {
		return handoff.Session{}, err
	}
	who := ""
	if c.ID == "" {
		if who, err = p.contactOf(ctx, "open", &o.Handoff); err == nil {
			c.ID, err = p.start(ctx, "open", who, p.cfg.FirstWords, mark)
		}
		if err != nil {
			return handoff.Session{}, err
		}
	}
	s := session(&c, who)
	if c.opened(mark) {
		return s, nil
	}
	if c.Admin == "" && c.Team == "" {
		if err := p.assign(ctx, "open", c.ID, o.Handoff.Need.Queue); err != nil {
			return handoff.Session{}, err
		}
	}
	note := provider.Renderer{Redact: p.cfg.Redact}.Note(o, MaxBytes)
	return s, p.say(ctx, "open", c.ID, fields{
		"message_type": "note", "type": "admin", "admin_id": p.cfg.Admin, "body": provider.HTML(strings.TrimSpace(note + "\n" + mark)),
	}, nil)
}

// start makes a conversation of a contact. It returns its number.
func (p *Provider) start(ctx context.Context, op, contact, text, mark string) (string, error) {
	var made struct {
		Conversation string `json:"conversation_id"`
	}
	err := p.do(ctx, op, http.MethodPost, "/conversations", fields{
		"from": fields{"type": "user", "id": contact}, "body": text + "\n\n" + mark,
	}, &made)
	if err == nil && !isNumber(made.Conversation) {
		err = &handoff.ProviderError{Op: op, Code: "answer", Retryable: true, Ambiguous: true, Err: errors.New("the conversation has no number")}
	}
	return made.Conversation, err
}

// opened reports whether the note of an opening is there.
func (c *conversation) opened(mark string) bool {
	for i := range c.Parts.Parts {
		if part := &c.Parts.Parts[i]; part.Type == "note" && strings.Contains(part.Body, mark) {
			return true
		}
	}
	return false
}

func (p *Provider) assign(ctx context.Context, op, reference, queue string) error {
	team := p.cfg.Teams[queue]
	if team == "" {
		return nil
	}
	return p.manage(ctx, op, reference, fields{"message_type": "assignment", "type": "team", "admin_id": p.cfg.Admin, "assignee_id": team})
}

// manage does something to a conversation that does nothing more when it is
// repeated.
func (p *Provider) manage(ctx context.Context, op, reference string, in fields) error {
	path, err := chat(op, reference, "/parts")
	if err != nil {
		return err
	}
	return p.api.Do(ctx, provider.Call{Op: op, Method: http.MethodPost, Path: path, JSON: in, Repeatable: true}, nil)
}

func (p *Provider) say(ctx context.Context, op, reference string, in fields, files []handoff.File) error {
	path, err := chat(op, reference, "/reply")
	if err != nil {
		return err
	}
	if len(files) > 0 {
		urls := make([]string, 0, len(files))
		for _, f := range files[:min(len(files), mostFiles)] {
			urls = append(urls, f.URL)
		}
		in["attachment_urls"] = urls
	}
	return p.do(ctx, op, http.MethodPost, path, in, nil)
}

// mostFiles is how many files a reply may have.
const mostFiles = 10

// Find implements [handoff.Finder].
func (p *Provider) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	mark := p.mark(attempt)
	c, err := p.search(ctx, "find", mark)
	if err == nil && c.ID != "" {
		c, err = p.read(ctx, "find", c.ID)
	}
	if err != nil || c.ID == "" {
		return handoff.Session{}, false, err
	}
	s := session(&c, "")
	s.Partial = !c.opened(mark)
	return s, true, nil
}

// Send implements [handoff.Provider]: the user's messages are the contact's,
// the bot's are the teammate's in whose name the adapter works.
func (p *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	var more strings.Builder
	for _, f := range m.Files[min(len(m.Files), mostFiles):] {
		more.WriteString("\n" + f.Name + " " + f.URL)
	}
	text := m.Text + more.String()
	if m.From.Role != handoff.RoleUser {
		return p.write(ctx, "send", s, "comment", m, text)
	}
	var st state
	if json.Unmarshal(s.State, &st) != nil || st.Contact == "" {
		return &handoff.ProviderError{Op: "send", Code: "session"}
	}
	return p.once(ctx, "send", s, "comment", st.Contact, text, m, fields{
		"message_type": "comment", "type": "user", "intercom_user_id": st.Contact, "body": text,
	})
}

// Note implements [handoff.Noter].
func (p *Provider) Note(ctx context.Context, s handoff.Session, n handoff.ProviderMessage) error {
	text := n.Text
	if n.From.Name != "" {
		text = n.From.Name + ": " + text
	}
	return p.write(ctx, "note", s, "note", n, text)
}

// write says something in the name of the adapter's teammate.
func (p *Provider) write(ctx context.Context, op string, s handoff.Session, kind string, m handoff.ProviderMessage, text string) error {
	return p.once(ctx, op, s, kind, p.cfg.Admin, text, m, fields{
		"message_type": kind, "type": "admin", "admin_id": p.cfg.Admin, "body": provider.HTML(text),
	})
}

// once says something under the time at which it was said, so that it can be
// found again.
func (p *Provider) once(ctx context.Context, op string, s handoff.Session, kind, who, text string, m handoff.ProviderMessage, in fields) error {
	if !m.At.IsZero() {
		in["created_at"] = m.At.Unix()
	}
	return provider.Once(ctx, m,
		func(ctx context.Context) (bool, error) {
			c, err := p.read(ctx, op, s.Reference)
			return err == nil && c.has(kind, who, text, m.At), err
		},
		func(ctx context.Context) error { return p.say(ctx, op, s.Reference, in, m.Files) })
}

// Close implements [handoff.Provider].
func (p *Provider) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	err := p.manage(ctx, "close", s.Reference, fields{"message_type": "close", "type": "admin", "admin_id": p.cfg.Admin})
	return provider.Tolerate(err, http.StatusNotFound)
}

// ReadState implements [handoff.StateReader].
func (p *Provider) ReadState(ctx context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	c, err := p.read(ctx, "state", s.Reference)
	switch {
	case err != nil:
		return handoff.SessionUnknown, handoff.Party{}, err
	case c.State == stateClosed:
		return handoff.SessionEnded, handoff.Party{}, nil
	case c.Admin == "" || string(c.Admin) == p.cfg.Admin:
		return handoff.SessionQueued, handoff.Party{}, nil
	}
	return handoff.SessionActive, provider.Agent(string(c.Admin), p.nameOf(ctx, string(c.Admin))), nil
}

// Available implements [handoff.AvailabilityChecker]: whether a teammate with a
// seat in the inbox, and in the queue's team if there is one, is not away.
func (p *Provider) Available(ctx context.Context, n handoff.Need) (handoff.Availability, error) {
	var list struct {
		Admins []struct {
			ID    string   `json:"id"`
			Away  bool     `json:"away_mode_enabled"`
			Seat  bool     `json:"has_inbox_seat"`
			Teams []number `json:"team_ids"`
		} `json:"admins"`
	}
	if err := p.do(ctx, "availability", http.MethodGet, "/admins", nil, &list); err != nil {
		return handoff.Unknown, err
	}
	if list.Admins == nil {
		return handoff.Unknown, provider.AnswerLacks("availability")
	}
	team := p.cfg.Teams[n.Queue]
	for _, a := range list.Admins {
		in := team == ""
		for _, t := range a.Teams {
			in = in || string(t) == team
		}
		if in && a.Seat && !a.Away && a.ID != p.cfg.Admin {
			return handoff.Online, nil
		}
	}
	return handoff.Offline, nil
}

// Ticket implements [handoff.Ticketer]: a conversation that waits for somebody.
func (p *Provider) Ticket(ctx context.Context, h handoff.Handoff, text, id string) (string, error) {
	mark := p.mark("ticket " + id)
	c, err := p.search(ctx, "ticket", mark)
	if err != nil || c.ID != "" {
		return c.ID, err
	}
	who, err := p.contactOf(ctx, "ticket", &h)
	if err != nil {
		return "", err
	}
	reference, err := p.start(ctx, "ticket", who, text, mark)
	if err != nil {
		return "", err
	}
	return reference, p.assign(ctx, "ticket", reference, h.Need.Queue)
}
