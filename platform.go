package handoff

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// How often a platform is asked for a session's state, and how long a close is
// tried.
const (
	readEvery = time.Minute
	closeFor  = 24 * time.Hour
)

// openProvider opens a chat on a platform. The attempt is committed before the
// platform is called, and a repeated attempt first looks for the chat.
func (e *Engine) openProvider(ctx context.Context, h *Handoff) (bool, error) {
	b := h.live()
	if b == nil || b.Status != BindOpening || h.own.Importing {
		return false, nil
	}
	p := e.providers[b.Provider]
	if p == nil {
		return false, nil // another replica has it, or the connect deadline ends it
	}
	again := e.cfg.SendTimeout + retryIn(b.Tries+1)
	o, err := e.do(ctx, h.ID, "attempt/"+itoa(b.Number)+"/"+strconv.Itoa(b.Tries+1), func(*Handoff) (command, error) {
		return cAttempt{binding: b.Number, again: again}, nil
	})
	if err != nil || o.replay != nil {
		return false, err
	}
	session, err := e.openAt(ctx, p, o.h, o.h.live())
	if ctx.Err() != nil {
		return false, nil
	}
	if err == nil {
		_, err = e.do(background(ctx), h.ID, "bound/"+itoa(b.Number), func(*Handoff) (command, error) {
			return cBound{binding: b.Number, session: session}, nil
		})
		if errors.Is(err, ErrStale) {
			e.log.WarnContext(ctx, "a chat was opened twice", "provider", b.Provider)
			err = p.Close(ctx, session, ReasonWithdrawn)
		}
		return true, err
	}
	perm, after := permanent(err)
	var pe *ProviderError
	ambiguous := !errors.As(err, &pe) || pe.Ambiguous
	code := "error"
	if pe != nil {
		code = pe.Code
	}
	_, err = e.do(ctx, h.ID, "openfailed/"+itoa(b.Number)+"/"+strconv.Itoa(b.Tries+1), func(*Handoff) (command, error) {
		return cOpenFailed{binding: b.Number, code: code, permanent: perm, ambiguous: ambiguous, again: max(after, retryIn(b.Tries+1))}, nil
	})
	return perm, err
}

func (e *Engine) openAt(ctx context.Context, p Provider, h *Handoff, b *Binding) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	defer cancel()
	ctx, end := e.cfg.Hooks.span(ctx, "provider.open", h.ID)
	s, err := func() (Session, error) {
		if f, ok := p.(Finder); ok && b.Tries > 1 {
			if s, found, err := f.Find(ctx, b.Attempt); err != nil || found {
				return s, err
			}
		}
		script, err := e.transcript(ctx, h.ID, b.From)
		if err != nil {
			return Session{}, err
		}
		return p.Open(ctx, Opening{Handoff: *h, Attempt: b.Attempt, Transcript: script, Note: openingNote(h)})
	}()
	end(err)
	if err == nil && s.Reference == "" {
		err = &ProviderError{Op: "open", Code: "no_reference"}
	}
	return s, err
}

// transcript reads what was said up to and including seq.
func (e *Engine) transcript(ctx context.Context, id ID, upTo int64) ([]Entry, error) {
	var out []Entry
	for after := int64(0); after < upTo; {
		page, err := e.page(ctx, id, after, 200)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			if en := &page[i]; en.Seq <= upTo && en.Kind == KindMessage {
				out = append(out, *en)
			}
		}
		after = page[len(page)-1].Seq
	}
	slices.SortStableFunc(out, func(a, b Entry) int { return a.At.Compare(b.At) })
	return out, nil
}

// openingNote is a short text for the agent on a platform.
func openingNote(h *Handoff) string {
	var b strings.Builder
	b.WriteString("Reason: " + string(h.Reason))
	if len(h.Flags) > 0 {
		b.WriteString("\nFlags: " + strings.Join(h.Flags, ", "))
	}
	if h.Summary != "" {
		b.WriteString("\n" + h.Summary)
	}
	keys := make([]string, 0, len(h.Answers))
	for k := range h.Answers {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		b.WriteString("\n" + k + ": " + h.Answers[k])
	}
	return b.String()
}

