package handoff

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// cRequest asks for a person.
type cRequest struct {
	who     Party
	turn    *Turn // when the bot asks
	need    Need
	about   about
	reason  Reason
	flags   []string
	tags    []string
	note    string
	summary string
	data    map[string]string
	answers map[string]string
	past    []Past
	units   int
	asked   Mode    // what was asked for; need.Mode is how its queue serves it
	skip    bool    // no intake
	wanted  string  // the queue that was asked for; empty: the need's
	from    *target // where it came in, if the answers lead elsewhere; nil: the need says it
}

func (c cRequest) name() string { return "request" }

func (c cRequest) apply(x *change) error {
	// In a handoff that is being opened, the engine has checked the turn
	// against the one before.
	if c.turn != nil && x.h.Version > 0 {
		if err := x.current(c.turn); err != nil {
			return err
		}
	}
	x.request(&c)
	return nil
}

func (x *change) request(c *cRequest) {
	h := &x.h
	x.learn(c.about)
	h.Need, h.Reason, h.own.Units = c.need, c.reason, c.units
	h.own.Declined, h.Dropped, h.own.Rung, h.own.Route = nil, nil, 0, 0
	h.own.Reopen, h.own.Offer, h.Missed = nil, false, ""
	x.queue = x.rules.queue(c.need.Queue)
	if x.queue.BotAnswers {
		h.Need.BotAnswers = true
	}
	h.own.QueueMax = x.queue.MaxWaiting
	x.drop(dueIdle)
	e := x.add(KindRequested, c.who)
	e.Reason, e.Data = c.reason, c.entryData()
	x.bring(c)
	if x.rules.importing {
		h.own.Importing = true
		x.set(dueImport, 0)
	}
	if x.rules.summaries && h.Summary == "" {
		x.set(dueSummary, 0)
	}
	from := target{Queue: c.need.Queue, Skills: c.need.Skills}
	if c.from != nil {
		from = *c.from
	}
	in := x.intake(x.rules.queue(from.Queue).Intake, from, c.asked)
	if c.skip || len(x.queue.Providers) > 0 && c.from != nil {
		in = nil // nothing is to be asked, or a platform asks for itself
	}
	if in != nil && in.From == nil {
		x.form(in)
		return
	}
	x.enter(NoticeWaiting)
	if in != nil && x.h.State == StateWaiting {
		x.form(in)
	}
}

// entryData returns the data of the request's own entry.
func (c *cRequest) entryData() map[string]string {
	data := map[string]string{"queue": c.need.Queue}
	maps.Copy(data, c.data)
	if c.wanted != "" && c.wanted != c.need.Queue {
		data["diverted_from"] = c.wanted
	}
	return data
}

// bring keeps what a request brings for whoever helps: an agent, or whoever
// reads the ticket of one that was refused.
func (x *change) bring(c *cRequest) {
	h := &x.h
	h.Flags, h.Summary = c.flags, c.summary
	h.Tags = mergeTags(h.Tags, c.tags, nil)
	h.Answers = mergeAnswers(h.Answers, c.answers)
	if c.note != "" {
		x.add(KindNote, c.who).Text = c.note
	}
	x.past(c.past)
}

// enter puts the handoff into its queue: our own, or a platform's.
func (x *change) enter(notice string) {
	h := &x.h
	if len(x.queue.Providers) > 0 {
		x.connect(notice)
		return
	}
	h.Provider = ""
	x.to(StateWaiting)
	if h.Enqueued.IsZero() {
		h.Enqueued = x.now
	}
	if h.own.LadderFrom.IsZero() {
		h.own.LadderFrom = x.now
	}
	x.armWait()
	x.event(KindEnqueued).Data = map[string]string{"queue": h.Need.Queue}
	switch {
	case notice == "":
	case h.Need.Mode == ModeVideo:
		x.notice(notice, map[string]string{"mode": string(ModeVideo)})
	default:
		x.notice(notice, nil)
	}
}

// armWait sets the deadlines of waiting.
func (x *change) armWait() {
	h := &x.h
	if h.own.Rung < len(x.queue.Ladder) {
		x.setAt(dueLadder, h.own.LadderFrom.Add(x.queue.Ladder[h.own.Rung].After))
	}
	x.drop(dueCooldown)
	h.own.Declined = slices.DeleteFunc(slices.Clone(h.own.Declined), func(d declined) bool {
		return !d.Until.After(x.now) && !h.refused(d.Agent)
	})
	for _, d := range h.own.Declined {
		if at, ok := h.deadline(dueCooldown); d.Until.After(x.now) && (!ok || d.Until.Before(at)) {
			x.setAt(dueCooldown, d.Until)
		}
	}
}

