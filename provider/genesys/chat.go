package genesys

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// state is what a session needs besides its reference, which is the customer.
type state struct {
	Conversation string `json:"conversation"`
	Name         string `json:"name,omitempty"`
}

func session(reference string, s state) handoff.Session {
	b, _ := json.Marshal(s) //nolint:errchkjson // strings
	return handoff.Session{Reference: reference, State: b}
}

func stateOf(op string, s handoff.Session) (st state, err error) {
	if json.Unmarshal(s.State, &st) != nil || st.Conversation == "" || s.Reference == "" {
		return st, &handoff.ProviderError{Op: op, Code: "session", Err: errSession}
	}
	return st, nil
}

var (
	errSession = errors.New("the session is not one of this adapter")
	errOver    = errors.New("the conversation is over")
)

// from is the customer of a conversation.
func from(reference, name string) fields {
	f := fields{"id": reference, "idType": "Opaque"}
	if name != "" {
		f["nickname"] = name
	}
	return f
}

// Open implements [handoff.Provider]. A repeated Open is a message of the same
// customer under the same id and time: it gets into the same conversation.
func (p *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	h := &o.Handoff
	reference, st := p.reference(o.Attempt), state{}
	if h.User != nil {
		st.Name = provider.Name(h.User.Name)
	}
	who := from(reference, st.Name)
	if h.User != nil && h.User.Mail != "" {
		who["email"] = h.User.Mail
	}
	at := h.Enqueued
	if at.IsZero() {
		at = h.Created
	}
	note := provider.Renderer{Redact: p.cfg.Redact}.Note(o, MaxBytes)
	if note == "" {
		note = "—"
	}
	var err error
	st.Conversation, err = p.inbound(ctx, "open", fields{
		"channel": fields{
			"from": who, "time": stamp(at), "messageId": messageID(reference, "opening"),
			"metadata": fields{"customAttributes": p.attributes(h)},
		},
		"text": note,
	})
	return session(reference, st), err
}

// attributes are what an Architect flow routes by.
func (p *Provider) attributes(h *handoff.Handoff) map[string]string {
	out := map[string]string{"handoff_reason": string(h.Reason)}
	var skills []string
	for _, s := range h.Need.Skills {
		skills = append(skills, s.Name+":"+strconv.Itoa(s.Level))
	}
	for name, v := range map[string]string{
		"handoff_queue": h.Need.Queue, "handoff_queue_id": p.cfg.Queues[h.Need.Queue], "handoff_skills": strings.Join(skills, ","),
		"handoff_flags": strings.Join(h.Flags, ","), "handoff_language": h.Language, "handoff_priority": strconv.Itoa(h.Need.Priority),
	} {
		if v != "" && v != "0" {
			out[name] = v
		}
	}
	return out
}

// Find implements [handoff.Finder].
func (p *Provider) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	reference := p.reference(attempt)
	var list *struct { // without conversations for none: what it answers then was not seen
		Conversations []struct {
			ID  string `json:"conversationId"`
			End string `json:"conversationEnd"`
		} `json:"conversations"`
	}
	now := time.Now().UTC()
	const day = 24 * time.Hour
	err := p.api.Do(ctx, provider.Call{
		Op: "find", Method: http.MethodPost, Path: "/api/v2/analytics/conversations/details/query", Repeatable: true,
		JSON: fields{
			"interval": stamp(now.Add(-2*day)) + "/" + stamp(now.Add(day)),
			"order":    "desc", "paging": fields{"pageSize": 25, "pageNumber": 1},
			"segmentFilters": []fields{{"type": "and", "predicates": []fields{
				{"type": "dimension", "dimension": "addressFrom", "operator": "matches", "value": reference},
			}}},
		},
	}, &list)
	if err == nil && list == nil {
		err = provider.AnswerLacks("find")
	}
	if err != nil || len(list.Conversations) == 0 {
		return handoff.Session{}, false, err
	}
	found := list.Conversations[0]
	for _, c := range list.Conversations {
		if c.End == "" {
			found = c
			break
		}
	}
	return session(reference, state{Conversation: found.ID}), found.ID != "", nil
}

// Send implements [handoff.Provider]. What the bot says comes from the
// customer, too, and says so. A message has one file: further ones go before
// it, so that the message under our id says that all of it is there.
func (p *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	st, err := stateOf("send", s)
	if err != nil {
		return err
	}
	text := m.Text
	if m.From.Role == handoff.RoleBot {
		text = "[bot] " + text
	}
	return provider.Once(ctx, m,
		func(ctx context.Context) (bool, error) {
			return p.knows(ctx, "send", st.Conversation, messageID(s.Reference, m.ID))
		},
		func(ctx context.Context) error {
			for i, f := range m.Files {
				id, words := m.ID, text
				if i < len(m.Files)-1 {
					id, words = m.ID+"/file/"+strconv.Itoa(i), ""
				}
				if err := p.say(ctx, s.Reference, st, id, words, m.At, &f); err != nil {
					return err
				}
			}
			if len(m.Files) > 0 {
				return nil
			}
			return p.say(ctx, s.Reference, st, m.ID, text, m.At, nil)
		})
}