// connectTimedOut goes on to the next platform, or back to the bot.
func (e *Engine) connectTimedOut(ctx context.Context, h *Handoff) error {
	b := h.live()
	if b == nil {
		return nil
	}
	_, err := e.do(ctx, h.ID, "connect/"+itoa(b.Number), func(*Handoff) (command, error) {
		return cOpenFailed{binding: b.Number, code: "timeout", permanent: true, ambiguous: true}, nil
	})
	return err
}

// readState asks the platform once how the session stands.
func (e *Engine) readState(ctx context.Context, h *Handoff) error {
	b := h.live()
	c := cState{again: readEvery}
	if b != nil {
		c.binding = b.Number
		if r, ok := e.providers[b.Provider].(StateReader); ok {
			rctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
			state, agent, err := r.ReadState(rctx, b.Session)
			cancel()
			if err == nil {
				c.state, c.agent = state, agent
			}
		}
	}
	at, _ := h.deadline(dueRead)
	_, err := e.do(ctx, h.ID, "read/"+itoa(at.UnixMilli()), func(*Handoff) (command, error) { return c, nil })
	return err
}

// closeProvider closes chats that are over but may still be open there.
func (e *Engine) closeProvider(ctx context.Context, h *Handoff) (bool, error) {
	i := slices.IndexFunc(h.own.Bindings, func(b Binding) bool { return b.Status == BindOwed })
	if i < 0 {
		return false, nil
	}
	b := h.own.Bindings[i]
	p := e.providers[b.Provider]
	if p == nil && now().Sub(b.Closing) < closeFor {
		e.work.after(task{pool: poolTend, do: "tend", id: h.ID}, now().Add(readEvery))
		return false, nil
	}
	c := cClose{binding: b.Number, again: retryIn(b.Tries + 1), gaveUp: now().Sub(b.Closing) >= closeFor}
	if p != nil {
		cctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
		session, found, err := b.Session, b.Session.Reference != "", error(nil)
		if f, ok := p.(Finder); ok && !found {
			session, found, err = f.Find(cctx, b.Attempt)
		} else if !found {
			c.gaveUp, c.code = true, "not_found" // nothing tells whether it was opened
		}
		if err == nil && found {
			c.session = session
			err = p.Close(cctx, session, Reason(h.Outcome))
		}
		cancel()
		if ctx.Err() != nil {
			return false, nil
		}
		c.done = err == nil && !c.gaveUp
		if perm, after := permanent(err); err != nil {
			c.gaveUp = c.gaveUp || perm
			c.again = max(c.again, after)
		}
	}
	_, err := e.do(ctx, h.ID, "close/"+itoa(b.Number)+"/"+strconv.Itoa(b.Tries+1), func(*Handoff) (command, error) { return c, nil })
	return c.done || c.gaveUp, err
}

// relay sends one message to the agent on a platform.
func (e *Engine) relay(ctx context.Context, b *Binding, en *Entry) error {
	p := e.providers[b.Provider]
	info := p.Info()
	m := ProviderMessage{ID: en.ID, From: en.From, Text: en.Text, Files: en.Files, At: en.At}
	if !info.Can.Files && len(m.Files) > 0 {
		m.Text, m.Files = withLinks(m.Text, m.Files), nil
	}
	for i, text := range split(m.Text, info.MaxBytes) {
		part := m
		part.Text = text
		if i > 0 {
			part.ID, part.Files = m.ID+"/"+strconv.Itoa(i), nil
		}
		if err := p.Send(ctx, b.Session, part); err != nil {
			return err
		}
	}
	return nil
}

// Deliver takes what happened on a platform. Repeats, late events and events
// of chats that are unknown or over have no effect and are no errors: a
// platform would send them for ever. It returns after the effect is stored.
func (e *Engine) Deliver(ctx context.Context, provider string, events ...ProviderEvent) error {
	if _, ok := e.providers[provider]; !ok {
		return &InvalidError{Field: "provider", Why: "is not one of Config.Providers"}
	}
	for i := range events {
		if err := events[i].check(); err != nil {
			return err
		}
	}
	for _, ev := range events {
		if err := e.event(ctx, provider, ev); err != nil {
			return err
		}
	}
	return nil
}

