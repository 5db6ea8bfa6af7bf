package livechat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// fields is a JSON object that is sent.
type fields = map[string]any

// attemptKey is the property of a chat, in the app's namespace, that has our
// mark of an attempt.
const attemptKey = "attempt"

// ours begins the custom ids of events that the adapter sends.
const ours = "handoff-"

type chat struct {
	ID     string `json:"id"`
	Users  []user `json:"users"`
	Thread thread `json:"thread"`
}

type thread struct {
	ID     string  `json:"id"`
	Active bool    `json:"active"`
	Events []event `json:"events"`
	Queue  *queue  `json:"queue"`
}

type user struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Type       string `json:"type"` // agent, customer
	Present    bool   `json:"present"`
	Visibility string `json:"visibility"` // all, agents: who only looks on
}

// serves reports whether a user is an agent whom the customer talks to.
func (u *user) serves() bool {
	return u.Type == "agent" && u.Present && u.Visibility != "agents" && u.ID != ""
}

type event struct {
	ID         string  `json:"id"`
	CustomID   string  `json:"custom_id"`
	Type       string  `json:"type"` // message, file, system_message, …
	Text       string  `json:"text"`
	Author     string  `json:"author_id"`
	CreatedAt  string  `json:"created_at"`
	Visibility string  `json:"visibility"` // all, agents
	Recipients string  `json:"recipients"` // the same, in older events
	Name       string  `json:"name"`
	URL        string  `json:"url"`
	Content    string  `json:"content_type"`
	Size       float64 `json:"size"`
}

type queue struct {
	Position int     `json:"position"`
	Wait     float64 `json:"wait_time"` // seconds
}

// judge reads LiveChat's own codes. Some say more than the status.
func judge(a provider.Answer) *handoff.ProviderError {
	pe := provider.Judge(a)
	if pe == nil {
		return nil
	}
	var body struct {
		Error struct {
			Type string `json:"type"`
		} `json:"error"`
	}
	if json.Unmarshal(a.Body, &body) != nil || provider.Code(body.Error.Type) == "" {
		return pe
	}
	pe.Code = provider.Code(body.Error.Type)
	switch pe.Code {
	case "too_many_requests", "service_unavailable", "pending_requests_limit_reached":
		pe.Retryable, pe.Ambiguous = true, false
	case "internal", "request_timeout":
		pe.Retryable, pe.Ambiguous = true, true
	}
	return pe
}

func isCode(err error, codes ...string) bool {
	var pe *handoff.ProviderError
	return errors.As(err, &pe) && slices.Contains(codes, pe.Code)
}

// agent asks the Agent Chat API; doing it twice is doing it once.
func (p *Provider) agent(ctx context.Context, op, action string, in, out any) error {
	return p.api.Do(ctx, provider.Call{Op: op, Method: http.MethodPost, Path: "/agent/action/" + action, JSON: in, Repeatable: true}, out)
}

// customer asks the Customer Chat API in the name of a customer.
func (p *Provider) customer(ctx context.Context, op, token, action string, in, out any, repeatable bool) error {
	return p.api.Do(ctx, provider.Call{
		Op: op, Method: http.MethodPost, Path: "/customer/action/" + action, Query: url.Values{"organization_id": {p.cfg.Organization}},
		Header: http.Header{"Authorization": {"Bearer " + token}}, JSON: in, Repeatable: repeatable,
	}, out)
}

// bearer returns a token of the app that is good for another minute.
func (p *Provider) bearer(ctx context.Context) (string, error) {
	p.mu.Lock()
	token, until := p.token, p.until
	p.mu.Unlock()
	if time.Until(until) > time.Minute {
		return token, nil
	}
	form := url.Values{
		"grant_type": {"refresh_token"}, "client_id": {p.cfg.ClientID}, "client_secret": {p.cfg.ClientSecret}, "refresh_token": {p.cfg.RefreshToken},
	}
	var got grant
	err := p.accounts.Do(ctx, provider.Call{
		Op: "token", Method: http.MethodPost, Path: "/token", Body: []byte(form.Encode()), Type: "application/x-www-form-urlencoded", Repeatable: true,
	}, &got)
	if err == nil && got.Token == "" {
		err = provider.AnswerLacks("token")
	}
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token, p.until = got.Token, got.end()
	return got.Token, nil
}

