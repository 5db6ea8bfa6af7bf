package handoff

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff/trigger"
)

// An Escalation lets the engine find out when a conversation should leave the
// bot: it reads what users write in Receive, and what the bot says in Reply and
// Fail, while the bot has control. What it makes of a message is stored with
// it. The zero value is off: then only the host asks.
//
// An offer is made to the user with NoticeOffer, behind the bot's next reply;
// his yes is a request. A transfer is a request by the engine in the same
// commit; what the queue's Offline says holds if the queue cannot take it, and
// the bot keeps the turn. After a return, inferred reasons are silent for a
// while, and automatic transfers are limited, as trigger.Policy says.
type Escalation struct {
	Triggers *trigger.Engine
	Queue    string                    // where users go; required
	Queues   map[trigger.Reason]string // where they go for a reason; else Queue
	Silent   bool                      // offers are the bot's: Turn.Escalated says so and there is no notice
}

// An Escalated is what the triggers made of the message that a turn is to
// answer.
type Escalated struct {
	Reason Reason    `json:"reason"`         // why a person seems to be needed
	Why    Reason    `json:"why,omitempty"`  // why there is none: closed, offline, full; empty: it is an offer
	Opens  time.Time `json:"opens,omitzero"` // when the queue opens again; zero: not known
}

func (e *Escalation) problems(c *Config, queues map[string]bool) []error {
	if e.Triggers == nil {
		if e.Queue != "" || len(e.Queues) > 0 {
			return []error{&InvalidError{Field: "Escalation.Triggers", Why: "is required"}}
		}
		return nil
	}
	var out []error
	if !queues[e.Queue] {
		out = append(out, &InvalidError{Field: "Escalation.Queue", Why: "is not one of Queues"})
	}
	for _, q := range e.Queues {
		if !queues[q] {
			out = append(out, &InvalidError{Field: "Escalation.Queues", Why: "names one that is not in Queues"})
		}
	}
	if c.Unwatched {
		out = append(out, &InvalidError{Field: "Escalation", Why: "needs watched conversations"})
	}
	return out
}

func (e *Escalation) queue(r trigger.Reason) string {
	if q := e.Queues[r]; q != "" {
		return q
	}
	return e.Queue
}

// hearUser says what follows from a message of the user: h is the handoff that
// gets it, or, not open, the one before it; nil for the first.
func (e *Engine) hearUser(ctx context.Context, h *Handoff, in *Incoming) (heard, error) {
	op := "escalate/" + in.ID
	var st trigger.State
	state := StateBot
	if h != nil && h.IsOpen() {
		state = h.State
		if h.own.Trigger != nil {
			st = *h.own.Trigger
		}
		if !h.StayOut.IsZero() {
			return heard{}, nil
		}
	} else if h != nil {
		next := &change{rules: e.rules, now: now()}
		next.recall(h)
		if next.h.own.Trigger != nil {
			st = *next.h.own.Trigger
		}
		if h.StayOut.After(now()) {
			return heard{}, nil
		}
	}
	if state == StateBot {
		if r := e.reopens(h); r != nil {
			return e.reopen(ctx, r, op)
		}
	}
	if e.cfg.Escalation.Triggers == nil {
		return heard{}, nil
	}
	t := trigger.Turn{Role: trigger.RoleUser, Text: in.Text, Lang: in.Language, At: now()}
	if t.Lang == "" && h != nil {
		t.Lang = h.Language
	}
	switch state { //nolint:exhaustive // in the others nobody listens
	case StateBot:
		return e.evaluate(ctx, st, t, op)
	case StateWaiting, StateOffered, StateConnecting, StateQueued:
		// He may have changed his mind.
		d, after := e.cfg.Escalation.Triggers.Evaluate(ctx, st, t)
		if !d.Cancel {
			return heard{}, nil
		}
		return heard{state: &after, then: cCancel{who: Party{Role: RoleUser}}, op: op}, nil
	}
	return heard{}, nil
}

// reopens says whether the message goes to the queue of the handoff before.
func (e *Engine) reopens(h *Handoff) *reopen {
	if h == nil {
		return nil
	}
	r := h.own.Reopen
	if !h.IsOpen() {
		r = e.rules.reopening(h, now())
	}
	if r == nil || !r.Until.After(now()) || e.rules.queues[r.Need.Queue] == nil {
		return nil
	}
	return r
}

func (e *Engine) reopen(ctx context.Context, r *reopen, op string) (heard, error) {
	q := e.rules.queues[r.Need.Queue]
	c := cRequest{who: Party{Role: RoleEngine}, need: r.Need, reason: ReasonReopened, units: r.Units, asked: r.Need.Mode, skip: true}
	shut, err := e.door(ctx, q, &r.Need)
	if err != nil {
		return heard{}, err
	}
	if shut == nil {
		return heard{then: c, op: op}, nil
	}
	return heard{then: cRefuse{request: c, why: shut}, op: op}, nil
}