// back returns the handoff to its original place.
func (x *change) back() {
	x.unbind()
	x.h.Provider = ""
	x.h.Agent, x.h.AgentName, x.h.own.Seat, x.h.Joined = "", "", nil, time.Time{}
	x.h.own.AwaySince = time.Time{}
	x.to(StateWaiting)
	if x.h.Enqueued.IsZero() {
		x.h.Enqueued = x.now
	}
	if x.h.own.LadderFrom.IsZero() {
		x.h.own.LadderFrom = x.now
	}
	x.armWait()
}

// moved says that the line is another one: what was told of the old one says
// nothing about it.
func (x *change) moved() {
	x.h.own.Moved = x.h.own.Moved || x.h.Place != nil
	x.h.own.Lined, x.h.Place, x.h.Need.Also = x.now, nil, nil
}

// requeue returns a handoff that an agent had. The ladder starts again; the
// place does not.
func (x *change) requeue(why Reason) {
	h := &x.h
	e := x.event(KindAgentLeft)
	e.Agent, e.Reason = h.Agent, why
	h.LastAgent = h.Agent
	h.Stretch.Requeues++
	h.own.LadderFrom, h.own.Rung, h.own.Route = x.now, 0, 0
	x.back()
	x.notice(NoticeRequeued, nil)
}

// coolDown keeps an agent from being asked again at once.
func (x *change) coolDown(agent string, why Reason) {
	if x.queue.Cooldown < 0 {
		return
	}
	refused := x.h.refused(agent) || why == ReasonDeclined || why == ReasonRequeued
	out := slices.DeleteFunc(slices.Clone(x.h.own.Declined), func(d declined) bool { return d.Agent == agent })
	out = append(out, declined{Agent: agent, Until: x.now.Add(x.queue.Cooldown), Why: why, Refused: refused})
	x.h.own.Declined = out
}

// cooling returns why an agent must not be asked now, if so.
func (h *Handoff) cooling(agent string, now time.Time) (declined, bool) {
	for _, d := range h.own.Declined {
		if d.Agent == agent && d.Until.After(now) {
			return d, true
		}
	}
	return declined{}, false
}

// over ends the stretch: the conversation is free again, and the next handoff
// is owed from this commit on.
func (x *change) over(o Outcome, notice string) {
	h := &x.h
	x.withdraw(ReasonWithdrawn)
	// A hold may have given the seat back; there is no wrap-up without one.
	wrap := h.own.Seat != nil && h.Provider == "" && x.queue.Wrapup > 0
	h.Outcome, h.own.NextOwed, h.own.Importing, h.own.Intake = o, true, false, nil
	x.unbind()
	x.drop(dueAnswer, dueImport, dueRead, dueStayOut, dueSummary)
	if o == OutcomeFailed && h.Missed == "" && !h.Attended {
		h.Missed = ReasonProvider
	}
	if h.Agent != "" {
		h.LastAgent = h.Agent
	}
	x.event(KindEnded).Data = map[string]string{"outcome": string(o)}
	if notice != "" {
		x.noticeAgent(notice)
	}
	x.askRating()
	if h.Missed != "" && !h.Attended {
		x.missed()
	}
	x.set(dueNext, 0)
	if wrap {
		x.to(StateWrapup)
		x.set(dueWrapup, x.queue.Wrapup)
		return
	}
	x.end()
}

// end is the last state.
func (x *change) end() {
	x.to(StateEnded)
	x.h.Ended, x.h.own.Seat = x.now, nil
	x.keep(x.rules.keepEnded)
}

// withdraw takes back every offer.
func (x *change) withdraw(why Reason) {
	for _, o := range x.h.Offers {
		e := x.event(KindWithdrawn)
		e.Agent, e.Reason, e.Data = o.Agent, why, offerData(o)
	}
	x.h.Offers = nil
	x.drop(dueOffer)
}

func offerData(o Offer) map[string]string {
	return map[string]string{"offer": strconv.FormatInt(o.Number, 10)}
}

// cCancel is the user who no longer wants a person, or has left.
type cCancel struct {
	who  Party
	left bool
}

