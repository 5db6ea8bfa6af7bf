package handoff

import (
	"maps"
	"math"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// check returns why an answer cannot be accepted, or "".
func (f *Field) check(value string) string {
	_, why := f.fault(value)
	return why
}

// fault returns what is wrong with an answer, as a code for NoticeInvalid and in
// words; "" is nothing.
func (f *Field) fault(value string) (code, why string) {
	most := f.Max
	if most == 0 {
		most = 1000
	}
	if len(value) > most {
		return "long", "is longer than " + strconv.Itoa(most) + " bytes"
	}
	if strings.TrimSpace(value) == "" {
		if f.Required {
			return "required", "is required"
		}
		return "", ""
	}
	if strings.ContainsFunc(value, func(r rune) bool {
		return unicode.IsControl(r) && (f.Kind != FieldText || r != '\n' && r != '\t' && r != '\r')
	}) {
		return "characters", "has a control character"
	}
	if f.Pattern != "" {
		// New has checked the pattern. A form that is stored and whose pattern
		// cannot be read takes every answer.
		if re, err := regexp.Compile(`^(?:` + f.Pattern + `)$`); err == nil && !re.MatchString(value) {
			return "pattern", "is not of the form that is asked for"
		}
	}
	switch f.Kind {
	case FieldChoice:
		if !slices.Contains(f.Choices, value) {
			return "choice", "is not one of the choices"
		}
	case FieldMail:
		if a, err := mail.ParseAddress(value); err != nil || a.Address != strings.TrimSpace(value) {
			return "mail", "is not a mail address"
		}
	case FieldPhone:
		digits := 0
		for _, c := range value {
			switch {
			case c >= '0' && c <= '9':
				digits++
			case !strings.ContainsRune("+-./() ", c):
				return "phone", "is not a phone number"
			}
		}
		if digits < 3 || digits > 15 {
			return "phone", "is not a phone number"
		}
	case FieldNumber:
		if n, err := strconv.ParseFloat(value, 64); err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return "number", "is not a number"
		}
	case FieldDate:
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return "date", "is not a date like 2006-01-02"
		}
	case FieldText:
	}
	return "", ""
}

func (f *Form) problems(path string) []error {
	var out []error
	seen := map[string]bool{}
	if f.OnLapse != LapseProceed && f.OnLapse != LapseCancel {
		out = append(out, &InvalidError{Field: path + ".OnLapse", Why: "is unknown"})
	}
	if f.WhileWaiting && f.OnLapse == LapseCancel {
		out = append(out, &InvalidError{Field: path + ".OnLapse", Why: "cannot cancel who waits already"})
	}
	for i := range f.Fields {
		fd := &f.Fields[i]
		at := path + ".Fields[" + strconv.Itoa(i) + "]"
		if err := checkName(at+".Name", fd.Name); err != nil {
			out = append(out, err)
		}
		if seen[fd.Name] {
			out = append(out, &InvalidError{Field: at + ".Name", Why: "occurs twice"})
		}
		seen[fd.Name] = true
		switch fd.Kind {
		case FieldText, FieldMail, FieldPhone, FieldNumber, FieldDate:
		case FieldChoice:
			if len(fd.Choices) == 0 {
				out = append(out, &InvalidError{Field: at + ".Choices", Why: "is empty"})
			}
		default:
			out = append(out, &InvalidError{Field: at + ".Kind", Why: "is unknown"})
		}
		if _, err := regexp.Compile(fd.Pattern); err != nil || len(fd.Pattern) > maxName {
			out = append(out, &InvalidError{Field: at + ".Pattern", Why: "is no regular expression, or too long"})
		}
		if err := checkText(at+".Label", fd.Label); err != nil {
			out = append(out, err)
		}
		out = append(out, fd.choiceProblems(at)...)
		if fd.Max < 0 {
			out = append(out, &InvalidError{Field: at + ".Max", Why: "is negative"})
		}
	}
	return out
}

// choiceProblems checks the choices of a field and what they lead to.
func (f *Field) choiceProblems(path string) []error {
	var out []error
	there := func(choice string) bool { return f.Kind == FieldChoice && slices.Contains(f.Choices, choice) }
	for _, choice := range slices.Sorted(maps.Keys(f.Queues)) {
		if !there(choice) {
			out = append(out, &InvalidError{Field: path + ".Queues", Why: "has one that is not in Choices"})
		}
	}
	for _, choice := range slices.Sorted(maps.Keys(f.Skills)) {
		if !there(choice) {
			out = append(out, &InvalidError{Field: path + ".Skills", Why: "has one that is not in Choices"})
		}
		n := Need{Queue: "any", Skills: f.Skills[choice]}
		if err := n.check(path); err != nil {
			out = append(out, err)
		}
	}
	if err := checkNames(path+".Choices", f.Choices); err != nil {
		out = append(out, err)
	}
	return out
}

