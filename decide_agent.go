package handoff

import (
	"slices"
	"strconv"
	"time"
)

// holder checks that an actor holds the handoff. A supervisor may act in the
// holder's place where the verb says so.
func (x *change) holder(a Actor, supervisor bool) error {
	if a.Role == RoleSupervisor && supervisor || a.ID == x.h.Agent && a.Role == RoleAgent {
		return nil
	}
	return ErrNotHolder
}

// cAccept takes an offer, or takes the handoff from a list when offer is 0.
type cAccept struct {
	who   candidate
	offer int64
}

func (c cAccept) name() string { return "accept" }

func (c cAccept) apply(x *change) error {
	h := &x.h
	if c.offer == 0 {
		if h.State != StateWaiting || x.queue.Style == Push || h.own.Importing {
			return &StateError{ID: h.ID, State: h.State, Command: c.name()}
		}
		if slices.Contains(h.Need.Exclude, c.who.agent) {
			return ErrNotHolder
		}
		x.join(c.who, KindJoined, NoticeJoined)
		return nil
	}
	i := slices.IndexFunc(h.Offers, func(o Offer) bool { return o.Number == c.offer && o.Agent == c.who.agent })
	if i < 0 {
		return ErrWithdrawn
	}
	o := h.Offers[i]
	if !o.Deadline.After(x.now) {
		return ErrExpired
	}
	if !o.Broadcast {
		c.who.seat = o.Seat
	}
	h.Offers = slices.Delete(slices.Clone(h.Offers), i, i+1)
	x.withdraw(ReasonWithdrawn)
	if o.Warm && h.Agent != "" {
		x.leave(ReasonTransferred)
	}
	c.who.why = strconv.FormatInt(o.Number, 10)
	x.join(c.who, KindJoined, NoticeJoined)
	return nil
}

// leave books that the agent who has it gives it to somebody else.
func (x *change) leave(why Reason) {
	e := x.event(KindAgentLeft)
	e.Agent, e.Reason = x.h.Agent, why
	x.h.LastAgent = x.h.Agent
	x.h.Stretch.Transfers++
}

// join gives control to an agent.
func (x *change) join(who candidate, kind Kind, notice string) {
	h := &x.h
	who.shown = x.queue.shown(who.shown)
	x.unbind()
	x.to(StateActive)
	h.Agent, h.AgentName, h.Provider, h.own.Intake = who.agent, who.shown, "", nil
	s := who.seat
	s.Since = x.now
	h.own.Seat, h.Joined, h.own.AwaySince, h.own.Warned = &s, x.now, time.Time{}, false
	x.attend()
	h.own.IdleFrom = time.Time{}
	h.own.Importing = false
	x.drop(dueImport, dueAnswer, dueIdle, dueRead)
	e := x.add(kind, Party{Role: RoleAgent, ID: who.agent, Name: who.shown})
	e.Agent = who.agent
	if who.why != "" {
		e.Data = map[string]string{"offer": who.why}
	}
	x.noticeAgent(notice)
	x.enterRoom(who.room)
	x.armActive()
	x.set(dueFirstReply, x.queue.FirstReply)
}

// attend notes that an agent has it, and of the first one when he came.
func (x *change) attend() {
	if h := &x.h; !h.Attended {
		h.Attended, h.own.Attended, h.Stretch.FirstWait = true, x.now, h.Stretch.Wait
	}
}

// armActive sets the deadline of an active chat. Messages do not move it:
// when it fires, the last activity decides.
func (x *change) armActive() { x.setAt(dueIdle, x.idleAt()); x.skipNever(dueIdle, x.queue.IdleTimeout) }

func (x *change) skipNever(kind string, d time.Duration) {
	if d < 0 {
		x.drop(kind)
	}
}

// idleAt returns when the chat will have been quiet for too long, or when the
// user is to be warned of it. The last message of either side counts, and the
// agent's arrival before there is one.
func (x *change) idleAt() time.Time {
	last := x.h.own.Stands
	for _, t := range []time.Time{x.h.LastUser, x.h.LastSaid} {
		if t.After(last) {
			last = t
		}
	}
	at := last.Add(x.queue.IdleTimeout)
	if w := x.queue.IdleWarning; w > 0 && w < x.queue.IdleTimeout && !x.h.own.Warned {
		at = at.Add(-w)
	}
	if x.h.own.IdleFrom.After(at) {
		return x.h.own.IdleFrom
	}
	return at
}

// cDecline refuses an offer, or asks not to be offered it when offer is 0.
type cDecline struct {
	agent string
	offer int64
	why   string
}

