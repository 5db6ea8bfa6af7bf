package zendesk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// workspace is the type of the switchboard integration of the agents, and the
// name by which it is passed control.
const workspace = "zd:agentWorkspace"

// markKey is the field of a message's metadata that has our id of it.
const markKey = "handoff"

// fields is a JSON object that is sent.
type fields = map[string]any

type integration struct {
	Name string `json:"name"`
	Type string `json:"integrationType"`
}

type conversation struct {
	ID     string       `json:"id"`
	Active *integration `json:"activeSwitchboardIntegration"`
}

// atAgents reports whether the agents have control.
func (c *conversation) atAgents() bool {
	return c.Active != nil && c.Active.Type == workspace
}

type message struct {
	ID       string         `json:"id"`
	Received string         `json:"received"`
	Metadata map[string]any `json:"metadata"`
	Author   struct {
		Type     string   `json:"type"` // business, user
		ID       string   `json:"userId"`
		Name     string   `json:"displayName"`
		Subtypes []string `json:"subtypes"`
	} `json:"author"`
	Source struct {
		Type string `json:"type"` // api, messenger, whatsapp, …
	} `json:"source"`
	Content struct {
		Type      string  `json:"type"` // text, file, image, …
		Text      string  `json:"text"`
		AltText   string  `json:"altText"`
		MediaURL  string  `json:"mediaUrl"`
		MediaType string  `json:"mediaType"`
		MediaSize float64 `json:"mediaSize"`
	} `json:"content"`
}

func (p *Provider) do(ctx context.Context, op, method, path string, in, out any) error {
	return p.api.Do(ctx, provider.Call{Op: op, Method: method, Path: path, JSON: in}, out)
}

func chat(reference, rest string) string {
	return "/conversations/" + url.PathEscape(reference) + rest
}

// external is the id of the user of an attempt. It tells nothing about it.
func external(attempt string) string {
	sum := sha256.Sum256([]byte("handoff " + attempt))
	return "handoff-" + hex.EncodeToString(sum[:16])
}

// find returns the conversation of an attempt, or one without an id.
func (p *Provider) find(ctx context.Context, op, user string) (conversation, error) {
	var list struct {
		Conversations []conversation `json:"conversations"`
	}
	err := p.api.Do(ctx, provider.Call{Op: op, Path: "/conversations", Query: url.Values{"filter[userExternalId]": {user}}}, &list)
	switch {
	case err != nil:
		return conversation{}, provider.Tolerate(err, http.StatusNotFound)
	case list.Conversations == nil || len(list.Conversations) > 0 && list.Conversations[0].ID == "":
		// To take it for none would begin another one.
		return conversation{}, provider.AnswerLacks(op)
	case len(list.Conversations) == 0:
		return conversation{}, nil
	}
	return list.Conversations[0], nil
}

// start makes the user and the conversation of an attempt.
func (p *Provider) start(ctx context.Context, op, user string, who *handoff.Contact) (conversation, error) {
	in := fields{"externalId": user}
	if who != nil {
		profile := fields{}
		if who.Name != "" {
			profile["givenName"] = provider.Cut(who.Name, 128)
		}
		if who.Mail != "" && len(who.Mail) <= 128 {
			profile["email"] = who.Mail
		}
		if len(profile) > 0 {
			in["profile"] = profile
		}
	}
	err := p.api.Do(ctx, provider.Call{Op: op, Method: http.MethodPost, Path: "/users", JSON: in, Repeatable: true}, nil)
	if err = provider.Tolerate(err, http.StatusConflict); err != nil {
		return conversation{}, err
	}
	var made struct {
		Conversation conversation `json:"conversation"`
	}
	err = p.do(ctx, op, http.MethodPost, "/conversations", fields{
		"type": "personal", "participants": []fields{{"userExternalId": user}},
	}, &made)
	if err == nil && made.Conversation.ID == "" {
		err = &handoff.ProviderError{Op: op, Code: "answer", Retryable: true, Ambiguous: true, Err: errors.New("the conversation has no id")}
	}
	return made.Conversation, err
}

// mostPages bounds how far back messages are looked for, a hundred on each.
const mostPages = 20

// marks returns our ids of the messages that a conversation has.
func (p *Provider) marks(ctx context.Context, op, reference string) (map[string]bool, error) {
	found := map[string]bool{}
	query := url.Values{}
	for range mostPages {
		var list struct {
			Messages []message `json:"messages"`
			Meta     struct {
				More   bool   `json:"hasMore"`
				Before string `json:"beforeCursor"`
			} `json:"meta"`
		}
		err := p.api.Do(ctx, provider.Call{Op: op, Path: chat(reference, "/messages"), Query: query}, &list)
		switch {
		case err != nil:
			return nil, err
		case list.Messages == nil: // taken for none, they would be written twice
			return nil, provider.AnswerLacks(op)
		}
		for i := range list.Messages {
			if mark, ok := list.Messages[i].Metadata[markKey].(string); ok {
				found[mark] = true
			}
		}
		if !list.Meta.More || list.Meta.Before == "" {
			break
		}
		query.Set("page[before]", list.Meta.Before)
	}
	return found, nil
}

// pass gives control of a conversation away; doing it twice is doing it once,
// since the target is named.
func (p *Provider) pass(ctx context.Context, op, reference, to string, metadata fields) error {
	in := fields{"switchboardIntegration": to}
	if len(metadata) > 0 {
		in["metadata"] = metadata
	}
	return p.api.Do(ctx, provider.Call{
		Op: op, Method: http.MethodPost, Path: chat(reference, "/passControl"), JSON: in, Repeatable: true,
	}, nil)
}
