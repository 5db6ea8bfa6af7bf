package cmcom

import (
	"context"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// Ticket implements [handoff.Ticketer]: a chat of its own that is handed over
// whether anybody is there or not, and stays in the inbox until an agent has it.
// He answers by mail or telephone: of a ticket the host hears no more. Made again
// it is the same chat, with the same messages.
func (p *Provider) Ticket(ctx context.Context, h handoff.Handoff, left, id string) (string, error) {
	st := p.stateFor(&handoff.Opening{Attempt: "ticket " + id, Handoff: h})
	reference, err := p.say(ctx, "ticket", "", st, text(st, "title", p.cfg.Title, time.Now()))
	if err != nil {
		return "", err
	}
	if err := p.mutate(ctx, "ticket", reference, enable, p.about(&h, st)); err != nil {
		return "", err
	}
	var list []message
	for i, part := range provider.Parts(left, MaxBytes) {
		list = append(list, text(st, "left/"+strconv.Itoa(i), part, time.Now()))
	}
	_, err = p.say(ctx, "ticket", reference, st, list...)
	return reference, err
}
