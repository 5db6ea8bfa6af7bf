package handoff

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"
)

// opID returns the id of an actor's command: his own, the derived one, or a
// new one.
func (a Actor) opID(verb, derived string) string {
	switch {
	case a.Op != "":
		return verb + "/" + a.Role.short() + a.ID + "/" + a.Op
	case derived != "":
		return verb + "//" + derived
	}
	return verb + "///" + newID()
}

func (r Role) short() string {
	if r == RoleSupervisor {
		return "s:"
	}
	return "a:"
}

// agent reads somebody from the directory. Who is not in it is an
// *InvalidError: nothing is ever given to a guess.
func (e *Engine) agent(ctx context.Context, field, id string) (Agent, error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.StoreTimeout)
	defer cancel()
	a, err := e.cfg.Directory.Get(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return a, &InvalidError{Field: field, Why: "is nobody in the directory"}
	}
	return a, err
}

// candidate gathers the facts about an agent who is to take a handoff.
func (e *Engine) candidate(ctx context.Context, field, id string, h *Handoff, queue string) (candidate, error) {
	a, err := e.agent(ctx, field, id)
	if err != nil {
		return candidate{}, err
	}
	if h.Agent != a.ID && slices.Contains(h.Need.Exclude, a.ID) {
		return candidate{}, &InvalidError{Field: field, Why: "is one of those who must not get it"}
	}
	return candidate{agent: a.ID, shown: a.shown(), seat: e.seat(&a, h, queue)}, nil
}

// seat says what a handoff takes of an agent's capacity.
func (e *Engine) seat(a *Agent, h *Handoff, queue string) seat {
	s := seat{Agent: a.ID, Units: max(1, h.own.Units), Max: a.Seats}
	if most, ok := a.QueueSeats[queue]; ok && queue != "" {
		s.Queue, s.QueueMax = queue, most
	}
	if most, ok := a.ChannelSeats[h.Channel]; ok && h.Channel != "" {
		s.Channel, s.ChannelMax = h.Channel, most
	}
	return s
}

// target checks that somebody who is to be asked is there. Presence that
// cannot be read counts as offline.
func (e *Engine) target(ctx context.Context, id string) error {
	st := e.status(ctx, []string{id}, now())
	if st[0].Availability != Online {
		return &UnavailableError{Why: ReasonOffline}
	}
	return nil
}

func (e *Engine) status(ctx context.Context, ids []string, at time.Time) []Status {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.StoreTimeout)
	defer cancel()
	st, err := e.cfg.Presence.Agents(ctx, ids, at)
	if err != nil || len(st) != len(ids) {
		if err != nil {
			e.log.WarnContext(ctx, "presence cannot be read", "agents", len(ids), "error", err)
		}
		st = make([]Status, len(ids))
		for i, id := range ids {
			st[i] = Status{Agent: id, Availability: Unknown}
		}
	}
	return st
}

// act runs an agent's verb.
func (e *Engine) act(ctx context.Context, id ID, a Actor, verb, derived string, build func(*Handoff) (command, error)) (outcome, error) {
	if err := first(checkID(id), checkActor(a)); err != nil {
		return outcome{}, err
	}
	ctx, end := e.cfg.Hooks.span(ctx, verb, id)
	o, err := e.do(ctx, id, a.opID(verb, derived), build)
	end(err)
	return o, err
}

// Accept takes an offer: exactly one of several callers wins. The number is
// Offer.Number; 0 takes a waiting handoff from the list of a Pull or Broadcast
// queue. An offer that is gone is ErrWithdrawn, one that came too late
// ErrExpired, an agent without a free seat ErrFull.
func (e *Engine) Accept(ctx context.Context, id ID, a Actor, offer int64) (Handoff, error) {
	derived := "pull/" + a.ID
	if offer != 0 {
		derived = strconv.FormatInt(offer, 10) + "/" + a.ID
	}
	if offer < 0 {
		return Handoff{}, &InvalidError{Field: "offer", Why: "is negative"}
	}
	o, err := e.act(ctx, id, a, "accept", derived, func(h *Handoff) (command, error) {
		who, err := e.candidate(ctx, "Actor.ID", a.ID, h, h.Need.Queue)
		if err != nil {
			return nil, err
		}
		if h.Need.Mode == ModeVideo {
			if who.room, err = e.room(ctx, h, e.rules.queue(h.Need.Queue).shown(who.shown)); err != nil {
				return nil, err
			}
		}
		if offer == 0 {
			if err := e.mayPull(ctx, a.ID, h); err != nil {
				return nil, err
			}
		}
		return cAccept{who: who, offer: offer}, nil
	})
	return e.result(o, err)
}

