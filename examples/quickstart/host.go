package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/trigger"
)

// host is the application around the engine: a channel to users, and a bot.
type host struct {
	engine  *handoff.Engine
	trigger *trigger.Engine
	screen  *screen
	desk    *desk

	mu    sync.Mutex
	mood  map[string]trigger.State // by conversation
	count int
}

func newHost(s *screen) (*host, error) {
	t, err := trigger.New(trigger.Config{})
	return &host{trigger: t, screen: s, desk: newDesk(s), mood: map[string]trigger.State{}}, err
}

// contacts is what the application knows about its users.
var contacts = map[string]*handoff.Contact{
	"dana": {
		ID: "u-17", Name: "Dana", Mail: "dana@example.com", Verified: true,
		Attributes: map[string]string{"plan": "gold", "since": "2016"},
	},
}

// hear is what a webhook of the channel calls: a user wrote something.
func (h *host) hear(ctx context.Context, user, text string) error {
	contact := contacts[user]
	if contact == nil {
		contact = &handoff.Contact{ID: user, Name: strings.ToUpper(user[:1]) + user[1:]}
	}
	h.mu.Lock()
	h.count++
	id := "m" + strconv.Itoa(h.count)
	h.mu.Unlock()

	turn, err := h.engine.Receive(ctx, handoff.Incoming{Conversation: user, ID: id, Text: text, User: contact})
	if err != nil {
		return err
	}
	if user == "dana" {
		h.screen.left(cell{key: fmt.Sprintf("%d/u/%s", turn.Number, id), name: contact.Name, text: text, style: bold})
	}
	if !turn.Open() {
		return nil // a person has the conversation, or will have it
	}
	return h.answer(ctx, turn)
}

// answer is the bot: it answers, offers a person, or gets one.
func (h *host) answer(ctx context.Context, turn handoff.Turn) error {
	text := turn.Messages[len(turn.Messages)-1].Text
	why, frustrated := h.think(ctx, turn.Conversation, text)
	if why.Action >= trigger.Transfer {
		_, err := h.engine.Request(ctx, handoff.Request{
			Turn: turn, Queue: "billing", Reason: handoff.Reason(why.Primary.Reason),
			Skills: []handoff.Skill{{Name: "disputes", Level: 1}}, Flags: frustrated,
		})
		return err
	}
	words := say(text)
	if why.Action == trigger.Offer {
		words += " Shall I get you a person?"
	}
	_, err := h.engine.Reply(ctx, turn, handoff.Message{Text: words})
	return err
}

// think asks the library whether a person is needed.
func (h *host) think(ctx context.Context, user, text string) (trigger.Decision, []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d, s := h.trigger.Evaluate(ctx, h.mood[user], trigger.Turn{Text: text, Lang: "en", At: time.Now()})
	h.mood[user] = s
	if s.Frustration > 0 {
		return d, []string{"frustrated"}
	}
	return d, nil
}

// say is all that this bot knows.
func say(text string) string {
	text = strings.ToLower(text)
	switch {
	case strings.Contains(text, "mail"):
		return "I have mailed the corrected invoice to dana@example.com."
	case strings.Contains(text, "charged"):
		return "I see two charges of 45.00 in May. I can explain both of them."
	case strings.Contains(text, "back"):
		return "I may not authorise that. I can explain the invoice."
	}
	return "I am sorry. I can explain the invoice, no more than that."
}

// Show brings a message to a user's screen.
func (h *host) Show(_ context.Context, user string, m handoff.UserMessage) error {
	if user != "dana" {
		return nil
	}
	switch m.From.Role {
	case handoff.RoleEngine:
		h.screen.left(cell{text: m.Text, style: dim})
	case handoff.RoleBot:
		h.screen.left(cell{name: "bot", text: m.Text, style: blue})
	default:
		h.screen.left(cell{key: m.ID, name: m.From.Name, text: m.Text, style: green})
	}
	return nil
}

// Call tells the bot what happened while it did not have the user.
func (h *host) Call(ctx context.Context, c handoff.BotCall) error {
	if c.Kind != handoff.BotEnded || c.Outcome != handoff.OutcomeReturned || !c.Turn.Open() {
		return nil
	}
	h.mu.Lock()
	h.mood[c.Turn.Conversation] = h.mood[c.Turn.Conversation].Returned(time.Now())
	h.mu.Unlock()

	replies := []string{"I am back. " + c.Handoff.AgentName + " told me: " + c.Note}
	for _, m := range c.Turn.Messages { // what nobody has answered
		replies = append(replies, say(m.Text))
	}
	for i, text := range replies {
		// The ID makes a repeated call harmless.
		if _, err := h.engine.Reply(ctx, c.Turn, handoff.Message{ID: strconv.Itoa(i), Text: text}); err != nil {
			return err
		}
	}
	return nil
}
