package zendesk

import (
	"context"
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

// ticket is one of Zendesk Support, as far as it tells who has a conversation.
type ticket struct {
	ID       json.Number `json:"id"`
	Status   string      `json:"status"` // new, open, pending, hold, solved, closed
	Assignee json.Number `json:"assignee_id"`
}

func (t *ticket) done() bool { return t.Status == "solved" || t.Status == "closed" }

// ticketOf returns the latest ticket of a conversation, or one without an id:
// the search learns of tickets with a delay. It is read once more, since what
// the search knows of it may be old.
func (p *Provider) ticketOf(ctx context.Context, op, reference string) (ticket, error) {
	if reference == "" || strings.ContainsAny(reference, "\"\\") {
		return ticket{}, nil
	}
	var found struct {
		Results []ticket `json:"results"`
	}
	query := url.Values{"query": {`type:ticket custom_field_` + p.cfg.ReferenceField + `:"` + reference + `"`}, "sort_by": {"created_at"}, "sort_order": {"desc"}}
	err := p.support.Do(ctx, provider.Call{Op: op, Path: "/search.json", Query: query}, &found)
	switch {
	case err != nil:
		return ticket{}, err
	case found.Results == nil || len(found.Results) > 0 && found.Results[0].ID == "":
		return ticket{}, provider.AnswerLacks(op)
	case len(found.Results) == 0:
		return ticket{}, nil
	}
	var got struct {
		Ticket ticket `json:"ticket"`
	}
	err = p.support.Do(ctx, provider.Call{Op: op, Path: "/tickets/" + found.Results[0].ID.String()}, &got)
	if err == nil && got.Ticket.ID != found.Results[0].ID {
		err = provider.AnswerLacks(op)
	}
	return got.Ticket, err
}

// nameOf returns the name of an agent, or "" if it cannot be had at once.
func (p *Provider) nameOf(ctx context.Context, id string) string {
	if name, ok := p.names.Load(id); ok {
		return name.(string) //nolint:forcetypeassert // there are only strings
	}
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	var got struct {
		User struct {
			Name string `json:"name"`
		} `json:"user"`
	}
	if !isNumber(id) || p.support.Do(ctx, provider.Call{Op: "agent", Path: "/users/" + id}, &got) != nil {
		return ""
	}
	p.names.Store(id, got.User.Name)
	return got.User.Name
}

// glance is how long something waits for what it can do without.
const glance = 2 * time.Second

// ReadState implements [handoff.StateReader]: Sunshine Conversations tells
// whether the agents have a conversation, and the ticket which of them. Until
// the ticket can be found the state is unknown.
func (p *Provider) ReadState(ctx context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	var got struct {
		Conversation conversation `json:"conversation"`
	}
	err := p.do(ctx, "state", http.MethodGet, chat(s.Reference, ""), nil, &got)
	if err == nil && got.Conversation.ID != s.Reference { // taken for the conversation, the bot would have it
		err = provider.AnswerLacks("state")
	}
	if err != nil {
		return handoff.SessionUnknown, handoff.Party{}, err
	}
	if !got.Conversation.atAgents() {
		return handoff.SessionBot, handoff.Party{}, nil
	}
	t, err := p.ticketOf(ctx, "state", s.Reference)
	switch {
	case err != nil || t.ID == "":
		return handoff.SessionUnknown, handoff.Party{}, err
	case t.done():
		return handoff.SessionEnded, handoff.Party{}, nil
	case t.Assignee == "":
		return handoff.SessionQueued, handoff.Party{}, nil
	}
	id := t.Assignee.String()
	return handoff.SessionActive, provider.Agent(id, p.nameOf(ctx, id)), nil
}

var errNoTicket = errors.New("the conversation has no ticket yet")

// Note implements [handoff.Noter]: a private comment of the ticket. Zendesk
// tells no repeats of those, so that a repeat is looked for by its words.
func (p *Provider) Note(ctx context.Context, s handoff.Session, n handoff.ProviderMessage) error {
	t, err := p.ticketOf(ctx, "note", s.Reference)
	if err == nil && t.ID == "" {
		err = &handoff.ProviderError{Op: "note", Code: "no_ticket", Retryable: true, Err: errNoTicket}
	}
	if err != nil {
		return err
	}
	path, text := "/tickets/"+t.ID.String(), n.Text
	if n.From.Name != "" {
		text = n.From.Name + ": " + text
	}
	return provider.Once(ctx, n,
		func(ctx context.Context) (bool, error) {
			var list struct {
				Comments []struct {
					Body    string `json:"plain_body"`
					Public  bool   `json:"public"`
					Created string `json:"created_at"`
				} `json:"comments"`
			}
			err := p.support.Do(ctx, provider.Call{Op: "note", Path: path + "/comments", Query: url.Values{"sort_order": {"desc"}}}, &list)
			if err == nil && list.Comments == nil {
				err = provider.AnswerLacks("note")
			}
			for _, c := range list.Comments {
				const clocks = time.Minute // how far they may differ
				if !c.Public && !moment(c.Created).Before(n.At.Add(-clocks)) && slices.Equal(strings.Fields(c.Body), strings.Fields(text)) {
					return true, nil
				}
			}
			return false, err
		},
		func(ctx context.Context) error {
			return p.support.Do(ctx, provider.Call{
				Op: "note", Method: http.MethodPut, Path: path, JSON: fields{"ticket": fields{"comment": fields{"body": text, "public": false}}},
			}, nil)
		})
}

// Available implements [handoff.AvailabilityChecker]: whether an agent is online
// for messaging, whatever his group.
func (p *Provider) Available(ctx context.Context, _ handoff.Need) (handoff.Availability, error) {
	query := url.Values{"page[size]": {"100"}}
	for range mostPages {
		var list struct {
			Data     []json.RawMessage `json:"data"`
			Included []struct {
				Type       string `json:"type"`
				Attributes struct {
					Name   string `json:"name"`
					Status string `json:"status"`
				} `json:"attributes"`
			} `json:"included"`
			Meta struct {
				More  bool   `json:"has_more"`
				After string `json:"after_cursor"`
			} `json:"meta"`
		}
		if err := p.support.Do(ctx, provider.Call{Op: "availability", Path: "/agent_availabilities", Query: query}, &list); err != nil {
			return handoff.Unknown, err
		}
		if list.Data == nil && list.Included == nil { // of nobody there is a list without anything to include
			return handoff.Unknown, provider.AnswerLacks("availability")
		}
		for _, r := range list.Included {
			if r.Type == "channels" && r.Attributes.Name == "messaging" && r.Attributes.Status == "online" {
				return handoff.Online, nil
			}
		}
		if !list.Meta.More || list.Meta.After == "" {
			break
		}
		query.Set("page[after]", list.Meta.After)
	}
	return handoff.Offline, nil
}