func (c cCancel) name() string { return "cancel" }

func (c cCancel) apply(x *change) error {
	if in := x.h.own.Intake; in != nil && in.Ends != "" {
		x.over(in.Ends, "") // nobody was there: that stays so
		return nil
	}
	if c.left {
		x.add(KindAgentLeft, Party{Role: RoleUser}).Reason = ReasonUserLeft
		x.over(OutcomeAbandoned, "")
		return nil
	}
	notice := NoticeCancelled
	if x.h.Attended {
		notice = NoticeEnded // it was more than a request by then
	}
	x.over(OutcomeCancelled, notice)
	return nil
}

// cRefuse records a request that was refused at the door. The bot keeps
// control and its turn.
type cRefuse struct {
	request cRequest
	why     *UnavailableError
}

func (c cRefuse) name() string { return "refuse" }

func (c cRefuse) apply(x *change) error {
	if c.request.turn != nil && x.h.Version > 0 {
		if err := x.current(c.request.turn); err != nil {
			return err
		}
	}
	x.learn(c.request.about)
	h := &x.h
	h.Refused, h.Missed, h.Reason, h.Need = true, c.why.Why, c.request.reason, c.request.need
	h.own.Reopen, h.own.Offer = nil, false
	e := x.add(KindRefused, c.request.who)
	e.Reason, e.Data = c.why.Why, c.request.entryData()
	x.bring(&c.request)
	x.queue = x.rules.queue(h.Need.Queue)
	if f := x.queue.Offline.Form; f != nil && !c.request.skip {
		x.drop(dueIdle)
		x.notice(NoticeOffline, offlineData(c.why))
		x.offlineForm(f, OutcomeUnavailable)
		return nil
	}
	if x.queue.Offline.Tell {
		x.notice(NoticeOffline, offlineData(c.why))
	}
	x.missed()
	return nil
}

// cTell says what the user is told about the wait.
type cTell struct{ told Told }

func (c cTell) name() string { return "tell" }

func (c cTell) apply(x *change) error {
	told := c.told
	told.At = x.now
	x.h.Place, x.h.own.Moved = &told, false
	x.notice(NoticePlace, told.data(x.queue.WaitAs))
	if len(x.entries) == 0 {
		x.event(KindTimer)
	}
	return nil
}

// cOffer asks agents.
type cOffer struct {
	to        []candidate
	broadcast bool
	by        Party // a supervisor who assigned it; zero for the engine
}

// candidate is an agent with the facts that deciding needs.
type candidate struct {
	agent string
	shown string
	seat  seat
	why   string
	room  *Room // for a need of video
}

func (c cOffer) name() string { return "offer" }

func (c cOffer) apply(x *change) error {
	if x.h.own.Importing {
		return &StateError{ID: x.h.ID, State: x.h.State, Command: c.name()}
	}
	x.offer(c.to, c.broadcast, false, c.by)
	return nil
}

func (x *change) offer(to []candidate, broadcast, warm bool, by Party) {
	h := &x.h
	h.Offers = slices.Clip(h.Offers)
	for _, k := range to {
		h.OfferNo++
		o := Offer{Number: h.OfferNo, Agent: k.agent, Warm: warm, Broadcast: broadcast, Why: k.why, Seat: k.seat}
		if x.queue.OfferTimeout >= 0 {
			o.Deadline = x.now.Add(x.queue.OfferTimeout)
		} else {
			o.Deadline = x.now.Add(look)
		}
		h.Offers = append(h.Offers, o)
		if by.Role == "" {
			by = Party{Role: RoleEngine}
		}
		e := x.add(KindOffered, by)
		e.Agent, e.Data = k.agent, offerData(o)
		e.Data["why"] = k.why
	}
	if !warm {
		x.to(StateOffered)
	}
	x.armOffer()
}

// armOffer sets the deadline of the offer that lapses first.
func (x *change) armOffer() {
	x.drop(dueOffer)
	for _, o := range x.h.Offers {
		if at, ok := x.h.deadline(dueOffer); !ok || o.Deadline.Before(at) {
			x.setAt(dueOffer, o.Deadline)
		}
	}
}

func mergeTags(tags, add, remove []string) []string {
	out := slices.Clone(tags)
	for _, t := range add {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return slices.DeleteFunc(out, func(t string) bool { return slices.Contains(remove, t) })
}
