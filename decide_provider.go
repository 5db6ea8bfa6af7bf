package handoff

import (
	"slices"
	"time"
)

// connect starts an attempt to open a chat on the next platform.
func (x *change) connect(notice string) {
	h := &x.h
	h.Provider = x.queue.Providers[h.own.Route]
	if h.State != StateConnecting {
		x.to(StateConnecting)
	}
	if h.Enqueued.IsZero() {
		h.Enqueued = x.now
	}
	if h.own.LadderFrom.IsZero() {
		h.own.LadderFrom = x.now
	}
	h.own.NextBind++
	h.own.Bindings = append(slices.Clip(h.own.Bindings), Binding{
		Number: h.own.NextBind, Provider: h.Provider, Attempt: attempt(h.ID, h.own.NextBind),
		Status: BindOpening, At: x.now,
	})
	x.set(dueOpen, 0)
	x.set(dueConnect, x.queue.ConnectTime)
	e := x.event(KindAttempt)
	e.Data = map[string]string{"provider": h.Provider}
	if notice != "" {
		x.notice(NoticeConnecting, nil)
	}
	x.from()
}

// from fixes the transcript that the platform will be given: everything up to
// and including this commit.
func (x *change) from() { x.rebind = true }

// binding returns a copy of a binding that may be changed.
func (x *change) binding(number int64) *Binding {
	x.h.own.Bindings = slices.Clone(x.h.own.Bindings)
	for i := range x.h.own.Bindings {
		if x.h.own.Bindings[i].Number == number {
			return &x.h.own.Bindings[i]
		}
	}
	return nil
}

// unbind ends the live binding. What was said up to here is still delivered;
// the chat is owed a close if it was or may have been opened.
func (x *change) unbind() {
	live := x.h.live()
	if live == nil {
		return
	}
	b := x.binding(live.Number)
	b.To = x.start
	if b.Status == BindOpening && !b.Calling && !b.Unsure && b.Session.Reference == "" {
		b.Status = BindClosed // nothing can have been opened
		return
	}
	b.Status, b.Closing = BindOwed, x.now
	x.set(dueClose, 0)
}

// closedThere marks the live binding as closed by the platform itself.
func (x *change) closedThere() {
	live := x.h.live()
	if live == nil {
		return
	}
	b := x.binding(live.Number)
	b.Status, b.To = BindClosed, x.start
	if b.unanswered() {
		// What was closed may be another chat than the one that Open opens.
		b.Status, b.Closing = BindOwed, x.now
		x.set(dueClose, 0)
	}
}

// unanswered reports whether a call of Open may have opened a chat that we
// have not heard of.
func (b *Binding) unanswered() bool { return b.Bound.IsZero() && (b.Calling || b.Unsure) }

// cAttempt counts a try before the platform is called.
type cAttempt struct {
	binding int64
	again   time.Duration // when somebody else may try
}

func (c cAttempt) name() string { return "attempt" }

func (c cAttempt) apply(x *change) error {
	live := x.h.live()
	if live == nil || live.Number != c.binding || live.Status != BindOpening || x.h.own.Importing {
		return ErrStale
	}
	b := x.binding(c.binding)
	b.Unsure = b.Unsure || b.Calling // whoever called before us has not said how it went
	b.Tries, b.Calling = b.Tries+1, true
	x.set(dueOpen, c.again)
	x.event(KindAttempt).Data = map[string]string{"provider": live.Provider}
	return nil
}

// cBound stores the chat that a platform has opened.
type cBound struct {
	binding int64
	session Session
}

func (c cBound) name() string { return "bound" }

func (c cBound) apply(x *change) error {
	b := x.binding(c.binding)
	if b == nil {
		return ErrStale
	}
	known, other := b.Session.Reference == c.session.Reference, b.Session.Reference != "" && b.Session.Reference != c.session.Reference
	switch b.Status {
	case BindOpen, BindClosed, BindGivenUp:
		if known {
			return ErrStale
		}
	case BindOpening, BindOwed:
	}
	e := x.event(KindBound)
	e.Data = map[string]string{"provider": b.Provider, "reference": c.session.Reference}
	switch {
	case other && b.Status == BindOpening:
		// An event came from another chat of this attempt.
		x.stray(*b, b.Session)
	case other:
		x.stray(*b, c.session)
		return nil
	}
	b = x.binding(c.binding)
	b.Session, b.Bound, b.Calling = c.session, x.now, false
	if b.Status != BindOpening {
		// Nobody wants it any more.
		if b.Status != BindOwed {
			b.Status, b.Closing = BindOwed, x.now
		}
		x.set(dueClose, 0)
		return nil
	}
	b.Status = BindOpen
	if x.h.State == StateConnecting {
		x.queued()
	}
	x.set(dueRead, 0)
	return nil
}

