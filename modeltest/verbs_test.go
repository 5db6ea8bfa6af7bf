package modeltest_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/modeltest/check"
)

var queueNames = []string{"push", "over", "pull", "cast", "form", "asks", "host", "plat", "plat", "push", "pull"}

// verbs are all operations; the wheel has each as often as its weight says.
var verbs, wheel = allVerbs()

func allVerbs() (map[string]verb, []string) {
	all := map[string]verb{}
	for _, m := range []map[string]verb{botVerbs, agentVerbs, platformVerbs, otherVerbs, worldVerbs} {
		maps.Copy(all, m)
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for range all[name].weight {
			names = append(names, name)
		}
	}
	return all, names
}

var botVerbs = map[string]verb{
	"receive": {weight: 12, do: func(w *world, ctx context.Context, o op) error {
		name := w.conversation(o.a)
		w.mu.Lock()
		var in handoff.Incoming
		if n := len(w.memory[name]); n > 0 && o.b%8 == 0 {
			in = w.memory[name][max(0, n-1-o.c%4)] // the channel repeats itself
		} else {
			w.sent[name]++
			id := name + "-" + strconv.Itoa(w.sent[name])
			in = handoff.Incoming{Conversation: name, ID: id, Text: check.Mark(name, id), User: &handoff.Contact{ID: "u-" + name}}
			w.memory[name] = append(w.memory[name], in)
		}
		w.mu.Unlock()
		t, err := w.node(o.c%replicas).e.Receive(ctx, in)
		if err == nil {
			w.ledger.Acknowledge(name, in.ID)
			w.bot.keep(t)
		}
		return err
	}},
	"reply": {weight: 10, do: func(w *world, ctx context.Context, o op) error {
		t, ok := w.turn(o)
		if !ok {
			t = handoff.Turn{Conversation: w.conversation(o.a), Number: 1, Epoch: 1, Call: "m/none"}
		}
		_, err := w.node(o.b%replicas).e.Reply(ctx, t, w.message(t.Conversation, o))
		return err
	}},
	"stream": {weight: 3, do: func(w *world, ctx context.Context, o op) error {
		t, _ := w.turn(o)
		e := w.node(o.b % replicas).e
		s, err := e.Stream(ctx, t, "s"+strconv.Itoa(w.intn(1000)))
		if err != nil {
			return err
		}
		for i := range 1 + o.c%3 {
			if err := s.Write(ctx, check.Mark(t.Conversation, "bit "+strconv.Itoa(i))); err != nil {
				s.Cancel(ctx)
				return err
			}
			time.Sleep(time.Duration(o.d*20) * time.Millisecond)
		}
		if o.c%4 == 0 {
			s.Cancel(ctx)
			return nil
		}
		_, err = s.Close(ctx)
		return err
	}},
	"while turn": {weight: 1, do: func(w *world, ctx context.Context, o op) error {
		t, _ := w.turn(o)
		ctx, cancel := w.node(o.b%replicas).e.WhileTurn(ctx, t)
		defer cancel()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Duration(o.d*100) * time.Millisecond):
			return nil
		}
	}},
	"done": {weight: 2, do: func(w *world, ctx context.Context, o op) error {
		t, _ := w.turn(o)
		return w.node(o.b%replicas).e.Done(ctx, t)
	}},
	"say": {weight: 3, needs: []handoff.State{handoff.StateBot}, do: func(w *world, ctx context.Context, o op) error {
		name := w.pick(o, handoff.StateBot).ID.Conversation
		_, err := w.node(o.b%replicas).e.Say(ctx, name, w.message(name, o))
		return err
	}},
	"handover": {weight: 3, do: func(w *world, ctx context.Context, o op) error {
		t, _ := w.turn(o)
		_, err := w.node(o.b%replicas).e.Handover(ctx, t, "bot"+strconv.Itoa(o.c%3), "over to you")
		return err
	}},
	"request": {weight: 10, do: func(w *world, ctx context.Context, o op) error {
		r := w.request(o)
		out, err := w.node(o.b%replicas).e.Request(ctx, r)
		w.bot.keep(out.Turn)
		return err
	}},
	"answer": {weight: 5, needs: []handoff.State{handoff.StateIntake}, do: func(w *world, ctx context.Context, o op) error {
		h := w.pickIf(o, func(h *handoff.Handoff) bool { fields, _ := h.Form(); return len(fields) > 0 },
			handoff.StateIntake, handoff.StateWaiting, handoff.StateOffered)
		r := handoff.Response{Value: "x@example.com"}
		switch o.b % 10 {
		case 0:
			r = handoff.Response{Back: true}
		case 1:
			r = handoff.Response{Skip: true}
		case 2:
			r = handoff.Response{Rest: true}
		case 3:
			r = handoff.Response{Field: "mail", Value: "no address"}
		case 4:
			r = handoff.Response{Field: "mail", Value: "y@example.com", ID: "a" + strconv.Itoa(o.c)}
		case 5:
			r = handoff.Response{Value: "y@example.com"}
		}
		_, err := w.node(o.c%replicas).e.Answer(ctx, h.ID.Conversation, r)
		return err
	}},
	"cancel": {weight: 4, needs: []handoff.State{handoff.StateWaiting, handoff.StateIntake, handoff.StateOffered, handoff.StateConnecting, handoff.StateQueued, handoff.StateActive}, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.StateIntake, handoff.StateWaiting, handoff.StateOffered, handoff.StateConnecting, handoff.StateQueued, handoff.StateActive, handoff.StateHeld)
		_, err := w.node(o.b%replicas).e.Cancel(ctx, h.ID.Conversation, o.c%2 == 0)
		return err
	}},
	"leave a message": {weight: 4, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.StateBot, handoff.StateIntake, handoff.StateWaiting, handoff.StateQueued, handoff.StateConnecting, handoff.StateOffered, handoff.StateWrapup, handoff.StateEnded)
		_, err := w.node(o.b%replicas).e.LeaveMessage(ctx, h.ID, check.Mark(h.ID.Conversation, "left "+strconv.Itoa(o.c)), nil)
		return err
	}},
	"rate": {weight: 3, needs: []handoff.State{handoff.StateEnded}, do: func(w *world, ctx context.Context, o op) error {
		h := w.pickIf(o, func(h *handoff.Handoff) bool { return h.Attended && h.Rating == nil }, handoff.StateEnded, handoff.StateWrapup)
		_, err := w.node(o.b%replicas).e.Rate(ctx, h.ID, o.c%9, "fine")
		return err
	}},
}

