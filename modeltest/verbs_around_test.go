package modeltest_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/modeltest/check"
)

var platformVerbs = map[string]verb{
	"platform acts": {weight: 12, world: true, do: func(w *world, _ context.Context, o op) error {
		p := w.platforms[o.a%len(w.platforms)]
		p.mu.Lock()
		defer p.mu.Unlock()
		var open []*vendorChat
		for _, c := range p.chats {
			if c.state != handoff.SessionEnded || o.b%9 == 0 {
				open = append(open, c)
			}
		}
		if len(open) == 0 {
			return nil
		}
		if o.d%3 == 0 && slices.ContainsFunc(open, isActive) {
			open = slices.DeleteFunc(open, func(c *vendorChat) bool { return !isActive(c) })
		}
		slices.SortFunc(open, func(a, b *vendorChat) int { return cmp.Compare(a.n, b.n) })
		p.act(open[o.c%len(open)], o)
		return nil
	}},
	"platform tells": {weight: 8, do: func(w *world, ctx context.Context, o op) error {
		p := w.platforms[o.a%len(w.platforms)]
		p.mu.Lock()
		if len(p.events) == 0 {
			p.mu.Unlock()
			return nil
		}
		i := o.b % len(p.events)
		ev := p.events[i]
		if o.c%4 > 0 { // otherwise it comes again
			p.events = slices.Delete(p.events, i, i+1)
		}
		p.mu.Unlock()
		if o.d%4 == 0 {
			body, err := json.Marshal([]handoff.ProviderEvent{ev})
			if err != nil {
				return err
			}
			_, err = w.node(o.c%replicas).e.Webhook(ctx, p.name, handoff.Webhook{Body: body})
			return err
		}
		return w.node(o.c%replicas).e.Deliver(ctx, p.name, ev)
	}},
	"platform takes over": {weight: 2, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.StateBot)
		if name, ok := w.closed(o); ok && o.b%2 == 0 {
			h.ID.Conversation = name
		}
		p := w.platforms[1]
		p.mu.Lock()
		p.n++
		c := &vendorChat{n: p.n, ref: p.name + strconv.Itoa(p.n), attempt: "self" + strconv.Itoa(p.n), conversation: h.ID.Conversation, state: handoff.SessionActive, agent: "zoe"}
		p.chats[c.attempt] = c
		p.emit(c, handoff.ProviderEvent{Kind: handoff.EventJoined, Agent: handoff.Party{Role: handoff.RoleAgent, ID: "zoe"}})
		ev := p.events[len(p.events)-1]
		ev.Attempt = ""
		p.events[len(p.events)-1] = ev
		p.mu.Unlock()
		return w.node(o.c%replicas).e.Deliver(ctx, p.name, ev)
	}},
}

func isActive(c *vendorChat) bool { return c.state == handoff.SessionActive }

// act is something that a platform's agents do. p.mu is held.
func (p *platform) act(c *vendorChat, o op) {
	who := handoff.Party{Role: handoff.RoleAgent, ID: "zoe", Name: "Zoe"}
	if o.d%5 == 0 {
		who.ID = "yan"
	}
	text := check.Mark(c.conversation, "vendor "+strconv.Itoa(p.n))
	switch kind := o.b % 14; {
	case c.state == handoff.SessionEnded:
		p.emit(c, handoff.ProviderEvent{Kind: handoff.EventMessage, Agent: who, Text: text}) // too late
	case kind <= 2:
		c.state, c.agent = handoff.SessionActive, who.ID
		p.emit(c, handoff.ProviderEvent{Kind: handoff.EventJoined, Agent: who})
	case kind <= 5:
		c.state, c.agent = handoff.SessionActive, who.ID
		p.emit(c, handoff.ProviderEvent{Kind: handoff.EventMessage, Agent: who, Text: text, MessageID: "v" + strconv.Itoa(p.n)})
	case kind == 6:
		c.state = handoff.SessionEnded
		p.emit(c, handoff.ProviderEvent{Kind: handoff.EventEnded})
	case kind == 7:
		c.state = handoff.SessionEnded
		p.emit(c, handoff.ProviderEvent{Kind: handoff.EventReturned})
	case kind == 8 && o.d%2 == 0:
		c.state = handoff.SessionEnded
		p.emit(c, handoff.ProviderEvent{Kind: handoff.EventFailed, Code: "gone"})
	case kind <= 11 || kind == 12 && c.state == handoff.SessionActive:
		if c.state == handoff.SessionActive {
			c.state, c.agent = handoff.SessionQueued, ""
			p.emit(c, handoff.ProviderEvent{Kind: handoff.EventLeft, Agent: who})
		}
	case kind == 12:
		p.emit(c, handoff.ProviderEvent{Kind: handoff.EventQueued, Position: o.c%3 + 1, Wait: time.Minute})
	default:
		ev := handoff.ProviderEvent{Kind: handoff.EventNote, Agent: who, Text: text}
		if p.custody == handoff.CustodyConversation {
			p.w.mu.Lock()
			p.w.sent[c.conversation]++
			id := c.conversation + "-" + strconv.Itoa(p.w.sent[c.conversation])
			p.w.mu.Unlock()
			ev = handoff.ProviderEvent{Kind: handoff.EventUserMessage, Text: check.Mark(c.conversation, id), MessageID: id}
		}
		p.emit(c, ev)
	}
}

