package handoff

import (
	"context"
	"strconv"
	"time"
)

// relay sends one message or note to the agent on a platform.
func (e *Engine) relay(ctx context.Context, b *Binding, en *Entry, again bool) error {
	p := e.providers[b.Provider]
	_, told := e.Redacted(ctx, ToProvider, Handoff{ID: en.Handoff, Provider: b.Provider}, []Entry{*en})
	en = &told[0]
	m := ProviderMessage{ID: en.ID, From: en.From, Text: en.Text, Files: en.Files, At: en.At, Again: again}
	if en.Kind != KindMessage {
		n, ok := p.(Noter)
		if !ok {
			return nil // another build had one
		}
		return n.Note(ctx, b.Session, m)
	}
	info := p.Info()
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

// UserTyping tells the agent on a platform that the user is writing, or no
// longer is. It is a signal, not an entry: without an agent on a platform that
// shows it, and when the platform fails, it is lost.
func (e *Engine) UserTyping(ctx context.Context, conversation string, on bool) error {
	if err := checkName("conversation", conversation); err != nil {
		return err
	}
	h, err := e.latest(ctx, conversation)
	if err != nil || h == nil {
		return err
	}
	b := h.live()
	if b == nil || b.Status != BindOpen || h.State != StateActive || e.rules.custody[b.Provider] == CustodyConversation {
		return nil
	}
	if t, ok := e.providers[b.Provider].(Typist); ok {
		err := e.ask(ctx, "typing", h.ID, func(ctx context.Context) error { return t.Typing(ctx, b.Session, on) })
		if err != nil {
			e.log.DebugContext(ctx, "typing was not shown", "provider", b.Provider, "error", err)
		}
	}
	return ctx.Err()
}

// refreshBefore is how long before its end a session is renewed. One that
// lives shorter than twice that is renewed when half of its life is over.
const refreshBefore = 2 * time.Minute

// refreshIn returns when a session is to be renewed, from now on.
func (s *Session) refreshIn(at time.Time) time.Duration {
	left := s.Expires.Sub(at)
	return max(left-refreshBefore, left/2, 5*time.Second)
}

// refreshed returns the session of a binding, renewed if it ends soon. If that
// fails the old one serves as long as it does.
func (e *Engine) refreshed(ctx context.Context, p Provider, h *Handoff, b *Binding) (Session, bool) {
	r, ok := p.(Refresher)
	if !ok || b.Session.Expires.IsZero() || now().Before(b.Session.Expires.Add(-refreshBefore)) {
		return b.Session, false
	}
	var s Session
	err := e.ask(ctx, "refresh", h.ID, func(ctx context.Context) (err error) {
		s, err = r.Refresh(ctx, b.Session)
		return err
	})
	if err != nil || s.Reference != b.Session.Reference {
		e.log.WarnContext(ctx, "a session was not renewed", "provider", b.Provider, "error", err)
		return b.Session, false
	}
	return s, true
}
