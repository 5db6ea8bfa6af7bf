package handoff

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// A door has the queues that somebody may come to, with why they cannot take
// him. What is not in it can.
type door map[string]*UnavailableError

// intake returns what a form is to ask: what the request did not bring along
// already. Nil: nothing. from is where the request came in, and asked its mode.
func (x *change) intake(f *Form, from target, asked Mode) *intake {
	if f == nil {
		return nil
	}
	in := &intake{Fields: f.questions(x.h.Answers), Host: f.Host, Required: f.Required, OnLapse: f.OnLapse, Asked: asked}
	if in.Next = in.from(0); in.Next == len(in.Fields) {
		return nil
	}
	if f.WhileWaiting {
		in.From = &from
	}
	return in
}

// form begins to ask, before the queue or in it.
func (x *change) form(in *intake) {
	if in.From == nil {
		x.to(StateIntake)
	}
	x.h.own.Intake = in
	x.set(dueIntake, x.queue.IntakeTimeout)
	e := x.event(KindIntake)
	if in.Ends != "" {
		e.Data = map[string]string{"outcome": string(in.Ends)}
	}
	x.ask()
}

// ask shows the question that is next, with what a page needs for buttons.
func (x *change) ask() {
	in := x.h.own.Intake
	if in.Host || in.Next >= len(in.Fields) {
		return
	}
	f := in.Fields[in.Next].Field
	shown := x.choices(&f)
	if !slices.Equal(in.Shown, shown) {
		c := *in
		c.Shown = shown
		x.h.own.Intake = &c
	}
	if x.told(NoticeQuestion, map[string]string{"label": f.label(), "field": f.Name}) {
		f.Queues, f.Skills = nil, nil // for us
		x.entries[len(x.entries)-1].Ask = &Question{Field: f, Choices: shown, Skip: !f.Required, Back: in.before() >= 0}
	}
}

// choices returns the words for the choices of a field.
func (x *change) choices(f *Field) []string {
	var out []string
	for i, c := range f.Choices {
		text := x.rules.notices.Text(Notice{
			Key: NoticeChoice, Language: x.h.Language, Queue: x.h.Need.Queue, Channel: x.h.Channel,
			Data: map[string]string{"field": f.Name, "choice": c, "number": strconv.Itoa(i + 1)},
		})
		if text == "" {
			text = c
		}
		out = append(out, text)
	}
	return out
}

func (f *Field) label() string {
	if f.Label != "" {
		return f.Label
	}
	return f.Name
}

// cAnswer answers a field of the form, or skips it.
type cAnswer struct {
	field string
	value string
	skip  bool
	back  bool // ask the field before again
	all   bool // skip what is left
	facts door
}

func (c cAnswer) name() string { return "answer" }

func (c cAnswer) apply(x *change) error {
	if x.h.own.Intake == nil {
		return &StateError{ID: x.h.ID, State: x.h.State, Command: c.name()}
	}
	was := x.h.own.Intake
	in := *was
	x.h.own.Intake = &in
	e := Entry{}
	switch {
	case c.back:
		if i := in.before(); i >= 0 {
			in.Next = i
		}
		e.Data = map[string]string{"back": "true"}
	case c.all:
		if in.Required || slices.ContainsFunc(in.Fields[in.Next:], func(q question) bool { return q.Required && !q.Given }) {
			return &InvalidError{Field: "Answer", Why: "the form has required fields"}
		}
		in.Next = len(in.Fields)
		e.Data = map[string]string{"skipped": "all"}
	default:
		i := in.index(c.field)
		if i < 0 {
			return &InvalidError{Field: "Answer.Field", Why: "the form has no such field"}
		}
		f := &in.Fields[i]
		if c.skip {
			if f.Required {
				return &InvalidError{Field: f.Name, Why: "is required"}
			}
			if _, had := x.h.Answers[f.Name]; had { // he takes it back
				x.h.Answers = maps.Clone(x.h.Answers)
				delete(x.h.Answers, f.Name)
			}
			in.done(i, false, target{})
			e.Data = map[string]string{"skipped": f.Name}
		} else {
			if why := f.check(c.value); why != "" {
				return &InvalidError{Field: f.Name, Why: why}
			}
			e.Data = x.takes(&in, i, c.value)
		}
	}
	x.add(KindAnswered, Party{Role: RoleUser}).Data = e.Data
	x.asked(was, c.facts)
	return nil
}

