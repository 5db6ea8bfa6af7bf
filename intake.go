package handoff

import (
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check returns why an answer cannot be accepted, or "".
func (f *Field) check(value string) string {
	most := f.Max
	if most == 0 {
		most = 1000
	}
	if len(value) > most {
		return "is longer than " + strconv.Itoa(most) + " bytes"
	}
	if strings.TrimSpace(value) == "" {
		if f.Required {
			return "is required"
		}
		return ""
	}
	switch f.Kind {
	case FieldChoice:
		if !slices.Contains(f.Choices, value) {
			return "is not one of the choices"
		}
	case FieldMail:
		if a, err := mail.ParseAddress(value); err != nil || a.Name != "" {
			return "is not a mail address"
		}
	case FieldPhone:
		digits := 0
		for _, c := range value {
			switch {
			case c >= '0' && c <= '9':
				digits++
			case !strings.ContainsRune("+-./() ", c):
				return "is not a phone number"
			}
		}
		if digits < 3 || digits > 15 {
			return "is not a phone number"
		}
	case FieldNumber:
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return "is not a number"
		}
	case FieldDate:
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return "is not a date like 2006-01-02"
		}
	case FieldText:
	}
	return ""
}

func (f *Form) problems(path string) []error {
	var out []error
	seen := map[string]bool{}
	if f.OnLapse != LapseProceed && f.OnLapse != LapseCancel {
		out = append(out, &InvalidError{Field: path + ".OnLapse", Why: "is unknown"})
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
		if fd.Max < 0 {
			out = append(out, &InvalidError{Field: at + ".Max", Why: "is negative"})
		}
	}
	return out
}
