package freshchat

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// state is what a session needs besides its reference.
type state struct {
	User string `json:"user"`
}

func session(reference, user string) handoff.Session {
	b, _ := json.Marshal(state{User: user}) //nolint:errchkjson // a string
	return handoff.Session{Reference: reference, State: b}
}

// Open implements [handoff.Provider]. The note comes last: a conversation that
// has it is complete.
func (p *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	user, reference, err := p.find(ctx, "open", o.Attempt)
	done := false
	if err == nil && reference != "" {
		done, err = p.opened(ctx, "open", reference)
	}
	if err == nil && user == "" {
		user, err = p.addUser(ctx, "open", o.Attempt, o.Handoff.User)
	}
	if err == nil && reference == "" {
		reference, err = p.start(ctx, "open", user, o.Handoff.Need.Queue)
	}
	if err != nil {
		return handoff.Session{}, err
	}
	s := session(reference, user)
	if done {
		return s, nil
	}
	note := provider.Renderer{Redact: p.cfg.Redact}.Note(o, MaxBytes)
	if note == "" {
		note = "—"
	}
	return s, p.write(ctx, "open", reference, fields{
		"message_parts": parts(note, nil), "message_type": private, "actor_type": byAgent, "actor_id": p.cfg.Agent,
	})
}

// opened reports whether the note of an opening is there: the first one of
// ours is that.
func (p *Provider) opened(ctx context.Context, op, reference string) (found bool, err error) {
	err = p.messages(ctx, op, reference, time.Time{}, func(m *message) bool {
		found = m.Type == private && m.ActorID == p.cfg.Agent
		return !found
	})
	return found, err
}

func (p *Provider) write(ctx context.Context, op, reference string, in fields) error {
	return p.do(ctx, op, http.MethodPost, chat(reference, "/messages"), in, nil)
}

// Find implements [handoff.Finder].
func (p *Provider) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	user, reference, err := p.find(ctx, "find", attempt)
	if err != nil || reference == "" {
		return handoff.Session{}, false, err
	}
	s := session(reference, user)
	done, err := p.opened(ctx, "find", reference)
	s.Partial = !done
	return s, err == nil, err
}

// Send implements [handoff.Provider]: the user's messages are the user's, the
// bot's are the agent's in whose name the adapter works.
func (p *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	if m.From.Role != handoff.RoleUser {
		return p.once(ctx, "send", s, m, normal, byAgent, p.cfg.Agent, m.Text)
	}
	var st state
	if json.Unmarshal(s.State, &st) != nil || st.User == "" {
		return &handoff.ProviderError{Op: "send", Code: "session"}
	}
	return p.once(ctx, "send", s, m, normal, byUser, st.User, m.Text)
}

// Note implements [handoff.Noter].
func (p *Provider) Note(ctx context.Context, s handoff.Session, n handoff.ProviderMessage) error {
	text := n.Text
	if n.From.Name != "" {
		text = n.From.Name + ": " + text
	}
	return p.once(ctx, "note", s, n, private, byAgent, p.cfg.Agent, text)
}

// clocks is how far the host's clock and Freshchat's may differ.
const clocks = time.Minute

// once says something. A repeat is looked for first: messages come one after
// the other, so that one that is there is its author's last.
func (p *Provider) once(ctx context.Context, op string, s handoff.Session, m handoff.ProviderMessage, kind, actor, who, text string) error {
	return provider.Once(ctx, m,
		func(ctx context.Context) (bool, error) {
			since := m.At
			if !since.IsZero() {
				since = since.Add(-clocks)
			}
			var last *message
			err := p.messages(ctx, op, s.Reference, since, func(x *message) bool {
				if x.Type == kind && x.ActorID == who && (last == nil || moment(x.CreatedTime).After(moment(last.CreatedTime))) {
					last = x
				}
				return true
			})
			if err != nil || last == nil {
				return false, err
			}
			words, files := last.read()
			return sameWords(words, text) && len(files) == len(m.Files), nil
		},
		func(ctx context.Context) error {
			return p.write(ctx, op, s.Reference, fields{
				"message_parts": parts(text, m.Files), "message_type": kind, "actor_type": actor, "actor_id": who,
			})
		})
}

func sameWords(a, b string) bool {
	return strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
}

// Close implements [handoff.Provider].
func (p *Provider) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	if s.Reference == "" {
		return nil
	}
	err := p.api.Do(ctx, provider.Call{
		Op: "close", Method: http.MethodPut, Path: chat(s.Reference, ""), JSON: fields{"status": resolved}, Repeatable: true,
	}, nil)
	return provider.Tolerate(err, http.StatusNotFound)
}

// ReadState implements [handoff.StateReader].
func (p *Provider) ReadState(ctx context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	var c conversation
	err := p.do(ctx, "state", http.MethodGet, chat(s.Reference, ""), nil, &c)
	switch {
	case err != nil:
		return handoff.SessionUnknown, handoff.Party{}, err
	case c.Status == "":
		return handoff.SessionUnknown, handoff.Party{}, provider.AnswerLacks("state")
	case c.Status == resolved:
		return handoff.SessionEnded, handoff.Party{}, nil
	case c.Agent == "" || c.Agent == p.cfg.Agent:
		return handoff.SessionQueued, handoff.Party{}, nil
	}
	return handoff.SessionActive, provider.Agent(c.Agent, p.nameOf(ctx, c.Agent)), nil
}

// Available implements [handoff.AvailabilityChecker]: whether an agent, of the
// queue's group if it has one, takes conversations.
func (p *Provider) Available(ctx context.Context, n handoff.Need) (handoff.Availability, error) {
	group := p.cfg.Groups[n.Queue]
	for page := range mostPages {
		var list struct {
			Agents     []agent `json:"agents"`
			Pagination struct {
				Pages int `json:"total_pages"`
			} `json:"pagination"`
		}
		query := url.Values{"page": {strconv.Itoa(page + 1)}, "items_per_page": {"100"}}
		if err := p.api.Do(ctx, provider.Call{Op: "availability", Path: "/agents", Query: query}, &list); err != nil {
			return handoff.Unknown, err
		}
		if list.Agents == nil {
			return handoff.Unknown, provider.AnswerLacks("availability")
		}
		for i := range list.Agents {
			a := &list.Agents[i]
			if a.ID != p.cfg.Agent && !a.Deactivated && a.Availability == "AVAILABLE" && (group == "" || slices.Contains(a.Groups, group)) {
				return handoff.Online, nil
			}
		}
		if page+1 >= list.Pagination.Pages {
			break
		}
	}
	return handoff.Offline, nil
}
