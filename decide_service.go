package handoff

import (
	"slices"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff/trigger"
)

// heard is what the triggers made of a message.
type heard struct {
	state  *trigger.State    // nil: nobody listened
	action trigger.Action    // None: nothing follows
	reason Reason            // what decided
	data   map[string]string // for the log
	then   command           // what follows: a request, a refusal, a cancel; nil: nothing
	op     string            // of then
}

// hear keeps what the triggers remember, and does what they want.
func (x *change) hear(e heard) error {
	if e.state != nil {
		x.h.own.Trigger = e.state
	}
	if e.action != trigger.None {
		en := x.event(KindEscalated)
		en.Reason, en.Data = e.reason, e.data
	}
	if e.action == trigger.Offer {
		x.h.own.Offer = true
	}
	if e.then == nil || !slices.Contains(allowed[e.then.name()], x.h.State) {
		return nil
	}
	return named{e.then, e.op}.apply(x)
}

// recall takes over from the handoff before what it remembers of the user.
func (x *change) recall(p *Handoff) {
	if p.own.Trigger != nil {
		st := p.own.Trigger.Cancelled()
		switch p.Outcome {
		case OutcomeCancelled, OutcomeContained, OutcomeHanded, OutcomeUnavailable:
		default:
			st = p.own.Trigger.Returned(x.now)
		}
		x.h.own.Trigger = &st
	}
	x.h.own.Reopen = x.rules.reopening(p, x.now)
}

// reopening says where the user goes whose last handoff is p, if he writes
// again at the time now.
func (r *rules) reopening(p *Handoff, now time.Time) *reopen {
	if old := p.own.Reopen; old != nil && !p.Attended {
		return old
	}
	q := r.queue(p.Need.Queue)
	if !p.Attended || q.Reopen == ReopenBot || p.Outcome != OutcomeResolved && p.Outcome != OutcomeIdle {
		return nil
	}
	n, units := p.Need, p.own.Units
	n.BotAnswers, n.Preferred = q.BotAnswers, ""
	if q.Reopen == ReopenAgent {
		n.Preferred = p.LastAgent
	}
	if q.allows("Mode", ModeText) == nil {
		n.Mode, units = ModeText, 1 // he writes, also if they saw each other before
	}
	return &reopen{Need: n, Units: units, Until: now.Add(q.ReopenFor)}
}

// inside reports whether h is in a queue or with one of its agents.
func (h *Handoff) inside() bool {
	switch h.State {
	case StateWaiting, StateOffered, StateConnecting, StateQueued, StateActive, StateHeld:
		return true
	case StateBot, StateIntake, StateWrapup, StateEnded:
	}
	return false
}

func (h *Handoff) isHeld() bool { return h.State == StateActive || h.State == StateHeld }

// armService sets the deadlines that come with a queue and not with a state.
func (x *change) armService() {
	h, q := &x.h, x.rules.queue(x.h.Need.Queue)
	if x.was != h.Need.Queue {
		x.drop(dueClosing)
		h.own.Closing = false
	}
	if !h.inside() {
		x.drop(dueClosing, dueAlert)
		return
	}
	if _, armed := h.deadline(dueAlert); !armed && q.Alert > 0 {
		x.set(dueAlert, q.Alert)
	}
	if q.Closing == ClosingTurnAway && h.isHeld() {
		x.drop(dueClosing)
		return
	}
	if _, armed := h.deadline(dueClosing); armed || q.Closing == ClosingServes || q.Hours == nil {
		return
	}
	switch open, next := q.Hours.At(x.now); {
	case open && next.IsZero(): // no end in sight
	case open:
		x.setAt(dueClosing, next)
	case !h.isHeld():
		x.set(dueClosing, 0)
	}
}

// fireClosing is the end of the hours, by the schedule that holds now.
func (x *change) fireClosing() {
	h, q := &x.h, x.queue
	if q.Hours == nil || q.Closing == ClosingServes || !h.inside() {
		return
	}
	open, next := q.Hours.At(x.now)
	if open {
		return // the hours were extended: armed again
	}
	why := &UnavailableError{Queue: h.Need.Queue, Why: ReasonClosed, Opens: next}
	switch {
	case !h.isHeld():
		x.absent(OutcomeMissed, why)
	case q.Closing != ClosingEnds:
	case h.own.Closing:
		h.Closing = string(ReasonClosed)
		x.over(OutcomeResolved, NoticeEnded)
	default:
		h.own.Closing = true
		x.notice(NoticeClosing, offlineData(why))
		x.set(dueClosing, q.ClosingGrace)
	}
}

// fireAlert tells the team of a user who has had no answer for long.
func (x *change) fireAlert() {
	h := &x.h
	since := h.Enqueued
	if h.isHeld() {
		since = time.Time{}
		if len(h.Pending) > 0 {
			since = h.Pending[0].At
			if h.Joined.After(since) {
				since = h.Joined
			}
		}
	}
	if since.IsZero() || !h.inside() || x.queue.Alert < 0 {
		return
	}
	if due := since.Add(x.queue.Alert); due.After(x.now) {
		x.setAt(dueAlert, due)
		return
	}
	e := x.event(KindAlert)
	e.Agent, e.Data = h.Agent, map[string]string{"for": x.now.Sub(since).String()}
}

// askRating asks how it was, once, where the queue says so.
func (x *change) askRating() {
	h := &x.h
	if h.Asked || !h.Attended || h.Rating != nil || x.queue.AskRating == AskNever {
		return
	}
	byAgent := h.Outcome == OutcomeReturned || h.Outcome == OutcomeResolved && !h.own.Closing
	byItself := h.Outcome == OutcomeIdle || h.Outcome == OutcomeResolved
	if !byAgent && (!byItself || x.queue.AskRating != AskAtAnyEnd) {
		return
	}
	h.Asked = x.told(NoticeRate, map[string]string{"agent": h.AgentName})
}

