// Package inmem is the reference provider: a help desk in memory with its own
// queue and agents, and the provider that connects an engine with it. It has
// every ability a provider can have and runs in both custodies. Read it before
// you write an adapter, use it for demos, and script it in tests.
//
//	desk := inmem.New(inmem.Options{})
//	engine, err := handoff.New(handoff.Config{Providers: []handoff.Provider{desk.Provider()}, …})
//	go desk.Pump(ctx, func(ctx context.Context, w handoff.Webhook) error {
//		_, err := engine.Webhook(ctx, "inmem", w)
//		return err
//	})
//	desk.Join(desk.Chats()[0].Reference, handoff.Party{ID: "7", Name: "Ann"})
//
// The two halves are kept apart as they would be over a network: the provider
// knows of the platform what its calls return and what webhooks and streams
// tell. Webhooks are signed, sessions have a secret token, and what the
// provider sends comes back as an echo that it has to drop.
package inmem

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Provider connects an engine with a Platform.
type Provider struct{ p *Platform }

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
	_ handoff.Refresher           = (*Provider)(nil)
	_ handoff.Streamer            = streaming{}
)

// streaming is the provider of a platform that has to be read.
type streaming struct{ *Provider }

// Provider returns the provider of the platform.
func (p *Platform) Provider() handoff.Provider {
	if p.opt.Streams {
		return streaming{&Provider{p}}
	}
	return &Provider{p}
}

// Info implements [handoff.Provider].
func (a *Provider) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: a.p.opt.Name, Custody: a.p.opt.Custody, MaxBytes: a.p.opt.MaxBytes,
		Can: handoff.Capabilities{
			Availability: true, Position: true, WaitEstimate: true, TypingIn: true, TypingOut: true, Files: true, Transfer: true,
			Notes: true, ReturnToBot: true, AgentReturns: true, Ticket: true, FindsAttempt: true, SendsOnce: true, ReadsState: true,
			OneReference: a.p.opt.OneReference, NativeHistory: true, NamesOnly: a.p.opt.NamesOnly,
		},
	}
}

// state is what the provider keeps in a session.
type state struct {
	Token string `json:"token"`
}

func session(c *chat) handoff.Session {
	b, _ := json.Marshal(state{Token: c.token}) //nolint:errchkjson // a string
	return handoff.Session{Reference: c.Reference, State: b, Expires: c.until}
}

// call is one request to the platform: f happens there, unless it fails.
func (a *Provider) call(ctx context.Context, op string, f func(p *Platform) error) error {
	p := a.p
	p.mu.Lock()
	p.attempts[op]++
	failure := p.failure
	if len(p.failing) > 0 && !slices.Contains(p.failing, op) {
		failure = Works
	}
	if ctx.Err() == nil && (failure == Works || failure == LosesAnswer) {
		err := f(p)
		p.mu.Unlock()
		if err == nil && failure == LosesAnswer {
			return &handoff.ProviderError{Op: op, Code: "connection_lost", Retryable: true, Ambiguous: true, Err: errors.New("no answer")}
		}
		return err
	}
	p.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return &handoff.ProviderError{Op: op, Code: "cancelled", Retryable: true, Err: ctx.Err()}
	case failure == Busy:
		return &handoff.ProviderError{
			Op: op, Status: http.StatusServiceUnavailable, Code: "busy", Retryable: true, RetryAfter: 2 * time.Second,
			Err: errors.New("the platform is busy"),
		}
	case failure == Hangs:
		<-ctx.Done()
		return &handoff.ProviderError{Op: op, Code: "timeout", Retryable: true, Ambiguous: true, Err: ctx.Err()}
	}
	return denied(op, http.StatusForbidden, "refused")
}

func denied(op string, status int, code string) error {
	return &handoff.ProviderError{Op: op, Status: status, Code: code, Err: errors.New("the platform refuses")}
}

// session finds the chat of a session, if the session has the right to it.
func (p *Platform) session(op string, s handoff.Session) (*chat, error) {
	c := p.find(s.Reference)
	if c == nil {
		return nil, denied(op, http.StatusNotFound, "unknown_chat")
	}
	if len(s.State) == 0 && c.Attempt == "" {
		return c, nil // begun by an agent: nobody was given a token
	}
	var st state
	err := json.Unmarshal(s.State, &st)
	known := st.Token == c.token || st.Token == c.old && c.old != ""
	if err != nil || !known || !c.until.IsZero() && time.Now().After(c.until) {
		return nil, denied(op, http.StatusUnauthorized, "token")
	}
	if st.Token == c.token {
		c.old = ""
	}
	return c, nil
}

// Open implements [handoff.Provider]. A repeated attempt finds its chat.
func (a *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	var s handoff.Session
	err := a.call(ctx, "open", func(p *Platform) error {
		if c := p.byAttempt(o.Attempt); c != nil {
			s = session(c)
			return nil
		}
		c := p.open(o.Handoff.ID.Conversation, o.Attempt)
		c.Note = o.Note
		for i := range o.Transcript {
			en := &o.Transcript[i]
			c.Messages = append(c.Messages, Message{ID: en.ID, From: en.From, Text: en.Text, Files: en.Files, Past: true})
		}
		p.happens(c, event{Type: typeQueued})
		s = session(c)
		return nil
	})
	if err != nil {
		return handoff.Session{}, err
	}
	return s, nil
}

