package history

import (
	"bufio"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/seed-2a427302/handoff"
)

// plain writes text for people.
type plain struct {
	b   *bufio.Writer
	x   *Export
	loc *time.Location
	any bool
}

func (p *plain) begin() error { return nil }
func (p *plain) close() error { return nil }

func (p *plain) handoff(h *handoff.Handoff) error {
	if p.any {
		_ = p.b.WriteByte('\n')
	}
	p.any = true
	_, err := fmt.Fprintf(p.b, "== %s ==\n", heading(h, p.x.Audience, p.loc))
	if given := answers(h); err == nil && given != "" && p.x.Audience == Staff {
		_, err = fmt.Fprintf(p.b, "[form %s]\n", oneLine(given))
	}
	return err
}

func (p *plain) entry(en *handoff.Entry) error {
	line := *en
	line.From = who(en, p.x.Audience)
	if !en.IsSaid() {
		line.Text = "[" + event(en) + "]"
	}
	_, err := p.b.WriteString(handoff.Transcript{line}.Text(p.loc))
	return err
}

func (p *plain) end(*handoff.Handoff) error { return nil }

// heading is one line about a handoff.
func heading(h *handoff.Handoff, a Audience, loc *time.Location) string {
	from, to := h.Created.In(loc).Format("2006-01-02 15:04"), ""
	if !h.Ended.IsZero() {
		to = " – " + h.Ended.In(loc).Format("15:04")
		if y, d := h.Created.In(loc).Year(), h.Created.In(loc).YearDay(); h.Ended.In(loc).Year() != y || h.Ended.In(loc).YearDay() != d {
			to = " – " + h.Ended.In(loc).Format("2006-01-02 15:04")
		}
	}
	parts := []string{from + to + h.Created.In(loc).Format(" MST")}
	if a == Staff {
		parts = append(parts, h.ID.String(), string(h.State))
		if h.Outcome != "" {
			parts[2] = string(h.Outcome)
		}
		if h.Need.Queue != "" {
			parts = append(parts, "queue "+h.Need.Queue)
		}
		if agent := agentOf(h); agent != "" {
			parts = append(parts, "agent "+agent)
		}
	}
	for i := range parts {
		parts[i] = oneLine(parts[i])
	}
	return strings.Join(parts, " · ")
}

// agentOf returns who has it or had it last.
func agentOf(h *handoff.Handoff) string {
	switch {
	case h.Agent != "":
		return h.Agent
	case h.Attended:
		return h.LastAgent
	}
	return ""
}

// answers are what a user gave in a form, whoever asked.
func answers(h *handoff.Handoff) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(h.Answers)) {
		out = append(out, k+": "+h.Answers[k])
	}
	return strings.Join(out, "; ")
}

// event says in a few words what happened.
func event(en *handoff.Entry) string {
	parts := []string{strings.ReplaceAll(string(en.Kind), "_", " ")}
	switch field, skipped := en.Data["field"], en.Data["skipped"]; {
	case en.Kind == handoff.KindIntake:
		parts[0] = "asked for details"
	case en.Kind != handoff.KindAnswered:
		parts = append(parts, en.Agent, string(en.Reason))
		for _, k := range []string{"outcome", "score", "reference"} {
			parts = append(parts, en.Data[k])
		}
	case field != "":
		parts = append(parts, field+": "+en.Data["answer"])
	case skipped != "":
		parts = append(parts, "skipped: "+skipped)
	default:
		parts[0] = "went back to the question before"
	}
	parts = append(parts, en.Text)
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

// oneLine makes a text safe to stand in a line with others: no control
// characters, and none that change the direction of what follows.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// lined makes a text safe to stand alone: line breaks and tabs are all the
// control characters that it keeps.
func lined(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return '\uFFFD'
		}
		return r
	}, s)
}