func (p *Provider) say(ctx context.Context, reference string, st state, id, text string, at time.Time, f *handoff.File) error {
	in := fields{"channel": fields{"from": from(reference, st.Name), "time": stamp(at), "messageId": messageID(reference, id)}}
	if text != "" {
		in["text"] = text
	}
	if f != nil {
		mime := f.Type
		if mime == "" {
			mime = "application/octet-stream"
		}
		a := fields{"mediaType": mediaType(mime), "url": f.URL, "mime": mime}
		if f.Name != "" {
			a["filename"] = f.Name
		}
		in["content"] = []fields{{"contentType": "Attachment", "attachment": a}}
	}
	got, err := p.inbound(ctx, "send", in)
	if err != nil || got == st.Conversation {
		return err
	}
	// Ours was over, and this message has begun another one, which nobody
	// would ever close.
	if err := p.disconnect(ctx, "send", got); err != nil {
		return err
	}
	return &handoff.ProviderError{Op: "send", Code: "conversation_over", Err: errOver}
}

func (p *Provider) disconnect(ctx context.Context, op, id string) error {
	err := p.api.Do(ctx, provider.Call{
		Op: op, Method: http.MethodPost, Path: "/api/v2/conversations/" + url.PathEscape(id) + "/disconnect", Repeatable: true,
	}, nil)
	return provider.Tolerate(err, http.StatusNotFound)
}

// Close implements [handoff.Provider].
func (p *Provider) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	st, err := stateOf("close", s)
	if err != nil {
		return err
	}
	return p.disconnect(ctx, "close", st.Conversation)
}

// ReadState implements [handoff.StateReader].
func (p *Provider) ReadState(ctx context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	st, err := stateOf("state", s)
	if err != nil {
		return handoff.SessionUnknown, handoff.Party{}, err
	}
	c, err := p.read(ctx, "state", st.Conversation)
	if err = provider.Tolerate(err, http.StatusNotFound); err != nil {
		return handoff.SessionUnknown, handoff.Party{}, err
	}
	if c.isOver() { // or gone: it has nobody
		return handoff.SessionEnded, handoff.Party{}, nil
	}
	if who := c.agent(time.Time{}); who != nil && who.has() {
		return handoff.SessionActive, who.party(), nil
	}
	return handoff.SessionQueued, handoff.Party{}, nil
}

// Typing implements [handoff.Typist]. Genesys Cloud knows no end of it: it
// forgets that somebody writes.
func (p *Provider) Typing(ctx context.Context, s handoff.Session, on bool) error {
	st, err := stateOf("typing", s)
	if err != nil || !on {
		return err
	}
	return p.api.Do(ctx, provider.Call{
		Op: "typing", Method: http.MethodPost, Path: messages + url.PathEscape(p.cfg.Integration) + "/inbound/open/event",
		JSON: fields{
			"channel": fields{"from": from(s.Reference, st.Name), "time": stamp(time.Now())},
			"events":  []fields{{"eventType": "Typing"}},
		},
	}, nil)
}

// Available implements [handoff.AvailabilityChecker]: whether an agent is on
// the queue. Of a queue that is not in Config.Queues nothing is known.
func (p *Provider) Available(ctx context.Context, n handoff.Need) (handoff.Availability, error) {
	queue := p.cfg.Queues[n.Queue]
	if queue == "" {
		return handoff.Unknown, nil
	}
	var out struct {
		Results []struct {
			Data []struct {
				Metric string `json:"metric"`
				Stats  struct {
					Count int64 `json:"count"`
				} `json:"stats"`
			} `json:"data"`
		} `json:"results"`
	}
	err := p.api.Do(ctx, provider.Call{
		Op: "availability", Method: http.MethodPost, Path: "/api/v2/analytics/queues/observations/query", Repeatable: true,
		JSON: fields{
			"metrics": []string{"oOnQueueUsers"},
			"filter": fields{"type": "and", "predicates": []fields{
				{"type": "dimension", "dimension": "queueId", "operator": "matches", "value": queue},
			}},
		},
	}, &out)
	if err != nil {
		return handoff.Unknown, err
	}
	if out.Results == nil {
		return handoff.Unknown, provider.AnswerLacks("availability")
	}
	for _, r := range out.Results {
		for _, d := range r.Data {
			if d.Metric == "oOnQueueUsers" && d.Stats.Count > 0 {
				return handoff.Online, nil
			}
		}
	}
	return handoff.Offline, nil
}
