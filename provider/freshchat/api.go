package freshchat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// fields is a JSON object that is sent.
type fields = map[string]any

// What the types of messages and actors are called.
const (
	normal  = "normal"
	private = "private"
	byUser  = "user"
	byAgent = "agent"
)

const resolved = "resolved" // a status of conversations; others are new, assigned and reopened

type conversation struct {
	ID     string `json:"conversation_id"`
	Status string `json:"status"`
	Agent  string `json:"assigned_agent_id"`
}

type message struct {
	ID           string `json:"id"`
	Conversation string `json:"conversation_id"`
	Type         string `json:"message_type"` // normal, private, system; some webhooks lack it
	Note         bool   `json:"botsPrivateNote"`
	ActorType    string `json:"actor_type"` // user, agent, system, bot
	ActorID      string `json:"actor_id"`
	CreatedTime  string `json:"created_time"`
	Parts        []part `json:"message_parts"`
	OldParts     []part `json:"msg_parts"` // of webhooks until 2019
}

type part struct {
	Text  *content `json:"text"`
	Image *file    `json:"image"`
	Video *file    `json:"video"`
	File  *file    `json:"file"`
	Old   struct {
		Text string `json:"text"`
	} `json:"properties"`
}

type content struct {
	Content string `json:"content"`
}

type file struct {
	Name string  `json:"name"`
	URL  string  `json:"url"`
	Type string  `json:"content_type"`
	Size float64 `json:"file_size_in_bytes"`
}

// read returns what a message says.
func (m *message) read() (text string, files []handoff.File) {
	var lines []string
	for _, p := range append(m.Parts, m.OldParts...) {
		switch {
		case p.Text != nil:
			lines = append(lines, p.Text.Content)
		case p.Old.Text != "":
			lines = append(lines, p.Old.Text)
		}
		for _, f := range []*file{p.Image, p.Video, p.File} {
			if f != nil && f.URL != "" && len(files) < provider.MaxFiles {
				size := int64(max(min(f.Size, 1<<50), 0))
				files = append(files, handoff.File{Name: provider.Name(f.Name), URL: f.URL, Type: provider.Name(f.Type), Size: size})
			}
		}
	}
	return strings.Join(lines, "\n"), files
}

// parts is what a message of ours says.
func parts(text string, files []handoff.File) []fields {
	var out []fields
	if text != "" || len(files) == 0 {
		out = append(out, fields{"text": fields{"content": text}})
	}
	for _, f := range files {
		if strings.HasPrefix(f.Type, "image/") {
			out = append(out, fields{"image": fields{"url": f.URL}})
			continue
		}
		name := f.Name
		if name == "" {
			name = "file"
		}
		in := fields{"url": f.URL, "name": name}
		if f.Type != "" {
			in["content_type"] = f.Type
		}
		if f.Size > 0 {
			in["file_size_in_bytes"] = f.Size
		}
		out = append(out, fields{"file": in})
	}
	return out
}

func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

func (p *Provider) do(ctx context.Context, op, method, path string, in, out any) error {
	return p.api.Do(ctx, provider.Call{Op: op, Method: method, Path: path, JSON: in}, out)
}

func chat(reference, rest string) string {
	return "/conversations/" + url.PathEscape(reference) + rest
}

// external is the reference id of the user of an attempt. It tells nothing
// about it.
func external(attempt string) string {
	sum := sha256.Sum256([]byte("handoff " + attempt))
	return "handoff-" + hex.EncodeToString(sum[:16])
}

// find returns the user and the conversation of an attempt, as far as they are
// there.
func (p *Provider) find(ctx context.Context, op, attempt string) (user, reference string, err error) {
	var users struct {
		Users []struct {
			ID        string `json:"id"`
			Reference string `json:"reference_id"`
		} `json:"users"`
	}
	name := external(attempt)
	err = p.api.Do(ctx, provider.Call{Op: op, Path: "/users", Query: url.Values{"reference_id": {name}}}, &users)
	switch {
	case err != nil:
		return "", "", provider.Tolerate(err, http.StatusNotFound)
	case users.Users == nil:
		return "", "", provider.AnswerLacks(op)
	}
	for _, u := range users.Users {
		if u.Reference == name {
			user = u.ID
		}
	}
	if user == "" {
		return "", "", nil
	}
	var list struct {
		Conversations []struct {
			ID string `json:"id"`
		} `json:"conversations"`
	}
	err = p.do(ctx, op, http.MethodGet, "/users/"+url.PathEscape(user)+"/conversations", nil, &list)
	switch {
	case err != nil:
		return user, "", provider.Tolerate(err, http.StatusNotFound)
	case list.Conversations == nil || len(list.Conversations) > 0 && list.Conversations[0].ID == "":
		// To take it for none would begin another one.
		return "", "", provider.AnswerLacks(op)
	case len(list.Conversations) == 0:
		return user, "", nil
	}
	return user, list.Conversations[0].ID, nil
}