// told shows a notice, and reports whether there were words for it.
func (x *change) told(key string, data map[string]string) bool {
	n := len(x.entries)
	x.notice(key, data)
	return len(x.entries) > n
}

// closeReason checks the reason of an ending; given is one of before.
func (q *Queue) closeReason(why, given string) error {
	if why == "" {
		if q.NeedReason && given == "" {
			return &InvalidError{Field: "Ending.Reason", Why: "is required in this queue"}
		}
		return nil
	}
	if len(q.CloseReasons) > 0 && !slices.Contains(q.CloseReasons, why) {
		return &InvalidError{Field: "Ending.Reason", Why: "is not one of the queue's reasons"}
	}
	return nil
}

// shown is how users see an agent of the queue.
func (q *Queue) shown(name string) string {
	if q.Alias != "" {
		return q.Alias
	}
	return name
}

// cFail says that the bot could not answer a turn.
type cFail struct {
	turn  Turn
	code  string
	heard heard
	facts facts
}

func (c cFail) name() string { return "fail" }

func (c cFail) apply(x *change) error {
	if err := x.current(&c.turn); err != nil {
		return err
	}
	if c.heard.then != nil {
		x.event(KindBotFailed).Data = map[string]string{"code": c.code}
		return x.hear(c.heard)
	}
	if err := x.hear(c.heard); err != nil {
		return err
	}
	x.h.Pending = slices.Clone(x.h.Pending)
	for i := range x.h.Pending {
		if p := &x.h.Pending[i]; p.Call == c.turn.Call {
			p.Due = x.now
		}
	}
	x.revoke(c.turn.Call)
	if c.heard.state != nil {
		c.facts.closed = true // the triggers know of the failure, and do not want the queue
	}
	x.botFailed(c.facts)
	x.offerPerson()
	return nil
}

// offerPerson asks the user whether he would rather talk to a person, if the
// triggers want that.
func (x *change) offerPerson() {
	if !x.h.own.Offer || x.h.State != StateBot {
		return
	}
	x.h.own.Offer = false
	if !x.rules.silent {
		x.notice(NoticeOffer, nil)
	}
}

// cCallback keeps the place of a user who wants to be called; the bot goes on
// with him meanwhile.
type cCallback struct{ want Callback }

func (c cCallback) name() string { return "call back" }

func (c cCallback) apply(x *change) error {
	h := &x.h
	want := c.want
	want.At = x.now
	h.Callback, h.LeftMessage, h.own.Intake = &want, true, nil
	e := x.add(KindLeft, Party{Role: RoleUser})
	e.Data = map[string]string{"phone": want.Phone}
	if want.When != "" {
		e.Data["when"] = want.When
	}
	x.notice(NoticeCallback, map[string]string{"phone": want.Phone})
	h.Need.BotAnswers = true
	if x.before.Role == RoleBot {
		return nil
	}
	x.control()
	if x.rules.bot && len(h.Pending) > 0 {
		e := x.event(KindCalled)
		e.Call = "b/" + strconv.FormatInt(e.Seq, 10)
		x.assign(e.Call)
	}
	return nil
}

// keepFor says how long a wish to be called still keeps its place.
func (x *change) keepFor() time.Duration {
	if x.h.Callback == nil {
		return 0
	}
	return x.h.Callback.At.Add(x.queue.KeepCallback).Sub(x.now)
}

// cAskVideo is the user's wish to be seen.
type cAskVideo struct{}

func (c cAskVideo) name() string { return "ask for video" }

func (c cAskVideo) apply(x *change) error {
	x.add(KindVideoAsked, Party{Role: RoleUser})
	return nil
}

// cVideo makes a text chat a video session, with the seats that one takes.
type cVideo struct {
	who   Actor
	units int
	seat  seat
	room  Room
}

func (c cVideo) name() string { return "video" }

func (c cVideo) apply(x *change) error {
	if err := x.holder(c.who, false); err != nil {
		return err
	}
	if x.h.Provider != "" {
		return &StateError{ID: x.h.ID, State: x.h.State, Command: c.name()}
	}
	s := c.seat
	x.h.Need.Mode, x.h.own.Units, x.h.own.Seat = ModeVideo, c.units, &s
	x.enterRoom(&c.room)
	return nil
}

// enterRoom tells both sides where the video session is.
func (x *change) enterRoom(room *Room) {
	if room == nil {
		return
	}
	x.h.Room = room
	x.h.own.Rooms++
	x.event(KindVideo).Agent = x.h.Agent
	x.notice(NoticeVideo, map[string]string{"agent": x.h.AgentName, "link": room.User})
}

type cPriority struct {
	who Actor
	n   int
}

func (c cPriority) name() string { return "priority" }

func (c cPriority) apply(x *change) error {
	x.h.Need.Priority = c.n
	x.add(KindPriority, c.who.party()).Data = map[string]string{"priority": strconv.Itoa(c.n)}
	return nil
}

// cNotify shows the words of a notice.
type cNotify struct {
	key  string
	data map[string]string
}

func (c cNotify) name() string { return "notify" }

func (c cNotify) apply(x *change) error {
	if !x.told(c.key, c.data) {
		return &InvalidError{Field: "key", Why: "has no words for this user"}
	}
	return nil
}

// cSummary keeps what a model wrote, unless somebody has written meanwhile.
type cSummary struct{ text string }

func (c cSummary) name() string { return "summary" }

func (c cSummary) apply(x *change) error {
	x.drop(dueSummary)
	if x.h.Summary == "" {
		x.h.Summary = c.text
	}
	x.event(KindSummary).Text = c.text
	return nil
}