func (c cDecline) name() string { return "decline" }

func (c cDecline) apply(x *change) error {
	h := &x.h
	i := slices.IndexFunc(h.Offers, func(o Offer) bool { return o.Number == c.offer && o.Agent == c.agent })
	if i < 0 {
		return ErrWithdrawn
	}
	o := h.Offers[i]
	e := x.add(KindDeclined, Party{Role: RoleAgent, ID: c.agent})
	e.Agent, e.Text, e.Data = c.agent, c.why, offerData(o)
	x.coolDown(c.agent, ReasonDeclined)
	x.dropOffer(i)
	return nil
}

// dropOffer removes one offer. The last one returns a handoff that nobody has
// to its place.
func (x *change) dropOffer(i int) {
	x.h.Offers = slices.Delete(slices.Clone(x.h.Offers), i, i+1)
	if len(x.h.Offers) == 0 && x.h.State == StateOffered {
		x.h.Offers = nil
		x.back()
		return
	}
	x.armOffer()
}

// cSend is a message of the agent.
type cSend struct {
	who Actor
	msg Message
}

func (c cSend) name() string { return "send" }

func (c cSend) apply(x *change) error {
	if err := x.holder(c.who, false); err != nil {
		return err
	}
	x.agentSays(Party{Role: c.who.Role, ID: c.who.ID, Name: x.h.AgentName}, c.msg)
	return nil
}

func (x *change) agentSays(from Party, m Message) {
	h := &x.h
	seen := m.Seen
	if seen == 0 {
		seen = h.Seq
	}
	e := x.add(KindMessage, from)
	e.Text, e.Files, e.Payload, e.Message, e.Seen = m.Text, m.Files, m.Payload, m.ID, seen
	x.settle(func(p Pending) bool { return p.Seq > seen })
	if h.Stretch.FirstReply == 0 {
		h.Stretch.FirstReply = max(time.Millisecond, x.now.Sub(h.own.Attended))
	}
	h.LastSaid, h.own.Warned = x.now, false
	x.drop(dueFirstReply)
}

// cJoin is a message of somebody who does not take control.
type cJoin struct {
	who   Actor
	shown string
	msg   Message
}

func (c cJoin) name() string { return "join" }

func (c cJoin) apply(x *change) error {
	if c.who.Role == RoleAgent && x.h.Agent != "" && c.who.ID != x.h.Agent {
		return ErrNotHolder
	}
	e := x.add(KindMessage, Party{Role: c.who.Role, ID: c.who.ID, Name: c.shown})
	e.Text, e.Files, e.Payload, e.Message = c.msg.Text, c.msg.Files, c.msg.Payload, c.msg.ID
	x.h.LastSaid = x.now
	return nil
}

// cNote is internal.
type cNote struct {
	who  Actor
	text string
	kind Kind // KindNote or KindWhisper
}

func (c cNote) name() string {
	if c.kind == KindWhisper {
		return "whisper"
	}
	return "note"
}

func (c cNote) apply(x *change) error {
	x.add(c.kind, c.who.party()).Text = c.text
	return nil
}

type cTag struct {
	who         Actor
	add, remove []string
}

func (c cTag) name() string { return "tag" }

func (c cTag) apply(x *change) error {
	x.h.Tags = mergeTags(x.h.Tags, c.add, c.remove)
	e := x.add(KindTagged, c.who.party())
	e.Data = map[string]string{}
	for _, t := range c.add {
		e.Data["+"+t] = ""
	}
	for _, t := range c.remove {
		e.Data["-"+t] = ""
	}
	return nil
}

type cHold struct {
	who    Actor
	reason string
}

func (c cHold) name() string { return "hold" }

func (c cHold) apply(x *change) error {
	if err := x.holder(c.who, false); err != nil {
		return err
	}
	if x.h.Provider != "" { // it is held there or not at all
		return &StateError{ID: x.h.ID, State: x.h.State, Command: c.name()}
	}
	x.to(StateHeld)
	x.set(dueHold, x.queue.HoldTimeout)
	x.regrace()
	x.add(KindHeld, c.who.party()).Text = c.reason
	x.noticeAgent(NoticeHeld)
	if x.queue.ReleaseOnHold {
		x.h.own.Seat = nil
	}
	x.rearm()
	return nil
}

// rearm sets again what ends with a state but belongs to an offer.
func (x *change) rearm() {
	if len(x.h.Offers) > 0 {
		x.armOffer()
	}
}

type cResume struct {
	who  Actor
	seat seat
}

func (c cResume) name() string { return "resume" }

