package trigger

import (
	"errors"
	"slices"
	"strings"
)

// The matcher turns every pattern into a run of bits, one per element, and packs
// whole rules into 64-bit words. One step per token then advances all rules of
// a language at once (extended shift-and, Navarro and Raffinot 2002): the cost
// depends on the number of tokens and words, not on what the text says.

const (
	maxPackWords = 48 // 64-bit words of patterns per pack
	maxPacks     = 32
	maxKeyUnits  = 7 // words in one lexicon entry
	ringSize     = maxKeyUnits + 1
)

// entry is one lexicon key, shared by all packs that know it.
type entry struct {
	multi uint16     // bit n: an entry of n units starts with this unit
	keys  uint32     // packs in which this entry is a key: without one, no rule can match
	asks  uint32     // the same for requests alone
	fuzzy bool       // reachable through a spelling mistake
	per   []packMask // one per pack
	tags  []int32    // phrases and topics: indexes into matcher.tags
}

type packMask struct {
	pack uint8
	key  bool
	ask  bool
	typo bool   // a misspelt form will do in this pack
	row  uint32 // into program.masks and program.begins
}

// tag is a phrase or topic: finding its key is the match.
type tag struct {
	reason Reason
	name   string
	lang   string // empty: any
	score  float32
	exact  bool // stays on while the bot fills a form
}

// rule is a compiled pattern.
type rule struct {
	kind  uint8
	word  uint8
	firm  bool
	score float32
	name  string // "en/talk-to"
	bare  string // "talk-to"
	all   uint64 // its bits in the word
	first uint64 // bits at which it can begin
}

// program is a compiled pack.
type program struct {
	lang    string
	words   int
	always  bool     // a rule can match without any key
	masks   []uint64 // rows of words
	begins  []uint64 // by row: words in which this row can begin a rule
	rowOf   []uint32 // by entry: its row, or unknown
	unknown uint32   // row of an unknown word
	breaks  [unitAsk + 1]uint32
	init    []uint64 // bits at which a rule can begin, those behind optional ones included
	opt     []uint64
	rep     []uint64
	final   []uint64
	rules   []rule
	ruleAt  []uint16 // rule of each bit
}

// typoShape rules out at little cost most words that are no misspelt key. One
// mistake never changes the first letter (by definition), and not both the
// second and the last.
type typoShape struct {
	length, second, last [26]uint32 // by first letter
}

// typoIndex finds the keys of one pack by a misspelt form. A word is compared
// with the words of its own language alone: a neighbour in another would hide them.
type typoIndex struct {
	shape typoShape        // which words are worth a look
	forms map[string]int32 // a key with one letter missing, and the key itself
}

type matcher struct {
	lex      map[string]int32
	entries  []entry
	progs    []program
	tags     []tag
	typos    []typoIndex // by pack, and behind them one for texts of unknown language
	keys     []string    // by entry, for the check of a spelling mistake
	suffix   map[string]int32
	sufShape [256]uint32 // by last byte: lengths of endings
}

// compile builds a matcher. Packs must have passed Check.
func compile(packs []Pack, tags []tag, phrases []string) (*matcher, error) {
	if len(packs) > maxPacks {
		return nil, invalid("Packs", "%d, at most %d", len(packs), maxPacks)
	}
	m := &matcher{lex: map[string]int32{}, suffix: map[string]int32{}, tags: tags}
	var errs []error
	for i := range packs {
		if err := m.addPack(i, &packs[i]); err != nil {
			errs = append(errs, err)
		}
	}
	for i, p := range phrases {
		key, units := foldKey(p)
		if key == "" {
			continue // New has reported it
		}
		e := m.entry(key, units)
		m.entries[e].tags = append(m.entries[e].tags, int32(i))
	}
	m.addTypos()
	m.index()
	return m, errors.Join(errs...)
}

// foldKey folds a lexicon entry with the scanner itself, so that keys and texts
// can not drift apart. It returns the key and the folded units, or "" when the
// entry holds no word, a break, or too many words.
func foldKey(w string) (string, []string) {
	var s scan
	if len(w) > maxHead {
		return "", nil
	}
	s.read(w)
	var units []string
	from, to := -1, 0
	for _, u := range s.units[1 : s.n-1] {
		if u.kind != unitWord {
			if from >= 0 && int(u.end) < len(strings.TrimRight(w, ".!?")) {
				return "", nil
			}
			continue
		}
		if from < 0 {
			from = int(u.fs)
		}
		to = int(u.fe)
		units = append(units, string(s.buf[u.fs:u.fe]))
	}
	if from < 0 || len(units) > maxKeyUnits {
		return "", nil
	}
	return string(s.buf[from:to]), units
}

