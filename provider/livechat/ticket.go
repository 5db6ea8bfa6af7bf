package livechat

import (
	"context"
	"strconv"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// Ticket implements [handoff.Ticketer]: a continuous chat, which LiveChat takes
// while no agent is there, and which waits for one. What the user left is his
// first message.
func (p *Provider) Ticket(ctx context.Context, h handoff.Handoff, text, id string) (string, error) {
	what := "ticket " + id
	c, err := p.find(ctx, "ticket", what)
	if err != nil || c.ID != "" {
		return c.ID, err
	}
	g, err := p.impersonate(ctx, "ticket", "")
	if err == nil {
		err = p.introduce(ctx, "ticket", &g, h.User)
	}
	if err != nil {
		return "", err
	}
	var said []fields
	for i, part := range provider.Parts(text, MaxBytes) {
		said = append(said, fields{"type": "message", "text": part, "recipients": "all", "custom_id": mark(what + "/" + strconv.Itoa(i))})
	}
	return p.start(ctx, "ticket", &g, what, h.Need.Queue, said, true)
}

// start begins a chat of a customer that can be found by what it is for, with
// all that belongs to it at once. A continuous one needs nobody who is there.
func (p *Provider) start(ctx context.Context, op string, g *grant, what, queue string, said []fields, continuous bool) (string, error) {
	made := fields{"properties": fields{p.cfg.ClientID: fields{attemptKey: mark(what)}}}
	if group, ok := p.cfg.Groups[queue]; ok {
		made["access"] = fields{"group_ids": []int{group}}
	}
	if len(said) > 0 {
		made["thread"] = fields{"events": said}
	}
	var got struct {
		Chat string `json:"chat_id"`
	}
	err := p.customer(ctx, op, g.Token, "start_chat", fields{"chat": made, "active": true, "continuous": continuous}, &got, false)
	if err == nil && got.Chat == "" {
		lost := provider.AnswerLacks(op)
		lost.Ambiguous = true
		err = lost
	}
	return got.Chat, err
}
