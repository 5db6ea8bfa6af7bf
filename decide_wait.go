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
	skip    bool // no intake
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
	h.Need, h.Reason, h.Flags, h.Summary, h.own.Units = c.need, c.reason, c.flags, c.summary, c.units
	h.Tags = mergeTags(h.Tags, c.tags, nil)
	h.Answers = mergeAnswers(h.Answers, c.answers)
	h.own.Declined, h.Dropped, h.own.Rung, h.own.Route = nil, nil, 0, 0
	x.queue = x.rules.queue(c.need.Queue)
	if x.queue.BotAnswers {
		h.Need.BotAnswers = true
	}
	h.own.QueueMax = x.queue.MaxWaiting
	x.drop(dueIdle)
	e := x.add(KindRequested, c.who)
	e.Reason, e.Data = c.reason, map[string]string{"queue": c.need.Queue}
	maps.Copy(e.Data, c.data)
	if c.note != "" {
		x.add(KindNote, c.who).Text = c.note
	}
	x.past(c.past)
	if x.rules.importing {
		h.own.Importing = true
		x.set(dueImport, 0)
	}
	if f := x.queue.Intake; f != nil && !c.skip && x.startIntake(f) {
		return
	}
	x.enter(NoticeWaiting)
}

// startIntake asks what the request did not bring along already.
func (x *change) startIntake(f *Form) bool {
	var fields []Field
	for _, fd := range f.Fields {
		if _, ok := x.h.Answers[fd.Name]; !ok {
			fields = append(fields, fd)
		}
	}
	if len(fields) == 0 {
		return false
	}
	x.to(StateIntake)
	x.h.own.Intake = &intake{Fields: fields, Host: f.Host, Required: f.Required, OnLapse: f.OnLapse}
	x.set(dueIntake, x.queue.IntakeTimeout)
	x.event(KindIntake)
	x.ask()
	return true
}

func (x *change) ask() {
	if in := x.h.own.Intake; !in.Host && in.Next < len(in.Fields) {
		f := in.Fields[in.Next]
		label := f.Label
		if label == "" {
			label = f.Name
		}
		x.notice(NoticeQuestion, map[string]string{"label": label, "field": f.Name})
	}
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
	h.own.Declined = slices.DeleteFunc(slices.Clone(h.own.Declined), func(d declined) bool { return !d.Until.After(x.now) })
	x.drop(dueCooldown)
	for _, d := range h.own.Declined {
		if at, ok := h.deadline(dueCooldown); !ok || d.Until.Before(at) {
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
	out := slices.DeleteFunc(slices.Clone(x.h.own.Declined), func(d declined) bool { return d.Agent == agent })
	out = append(out, declined{Agent: agent, Until: x.now.Add(x.queue.Cooldown), Why: why})
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
	x.drop(dueAnswer, dueImport, dueRead, dueStayOut)
	if h.Agent != "" {
		h.LastAgent = h.Agent
	}
	x.event(KindEnded).Data = map[string]string{"outcome": string(o)}
	if notice != "" {
		x.noticeAgent(notice)
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

// cAnswer answers a field of the form, or skips it.
type cAnswer struct {
	field string
	value string
	skip  bool
	back  bool // ask the field before again
	all   bool // skip what is left
}

func (c cAnswer) name() string { return "answer" }

func (c cAnswer) apply(x *change) error {
	in := *x.h.own.Intake
	x.h.own.Intake = &in
	switch {
	case c.back:
		in.Next = max(0, in.Next-1)
	case c.all:
		if in.Required || slices.ContainsFunc(in.Fields[in.Next:], func(f Field) bool { return f.Required }) {
			return &InvalidError{Field: "Answer", Why: "the form has required fields"}
		}
		in.Next = len(in.Fields)
	default:
		i := in.Next
		if c.field != "" {
			i = slices.IndexFunc(in.Fields, func(f Field) bool { return f.Name == c.field })
		}
		if i < 0 || i >= len(in.Fields) {
			return &InvalidError{Field: "Answer.Field", Why: "the form has no such field"}
		}
		f := in.Fields[i]
		if c.skip {
			if f.Required {
				return &InvalidError{Field: f.Name, Why: "is required"}
			}
		} else {
			if why := f.check(c.value); why != "" {
				return &InvalidError{Field: f.Name, Why: why}
			}
			x.h.Answers = mergeAnswers(x.h.Answers, map[string]string{f.Name: c.value})
		}
		in.Next = max(in.Next, i+1)
	}
	e := x.add(KindAnswered, Party{Role: RoleUser})
	if !c.back && !c.all && !c.skip {
		e.Data = map[string]string{"field": c.field, "answer": c.value}
	}
	if in.Next < len(in.Fields) {
		x.set(dueIntake, x.queue.IntakeTimeout)
		x.ask()
		return nil
	}
	x.h.own.Intake = nil
	x.enter(NoticeWaiting)
	return nil
}

// cCancel is the user who no longer wants a person, or has left.
type cCancel struct {
	who  Party
	left bool
}

func (c cCancel) name() string { return "cancel" }

func (c cCancel) apply(x *change) error {
	if c.left {
		x.add(KindAgentLeft, Party{Role: RoleUser}).Reason = ReasonUserLeft
		x.over(OutcomeAbandoned, "")
		return nil
	}
	x.over(OutcomeCancelled, NoticeCancelled)
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
	x.h.Refused, x.h.Reason, x.h.Need = true, c.request.reason, c.request.need
	x.h.Tags = mergeTags(x.h.Tags, c.request.tags, nil)
	e := x.add(KindRefused, c.request.who)
	e.Reason, e.Data = c.why.Why, map[string]string{"queue": c.request.need.Queue}
	return nil
}

// cTell says what the user is told about the wait.
type cTell struct{ place Place }

func (c cTell) name() string { return "tell" }

func (c cTell) apply(x *change) error {
	x.h.Place = &Told{Position: c.place.Position, Known: c.place.Known, Wait: c.place.P90, At: x.now}
	x.notice(NoticePlace, placeData(c.place))
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

func mergeAnswers(a, b map[string]string) map[string]string {
	if len(b) == 0 {
		return a
	}
	out := make(map[string]string, len(a)+len(b))
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}