// closed returns a conversation in which nothing is open.
func (w *world) closed(o op) (string, bool) {
	for i := range conversations {
		name := w.conversation(o.a + i)
		h, err := w.reader.Engine.Latest(context.Background(), name)
		if errors.Is(err, handoff.ErrNotFound) || err == nil && h.State == handoff.StateEnded {
			return name, true
		}
	}
	return "", false
}

// turn returns a turn that is good, mostly, or an old one.
func (w *world) turn(o op) (handoff.Turn, bool) {
	if o.c%6 > 0 {
		for i := range conversations {
			name := w.conversation(o.a + i)
			h, err := w.reader.Engine.Latest(context.Background(), name)
			if err != nil || h.Controller().Role != handoff.RoleBot {
				continue
			}
			if t, ok := w.bot.turn(name, 0); ok && t.Number == h.ID.Number && t.Epoch == h.Epoch {
				return t, true
			}
		}
	}
	return w.bot.turn(w.conversation(o.a), max(0, o.c%6-3))
}

func (w *world) request(o op) handoff.Request {
	r := handoff.Request{
		Conversation: w.conversation(o.a), Queue: queueNames[o.b%len(queueNames)], Priority: o.c % 2, Flags: []string{"f"},
		Note: check.Mark(w.conversation(o.a), "note"), User: &handoff.Contact{ID: "u-" + w.conversation(o.a)},
	}
	if o.d%3 > 0 {
		r.Conversation = w.pick(o, handoff.StateBot).ID.Conversation
		if name, ok := w.closed(o); ok && o.d%3 == 1 {
			r.Conversation = name
		}
		r.Note = check.Mark(r.Conversation, "note")
		r.User = &handoff.Contact{ID: "u-" + r.Conversation}
	}
	switch o.c % 7 {
	case 0:
		r.Skills = []handoff.Skill{{Name: "billing", Level: 2}, {Name: "legal", Optional: true}}
	case 1:
		r.Skills = []handoff.Skill{{Name: "billing", Level: 4, Optional: true}}
	case 2:
		r.Mode = handoff.ModeVideo
	case 3:
		r.Language = "de"
	case 4:
		r.Preferred, r.Exclude = "ann", []string{"bob"}
	}
	if o.d%4 == 1 {
		if t, ok := w.bot.turn(r.Conversation, o.c%3/2); ok {
			r.Turn = t
		}
	}
	if o.d%5 == 0 {
		r.ID = "r" + strconv.Itoa(o.c)
	}
	if o.d%16 == 9 {
		r.Queue = "nowhere"
	}
	return r
}