func (ev *ProviderEvent) check() error {
	if ev.Kind == EventMessage || ev.Kind == EventUserMessage || ev.Kind == EventNote {
		if err := checkMessage("ProviderEvent", ev.Text, ev.Files, nil); err != nil {
			return err
		}
	}
	if !utf8.ValidString(ev.Text) || ev.Position < 0 || ev.Wait < 0 {
		return &InvalidError{Field: "ProviderEvent", Why: "has invalid text, position or wait"}
	}
	return first(checkOptional("ProviderEvent.ID", ev.ID), checkOptional("ProviderEvent.Reference", ev.Reference),
		checkOptional("ProviderEvent.Attempt", ev.Attempt), checkOptional("ProviderEvent.Agent.ID", ev.Agent.ID),
		checkText("ProviderEvent.Agent.Name", ev.Agent.Name), checkOptional("ProviderEvent.MessageID", ev.MessageID),
		checkOptional("ProviderEvent.Conversation", ev.Conversation))
}

func (e *Engine) event(ctx context.Context, provider string, ev ProviderEvent) error {
	h, b, err := e.bound(ctx, provider, &ev)
	if err != nil {
		return err
	}
	if ev.Kind == EventTyping {
		return e.typed(ctx, h, &ev)
	}
	if h == nil {
		return e.uncalled(ctx, provider, ev)
	}
	if b.Status == BindOpening && ev.Reference != "" {
		// The platform is faster than our own commit.
		_, err := e.do(ctx, h.ID, "bound/"+itoa(b.Number), func(*Handoff) (command, error) {
			return cBound{binding: b.Number, session: Session{Reference: ev.Reference}}, nil
		})
		if ignore(err, ErrStale, ErrState) != nil {
			return err
		}
	}
	info := e.providers[provider].Info()
	if ev.Kind == EventEnded && info.Can.OneReference && ev.At.IsZero() {
		// It may be the end of an earlier chat: the platform has to confirm it.
		return e.confirmEnd(ctx, h, b)
	}
	id := ev.ID
	if id == "" {
		id = newID()
	}
	_, err = e.do(ctx, h.ID, "p/"+itoa(b.Number)+"/"+id, func(*Handoff) (command, error) {
		return cEvent{binding: b.Number, ev: ev}, nil
	})
	return ignore(err, ErrStale, ErrState, ErrNotFound)
}

