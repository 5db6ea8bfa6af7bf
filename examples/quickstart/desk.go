package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// desk is where the agents work. It hears of everything as a sink, notes
// included, and does things with the agents' verbs.
type desk struct {
	engine *handoff.Engine
	screen *screen
	offers map[string]chan handoff.ID // by agent
	told   int64                      // how much of Dana's log a card has shown
}

func newDesk(s *screen) *desk {
	d := &desk{screen: s, offers: map[string]chan handoff.ID{}}
	for _, a := range staff {
		d.offers[a.ID] = make(chan handoff.ID, 100)
	}
	return d
}

// do is one line of an agent: words for the user, or a verb.
func (d *desk) do(ctx context.Context, agent, line string) error {
	by := handoff.By(agent)
	verb, rest, _ := strings.Cut(line, " ")
	if verb == "/accept" {
		return d.accept(ctx, by)
	}
	id, err := d.chat(ctx, agent)
	if err != nil {
		return err
	}
	switch verb {
	case "/note":
		_, err = d.engine.Note(ctx, id, by, rest)
	case "/transfer":
		to, why, _ := strings.Cut(rest, " ")
		_, err = d.engine.Transfer(ctx, id, by, handoff.Target{Agent: to, Warm: true, Note: why})
	case "/return":
		_, err = d.engine.Return(ctx, id, by, rest)
	case "/done":
		d.screen.right(event(named(agent) + " is done."))
		_, err = d.engine.End(ctx, id, by, handoff.Ending{})
	default:
		_, err = d.engine.Send(ctx, id, by, handoff.Message{Text: line})
	}
	return err
}

// accept takes the agent's offer, and waits a little for one.
func (d *desk) accept(ctx context.Context, by handoff.Actor) error {
	patience := time.After(5 * time.Second)
	for {
		select {
		case id := <-d.offers[by.ID]:
			h, err := d.engine.Get(ctx, id)
			if err != nil {
				return err
			}
			if offer, ok := h.Offer(by.ID); ok {
				_, err = d.engine.Accept(ctx, id, by, offer.Number)
				return err
			}
		case <-patience:
			return errors.New("nothing is offered to " + by.ID)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// chat returns what the agent has now.
func (d *desk) chat(ctx context.Context, agent string) (handoff.ID, error) {
	list, err := d.engine.List(ctx, handoff.Query{Agent: agent, States: []handoff.State{handoff.StateActive, handoff.StateHeld}})
	if err == nil && len(list) == 0 {
		err = errors.New(agent + " has no chat")
	}
	if err != nil {
		return handoff.ID{}, err
	}
	return list[0].ID, nil
}

// Handle shows the agents what happened.
func (d *desk) Handle(ctx context.Context, h *handoff.Handoff, e *handoff.Entry) error {
	user, agent := name(h.User), named(e.Agent)
	switch e.Kind {
	case handoff.KindEnqueued:
		d.screen.right(event(user + " waits in billing."))
	case handoff.KindOffered:
		d.screen.right(event(agent + " is offered " + user + "."))
		if user == "Dana" {
			if err := d.card(ctx, h); err != nil {
				return err
			}
		}
		d.offers[e.Agent] <- h.ID
	case handoff.KindJoined:
		d.screen.right(event(agent + " has " + user + " now."))
	case handoff.KindMessage:
		if e.State == handoff.StateActive && !e.Past {
			c := said(h, e)
			c.key = fmt.Sprintf("%d/%s", e.Handoff.Number, e.ID)
			d.screen.right(c)
		}
	case handoff.KindNote:
		d.screen.right(cell{name: "note", style: yellow, text: e.Text})
	case handoff.KindTransferred:
		d.screen.right(event(named(e.From.ID) + " asks " + agent + " to take over."))
	case handoff.KindReturned:
		d.screen.right(event(named(e.From.ID) + " gives " + user + " back to the bot."))
		d.screen.right(cell{name: "note", style: yellow, text: e.Text})
	default: // there are many more kinds
	}
	return nil
}

// card is what an agent sees before accepting. Who was told a part of it
// before is told the rest.
func (d *desk) card(ctx context.Context, h *handoff.Handoff) error {
	quote := func(label, text string) { d.screen.right(cell{name: label, text: text, style: dim, quote: true}) }
	if d.told == 0 {
		quote("why", string(h.Reason))
		quote("flags", strings.Join(h.Flags, ", "))
		for _, s := range h.Need.Skills {
			quote("skill", fmt.Sprintf("%s, level %d", s.Name, s.Level))
		}
		quote("user", h.User.Name+", "+h.User.Mail)
		for _, k := range slices.Sorted(maps.Keys(h.User.Attributes)) {
			quote("", k+": "+h.User.Attributes[k])
		}
	} else {
		quote("", "(the same, and)")
	}
	log, err := d.engine.Log(ctx, h.ID, d.told, 1000)
	for i := range log {
		switch e := &log[i]; e.Kind {
		case handoff.KindMessage:
			quote(said(h, e).name, e.Text)
		case handoff.KindNote:
			quote("note", e.Text)
		default:
		}
		d.told = log[i].Seq
	}
	return err
}

func event(text string) cell { return cell{text: text, style: dim} }

// said is a message as the agents see it.
func said(h *handoff.Handoff, e *handoff.Entry) cell {
	switch e.From.Role {
	case handoff.RoleUser:
		return cell{name: name(h.User), text: e.Text, style: bold}
	case handoff.RoleBot:
		return cell{name: "bot", text: e.Text, style: blue}
	default:
		return cell{name: e.From.Name, text: e.Text, style: green}
	}
}

func name(c *handoff.Contact) string {
	if c == nil {
		return "Somebody"
	}
	return c.Name
}

// named returns the name of an agent.
func named(id string) string {
	for _, a := range staff {
		if a.ID == id {
			return a.Name
		}
	}
	return id
}
