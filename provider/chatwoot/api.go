package chatwoot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// The statuses of a conversation.
const (
	statusOpen     = "open"
	statusPending  = "pending" // a bot has it
	statusResolved = "resolved"
	statusSnoozed  = "snoozed"
)

type contact struct {
	ID         int64  `json:"id"`
	Identifier string `json:"identifier"`
}

type agent struct {
	ID            int64  `json:"id"`
	Name          string `json:"name"`
	AvailableName string `json:"available_name"`
	Availability  string `json:"availability_status"`
}

func (a *agent) party() handoff.Party {
	name := a.AvailableName
	if name == "" {
		name = a.Name
	}
	return provider.Agent(strconv.FormatInt(a.ID, 10), name)
}

type conversation struct {
	ID     int64  `json:"id"`
	Status string `json:"status"`
	Meta   struct {
		Assignee *agent `json:"assignee"`
	} `json:"meta"`
}

// account is the path of something in the account.
func (p *Provider) account(format string, args ...any) string {
	return fmt.Sprintf("/api/v1/accounts/%d", p.cfg.Account) + fmt.Sprintf(format, args...)
}

// chat is the path of something of a conversation. References are numbers;
// another one is nobody's.
func (p *Provider) chat(op, reference, rest string) (string, error) {
	if n, err := strconv.ParseInt(reference, 10, 64); err != nil || n < 1 {
		return "", &handoff.ProviderError{Op: op, Status: http.StatusNotFound, Code: "reference", Err: errReference}
	}
	return p.account("/conversations/%s%s", reference, rest), nil
}

var errReference = errors.New("there is no such conversation")

// client is the path of something of a contact in the client API.
func (p *Provider) client(source, rest string) string {
	return "/public/api/v1/inboxes/" + url.PathEscape(p.cfg.InboxIdentifier) + "/contacts/" + url.PathEscape(source) + rest
}

func (p *Provider) post(ctx context.Context, op, path string, in, out any) error {
	return p.api.Do(ctx, provider.Call{Op: op, Method: http.MethodPost, Path: path, JSON: in}, out)
}

// put is a post that does nothing more when it is repeated.
func (p *Provider) put(ctx context.Context, op, path string, in any) error {
	return p.api.Do(ctx, provider.Call{Op: op, Method: http.MethodPost, Path: path, JSON: in, Repeatable: true}, nil)
}

// conversationOf returns the conversation of a source, or 0. A source is used for one.
func (p *Provider) conversationOf(ctx context.Context, op, source string) (conversation, error) {
	var list []conversation
	err := p.api.Do(ctx, provider.Call{Op: op, Path: p.client(source, "/conversations")}, &list)
	switch {
	case err != nil:
		return conversation{}, provider.Tolerate(err, http.StatusNotFound)
	case list == nil || len(list) > 0 && list[0].ID < 1:
		// To take it for none would begin another one.
		return conversation{}, provider.AnswerLacks(op)
	case len(list) == 0:
		return conversation{}, nil
	}
	return list[0], nil
}

