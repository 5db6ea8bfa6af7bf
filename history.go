package handoff

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A Past is a message from before a handoff, as the host keeps it.
type Past struct {
	ID    string // the host's message id; the same one that Receive gets
	From  Party
	Text  string
	Files []File
	At    time.Time
}

// A History gives the engine what was said before. It is read after a request
// is stored and before anybody may accept, so that no message can fall between
// the two; the host therefore stores a message before it calls Receive.
// Messages come oldest first; the engine takes the newest ones if there are
// too many.
type History interface {
	Messages(ctx context.Context, conversation string) ([]Past, error)
}

// A HistoryFunc is a History.
type HistoryFunc func(ctx context.Context, conversation string) ([]Past, error)

// tidy makes p storable: texts without NUL and invalid UTF-8, none longer than
// the limit, and a role that somebody in a conversation can have.
func (p *Past) tidy() {
	switch p.From.Role {
	case RoleUser, RoleBot, RoleAgent, RoleSupervisor:
	default:
		p.From.Role = RoleUser
	}
	p.Text = storable(p.Text, maxText)
	p.From.ID, p.From.Name = storable(p.From.ID, maxName), storable(p.From.Name, maxName)
	if len(p.Files) > maxList {
		p.Files = p.Files[:maxList]
	}
	p.Files = slices.Clone(p.Files)
	for i := range p.Files {
		f := &p.Files[i]
		f.Name, f.Type, f.Size = storable(f.Name, maxText), storable(f.Type, maxText), max(f.Size, 0)
		f.URL, f.Ref = storable(f.URL, maxText), storable(f.Ref, maxText)
	}
	if checkTime("", p.At) != nil {
		p.At = time.Time{}
	}
}

// storable cuts a text to at most n bytes, at a character, and replaces what
// cannot be stored.
func storable(s string, n int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Messages calls f.
func (f HistoryFunc) Messages(ctx context.Context, conversation string) ([]Past, error) {
	return f(ctx, conversation)
}
