package multi

import (
	"context"
	"errors"
	"net/http"

	"github.com/seed-2a427302/handoff"
)

// ReadState implements [handoff.StateReader].
func (p *Provider) ReadState(ctx context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	in, s, err := p.inner("state", s)
	r, ok := in.(handoff.StateReader)
	if err != nil || !ok {
		return handoff.SessionUnknown, handoff.Party{}, err
	}
	return r.ReadState(ctx, s)
}

// Available implements [handoff.AvailabilityChecker]: online if one of the
// queue's platforms is, unknown if none is and not all could be asked.
func (p *Provider) Available(ctx context.Context, n handoff.Need) (handoff.Availability, error) {
	all := handoff.Offline
	var errs []error
	for _, in := range p.order(&handoff.Handoff{Need: n}) {
		c, ok := in.(handoff.AvailabilityChecker)
		if !ok {
			all = handoff.Unknown
			continue
		}
		av, err := c.Available(ctx, n)
		switch {
		case err != nil:
			errs = append(errs, err)
		case av == handoff.Online:
			return av, nil
		case av == handoff.Unknown:
			all = handoff.Unknown
		}
	}
	if len(errs) > 0 {
		return handoff.Unknown, errors.Join(errs...)
	}
	return all, nil
}

// Typing implements [handoff.Typist].
func (p *Provider) Typing(ctx context.Context, s handoff.Session, on bool) error {
	in, s, err := p.inner("typing", s)
	t, ok := in.(handoff.Typist)
	if err != nil || !ok {
		return err
	}
	return t.Typing(ctx, s, on)
}

// Note implements [handoff.Noter].
func (p *Provider) Note(ctx context.Context, s handoff.Session, n handoff.ProviderMessage) error {
	in, s, err := p.inner("note", s)
	if err != nil {
		return err
	}
	if t, ok := in.(handoff.Noter); ok {
		return t.Note(ctx, s, n)
	}
	return cannot("note")
}

// Ticket implements [handoff.Ticketer]: the first of the queue's platforms
// that makes tickets makes this one. A reference names the platform.
func (p *Provider) Ticket(ctx context.Context, h handoff.Handoff, text, id string) (string, error) {
	for _, in := range p.order(&h) {
		t, ok := in.(handoff.Ticketer)
		if !ok {
			continue
		}
		reference, err := t.Ticket(ctx, h, text, id)
		if err != nil {
			return "", err
		}
		return outer(in, handoff.Session{Reference: reference}).Reference, nil
	}
	return "", cannot("ticket")
}

func cannot(op string) error {
	return &handoff.ProviderError{Op: op, Status: http.StatusNotImplemented, Code: "not_supported", Err: errors.New("the platform cannot do that")}
}

// ReturnToBot implements [handoff.BotReturner]: where there is no such thing
// the chat is closed.
func (p *Provider) ReturnToBot(ctx context.Context, s handoff.Session) error {
	in, s, err := p.inner("return", s)
	if err != nil {
		return nil //nolint:nilerr // no chat of ours
	}
	if r, ok := in.(handoff.BotReturner); ok {
		return r.ReturnToBot(ctx, s)
	}
	return in.Close(ctx, s, handoff.Reason(handoff.OutcomeReturned))
}

// Refresh implements [handoff.Refresher].
func (p *Provider) Refresh(ctx context.Context, s handoff.Session) (handoff.Session, error) {
	in, inner, err := p.inner("refresh", s)
	r, ok := in.(handoff.Refresher)
	if err != nil || !ok {
		return s, err
	}
	out, err := r.Refresh(ctx, inner)
	return outer(in, out), err
}