// bound finds the handoff that a session belongs to. Sessions are found by
// the platform's reference, or by our attempt id; never by the conversation.
func (e *Engine) bound(ctx context.Context, provider string, ev *ProviderEvent) (*Handoff, *Binding, error) {
	var id ID
	if ev.Reference != "" {
		err := e.call(ctx, "holders", ID{}, func(ctx context.Context) error {
			list, err := e.store.Holders(ctx, bindingKey(provider, ev.Reference))
			if len(list) > 0 {
				id = list[0].ID
			}
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	number := int64(0)
	if id.IsZero() {
		id, number = parseAttempt(ev.Attempt)
	}
	if id.IsZero() {
		return nil, nil, nil
	}
	h, err := e.get(ctx, id)
	if err != nil {
		return nil, nil, ignore(err, ErrNotFound)
	}
	b := h.live()
	if b == nil || b.Provider != provider || number != 0 && b.Number != number || ev.Attempt != "" && b.Attempt != ev.Attempt ||
		number == 0 && b.Session.Reference != ev.Reference {
		return nil, nil, nil
	}
	return h, b, nil
}

// parseAttempt is the inverse of attempt.
func parseAttempt(s string) (ID, int64) {
	parts := strings.Split(s, ".")
	if len(parts) < 3 {
		return ID{}, 0
	}
	n := len(parts)
	conversation, err := url.QueryUnescape(strings.Join(parts[:n-2], "."))
	number, err1 := strconv.ParseInt(parts[n-2], 10, 64)
	binding, err2 := strconv.ParseInt(parts[n-1], 10, 64)
	if errors.Join(err, err1, err2) != nil || conversation == "" || number < 1 || binding < 1 {
		return ID{}, 0
	}
	return ID{Conversation: conversation, Number: number}, binding
}

// confirmEnd reads the state before an end is believed.
func (e *Engine) confirmEnd(ctx context.Context, h *Handoff, b *Binding) error {
	r, ok := e.providers[b.Provider].(StateReader)
	if !ok {
		return nil
	}
	rctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	defer cancel()
	state, agent, err := r.ReadState(rctx, b.Session)
	if err != nil || state != SessionEnded {
		return err
	}
	_, err = e.do(ctx, h.ID, "confirmed/"+itoa(b.Number), func(*Handoff) (command, error) {
		return cState{binding: b.Number, state: state, agent: agent, again: readEvery}, nil
	})
	return ignore(err, ErrStale, ErrState, ErrNotFound)
}

// uncalled is an event of a chat that no handoff is bound to. On a platform
// that carries the conversation a person may take it without being asked;
// everywhere else it is a chat that should not be there.
func (e *Engine) uncalled(ctx context.Context, provider string, ev ProviderEvent) error {
	p := e.providers[provider]
	if p.Info().Custody == CustodyConversation && ev.Conversation != "" && (ev.Kind == EventJoined || ev.Kind == EventMessage) {
		h, err := e.latest(ctx, ev.Conversation)
		if err != nil || h == nil || h.State != StateBot {
			return err
		}
		_, err = e.do(ctx, h.ID, "control/"+ev.ID, func(*Handoff) (command, error) {
			return cControl{provider: provider, session: Session{Reference: ev.Reference}, ev: ev}, nil
		})
		return ignore(err, ErrStale, ErrState, ErrNotFound)
	}
	if id, _ := parseAttempt(ev.Attempt); !id.IsZero() && ev.Reference != "" && ev.Kind != EventEnded && ev.Kind != EventFailed {
		// Opened by an attempt of ours that is over: close it.
		cctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
		defer cancel()
		return p.Close(cctx, Session{Reference: ev.Reference}, ReasonWithdrawn)
	}
	return nil
}

func (e *Engine) typed(ctx context.Context, h *Handoff, ev *ProviderEvent) error {
	t, ok := e.cfg.Channel.(TypingShower)
	if h == nil || !ok || h.State != StateActive {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	defer cancel()
	return t.ShowTyping(ctx, h.ID.Conversation, Party{Role: RoleAgent, Name: ev.Agent.Name}, true)
}

// Webhook takes what a platform pushed: the adapter verifies and decodes it,
// the effect is stored, and the reply is what the platform wants to hear. An
// error says that the push must not be acknowledged.
func (e *Engine) Webhook(ctx context.Context, provider string, w Webhook) (WebhookReply, error) {
	r, ok := e.providers[provider].(Receiver)
	if !ok {
		return WebhookReply{}, &InvalidError{Field: "provider", Why: "takes no webhooks"}
	}
	events, reply, err := r.Receive(ctx, w)
	if err != nil {
		return reply, err
	}
	return reply, e.Deliver(ctx, provider, events...)
}

// runStreams keeps one reader for each live session of a platform that has to
// be read. Readers on several replicas only double the work.
func (e *Engine) runStreams(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	var streamers []string
	for name, p := range e.providers {
		if _, ok := p.(Streamer); ok {
			streamers = append(streamers, name)
		}
	}
	if len(streamers) == 0 {
		return
	}
	var mu sync.Mutex
	open := map[string]bool{}
	e.every(ctx, e.cfg.Sweep, func(ctx context.Context) error {
		list, err := e.list(ctx, Query{States: []State{StateConnecting, StateQueued, StateActive, StateHeld}})
		for i := range list {
			h, derr := list[i].decode()
			if derr != nil {
				return derr
			}
			b := h.live()
			if b == nil || b.Status != BindOpen || !slices.Contains(streamers, b.Provider) {
				continue
			}
			key := bindingKey(b.Provider, b.Session.Reference)
			mu.Lock()
			busy := open[key]
			open[key] = true
			mu.Unlock()
			if busy {
				continue
			}
			wg.Go(func() {
				e.stream(ctx, h.ID, *b)
				mu.Lock()
				defer mu.Unlock()
				delete(open, key)
			})
		}
		return err
	})
}

// stream reads one session until it or its handoff is over.
func (e *Engine) stream(ctx context.Context, id ID, b Binding) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed, stop := e.hub.subscribe(id.Conversation)
	defer stop()
	go func() {
		for wait(ctx, changed, e.cfg.Sweep) == nil {
			if h, err := e.get(ctx, id); err == nil && (h.live() == nil || h.live().Number != b.Number) {
				cancel()
			}
		}
	}()
	s := e.providers[b.Provider].(Streamer)
	err := s.Stream(ctx, b.Session, func(ev ProviderEvent) error {
		if ev.Reference == "" {
			ev.Reference = b.Session.Reference
		}
		return e.Deliver(ctx, b.Provider, ev)
	})
	if err != nil && ctx.Err() == nil {
		e.log.WarnContext(ctx, "reading a platform failed", "provider", b.Provider, "error", err)
	}
}