// offer returns an offer of a handoff, or one that never was.
func offer(h *handoff.Handoff, o op) handoff.Offer {
	if len(h.Offers) > 0 && o.c%10 > 0 {
		return h.Offers[o.c%len(h.Offers)]
	}
	return handoff.Offer{Number: max(1, h.OfferNo-int64(o.c%2)), Agent: agents[o.c/2%len(agents)].ID}
}

var asked = []handoff.State{handoff.StateOffered, handoff.StateOffered, handoff.StateActive, handoff.StateHeld}

var agentVerbs = map[string]verb{
	"accept": {weight: 17, needs: []handoff.State{handoff.StateOffered}, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.StateOffered)
		if o.b%6 == 0 {
			h = w.warm(o)
		}
		of := offer(&h, o)
		_, err := w.node(o.b%replicas).e.Accept(ctx, h.ID, handoff.By(of.Agent), of.Number)
		return err
	}},
	"accept late": {weight: 1, needs: []handoff.State{handoff.StateOffered}, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.StateOffered)
		of := offer(&h, o)
		n := w.node(o.b % replicas)
		n.store.Skew(-time.Minute) // nobody notices in time
		time.Sleep(time.Until(of.Deadline))
		n.store.Skew(0)
		_, err := n.e.Accept(ctx, h.ID, handoff.By(of.Agent), of.Number)
		return err
	}},
	"pull": {weight: 6, needs: []handoff.State{handoff.StateWaiting}, do: func(w *world, ctx context.Context, o op) error {
		h := w.pickIf(o, func(h *handoff.Handoff) bool { return h.Need.Queue == "pull" || h.Need.Queue == "cast" || o.b%16 == 0 }, handoff.StateWaiting)
		_, err := w.node(o.b%replicas).e.Accept(ctx, h.ID, handoff.By(w.able(&h, o)), 0)
		return err
	}},
	"decline": {weight: 4, needs: []handoff.State{handoff.StateOffered}, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.StateOffered)
		if o.b%3 == 0 {
			h = w.warm(o)
		}
		of := offer(&h, o)
		_, err := w.node(o.b%replicas).e.Decline(ctx, h.ID, handoff.By(of.Agent), of.Number, "busy")
		return err
	}},
	"send": {weight: 10, needs: []handoff.State{handoff.StateActive}, desk: true, do: func(w *world, ctx context.Context, o op) error {
		h := w.ours(o, handoff.StateActive)
		m := w.message(h.ID.Conversation, o)
		if o.b%4 == 0 {
			m.Seen = max(0, h.Seq-int64(o.c%4))
		}
		_, err := w.node(o.b%replicas).e.Send(ctx, h.ID, w.holder(&h, o), m)
		return err
	}},
	"join": {weight: 4, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.StateBot, handoff.StateActive, handoff.StateWaiting)
		_, err := w.node(o.b%replicas).e.Join(ctx, h.ID, w.holder(&h, o), w.message(h.ID.Conversation, o))
		return err
	}},
	"note": {weight: 3, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.States()...)
		_, err := w.node(o.b%replicas).e.Note(ctx, h.ID, w.holder(&h, o), check.Mark(h.ID.Conversation, "secret"))
		return err
	}},
	"whisper": {weight: 3, needs: []handoff.State{handoff.StateBot, handoff.StateActive, handoff.StateWaiting}, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.States()...)
		_, err := w.node(o.b%replicas).e.Whisper(ctx, h.ID, handoff.BySupervisor("sue"), check.Mark(h.ID.Conversation, "secret"))
		return err
	}},
	"tag": {weight: 3, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.States()...)
		_, err := w.node(o.b%replicas).e.Tag(ctx, h.ID, w.holder(&h, o), []string{"t" + strconv.Itoa(o.c%3)}, []string{"t" + strconv.Itoa(o.d%3)})
		return err
	}},
	"hold": {weight: 9, needs: []handoff.State{handoff.StateActive}, desk: true, do: func(w *world, ctx context.Context, o op) error {
		h := w.ours(o, handoff.StateActive)
		_, err := w.node(o.b%replicas).e.Hold(ctx, h.ID, w.holder(&h, o), "a moment")
		return err
	}},
	"resume": {weight: 3, needs: []handoff.State{handoff.StateHeld}, desk: true, do: func(w *world, ctx context.Context, o op) error {
		h := w.ours(o, handoff.StateHeld)
		_, err := w.node(o.b%replicas).e.Resume(ctx, h.ID, w.holder(&h, o))
		return err
	}},
	"extend": {weight: 3, needs: []handoff.State{handoff.StateOffered, handoff.StateActive, handoff.StateHeld, handoff.StateWrapup}, desk: true, do: func(w *world, ctx context.Context, o op) error {
		h := w.ours(o, handoff.StateOffered, handoff.StateActive, handoff.StateHeld, handoff.StateWrapup)
		a := w.holder(&h, o)
		if h.State == handoff.StateOffered {
			a = handoff.By(offer(&h, o).Agent)
		}
		_, err := w.node(o.b%replicas).e.Extend(ctx, h.ID, a, time.Duration(1+o.c%20)*time.Second)
		return err
	}},
	"transfer": {weight: 9, needs: []handoff.State{handoff.StateActive, handoff.StateHeld}, desk: true, do: func(w *world, ctx context.Context, o op) error {
		h := w.ours(o, human...)
		t := handoff.Target{Agent: w.able(&h, o), Warm: o.c%2 > 0, Note: check.Mark(h.ID.Conversation, "why")}
		if o.b%4 == 0 {
			t = handoff.Target{Queue: []string{"plat", queueNames[o.c%len(queueNames)]}[o.d%2]}
		}
		if o.b%9 == 1 {
			t = handoff.Target{Skills: []handoff.Skill{{Name: "legal"}}}
		}
		_, err := w.node(o.b%replicas).e.Transfer(ctx, h.ID, w.holder(&h, o), t)
		return err
	}},
	"take back": {weight: 3, needs: []handoff.State{handoff.StateActive, handoff.StateHeld}, desk: true, do: func(w *world, ctx context.Context, o op) error {
		warm := func(f handoff.Offer) bool { return f.Warm }
		// Offers are answered soon: one that is open is looked for, else made.
		h := w.pickIf(o, func(h *handoff.Handoff) bool { return slices.ContainsFunc(h.Offers, warm) }, human...)
		if !slices.ContainsFunc(h.Offers, warm) && o.d%8 > 0 {
			h = w.ours(o, human...)
			t := handoff.Target{Agent: w.able(&h, o), Warm: true}
			if made, err := w.node(o.c%replicas).e.Transfer(ctx, h.ID, w.holder(&h, o), t); err == nil {
				h = made
			}
		}
		number := int64(1 + o.c%3)
		if i := slices.IndexFunc(h.Offers, warm); i >= 0 && o.d%8 > 0 {
			number = h.Offers[i].Number
		}
		_, err := w.node(o.b%replicas).e.TakeBack(ctx, h.ID, w.holder(&h, o), number)
		return err
	}},
	"transfer waiting": {weight: 8, needs: []handoff.State{handoff.StateWaiting, handoff.StateOffered, handoff.StateQueued}, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.StateWaiting, handoff.StateOffered, handoff.StateQueued)
		t := handoff.Target{Agent: w.able(&h, o)}
		if o.b%2 == 0 && (h.State != handoff.StateQueued || o.c%2 == 0) {
			t = handoff.Target{Queue: []string{"plat", queueNames[o.c%len(queueNames)]}[o.d/2%2]}
		}
		_, err := w.node(o.b%replicas).e.Transfer(ctx, h.ID, handoff.BySupervisor("sue"), t)
		return err
	}},
	"requeue": {weight: 3, needs: []handoff.State{handoff.StateActive, handoff.StateHeld, handoff.StateOffered}, desk: true, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, asked...)
		a := w.holder(&h, o)
		if h.State == handoff.StateOffered {
			a = handoff.BySupervisor("sue")
		}
		_, err := w.node(o.b%replicas).e.Requeue(ctx, h.ID, a, "")
		return err
	}},
	"return": {weight: 5, needs: []handoff.State{handoff.StateActive, handoff.StateHeld}, desk: true, do: func(w *world, ctx context.Context, o op) error {
		h := w.ours(o, human...)
		_, err := w.node(o.b%replicas).e.Return(ctx, h.ID, w.holder(&h, o), "done")
		return err
	}},
	"end": {weight: 4, needs: []handoff.State{handoff.StateActive, handoff.StateHeld}, desk: true, do: func(w *world, ctx context.Context, o op) error {
		h := w.ours(o, human...)
		_, err := w.node(o.b%replicas).e.End(ctx, h.ID, w.holder(&h, o), ending(o))
		return err
	}},
	"end wrap-up": {weight: 2, needs: []handoff.State{handoff.StateWrapup}, desk: true, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.StateWrapup)
		_, err := w.node(o.b%replicas).e.End(ctx, h.ID, w.holder(&h, o), handoff.Ending{Reason: "r"})
		return err
	}},
	"take over": {weight: 6, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.States()[o.b%8])
		a := handoff.By(w.able(&h, o))
		if o.b%3 == 0 {
			a.Role = handoff.RoleSupervisor
		}
		_, err := w.node(o.b%replicas).e.TakeOver(ctx, h.ID, a, "push")
		return err
	}},
	"assign": {weight: 7, needs: []handoff.State{handoff.StateWaiting, handoff.StateOffered, handoff.StateActive, handoff.StateHeld}, do: func(w *world, ctx context.Context, o op) error {
		h := w.pick(o, handoff.StateWaiting, handoff.StateOffered, handoff.StateActive, handoff.StateHeld)
		_, err := w.node(o.b%replicas).e.Assign(ctx, h.ID, handoff.BySupervisor("sue"), w.able(&h, o))
		return err
	}},
}