func (c cResume) apply(x *change) error {
	if err := x.holder(c.who, false); err != nil {
		return err
	}
	x.resume(c.seat, c.who.party())
	return nil
}

// resume claims the seat again, if the hold gave it back.
func (x *change) resume(s seat, by Party) {
	if x.h.own.Seat == nil {
		s.Since = x.now
		x.h.own.Seat = &s
	}
	x.to(StateActive)
	x.h.own.Warned = false
	x.add(KindResumed, by)
	x.noticeAgent(NoticeResumed)
	x.armActive()
	x.regrace()
	x.rearm()
}

// regrace keeps an absence in view over a change of state.
func (x *change) regrace() {
	if !x.h.own.AwaySince.IsZero() && x.queue.AgentGrace >= 0 {
		x.setAt(dueGrace, x.h.own.AwaySince.Add(x.queue.AgentGrace))
	}
}

// cExtend gives more time to whatever is running out.
type cExtend struct {
	who Actor
	by  time.Duration
}

func (c cExtend) name() string { return "extend" }

func (c cExtend) apply(x *change) error {
	kind := map[State]string{StateOffered: dueOffer, StateActive: dueIdle, StateHeld: dueHold, StateWrapup: dueWrapup}[x.h.State]
	at, ok := x.h.deadline(kind)
	if x.h.State == StateOffered {
		i := slices.IndexFunc(x.h.Offers, func(o Offer) bool { return o.Agent == c.who.ID })
		if i < 0 {
			return ErrWithdrawn
		}
		x.h.Offers = slices.Clone(x.h.Offers)
		x.h.Offers[i].Deadline = x.h.Offers[i].Deadline.Add(c.by)
		x.armOffer()
	} else if err := x.holder(c.who, true); err != nil {
		return err
	} else if ok {
		x.setAt(kind, at.Add(c.by))
		if kind == dueIdle {
			x.h.own.IdleFrom = at.Add(c.by)
		}
	}
	x.add(KindExtended, c.who.party()).Data = map[string]string{"by": c.by.String()}
	return nil
}

// cTransfer moves the handoff to an agent, a queue or other skills.
type cTransfer struct {
	who   Actor
	agent *candidate // to an agent; nil: to need
	need  *Need
	warm  bool
	note  string
}

func (c cTransfer) name() string { return "transfer" }

func (c cTransfer) apply(x *change) error {
	h := &x.h
	if h.Agent != "" || h.State == StateOffered {
		if err := x.holder(c.who, true); err != nil {
			return err
		}
	} else if c.who.Role != RoleSupervisor {
		return ErrNotHolder
	}
	if c.agent != nil && c.agent.agent == h.Agent {
		return &InvalidError{Field: "Target.Agent", Why: "has it already"}
	}
	e := x.add(KindTransferred, c.who.party())
	e.Data = map[string]string{}
	if c.agent != nil {
		e.Agent = c.agent.agent
	}
	if c.need != nil {
		e.Data["queue"] = c.need.Queue
	}
	if c.note != "" {
		x.add(KindNote, c.who.party()).Text = c.note
	}
	x.withdraw(ReasonWithdrawn)
	if c.warm && c.agent != nil && h.Agent != "" {
		x.offer([]candidate{*c.agent}, false, true, c.who.party())
		return nil
	}
	had := h.Agent
	if had != "" {
		x.leave(ReasonTransferred)
	}
	h.own.LadderFrom, h.own.Rung, h.own.Declined = x.now, 0, nil
	if c.need != nil {
		exclude := h.Need.Exclude
		h.Need, h.Dropped, h.own.Route = *c.need, nil, 0
		h.Need.Exclude = exclude
		x.queue = x.rules.queue(h.Need.Queue)
		h.own.QueueMax = 0 // whoever is inside is not sent away at the door
		if x.serve(h.Need.Mode); h.Need.Mode != ModeVideo {
			h.Room = nil
		}
		x.moved()
	}
	if had != "" && c.agent == nil && x.queue.Style == Push {
		x.coolDown(had, ReasonTransferred) // who gives it away does not get it back at once
	}
	x.unbind()
	h.own.Intake = nil // who transfers knows better than a form where it leads
	x.back()
	if c.agent != nil {
		x.offer([]candidate{*c.agent}, false, false, c.who.party())
	} else if len(x.queue.Providers) > 0 {
		x.connect("")
	}
	x.notice(NoticeTransfer, nil)
	return nil
}

// cTakeBack withdraws a warm transfer that nobody has answered yet.
type cTakeBack struct {
	who   Actor
	offer int64
}

