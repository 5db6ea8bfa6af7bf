package handoff

import (
	"slices"
	"strconv"
	"time"
)

// cFire is a deadline that has come. Firing late or twice is harmless: the
// entry's id is made of the deadline, and what has changed since decides.
type cFire struct {
	kind  string
	facts facts
}

// facts are what the world looked like when a deadline fired.
type facts struct {
	couldNot   map[string]bool // offered agents who could not accept
	online     bool            // the holder is there
	awaySince  time.Time       // since when he is not
	full       bool            // the holder has no free seat
	seat       seat            // the holder's, to claim again
	packetOwed bool            // the bot was not told yet
	closed     bool            // the queue for failing bots cannot take anybody
	door       door            // what the queue of a form that lapses can
}

func (c cFire) name() string { return "fire" }

func (c cFire) apply(x *change) error {
	at, ok := x.h.deadline(c.kind)
	if !ok || at.After(x.now) {
		return ErrStale
	}
	x.drop(c.kind)
	switch c.kind {
	case dueOffer:
		x.fireOffer(c.facts)
	case dueLadder:
		x.fireLadder()
	case dueIntake:
		if x.h.own.Intake != nil && x.h.own.Intake.OnLapse == LapseCancel {
			x.over(OutcomeCancelled, NoticeCancelled)
			break
		}
		x.filled(c.facts.door)
	case dueFirstReply:
		x.coolDown(x.h.Agent, ReasonNoReply)
		x.withdraw(ReasonWithdrawn)
		x.requeue(ReasonNoReply)
	case dueAnswer:
		x.fireAnswer(c.facts)
	case dueIdle:
		x.fireIdle(c.facts)
	case dueHold:
		x.fireHold(c.facts)
	case dueWrapup:
		x.event(KindEnded).Data = map[string]string{"outcome": string(x.h.Outcome)}
		x.end()
	case dueGrace:
		x.fireGrace(c.facts)
	case dueStayOut:
		x.fireStayOut()
	case dueCooldown:
		x.armWait()
	case dueClosing:
		x.fireClosing()
	case dueAlert:
		x.fireAlert()
	default:
		return ErrStale // the others have commands of their own
	}
	if len(x.entries) == 0 {
		x.event(KindTimer).Data = map[string]string{"deadline": c.kind}
	}
	return nil
}

func (x *change) fireOffer(f facts) {
	for i := 0; i < len(x.h.Offers); {
		o := x.h.Offers[i]
		if o.Deadline.After(x.now) {
			i++
			continue
		}
		e := x.event(KindLapsed)
		e.Agent, e.Reason, e.Data = o.Agent, ReasonLapsed, offerData(o)
		if f.couldNot[o.Agent] {
			e.Reason = ReasonCouldNot
		} else {
			x.coolDown(o.Agent, ReasonLapsed)
		}
		x.dropOffer(i)
	}
	x.rearm()
}

func (x *change) fireLadder() {
	h := &x.h
	if h.own.Rung >= len(x.queue.Ladder) {
		return
	}
	rung := x.queue.Ladder[h.own.Rung]
	h.own.Rung++
	switch rung.Do {
	case RelaxSkills, RelaxLevels:
		x.relax(eased{Do: rung.Do, By: rung.By})
	case Widen:
		x.widen(rung.Queue)
	case Overflow:
		x.event(KindLadder).Data = map[string]string{"action": string(rung.Do), "queue": rung.Queue}
		h.Need.Queue = rung.Queue
		x.queue = x.rules.queue(rung.Queue)
		x.serve(h.Need.Mode)
		x.moved()
		h.own.LadderFrom, h.own.Rung, h.own.Route, h.own.QueueMax = x.now, 0, 0, 0
		x.unbind()
		x.enter("")
		return
	case NextProvider:
		x.event(KindLadder).Data = map[string]string{"action": string(rung.Do)}
		if h.own.Route+1 < len(x.queue.Providers) {
			h.own.Route++
			x.unbind()
			x.connect("")
			return
		}
	case Tell:
		x.notice(rung.Notice, nil)
	case AskMessage:
		x.event(KindLadder).Data = map[string]string{"action": string(rung.Do)}
		x.notice(NoticeMessage, nil)
	case ToBot:
		if keep := x.keepFor(); keep > 0 {
			h.own.Rung--
			x.set(dueLadder, keep)
			return
		}
		x.absent(OutcomeMissed, x.whyMissed())
		return
	}
	x.armWait()
}