// stray is a chat that was opened besides the one of its binding. It is owed a
// close, under a binding of its own that stands before the last one.
func (x *change) stray(of Binding, s Session) {
	h := &x.h
	h.own.NextBind++
	b := Binding{
		Number: h.own.NextBind, Provider: of.Provider, Session: s, Status: BindOwed,
		From: x.start, To: x.start, At: of.At, Bound: x.now, Closing: x.now,
	}
	h.own.Bindings = slices.Insert(slices.Clone(h.own.Bindings), max(0, len(h.own.Bindings)-1), b)
	x.set(dueClose, 0)
}

// queued puts the user into the platform's own queue. The ladder goes on where
// it stood.
func (x *change) queued() {
	x.to(StateQueued)
	if x.h.own.Rung < len(x.queue.Ladder) {
		x.setAt(dueLadder, x.h.own.LadderFrom.Add(x.queue.Ladder[x.h.own.Rung].After))
	}
}

// cOpenFailed is a platform that could not be opened.
type cOpenFailed struct {
	binding   int64
	code      string
	permanent bool
	ambiguous bool
	timeout   bool // no call has failed: the platform had its time
	again     time.Duration
}

func (c cOpenFailed) name() string { return "open failed" }

func (c cOpenFailed) apply(x *change) error {
	live := x.h.live()
	if live == nil || live.Number != c.binding || live.Status != BindOpening {
		return ErrStale
	}
	e := x.event(KindPlatform)
	e.Reason, e.Data = ReasonProvider, map[string]string{"provider": live.Provider, "code": c.code}
	if !c.timeout {
		b := x.binding(c.binding)
		b.Calling, b.Unsure = false, b.Unsure || c.ambiguous
	}
	switch {
	case !c.permanent:
		x.set(dueOpen, c.again)
	case x.h.State == StateConnecting || x.h.State == StateQueued:
		x.nextProvider()
	default:
		x.over(OutcomeFailed, NoticeFailed)
	}
	return nil
}

// nextProvider goes on to the queue's next platform, or back to the bot.
func (x *change) nextProvider() {
	x.unbind()
	if x.h.own.Route+1 < len(x.queue.Providers) {
		x.h.own.Route++
		x.connect("")
		return
	}
	x.over(OutcomeFailed, NoticeFailed)
}

// cEvent is something that happened on a platform.
type cEvent struct {
	binding int64
	ev      ProviderEvent
}

func (c cEvent) name() string { return "platform" }

