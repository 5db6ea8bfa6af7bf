// Package canned keeps prepared replies for agents: in categories, for
// everybody, the agents of a queue or one agent, with placeholders for names.
// Package desk uses it; so can any other console.
//
// [Reply.VisibleTo] says who is offered a reply, [Reply.Fill] makes the text of
// it that a user may be sent, as Engine.Send takes it.
package canned

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-2a427302/handoff"
)

// A Reply is a prepared text.
type Reply struct {
	Name     string `json:"name"` // what an agent types to find it: no spaces, no slash
	Category string `json:"category,omitempty"`
	Text     string `json:"text"`            // may name {user}, {agent} and {queue}
	Queue    string `json:"queue,omitempty"` // for agents of this queue; empty: of every queue
	Owner    string `json:"owner,omitempty"` // for this agent alone; empty: for all
	Off      bool   `json:"off,omitempty"`   // kept, but offered to nobody
}

// Limits of a reply, in bytes.
const (
	MaxName     = 64
	MaxCategory = 100
	MaxText     = 16 << 10
)

// Validate returns all that is wrong with r, each an *handoff.InvalidError that
// names the field.
func (r *Reply) Validate() error {
	var out []error
	bad := func(field, why string) { out = append(out, &handoff.InvalidError{Field: field, Why: why}) }
	switch {
	case r.Name == "":
		bad("name", "is empty")
	case len(r.Name) > MaxName:
		bad("name", fmt.Sprintf("is longer than %d bytes", MaxName))
	case !line(r.Name) || strings.ContainsFunc(r.Name, func(c rune) bool { return c == '/' || unicode.IsSpace(c) }):
		bad("name", "has a space, slash or control character, or is not valid UTF-8")
	}
	if len(r.Category) > MaxCategory || !line(r.Category) {
		bad("category", fmt.Sprintf("has a control character, is not valid UTF-8 or longer than %d bytes", MaxCategory))
	}
	switch {
	case strings.TrimSpace(r.Text) == "":
		bad("text", "is empty")
	case len(r.Text) > MaxText:
		bad("text", fmt.Sprintf("is longer than %d bytes", MaxText))
	case !utf8.ValidString(r.Text) || strings.ContainsRune(r.Text, 0):
		bad("text", "is not valid UTF-8 or has a NUL")
	default:
		if why := broken(r.Text); why != "" {
			bad("text", why)
		}
	}
	if !line(r.Queue) {
		bad("queue", "has a control character or is not valid UTF-8")
	}
	if !line(r.Owner) {
		bad("owner", "has a control character or is not valid UTF-8")
	}
	return errors.Join(out...)
}

func line(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// VisibleTo reports whether an agent is offered r; serves says which queues are
// his.
func (r *Reply) VisibleTo(agent string, serves func(queue string) bool) bool {
	return !r.Off && (r.Owner == "" || r.Owner == agent) && (r.Queue == "" || serves(r.Queue))
}

// Fill returns the text with the names in it. The agent is named as the user
// sees him, so that a reply does not give away who is masked. A name cannot
// bring a placeholder, a line or a direction of its own. What is no placeholder
// stays as it is.
func (r *Reply) Fill(h *handoff.Handoff) string {
	user := ""
	if h.User != nil {
		user = h.User.Name
	}
	return strings.NewReplacer("{user}", name(user), "{agent}", name(h.AgentName), "{queue}", name(h.Need.Queue)).Replace(r.Text)
}

func name(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case unicode.IsControl(c), unicode.Is(unicode.Bidi_Control, c):
			return -1
		}
		return c
	}, s)), " ")
}

// broken says what is wrong with the placeholders of a text; "" if nothing is.
func broken(text string) string {
	for {
		_, rest, ok := strings.Cut(text, "{")
		if !ok {
			return ""
		}
		name, after, ok := strings.Cut(rest, "}")
		switch {
		case !ok:
			return "has a { without }"
		case name != "user" && name != "agent" && name != "queue":
			return "has a placeholder other than {user}, {agent} and {queue}"
		}
		text = after
	}
}
