package desk

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A cause is why a handoff waits, or why somebody does not get it, for pages to
// say in their reader's language: a code, and what the words are about.
type cause struct {
	Code  string `json:"code"`
	What  string `json:"what,omitempty"`
	Level int    `json:"level,omitempty"`
	At    int64  `json:"at,omitempty"`
	Why   string `json:"why,omitempty"` // a reason of the engine
	Text  string `json:"text"`          // as the engine says it: for what has no words
}

// sentences are what the engine says in words with something in them. The groups are
// the fields that they are named after.
var sentences = []struct {
	code string
	as   *regexp.Regexp
}{
	{"opening", regexp.MustCompile(`^the platform (?P<what>.+) is being opened$`)},
	{"platform", regexp.MustCompile(`^in the queue of the platform (?P<what>.+)$`)},
	{"over", regexp.MustCompile(`^over: (?P<what>\w*)$`)},
	{"refused", regexp.MustCompile(`^refused before, and others are left$`)},
	{"paced", regexp.MustCompile(`^had as many as he may get before (?P<at>\S+)$`)},
	{"again", regexp.MustCompile(`^not again before (?P<at>\S+): (?P<why>\w*)$`)},
}

// lacks is what an agent may not have, each of them said beside the others.
var lacks = []struct {
	code string
	as   *regexp.Regexp
}{
	{"lacks", regexp.MustCompile(`^lacks (?P<what>.+)$`)},
	{"level", regexp.MustCompile(`^(?P<what>.+) only at (?P<level>\d+)$`)},
	{"speaks", regexp.MustCompile(`^does not speak (?P<what>.+)$`)},
}

// causes reads what the engine says of a handoff.
func causes(text string) []cause {
	if text == "" {
		return nil
	}
	for _, t := range sentences {
		if c, ok := read(t.code, t.as, text); ok {
			return []cause{c}
		}
	}
	var out []cause
	for part := range strings.SplitSeq(text, ", ") {
		c := cause{Code: strings.ReplaceAll(part, " ", "_"), Text: part}
		for _, l := range lacks {
			if got, ok := read(l.code, l.as, part); ok {
				c = got
				break
			}
		}
		out = append(out, c)
	}
	return out
}

func read(code string, as *regexp.Regexp, text string) (cause, bool) {
	m := as.FindStringSubmatch(text)
	if m == nil {
		return cause{}, false
	}
	c := cause{Code: code, Text: text}
	for i, name := range as.SubexpNames() {
		switch name {
		case "what":
			c.What = m[i]
		case "why":
			c.Why = m[i]
		case "level":
			c.Level, _ = strconv.Atoi(m[i]) // digits alone
		case "at":
			at, err := time.Parse(time.RFC3339, m[i])
			if err != nil {
				return cause{}, false
			}
			c.At = millis(at)
		}
	}
	return c, true
}