func ending(o op) handoff.Ending {
	e := handoff.Ending{Reason: "r"}
	switch o.b % 5 {
	case 0:
		e.StayOut = 20 * time.Second
	case 1:
		e.Outcome = handoff.OutcomeFailed
	case 2:
		e.StayOut = handoff.Never
	}
	return e
}

// able returns an agent who could take a handoff, if there is one.
func (w *world) able(h *handoff.Handoff, o op) string {
	if o.c%8 > 0 {
		for i := range agents {
			id := agents[(o.c+i)%len(agents)].ID
			a, online := w.floor.get(id)
			load := 0
			list, err := w.mem.Holders(context.Background(), "seat/"+id)
			for j := range list {
				load += list[j].Units
			}
			if err == nil && online && id != h.Agent && load < a.Seats && slices.Contains(a.Queues, h.Need.Queue) && check.Covers(&a, &h.Need) {
				return id
			}
		}
	}
	return agents[o.c%len(agents)].ID
}

// warm returns a handoff with a warm offer, if there is one.
func (w *world) warm(o op) handoff.Handoff {
	list, _ := w.reader.Engine.List(context.Background(), handoff.Query{States: human})
	for _, h := range list {
		if len(h.Offers) > 0 {
			return h
		}
	}
	return w.pick(o, asked...)
}