// entry returns the index of key, adding it and marking its first unit.
func (m *matcher) entry(key string, units []string) int32 {
	e := m.intern(key)
	if len(units) > 1 {
		f := m.intern(units[0])
		m.entries[f].multi |= 1 << len(units)
	}
	return e
}

func (m *matcher) intern(key string) int32 {
	if e, ok := m.lex[key]; ok {
		return e
	}
	e := int32(len(m.entries))
	m.entries = append(m.entries, entry{})
	m.keys = append(m.keys, key)
	m.lex[key] = e
	return e
}

func (m *matcher) addPack(index int, p *Pack) error {
	pr := program{lang: p.Lang}
	classes := map[string][]int{} // class to bits
	keys := map[string]uint8{}    // classes of which every match holds a word
	free := 64
	bits := func(a string, bit int) { classes[a] = append(classes[a], bit) }
	for _, r := range p.Rules {
		kind, _ := kindIndex(r.Kind)
		for _, src := range r.Patterns {
			es, err := parsePattern(src, p.Parts)
			if err != nil {
				return invalid(p.at("Rules"), "%v", err)
			}
			pr.always = keyClasses(p, es, kind, keys) || pr.always
			if free+len(es) > 64 {
				pr.words++
				free = 0
				if pr.words > maxPackWords {
					return invalid(p.at("Rules"), "too many patterns: more than %d elements", 64*maxPackWords)
				}
				pr.init, pr.opt = append(pr.init, 0), append(pr.opt, 0)
				pr.rep, pr.final = append(pr.rep, 0), append(pr.final, 0)
				pr.ruleAt = append(pr.ruleAt, make([]uint16, 64)...)
			}
			w := pr.words - 1
			cr := rule{kind: kind, firm: r.Firm, word: uint8(w), score: r.Score, bare: r.Name, name: p.Lang + "/" + r.Name}
			if cr.score == 0 {
				cr.score = 0.95
				if kind == kFrustration {
					cr.score = 1
				}
			}
			lead := true
			for i, e := range es {
				b := uint64(1) << (free + i)
				cr.all |= b
				if lead {
					cr.first |= b
				}
				if e.optional {
					pr.opt[w] |= b
				} else {
					lead = false
				}
				if e.repeat {
					pr.rep[w] |= b
				}
				for _, a := range e.atoms {
					bits(a, w*64+free+i)
				}
				pr.ruleAt[w*64+free+i] = uint16(len(pr.rules))
			}
			pr.init[w] |= cr.first
			for i, e := range slices.Backward(es) {
				pr.final[w] |= 1 << (free + i)
				if !e.optional {
					break
				}
			}
			free += len(es)
			pr.rules = append(pr.rules, cr)
		}
	}
	m.fillMasks(index, p, &pr, classes, keys)
	m.progs = append(m.progs, pr)
	return nil
}

// keyClasses picks the element of a rule that the fewest words satisfy and adds
// its classes to keys. It reports true if every element can be satisfied by an
// unknown word or a boundary.
func keyClasses(p *Pack, es []element, kind uint8, keys map[string]uint8) bool {
	best, size := -1, 0
	for i, e := range es {
		n := 0
		for _, a := range e.atoms {
			if builtinClass(a) {
				n = 1 << 20
			}
			n += max(1, len(p.Words[a]))
		}
		if !e.optional && n < 1<<20 && (best < 0 || n < size) {
			best, size = i, n
		}
	}
	if best < 0 {
		return true
	}
	for _, a := range es[best].atoms {
		keys[a] |= isKey
		if kind == kRequest {
			keys[a] |= isAsk
		}
	}
	return false
}

// What a word's classes are to the rules of its pack.
const (
	isKey = 1 << iota
	isAsk
)