// since is a binding's start as far as the platform's clock can tell.
func (c cEvent) apply(x *change) error {
	live := x.h.live()
	if live == nil || live.Number != c.binding {
		return ErrStale
	}
	if !c.ev.At.IsZero() && c.ev.At.Before(live.At.Add(-clockDoubt)) {
		return ErrStale // older than the binding
	}
	ev := &c.ev
	if live.Status == BindOpening && live.Session.Reference == "" && ev.Reference != "" {
		// The platform is faster than our own commit. What else the session
		// needs comes with the answer to Open, or is found.
		x.binding(live.Number).Session.Reference = ev.Reference
	}
	switch ev.Kind {
	case EventQueued:
		b := x.binding(live.Number)
		b.Position, b.Wait = ev.Position, ev.Wait
		x.platform(ev)
		if x.h.State == StateConnecting {
			x.queued()
		}
		if x.h.State != StateQueued {
			break // late: an agent has the user, who is told no place
		}
		told := x.h.Place
		if ev.Position > 0 && (told == nil || told.Position != ev.Position) || ev.Position == 0 && ev.Wait > 0 && (told == nil || told.P50 != ev.Wait) {
			told := &Told{Position: ev.Position, Known: ev.Wait > 0, P50: ev.Wait, P90: ev.Wait, At: x.now}
			if !told.Known {
				told.Why = ReasonProvider
			}
			x.h.Place = told
			x.notice(NoticePlace, told.data(x.queue.WaitAs))
		}
	case EventJoined:
		x.platformJoined(live.Provider, ev)
	case EventMessage:
		if x.h.State != StateActive && x.h.State != StateHeld {
			x.platformJoined(live.Provider, ev)
		}
		x.agentSays(x.platformParty(live.Provider, ev.Agent), Message{ID: ev.MessageID, Text: ev.Text, Files: ev.Files})
		x.entries[len(x.entries)-1].Past = x.rules.custody[live.Provider] == CustodyConversation
	case EventUserMessage:
		if x.rules.custody[live.Provider] != CustodyConversation || x.h.own.Known.has(hash(ev.MessageID)) {
			return ErrStale // an echo, or known already
		}
		return cReceive{said: said{id: ev.MessageID, text: ev.Text, files: ev.Files, at: ev.At}}.apply(x)
	case EventNote:
		x.add(KindNote, x.platformParty(live.Provider, ev.Agent)).Text = ev.Text
	case EventLeft:
		x.platform(ev)
		if x.h.State == StateActive || x.h.State == StateHeld {
			x.leave(ReasonPlatformLost)
			x.withdraw(ReasonWithdrawn)
			x.h.Agent, x.h.AgentName, x.h.own.Seat = "", "", nil
			x.h.own.LadderFrom, x.h.own.Rung = x.now, 0
			x.queued()
		}
	case EventTransferred:
		x.platform(ev)
		x.notice(NoticeTransfer, nil)
	case EventEnded:
		x.platform(ev)
		x.closedThere()
		if x.h.Attended || ev.Agent.ID != "" {
			// Who ended it had it, even if the news of that is still to come.
			x.afterEnd(-1)
			x.over(OutcomeResolved, NoticeEnded)
		} else {
			x.over(OutcomeMissed, NoticeMissed)
		}
	case EventReturned:
		x.platform(ev)
		if ev.Text != "" {
			x.add(KindReturned, x.platformParty(live.Provider, ev.Agent)).Text = ev.Text
		}
		if !ev.StillOpen {
			x.closedThere()
		}
		x.over(OutcomeReturned, NoticeReturned)
	case EventFailed:
		x.platform(ev)
		if x.h.State == StateConnecting || x.h.State == StateQueued {
			x.nextProvider()
		} else {
			x.over(OutcomeFailed, NoticeFailed)
		}
	default:
		return ErrStale
	}
	return nil
}

func (x *change) platform(ev *ProviderEvent) {
	e := x.event(KindPlatform)
	e.Data = map[string]string{"event": string(ev.Kind)}
	if ev.Code != "" {
		e.Data["code"] = ev.Code
	}
}

// platformParty names a platform's agent so that he cannot be mistaken for
// one of ours.
func (x *change) platformParty(provider string, p Party) Party {
	return Party{Role: RoleAgent, ID: provider + ":" + p.ID, Name: x.queue.shown(p.Name)}
}

func (x *change) platformJoined(provider string, ev *ProviderEvent) {
	h := &x.h
	p := x.platformParty(provider, ev.Agent)
	if h.State == StateActive && h.Agent == p.ID {
		x.platform(ev)
		return
	}
	if h.Agent != "" {
		x.leave(ReasonTransferred)
	}
	x.to(StateActive)
	h.Agent, h.AgentName, h.Joined, h.own.Warned = p.ID, p.Name, x.now, false
	x.attend()
	x.drop(dueAnswer)
	e := x.add(KindJoined, p)
	e.Agent = p.ID
	x.noticeAgent(NoticeJoined)
	x.armActive()
}

// cControl is a platform taking control of a conversation that the bot had,
// with or without an actor.
type cControl struct {
	provider string
	session  Session
	ev       ProviderEvent
}

func (c cControl) name() string { return "take over" }

