package livechat

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// state is what a session needs besides its reference.
type state struct {
	Customer string `json:"customer"`
	Token    string `json:"token"` // of the customer
}

func session(reference string, g grant) handoff.Session {
	b, _ := json.Marshal(state{Customer: g.Entity, Token: g.Token}) //nolint:errchkjson // strings
	return handoff.Session{Reference: reference, State: b, Expires: g.end()}
}

func stateOf(op string, s handoff.Session) (state, error) {
	var st state
	if json.Unmarshal(s.State, &st) != nil || st.Token == "" || s.Reference == "" {
		return st, &handoff.ProviderError{Op: op, Code: "session"}
	}
	return st, nil
}

// Open implements [handoff.Provider]. The chat is made with all that belongs to
// it at once.
func (p *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	c, err := p.find(ctx, "open", o.Attempt)
	if err == nil && c.ID != "" {
		return p.resume(ctx, "open", &c)
	}
	var g grant
	if err == nil {
		g, err = p.impersonate(ctx, "open", "")
	}
	if err == nil {
		err = p.introduce(ctx, "open", &g, o.Handoff.User)
	}
	if err != nil {
		return handoff.Session{}, err
	}
	var said []fields
	if note := (provider.Renderer{Redact: p.cfg.Redact}).Note(o, MaxBytes); note != "" {
		said = []fields{{"type": "message", "text": note, "recipients": "agents", "custom_id": mark("opening " + o.Attempt)}}
	}
	id, err := p.start(ctx, "open", &g, o.Attempt, o.Handoff.Need.Queue, said, false)
	if err != nil {
		return handoff.Session{}, err
	}
	return session(id, g), nil
}

// introduce tells who a customer is.
func (p *Provider) introduce(ctx context.Context, op string, g *grant, who *handoff.Contact) error {
	in := fields{}
	if who != nil {
		for field, value := range map[string]string{"name": who.Name, "email": who.Mail} {
			if value != "" {
				in[field] = provider.Cut(value, 255)
			}
		}
	}
	if len(in) == 0 {
		return nil
	}
	return p.customer(ctx, op, g.Token, "update_customer", in, nil, true)
}

// resume returns a session of a chat that is there.
func (p *Provider) resume(ctx context.Context, op string, c *chat) (handoff.Session, error) {
	for i := range c.Users {
		if u := &c.Users[i]; u.Type == "customer" && u.ID != "" {
			g, err := p.impersonate(ctx, op, u.ID)
			return session(c.ID, g), err
		}
	}
	return handoff.Session{}, provider.AnswerLacks(op)
}

// Find implements [handoff.Finder].
func (p *Provider) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	c, err := p.find(ctx, "find", attempt)
	if err != nil || c.ID == "" {
		return handoff.Session{}, false, err
	}
	s, err := p.resume(ctx, "find", &c)
	return s, err == nil, err
}

// Refresh implements [handoff.Refresher].
func (p *Provider) Refresh(ctx context.Context, s handoff.Session) (handoff.Session, error) {
	st, err := stateOf("refresh", s)
	if err != nil {
		return s, err
	}
	g, err := p.impersonate(ctx, "refresh", st.Customer)
	if err != nil {
		return s, err
	}
	return session(s.Reference, g), nil
}

// Send implements [handoff.Provider]. What the bot says comes from the customer,
// too, for agents alone: who says it is LiveChat's own.
func (p *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	st, err := stateOf("send", s)
	if err != nil {
		return err
	}
	var seen map[string]bool
	if m.Again {
		if seen, err = p.seen(ctx, "send", s.Reference); err != nil {
			return err
		}
	}
	write := func(id string, ev fields) error {
		if seen[id] {
			return nil
		}
		ev["custom_id"] = id
		return p.customer(ctx, "send", st.Token, "send_event", fields{"chat_id": s.Reference, "event": ev}, nil, false)
	}
	text := m.Text
	for i, f := range m.Files {
		id := mark(m.ID + "/file/" + strconv.Itoa(i))
		if seen[id] {
			continue
		}
		address, err := p.upload(ctx, st.Token, f)
		if err != nil {
			return err
		}
		if address == "" { // it cannot be had, or LiveChat does not take it
			text = strings.TrimSpace(text + "\n" + f.Name + " " + f.URL)
			continue
		}
		if err := write(id, fields{"type": "file", "url": address}); err != nil {
			return err
		}
	}
	if text == "" {
		return nil
	}
	recipients := "all"
	if m.From.Role == handoff.RoleBot {
		text, recipients = "[bot] "+text, "agents"
	}
	return write(mark(m.ID), fields{"type": "message", "text": text, "recipients": recipients})
}