// takes keeps an answer, and returns it for the log.
func (x *change) takes(in *intake, i int, value string) map[string]string {
	f := &in.Fields[i]
	x.h.Answers = mergeAnswers(x.h.Answers, map[string]string{f.Name: value})
	in.done(i, true, f.leads(value))
	return map[string]string{"field": f.Name, "answer": value}
}

// asked goes on to the next question, or ends the form. was is the form of
// before.
func (x *change) asked(was *intake, d door) {
	in := x.h.own.Intake
	if in.From != nil && !x.leads(in, was, d) {
		return
	}
	if in.Next < len(in.Fields) {
		x.set(dueIntake, x.queue.IntakeTimeout)
		x.ask()
		return
	}
	x.filled(d)
}

// filled ends a form: on to the queue that the answers name, or, for one that
// was asked because nobody was there, with a message for the team.
func (x *change) filled(d door) {
	in := x.h.own.Intake
	x.h.own.Intake = nil
	switch {
	case in == nil:
		in = &intake{}
	case in.Ends != "":
		x.leftForm(in)
		return
	case in.From != nil:
		return // he waits already, where his answers led
	}
	x.goWhere(in.where(target{Queue: x.h.Need.Queue, Skills: x.h.Need.Skills}), in.Asked)
	if why := d[x.h.Need.Queue]; why != nil {
		x.absent(OutcomeUnavailable, why)
		return
	}
	x.enter(NoticeWaiting)
}

// goWhere makes the need one for t, by somebody who asked for a mode.
func (x *change) goWhere(t target, asked Mode) {
	n := &x.h.Need
	n.Skills = t.Skills
	if t.Queue == n.Queue {
		return
	}
	n.Queue = t.Queue
	x.queue = x.rules.queue(t.Queue)
	x.serve(asked)
	n.BotAnswers = x.queue.BotAnswers
	x.h.own.QueueMax = 0 // whoever is inside is not sent away at the door
}

// serve makes it a session as the queue serves users: in the mode that was asked
// for, or else in the first that there is. It takes the seats that this takes.
func (x *change) serve(asked Mode) {
	x.h.Need.Mode, x.h.own.Units = x.queue.session(asked)
}

// leads moves somebody who waits while he is asked to where his answers lead
// now, if that is another place than before; he keeps his place in time. It
// reports whether the form goes on.
func (x *change) leads(in, was *intake, d door) bool {
	old, t := was.where(*in.From), in.where(*in.From)
	if t.Queue == old.Queue || t.Queue == x.h.Need.Queue {
		if !slices.Equal(t.Skills, old.Skills) {
			x.asksFor(in.ease(t.Skills))
		}
		return true
	}
	x.withdraw(ReasonWithdrawn)
	x.goWhere(t, in.Asked)
	if why := d[t.Queue]; why != nil {
		x.h.own.Intake = nil
		x.absent(OutcomeUnavailable, why)
		return false
	}
	x.h.Dropped, in.Eased = nil, nil // who declined stays: it is the same request
	x.h.own.LadderFrom, x.h.own.Rung, x.h.own.Route = x.now, 0, 0
	x.moved()
	if len(x.queue.Providers) > 0 {
		x.h.own.Intake = nil // a platform asks for itself
	}
	x.enter("")
	return x.h.own.Intake != nil
}

// asksFor changes what somebody who waits is in line for, in the same queue: his
// answers ask for skills, less dropped, which time has taken off already. His
// place and his ladder go on; an offer to whom he was in line for is withdrawn.
func (x *change) asksFor(skills, dropped []Skill) {
	n, late := &x.h.Need, slices.DeleteFunc(slices.Clone(dropped), func(s Skill) bool { return slices.Contains(x.h.Dropped, s) })
	x.h.Dropped = dropped
	if len(late) > 0 {
		x.relaxed(late)
	}
	if slices.Equal(n.Skills, skills) {
		return
	}
	x.withdraw(ReasonWithdrawn)
	also := n.Also
	x.moved()
	n.Skills, n.Also = skills, also
	x.enter("")
}

