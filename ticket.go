package handoff

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// Ticket makes a ticket of a handoff, open or ended, and returns its reference.
// Text is what the ticket says first; the rest is what the handoff is about.
// An actor with an Op gets the same ticket again.
func (e *Engine) Ticket(ctx context.Context, id ID, a Actor, text string) (string, error) {
	if err := first(checkID(id), checkActor(a), checkText("text", text)); err != nil {
		return "", err
	}
	h, err := e.get(ctx, id)
	if err != nil {
		return "", err
	}
	op := a.opID("ticket", "")
	if found, err := e.entry(ctx, id, op); err != nil || found != nil {
		return found.ticket(), err
	}
	provider := e.rules.queue(h.Need.Queue).Tickets
	p, ok := e.providers[provider].(Ticketer)
	if !ok {
		return "", &InvalidError{Field: "Queue.Tickets", Why: "names nobody who makes tickets"}
	}
	told, body, err := e.ticketText(ctx, h, provider, Entry{Handoff: id, Kind: KindNote, From: a.party(), Text: text, At: now()})
	if err != nil {
		return "", err
	}
	ref := ""
	err = e.ask(ctx, "ticket", h.ID, func(ctx context.Context) (err error) {
		ref, err = p.Ticket(ctx, told, body, ticketID(h.ID, op))
		return err
	})
	if err == nil && checkName("reference", ref) != nil {
		err = &ProviderError{Op: "ticket", Code: "no_reference", Err: errors.New("the ticket has no reference")}
	}
	if err != nil {
		return "", err
	}
	_, err = e.do(ctx, id, op, func(*Handoff) (command, error) {
		return cTicket{who: a.party(), provider: provider, reference: ref}, nil
	})
	return ref, err
}

func (e *Entry) ticket() string {
	if e == nil {
		return ""
	}
	return e.Data["reference"]
}

// ticket makes a ticket of what a user left, or of a request that was missed,
// and stores its name.
func (e *Engine) ticket(ctx context.Context, h *Handoff, en *Entry, provider string) error {
	p, ok := e.providers[provider].(Ticketer)
	if !ok {
		return nil // the pool of another build
	}
	told, text, err := e.ticketText(ctx, h, provider, *en)
	if err != nil {
		return err
	}
	reference, err := p.Ticket(ctx, told, text, ticketID(h.ID, itoa(en.Seq)))
	if err != nil {
		return err
	}
	_, err = e.do(background(ctx), h.ID, "ticket/"+itoa(en.Seq), func(*Handoff) (command, error) {
		return cTicket{who: Party{Role: RoleEngine}, entry: en.Seq, provider: provider, reference: reference}, nil
	})
	return err
}

// ticketID names a ticket, for who makes it.
func ticketID(id ID, op string) string {
	return url.QueryEscape(id.Conversation) + "." + itoa(id.Number) + ".t" + url.QueryEscape(op)
}

// leftText is what a user left, with the fields of his form.
func leftText(en *Entry) string {
	if en.Kind == KindMissed {
		return ""
	}
	return strings.TrimSpace(en.Words())
}

// ticketText says what was left, or what an agent writes, and what the handoff
// is about, as far as it may leave the house.
func (e *Engine) ticketText(ctx context.Context, h *Handoff, provider string, en Entry) (Handoff, string, error) {
	script, err := e.Transcript(ctx, h.ID)
	if err != nil {
		return Handoff{}, "", err
	}
	said := *h
	said.Provider = provider
	told, all := e.Redacted(ctx, ToProvider, said, append(slices.Clip(script), en))
	told.Provider = h.Provider
	about := told.Summary
	if about == "" {
		about = ruleSummary(&told, all[:len(all)-1])
	}
	return told, strings.TrimSpace(leftText(&all[len(all)-1]) + "\n\n" + about), nil
}