// mayPull checks that an agent belongs to the queue and can do what is needed.
func (e *Engine) mayPull(ctx context.Context, agent string, h *Handoff) error {
	a, err := e.agent(ctx, "Actor.ID", agent)
	if err != nil {
		return err
	}
	if !a.reaches(h.Need.Queue, &h.Need) || !a.covers(&h.Need) {
		return &InvalidError{Field: "Actor.ID", Why: "does not serve this queue or lacks a skill"}
	}
	return nil
}

// Decline refuses an offer. The handoff returns to its place, and the agent is
// not asked again unless nobody else is left, and then only after the queue's
// cool-down.
func (e *Engine) Decline(ctx context.Context, id ID, a Actor, offer int64, why string) (Handoff, error) {
	if err := checkText("why", why); err != nil {
		return Handoff{}, err
	}
	if offer < 0 {
		return Handoff{}, &InvalidError{Field: "offer", Why: "is negative"}
	}
	o, err := e.act(ctx, id, a, "decline", strconv.FormatInt(offer, 10)+"/"+a.ID, func(*Handoff) (command, error) {
		return cDecline{agent: a.ID, offer: offer, why: why}, nil
	})
	return e.result(o, err)
}

// Send is a message of the agent who holds the handoff to the user. m.ID makes
// it idempotent; m.Seen says what the agent had seen, so that a message that
// came while he was writing stays unanswered.
func (e *Engine) Send(ctx context.Context, id ID, a Actor, m Message) (Entry, error) {
	if err := first(checkMessage("Message", m.Text, m.Files, m.Payload), checkOptional("Message.ID", m.ID)); err != nil {
		return Entry{}, err
	}
	if m.Seen < 0 {
		return Entry{}, &InvalidError{Field: "Message.Seen", Why: "is negative"}
	}
	o, err := e.act(ctx, id, a, "send", m.derived(a), func(*Handoff) (command, error) {
		return cSend{who: a, msg: m}, nil
	})
	if err != nil {
		return Entry{}, err
	}
	return o.entry(KindMessage), nil
}

func (m *Message) derived(a Actor) string {
	if m.ID == "" {
		return ""
	}
	return a.ID + "/" + m.ID
}

// Join is a message to the user of somebody who does not take control: the
// bot, or the agent, keeps it.
func (e *Engine) Join(ctx context.Context, id ID, a Actor, m Message) (Entry, error) {
	if err := first(checkMessage("Message", m.Text, m.Files, m.Payload), checkOptional("Message.ID", m.ID)); err != nil {
		return Entry{}, err
	}
	o, err := e.act(ctx, id, a, "join", m.derived(a), func(*Handoff) (command, error) {
		c := cJoin{who: a, shown: a.ID, msg: m}
		if who, err := e.agent(ctx, "Actor.ID", a.ID); err == nil {
			c.shown = who.shown()
		} else if a.Role == RoleAgent {
			return nil, err
		}
		return c, nil
	})
	if err != nil {
		return Entry{}, err
	}
	return o.entry(KindMessage), nil
}

// Note adds an internal note. Users never see notes.
func (e *Engine) Note(ctx context.Context, id ID, a Actor, text string) (Entry, error) {
	return e.internal(ctx, id, a, text, KindNote)
}

// Whisper adds an internal message to whoever is with the user.
func (e *Engine) Whisper(ctx context.Context, id ID, a Actor, text string) (Entry, error) {
	return e.internal(ctx, id, a, text, KindWhisper)
}

func (e *Engine) internal(ctx context.Context, id ID, a Actor, text string, kind Kind) (Entry, error) {
	if text == "" {
		return Entry{}, &InvalidError{Field: "text", Why: "is empty"}
	}
	if err := checkText("text", text); err != nil {
		return Entry{}, err
	}
	o, err := e.act(ctx, id, a, string(kind), "", func(*Handoff) (command, error) {
		return cNote{who: a, text: text, kind: kind}, nil
	})
	if err != nil {
		return Entry{}, err
	}
	return o.entry(kind), nil
}

// Tag adds and removes tags.
func (e *Engine) Tag(ctx context.Context, id ID, a Actor, add, remove []string) (Handoff, error) {
	if err := first(checkNames("add", add), checkNames("remove", remove)); err != nil {
		return Handoff{}, err
	}
	o, err := e.act(ctx, id, a, "tag", "", func(*Handoff) (command, error) {
		return cTag{who: a, add: slices.Clone(add), remove: slices.Clone(remove)}, nil
	})
	return e.result(o, err)
}

// Hold pauses a handoff. The agent keeps control, and his seat unless the
// queue says otherwise.
func (e *Engine) Hold(ctx context.Context, id ID, a Actor, why string) (Handoff, error) {
	if err := checkText("why", why); err != nil {
		return Handoff{}, err
	}
	o, err := e.act(ctx, id, a, "hold", "", func(*Handoff) (command, error) { return cHold{who: a, reason: why}, nil })
	return e.result(o, err)
}