// answerBy takes a message of the user as the answer to what the engine asks.
// One that is no answer is said to be none, and the question stays, as it does
// after a file without words.
func (x *change) answerBy(text string, d door) {
	was := x.h.own.Intake
	if was.Host || was.Next >= len(was.Fields) {
		return
	}
	in := *was
	x.h.own.Intake = &in
	f := in.Fields[in.Next]
	value := f.read(text, in.Shown)
	code, _ := f.fault(value)
	if code != "" {
		x.notice(NoticeInvalid, map[string]string{"label": f.label(), "field": f.Name, "kind": string(f.Kind), "why": code})
	}
	if code != "" || value == "" {
		x.ask()
		return
	}
	e := x.add(KindAnswered, Party{Role: RoleUser})
	e.Data = x.takes(&in, in.Next, value)
	// The message is the answer: nobody needs to answer it.
	if n := len(x.h.Pending); n > 0 {
		e.About = x.h.Pending[n-1].Seq
		x.h.Pending = slices.Clone(x.h.Pending[:n-1])
	}
	x.asked(was, d)
}

// leftForm stores what was answered as a message for the team, with what was
// known before, and ends. Who answers nothing that he is asked leaves nothing.
func (x *change) leftForm(in *intake) {
	data, done := map[string]string{}, in.from(0) == len(in.Fields)
	for i := range in.Fields {
		q := &in.Fields[i]
		if v, ok := x.h.Answers[q.Name]; ok && (q.Done || q.Given) {
			data[q.Name] = v
		}
		done = done || q.Done
	}
	if done {
		x.add(KindLeft, Party{Role: RoleUser}).Data = data
		x.h.LeftMessage = true
		x.notice(NoticeThanks, nil)
	}
	x.over(in.Ends, "")
}

// absent is for a user who waited, and whom nobody can help: the queue says
// what he is asked, and then the bot has him again.
func (x *change) absent(o Outcome, why *UnavailableError) {
	x.h.Missed = why.Why
	if o != OutcomeMissed {
		x.refused(why)
	}
	f := x.queue.Offline.Form
	switch {
	case f != nil:
		x.withdraw(ReasonWithdrawn)
		x.unbind()
		x.h.Provider = ""
		x.notice(NoticeOffline, offlineData(why))
		x.offlineForm(f, o)
	case o == OutcomeMissed && why.Why != ReasonClosed:
		x.over(o, NoticeMissed)
	default:
		if x.queue.Offline.Tell || o == OutcomeMissed {
			x.notice(NoticeOffline, offlineData(why))
		}
		x.over(o, "")
	}
}

// refused records why a queue does not take somebody.
func (x *change) refused(why *UnavailableError) {
	x.h.Refused, x.h.Missed = true, why.Why
	e := x.event(KindRefused)
	e.Reason, e.Data = why.Why, map[string]string{"queue": x.h.Need.Queue}
}

// offlineForm asks what is not known yet. Where everything is, that is the
// message.
func (x *change) offlineForm(f *Form, o Outcome) {
	in := &intake{Fields: f.questions(x.h.Answers), Required: f.Required, Ends: o, OnLapse: LapseProceed}
	if in.Next = in.from(0); in.Next == len(in.Fields) {
		x.leftForm(in)
		return
	}
	x.form(in)
}

// missed notes that nobody helped. Where nothing was left, that is a ticket of
// its own.
func (x *change) missed() {
	e := x.event(KindMissed)
	e.Reason, e.Data = x.h.Missed, map[string]string{"queue": x.h.Need.Queue}
	if x.queue.Offline.Ticket && !x.h.LeftMessage {
		e.Data["ticket"] = "wanted"
	}
}

// whyMissed says why nobody came in time.
func (x *change) whyMissed() *UnavailableError {
	why := &UnavailableError{Queue: x.h.Need.Queue, Why: ReasonTimeout}
	if d := x.h.own.Declined; x.h.OfferNo > 0 && len(d) > 0 {
		why.Why = d[len(d)-1].Why
	}
	return why
}

// offlineData returns the data of NoticeOffline and NoticeClosing.
func offlineData(why *UnavailableError) map[string]string {
	data := map[string]string{"why": string(why.Why)}
	if !why.Opens.IsZero() {
		data["opens"] = why.Opens.Format(time.RFC3339)
	}
	return data
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
