package provider

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Renderer turns what was said into what a platform takes: messages that are
// replayed, one note, or a digest that fits into an attribute. The zero value
// redacts nothing and tells times in UTC.
type Renderer struct {
	// Redact removes from a text what the platform must not get: card numbers,
	// passwords. It is called for each text before anything is cut, so that
	// half a secret never slips through.
	Redact func(text string) string

	// Location is the time zone of times in notes; nil is UTC.
	Location *time.Location
}

// A Line is one message to be replayed.
type Line struct {
	ID    string // of the entry, with a number behind it for further parts
	From  handoff.Party
	Text  string
	Files []handoff.File
	At    time.Time
}

// Replay returns a transcript as messages of at most limit bytes each (0 is
// no limit): longer ones come in several parts, and nothing is lost.
func (r Renderer) Replay(script []handoff.Entry, limit int) []Line {
	var out []Line
	for i := range script {
		en := &script[i]
		parts := Parts(r.Redacted(en.Text), limit)
		for n, text := range parts {
			l := Line{ID: en.ID, From: en.From, Text: text, At: en.At}
			if n > 0 {
				l.ID += "/" + strconv.Itoa(n)
			}
			if n == len(parts)-1 {
				l.Files = en.Files
			}
			out = append(out, l)
		}
	}
	return out
}

// Note returns the note of an opening and its transcript as one text of at most
// limit bytes (0 is no limit). If it is too long, the oldest messages are left
// out and a line says how many; a message that is too long by itself is cut.
func (r Renderer) Note(o handoff.Opening, limit int) string {
	head := strings.TrimSpace(r.Redacted(o.Note))
	lines := make([]string, len(o.Transcript))
	for i := range o.Transcript {
		en := o.Transcript[i]
		en.Text = r.Redacted(en.Text)
		lines[i] = strings.TrimSuffix(handoff.Transcript{en}.Text(r.Location), "\n")
	}
	return join(head, lines, limit, "\n")
}

// Digest returns the newest messages of a transcript, one line each, in at
// most limit bytes (0 is no limit): for platforms that take attributes only.
func (r Renderer) Digest(script []handoff.Entry, limit int) string {
	lines := make([]string, len(script))
	for i := range script {
		lines[i] = string(script[i].From.Role) + ": " + strings.Join(strings.Fields(r.Redacted(script[i].Text)), " ")
	}
	return join("", lines, limit, "\n")
}

// Redacted returns a text without what the platform must not get.
func (r Renderer) Redacted(text string) string {
	if r.Redact == nil {
		return text
	}
	return r.Redact(text)
}

// join puts head and lines together in at most limit bytes; the last lines win.
func join(head string, lines []string, limit int, sep string) string {
	if head != "" && len(lines) > 0 {
		head += sep + sep
	}
	all := head + strings.Join(lines, sep)
	if limit <= 0 || len(all) <= limit {
		return all
	}
	// A line may take half of what there is: no message pushes out the rest.
	head = Cut(head, limit/2)
	mark := func(n int) string { return fmt.Sprintf("%s %d earlier messages", CutMark, n) }
	room := limit - len(head) - len(mark(len(lines))) - len(sep)
	longest := max(room/2, min(room, 80))
	if len(lines) == 1 {
		longest = room
	}
	from := len(lines)
	var kept []string
	for i, line := range slices.Backward(lines) {
		line = Cut(line, max(longest, len(CutMark)))
		if len(line)+len(sep) > room {
			break
		}
		room -= len(line) + len(sep)
		kept, from = append([]string{line}, kept...), i
	}
	if from > 0 {
		kept = append([]string{mark(from)}, kept...)
	}
	return Cut(head+strings.Join(kept, sep), limit)
}

// Parts cuts a text into parts of at most limit bytes (0 is no limit), never
// inside a character, at a space where one is near. Put together they are the
// text.
func Parts(text string, limit int) []string {
	if limit <= 0 || len(text) <= limit {
		return []string{text}
	}
	var out []string
	for len(text) > limit {
		part := whole(text, limit)
		if part == "" {
			part = text[:limit] // a limit below one character, or no UTF-8
		}
		if i := strings.LastIndexByte(part, ' '); i > len(part)*3/4 {
			part = part[:i+1]
		}
		out = append(out, part)
		text = text[len(part):]
	}
	return append(out, text)
}