// hearBot says what follows from what the bot says, or fails to say.
func (e *Engine) hearBot(ctx context.Context, h *Handoff, t trigger.Turn, op string) (heard, error) {
	if e.cfg.Escalation.Triggers == nil || h.State != StateBot {
		return heard{}, nil
	}
	var st trigger.State
	if h.own.Trigger != nil {
		st = *h.own.Trigger
	}
	t.Role, t.Lang, t.At = trigger.RoleBot, h.Language, now()
	return e.evaluate(ctx, st, t, op)
}

// evaluate asks the triggers and turns what they want into a command.
func (e *Engine) evaluate(ctx context.Context, st trigger.State, t trigger.Turn, op string) (heard, error) {
	esc := &e.cfg.Escalation
	if st.Unavailable {
		why, err := e.door(ctx, e.rules.queues[esc.Queue], &Need{Queue: esc.Queue})
		if err != nil {
			return heard{}, err
		}
		st = st.Available(why == nil)
	}
	d, after := esc.Triggers.Evaluate(ctx, st, t)
	out := heard{state: &after, action: d.Action, reason: Reason(d.Primary.Reason), op: op}
	if d.Action == trigger.None {
		return out, nil
	}
	p := &d.Primary
	out.data = map[string]string{"action": d.Action.String(), "detector": p.Detector}
	if p.Evidence.Rule != "" {
		out.data["rule"] = p.Evidence.Rule
		out.data["from"], out.data["to"] = strconv.Itoa(p.Evidence.Start), strconv.Itoa(p.Evidence.End)
	}
	if d.Action == trigger.Offer {
		return out, nil
	}
	c := cRequest{
		who: Party{Role: RoleEngine}, need: Need{Queue: esc.queue(p.Reason)}, reason: out.reason, units: 1,
		data: maps.Clone(out.data), skip: d.Action == trigger.TransferNow,
	}
	for i := range d.All {
		if r := d.All[i].Reason; r != p.Reason {
			c.flags = mergeTags(c.flags, []string{string(r)}, nil)
		}
	}
	why, err := e.door(ctx, e.rules.queues[c.need.Queue], &c.need)
	if err != nil {
		return heard{}, err
	}
	out.then = c
	if why != nil {
		out.refuse(why)
	}
	return out, nil
}

// refuse turns a request into one that the queue did not take.
func (h *heard) refuse(why *UnavailableError) {
	if h.state != nil {
		st := h.state.Cancelled().Available(false)
		h.state = &st
	}
	if c, ok := h.then.(cRequest); ok {
		h.then = cRefuse{request: c, why: why}
	}
}

// escalated says what the bot should know of it.
func (h *heard) escalated() *Escalated {
	if c, ok := h.then.(cRefuse); ok {
		return &Escalated{Reason: c.request.reason, Why: c.why.Why, Opens: c.why.Opens}
	}
	if h.action == trigger.Offer {
		return &Escalated{Reason: h.reason}
	}
	return nil
}

// full returns h as it is when its queue turned out to be full.
func (h *heard) full(err error) bool {
	c, ok := h.then.(cRequest)
	if !ok || !errors.Is(err, ErrUnavailable) {
		return false
	}
	h.refuse(&UnavailableError{Queue: c.need.Queue, Why: ReasonFull})
	return true
}

// Fail says that the bot cannot answer a turn: an error, a time-out, nothing to
// say that would help. code is for the log and has no content. With
// Config.Escalation the triggers decide what follows; else the user goes to
// Config.BotQueue, or is told. A turn that is over is ErrStale.
func (e *Engine) Fail(ctx context.Context, t Turn, code string) error {
	if err := first(checkContext(ctx), t.check(), checkOptional("code", code)); err != nil {
		return err
	}
	if t.Unwatched {
		return &InvalidError{Field: "Turn", Why: "is of a conversation that is not watched"}
	}
	full := false
	for {
		var hd heard
		_, err := e.do(ctx, t.ID(), "f/"+t.Call, func(h *Handoff) (command, error) {
			var err error
			hd, err = e.hearBot(ctx, h, trigger.Turn{Err: errBot, NoAnswer: true}, "escalate/f/"+t.Call)
			if err != nil {
				return nil, err
			}
			c := cFail{turn: t, code: code, heard: hd}
			if full {
				c.heard.full(ErrUnavailable)
				c.facts.closed = true
				return c, nil
			}
			c.facts, err = e.facts(ctx, h, dueAnswer)
			return c, err
		})
		if errors.Is(err, ErrUnavailable) && !full {
			full = true
			continue
		}
		return stale(err)
	}
}

var errBot = errors.New("handoff: the bot failed")
