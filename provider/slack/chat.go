package slack

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// reference names a thread: its channel and the ts of its first message.
func reference(channel, ts string) string { return channel + ":" + ts }

func parseReference(s string) (channel, ts string, err error) {
	channel, ts, ok := strings.Cut(s, ":")
	if !ok || channel == "" || ts == "" {
		return "", "", &handoff.ProviderError{Op: "reference", Status: http.StatusNotFound, Code: "reference", Err: errReference}
	}
	return channel, ts, nil
}

var errReference = errors.New("there is no such thread")

func (p *Provider) channel(queue string) string {
	if c := p.cfg.Channels[queue]; c != "" {
		return c
	}
	return p.cfg.Channel
}

// title is the line that tells colleagues in the channel what it is about. It
// holds nothing of what was said.
func title(h *handoff.Handoff) string {
	who := "Somebody"
	if h.User != nil && h.User.Name != "" {
		who = h.User.Name
	}
	return provider.Cut(who+" needs a person: "+h.Need.Queue, 2000)
}

// Open implements [handoff.Provider].
func (p *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	channel := p.channel(o.Handoff.Need.Queue)
	ts, err := p.find(ctx, "open", channel, "", mark{"opening", o.Attempt})
	if err != nil {
		return handoff.Session{}, err
	}
	begun := ts != ""
	if !begun {
		name := title(&o.Handoff)
		ts, err = p.say(ctx, "open", &message{channel: channel, text: name, blocks: head(name), mark: mark{"opening", o.Attempt}})
		if err != nil {
			return handoff.Session{}, err
		}
	}
	const parts = 5 // the newest of what was said; the host keeps all of it
	note := provider.Renderer{Redact: p.cfg.Redact}.Note(o, parts*MaxBytes)
	for i, text := range provider.Parts(note, MaxBytes) {
		if text == "" {
			break // nothing is known, and Slack takes no message without words
		}
		m := message{channel: channel, thread: ts, text: text, name: "Before", mark: mark{"note", "opening/" + strconv.Itoa(i)}}
		if err := p.once(ctx, "open", handoff.ProviderMessage{Again: begun}, &m); err != nil {
			return handoff.Session{}, err
		}
	}
	return handoff.Session{Reference: reference(channel, ts)}, p.done(ctx, channel, ts, begun)
}

// done marks a thread as complete, once.
func (p *Provider) done(ctx context.Context, channel, ts string, begun bool) error {
	return p.once(ctx, "open", handoff.ProviderMessage{Again: begun}, &message{
		channel: channel, thread: ts, text: "Write here to answer. " + p.cfg.NotePrefix + " begins a note for colleagues.", name: "Help", mark: mark{"complete", ts},
	})
}

func (p *Provider) once(ctx context.Context, op string, m handoff.ProviderMessage, out *message) error {
	return provider.Once(ctx, m,
		func(ctx context.Context) (bool, error) {
			ts, err := p.find(ctx, op, out.channel, out.thread, out.mark)
			return ts != "", err
		},
		func(ctx context.Context) error {
			_, err := p.say(ctx, op, out)
			return err
		})
}

// Find implements [handoff.Finder]. It looks at the newest thousand messages
// of each channel.
func (p *Provider) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	for _, channel := range p.channels {
		ts, err := p.find(ctx, "find", channel, "", mark{"opening", attempt})
		if err != nil {
			return handoff.Session{}, false, err
		}
		if ts == "" {
			continue
		}
		complete, err := p.find(ctx, "find", channel, ts, mark{"complete", ts})
		return handoff.Session{Reference: reference(channel, ts), Partial: complete == ""}, err == nil, err
	}
	return handoff.Session{}, false, nil
}

// Send implements [handoff.Provider]. Files come before the text: when that is
// there, they are.
func (p *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	channel, ts, err := parseReference(s.Reference)
	if err != nil {
		return err
	}
	out := message{channel: channel, thread: ts, text: m.Text, name: author(m.From), mark: mark{"message", m.ID}}
	if m.Again {
		found, err := p.find(ctx, "send", channel, ts, out.mark)
		if found != "" || err != nil {
			return err
		}
	}
	const most = 100 << 20
	for _, f := range m.Files {
		body, _, err := provider.Fetch(ctx, p.cfg.Files, f.URL, most)
		var pe *handoff.ProviderError
		switch {
		case err == nil:
			if err := p.upload(ctx, channel, ts, or(f.Name, "file"), body); err != nil {
				return err
			}
		case errors.As(err, &pe) && pe.Retryable:
			return err
		default: // it cannot be had: its address is better than nothing
			out.text = strings.TrimSpace(out.text + "\n" + f.Name + " " + f.URL)
		}
	}
	if out.text == "" {
		out.text = "(file)" // Slack takes no empty message, and this one says that the files are there
	}
	_, err = p.say(ctx, "send", &out)
	return err
}

