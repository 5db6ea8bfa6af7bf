package handoff

import (
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
		if a, err := mail.ParseAddress(value); err != nil || a.Name != "" {
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
		if _, err := strconv.ParseFloat(value, 64); err != nil {
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
		for _, err := range []error{checkText(at+".Label", fd.Label), checkChoices(at, fd)} {
			if err != nil {
				out = append(out, err)
			}
		}
		if fd.Max < 0 {
			out = append(out, &InvalidError{Field: at + ".Max", Why: "is negative"})
		}
	}
	return out
}

// checkChoices checks the choices of a field and what they lead to.
func checkChoices(path string, f *Field) error {
	for choice := range f.Queues {
		if f.Kind != FieldChoice || !slices.Contains(f.Choices, choice) {
			return &InvalidError{Field: path + ".Queues", Why: "has one that is not in Choices"}
		}
	}
	for choice, skills := range f.Skills {
		if f.Kind != FieldChoice || !slices.Contains(f.Choices, choice) {
			return &InvalidError{Field: path + ".Skills", Why: "has one that is not in Choices"}
		}
		n := Need{Queue: "any", Skills: skills}
		if err := n.check(path); err != nil {
			return err
		}
	}
	return checkNames(path+".Choices", f.Choices)
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
	in, missing := &intake{Fields: f.Fields}, false
	for i := range f.Fields {
		fd := &f.Fields[i]
		v, ok := answers[fd.Name]
		if !ok {
			missing = true
		} else if why := fd.check(v); why != "" {
			return t, &InvalidError{Field: "Request.Answers." + fd.Name, Why: why}
		}
	}
	if missing && !all && !f.WhileWaiting {
		return t, nil
	}
	return in.where(t, answers), nil
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

// all returns the fields of the form, in its order.
func (in *intake) all() []*Field {
	out := make([]*Field, 0, len(in.Fields)+len(in.Given))
	g := 0
	for i := range len(in.Fields) + 1 {
		for ; g < len(in.Given) && in.Given[g].Before <= i; g++ {
			out = append(out, &in.Given[g].Field)
		}
		if i < len(in.Fields) {
			out = append(out, &in.Fields[i])
		}
	}
	return out
}

// field returns the field of a name, or the one that is asked now; nil if there
// is none.
func (in *intake) field(name string) *Field {
	if name == "" {
		if in.Next < len(in.Fields) {
			return &in.Fields[in.Next]
		}
		return nil
	}
	for _, f := range in.all() {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// done notes that a field was answered or left out. One whose turn has not come
// is not asked any more; those before it still are.
func (in *intake) done(name string) {
	i := slices.IndexFunc(in.Fields, func(f Field) bool { return f.Name == name })
	if i <= in.Next {
		if i == in.Next {
			in.Next++
		}
		return
	}
	at := 0
	in.Given = slices.Clone(in.Given)
	for j := range in.Given {
		if in.Given[j].Before > i {
			in.Given[j].Before--
		} else {
			at = j + 1
		}
	}
	in.Given = slices.Insert(in.Given, at, given{Field: in.Fields[i], Before: i})
	in.Fields = slices.Delete(slices.Clone(in.Fields), i, i+1)
}
