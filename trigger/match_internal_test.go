package trigger

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The bit-parallel matcher is compared with a twin that tries everything, on
// random patterns and texts: same rules, same last units, same earliest begin.

// naive finds, for every end, the earliest begin of one rule by recursion.
func naive(es []element, sat func(unit int, e element) bool, units int) map[int]int {
	out := map[int]int{}
	var walk func(begin, unit, el int, used bool)
	walk = func(begin, unit, el int, used bool) {
		if el == len(es) {
			if used {
				if at, ok := out[unit-1]; !ok || begin < at {
					out[unit-1] = begin
				}
			}
			return
		}
		e := es[el]
		if e.optional {
			walk(begin, unit, el+1, used)
		}
		if unit < units && sat(unit, e) {
			walk(begin, unit+1, el+1, true)
			if e.repeat {
				walk(begin, unit+1, el, true)
				// having repeated, the element may also end here
			}
		}
	}
	for b := range units {
		walk(b, b, 0, false)
	}
	return out
}

func TestMatcherAgreesWithNaiveTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	classes := []string{"a", "b", "c", "x", ".", "<", ">", "'lit'"}
	words := map[string][]string{"a": {"alpha", "both"}, "b": {"beta", "both"}, "c": {"gamma"}}
	quant := []string{"", "", "", "?", "*", "+", "{0,2}"}
	vocab := []string{"alpha", "beta", "both", "gamma", "lit", "zzzz", ",", "alpha", "beta"}
	matches := 0
	for round := range 3000 {
		var pats []string
		for range 1 + rng.IntN(6) {
			var p []string
			for range 1 + rng.IntN(6) {
				p = append(p, classes[rng.IntN(len(classes))]+quant[rng.IntN(len(quant))])
			}
			src := strings.Join(p, " ")
			if es, err := parsePattern(src, nil); err == nil && len(es) < 20 {
				pats = append(pats, src)
			}
		}
		if len(pats) == 0 {
			continue
		}
		pack := Pack{Lang: "en", Words: words}
		for i, p := range pats {
			pack.Rules = append(pack.Rules, Rule{Kind: KindRequest, Name: fmt.Sprint(i), Patterns: []string{p}})
		}
		require.NoError(t, pack.Check())
		m, err := compile([]Pack{pack}, nil, nil)
		require.NoError(t, err)
		var text []string
		for range 1 + rng.IntN(7) {
			text = append(text, vocab[rng.IntN(len(vocab))])
		}
		var s scan
		s.read(strings.Join(text, " "))
		m.lookup(&s, 0)
		pr := &m.progs[0]
		for ri, src := range pats {
			es, err := parsePattern(src, nil)
			require.NoError(t, err)
			want := naive(es, func(u int, e element) bool { return satisfies(&s, u, e, words) }, s.n)
			got := map[int]int{}
			var ring [2][maxPackWords]uint64
			w := int(pr.rules[ri].word)
			for i := range s.n { // one plain step after the other, for this rule alone
				d := ring[i%2][w]
				r := pr.init[w]
				next := d<<1 | d&pr.rep[w]
				opt := pr.opt[w]
				r |= next | ((opt + next&opt) ^ opt)
				row := int(pr.single(&s.units[i])) * pr.words
				d = r & pr.masks[row+w]
				ring[(i+1)%2][w] = d
				if d&pr.final[w]&pr.rules[ri].all != 0 {
					h := hit{rule: uint16(ri), last: uint16(i)}
					pr.begin(&s, &h)
					got[i] = int(h.first)
				}
			}
			matches += len(want)
			require.Equal(t, want, got, "round %d pattern %q text %q", round, src, text)
		}
		// run itself must find a request exactly if the twin finds one.
		some := false
		for _, src := range pats {
			es, _ := parsePattern(src, nil)
			some = some || len(naive(es, func(u int, e element) bool { return satisfies(&s, u, e, words) }, s.n)) > 0
		}
		var v verdict
		if s.keys&1 != 0 || pr.always {
			pr.run(&s, 1<<kRequest, &v)
		}
		require.Equal(t, some, v.found[kRequest], "round %d patterns %q text %q", round, pats, text)
	}
	require.Greater(t, matches, 2000, "the comparison must see matches")
}

// satisfies is the meaning of one element, written down a second time.
func satisfies(s *scan, u int, e element, words map[string][]string) bool {
	un := &s.units[u]
	word := string(s.buf[un.fs:un.fe])
	known := word == "lit" && false
	for _, list := range words {
		for _, w := range list {
			known = known || w == word
		}
	}
	for _, a := range e.atoms {
		ok := false
		switch a {
		case ".":
			ok = un.kind == unitWord
		case "x":
			ok = un.kind == unitWord && !known && (word != "lit" || !literalKnown(s))
		case "<":
			ok = un.kind != unitWord && un.kind != unitEnd
		case ">":
			ok = un.kind != unitWord && un.kind != unitStart
		case "'lit'":
			ok = un.kind == unitWord && word == "lit"
		default:
			for _, w := range words[a] {
				ok = ok || un.kind == unitWord && w == word
			}
		}
		if ok {
			return true
		}
	}
	return false
}

// literalKnown reports whether some pattern of the pack names the literal, which
// makes it a known word: then the lexicon has an entry for it.
func literalKnown(s *scan) bool {
	for i := range s.n {
		if u := &s.units[i]; u.kind == unitWord && string(s.buf[u.fs:u.fe]) == "lit" {
			return u.entry >= 0
		}
	}
	return false
}

func TestOneMistake(t *testing.T) {
	for _, c := range []struct {
		word, key string
		want      bool
	}{
		{"agent", "agent", true},
		{"agnt", "agent", true},
		{"agentt", "agent", true},
		{"agrnt", "agent", true},
		{"agetn", "agent", true},
		{"aegnt", "agent", true},
		{"gent", "agent", false},
		{"bgent", "agent", false},
		{"agettn", "agent", false},
		{"ag", "agent", false},
		{"argents", "agent", false},
	} {
		if got := oneMistake([]byte(c.word), c.key); got != c.want {
			t.Errorf("oneMistake(%q, %q) = %v, want %v", c.word, c.key, got, c.want)
		}
	}
}

func TestParsePatternRefuses(t *testing.T) {
	for _, src := range []string{"", "a?", "a* b?", "a{3,1}", "a{", "a}", "a{0}", "a{1,99}", "@none", "a||b", "'x", "'", "a?b"} {
		_, err := parsePattern(src, nil)
		require.Error(t, err, src)
	}
	_, err := parsePattern("@p", map[string]string{"p": "@p"})
	require.Error(t, err, "a part that contains itself")
	_, err = parsePattern(strings.Repeat("a ", maxElements+1), nil)
	require.Error(t, err, "too long for a machine word")
}

func FuzzParsePattern(f *testing.F) {
	f.Add("talk to? @np human|some{0,2} >")
	f.Fuzz(func(t *testing.T, src string) {
		es, err := parsePattern(src, map[string]string{"np": "det? human", "loop": "@loop"})
		if err == nil && (len(es) == 0 || len(es) > maxElements) {
			t.Errorf("%q: %d elements without an error", src, len(es))
		}
	})
}
