package trigger

import "unicode/utf8"

// What somebody reports ("the menu says 'talk to an agent'") is no request of
// theirs. Quotations are found by their marks alone; one that is never closed is none.

const (
	quoteNone uint8 = iota
	quoteSingle
	quoteDouble
)

// quotation is the one that is open while a text is read.
type quotation struct {
	kind uint8
	from int // its first unit
}

// mark reads a quotation mark. word says that it stands right behind a word's
// letter, rest is what follows it.
func (q *quotation) mark(s *scan, kind uint8, word bool, rest string) {
	follows := false
	if rest != "" {
		r, _ := utf8.DecodeRuneInString(rest)
		k, _, _ := fold(r)
		follows = k == runeWord || k == runeChar
	}
	switch {
	case q.kind == kind:
		if kind == quoteSingle && follows {
			return // an apostrophe within a word
		}
		for i := q.from; i < s.n; i++ {
			s.units[i].quoted = true
		}
		s.quotes = s.quotes || q.from < s.n
		q.kind = quoteNone
	case q.kind == quoteNone && !word && (follows || kind == quoteDouble):
		q.kind, q.from = kind, s.n
	}
}

// reported says that a match lies within quotation marks, and that the text has
// words of its own: a request all of which is in quotation marks is still one.
func (s *scan) reported(h *hit) bool {
	if !s.quotes {
		return false
	}
	for i := h.first; i <= h.last; i++ {
		if !s.units[i].quoted {
			return false
		}
	}
	return s.unquoted() >= 2
}

// unquoted counts the words outside quotation marks, two at most.
func (s *scan) unquoted() int {
	n := 0
	for i := 1; i < s.n-1 && n < 2; i++ {
		if u := &s.units[i]; u.kind == unitWord && !u.quoted {
			n++
		}
	}
	return n
}