// fireAnswer is the bot timeout: a message is handed out once more, and then
// the bot has failed.
func (x *change) fireAnswer(f facts) {
	h := &x.h
	if h.Controller().Role != RoleBot {
		return
	}
	const most = 1 // resumes
	var again, failed bool
	out := slices.Clone(h.Pending)
	id := "b/" + strconv.FormatInt(h.Seq+1, 10)
	for i := range out {
		p := &out[i]
		switch {
		case !p.Due.IsZero() && p.Due.After(x.now) || p.Due.IsZero() && h.State != StateBot:
		case x.rules.bot && p.Resumes < most:
			x.revoke(p.Call)
			p.Call, p.Resumes, p.Due = id, p.Resumes+1, x.now.Add(x.rules.botTimeout)
			again = true
		case h.State != StateBot:
			// The bot only fills the time until a person comes.
			x.revoke(p.Call)
			p.Call, p.Due = "", time.Time{}
		default:
			failed = true
		}
	}
	h.Pending = out
	if again {
		e := x.event(KindCalled)
		e.Call = id
		h.own.Calls = append(slices.Clip(h.own.Calls), call{ID: id, At: x.now})
		x.trimCalls()
	}
	if failed {
		x.botFailed(f)
	}
	x.dueAnswer()
}

// revoke ends a call whose messages were moved to another one.
func (x *change) revoke(id string) {
	x.h.own.Calls = slices.DeleteFunc(slices.Clone(x.h.own.Calls), func(c call) bool { return c.ID == id })
}

// botFailed escalates, or tells the user that there is no answer.
func (x *change) botFailed(f facts) {
	h := &x.h
	h.own.Failures++
	x.event(KindBotFailed).Data = map[string]string{"failures": strconv.Itoa(h.own.Failures)}
	const most = 3 // escalations in a row, so that bot and queue do not play ball
	if q := x.rules.botQueue; q != "" && !f.closed && h.own.Failures <= most && h.State == StateBot {
		need := Need{Queue: q, Language: h.Need.Language}
		x.request(&cRequest{who: Party{Role: RoleEngine}, need: need, reason: ReasonBotFailed, skip: true})
		return
	}
	x.settle(func(p Pending) bool {
		if !p.Due.IsZero() && p.Due.After(x.now) {
			return true
		}
		x.event(KindUnanswered).About = p.Seq
		return false
	})
	x.notice(NoticeUnanswered, nil)
}

func (x *change) fireIdle(f facts) {
	h := &x.h
	if h.State == StateBot {
		last := h.Created
		for _, t := range []time.Time{h.LastUser, h.LastSaid} {
			if t.After(last) {
				last = t
			}
		}
		switch at := last.Add(x.rules.botIdle); {
		case len(h.Pending) > 0 || f.packetOwed || !h.StayOut.IsZero():
			x.set(dueIdle, max(x.rules.botIdle, time.Minute))
		case at.After(x.now):
			x.setAt(dueIdle, at)
		default:
			x.contain()
		}
		return
	}
	switch at := x.idleAt(); {
	case at.After(x.now):
		x.setAt(dueIdle, at)
	case !h.own.Warned && x.queue.IdleWarning > 0 && x.queue.IdleWarning < x.queue.IdleTimeout:
		h.own.Warned = true
		x.notice(NoticeIdle, nil)
		x.armActive()
	default:
		x.over(OutcomeIdle, NoticeEnded)
	}
}

func (x *change) fireHold(f facts) {
	if x.h.own.Seat == nil && f.full {
		x.lost(ReasonTimeout)
		return
	}
	x.resume(f.seat, Party{Role: RoleEngine})
}

func (x *change) fireGrace(f facts) {
	h := &x.h
	switch {
	case f.online:
		h.own.AwaySince = time.Time{}
		x.event(KindAgentBack).Agent = h.Agent
	case f.awaySince.Add(x.queue.AgentGrace).After(x.now):
		h.own.AwaySince = f.awaySince
		x.regrace()
	case h.State == StateWrapup:
		x.event(KindEnded).Data = map[string]string{"outcome": string(h.Outcome)}
		x.end()
	default:
		x.lost(ReasonAgentLost)
	}
}

