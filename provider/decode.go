package provider

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/seed-2a427302/handoff"
)

// MaxDepth is how deep the JSON of a webhook may be nested.
const MaxDepth = 64

// errJSON is all that is told about a body: what decoders say quotes it.
var errJSON = errors.New("the body is not the JSON that it should be")

// DecodeJSON decodes the body of a webhook. It refuses what is nested deeper
// than [MaxDepth] before it decodes anything.
func DecodeJSON(body []byte, v any) error {
	depth, quoted, escaped := 0, false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return errJSON
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	if json.Unmarshal(body, v) != nil {
		return errJSON
	}
	return nil
}

// The limits of what the engine stores of an event.
const (
	MaxText  = 64 << 10 // bytes of a text
	MaxName  = 512      // bytes of an id or a name
	MaxFiles = 100
)

// Agent returns an agent of a platform with an id and a name that can be stored.
func Agent(id, name string) handoff.Party {
	return handoff.Party{Role: handoff.RoleAgent, ID: Name(id), Name: Name(name)}
}

// Name makes an id or a name of a platform one that can be stored: valid UTF-8,
// without control characters, at most [MaxName] bytes. Two long ids with the
// same beginning become one: no platform has ids that long.
func Name(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return Cut(strings.TrimSpace(s), MaxName)
}

// Text makes a text of a platform one that can be stored and shown: valid
// UTF-8 without NUL, at most limit bytes (0 is no limit). What an agent wrote
// is otherwise left as it is; markup is shown as text.
func Text(s string, limit int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	return Cut(s, limit)
}

// CutMark stands where something was left out.
const CutMark = "[…]"

// Cut returns s in at most limit bytes (0 is no limit): its beginning with
// [CutMark] if it is longer, never a part of a character.
func Cut(s string, limit int) string {
	if limit <= 0 || len(s) <= limit {
		return s
	}
	mark := CutMark
	if limit < len(mark) {
		mark = ""
	}
	return whole(s, limit-len(mark)) + mark
}

// whole returns the longest beginning of s that has at most n bytes and ends
// with a whole character.
func whole(s string, n int) string {
	for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:min(n, len(s))]
}