// contactOf returns the contact of a user, made if there is none.
func (p *Provider) contactOf(ctx context.Context, op string, h *handoff.Handoff) (int64, error) {
	identifier := "conversation:" + h.ID.Conversation
	u := handoff.Contact{}
	if h.User != nil {
		u = *h.User
		if u.ID != "" {
			identifier = u.ID
		}
	}
	var found struct {
		Payload []contact `json:"payload"`
	}
	err := p.api.Do(ctx, provider.Call{Op: op, Path: p.account("/contacts/search"), Query: url.Values{"q": {identifier}}}, &found)
	switch {
	case err != nil:
		return 0, err
	case found.Payload == nil: // of a contact that is there Chatwoot makes no other one
		return 0, provider.AnswerLacks(op)
	}
	for _, c := range found.Payload {
		if c.Identifier == identifier && c.ID > 0 {
			return c.ID, nil
		}
	}
	in := map[string]any{"inbox_id": p.cfg.Inbox, "identifier": identifier, "name": or(u.Name, identifier)}
	if u.Mail != "" {
		in["email"] = u.Mail
	}
	if strings.HasPrefix(u.Phone, "+") {
		in["phone_number"] = u.Phone // Chatwoot wants E.164
	}
	var made struct {
		Payload struct {
			Contact contact `json:"contact"`
		} `json:"payload"`
	}
	err = p.post(ctx, op, p.account("/contacts"), in, &made)
	if isStatus(err, http.StatusUnprocessableEntity) && (in["email"] != nil || in["phone_number"] != nil) {
		// Another contact has the address or the number.
		delete(in, "email")
		delete(in, "phone_number")
		err = p.post(ctx, op, p.account("/contacts"), in, &made)
	}
	if err == nil && made.Payload.Contact.ID < 1 { // a repeat finds it
		err = provider.AnswerLacks(op)
	}
	return made.Payload.Contact.ID, err
}

// outgoing is a message for Chatwoot. Mark is our id of it.
type outgoing struct {
	Content string `json:"content"`
	Type    string `json:"message_type"` // incoming: of the contact
	Private bool   `json:"private"`
	Mark    string `json:"source_id"`

	files []attachment
}

type attachment struct {
	name, typ string
	body      []byte
}

// markPrefix begins the marks of what we have sent.
const markPrefix = "handoff:"

func mark(id string) string { return markPrefix + id }

func (p *Provider) say(ctx context.Context, op, reference string, m *outgoing) error {
	path, err := p.chat(op, reference, "/messages")
	if err != nil {
		return err
	}
	if len(m.files) == 0 {
		return p.post(ctx, op, path, m, nil)
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range [][2]string{{"content", m.Content}, {"message_type", m.Type}, {"source_id", m.Mark}} {
		if f[1] != "" {
			_ = w.WriteField(f[0], f[1]) // into memory
		}
	}
	for _, f := range m.files {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", multipart.FileContentDisposition("attachments[]", f.name))
		h.Set("Content-Type", or(f.typ, "application/octet-stream"))
		part, _ := w.CreatePart(h)
		_, _ = part.Write(f.body)
	}
	_ = w.Close()
	return p.api.Do(ctx, provider.Call{Op: op, Method: http.MethodPost, Path: path, Body: b.Bytes(), Type: w.FormDataContentType()}, nil)
}

// has looks for a message by its mark among the newest of a conversation.
func (p *Provider) has(ctx context.Context, op, reference, mark string) (bool, error) {
	const pages = 10
	path, err := p.chat(op, reference, "/messages")
	if err != nil {
		return false, err
	}
	query := url.Values{}
	for range pages {
		var list struct {
			Payload []struct {
				ID   int64  `json:"id"`
				Mark string `json:"source_id"`
			} `json:"payload"`
		}
		err := p.api.Do(ctx, provider.Call{Op: op, Path: path, Query: query}, &list)
		switch {
		case err != nil:
			return false, err
		case list.Payload == nil: // taken for none, the message would be written twice
			return false, provider.AnswerLacks(op)
		case len(list.Payload) == 0:
			return false, nil
		}
		oldest := list.Payload[0].ID
		for _, m := range list.Payload {
			if m.Mark == mark {
				return true, nil
			}
			oldest = min(oldest, m.ID)
		}
		if oldest < 1 { // what stands before it cannot be asked for
			return false, provider.AnswerLacks(op)
		}
		query.Set("before", strconv.FormatInt(oldest, 10))
	}
	return false, nil
}

func (p *Provider) setStatus(ctx context.Context, op, reference, status string) error {
	path, err := p.chat(op, reference, "/toggle_status")
	if err != nil {
		return err
	}
	return p.put(ctx, op, path, map[string]string{"status": status})
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