// seen returns the custom ids of the events of a chat. The customer does not
// see those for agents alone.
func (p *Provider) seen(ctx context.Context, op, reference string) (map[string]bool, error) {
	c, err := p.read(ctx, op, reference)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for i := range c.Thread.Events {
		out[c.Thread.Events[i].CustomID] = true
	}
	return out, nil
}

// Note implements [handoff.Noter].
func (p *Provider) Note(ctx context.Context, s handoff.Session, n handoff.ProviderMessage) error {
	st, err := stateOf("note", s)
	if err != nil {
		return err
	}
	text := n.Text
	if n.From.Name != "" {
		text = n.From.Name + ": " + text
	}
	id := mark("note " + n.ID)
	return provider.Once(ctx, n,
		func(ctx context.Context) (bool, error) {
			seen, err := p.seen(ctx, "note", s.Reference)
			return seen[id], err
		},
		func(ctx context.Context) error {
			ev := fields{"type": "message", "text": text, "recipients": "agents", "custom_id": id}
			return p.customer(ctx, "note", st.Token, "send_event", fields{"chat_id": s.Reference, "event": ev}, nil, false)
		})
}

// Typing implements [handoff.Typist]: LiveChat's agents see what a customer is
// about to write, here that he does.
func (p *Provider) Typing(ctx context.Context, s handoff.Session, on bool) error {
	st, err := stateOf("typing", s)
	if err != nil {
		return err
	}
	text := ""
	if on {
		text = "…"
	}
	err = p.customer(ctx, "typing", st.Token, "send_sneak_peek", fields{"chat_id": s.Reference, "sneak_peek_text": text}, nil, true)
	if isCode(err, "chat_inactive") {
		return nil
	}
	return err
}

// Close implements [handoff.Provider].
func (p *Provider) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	st, err := stateOf("close", s)
	if err != nil {
		return err
	}
	err = p.customer(ctx, "close", st.Token, "deactivate_chat", fields{"id": s.Reference}, nil, true)
	if isCode(err, "chat_inactive", "not_found") {
		return nil
	}
	return provider.Tolerate(err, http.StatusNotFound)
}

// ReadState implements [handoff.StateReader].
func (p *Provider) ReadState(ctx context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	c, err := p.read(ctx, "state", s.Reference)
	switch {
	case err != nil:
		return handoff.SessionUnknown, handoff.Party{}, err
	case !c.Thread.Active:
		return handoff.SessionEnded, handoff.Party{}, nil
	}
	if u := c.server(); u != nil {
		return handoff.SessionActive, provider.Agent(u.ID, u.Name), nil
	}
	return handoff.SessionQueued, handoff.Party{}, nil
}

// Available implements [handoff.AvailabilityChecker]: whether an agent, of the
// queue's group if it has one, accepts chats.
func (p *Provider) Available(ctx context.Context, n handoff.Need) (handoff.Availability, error) {
	in := fields{}
	if group, ok := p.cfg.Groups[n.Queue]; ok {
		in["filters"] = fields{"group_ids": []int{group}}
	}
	var list []struct {
		Status string `json:"status"` // accepting_chats, not_accepting_chats, offline
	}
	if err := p.agent(ctx, "availability", "list_routing_statuses", in, &list); err != nil {
		return handoff.Unknown, err
	}
	sense := list != nil // an answer that tells of nobody is no answer
	for _, a := range list {
		if a.Status == "accepting_chats" {
			return handoff.Online, nil
		}
		sense = sense && a.Status != ""
	}
	if !sense {
		return handoff.Unknown, provider.AnswerLacks("availability")
	}
	return handoff.Offline, nil
}
