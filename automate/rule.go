package automate

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

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

// problems returns everything that is wrong with a rule.
func (r *Rule) problems(o *Options) []error {
	var out []error
	bad := func(format string, args ...any) {
		out = append(out, fmt.Errorf("automate: rule %.40q: "+format, append([]any{r.Name}, args...)...))
	}
	if r.Name == "" || len(r.Name) > 100 || strings.ContainsFunc(r.Name, func(c rune) bool { return c < ' ' || c == '/' || c == 0x7f }) {
		bad("its name is empty, too long, or has a slash or control character")
	}
	if len(r.On) == 0 && r.Button == "" {
		bad("nothing sets it off: On and Button are empty")
	}
	if len(r.Do) == 0 {
		bad("it does nothing")
	}
	if r.Most < 0 || r.Chain < 0 {
		bad("Most or Chain is negative")
	}
	for i := range r.Do {
		a := &r.Do[i]
		if a.name() == "" {
			bad("action %d: exactly one field is to be set", i+1)
		}
		for _, text := range []string{a.Note, a.Ticket} {
			if _, err := fill(text, nil); err != nil {
				bad("action %d: %w", i+1, err)
			}
		}
		if u, err := url.Parse(a.Webhook); a.Webhook != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			bad("action %d: Webhook is no address", i+1)
		}
		if a.Webhook != "" && len(o.Secret) < 16 {
			bad("action %d: a webhook needs a Secret of 16 bytes", i+1)
		}
		if t := a.Transfer; t != nil && t.Agent == "" && t.Queue == "" && t.Skills == nil {
			bad("action %d: Transfer goes nowhere", i+1)
		}
	}
	return out
}

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
			return "", fmt.Errorf("there is no {%.40s}", name)
		}
		if h != nil {
			b.WriteString(value(name, h))
		}
		text = after
	}
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
