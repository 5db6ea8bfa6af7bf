package trigger

import (
	"strings"
	"unicode/utf8"
)

// Limits of one scan. A longer text is read at its head and its tail, where
// requests stand; the middle is mostly pasted material.
const (
	maxHead  = 352 // bytes
	maxTail  = 160 // bytes
	maxFold  = 768 // bytes of folded text
	maxUnits = 152
	headPart = 68  // units and
	headFold = 496 // folded bytes that the head may take, so that the tail has room
	maxMulti = 48  // several-word entries found in one text
)

type unitKind uint8

const (
	unitWord unitKind = iota
	unitStart
	unitEnd
	unitComma
	unitStop
	unitAsk // a break that holds a question mark
)

// unit is a word, a character of a spaceless script, or a break.
type unit struct {
	start, end uint32 // bytes in the original text
	fs, fe     uint16 // bytes in the folded text
	entry      int32  // lexicon entry or -1
	multi      uint8  // 1 + index of the first several-word entry here; 0 none
	kind       unitKind
	fuzzy      bool // entry was reached through a spelling mistake
	quoted     bool // inside quotation marks
}

type multi struct {
	unit  uint16
	n     uint8
	entry int32
}

// scan holds one tokenised text. It lives on the caller's stack; a scan of any
// text allocates nothing.
type scan struct {
	n       int
	nb      int
	nm      int
	caps    int // upper-case ASCII letters
	letters int // ASCII letters
	marks   int // exclamation and question marks beyond the first in a run
	full    bool
	quotes  bool   // something is quoted
	keys    uint32 // packs of which a key was found
	asks    uint32 // packs of which a key of a request was found
	unitCap int
	foldCap int
	ends    [(maxUnits + 63) / 64]uint64 // units at which a several-word entry ends
	units   [maxUnits]unit
	multis  [maxMulti]multi
	buf     [maxFold]byte
}

// read tokenises text from scratch.
func (s *scan) read(text string) {
	s.unitCap, s.foldCap = maxUnits-1, maxFold
	s.push(unit{kind: unitStart, entry: -1})
	if len(text) <= maxHead+maxTail {
		s.part(text, 0)
	} else {
		h, t := maxHead, len(text)-maxTail
		for h > maxHead-utf8.UTFMax && !utf8.RuneStart(text[h]) {
			h--
		}
		for t < len(text) && t < len(text)-maxTail+utf8.UTFMax && !utf8.RuneStart(text[t]) {
			t++
		}
		s.unitCap, s.foldCap = headPart, headFold
		s.part(text[:h], 0)
		s.unitCap, s.foldCap, s.full = maxUnits-1, maxFold, false
		s.brk(unitStop, h, h)
		s.part(text[t:], t)
	}
	s.unitCap = maxUnits
	s.push(unit{kind: unitEnd, entry: -1, start: uint32(len(text)), end: uint32(len(text))})
}

func (s *scan) push(u unit) {
	if s.n >= s.unitCap {
		s.full = true
		return
	}
	s.units[s.n] = u
	s.n++
}

func (s *scan) put(b byte) {
	if s.nb >= s.foldCap {
		s.full = true
		return
	}
	s.buf[s.nb] = b
	s.nb++
}

func (s *scan) putRune(r rune) {
	if r < utf8.RuneSelf {
		s.put(byte(r))
		return
	}
	if s.nb+utf8.UTFMax > s.foldCap {
		s.full = true
		return
	}
	s.nb += utf8.EncodeRune(s.buf[s.nb:s.nb+utf8.UTFMax], r)
}

// brk adds a break, or strengthens the one that is already there.
func (s *scan) brk(k unitKind, from, to int) {
	if last := &s.units[s.n-1]; last.kind != unitWord {
		if last.kind != unitStart && k > last.kind {
			last.kind = k
		}
		return
	}
	s.put('.') // several-word entries must not reach across a break
	s.push(unit{kind: k, entry: -1, start: uint32(from), end: uint32(to)})
}

