package automate

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-2a427302/handoff"
)

// A Rule says what is done when. It is plain data, as JSON too.
type Rule struct {
	Name string `json:"name"` // required; without a slash

	// On are the entries that set it off: handoff.KindJoined, KindAlert and
	// others during a handoff, KindEnded after it, KindMissed when nobody came.
	// Empty: only by hand.
	On []handoff.Kind `json:"on,omitempty"`

	// Button is what agents press to run it by hand; empty: they cannot.
	Button string `json:"button,omitempty"`

	If  Condition `json:"if,omitzero"`
	Do  []Action  `json:"do"`
	Off bool      `json:"off,omitempty"`

	Most  int `json:"most,omitempty"`  // runs for one handoff; default 20
	Chain int `json:"chain,omitempty"` // how deep rules may set off rules; default 3
}

// A Condition is met when every part of it is; the zero value always is.
type Condition struct {
	Queues    []string          `json:"queues,omitempty"`   // one of these
	Outcomes  []handoff.Outcome `json:"outcomes,omitempty"` // one of these
	Reasons   []handoff.Reason  `json:"reasons,omitempty"`  // one of these: Handoff.Reason or Missed
	Languages []string          `json:"languages,omitempty"`
	Channels  []string          `json:"channels,omitempty"`
	From      []handoff.Role    `json:"from,omitempty"`       // who the entry is from
	Tags      []string          `json:"tags,omitempty"`       // has all
	NoTags    []string          `json:"no_tags,omitempty"`    // has none
	MaxRating int               `json:"max_rating,omitempty"` // was rated, and no better
	Attended  *bool             `json:"attended,omitempty"`   // an agent had it, or not
}

// An Action is one thing to do: exactly one field is set.
type Action struct {
	Tag      []string        `json:"tag,omitempty"`
	Untag    []string        `json:"untag,omitempty"`
	Note     string          `json:"note,omitempty"`   // internal; may name {user}, {agent}, {queue}, {reason}, {outcome}, {rating}
	Notice   string          `json:"notice,omitempty"` // the key of a notice that the user is shown
	Ticket   string          `json:"ticket,omitempty"` // its first line, with the names of Note
	Webhook  string          `json:"webhook,omitempty"`
	Transfer *handoff.Target `json:"transfer,omitempty"`
	Priority *int            `json:"priority,omitempty"`
}

// name says which action it is; "" if it is not exactly one.
func (a *Action) name() string {
	var set []string
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"tag", len(a.Tag) > 0},
		{"untag", len(a.Untag) > 0},
		{"note", a.Note != ""},
		{"notice", a.Notice != ""},
		{"ticket", a.Ticket != ""},
		{"webhook", a.Webhook != ""},
		{"transfer", a.Transfer != nil},
		{"priority", a.Priority != nil},
	} {
		if f.set {
			set = append(set, f.name)
		}
	}
	if len(set) != 1 {
		return ""
	}
	return set[0]
}

// Limits of a rule, in bytes.
const (
	MaxName = 100      // of a name or a button
	MaxText = 16 << 10 // of a note, a ticket or an address
)

// problems returns everything that is wrong with a rule, each as a
// *handoff.InvalidError that names the field, under the name of the rule.
func (r *Rule) problems(at string, o *Options) []error {
	var out []error
	bad := func(field, format string, args ...any) {
		out = append(out, &handoff.InvalidError{Field: at + field, Why: fmt.Sprintf(format, args...)})
	}
	names := func(field string, list []string) {
		if !areNames(list) {
			bad(field, notNames)
		}
	}
	if r.Name == "" || len(r.Name) > MaxName || !line(r.Name) || strings.Contains(r.Name, "/") {
		bad(".Name", "is empty, too long, or has a slash or control character")
	}
	if len(r.Button) > MaxName || !line(r.Button) {
		bad(".Button", "is too long or has a control character")
	}
	if len(r.On) == 0 && r.Button == "" {
		bad(".On", "nothing sets it off: On and Button are empty")
	}
	out = append(out, unknown(at+".On", r.On, "is no kind of entry")...)
	if len(r.Do) == 0 {
		bad(".Do", "it does nothing")
	}
	if r.Most < 0 || r.Chain < 0 {
		bad(".Most", "Most or Chain is negative")
	}
	out = append(out, r.If.problems(at+".If")...)
	if len(r.Do) > 100 {
		bad(".Do", "has more than 100")
		return out
	}
	for i := range r.Do {
		a := &r.Do[i]
		do := ".Do[" + strconv.Itoa(i) + "]"
		if a.name() == "" {
			bad(do, "exactly one field is to be set")
		}
		for _, t := range []struct{ field, text string }{{do + ".Note", a.Note}, {do + ".Ticket", a.Ticket}} {
			switch _, err := fill(t.text, nil); {
			case len(t.text) > MaxText:
				bad(t.field, "is longer than %d bytes", MaxText)
			case !utf8.ValidString(t.text) || strings.ContainsRune(t.text, 0):
				bad(t.field, "is not valid UTF-8 or has a NUL")
			case err != nil:
				bad(t.field, "%v", err)
			}
		}
		names(do+".Tag", a.Tag)
		names(do+".Untag", a.Untag)
		if len(a.Notice) > 512 || !line(a.Notice) {
			bad(do+".Notice", "is no key of a notice")
		}
		if a.Webhook != "" && !isAddress(a.Webhook) {
			bad(do+".Webhook", "Webhook is no address")
		}
		if a.Webhook != "" && len(o.Secret) < 16 {
			bad(do+".Webhook", "a webhook needs a Secret of 16 bytes")
		}
		if a.Transfer != nil {
			if why := refused(a.Transfer); why != "" {
				bad(do+".Transfer", "%s", why)
			}
		}
	}
	return out
}