func author(p handoff.Party) string {
	switch p.Role {
	case handoff.RoleBot:
		return or(p.Name, "Bot")
	case handoff.RoleUser:
		return or(p.Name, "User")
	case handoff.RoleAgent, handoff.RoleSupervisor, handoff.RoleEngine:
	}
	return p.Name
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// Note implements [handoff.Noter].
func (p *Provider) Note(ctx context.Context, s handoff.Session, n handoff.ProviderMessage) error {
	channel, ts, err := parseReference(s.Reference)
	if err != nil {
		return err
	}
	name := "Note"
	if n.From.Name != "" {
		name += " of " + n.From.Name
	}
	for i, text := range provider.Parts(n.Text, MaxBytes) {
		m := message{channel: channel, thread: ts, text: text, name: name, mark: mark{"note", n.ID + "/" + strconv.Itoa(i)}}
		if err := p.once(ctx, "note", n, &m); err != nil {
			return err
		}
	}
	return nil
}

// Close implements [handoff.Provider]: the buttons go, and the thread says so.
func (p *Provider) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	return p.finish(ctx, "close", s, "The conversation is over.")
}

// ReturnToBot implements [handoff.BotReturner].
func (p *Provider) ReturnToBot(ctx context.Context, s handoff.Session) error {
	return p.finish(ctx, "return", s, "The bot has the user again.")
}

func (p *Provider) finish(ctx context.Context, op string, s handoff.Session, why string) error {
	channel, ts, err := parseReference(s.Reference)
	if err != nil {
		return nil //nolint:nilerr // no thread of ours
	}
	form := url.Values{
		"channel": {channel}, "ts": {ts}, "text": {why}, "blocks": {encode([]block{section(why)})},
		"metadata": {encode(metadata{Type: markType, Payload: mark{"closed", ts}})},
	}
	err = p.api.Do(ctx, provider.Call{
		Op: op, Method: http.MethodPost, Path: "/chat.update", Body: []byte(form.Encode()), Type: "application/x-www-form-urlencoded", Repeatable: true,
	}, nil)
	return provider.Tolerate(err, http.StatusNotFound)
}

// Available implements [handoff.AvailabilityChecker]: whether one of
// Config.Agents is active.
func (p *Provider) Available(ctx context.Context, _ handoff.Need) (handoff.Availability, error) {
	if len(p.cfg.Agents) == 0 {
		return handoff.Unknown, nil
	}
	for user := range p.cfg.Agents {
		var out struct {
			Presence string `json:"presence"`
		}
		if err := p.api.Do(ctx, provider.Call{Op: "availability", Path: "/users.getPresence", Query: url.Values{"user": {user}}}, &out); err != nil {
			return handoff.Unknown, err
		}
		switch out.Presence {
		case "active":
			return handoff.Online, nil
		case "":
			return handoff.Unknown, provider.AnswerLacks("availability")
		}
	}
	return handoff.Offline, nil
}

// Ticket implements [handoff.Ticketer]: a message in the channel.
func (p *Provider) Ticket(ctx context.Context, h handoff.Handoff, text, id string) (string, error) {
	channel := p.channel(h.Need.Queue)
	ts, err := p.find(ctx, "ticket", channel, "", mark{"ticket", id})
	if err == nil && ts == "" {
		who := "Somebody"
		if h.User != nil {
			who = or(strings.TrimSpace(h.User.Name+" "+h.User.Mail+" "+h.User.Phone), who)
		}
		ts, err = p.say(ctx, "ticket", &message{
			channel: channel, text: who + " left a message:\n" + provider.Cut(text, MaxBytes-200), mark: mark{"ticket", id},
		})
	}
	if err != nil {
		return "", err
	}
	return reference(channel, ts), nil
}
