package cmcom

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

// The directions of messages: of the client, and to him.
const (
	fromClient = "ClientOriginated"
	toClient   = "ClientTerminated"
)

// The actions of a mutation.
const (
	enable  = "Enable"
	disable = "Disable"
)

// twoway is what goes to and comes from the router.
type twoway struct {
	Chat     chat      `json:"chat"`
	Messages []message `json:"conversationMessages,omitempty"`
	Events   []event   `json:"conversationEvents,omitempty"`
}

type chat struct {
	ID      string `json:"id"`
	Session string `json:"sessionId,omitempty"`
	Account string `json:"accountId"`
	Channel string `json:"channel"`
	Client  string `json:"conversationClientId"`
	Host    string `json:"conversationHostId"`
	Name    string `json:"conversationClientName,omitempty"`
}

type message struct {
	Type      string `json:"$type"`
	ID        string `json:"id,omitempty"`
	Direction string `json:"direction"`
	At        string `json:"createdOn,omitempty"`
	Text      string `json:"text,omitempty"`
	Media     *media `json:"media,omitempty"`
}

type media struct {
	URI  string `json:"mediaUri"`
	Name string `json:"mediaName,omitempty"`
	Type string `json:"mimeType,omitempty"`
}

type event struct {
	Type string `json:"$type"`
	ID   string `json:"id"`
	At   string `json:"createdOn"`
}

// guid is an id of the form that CM.com's own have: always the same for the same
// parts.
func guid(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	s := hex.EncodeToString(sum[:16])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// chat is the chat of a session, as messages name it.
func (p *Provider) chat(reference string, st *state) chat {
	if reference == "" {
		reference = guid("chat", st.Client, p.cfg.Adapter, p.cfg.Channel)
	}
	return chat{
		ID: reference, Account: p.cfg.Account, Channel: p.cfg.Channel, Client: st.Client, Host: p.cfg.Adapter, Name: st.Name,
	}
}

var errNoChat = errors.New("the answer names no chat")

// say sends messages of the client, and returns the router's id of the chat.
func (p *Provider) say(ctx context.Context, op, reference string, st *state, list ...message) (string, error) {
	var got struct {
		Chat struct {
			ID string `json:"id"`
		} `json:"chat"`
	}
	call := provider.Call{
		Op: op, Method: http.MethodPost, Path: "/twoway/v2/accounts/" + url.PathEscape(p.cfg.Account) + "/adapters/" + url.PathEscape(p.cfg.Adapter),
		JSON: twoway{Chat: p.chat(reference, st), Messages: list},
	}
	if reference != "" {
		return reference, p.router.Do(ctx, call, nil)
	}
	if err := p.router.Do(ctx, call, &got); err != nil {
		return "", err
	}
	if got.Chat.ID == "" || provider.Name(got.Chat.ID) != got.Chat.ID {
		return "", &handoff.ProviderError{Op: op, Code: "answer", Retryable: true, Ambiguous: true, Err: errNoChat}
	}
	return got.Chat.ID, nil
}

// text is a message of the client. Its id is the same each time.
func text(st *state, id, words string, at time.Time) message {
	m := message{Type: "text", ID: guid("message", st.Client, id), Direction: fromClient, Text: words}
	if !at.IsZero() {
		m.At = at.UTC().Format(time.RFC3339)
	}
	return m
}

type mutation struct {
	Type     string `json:"$type"`
	Action   string `json:"action"`
	Operator string `json:"operator"`
	Source   string `json:"sourceAdapterId"`
	Target   string `json:"targetAdapterId"`
}

// mutate opens or cuts the link of a chat to Agent Inbox. To do it twice is to do
// it once.
func (p *Provider) mutate(ctx context.Context, op, reference, action string, about map[string]string) error {
	type request struct {
		Chat      string            `json:"ChatId"`
		Mutations []mutation        `json:"Mutations"`
		Context   map[string]string `json:"Context,omitempty"`
	}
	return p.router.Do(ctx, provider.Call{
		Op: op, Method: http.MethodPost, Repeatable: true,
		Path: "/control/v1/accounts/" + url.PathEscape(p.cfg.Account) + "/chats/" + url.PathEscape(reference) + "/routing/mutationrequests",
		JSON: request{
			Chat: reference, Context: about,
			Mutations: []mutation{{Type: "ruleMutation", Action: action, Operator: "And", Source: p.cfg.Adapter, Target: p.cfg.Inbox}},
		},
	}, nil)
}

// conversation is one in Agent Inbox.
type conversation struct {
	GUID  string `json:"guid"`
	State string `json:"state"`
	Owner *owner `json:"owner"`
	Said  []struct {
		Content string `json:"content"`
	} `json:"messages"`
}

type owner struct {
	Type string `json:"type"`
	Name string `json:"name"`
	Mail string `json:"emailAddress"`
}

// agent returns who has a conversation, if somebody does.
func (c *conversation) agent() (handoff.Party, bool) {
	o := c.Owner
	if o == nil || !strings.EqualFold(o.Type, "User") || provider.Name(o.Mail+o.Name) == "" {
		return handoff.Party{}, false
	}
	id := o.Mail
	if provider.Name(id) == "" {
		id = o.Name
	}
	return provider.Agent(id, o.Name), true
}

// isOver reports whether no agent has it before him any more.
func (c *conversation) isOver() bool {
	return strings.EqualFold(c.State, "archived") || strings.EqualFold(c.State, "hidden")
}

// read finds the conversation of a session in Agent Inbox: the one with our mark
// in it among those of the customer. known is its id there, if that is known.
func (p *Provider) read(ctx context.Context, op string, st *state, known string) (*conversation, error) {
	const pages = 5
	skip := 0
	for range pages {
		in := map[string]any{"emailAddress": st.Mail, "skip": skip}
		if known != "" {
			in = map[string]any{"guid": known}
		}
		var out struct {
			Conversations []conversation `json:"conversations"`
		}
		err := p.inbox.Do(ctx, provider.Call{Op: op, Method: http.MethodPost, Path: "/conversations", JSON: in, Repeatable: true}, &out)
		var pe *handoff.ProviderError
		if errors.As(err, &pe) {
			pe.Ambiguous = false // reading changes nothing
		}
		if err != nil {
			return nil, err
		}
		for i := range out.Conversations {
			c := &out.Conversations[i]
			if known != "" && c.GUID == known || known == "" && c.has(st.Mark) {
				return c, nil
			}
		}
		if skip += len(out.Conversations); len(out.Conversations) == 0 || known != "" {
			break
		}
	}
	return nil, nil //nolint:nilnil // it is not there, or not yet
}

func (c *conversation) has(mark string) bool {
	for _, m := range c.Said {
		if strings.Contains(m.Content, mark) {
			return true
		}
	}
	return false
}