func (c cControl) apply(x *change) error {
	h := &x.h
	switch h.State {
	case StateBot, StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued:
	default:
		return ErrStale // a person has the user, or nobody may any more
	}
	x.withdraw(ReasonTakeOver)
	x.unbind()
	if h.Reason == "" {
		h.Reason = ReasonTakeOver
	}
	h.Provider, h.own.Intake, h.own.Importing = c.provider, nil, false
	h.own.NextBind++
	h.own.Bindings = append(slices.Clip(h.own.Bindings), Binding{
		Number: h.own.NextBind, Provider: c.provider, Attempt: attempt(h.ID, h.own.NextBind),
		Session: c.session, Status: BindOpen, At: x.now, Bound: x.now, From: x.start,
	})
	x.drop(dueImport)
	x.platformJoined(c.provider, &c.ev)
	if c.ev.Kind == EventMessage {
		x.agentSays(x.platformParty(c.provider, c.ev.Agent), Message{ID: c.ev.MessageID, Text: c.ev.Text, Files: c.ev.Files})
		x.entries[len(x.entries)-1].Past = true
	}
	x.set(dueRead, 0)
	return nil
}

// cState is what a platform says about a session when it is asked.
type cState struct {
	binding int64
	state   SessionState
	agent   Party
	again   time.Duration
	version int64   // of the handoff when the platform was asked
	session Session // renewed; without a reference it is as it was
}

func (c cState) name() string { return "platform" }

func (c cState) apply(x *change) error {
	live := x.h.live()
	if live == nil || live.Number != c.binding {
		return ErrStale
	}
	if c.session.Reference == live.Session.Reference && c.session.Reference != "" {
		x.binding(c.binding).Session = c.session
	}
	if s := &x.h.live().Session; !s.Expires.IsZero() {
		if in := s.refreshIn(x.now); c.again == Never || in < c.again {
			c.again = in
		}
	}
	ev := ProviderEvent{Agent: c.agent}
	has := x.h.State == StateActive || x.h.State == StateHeld
	if x.h.Version != c.version && c.state != SessionEnded && c.state != SessionBot {
		// Something has come since the platform was asked; it may be newer.
		x.event(KindTimer)
		x.set(dueRead, min(c.again, time.Second))
		return nil
	}
	switch {
	case c.state == SessionActive && (!has || c.agent.ID != "" && x.platformParty(live.Provider, c.agent).ID != x.h.Agent):
		ev.Kind = EventJoined
	case c.state == SessionQueued && has:
		ev.Kind = EventLeft
	case c.state == SessionEnded:
		ev.Kind = EventEnded
	case c.state == SessionBot:
		ev.Kind = EventReturned
	default:
		x.event(KindTimer)
	}
	if ev.Kind != "" {
		if err := (cEvent{binding: c.binding, ev: ev}).apply(x); err != nil {
			return err
		}
	}
	if x.h.live() == nil {
		return nil
	}
	x.set(dueRead, c.again)
	return nil
}

// cTicket is a ticket that a platform made of a message that was left.
type cTicket struct {
	who       Party
	entry     int64 // 0: made by hand
	provider  string
	reference string
}

func (c cTicket) name() string { return "ticket" }

func (c cTicket) apply(x *change) error {
	e := x.add(KindTicket, c.who)
	e.About, e.Data = c.entry, map[string]string{"provider": c.provider, "reference": c.reference}
	return nil
}

// cClose is the result of closing a chat at the vendor.
type cClose struct {
	binding int64
	session Session // found by the attempt's id
	stray   Session // found by it too, while the binding has another chat
	done    bool
	gaveUp  bool
	again   time.Duration
	code    string
}

func (c cClose) name() string { return "close" }

func (c cClose) apply(x *change) error {
	b := x.binding(c.binding)
	if b == nil || b.Status != BindOwed {
		return ErrStale
	}
	if c.session.Reference != "" {
		b.Session = c.session
	}
	if s := c.stray; s.Reference != "" && !slices.ContainsFunc(x.h.own.Bindings, func(o Binding) bool { return o.Session.Reference == s.Reference }) {
		x.stray(*b, s)
		b = x.binding(c.binding)
	}
	kind := KindTimer
	switch {
	case c.done:
		b.Status, kind = BindClosed, KindClosed
	case c.gaveUp:
		b.Status, kind = BindGivenUp, KindGaveUp
	}
	b.Tries++
	e := x.event(kind)
	e.Data = map[string]string{"provider": b.Provider}
	if c.code != "" {
		e.Data["code"] = c.code
	}
	x.drop(dueClose)
	if slices.ContainsFunc(x.h.own.Bindings, func(b Binding) bool { return b.Status == BindOwed }) {
		x.set(dueClose, c.again)
	}
	return nil
}
