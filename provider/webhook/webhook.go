package webhook

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Config names a console.
type Config struct {
	// Name of the provider; default "webhook". Several consoles have several
	// names.
	Name string

	// URL is where the console takes webhooks; https but for tests.
	URL string

	// Secrets sign both ways: base64 of 24 to 64 bytes, with or without the
	// prefix whsec_. Two while they are being changed: what goes out is signed
	// with each, what comes in with any.
	Secrets []string

	Custody  handoff.Custody // default CustodyQueue
	MaxBytes int             // longest message the console takes; 0 is no limit

	// Redact removes from texts what the console must not get; nil removes
	// nothing. The messages of a chat that goes on are relayed as they are.
	Redact func(text string) string

	HTTP *http.Client // nil: a sensible one
}

// A Provider connects an engine with a console.
type Provider struct {
	cfg  Config
	keys keys
	api  provider.Client
}

var (
	_ handoff.Provider            = (*Provider)(nil)
	_ handoff.Receiver            = (*Provider)(nil)
	_ handoff.Finder              = (*Provider)(nil)
	_ handoff.StateReader         = (*Provider)(nil)
	_ handoff.AvailabilityChecker = (*Provider)(nil)
	_ handoff.Typist              = (*Provider)(nil)
	_ handoff.Noter               = (*Provider)(nil)
	_ handoff.Ticketer            = (*Provider)(nil)
	_ handoff.BotReturner         = (*Provider)(nil)
)

// New returns a provider. It does no I/O. A Config that cannot work is a
// *[handoff.InvalidError].
func New(c Config) (*Provider, error) {
	if c.Name == "" {
		c.Name = "webhook"
	}
	if c.Custody == "" {
		c.Custody = handoff.CustodyQueue
	}
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, &handoff.InvalidError{Field: "Config.URL", Why: "is no http address"}
	}
	k, err := parseSecrets(c.Secrets)
	if err != nil {
		return nil, err
	}
	return &Provider{cfg: c, keys: k, api: provider.Client{Base: c.URL, HTTP: c.HTTP}}, nil
}

// Info implements [handoff.Provider].
func (p *Provider) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: p.cfg.Name, Custody: p.cfg.Custody, MaxBytes: p.cfg.MaxBytes,
		Can: handoff.Capabilities{
			Availability: true, Position: true, WaitEstimate: true, TypingIn: true, TypingOut: true, Files: true, Transfer: true,
			Notes: true, ReturnToBot: true, AgentReturns: true, Ticket: true, FindsAttempt: true, SendsOnce: true, ReadsState: true, NativeHistory: true,
		},
	}
}

// call sends one webhook. The console drops repeats by the id, so that every
// call may be repeated.
func (p *Provider) call(ctx context.Context, op, id, typ string, data any) (answer, error) {
	body, err := json.Marshal(envelope{Type: typ, Timestamp: time.Now().UTC(), Data: data})
	if err != nil {
		return answer{}, &handoff.ProviderError{Op: op, Code: "request"}
	}
	h := http.Header{}
	p.keys.sign(h, id, time.Now(), body)
	var raw provider.Answer
	err = p.api.Do(ctx, provider.Call{
		Op: op, Method: http.MethodPost, Header: h, Body: body, Type: "application/json", Repeatable: true,
	}, &raw)
	if err != nil {
		return answer{}, err
	}
	var a answer
	if len(raw.Body) > 0 && json.Unmarshal(raw.Body, &a) != nil {
		return answer{}, &handoff.ProviderError{Op: op, Status: raw.Status, Code: "answer", Retryable: true, Ambiguous: true}
	}
	return a, nil
}

// Open implements [handoff.Provider]. A console that answers no reference has
// the chat under the attempt.
func (p *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	r := provider.Renderer{Redact: p.cfg.Redact}
	data := openData{Attempt: o.Attempt, Handoff: aboutOf(&o.Handoff, r), Note: r.Redacted(o.Note), Transcript: []message{}}
	for _, l := range r.Replay(o.Transcript, p.cfg.MaxBytes) {
		data.Transcript = append(data.Transcript, message{ID: l.ID, From: personOf(l.From), Text: l.Text, Files: filesOf(l.Files), At: l.At.UTC()})
	}
	a, err := p.call(ctx, "open", "open/"+o.Attempt, typeOpen, data)
	if err != nil {
		return handoff.Session{}, err
	}
	if a.Reference == "" {
		a.Reference = o.Attempt
	}
	return handoff.Session{Reference: a.Reference}, nil
}