// lost takes the handoff from an agent who can no longer have it. A warm offer
// that is out becomes an ordinary one.
func (x *change) lost(why Reason) {
	h := &x.h
	if len(h.Offers) == 0 {
		x.requeue(why)
		return
	}
	offers := slices.Clone(h.Offers)
	e := x.event(KindAgentLeft)
	e.Agent, e.Reason = h.Agent, why
	h.LastAgent = h.Agent
	h.Stretch.Requeues++
	h.own.LadderFrom, h.own.Rung = x.now, 0
	x.back()
	x.to(StateOffered)
	for i := range offers {
		offers[i].Warm = false
	}
	h.Offers = offers
	x.armOffer()
	x.notice(NoticeRequeued, nil)
}

func (x *change) fireStayOut() {
	h := &x.h
	h.StayOut = time.Time{}
	e := x.event(KindCalled)
	if x.h.Controller().Role != RoleBot {
		// Somebody was asked for meanwhile. The bot is told what was, and gets
		// no turn.
		if h.own.Packet != nil && x.rules.bot {
			x.owed(sinkPacket, sinkPacket, e.Seq)
		}
		return
	}
	x.control()
	x.dueAnswer()
	if h.own.Packet != nil {
		x.handOut("packet")
		return
	}
	if x.rules.bot {
		e.Call = "b/" + strconv.FormatInt(e.Seq, 10)
		x.assign(e.Call)
	}
}

// cAway notes that presence has lost the agent. Grace decides later; an offer
// goes back at once.
type cAway struct {
	agent string
	since time.Time
}

func (c cAway) name() string { return "away" }

func (c cAway) apply(x *change) error {
	h := &x.h
	if i := slices.IndexFunc(h.Offers, func(o Offer) bool { return o.Agent == c.agent }); i >= 0 {
		e := x.event(KindLapsed)
		e.Agent, e.Reason, e.Data = c.agent, ReasonCouldNot, offerData(h.Offers[i])
		x.dropOffer(i)
		if c.agent != h.Agent {
			return nil
		}
	}
	if h.Agent != c.agent || h.Provider != "" || !h.own.AwaySince.IsZero() {
		if len(x.entries) == 0 {
			return ErrStale
		}
		return nil
	}
	h.own.AwaySince = c.since
	e := x.event(KindAgentAway)
	e.Agent = c.agent
	x.regrace()
	return nil
}

// cBack notes that he is there again.
type cBack struct{ agent string }

func (c cBack) name() string { return "back" }

func (c cBack) apply(x *change) error {
	if x.h.Agent != c.agent || x.h.own.AwaySince.IsZero() {
		return ErrStale
	}
	x.h.own.AwaySince = time.Time{}
	x.drop(dueGrace)
	x.event(KindAgentBack).Agent = c.agent
	return nil
}

// cOpened notes that the next handoff exists.
type cOpened struct{}

func (c cOpened) name() string { return "opened" }

func (c cOpened) apply(x *change) error {
	if !x.h.own.NextOwed {
		return ErrStale
	}
	x.h.own.NextOwed = false
	x.drop(dueNext)
	x.event(KindNext)
	return nil
}

// cUndelivered notes that a receiver did not get an entry and will not.
type cUndelivered struct {
	sink   string
	entry  int64
	code   string
	unsure bool // it may have been shown
}

func (c cUndelivered) name() string { return "undelivered" }

func (c cUndelivered) apply(x *change) error {
	e := x.event(KindUndelivered)
	e.About = c.entry
	e.Data = map[string]string{"sink": c.sink, "code": c.code}
	if c.unsure {
		e.Data["unsure"] = "true"
	}
	if b := x.h.live(); b != nil && b.Status == BindOpen && b.cursor() == c.sink {
		if _, ok := x.h.deadline(dueRead); ok {
			x.set(dueRead, 0) // the chat may be over there
		}
	}
	return nil
}

// cGiveUp stops owing anything to a receiver that nobody serves.
type cGiveUp struct {
	cursors []string
	again   time.Duration // when to look again; Never if nothing is owed
}

func (c cGiveUp) name() string { return "give up" }

func (c cGiveUp) apply(x *change) error {
	x.set(dueAudit, c.again)
	x.h.own.Owed = slices.DeleteFunc(slices.Clone(x.h.own.Owed), func(o Owed) bool { return slices.Contains(c.cursors, o.Cursor) })
	if len(c.cursors) == 0 {
		x.event(KindTimer)
	}
	for _, name := range c.cursors {
		x.event(KindGaveUp).Data = map[string]string{"sink": name}
	}
	return nil
}
