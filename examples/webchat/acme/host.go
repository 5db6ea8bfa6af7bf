package acme

import (
	"context"
	"strings"
	"sync"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/notices"
)

// host is the application: it has users in browsers, a bot, and files that
// users send. Its users pull what they see, so that it needs no Channel.
type host struct {
	*handoff.Engine
	desk    *desk.Handler
	wire    *wire
	notices *notices.Catalog
	people  sync.WaitGroup // made-up customers
	run     string         // in their names: a store may know those of another run

	mu     sync.Mutex
	files  map[string]file
	number int
}

// receive takes a message of a user and lets the bot answer it.
func (h *host) receive(ctx context.Context, in handoff.Incoming) error {
	turn, err := h.Receive(ctx, in)
	if err != nil || !turn.Open() {
		return err
	}
	_, err = h.Reply(ctx, turn, handoff.Message{Text: think(in.Text)})
	return ignoreStale(err)
}

// ignoreStale drops the error that says a person was faster: nothing was shown,
// and nothing is lost.
func ignoreStale(err error) error {
	if err == nil || isStale(err) {
		return nil
	}
	return err
}

// think is the whole bot. It says honestly what it is and what it cannot do, and
// promises nobody: triggers would take that for a request.
func think(text string) string {
	t := strings.ToLower(text)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(t, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("refund", "charged", "money", "invoice", "paid"):
		return "I am a small program, and money is for people: press “Talk to a person”."
	case has("order", "parcel", "package", "delivery"):
		return "Parcels take two to four days. If yours is later than that, a person can look it up for you."
	case has("open", "hours", "when"):
		return "Our people are here whenever a desk is open on the right."
	case has("hello", "hi", "good morning", "hey"):
		return "Hello! I am Acme's assistant, a small program. Ask me about orders, opening hours or refunds, or ask for a person."
	case has("thank", "bye"):
		return "You are welcome!"
	}
	return "I did not understand that. I know about orders, opening hours and refunds; for all else, ask for a person."
}

// Call is the engine telling the bot that it has the user back.
func (h *host) Call(ctx context.Context, c handoff.BotCall) error {
	if !c.Turn.Open() || c.Kind == handoff.BotStarted {
		return nil
	}
	if len(c.Turn.Messages) == 0 {
		if c.Kind != handoff.BotEnded || c.Outcome != handoff.OutcomeReturned {
			return h.Done(ctx, c.Turn)
		}
		_, err := h.Reply(ctx, c.Turn, handoff.Message{ID: "back-" + c.ID, Text: "It is me again. I was told what you spoke about. Anything else?"})
		return ignoreStale(err)
	}
	last := c.Turn.Messages[len(c.Turn.Messages)-1]
	_, err := h.Reply(ctx, c.Turn, handoff.Message{ID: "open-" + c.ID, Text: think(last.Text)})
	return ignoreStale(err)
}

// Find is a customer database of four.
func (h *host) Find(_ context.Context, who handoff.Contact) ([]handoff.Customer, error) {
	for _, c := range customers {
		if strings.EqualFold(c.Name, who.Name) {
			return []handoff.Customer{c}, nil
		}
	}
	return nil, nil
}

var customers = []handoff.Customer{
	{Source: "Demo CRM", ID: "C-1041", Name: "Maria Keller", Mail: "maria@example.com", URL: "https://crm.example.com/C-1041", Fields: []handoff.CustomerField{
		{Label: "Plan", Value: "Gold"}, {Label: "Customer since", Value: "2019"}, {Label: "Open orders", Value: "2"},
	}},
	{Source: "Demo CRM", ID: "C-2210", Name: "Lee Wong", Fields: []handoff.CustomerField{{Label: "Plan", Value: "Basic"}, {Label: "Last order", Value: "4711, on its way"}}},
	{Source: "Demo CRM", ID: "C-3307", Name: "Jo Bright", Fields: []handoff.CustomerField{{Label: "Plan", Value: "Team"}, {Label: "Seats", Value: "25"}}},
}