// targetProblems checks that a form leads to queues that there are.
func (f *Form) targetProblems(path string, known map[string]bool) []error {
	var out []error
	for i := range f.Fields {
		for _, q := range f.Fields[i].Queues {
			if !known[q] {
				out = append(out, &InvalidError{Field: path + ".Fields[" + strconv.Itoa(i) + "].Queues", Why: "names one that is not in Queues"})
			}
		}
	}
	return out
}

// brought says where answers that came with a request lead: t, until a form
// that is asked before the queue is filled in. An answer that its field does not
// take is an *InvalidError.
func (f *Form) brought(t target, answers map[string]string, all bool) (target, error) {
	if f == nil {
		return t, nil
	}
	for i := range f.Fields {
		fd := &f.Fields[i]
		if v, ok := answers[fd.Name]; ok {
			if why := fd.check(v); why != "" {
				return t, &InvalidError{Field: "Request.Answers." + fd.Name, Why: why}
			}
		}
	}
	in := &intake{Fields: f.questions(answers)}
	if in.from(0) < len(in.Fields) && !all && !f.WhileWaiting {
		return t, nil
	}
	return in.where(t), nil
}

// questions returns the fields of a form for somebody who has given answers
// before: those that the form takes need no asking.
func (f *Form) questions(answers map[string]string) []question {
	out := make([]question, len(f.Fields))
	for i := range f.Fields {
		q := &out[i]
		q.Field = f.Fields[i]
		if v, ok := answers[q.Name]; ok && q.check(v) == "" {
			q.Given, q.Leads = true, q.leads(v)
		}
	}
	return out
}

// read takes what a user wrote as an answer: a choice also by its number, in
// another case, or by the words that were shown for it.
func (f *Field) read(text string, shown []string) string {
	text = strings.TrimSpace(text)
	if f.Kind != FieldChoice {
		return text
	}
	for i, c := range f.Choices {
		if strings.EqualFold(c, text) || i < len(shown) && strings.EqualFold(shown[i], text) {
			return c
		}
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(f.Choices) {
		return f.Choices[n-1]
	}
	return text
}

// written makes an answer to what is asked now of what a user wrote.
func (h *Handoff) written(text string) Response {
	r := Response{Value: text}
	if h != nil && h.own.Intake != nil {
		if in := h.own.Intake; in.Next < len(in.Fields) {
			r.Value = in.Fields[in.Next].read(text, in.Shown)
		}
	}
	return r
}

// leads says where an answer leads.
func (f *Field) leads(answer string) target {
	return target{Queue: f.Queues[answer], Skills: f.Skills[answer]}
}

// from returns the first field to ask from i on; the number of fields if there
// is none.
func (in *intake) from(i int) int {
	for i < len(in.Fields) && in.Fields[i].Given {
		i++
	}
	return i
}

// before returns the field that was asked before the one that is asked now; -1
// if there is none.
func (in *intake) before() int {
	i := in.Next - 1
	for i >= 0 && in.Fields[i].Given {
		i--
	}
	return i
}

// index returns the field of a name, or the one that is asked now; -1 if there
// is none.
func (in *intake) index(name string) int {
	if name != "" {
		return slices.IndexFunc(in.Fields, func(q question) bool { return q.Name == name })
	}
	if in.Next < len(in.Fields) {
		return in.Next
	}
	return -1
}

// done notes that a field was answered, or left out. One whose turn has not come
// is not asked any more; those before it still are.
func (in *intake) done(i int, answered bool, leads target) {
	in.Fields = slices.Clone(in.Fields)
	q := &in.Fields[i]
	q.Done, q.Leads = answered, leads
	switch {
	case i > in.Next:
		q.Given = true
	case i == in.Next:
		in.Next = in.from(i + 1)
	}
}

// where says what a form's choices lead to: another queue, more skills. Later
// fields come later.
func (in *intake) where(t target) target {
	for i := range in.Fields {
		l := &in.Fields[i].Leads
		if l.Queue != "" {
			t.Queue = l.Queue
		}
		for _, s := range l.Skills {
			if !slices.ContainsFunc(t.Skills, func(have Skill) bool { return have.Name == s.Name }) {
				t.Skills = append(slices.Clip(t.Skills), s)
			}
		}
	}
	return t
}

// target says where a form leads to after r.
func (in *intake) target(need *Need, r *Response) target {
	from := target{Queue: need.Queue, Skills: need.Skills}
	if in.From != nil {
		from = *in.From
	}
	c := *in
	if i := c.index(r.Field); i >= 0 && !r.Back && !r.Rest {
		if r.Skip {
			c.done(i, false, target{})
		} else {
			c.done(i, true, c.Fields[i].leads(r.Value))
		}
	}
	return c.where(from)
}
