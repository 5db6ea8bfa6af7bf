package handoff

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Summariser says in a few words what a handoff is about, for the agent who
// gets it and, when it is over, for the bot. It is called in the background; a
// failure leaves the words that rules make. t has the notes.
type Summariser interface {
	Summarise(ctx context.Context, h Handoff, t Transcript) (string, error)
}

// A SummariserFunc is a Summariser.
type SummariserFunc func(ctx context.Context, h Handoff, t Transcript) (string, error)

// Summarise calls f.
func (f SummariserFunc) Summarise(ctx context.Context, h Handoff, t Transcript) (string, error) {
	return f(ctx, h, t)
}

// A Suggester writes replies that an agent may want to send, best first. It
// runs while he waits; t has the notes.
type Suggester interface {
	Suggest(ctx context.Context, h Handoff, t Transcript) ([]string, error)
}

// A SuggesterFunc is a Suggester.
type SuggesterFunc func(ctx context.Context, h Handoff, t Transcript) ([]string, error)

// Suggest calls f.
func (f SuggesterFunc) Suggest(ctx context.Context, h Handoff, t Transcript) ([]string, error) {
	return f(ctx, h, t)
}

// Suggest asks Config.Suggester for replies that an agent may send. Nothing is
// stored or shown to the user. None without a Suggester.
func (e *Engine) Suggest(ctx context.Context, id ID) ([]string, error) {
	if e.cfg.Suggester == nil {
		return nil, checkID(id)
	}
	h, t, err := e.told(ctx, id)
	if err != nil {
		return nil, err
	}
	var out []string
	err = e.outside(ctx, "model.suggest", id, errModel, func(ctx context.Context) (err error) {
		out, err = e.cfg.Suggester.Suggest(ctx, *h, t)
		return err
	})
	return out, err
}

var errModel = errors.New("handoff: the model panicked")

// Summary says in a few words what a handoff is about: as the host, an agent or
// Config.Summariser said it, and else by rules.
func (e *Engine) Summary(ctx context.Context, id ID) (string, error) {
	h, t, err := e.told(ctx, id)
	if err != nil || h.Summary != "" {
		return h.summary(), err
	}
	return ruleSummary(h, t), nil
}

func (h *Handoff) summary() string {
	if h == nil {
		return ""
	}
	return h.Summary
}

func (e *Engine) told(ctx context.Context, id ID) (*Handoff, Transcript, error) {
	if err := checkID(id); err != nil {
		return nil, nil, err
	}
	h, err := e.get(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	t, err := e.Transcript(ctx, id)
	return h, t, err
}

// ruleSummary says why a person is needed, what the user gave, and the first
// and the last that he wrote.
func ruleSummary(h *Handoff, t Transcript) string {
	var b strings.Builder
	if h.Reason != "" {
		fmt.Fprintf(&b, "Reason: %s.", h.Reason)
	}
	if len(h.Flags) > 0 {
		fmt.Fprintf(&b, " Flags: %s.", strings.Join(h.Flags, ", "))
	}
	keys := make([]string, 0, len(h.Answers))
	for k := range h.Answers {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(&b, " %s: %s.", oneLine(k), oneLine(h.Answers[k]))
	}
	var said []string
	bot := 0
	for i := range t {
		switch en := &t[i]; {
		case en.Kind != KindMessage || en.Text == "":
		case en.From.Role == RoleUser:
			said = append(said, en.Text)
		case en.From.Role == RoleBot:
			bot++
		}
	}
	if n := len(said); n > 0 {
		fmt.Fprintf(&b, " First: \u201c%s\u201d", oneLine(said[0]))
		if n > 1 {
			fmt.Fprintf(&b, " Last of %d: \u201c%s\u201d", n, oneLine(said[n-1]))
		}
		fmt.Fprintf(&b, " (bot: %d)", bot)
	}
	return strings.TrimSpace(b.String())
}

// oneLine shortens what somebody wrote to a line.
func oneLine(s string) string {
	const most = 160
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= most {
		return s
	}
	n := most
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// sumUp lets the model write the summary of a request.
func (e *Engine) sumUp(ctx context.Context, h *Handoff) error {
	t, err := e.Transcript(ctx, h.ID)
	if err != nil {
		return err
	}
	text := ruleSummary(h, t)
	if e.cfg.Summariser != nil && h.Summary == "" {
		if s, err := e.summarise(ctx, h, t); err == nil && s != "" {
			text = s
		} else if ctx.Err() != nil {
			return nil //nolint:nilerr // stopped: another replica sums up
		}
	}
	_, err = e.do(ctx, h.ID, "summary/"+itoa(h.Version), func(*Handoff) (command, error) { return cSummary{text: text}, nil })
	return err
}

func (e *Engine) summarise(ctx context.Context, h *Handoff, t Transcript) (s string, err error) {
	err = e.outside(ctx, "model.summarise", h.ID, errModel, func(ctx context.Context) (err error) {
		s, err = e.cfg.Summariser.Summarise(ctx, *h, t)
		return err
	})
	if err == nil && checkText("summary", s) != nil {
		err = errors.New("handoff: the summary is no text")
	}
	return strings.TrimSpace(s), err
}

// summaryOf says what became of a handoff, for the bot.
func (e *Engine) summaryOf(ctx context.Context, h *Handoff, note string, said []Entry) string {
	rules := summary(h, note)
	if e.cfg.Summariser == nil || len(said) == 0 {
		return rules
	}
	s, err := e.summarise(ctx, h, said)
	if err != nil || s == "" {
		return rules
	}
	c := *h
	c.Summary = s
	return summary(&c, note)
}