var otherVerbs = map[string]verb{
	"erase": {weight: 3, do: func(w *world, ctx context.Context, o op) error {
		name := w.conversation(o.a)
		if o.c%3 > 0 {
			name = w.pickIf(o, func(h *handoff.Handoff) bool { return len(h.Pending) == 0 }, handoff.StateBot).ID.Conversation
		}
		return w.node(o.b%replicas).e.Erase(ctx, name)
	}},
	"read": {weight: 1, do: func(w *world, ctx context.Context, o op) error {
		e := w.node(o.b % replicas).e
		h := w.pick(o, handoff.StateWaiting, handoff.StateOffered, handoff.StateQueued)
		_, err1 := e.Place(ctx, h.ID)
		_, err2 := e.Explain(ctx, h.ID)
		_, err3 := e.Availability(ctx, handoff.Need{Queue: queueNames[o.c%len(queueNames)]})
		_, err4 := e.Count(ctx, handoff.Query{})
		_, err5 := e.Latest(ctx, h.ID.Conversation)
		return errors.Join(err1, err2, err3, err4, err5, e.Typing(ctx, h.ID, handoff.By("ann"), true))
	}},
}

var worldVerbs = map[string]verb{
	"sleep": {weight: 14, world: true, do: func(w *world, _ context.Context, o op) error {
		d := time.Duration(o.a*40) * time.Millisecond
		if o.b%6 == 0 {
			d = time.Duration(o.a) * 400 * time.Millisecond
		}
		time.Sleep(d)
		return nil
	}},
	"presence": {weight: 7, world: true, do: func(w *world, ctx context.Context, o op) error {
		a, online := w.floor.get(agents[o.a%len(agents)].ID)
		if a.ID == "" {
			return nil
		}
		w.floor.put(a, !online)
		if o.b%10 == 0 { // flapping
			w.floor.put(a, online)
			w.floor.put(a, !online)
		}
		if o.c%3 > 0 { // otherwise the engines find out for themselves
			_ = w.node(o.b%replicas).e.AgentChanged(ctx, a.ID)
		}
		return nil
	}},
	"capacity": {weight: 3, world: true, do: func(w *world, ctx context.Context, o op) error {
		a, online := w.floor.get(agents[o.a%len(agents)].ID)
		if a.ID == "" {
			return nil
		}
		a.Seats = o.b % 4
		w.floor.put(a, online)
		if o.c%3 > 0 {
			_ = w.node(o.b%replicas).e.AgentChanged(ctx, a.ID)
		}
		return nil
	}},
	"directory": {weight: 1, world: true, do: func(w *world, ctx context.Context, o op) error {
		a := agents[o.a%len(agents)]
		_, online := w.floor.get(a.ID)
		switch o.b % 3 {
		case 0:
			a.Skills = map[string]int{"billing": o.c % 5, "legal": o.d % 3}
		case 1:
			a.Queues = queueNames[o.c%4 : o.c%4+2]
		}
		w.floor.put(a, online)
		_ = w.node(o.b%replicas).e.AgentChanged(ctx, a.ID)
		return nil
	}},
	"presence fails": {weight: 1, world: true, do: func(w *world, _ context.Context, o op) error {
		w.floor.mu.Lock()
		defer w.floor.mu.Unlock()
		w.floor.broken = o.a%4 == 0
		return nil
	}},
	"hours": {weight: 3, world: true, do: func(w *world, _ context.Context, o op) error {
		w.hours.set(o.a%3 > 0)
		return nil
	}},
	"weather": {weight: 3, world: true, do: func(w *world, _ context.Context, o op) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch o.a % 4 {
		case 0, 1:
			w.weather = weather{}
		case 2:
			w.weather = weather{before: o.b % 6, after: o.c % 6, delay: o.d % 20, channel: o.b % 30, sink: o.c % 30, bot: o.d % 50, platform: o.b % 40}
		default:
			w.weather = weather{before: o.b % 30, after: o.c % 30, delay: o.d % 40, channel: o.c % 60, sink: o.b % 60, bot: o.d % 80, platform: o.c % 60}
		}
		return nil
	}},
	"crash": {weight: 2, world: true, do: func(w *world, _ context.Context, o op) error {
		w.node(o.a%replicas).crash(1+o.b%12, o.c%2 == 0)
		w.tally.mu.Lock()
		w.tally.crashes++
		w.tally.mu.Unlock()
		return nil
	}},
	"clock": {weight: 1, world: true, do: func(w *world, _ context.Context, o op) error {
		w.node(o.a % replicas).store.Skew(time.Duration(o.b-32) * time.Second)
		return nil
	}},
}
