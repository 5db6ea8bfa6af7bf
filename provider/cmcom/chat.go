package cmcom

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// state is what a session needs.
type state struct {
	Chat   string `json:"chat"`           // the router's id of it: the session's reference
	Client string `json:"client"`         // of the router
	Name   string `json:"name,omitempty"` // of the customer
	Mail   string `json:"mail,omitempty"` // that Agent Inbox knows him by
	Mark   string `json:"mark"`           // in the first message
}

var errSession = errors.New("the session is not one of this adapter")

func stateOf(op string, s handoff.Session) (*state, error) {
	var st state
	if json.Unmarshal(s.State, &st) != nil || st.Client == "" || s.Reference == "" || st.Chat != s.Reference {
		return nil, &handoff.ProviderError{Op: op, Code: "session", Err: errSession}
	}
	return &st, nil
}

// stateFor is the state of an attempt, the same each time.
func (p *Provider) stateFor(o *handoff.Opening) *state {
	id := guid("client", p.cfg.Adapter, o.Attempt)
	st := &state{Client: "handoff-" + id, Mark: "#" + strings.ReplaceAll(id, "-", "")[:16]}
	if u := o.Handoff.User; u != nil {
		st.Name, st.Mail = provider.Name(u.Name), provider.Name(u.Mail)
	}
	if st.Mail == "" && p.cfg.Domain != "" {
		st.Mail = st.Mark[1:] + "@" + p.cfg.Domain
	}
	return st
}

// Open implements [handoff.Provider]. The first message makes the chat and tells
// its id, the mutation hands it over, and the second message is for the agents.
func (p *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	st := p.stateFor(&o)
	reference, err := p.say(ctx, "open", "", st, text(st, "title", p.cfg.Title, time.Now()))
	if err != nil {
		return handoff.Session{}, err
	}
	if err := p.mutate(ctx, "open", reference, enable, p.about(&o.Handoff, st)); err != nil {
		return handoff.Session{}, err
	}
	note := provider.Renderer{Redact: p.cfg.Redact}.Note(o, MaxBytes-len(st.Mark)-1)
	if _, err := p.say(ctx, "open", reference, st, text(st, "opening", strings.TrimSpace(note+"\n"+st.Mark), time.Now())); err != nil {
		var pe *handoff.ProviderError
		if errors.As(err, &pe) && !pe.Retryable {
			// Nobody tries again: no agent may be left with a chat that has nobody.
			_ = p.mutate(ctx, "open", reference, disable, nil) // the first error is the reason
		}
		return handoff.Session{}, err
	}
	st.Chat = reference
	b, err := json.Marshal(st)
	return handoff.Session{Reference: reference, State: b}, err
}

// about is the context of a handover: what Agent Inbox routes by, and who it is.
func (p *Provider) about(h *handoff.Handoff, st *state) map[string]string {
	out := map[string]string{}
	maps.Copy(out, p.cfg.Context)
	var words []string
	if s := p.cfg.Skills[h.Need.Queue]; s != "" {
		words = append(words, s)
	}
	for _, s := range h.Need.Skills {
		if !slices.Contains(words, s.Name) {
			words = append(words, s.Name)
		}
	}
	who := map[string]string{}
	for name, v := range map[string]string{"name": st.Name, "email": st.Mail} {
		if v != "" {
			who[name] = v
		}
	}
	info, _ := json.Marshal(who) //nolint:errchkjson // strings
	for name, v := range map[string]string{
		"RoutingKeywords": strings.Join(words, ","), "WebStoreReferrer": p.cfg.Stores[h.Need.Queue], "CustomerInfo": string(info),
	} {
		if v != "" && v != "{}" {
			out[name] = v
		}
	}
	return out
}

// Send implements [handoff.Provider]. What the bot says comes from the customer,
// too, and says so. Files that the router does not take go as links.
func (p *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	st, err := stateOf("send", s)
	if err != nil {
		return err
	}
	words := m.Text
	if m.From.Role == handoff.RoleBot {
		words = "[bot] " + words
	}
	if len(m.Files) == 0 {
		_, err = p.say(ctx, "send", s.Reference, st, text(st, m.ID, words, m.At))
		return err
	}
	var list []message
	links := words
	if words != "" {
		list = append(list, text(st, m.ID, words, m.At))
	}
	for _, f := range m.Files {
		file := text(st, m.ID+"\n"+f.URL, "", m.At)
		file.Type, file.Media = "media", &media{URI: f.URL, Name: f.Name, Type: f.Type}
		list = append(list, file)
		links = strings.TrimSpace(links + "\n" + f.Name + " " + f.URL)
	}
	_, err = p.say(ctx, "send", s.Reference, st, list...)
	var pe *handoff.ProviderError
	if errors.As(err, &pe) && pe.Status == http.StatusBadRequest {
		_, err = p.say(ctx, "send", s.Reference, st, text(st, m.ID, links, m.At))
	}
	return err
}

// Close implements [handoff.Provider]: the chat is handed back, which is the
// handover the other way round.
func (p *Provider) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	if s.Reference == "" {
		return &handoff.ProviderError{Op: "close", Code: "session", Err: errSession}
	}
	return provider.Tolerate(p.mutate(ctx, "close", s.Reference, disable, nil), http.StatusNotFound)
}

// ReadState implements [handoff.StateReader].
func (p *Provider) ReadState(ctx context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	st, err := stateOf("state", s)
	if err != nil || st.Mail == "" {
		return handoff.SessionUnknown, handoff.Party{}, err
	}
	c, err := p.read(ctx, "state", st, "")
	if err != nil {
		return handoff.SessionUnknown, handoff.Party{}, err
	}
	if c == nil {
		return handoff.SessionUnknown, handoff.Party{}, nil // not there yet, or not by this address
	}
	if c.isOver() {
		return handoff.SessionEnded, handoff.Party{}, nil
	}
	if who, ok := c.agent(); ok {
		return handoff.SessionActive, who, nil
	}
	return handoff.SessionQueued, handoff.Party{}, nil
}

var errPresence = errors.New("the presence is neither online nor offline")

// Available implements [handoff.AvailabilityChecker]: whether an agent of the
// channel, and of the queue's web store if it has one, is online.
func (p *Provider) Available(ctx context.Context, n handoff.Need) (handoff.Availability, error) {
	query := url.Values{"apikey": {p.cfg.Key}, "Channel": {p.cfg.Presence}}
	if store := p.cfg.Stores[n.Queue]; store != "" {
		query.Set("referrer", store)
	}
	var a provider.Answer
	if err := p.presence.Do(ctx, provider.Call{Op: "availability", Path: "/api/v1", Query: query}, &a); err != nil {
		return handoff.Unknown, err
	}
	switch strings.ToLower(strings.Trim(string(a.Body), "\" \r\n\t")) {
	case "online":
		return handoff.Online, nil
	case "offline":
		return handoff.Offline, nil
	}
	return handoff.Unknown, &handoff.ProviderError{Op: "availability", Status: a.Status, Code: "answer", Err: errPresence}
}