// part tokenises one stretch; base is its offset in the original text.
func (s *scan) part(text string, base int) {
	var (
		in      bool // inside a word
		chars   bool // the previous unit is a character of a spaceless script
		w       unit
		run     int // length of the current run of one letter
		triple  bool
		newLine = true
		marks   int
		quote   quotation
	)
	end := func(at int) {
		if !in {
			return
		}
		in = false
		if triple {
			s.squeeze(int(w.fs))
		}
		w.end, w.fe = uint32(base+at), uint16(s.nb)
		s.push(w)
		chars = false
	}
	for i := 0; i < len(text) && !s.full; {
		if b := text[i]; in && alnum[b] != 0 {
			// The common case, without classification: inside an ASCII word.
			j := i
			for ; j < len(text) && s.nb < s.foldCap; j++ {
				l := alnum[text[j]]
				if l == 0 {
					break
				}
				if l == s.buf[s.nb-1] && l > '9' {
					run++
					triple = triple || run >= 2
				} else {
					run = 0
				}
				if l > '9' {
					s.letters++
					if l != text[j] {
						s.caps++
					}
				}
				s.buf[s.nb] = l
				s.nb++
			}
			s.full = s.nb >= s.foldCap
			i = j
			newLine = false
			continue
		}
		c, size := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(text[i:])
		}
		if newLine && skipLine(text[i:]) {
			if strings.HasPrefix(text[i:], "-----") {
				break // an older mail follows
			}
			nl := strings.IndexByte(text[i:], '\n')
			if nl < 0 {
				break
			}
			i += nl + 1
			continue
		}
		newLine = c == '\n'
		kind, r1, r2 := runeSpace, rune(0), rune(0)
		if c != utf8.RuneError || size > 1 {
			kind, r1, r2 = fold(c)
		}
		if kind != runeBreak {
			marks = 0
		}
		switch kind { //nolint:exhaustive // skipped runes never come here
		case runeWord:
			if !in {
				if !chars || s.units[s.n-1].kind != unitWord {
					s.space()
				}
				in, run, triple = true, 0, false
				w = unit{start: uint32(base + i), fs: uint16(s.nb), entry: -1}
			}
			if c < utf8.RuneSelf && c > '9' {
				s.letters++
				if c < 'a' {
					s.caps++
				}
			}
			if r1 > '9' && s.nb > int(w.fs) && r1 < utf8.RuneSelf && s.buf[s.nb-1] == byte(r1) {
				run++
				triple = triple || run >= 2
			} else {
				run = 0
			}
			s.putRune(r1)
			if r2 != 0 {
				s.putRune(r2)
			}
		case runeChar:
			end(i)
			if !chars {
				s.space()
			}
			fs := s.nb
			s.putRune(r1)
			if s.full {
				break
			}
			s.push(unit{start: uint32(base + i), end: uint32(base + i + size), fs: uint16(fs), fe: uint16(s.nb), entry: -1})
			chars = true
		case runeApos:
			if in && joins(text[i+size:]) {
				break
			}
			before := in
			end(i)
			quote.mark(s, quoteSingle, before, text[i+size:])
		case runeBreak:
			end(i)
			chars = false
			k := unitStop
			switch c {
			case '「', '」':
				quote.mark(s, quoteDouble, false, text[i+size:])
			}
			switch c {
			case ',', '，', '、', ':', '：', '،', '(', ')', '（', '）', '¿', '¡', '|':
				k = unitComma
			case '?', '？', '؟':
				k = unitAsk
			}
			if r := c; r == '!' || r == '?' || r == '！' || r == '？' {
				if marks++; marks > 1 {
					s.marks++
				}
			}
			s.brk(k, base+i, base+i+size)
		case runeSpace:
			before := in
			end(i)
			chars = false
			switch c {
			case '"', '“', '”', '„', '‟', '«', '»', '‹', '›', '『', '』', '＂':
				quote.mark(s, quoteDouble, before, text[i+size:])
			}
			if c == '-' && i > 0 && text[i-1] == ' ' {
				s.brk(unitComma, base+i, base+i+size)
			}
		}
		i += size
	}
	if !s.full {
		end(len(text))
	}
}

// alnum maps ASCII letters and digits to lower case and everything else to 0.
const alnum = "" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"0123456789\x00\x00\x00\x00\x00\x00" +
	"\x00abcdefghijklmnopqrstuvwxyz\x00\x00\x00\x00\x00" +
	"\x00abcdefghijklmnopqrstuvwxyz\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// space separates words in the folded text.
func (s *scan) space() {
	if s.nb > 0 && s.buf[s.nb-1] != '.' {
		s.put(' ')
	}
}

// squeeze shortens runs of three or more letters to one: people stretch words
// when they are upset. Digits stay.
func (s *scan) squeeze(from int) {
	out := from
	for i := from; i < s.nb; {
		j := i + 1
		for j < s.nb && s.buf[j] == s.buf[i] {
			j++
		}
		n := j - i
		if n > 2 && s.buf[i] > '9' && s.buf[i] < utf8.RuneSelf {
			n = 1
		}
		for ; n > 0; n-- {
			s.buf[out] = s.buf[i]
			out++
		}
		i = j
	}
	s.nb = out
}

// joins reports whether an apostrophe before rest belongs to the word, as in
// "don't" or "I'm". French and Italian elision ("l'agent", "c'è") separates.
func joins(rest string) bool {
	n := 0
	for n < len(rest) && (rest[n]|0x20 >= 'a' && rest[n]|0x20 <= 'z') {
		n++
	}
	if n == 0 || n > 2 || (n < len(rest) && rest[n] >= utf8.RuneSelf) {
		return false
	}
	a := rest[0] | 0x20
	if n == 1 {
		return a == 't' || a == 's' || a == 'm' || a == 'd'
	}
	b := rest[1] | 0x20
	return a == 'l' && b == 'l' || b == 'e' && (a == 'r' || a == 'v')
}

// skipLine reports whether a line is quoted from an earlier mail.
func skipLine(line string) bool {
	return line[0] == '>' || strings.HasPrefix(line, "-----")
}
