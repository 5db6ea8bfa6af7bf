package history

import (
	"bufio"
	"encoding/json"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
)

// lines writes JSON Lines.
type lines struct {
	to       *json.Encoder
	audience Audience
	id       handoff.ID
}

func newLines(b *bufio.Writer, a Audience) *lines { return &lines{to: json.NewEncoder(b), audience: a} }

// A line is one line of JSON. Which fields it has depends on its type.
type line struct {
	Type         string           `json:"type"`
	Conversation string           `json:"conversation"`
	Number       int64            `json:"number"`
	Handoff      *handoff.Handoff `json:"handoff,omitempty"`
	Entry        *handoff.Entry   `json:"entry,omitempty"`
	Message      *said            `json:"message,omitempty"`
	Started      *time.Time       `json:"started,omitempty"` // for the user
	Ended        *time.Time       `json:"ended,omitempty"`   // for the user
	Cursor       string           `json:"cursor,omitempty"`
}

// said is a message as the user gets it.
type said struct {
	ID     string         `json:"id"`
	At     time.Time      `json:"at"`
	From   handoff.Party  `json:"from"`
	Text   string         `json:"text,omitempty"`
	Files  []handoff.File `json:"files,omitempty"`
	Notice string         `json:"notice,omitempty"`
}

func (l *lines) begin() error { return nil }
func (l *lines) close() error { return nil }

func (l *lines) line(kind string) line {
	return line{Type: kind, Conversation: l.id.Conversation, Number: l.id.Number}
}

func (l *lines) handoff(h *handoff.Handoff) error {
	l.id = h.ID
	if l.audience == Staff {
		out := l.line("handoff")
		out.Handoff = h
		return l.to.Encode(out)
	}
	out := l.line("conversation")
	out.Started = &h.Created
	if !h.Ended.IsZero() {
		out.Ended = &h.Ended
	}
	return l.to.Encode(out)
}

func (l *lines) entry(en *handoff.Entry) error {
	if l.audience == Staff {
		out := l.line("entry")
		out.Entry = en
		return l.to.Encode(out)
	}
	out := l.line("message")
	// An entry's id may name an agent.
	out.Message = &said{
		ID: strconv.FormatInt(en.Handoff.Number, 10) + "/" + strconv.FormatInt(en.Seq, 10), At: en.At, From: who(en, User),
		Text: en.Text, Files: en.Files, Notice: en.Notice,
	}
	return l.to.Encode(out)
}

func (l *lines) end(h *handoff.Handoff) error {
	out := l.line("end")
	out.Cursor = After(h)
	return l.to.Encode(out)
}