var errNameless = errors.New("what was made has no id")

// addUser makes the user of an attempt.
func (p *Provider) addUser(ctx context.Context, op, attempt string, who *handoff.Contact) (string, error) {
	in := fields{"reference_id": external(attempt), "first_name": "Visitor"}
	if who != nil {
		for field, value := range map[string]string{"first_name": who.Name, "email": who.Mail, "phone": who.Phone} {
			if value != "" {
				in[field] = provider.Cut(value, 255)
			}
		}
	}
	var made struct {
		ID string `json:"id"`
	}
	err := p.do(ctx, op, http.MethodPost, "/users", in, &made)
	if err == nil && made.ID == "" {
		err = &handoff.ProviderError{Op: op, Code: "answer", Retryable: true, Ambiguous: true, Err: errNameless}
	}
	return made.ID, err
}

// start makes a conversation of a user. It returns its id.
func (p *Provider) start(ctx context.Context, op, user, queue string) (string, error) {
	in := fields{
		"channel_id": p.cfg.Channel, "users": []fields{{"id": user}},
		"messages": []fields{{
			"message_parts": parts(p.cfg.FirstWords, nil), "message_type": normal, "actor_type": byUser, "actor_id": user, "channel_id": p.cfg.Channel,
		}},
	}
	if group := p.cfg.Groups[queue]; group != "" {
		in["assigned_group_id"] = group
	}
	var made conversation
	err := p.do(ctx, op, http.MethodPost, "/conversations", in, &made)
	if err == nil && made.ID == "" {
		err = &handoff.ProviderError{Op: op, Code: "answer", Retryable: true, Ambiguous: true, Err: errNameless}
	}
	return made.ID, err
}

// mostPages bounds how many pages of a list are read.
const mostPages = 20

// messages calls see for the messages of a conversation since a time (zero: all)
// until it returns false.
func (p *Provider) messages(ctx context.Context, op, reference string, since time.Time, see func(m *message) bool) error {
	query := url.Values{"items_per_page": {"50"}}
	if !since.IsZero() {
		query.Set("from_time", since.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	for page := range mostPages {
		query.Set("page", strconv.Itoa(page+1))
		var list struct {
			Messages []message `json:"messages"`
			Link     struct {
				Href string `json:"href"`
			} `json:"link"` // to the next page
		}
		if err := p.api.Do(ctx, provider.Call{Op: op, Path: chat(reference, "/messages"), Query: query}, &list); err != nil {
			return err
		}
		switch {
		case list.Messages != nil:
		case page == 0 && !since.IsZero():
			// Of nothing new it may tell nothing. Of all that there is it has to.
			return p.messages(ctx, op, reference, time.Time{}, func(m *message) bool {
				return moment(m.CreatedTime).Before(since) || see(m)
			})
		default:
			return provider.AnswerLacks(op)
		}
		for i := range list.Messages {
			if !see(&list.Messages[i]) {
				return nil
			}
		}
		if list.Link.Href == "" || len(list.Messages) == 0 {
			break
		}
	}
	return nil
}

// nameOf returns the name of an agent, or "" if it cannot be had at once.
func (p *Provider) nameOf(ctx context.Context, id string) string {
	if name, ok := p.names.Load(id); ok {
		return name.(string) //nolint:forcetypeassert // there are only strings
	}
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	var a agent
	if id == "" || len(id) > provider.MaxName || p.do(ctx, "agent", http.MethodGet, "/agents/"+url.PathEscape(id), nil, &a) != nil {
		return ""
	}
	name := strings.TrimSpace(a.First + " " + a.Last)
	p.names.Store(id, name)
	return name
}

type agent struct {
	ID           string   `json:"id"`
	First        string   `json:"first_name"`
	Last         string   `json:"last_name"`
	Deactivated  bool     `json:"is_deactivated"`
	Availability string   `json:"availability_status"` // AVAILABLE, UNAVAILABLE
	Groups       []string `json:"groups"`
}
