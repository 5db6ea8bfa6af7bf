package intercom

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// fields is a JSON object that is sent.
type fields = map[string]any

type contact struct {
	ID string `json:"id"`
}

// conversation is one as Intercom answers, and as the item of a webhook.
type conversation struct {
	ID        string `json:"id"`
	State     string `json:"state"` // open, closed, snoozed
	Open      bool   `json:"open"`
	CreatedAt int64  `json:"created_at"`
	UpdatedAt int64  `json:"updated_at"`
	Admin     number `json:"admin_assignee_id"`
	Team      number `json:"team_assignee_id"`
	Source    struct {
		Body   string `json:"body"`
		Author author `json:"author"`
	} `json:"source"`
	Contacts struct {
		Contacts []contact `json:"contacts"`
	} `json:"contacts"`
	Parts struct {
		Parts []part `json:"conversation_parts"`
	} `json:"conversation_parts"`
}

const stateClosed = "closed"

// A part is what happened in a conversation.
type part struct {
	ID          string       `json:"id"`
	Type        string       `json:"part_type"` // comment, note, assignment, close, …
	Body        string       `json:"body"`
	CreatedAt   int64        `json:"created_at"`
	Author      author       `json:"author"`
	AssignedTo  *reference   `json:"assigned_to"`
	Attachments []attachment `json:"attachments"`
}

type author struct {
	Type string `json:"type"` // admin, bot, user, lead, contact
	ID   string `json:"id"`
	Name string `json:"name"`
}

type reference struct {
	Type string `json:"type"` // admin, team, nobody_admin
	ID   string `json:"id"`
}

type attachment struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	Type string `json:"content_type"`
	Size int64  `json:"filesize"`
}

// number is an id that Intercom writes as a number, as text or as null.
type number string

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if !isNumber(s) || s == "0" {
		s = ""
	}
	*n = number(s)
	return nil
}

func (p *Provider) do(ctx context.Context, op, method, path string, in, out any) error {
	return p.api.Do(ctx, provider.Call{Op: op, Method: method, Path: path, JSON: in}, out)
}

var errReference = errors.New("there is no such conversation")

// chat is the path of a conversation. References are numbers; another one is
// nobody's.
func chat(op, reference, rest string) (string, error) {
	if !isNumber(reference) {
		return "", &handoff.ProviderError{Op: op, Status: http.StatusNotFound, Code: "reference", Err: errReference}
	}
	return "/conversations/" + reference + rest, nil
}

// contactOf returns the contact of a user, made if there is none.
func (p *Provider) contactOf(ctx context.Context, op string, h *handoff.Handoff) (string, error) {
	external := "conversation:" + h.ID.Conversation
	u := handoff.Contact{}
	if h.User != nil {
		u = *h.User
		if u.ID != "" {
			external = u.ID
		}
	}
	var c contact
	err := p.do(ctx, op, http.MethodGet, "/contacts/find_by_external_id/"+url.PathEscape(external), nil, &c)
	if err == nil && c.ID == "" {
		err = provider.AnswerLacks(op) // of a contact that is there Intercom makes no other one
	}
	if err == nil {
		return c.ID, nil
	}
	if err = provider.Tolerate(err, http.StatusNotFound); err != nil {
		return "", err
	}
	in := fields{"role": "user", "external_id": external}
	for name, v := range map[string]string{"name": u.Name, "email": u.Mail, "phone": u.Phone} {
		if v != "" {
			in[name] = v
		}
	}
	err = p.do(ctx, op, http.MethodPost, "/contacts", in, &c)
	if isStatus(err, http.StatusConflict) && (u.Mail != "" || u.Phone != "") {
		// Another contact has the address.
		delete(in, "email")
		delete(in, "phone")
		err = p.do(ctx, op, http.MethodPost, "/contacts", in, &c)
	}
	if err == nil && c.ID == "" {
		err = &handoff.ProviderError{Op: op, Code: "answer", Retryable: true, Err: errors.New("the contact has no id")}
	}
	return c.ID, err
}

// nameOf returns the name of a teammate, or "" if it cannot be had at once.
func (p *Provider) nameOf(ctx context.Context, id string) string {
	if name, ok := p.names.Load(id); ok {
		return name.(string) //nolint:forcetypeassert // there are only strings
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var a author
	if !isNumber(id) || p.do(ctx, "admin", http.MethodGet, "/admins/"+id, nil, &a) != nil {
		return ""
	}
	p.names.Store(id, a.Name)
	return a.Name
}

// mark is a word that names an attempt. It stands in the first message, since
// that is what a search finds.
func (p *Provider) mark(what string) string {
	return "ref" + hex.EncodeToString(provider.MAC(sha256.New, p.cfg.Token, []byte("handoff "+what)))[:20]
}

// search returns the oldest conversation with a word in its first message, or
// one without an id.
func (p *Provider) search(ctx context.Context, op, word string) (conversation, error) {
	var list struct {
		Conversations []conversation `json:"conversations"`
	}
	err := p.api.Do(ctx, provider.Call{
		Op: op, Method: http.MethodPost, Path: "/conversations/search", Repeatable: true,
		JSON: fields{"query": fields{"field": "source.body", "operator": "=", "value": word}},
	}, &list)
	if err == nil && list.Conversations == nil {
		err = provider.AnswerLacks(op)
	}
	var first conversation
	for _, c := range list.Conversations {
		if isNumber(c.ID) && strings.Contains(c.Source.Body, word) && (first.ID == "" || c.CreatedAt < first.CreatedAt) {
			first = c
		}
	}
	return first, err
}

// read returns a conversation with its parts.
func (p *Provider) read(ctx context.Context, op, reference string) (c conversation, err error) {
	path, err := chat(op, reference, "")
	if err == nil {
		err = p.do(ctx, op, http.MethodGet, path, nil, &c)
	}
	if err == nil && (c.ID != reference || c.Parts.Parts == nil) { // without parts, what was said would be said twice
		err = provider.AnswerLacks(op)
	}
	return c, err
}

// has reports whether a conversation has a part of somebody that was written
// at a time with a text.
func (c *conversation) has(kind, who, text string, at time.Time) bool {
	for i := range c.Parts.Parts {
		part := &c.Parts.Parts[i]
		if part.Type == kind && part.Author.ID == who && (at.IsZero() || part.CreatedAt == at.Unix()) && sameWords(provider.Plain(part.Body), text) {
			return true
		}
	}
	return false
}

func sameWords(a, b string) bool {
	return strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
}

func isStatus(err error, status int) bool {
	var pe *handoff.ProviderError
	return errors.As(err, &pe) && pe.Status == status
}