const notNames = "has an empty, overlong or broken name, or more than 100"

// areNames reports whether a list has names only, and not too many.
func areNames[S ~string](list []S) bool {
	return len(list) <= 100 && !slices.ContainsFunc(list, func(s S) bool { return s == "" || len(s) > 512 || !line(string(s)) })
}

// problems returns everything that is wrong with a condition. Reasons,
// languages, channels, queues and tags are the host's own; the rest are words
// of closed sets.
func (c *Condition) problems(at string) []error {
	var out []error
	bad := func(field, why string) { out = append(out, &handoff.InvalidError{Field: at + field, Why: why}) }
	for _, f := range []struct {
		field string
		ok    bool
	}{
		{".Queues", areNames(c.Queues)},
		{".Reasons", areNames(c.Reasons)},
		{".Languages", areNames(c.Languages)},
		{".Channels", areNames(c.Channels)},
		{".Tags", areNames(c.Tags)},
		{".NoTags", areNames(c.NoTags)},
	} {
		if !f.ok {
			bad(f.field, notNames)
		}
	}
	out = append(out, unknown(at+".Outcomes", c.Outcomes, "is no outcome")...)
	out = append(out, unknown(at+".From", c.From, "is no role")...)
	if c.MaxRating < 0 || c.MaxRating > 5 {
		bad(".MaxRating", "is not from 1 to 5")
	}
	return out
}

// unknown returns a problem for each word of a list that its set does not have.
func unknown[W interface{ Known() bool }](field string, list []W, why string) []error {
	if len(list) > 100 {
		return []error{&handoff.InvalidError{Field: field, Why: "has more than 100"}}
	}
	var out []error
	for i, w := range list {
		if !w.Known() {
			out = append(out, &handoff.InvalidError{Field: field + "[" + strconv.Itoa(i) + "]", Why: why})
		}
	}
	return out
}

// refused says why Engine.Transfer would never take a target, or "".
func refused(t *handoff.Target) string {
	skills := make([]string, 0, len(t.Skills))
	for i := range t.Skills {
		skills = append(skills, t.Skills[i].Name)
	}
	switch {
	case t.Agent == "" && t.Queue == "" && t.Skills == nil:
		return "goes nowhere"
	case t.Warm && t.Agent == "":
		return "a warm one needs an agent"
	case len(t.Agent) > 512 || !line(t.Agent) || len(t.Queue) > 512 || !line(t.Queue) || !areNames(skills):
		return "has an overlong or broken name"
	case slices.ContainsFunc(t.Skills, func(s handoff.Skill) bool { return s.Level < 0 }):
		return "asks for a level below 0"
	case len(t.Note) > MaxText || !utf8.ValidString(t.Note) || strings.ContainsRune(t.Note, 0):
		return "has a note that is too long or broken"
	}
	return ""
}

func isAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && len(s) <= MaxText
}

// line reports whether s can stand in a line: valid, without control characters.
func line(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// met reports whether a condition holds for a handoff and an entry; no entry
// for a rule that is run by hand.
func (c *Condition) met(h *handoff.Handoff, e *handoff.Entry) bool {
	role := handoff.RoleAgent
	if e != nil {
		role = e.From.Role
	}
	in := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	has := func(tag string) bool { return slices.Contains(h.Tags, tag) }
	return in(c.Queues, h.Need.Queue) && in(c.Languages, h.Language) && in(c.Channels, h.Channel) &&
		(len(c.Outcomes) == 0 || slices.Contains(c.Outcomes, h.Outcome)) &&
		(len(c.Reasons) == 0 || slices.Contains(c.Reasons, h.Reason) || slices.Contains(c.Reasons, h.Missed)) &&
		(len(c.From) == 0 || slices.Contains(c.From, role)) &&
		!slices.ContainsFunc(c.Tags, func(t string) bool { return !has(t) }) && !slices.ContainsFunc(c.NoTags, has) &&
		(c.MaxRating == 0 || h.Rating != nil && h.Rating.Score <= c.MaxRating) &&
		(c.Attended == nil || *c.Attended == h.Attended)
}

// fill replaces the names in a text; h is nil to check it.
func fill(text string, h *handoff.Handoff) (string, error) {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return "", errors.New("a { without }")
		}
		if !slices.Contains([]string{"user", "agent", "queue", "reason", "outcome", "rating"}, name) {
			return "", errors.New("has a placeholder that there is not") // which is not said: it is somebody's text
		}
		if h != nil {
			b.WriteString(clean(value(name, h)))
		}
		text = after
	}
}

// clean makes a value that somebody else chose part of a line: it brings no
// line, control character or direction of its own, and is short.
func clean(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case unicode.IsControl(c), unicode.Is(unicode.Bidi_Control, c):
			return -1
		}
		return c
	}, s)), " ")
	if n := []rune(s); len(n) > most {
		s = string(n[:most]) + "…"
	}
	return s
}

func value(name string, h *handoff.Handoff) string {
	switch name {
	case "user":
		if h.User != nil {
			return h.User.Name
		}
	case "agent":
		return h.AgentName
	case "queue":
		return h.Need.Queue
	case "reason":
		return string(h.Reason)
	case "outcome":
		return string(h.Outcome)
	case "rating":
		if h.Rating != nil {
			return strconv.Itoa(h.Rating.Score)
		}
	}
	return ""
}