// Resume ends a hold. If the hold gave the seat back and none is free now, it
// is ErrFull.
func (e *Engine) Resume(ctx context.Context, id ID, a Actor) (Handoff, error) {
	o, err := e.act(ctx, id, a, "resume", "", func(h *Handoff) (command, error) {
		who, err := e.candidate(ctx, "Actor.ID", a.ID, h, h.Need.Queue)
		if err != nil {
			return nil, err
		}
		return cResume{who: a, seat: who.seat}, nil
	})
	return e.result(o, err)
}

// Extend gives more time to what is running out: the offer, the idle time, the
// hold or the wrap-up.
func (e *Engine) Extend(ctx context.Context, id ID, a Actor, by time.Duration) (Handoff, error) {
	if by <= 0 || by > 30*24*time.Hour {
		return Handoff{}, &InvalidError{Field: "by", Why: "is not between 0 and 30 days"}
	}
	o, err := e.act(ctx, id, a, "extend", "", func(*Handoff) (command, error) { return cExtend{who: a, by: by}, nil })
	return e.result(o, err)
}

// A Target says where a transfer goes: to an agent, or to a queue and skills.
type Target struct {
	Agent  string  `json:"agent,omitempty"`
	Queue  string  `json:"queue,omitempty"`  // empty: the present one
	Skills []Skill `json:"skills,omitempty"` // nil: the present ones
	Warm   bool    `json:"warm,omitempty"`   // to an agent: keep control until he accepts
	Note   string  `json:"note,omitempty"`   // internal
}

// Transfer moves a handoff. A cold transfer leaves the user waiting for the
// target's accept; in a warm one the agent keeps control until then. A target
// who is not there is an *UnavailableError, and nothing changes. The returned
// handoff has the new state.
func (e *Engine) Transfer(ctx context.Context, id ID, a Actor, t Target) (Handoff, error) {
	if err := first(checkOptional("Target.Agent", t.Agent), checkOptional("Target.Queue", t.Queue), checkText("Target.Note", t.Note)); err != nil {
		return Handoff{}, err
	}
	if t.Agent == "" && t.Queue == "" && t.Skills == nil {
		return Handoff{}, &InvalidError{Field: "Target", Why: "names neither an agent nor a queue nor skills"}
	}
	if t.Warm && t.Agent == "" {
		return Handoff{}, &InvalidError{Field: "Target.Warm", Why: "needs an agent"}
	}
	if _, ok := e.rules.queues[t.Queue]; t.Queue != "" && !ok {
		return Handoff{}, &InvalidError{Field: "Target.Queue", Why: "is not a queue of this Config"}
	}
	o, err := e.act(ctx, id, a, "transfer", "", func(h *Handoff) (command, error) {
		c := cTransfer{who: a, warm: t.Warm, note: t.Note}
		need, there := h.Need, *h
		if t.Queue != "" {
			need.Queue = t.Queue
			if !t.Warm { // else what he takes is the session as it is
				_, there.own.Units = e.rules.queue(t.Queue).session(need.Mode)
			}
		}
		if t.Skills != nil {
			need.Skills = slices.Clone(t.Skills)
		}
		if err := need.check("Target"); err != nil {
			return nil, err
		}
		if t.Agent != "" {
			who, err := e.candidate(ctx, "Target.Agent", t.Agent, &there, need.Queue)
			if err == nil {
				err = e.target(ctx, t.Agent)
			}
			if err != nil {
				return nil, err
			}
			c.agent = &who
		}
		if t.Queue != "" || t.Skills != nil {
			c.need = &need
			err := e.checkSkills(ctx, "Target.Skills", e.rules.queue(need.Queue), t.Skills)
			if err == nil {
				err = e.open(need.Queue)
			}
			if err != nil {
				return nil, err
			}
		}
		return c, nil
	})
	return e.result(o, err)
}

// TakeBack withdraws a warm transfer that was not answered yet, by the number
// of its offer. The agent, or a supervisor in his place, goes on as if it had
// not been made; whoever was asked may be asked again. An offer that was
// answered, has lapsed or is no warm transfer is ErrWithdrawn.
func (e *Engine) TakeBack(ctx context.Context, id ID, a Actor, offer int64) (Handoff, error) {
	if offer <= 0 {
		return Handoff{}, &InvalidError{Field: "offer", Why: "is not the number of an offer"}
	}
	o, err := e.act(ctx, id, a, "take back", strconv.FormatInt(offer, 10), func(*Handoff) (command, error) {
		return cTakeBack{who: a, offer: offer}, nil
	})
	return e.result(o, err)
}

