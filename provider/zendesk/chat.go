package zendesk

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// state is what a session needs besides its reference.
type state struct {
	User string `json:"user"` // external id
}

func session(c *conversation, user string) handoff.Session {
	b, _ := json.Marshal(state{User: user}) //nolint:errchkjson // a string
	return handoff.Session{Reference: c.ID, State: b}
}

// Open implements [handoff.Provider]. Control is passed last: what the agents
// have is complete.
func (p *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	user := external(o.Attempt)
	c, err := p.find(ctx, "open", user)
	if err != nil {
		return handoff.Session{}, err
	}
	seen := map[string]bool{}
	if c.ID == "" {
		c, err = p.start(ctx, "open", user, o.Handoff.User)
	} else if !c.atAgents() {
		seen, err = p.marks(ctx, "open", c.ID)
	}
	s := session(&c, user)
	if err != nil || c.atAgents() {
		return s, err
	}
	for _, l := range (provider.Renderer{Redact: p.cfg.Redact}).Replay(o.Transcript, MaxBytes) {
		m := handoff.ProviderMessage{ID: "past/" + l.ID, From: l.From, Text: l.Text, Files: l.Files}
		if err := p.say(ctx, "open", c.ID, user, m, seen); err != nil {
			return handoff.Session{}, err
		}
	}
	if err := p.pass(ctx, "open", c.ID, workspace, p.ticket(o, c.ID)); err != nil {
		return handoff.Session{}, err
	}
	return s, nil
}

// The metadata of a change of control may have 4 KB.
const (
	maxNote   = 1500
	maxAnswer = 200
	maxTags   = 500
	mostAsked = 6 // answers with a field of their own
)

// ticket is what the agents' ticket gets.
func (p *Provider) ticket(o handoff.Opening, reference string) fields {
	render := provider.Renderer{Redact: p.cfg.Redact}
	out := fields{}
	for _, name := range slices.Sorted(maps.Keys(p.cfg.Answers)) {
		if v := o.Handoff.Answers[name]; v != "" && len(out) < mostAsked {
			out["dataCapture.ticketField."+p.cfg.Answers[name]] = render.Note(handoff.Opening{Note: v}, maxAnswer)
		}
	}
	out["dataCapture.ticketField."+p.cfg.ReferenceField] = reference
	if note := render.Note(handoff.Opening{Note: o.Note}, maxNote); note != "" {
		out["dataCapture.ticketField."+p.cfg.NoteField] = note
	}
	tags := slices.Clone(o.Handoff.Flags)
	if tag := p.cfg.Queues[o.Handoff.Need.Queue]; tag != "" {
		tags = append([]string{tag}, tags...)
	}
	if len(tags) > 0 {
		out["dataCapture.systemField.tags"] = provider.Cut(strings.Join(tags, ","), maxTags)
	}
	return out
}

// say writes a message and its files, each with a mark, but for what is there
// already. What the bot said is silent: the user has read it.
func (p *Provider) say(ctx context.Context, op, reference, user string, m handoff.ProviderMessage, seen map[string]bool) error {
	write := func(mark string, content fields) error {
		if seen[mark] {
			return nil
		}
		in := fields{"author": fields{"type": "user", "userExternalId": user}, "content": content, "metadata": fields{markKey: mark}}
		if m.From.Role != handoff.RoleUser {
			author := fields{"type": "business"}
			if m.From.Name != "" {
				author["displayName"] = m.From.Name
			}
			in["author"], in["destination"] = author, fields{"integrationType": "none"}
		}
		return p.do(ctx, op, http.MethodPost, chat(reference, "/messages"), in, nil)
	}
	if m.Text != "" {
		if err := write(m.ID, fields{"type": "text", "text": m.Text}); err != nil {
			return err
		}
	}
	for i, f := range m.Files {
		content := fields{"type": "file", "mediaUrl": f.URL}
		if f.Name != "" {
			content["altText"] = provider.Cut(f.Name, 128)
		}
		if err := write(m.ID+"/file/"+strconv.Itoa(i), content); err != nil {
			return err
		}
	}
	return nil
}

// Find implements [handoff.Finder].
func (p *Provider) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	user := external(attempt)
	c, err := p.find(ctx, "find", user)
	if err != nil || c.ID == "" {
		return handoff.Session{}, false, err
	}
	s := session(&c, user)
	s.Partial = !c.atAgents()
	return s, true, nil
}

// Send implements [handoff.Provider].
func (p *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	var st state
	if json.Unmarshal(s.State, &st) != nil || st.User == "" {
		return &handoff.ProviderError{Op: "send", Code: "session"}
	}
	var seen map[string]bool
	if m.Again {
		var err error
		if seen, err = p.marks(ctx, "send", s.Reference); err != nil {
			return err
		}
	}
	return p.say(ctx, "send", s.Reference, st.User, m, seen)
}

// Close implements [handoff.Provider]: the agents no longer have the
// conversation. Their ticket stays as it is.
func (p *Provider) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	return provider.Tolerate(p.pass(ctx, "close", s.Reference, p.cfg.Bot, nil), http.StatusNotFound)
}

// ReturnToBot implements [handoff.BotReturner].
func (p *Provider) ReturnToBot(ctx context.Context, s handoff.Session) error {
	return provider.Tolerate(p.pass(ctx, "return", s.Reference, p.cfg.Bot, nil), http.StatusNotFound)
}

// Ticket implements [handoff.Ticketer].
func (p *Provider) Ticket(ctx context.Context, h handoff.Handoff, text, id string) (string, error) {
	in := fields{"subject": "Message from " + h.ID.Conversation, "comment": fields{"body": text}, "external_id": id}
	if u := h.User; u != nil && u.Mail != "" {
		name := u.Name
		if name == "" {
			name = u.Mail
		}
		in["requester"] = fields{"name": name, "email": u.Mail}
	}
	header := http.Header{}
	header.Set("Idempotency-Key", external("ticket "+id))
	var out struct {
		Ticket struct {
			ID json.Number `json:"id"`
		} `json:"ticket"`
	}
	err := p.support.Do(ctx, provider.Call{
		Op: "ticket", Method: http.MethodPost, Path: "/tickets.json", Header: header, JSON: fields{"ticket": in}, Repeatable: true,
	}, &out)
	if err == nil && out.Ticket.ID == "" {
		err = provider.AnswerLacks("ticket") // the key drops the repeat
	}
	return out.Ticket.ID.String(), err
}
