package genesys

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
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

// bearer returns a token that is good for another minute.
func (p *Provider) bearer(ctx context.Context) (string, error) {
	p.mu.Lock()
	token, until := p.token, p.until
	p.mu.Unlock()
	if time.Until(until) > time.Minute {
		return token, nil
	}
	var out struct {
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	basic := base64.StdEncoding.EncodeToString([]byte(p.cfg.Client + ":" + p.cfg.Secret))
	err := p.login.Do(ctx, provider.Call{
		Op: "token", Method: http.MethodPost, Path: "/oauth/token", Repeatable: true,
		Header: http.Header{"Authorization": {"Basic " + basic}},
		Body:   []byte(url.Values{"grant_type": {"client_credentials"}}.Encode()), Type: "application/x-www-form-urlencoded",
	}, &out)
	if err == nil && out.Token == "" {
		err = provider.AnswerLacks("token")
	}
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token, p.until = out.Token, time.Now().Add(time.Duration(out.Seconds)*time.Second)
	return out.Token, nil
}

// judge reads Genesys Cloud's own codes. A token that was revoked is forgotten,
// so that the next try gets another one; the call was not made.
func (p *Provider) judge(a provider.Answer) *handoff.ProviderError {
	pe := provider.Judge(a)
	if pe == nil {
		return nil
	}
	var body struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(a.Body, &body) == nil {
		if code := provider.Code(body.Code); code != "" {
			pe.Code = code
		}
	}
	if a.Status == http.StatusUnauthorized {
		p.mu.Lock()
		pe.Retryable = time.Until(p.until) > time.Minute // it was thought to be good
		p.until = time.Time{}
		p.mu.Unlock()
	}
	return pe
}

// conversation is one as Genesys Cloud answers.
type conversation struct {
	ID           string        `json:"id"`
	Participants []participant `json:"participants"`
}

// A participant is somebody, or some part of the platform, in a conversation.
type participant struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Purpose   string  `json:"purpose"` // customer, agent, user, acd, ivr, workflow, …
	State     string  `json:"state"`
	Connected string  `json:"connectedTime"`
	Ended     string  `json:"endTime"`
	User      *entity `json:"user"`
	Queue     *entity `json:"queue"`
	Messages  []struct {
		ID string `json:"messageId"`
	} `json:"messages"`
}

type entity struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (m *participant) isAgent() bool { return m.Purpose == "agent" || m.Purpose == "user" }

func (m *participant) isCustomer() bool { return m.Purpose == "customer" || m.Purpose == "external" }

func (m *participant) isLive() bool {
	return m.Ended == "" && m.State != "disconnected" && m.State != "terminated"
}

// has reports whether an agent has the conversation: he was asked and took it.
func (m *participant) has() bool { return m.isAgent() && m.isLive() && m.Connected != "" }

func (m *participant) party() handoff.Party {
	id := m.ID
	if m.User != nil && m.User.ID != "" {
		id = m.User.ID
	}
	name := m.Name
	if name == "" && m.User != nil {
		name = m.User.Name
	}
	return provider.Agent(id, name)
}

// agent returns who has the conversation, or who had it last, at a time; zero
// is now. It is nil if nobody had it.
func (c *conversation) agent(at time.Time) (who *participant) {
	for i := range c.Participants {
		m := &c.Participants[i]
		since := when(m.Connected)
		if !m.isAgent() || m.Connected == "" || !at.IsZero() && since.After(at.Add(clocks)) {
			continue
		}
		if who == nil || m.isLive() && !who.isLive() || m.isLive() == who.isLive() && !since.Before(when(who.Connected)) {
			who = m
		}
	}
	return who
}

// clocks is how far the times of the platform's parts may be apart.
const clocks = 2 * time.Second

// isOver reports whether only the customer is left, or not even he.
func (c *conversation) isOver() bool {
	customer, had := false, false
	for i := range c.Participants {
		m := &c.Participants[i]
		if !m.isCustomer() && m.isLive() {
			return false
		}
		customer = customer || m.isCustomer() && m.isLive()
		had = had || m.isAgent() && m.Connected != ""
	}
	return !customer || had
}

// queue returns the id of the queue in which the conversation waits.
func (c *conversation) queue() string {
	for i := range c.Participants {
		if m := &c.Participants[i]; m.Purpose == "acd" && m.isLive() && m.Queue != nil {
			return m.Queue.ID
		}
	}
	return ""
}

func when(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// stamp is a time as Genesys Cloud wants it.
func stamp(t time.Time) string {
	if t.IsZero() {
		t = time.Now()
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

const messages = "/api/v2/conversations/messages/"

func (p *Provider) read(ctx context.Context, op, id string) (c conversation, err error) {
	err = p.api.Do(ctx, provider.Call{Op: op, Path: messages + url.PathEscape(id)}, &c)
	if err == nil && (c.ID != id || c.Participants == nil) { // taken for the conversation, it would be one that is over
		err = provider.AnswerLacks(op)
	}
	return c, err
}

// reference is the id of an attempt's customer: the same each time, so that a
// repeated opening finds the conversation that is there, and unguessable.
func (p *Provider) reference(attempt string) string {
	return "handoff-" + hex.EncodeToString(provider.MAC(sha256.New, p.cfg.Secret, []byte("handoff "+attempt)))[:32]
}

// messageID names a message of a customer.
func messageID(reference, id string) string {
	return hex.EncodeToString(provider.MAC(sha256.New, reference, []byte("message "+id)))[:32]
}

// inbound sends a message of a customer. It returns the conversation that got it.
func (p *Provider) inbound(ctx context.Context, op string, in fields) (string, error) {
	var out struct {
		Conversation string `json:"conversationId"`
	}
	err := p.api.Do(ctx, provider.Call{
		Op: op, Method: http.MethodPost, Path: messages + url.PathEscape(p.cfg.Integration) + "/inbound/open/message",
		Query: url.Values{"prefetchConversationId": {"true"}}, JSON: in,
	}, &out)
	if err == nil && out.Conversation == "" {
		err = &handoff.ProviderError{Op: op, Code: "answer", Retryable: true, Ambiguous: true, Err: errors.New("the conversation has no id")}
	}
	return out.Conversation, err
}

// knows reports whether a conversation has a message of the customer under our
// id.
func (p *Provider) knows(ctx context.Context, op, id, message string) (bool, error) {
	c, err := p.read(ctx, op, id)
	if err != nil {
		return false, err
	}
	var ids []string
	for i := range c.Participants {
		if m := &c.Participants[i]; m.isCustomer() {
			for _, said := range m.Messages {
				ids = append(ids, said.ID)
			}
		}
	}
	const most = 1000
	if len(ids) == 0 {
		return false, nil
	}
	var list struct {
		Entities []struct {
			Ours string `json:"providerMessageId"`
		} `json:"entities"`
	}
	err = p.api.Do(ctx, provider.Call{
		Op: op, Method: http.MethodPost, Path: messages + url.PathEscape(id) + "/messages/bulk", Repeatable: true,
		JSON: ids[max(0, len(ids)-most):],
	}, &list)
	if err == nil && list.Entities == nil { // at least one of them is there
		err = provider.AnswerLacks(op)
	}
	for _, e := range list.Entities {
		if e.Ours == message {
			return true, nil
		}
	}
	return false, err
}

// mediaType is the kind of a file as Genesys Cloud names it.
func mediaType(mime string) string {
	switch kind, _, _ := strings.Cut(mime, "/"); kind {
	case "image":
		return "Image"
	case "video":
		return "Video"
	case "audio":
		return "Audio"
	}
	return "File"
}