// open checks that a queue is open.
func (e *Engine) open(queue string) error {
	if q := e.rules.queues[queue]; q != nil && q.Hours != nil {
		if open, next := q.Hours.At(now()); !open {
			return &UnavailableError{Queue: queue, Why: ReasonClosed, Opens: next}
		}
	}
	return nil
}

// Requeue gives a handoff back to its queue, in its original place.
func (e *Engine) Requeue(ctx context.Context, id ID, a Actor, note string) (Handoff, error) {
	if err := checkText("note", note); err != nil {
		return Handoff{}, err
	}
	o, err := e.act(ctx, id, a, "requeue", "", func(*Handoff) (command, error) { return cRequeue{who: a, note: note}, nil })
	return e.result(o, err)
}

// Return gives the user back to the bot. The note is internal; the bot gets
// it, with the human stretch and the messages that are still open.
func (e *Engine) Return(ctx context.Context, id ID, a Actor, note string) (Handoff, error) {
	if err := checkText("note", note); err != nil {
		return Handoff{}, err
	}
	o, err := e.act(ctx, id, a, "return", "return/"+a.ID, func(*Handoff) (command, error) { return cReturn{who: a, note: note}, nil })
	return e.result(o, err)
}

// An Ending says how an agent ends a handoff.
type Ending struct {
	Outcome Outcome       // default OutcomeResolved
	Reason  string        // the close reason, the host's own list
	StayOut time.Duration // the bot stays silent that long; 0: the queue's; Never: not at all
}

// End ends a handoff, or finishes the wrap-up.
func (e *Engine) End(ctx context.Context, id ID, a Actor, how Ending) (Handoff, error) {
	if how.Outcome == "" {
		how.Outcome = OutcomeResolved
	}
	switch how.Outcome {
	case OutcomeResolved, OutcomeAbandoned, OutcomeFailed:
	default:
		return Handoff{}, &InvalidError{Field: "Ending.Outcome", Why: "is not one an agent can give"}
	}
	if err := first(checkText("Ending.Reason", how.Reason), checkDuration("Ending.StayOut", how.StayOut)); err != nil {
		return Handoff{}, err
	}
	stay := how.StayOut
	if how.StayOut == 0 {
		stay = Never // the queue's
	}
	if how.StayOut == Never {
		stay = 0
	}
	o, err := e.act(ctx, id, a, "end", "", func(*Handoff) (command, error) {
		return cEnd{who: a, outcome: how.Outcome, reason: how.Reason, stayOut: stay}, nil
	})
	return e.result(o, err)
}

// TakeOver gives control to an agent who steps in, whatever the state. The
// user did not have to ask. queue says whose rules hold when the conversation
// is in none; empty: the engine's defaults.
func (e *Engine) TakeOver(ctx context.Context, id ID, a Actor, queue string) (Handoff, error) {
	if _, ok := e.rules.queues[queue]; queue != "" && !ok {
		return Handoff{}, &InvalidError{Field: "queue", Why: "is not a queue of this Config"}
	}
	o, err := e.act(ctx, id, a, "takeover", "", func(h *Handoff) (command, error) {
		q := h.Need.Queue
		if q == "" {
			q = queue
		}
		who, err := e.candidate(ctx, "Actor.ID", a.ID, h, q)
		if err != nil {
			return nil, err
		}
		return cTakeOver{who: a, cand: who, queue: queue}, nil
	})
	return e.result(o, err)
}

// Assign is a supervisor's choice: the handoff is offered to that agent,
// whoever has it or is being asked now. The agent must be there.
func (e *Engine) Assign(ctx context.Context, id ID, a Actor, agent string) (Handoff, error) {
	if a.Role != RoleSupervisor {
		return Handoff{}, &InvalidError{Field: "Actor.Role", Why: "is not a supervisor"}
	}
	o, err := e.act(ctx, id, a, "assign", "", func(h *Handoff) (command, error) {
		who, err := e.candidate(ctx, "agent", agent, h, h.Need.Queue)
		if err == nil {
			err = e.target(ctx, agent)
		}
		if err != nil {
			return nil, err
		}
		who.why = "assigned"
		return cAssign{who: a, cand: who}, nil
	})
	return e.result(o, err)
}

// Typing shows the user that the agent is writing. It is a signal, not an
// entry: it is lost when it cannot be shown.
func (e *Engine) Typing(ctx context.Context, id ID, a Actor, on bool) error {
	if err := first(checkID(id), checkActor(a)); err != nil {
		return err
	}
	t, ok := e.cfg.Channel.(TypingShower)
	if !ok {
		return nil
	}
	h, err := e.get(ctx, id)
	if err != nil {
		return err
	}
	if h.State != StateActive || h.Agent != a.ID {
		return ErrNotHolder
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	defer cancel()
	return t.ShowTyping(ctx, id.Conversation, Party{Role: RoleAgent, Name: h.AgentName}, on)
}
