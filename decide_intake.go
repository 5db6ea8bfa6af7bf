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
// already. Nil: nothing. from is where the request came in.
func (x *change) intake(f *Form, from target) *intake {
	if f == nil {
		return nil
	}
	in := &intake{Host: f.Host, Required: f.Required, OnLapse: f.OnLapse}
	for i := range f.Fields {
		fd := &f.Fields[i]
		if v, ok := x.h.Answers[fd.Name]; ok && fd.check(v) == "" {
			in.Given = append(in.Given, given{Field: *fd, Before: len(in.Fields)})
		} else {
			in.Fields = append(in.Fields, *fd)
		}
	}
	if len(in.Fields) == 0 {
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
	f := in.Fields[in.Next]
	shown := x.choices(&f)
	if !slices.Equal(in.Shown, shown) {
		c := *in
		c.Shown = shown
		x.h.own.Intake = &c
	}
	if x.told(NoticeQuestion, map[string]string{"label": f.label(), "field": f.Name}) {
		f.Queues, f.Skills = nil, nil // for us
		x.entries[len(x.entries)-1].Ask = &Question{Field: f, Choices: shown, Skip: !f.Required, Back: in.Next > 0}
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
	in := *x.h.own.Intake
	x.h.own.Intake = &in
	e, was := Entry{}, x.h.Answers
	switch {
	case c.back:
		in.Next = max(0, in.Next-1)
		e.Data = map[string]string{"back": "true"}
	case c.all:
		if in.Required || slices.ContainsFunc(in.Fields[in.Next:], func(f Field) bool { return f.Required }) {
			return &InvalidError{Field: "Answer", Why: "the form has required fields"}
		}
		in.Next = len(in.Fields)
		e.Data = map[string]string{"skipped": "all"}
	default:
		f := in.field(c.field)
		if f == nil {
			return &InvalidError{Field: "Answer.Field", Why: "the form has no such field"}
		}
		if c.skip {
			if f.Required {
				return &InvalidError{Field: f.Name, Why: "is required"}
			}
			if _, had := was[f.Name]; had { // he takes it back
				x.h.Answers = maps.Clone(was)
				delete(x.h.Answers, f.Name)
			}
			e.Data = map[string]string{"skipped": f.Name}
		} else {
			if why := f.check(c.value); why != "" {
				return &InvalidError{Field: f.Name, Why: why}
			}
			x.h.Answers = mergeAnswers(x.h.Answers, map[string]string{f.Name: c.value})
			e.Data = map[string]string{"field": f.Name, "answer": c.value}
		}
		in.done(f.Name)
	}
	x.add(KindAnswered, Party{Role: RoleUser}).Data = e.Data
	x.asked(was, c.facts)
	return nil
}

// asked goes on to the next question, or ends the form. was are the answers of
// before.
func (x *change) asked(was map[string]string, d door) {
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
	x.goWhere(in.where(target{Queue: x.h.Need.Queue, Skills: x.h.Need.Skills}, x.h.Answers))
	if why := d[x.h.Need.Queue]; why != nil {
		x.absent(OutcomeUnavailable, why)
		return
	}
	x.enter(NoticeWaiting)
}

// where says what a form's choices lead to: another queue, more skills. Later
// fields come later.
func (in *intake) where(t target, answers map[string]string) target {
	for _, f := range in.all() {
		answer, ok := answers[f.Name]
		if !ok {
			continue
		}
		if q := f.Queues[answer]; q != "" {
			t.Queue = q
		}
		for _, s := range f.Skills[answer] {
			if !slices.ContainsFunc(t.Skills, func(have Skill) bool { return have.Name == s.Name }) {
				t.Skills = append(slices.Clip(t.Skills), s)
			}
		}
	}
	return t
}

// goWhere makes the need one for t.
func (x *change) goWhere(t target) {
	n := &x.h.Need
	n.Skills = t.Skills
	if t.Queue == n.Queue {
		return
	}
	n.Queue = t.Queue
	x.queue = x.rules.queue(t.Queue)
	n.BotAnswers = x.queue.BotAnswers
	x.h.own.QueueMax = 0 // whoever is inside is not sent away at the door
}

// leads moves somebody who waits while he is asked to where his answers lead
// now, if that is another place than before; he keeps his place in time. It
// reports whether the form goes on.
func (x *change) leads(in *intake, was map[string]string, d door) bool {
	old, t := in.where(*in.From, was), in.where(*in.From, x.h.Answers)
	if t.Queue == old.Queue || t.Queue == x.h.Need.Queue {
		if !slices.Equal(t.Skills, old.Skills) {
			x.asksFor(in.ease(t.Skills))
		}
		return true
	}
	x.withdraw(ReasonWithdrawn)
	x.goWhere(t)
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

// target says which queue a form leads to once value is given for field.
func (in *intake) target(answers map[string]string, now string, field, value string) string {
	if field == "" && in.Next < len(in.Fields) {
		field = in.Fields[in.Next].Name
	}
	t := target{Queue: now}
	if in.From != nil {
		t.Queue = in.From.Queue
	}
	return in.where(t, mergeAnswers(answers, map[string]string{field: value})).Queue
}

// answerBy takes a message of the user as the answer to what the engine asks.
// One that is no answer is said to be none, and the question stays.
func (x *change) answerBy(text string, d door) {
	in := *x.h.own.Intake
	if in.Host || in.Next >= len(in.Fields) {
		return
	}
	x.h.own.Intake = &in
	f, was := in.Fields[in.Next], x.h.Answers
	value := f.read(text, in.Shown)
	if code, _ := f.fault(value); code != "" {
		x.notice(NoticeInvalid, map[string]string{"label": f.label(), "field": f.Name, "kind": string(f.Kind), "why": code})
		x.ask()
		return
	}
	x.h.Answers = mergeAnswers(x.h.Answers, map[string]string{f.Name: value})
	in.Next++
	e := x.add(KindAnswered, Party{Role: RoleUser})
	e.Data = map[string]string{"field": f.Name, "answer": value}
	// The message is the answer: nobody needs to answer it.
	if n := len(x.h.Pending); n > 0 {
		e.About = x.h.Pending[n-1].Seq
		x.h.Pending = slices.Clone(x.h.Pending[:n-1])
	}
	x.asked(was, d)
}

// leftForm stores what was answered as a message for the team, and ends.
func (x *change) leftForm(in *intake) {
	data := map[string]string{}
	for _, f := range in.all() {
		if v, ok := x.h.Answers[f.Name]; ok {
			data[f.Name] = v
		}
	}
	if len(data) > 0 {
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

func (x *change) offlineForm(f *Form, o Outcome) {
	x.form(&intake{Fields: slices.Clone(f.Fields), Required: f.Required, Ends: o, OnLapse: LapseProceed})
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