// Find implements [handoff.Finder]. Questions have random ids: their answers
// change.
func (p *Provider) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	a, err := p.call(ctx, "find", "find/"+attempt+"/"+rand.Text(), typeFind, findData{Attempt: attempt})
	switch {
	case err != nil:
		return handoff.Session{}, false, err
	case a.Found == nil: // taken for no, another chat would be opened
		return handoff.Session{}, false, provider.AnswerLacks("find")
	case !*a.Found:
		return handoff.Session{}, false, nil
	case a.Reference == "":
		a.Reference = attempt
	}
	return handoff.Session{Reference: a.Reference}, true, nil
}

func messageOf(m *handoff.ProviderMessage) *message {
	return &message{ID: m.ID, From: personOf(m.From), Text: m.Text, Files: filesOf(m.Files), At: m.At.UTC()}
}

// Send implements [handoff.Provider].
func (p *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	_, err := p.call(ctx, "send", "message/"+s.Reference+"/"+m.ID, typeSend, chatData{Reference: s.Reference, Message: messageOf(&m), Again: m.Again})
	return err
}

// Note implements [handoff.Noter].
func (p *Provider) Note(ctx context.Context, s handoff.Session, n handoff.ProviderMessage) error {
	_, err := p.call(ctx, "note", "note/"+s.Reference+"/"+n.ID, typeNote, chatData{Reference: s.Reference, Message: messageOf(&n), Again: n.Again})
	return provider.Tolerate(err, http.StatusNotImplemented)
}

// Typing implements [handoff.Typist].
func (p *Provider) Typing(ctx context.Context, s handoff.Session, on bool) error {
	_, err := p.call(ctx, "typing", "typing/"+s.Reference+"/"+rand.Text(), typeTyping, chatData{Reference: s.Reference, On: &on})
	return provider.Tolerate(err, http.StatusNotImplemented)
}

// Close implements [handoff.Provider].
func (p *Provider) Close(ctx context.Context, s handoff.Session, why handoff.Reason) error {
	_, err := p.call(ctx, "close", "close/"+s.Reference, typeClose, chatData{Reference: s.Reference, Reason: string(why)})
	return provider.Tolerate(err, http.StatusNotFound, http.StatusConflict, http.StatusGone)
}

// ReturnToBot implements [handoff.BotReturner].
func (p *Provider) ReturnToBot(ctx context.Context, s handoff.Session) error {
	_, err := p.call(ctx, "return", "return/"+s.Reference, typeReturn, chatData{Reference: s.Reference})
	return provider.Tolerate(err, http.StatusNotFound, http.StatusConflict, http.StatusGone)
}

// ReadState implements [handoff.StateReader].
func (p *Provider) ReadState(ctx context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	a, err := p.call(ctx, "state", "state/"+s.Reference+"/"+rand.Text(), typeState, chatData{Reference: s.Reference})
	if err != nil {
		return handoff.SessionUnknown, handoff.Party{}, provider.Tolerate(err, http.StatusNotImplemented)
	}
	var who handoff.Party
	if a.Agent != nil {
		who = provider.Agent(a.Agent.ID, a.Agent.Name)
	}
	switch st := handoff.SessionState(a.State); st {
	case handoff.SessionQueued, handoff.SessionActive, handoff.SessionEnded, handoff.SessionBot:
		return st, who, nil
	case handoff.SessionUnknown:
	}
	return handoff.SessionUnknown, who, nil
}

// Available implements [handoff.AvailabilityChecker].
func (p *Provider) Available(ctx context.Context, n handoff.Need) (handoff.Availability, error) {
	a, err := p.call(ctx, "availability", "availability/"+rand.Text(), typeAvailability,
		availabilityData{Queue: n.Queue, Skills: skillsOf(n.Skills), Language: n.Language})
	if err != nil {
		return handoff.Unknown, provider.Tolerate(err, http.StatusNotImplemented)
	}
	switch av := handoff.Availability(a.Availability); av {
	case handoff.Online, handoff.Offline:
		return av, nil
	case handoff.Unknown:
	}
	return handoff.Unknown, nil
}

// Ticket implements [handoff.Ticketer]. A console that answers no reference
// has the ticket under the id.
func (p *Provider) Ticket(ctx context.Context, h handoff.Handoff, text, id string) (string, error) {
	a, err := p.call(ctx, "ticket", "ticket/"+id, typeTicket, ticketData{Handoff: aboutOf(&h, provider.Renderer{Redact: p.cfg.Redact}), Text: text})
	if err == nil && a.Reference == "" {
		a.Reference = id
	}
	return a.Reference, err
}