// A grant is an answer with a token.
type grant struct {
	Token   string `json:"access_token"`
	Entity  string `json:"entity_id"` // the customer
	Seconds int64  `json:"expires_in"`
}

func (g *grant) end() time.Time {
	const most = 8 * 60 * 60
	return time.Now().Add(time.Duration(min(max(g.Seconds, 0), most)) * time.Second)
}

// impersonate returns a token of a customer, and of a new one for "".
func (p *Provider) impersonate(ctx context.Context, op, customer string) (grant, error) {
	in := fields{"grant_type": "agent_token", "client_id": p.cfg.ClientID, "response_type": "token"}
	if customer != "" {
		in["entity_id"] = customer
	}
	token, err := p.bearer(ctx)
	if err != nil {
		return grant{}, reopen(op, err)
	}
	var got grant
	// A second identity that nobody uses does no harm.
	err = p.accounts.Do(ctx, provider.Call{
		Op: op, Method: http.MethodPost, Path: "/customer/token", Header: http.Header{"Authorization": {"Bearer " + token}}, JSON: in, Repeatable: true,
	}, &got)
	if err == nil && (got.Token == "" || got.Entity == "") {
		err = provider.AnswerLacks(op)
	}
	return got, err
}

// reopen names what an error was in the way of.
func reopen(op string, err error) error {
	var pe *handoff.ProviderError
	if errors.As(err, &pe) {
		cp := *pe
		cp.Op = op
		return &cp
	}
	return err
}

// mark names something of ours there. It tells nothing about it.
func mark(what string) string {
	sum := sha256.Sum256([]byte("handoff " + what))
	return ours + hex.EncodeToString(sum[:16])
}

// find returns the chat of an attempt, or one without an id.
func (p *Provider) find(ctx context.Context, op, attempt string) (chat, error) {
	var list struct {
		Chats []struct {
			chat

			Properties map[string]map[string]any `json:"properties"`
		} `json:"chats_summary"`
		Found *int `json:"found_chats"`
	}
	want := mark(attempt)
	err := p.agent(ctx, op, "list_chats", fields{
		"filters": fields{"properties": fields{p.cfg.ClientID: fields{attemptKey: fields{"values": []string{want}}}}}, "limit": 10,
	}, &list)
	if err == nil && list.Chats == nil && (list.Found == nil || *list.Found != 0) {
		err = provider.AnswerLacks(op)
	}
	for _, c := range list.Chats {
		if c.Properties[p.cfg.ClientID][attemptKey] == want {
			return c.chat, err
		}
	}
	return chat{}, err
}

// read returns a chat with its latest thread and who is in it, and learns the
// names of agents.
func (p *Provider) read(ctx context.Context, op, reference string) (chat, error) {
	var c chat
	err := p.agent(ctx, op, "get_chat", fields{"chat_id": reference}, &c)
	if err == nil && (c.ID != reference || c.Thread.ID == "") { // taken for the chat, it would be one that has ended
		err = provider.AnswerLacks(op)
	}
	for i := range c.Users {
		if u := &c.Users[i]; u.Type == "agent" && u.ID != "" {
			p.names.Store(u.ID, u.Name)
		}
	}
	return c, err
}

// server returns the agent whom the customer of a chat talks to, or nil.
func (c *chat) server() *user {
	for i := range c.Users {
		if u := &c.Users[i]; u.serves() {
			return u
		}
	}
	return nil
}

// nameOf returns the name of an agent of a chat, or "" if it cannot be had at
// once.
func (p *Provider) nameOf(ctx context.Context, reference, id string) string {
	if _, ok := p.names.Load(id); !ok {
		ctx, cancel := context.WithTimeout(ctx, glance)
		defer cancel()
		if _, err := p.read(ctx, "agent", reference); err != nil {
			return ""
		}
	}
	name, _ := p.names.Load(id)
	text, _ := name.(string)
	return text
}

// glance is how long a webhook waits for what it lacks: LiveChat waits ten
// seconds.
const glance = 2 * time.Second

func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(s))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