// fillMasks gives every word of the pack the row of bits that it satisfies.
func (m *matcher) fillMasks(index int, p *Pack, pr *program, classes map[string][]int, keyed map[string]uint8) {
	row := func(names ...string) uint32 {
		bits := make([]uint64, pr.words)
		var begins uint64
		for _, n := range names {
			for _, b := range classes[n] {
				bits[b/64] |= 1 << (b % 64)
			}
		}
		for w := range bits {
			if bits[w]&pr.init[w] != 0 {
				begins |= 1 << w
			}
		}
		pr.masks = append(pr.masks, bits...)
		pr.begins = append(pr.begins, begins)
		return uint32(len(pr.begins) - 1)
	}
	pr.unknown = row(".", "x")
	pr.breaks[unitStart] = row("start", "<")
	pr.breaks[unitEnd] = row("end", ">")
	pr.breaks[unitComma] = row("comma", "<", ">")
	pr.breaks[unitStop] = row("stop", "<", ">")
	pr.breaks[unitAsk] = row("ask", "<", ">")

	words := map[string][]string{} // word to classes
	for class, list := range p.Words {
		for _, w := range list {
			words[w] = append(words[w], class)
		}
	}
	for class := range classes {
		if class[0] == '\'' {
			w := strings.ReplaceAll(strings.Trim(class, "'"), "_", " ")
			words[w] = append(words[w], class)
		}
	}
	// Two spellings may fold to one key, so classes are merged by key.
	byKey, unitsOf := map[string][]string{}, map[string][]string{}
	for w, cs := range words {
		bareWord, isSuffix := strings.CutPrefix(w, "*")
		key, units := foldKey(bareWord)
		if key == "" {
			continue // Check has reported it
		}
		if isSuffix {
			key = "*" + key
		}
		byKey[key] = append(byKey[key], cs...)
		unitsOf[key] = units
	}
	keys := make([]string, 0, len(byKey))
	for k := range byKey {
		keys = append(keys, k)
	}
	slices.Sort(keys) // the same pack gives the same matcher
	for _, k := range keys {
		var key uint8
		for _, c := range byKey[k] {
			key |= keyed[c]
		}
		pm := packMask{pack: uint8(index), key: key&isKey != 0, ask: key&isAsk != 0, row: row(append(byKey[k], ".")...)}
		if sfx, ok := strings.CutPrefix(k, "*"); ok {
			m.addSuffix(sfx, pm)
			continue
		}
		e := m.entry(k, unitsOf[k])
		pm.typo = len(k) >= 5 && len(k) <= 24 && ascii(k) && len(unitsOf[k]) == 1 &&
			slices.ContainsFunc(byKey[k], func(c string) bool { return slices.Contains(p.Fuzzy, c) })
		m.entries[e].per = append(m.entries[e].per, pm)
		m.entries[e].fuzzy = m.entries[e].fuzzy || pm.typo
	}
}

func (m *matcher) addSuffix(sfx string, pm packMask) {
	e, ok := m.suffix[sfx]
	if !ok {
		e = int32(len(m.entries))
		m.entries = append(m.entries, entry{})
		m.keys = append(m.keys, "*"+sfx)
		m.suffix[sfx] = e
		if len(sfx) < 32 {
			m.sufShape[sfx[len(sfx)-1]] |= 1 << len(sfx)
		}
	}
	m.entries[e].per = append(m.entries[e].per, pm)
}

// index gives every pack a direct way from an entry to its row.
func (m *matcher) index() {
	for p := range m.progs {
		pr := &m.progs[p]
		pr.rowOf = make([]uint32, len(m.entries))
		for e := range pr.rowOf {
			pr.rowOf[e] = pr.unknown
			for _, pm := range m.entries[e].per {
				if int(pm.pack) == p {
					pr.rowOf[e] = pm.row
					if pm.key {
						m.entries[e].keys |= 1 << p
					}
					if pm.ask {
						m.entries[e].asks |= 1 << p
					}
				}
			}
		}
	}
}

// addTypos indexes every fuzzy key and every form of it that lacks one letter.
func (m *matcher) addTypos() {
	m.typos = make([]typoIndex, len(m.progs)+1)
	for i := range m.typos {
		m.typos[i].forms = map[string]int32{}
	}
	for e := range m.entries {
		for _, pm := range m.entries[e].per {
			if pm.typo {
				m.typos[pm.pack].add(m.keys[e], int32(e))
				m.typos[len(m.progs)].add(m.keys[e], int32(e))
			}
		}
	}
}

func (x *typoIndex) add(key string, e int32) {
	first := key[0] - 'a'
	x.shape.length[first] |= 7 << (len(key) - 1)
	x.shape.second[first] |= 1 << (key[1] - 'a')
	x.shape.last[first] |= 1 << (key[len(key)-1] - 'a')
	form := func(f string) {
		if _, ok := x.forms[f]; !ok {
			x.forms[f] = e
		}
	}
	form(key)
	for i := range key {
		form(key[:i] + key[i+1:])
	}
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return true
}
