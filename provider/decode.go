package provider

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
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