func (c cTakeBack) name() string { return "take back" }

func (c cTakeBack) apply(x *change) error {
	if err := x.holder(c.who, true); err != nil {
		return err
	}
	i := slices.IndexFunc(x.h.Offers, func(o Offer) bool { return o.Number == c.offer && o.Warm })
	if i < 0 {
		return ErrWithdrawn
	}
	o := x.h.Offers[i]
	e := x.add(KindWithdrawn, c.who.party())
	e.Agent, e.Reason, e.Data = o.Agent, ReasonWithdrawn, offerData(o)
	x.dropOffer(i)
	return nil
}

// cRequeue gives it back to the queue.
type cRequeue struct {
	who  Actor
	note string
}

func (c cRequeue) name() string { return "requeue" }

func (c cRequeue) apply(x *change) error {
	if x.h.State == StateOffered {
		if c.who.Role != RoleSupervisor {
			return ErrNotHolder
		}
		x.withdraw(ReasonRequeued)
		x.back()
		return nil
	}
	if err := x.holder(c.who, true); err != nil {
		return err
	}
	if c.note != "" {
		x.add(KindNote, c.who.party()).Text = c.note
	}
	x.withdraw(ReasonRequeued)
	x.coolDown(x.h.Agent, ReasonRequeued)
	x.requeue(ReasonRequeued)
	return nil
}

// cReturn gives the user to the bot.
type cReturn struct {
	who  Actor
	note string
}

func (c cReturn) name() string { return "return" }

func (c cReturn) apply(x *change) error {
	if err := x.holder(c.who, true); err != nil {
		return err
	}
	e := x.add(KindReturned, c.who.party())
	e.Text = c.note
	x.over(OutcomeReturned, NoticeReturned)
	return nil
}

// cEnd ends it, or finishes the wrap-up.
type cEnd struct {
	who     Actor
	outcome Outcome
	reason  string
	stayOut time.Duration // -1: the queue's
}

func (c cEnd) name() string { return "end" }

func (c cEnd) apply(x *change) error {
	if err := x.holder(c.who, true); err != nil {
		return err
	}
	if err := x.queue.closeReason(c.reason, x.h.Closing); err != nil {
		return err
	}
	if c.reason != "" {
		x.h.Closing = c.reason
	}
	if x.h.State == StateWrapup {
		x.event(KindEnded).Data = map[string]string{"outcome": string(x.h.Outcome)}
		x.end()
		return nil
	}
	x.afterEnd(c.stayOut)
	x.over(c.outcome, NoticeEnded)
	return nil
}

// afterEnd settles whether, and when, the bot has the word after an agent's end;
// a stay-out below 0 is the queue's.
func (x *change) afterEnd(stayOut time.Duration) {
	if stayOut < 0 {
		stayOut = x.queue.StayOut
	}
	if stayOut > 0 {
		x.h.StayOut = x.now.Add(stayOut)
	}
	x.h.own.Quiet = x.queue.Quiet
}

// cTakeOver gives control to whoever steps in.
type cTakeOver struct {
	who   Actor
	cand  candidate
	queue string // for a handoff that has none
}

func (c cTakeOver) name() string { return "take over" }

func (c cTakeOver) apply(x *change) error {
	h := &x.h
	if h.Agent == c.who.ID && (h.State == StateActive || h.State == StateHeld) {
		return &StateError{ID: h.ID, State: h.State, Command: c.name()}
	}
	if h.Agent != "" && c.who.Role != RoleSupervisor {
		return ErrNotHolder
	}
	if h.Need.Queue == "" {
		h.Need.Queue = c.queue
	}
	x.queue = x.rules.queue(h.Need.Queue)
	if h.Reason == "" {
		h.Reason = ReasonTakeOver
	}
	x.withdraw(ReasonTakeOver)
	if h.Agent != "" {
		x.leave(ReasonTakeOver)
	}
	x.join(c.cand, KindJoined, NoticeTakeOver)
	return nil
}

// cAssign makes a supervisor's choice an offer.
type cAssign struct {
	who  Actor
	cand candidate
}

func (c cAssign) name() string { return "assign" }

func (c cAssign) apply(x *change) error {
	if x.h.State == StateWaiting || x.h.State == StateOffered {
		if x.h.own.Importing {
			return &StateError{ID: x.h.ID, State: x.h.State, Command: c.name()}
		}
		x.withdraw(ReasonWithdrawn)
		x.offer([]candidate{c.cand}, false, false, c.who.party())
		return nil
	}
	return cTransfer{who: c.who, agent: &c.cand}.apply(x)
}
