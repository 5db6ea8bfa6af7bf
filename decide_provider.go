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
	if b.Status == BindOpening && b.Tries == 0 {
		b.Status = BindClosed
		return
	}
	b.Status, b.Closing = BindOwed, x.now
	x.set(dueClose, 0)
}

// ended marks the live binding as closed by the platform itself.
func (x *change) closedThere() {
	if live := x.h.live(); live != nil {
		b := x.binding(live.Number)
		b.Status, b.To = BindClosed, x.start
	}
}

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
	x.binding(c.binding).Tries++
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
	if b == nil || b.Status == BindClosed || b.Status == BindGivenUp || b.Status == BindOpen {
		return ErrStale
	}
	b.Session, b.Bound = c.session, x.now
	e := x.event(KindBound)
	e.Data = map[string]string{"provider": b.Provider, "reference": c.session.Reference}
	if b.Status == BindOwed {
		x.set(dueClose, 0)
		return nil
	}
	b.Status = BindOpen
	if x.h.State == StateConnecting {
		x.to(StateQueued)
		if x.h.own.Rung < len(x.queue.Ladder) {
			x.setAt(dueLadder, x.h.own.LadderFrom.Add(x.queue.Ladder[x.h.own.Rung].After))
		}
	}
	x.set(dueRead, 0)
	return nil
}

// cOpenFailed is a platform that could not be opened.
type cOpenFailed struct {
	binding   int64
	code      string
	permanent bool
	ambiguous bool
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
	if !c.permanent {
		x.set(dueOpen, c.again)
		return nil
	}
	if !c.ambiguous {
		x.closedThere()
	}
	x.nextProvider()
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
	if !c.ev.At.IsZero() && c.ev.At.Before(live.At.Add(-time.Minute)) {
		return ErrStale // older than the binding; a minute for unequal clocks
	}
	ev := &c.ev
	switch ev.Kind {
	case EventQueued:
		b := x.binding(live.Number)
		b.Position, b.Wait = ev.Position, ev.Wait
		x.platform(ev)
		if x.h.State == StateConnecting {
			x.to(StateQueued)
		}
		if told := x.h.Place; ev.Position > 0 && (told == nil || told.Position != ev.Position) {
			p := Place{Position: ev.Position, Known: ev.Wait > 0, P50: ev.Wait, P90: ev.Wait}
			x.h.Place = &Told{Position: p.Position, Known: p.Known, Wait: p.P90, At: x.now}
			x.notice(NoticePlace, placeData(p))
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
		if ev.MessageID != "" && x.h.own.Known.has(hash(ev.MessageID)) {
			return ErrStale
		}
		return cReceive{said: said{id: ev.MessageID, text: ev.Text, files: ev.Files, at: ev.At}}.apply(x)
	case EventNote:
		x.add(KindNote, x.platformParty(live.Provider, ev.Agent)).Text = ev.Text
	case EventLeft:
		x.platform(ev)
		if x.h.State == StateActive || x.h.State == StateHeld {
			x.leave(ReasonPlatformLost)
			x.h.Agent, x.h.AgentName, x.h.own.Seat = "", "", nil
			x.to(StateQueued)
			x.h.own.LadderFrom, x.h.own.Rung = x.now, 0
			if len(x.queue.Ladder) > 0 {
				x.setAt(dueLadder, x.now.Add(x.queue.Ladder[0].After))
			}
		}
	case EventTransferred:
		x.platform(ev)
		x.notice(NoticeTransfer, nil)
	case EventEnded:
		x.platform(ev)
		x.closedThere()
		if x.h.Attended {
			x.over(OutcomeResolved, NoticeEnded)
		} else {
			x.over(OutcomeMissed, NoticeMissed)
		}
	case EventReturned:
		x.platform(ev)
		x.closedThere()
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
	return Party{Role: RoleAgent, ID: provider + ":" + p.ID, Name: p.Name}
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
	h.Agent, h.AgentName, h.Attended, h.Joined, h.own.Warned = p.ID, p.Name, true, x.now, false
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
	if h.State != StateBot {
		return ErrStale
	}
	h.Provider, h.Reason = c.provider, ReasonTakeOver
	h.own.NextBind++
	h.own.Bindings = append(slices.Clip(h.own.Bindings), Binding{
		Number: h.own.NextBind, Provider: c.provider, Attempt: attempt(h.ID, h.own.NextBind),
		Session: c.session, Status: BindOpen, At: x.now, Bound: x.now, From: x.start,
	})
	x.drop(dueIdle)
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
}

func (c cState) name() string { return "platform" }

func (c cState) apply(x *change) error {
	live := x.h.live()
	if live == nil || live.Number != c.binding {
		return ErrStale
	}
	ev := ProviderEvent{Kind: EventJoined, Agent: c.agent}
	switch {
	case c.state == SessionActive && x.h.State != StateActive && x.h.State != StateHeld:
		x.platformJoined(live.Provider, &ev)
	case c.state == SessionEnded:
		ev.Kind = EventEnded
		return cEvent{binding: c.binding, ev: ev}.apply(x)
	case c.state == SessionBot:
		ev.Kind = EventReturned
		return cEvent{binding: c.binding, ev: ev}.apply(x)
	default:
		x.event(KindTimer)
	}
	x.set(dueRead, c.again)
	return nil
}

// cClose is the result of closing a chat at the vendor.
type cClose struct {
	binding int64
	session Session // found by the attempt's id
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
