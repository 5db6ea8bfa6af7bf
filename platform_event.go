package handoff

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Deliver takes what happened on a platform. Repeats, late events and events
// of chats that are unknown or over have no effect and are no errors: a
// platform would send them for ever. It returns after the effect is stored.
func (e *Engine) Deliver(ctx context.Context, provider string, events ...ProviderEvent) error {
	if _, ok := e.providers[provider]; !ok {
		return &InvalidError{Field: "provider", Why: "is not one of Config.Providers"}
	}
	if err := checkContext(ctx); err != nil {
		return err
	}
	// What cannot be stored must not hold up the rest.
	var bad error
	for i := range events {
		if err := events[i].Validate(); err != nil {
			bad = err
			continue
		}
		if err := e.event(ctx, provider, events[i]); err != nil {
			return err
		}
	}
	return bad
}

// Validate reports what of an event cannot be stored, as an *InvalidError.
// Deliver leaves such an event out: an adapter makes its texts and names fit
// before.
func (ev *ProviderEvent) Validate() error {
	if ev.Kind == EventMessage || ev.Kind == EventUserMessage || ev.Kind == EventNote || ev.Kind == EventReturned && ev.Text != "" {
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
	if e.doubtful(b, &ev) {
		if over, err := e.isOver(ctx, b); err != nil || !over {
			return err
		}
	}
	id := ev.ID
	switch {
	case id == "" && ev.MessageID != "":
		id = "message/" + ev.MessageID
	case id == "":
		id = newID()
	}
	if ev.Kind == EventUserMessage && ev.MessageID == "" {
		ev.MessageID = id
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
		list, err := e.holders(ctx, bindingKey(provider, ev.Reference))
		if err != nil {
			return nil, nil, err
		}
		if len(list) > 0 {
			id = list[0].ID
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
		b.Session.Reference != ev.Reference && (number == 0 || b.Session.Reference != "" && ev.Reference != "") {
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

// doubtful reports whether an end may be that of an earlier chat under the
// same reference: it has no time, or one that unequal clocks make unsure.
func (e *Engine) doubtful(b *Binding, ev *ProviderEvent) bool {
	switch ev.Kind {
	case EventEnded, EventReturned, EventFailed:
	default:
		return false
	}
	if !e.providers[b.Provider].Info().Can.OneReference || ev.StillOpen { // an agent's words are of the chat that has him
		return false
	}
	sure := b.At
	if _, ok := e.providers[b.Provider].(StateReader); ok {
		sure = b.At.Add(clockDoubt)
	}
	return ev.At.IsZero() || ev.At.Before(sure)
}

// isOver asks the platform whether a chat is over. A platform that cannot be
// asked does not say so.
func (e *Engine) isOver(ctx context.Context, b *Binding) (bool, error) {
	r, ok := e.providers[b.Provider].(StateReader)
	if !ok {
		return false, nil
	}
	rctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	defer cancel()
	state, _, err := r.ReadState(rctx, b.Session)
	return state == SessionEnded || state == SessionBot, err
}

// uncalled is an event of a chat that no handoff is bound to. On a platform
// that carries the conversation a person may take it without being asked;
// everywhere else it is a chat that should not be there.
func (e *Engine) uncalled(ctx context.Context, provider string, ev ProviderEvent) error {
	p := e.providers[provider]
	session := Session{Reference: ev.Reference}
	if p.Info().Custody == CustodyConversation && ev.Conversation != "" && ev.Reference != "" && (ev.Kind == EventJoined || ev.Kind == EventMessage) {
		return e.controlled(ctx, provider, ev)
	}
	id, number := parseAttempt(ev.Attempt)
	if id.IsZero() || ev.Reference == "" || ev.Kind == EventEnded || ev.Kind == EventReturned || ev.Kind == EventFailed {
		return nil
	}
	// An attempt of ours has opened it that is over, or that has another chat:
	// from now on it is owed a close.
	_, err := e.do(ctx, id, "bound/"+itoa(number)+"/"+strconv.FormatUint(hash(ev.Reference), 16), func(h *Handoff) (command, error) {
		for i := range h.own.Bindings {
			if b := &h.own.Bindings[i]; b.Provider == provider && b.Session.Reference == ev.Reference {
				return nil, ErrStale // that is known
			}
		}
		if !slices.ContainsFunc(h.own.Bindings, func(b Binding) bool { return b.Attempt == ev.Attempt && b.Provider == provider }) {
			return nil, ErrStale
		}
		return cBound{binding: number, session: session}, nil
	})
	return ignore(err, ErrStale, ErrState, ErrNotFound)
}

// controlled is a person who took a conversation without being asked, whatever
// we thought of it: also when nobody watched it.
func (e *Engine) controlled(ctx context.Context, provider string, ev ProviderEvent) error {
	c := cControl{provider: provider, session: Session{Reference: ev.Reference}, ev: ev}
	op := "control/" + ev.ID
	for try := 0; ; try++ {
		h, err := e.latest(ctx, ev.Conversation)
		if err != nil {
			return err
		}
		if !ev.At.IsZero() && h != nil && ev.At.Before(h.own.Stands.Add(-clockDoubt)) {
			return nil // older than what we know
		}
		switch {
		case h == nil || !h.IsOpen():
			_, err = e.openNext(ctx, ev.Conversation, h, named{c, op})
		case h.live() != nil && h.live().Provider == provider && h.live().Session.Reference == "":
			// It is the chat that is being opened.
			n := h.live().Number
			_, err = e.do(ctx, h.ID, "p/"+itoa(n)+"/"+ev.ID, func(*Handoff) (command, error) { return cEvent{binding: n, ev: ev}, nil })
		default:
			_, err = e.do(ctx, h.ID, op, func(*Handoff) (command, error) { return c, nil })
		}
		if retry(err) && try < tries {
			if err := backOff(ctx, err, try); err != nil {
				return err
			}
			continue
		}
		return ignore(err, ErrStale, ErrState, ErrNotFound)
	}
}

func (e *Engine) typed(ctx context.Context, h *Handoff, ev *ProviderEvent) error {
	t, ok := e.cfg.Channel.(TypingShower)
	if h == nil || !ok || h.State != StateActive {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	defer cancel()
	who := Party{Role: RoleAgent, Name: cmp.Or(ev.Agent.Name, h.AgentName)}
	_ = t.ShowTyping(ctx, h.ID.Conversation, who, !ev.Stopped) // lost when it cannot be shown
	return nil
}

// Webhook takes what a platform pushed: the adapter verifies and decodes it,
// the effect is stored, and the reply is what the platform wants to hear. An
// error says that the push must not be acknowledged.
func (e *Engine) Webhook(ctx context.Context, provider string, w Webhook) (WebhookReply, error) {
	r, ok := e.providers[provider].(Receiver)
	if !ok {
		return WebhookReply{}, &InvalidError{Field: "provider", Why: "takes no webhooks"}
	}
	if err := checkContext(ctx); err != nil {
		return WebhookReply{}, err
	}
	events, reply, err := r.Receive(ctx, w)
	if err != nil {
		return reply, err
	}
	err = e.Deliver(ctx, provider, events...)
	if errors.Is(err, ErrInvalid) {
		e.log.WarnContext(ctx, "an event of a platform cannot be stored", "provider", provider, "error", err)
		err = nil // it would come again for ever
	}
	return reply, err
}
