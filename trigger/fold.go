package trigger

import (
	"unicode"
	"unicode/utf8"
)

// Folding makes spellings comparable without golang.org/x/text: lower case, no
// diacritics, full-width forms as ASCII. The tables are string constants so
// that nothing can change them.

// foldLatin1 covers U+00C0..U+00FF; '*' marks a code point with two letters,
// '/' one that separates words.
const foldLatin1 = "aaaaaa*ceeeeiiiidnooooo/ouuuuy**aaaaaa*ceeeeiiiidnooooo/ouuuuy*y"

// foldLatinA covers U+0100..U+017F in the same way.
const foldLatinA = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll" +
	"lllnnnnnnnnnoooooo**rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"

type runeKind uint8

const (
	runeSkip  runeKind = iota // invisible: dropped without ending the word
	runeSpace                 // ends a word, not a clause
	runeBreak                 // ends a clause
	runeWord                  // letter or digit
	runeChar                  // letter of a script written without spaces: a unit of its own
	runeApos                  // apostrophe: the scanner decides
)

// fold classifies r and returns its folded form in at most two runes. r2 is 0
// when there is one.
func fold(r rune) (kind runeKind, r1, r2 rune) {
	if r < utf8.RuneSelf {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return runeWord, r, 0
		case 'A' <= r && r <= 'Z':
			return runeWord, r + 'a' - 'A', 0
		}
		switch r {
		case '\'', '`':
			return runeApos, 0, 0
		case '.', ',', ';', ':', '!', '?', '\n', '(', ')', '[', ']', '{', '}', '|', '@', '=':
			return runeBreak, 0, 0
		}
		return runeSpace, 0, 0
	}
	switch {
	case r >= 0xC0 && r <= 0xFF:
		return foldTable(foldLatin1[r-0xC0], r)
	case r >= 0x100 && r <= 0x17F:
		return foldTable(foldLatinA[r-0x100], r)
	case r >= 0xFF01 && r <= 0xFF5E: // full-width ASCII
		return fold(r - 0xFEE0)
	case invisible(r):
		return runeSkip, 0, 0
	}
	switch r {
	case '’', '‘', 'ʼ', '´', 'ʹ', '′', 'ˈ':
		return runeApos, 0, 0
	case '…', '—', '–', '¿', '¡', '。', '，', '、', '！', '？', '；', '：', '「', '」', '（', '）', '؟', '،', '۔', '।':
		return runeBreak, 0, 0
	}
	switch {
	case spaceless(r):
		return runeChar, r, 0
	case unicode.IsLetter(r), unicode.IsDigit(r):
		return runeWord, unicode.ToLower(r), 0
	}
	return runeSpace, 0, 0
}

func foldTable(b byte, r rune) (runeKind, rune, rune) {
	switch b {
	case '/':
		return runeSpace, 0, 0
	case '*':
		switch r {
		case 'Æ', 'æ':
			return runeWord, 'a', 'e'
		case 'Œ', 'œ':
			return runeWord, 'o', 'e'
		case 'Þ', 'þ':
			return runeWord, 't', 'h'
		}
		return runeWord, 's', 's' // ß
	}
	return runeWord, rune(b), 0
}

// invisible covers combining marks, joiners, direction marks and selectors:
// they split "human" for a comparison but not for a reader.
func invisible(r rune) bool {
	switch {
	case r >= 0x300 && r <= 0x36F, r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E,
		r >= 0x2060 && r <= 0x2064, r >= 0xFE00 && r <= 0xFE0F, r >= 0x20D0 && r <= 0x20FF,
		r >= 0x1F3FB && r <= 0x1F3FF, r == 0xFEFF, r == 0xAD, r == 0x34F, r == 0x61C:
		return true
	}
	return false
}

// spaceless covers Han, kana, Thai, Lao, Khmer and Burmese.
func spaceless(r rune) bool {
	switch {
	case r >= 0x4E00 && r <= 0x9FFF, r >= 0x3400 && r <= 0x4DBF, r >= 0x3041 && r <= 0x30FF,
		r >= 0x0E00 && r <= 0x0EFF, r >= 0x1000 && r <= 0x109F, r >= 0x1780 && r <= 0x17FF,
		r >= 0x20000 && r <= 0x3134F, r >= 0xF900 && r <= 0xFAFF:
		return true
	}
	return false
}