func (p *Platform) byAttempt(attempt string) *chat {
	for _, c := range p.chats {
		if attempt != "" && c.Attempt == attempt {
			return c
		}
	}
	return nil
}

// Send implements [handoff.Provider]. A message whose id is known is a repeat.
func (a *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	return a.call(ctx, "send", func(p *Platform) error {
		c, err := p.session("send", s)
		switch {
		case err != nil:
			return err
		case p.opt.MaxBytes > 0 && len(m.Text) > p.opt.MaxBytes:
			return denied("send", http.StatusRequestEntityTooLarge, "too_long")
		case slices.ContainsFunc(c.Messages, func(old Message) bool { return old.ID == m.ID && !old.Past }):
			return nil
		case !c.live():
			return denied("send", http.StatusConflict, "closed")
		}
		p.says(c, Message{ID: m.ID, From: m.From, Text: m.Text, Files: m.Files}, event{Type: typeEcho})
		return nil
	})
}

// Close implements [handoff.Provider].
func (a *Provider) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	return a.finish(ctx, "close", s, handoff.SessionEnded, typeEnded)
}

// ReturnToBot implements [handoff.BotReturner].
func (a *Provider) ReturnToBot(ctx context.Context, s handoff.Session) error {
	return a.finish(ctx, "return", s, handoff.SessionBot, typeReturned)
}

// finish ends a chat. The platform tells of it, as platforms do.
func (a *Provider) finish(ctx context.Context, op string, s handoff.Session, to handoff.SessionState, typ string) error {
	return a.call(ctx, op, func(p *Platform) error {
		c, err := p.session(op, s)
		var pe *handoff.ProviderError
		if errors.As(err, &pe) && pe.Status == http.StatusNotFound {
			return nil
		}
		if err == nil && c.live() {
			p.over(c, to, typ)
		}
		return err
	})
}

// Find implements [handoff.Finder].
func (a *Provider) Find(ctx context.Context, attempt string) (s handoff.Session, found bool, err error) {
	err = a.call(ctx, "find", func(p *Platform) error {
		if c := p.byAttempt(attempt); c != nil {
			s, found = session(c), true
		}
		return nil
	})
	return s, found && err == nil, err
}

// ReadState implements [handoff.StateReader].
func (a *Provider) ReadState(ctx context.Context, s handoff.Session) (st handoff.SessionState, who handoff.Party, err error) {
	err = a.call(ctx, "state", func(p *Platform) error {
		c, err := p.session("state", s)
		if err == nil {
			st, who = c.State, c.Agent
		}
		return err
	})
	return st, who, err
}

// Available implements [handoff.AvailabilityChecker].
func (a *Provider) Available(ctx context.Context, _ handoff.Need) (av handoff.Availability, err error) {
	err = a.call(ctx, "availability", func(p *Platform) error {
		av = handoff.Online
		if p.away {
			av = handoff.Offline
		}
		return nil
	})
	return av, err
}

// Typing implements [handoff.Typist].
func (a *Provider) Typing(ctx context.Context, s handoff.Session, on bool) error {
	return a.call(ctx, "typing", func(p *Platform) error {
		c, err := p.session("typing", s)
		if err == nil {
			c.UserTypes = on
		}
		return err
	})
}

// Note implements [handoff.Noter].
func (a *Provider) Note(ctx context.Context, s handoff.Session, n handoff.ProviderMessage) error {
	return a.call(ctx, "note", func(p *Platform) error {
		c, err := p.session("note", s)
		if err == nil && !c.noteID[n.ID] {
			c.noteID[n.ID] = true
			c.Notes = append(c.Notes, n.Text)
		}
		return err
	})
}

// Refresh implements [handoff.Refresher]. The old token is good until the new one
// is used, so that an answer that is lost can be asked for again.
func (a *Provider) Refresh(ctx context.Context, s handoff.Session) (out handoff.Session, err error) {
	err = a.call(ctx, "refresh", func(p *Platform) error {
		c, err := p.session("refresh", s)
		if err == nil {
			c.old = c.token
			p.renew(c)
			out = session(c)
		}
		return err
	})
	return out, err
}

// Ticket implements [handoff.Ticketer].
func (a *Provider) Ticket(ctx context.Context, _ handoff.Handoff, _, id string) (ref string, err error) {
	err = a.call(ctx, "ticket", func(p *Platform) error {
		if p.tickets[id] == "" {
			p.tickets[id] = "ticket-" + strconv.Itoa(len(p.tickets)+1)
		}
		ref = p.tickets[id]
		return nil
	})
	return ref, err
}

// Stream implements [handoff.Streamer]. It begins with the first event of the
// chat: the engine drops repeats by their ids.
func (a streaming) Stream(ctx context.Context, s handoff.Session, emit func(handoff.ProviderEvent) error) error {
	for at := -1; ; {
		a.p.mu.Lock()
		c, err := a.p.session("stream", s)
		if err != nil {
			a.p.mu.Unlock()
			return err
		}
		if at < c.start {
			at = c.start
		}
		news, over, changed := slices.Clone(c.log[at:]), !c.live(), a.p.changed
		a.p.mu.Unlock()
		for i := range news {
			at++
			ev, ok := news[i].decode()
			if !ok {
				continue
			}
			for _, told := range provider.Returned(a.p.opt.ReturnWord, []handoff.ProviderEvent{ev}) {
				if err := emit(told); err != nil {
					return err
				}
			}
		}
		if over {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}
