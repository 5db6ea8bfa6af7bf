package trigger

import "math/bits"

// maxHits bounds the matches kept per pack and text; a text that matches more
// often than this has said what it wants.
const maxHits = 24

type hit struct {
	rule  uint16
	first uint16 // unit
	last  uint16 // unit
}

// verdict is what one pack found in one text.
type verdict struct {
	best    hit // unguarded request
	guarded hit // best request that a guard took back
	guard   uint16
	frust   hit // heaviest sign of frustration
	answer  hit // yes or no
	promise hit
	quoted  bool // it is reported speech: guard is not set
	negated bool // the guard GuardNegated was among the matches
	weight  float32
	found   [numKinds]bool
}

// lookup finds the lexicon entries of every unit. Misspelt words are looked for
// in the session's language only, or in all if it is not known (-1).
func (m *matcher) lookup(s *scan, session int) {
	typos := &m.typos[len(m.progs)]
	if session >= 0 {
		typos = &m.typos[session]
	}
	tries := 16 // spelling mistakes are worth a bounded effort
	for i := 1; i < s.n-1; i++ {
		u := &s.units[i]
		if u.kind != unitWord {
			continue
		}
		key := s.buf[u.fs:u.fe]
		e, ok := m.lex[string(key)]
		if !ok {
			u.entry = m.unknown(key, typos, &tries)
			if u.entry >= 0 {
				u.fuzzy = m.entries[u.entry].fuzzy
				s.found(&m.entries[u.entry])
			}
			continue
		}
		if session >= 0 && m.entries[e].multi == 0 && m.progs[session].rowOf[e] == m.progs[session].unknown {
			// A word of another language only: it may be a misspelt one here.
			if k := m.misspelt(key, typos, &tries); k >= 0 {
				u.entry, u.fuzzy = k, true
				s.found(&m.entries[k])
				continue
			}
		}
		u.entry = e
		s.found(&m.entries[e])
		for lens := m.entries[e].multi; lens != 0; lens &= lens - 1 {
			n := bits.TrailingZeros16(lens)
			j := i + n - 1
			if j >= s.n-1 || s.units[j].kind != unitWord || s.nm == maxMulti {
				break
			}
			k, ok := m.lex[string(s.buf[u.fs:s.units[j].fe])]
			if !ok {
				continue
			}
			s.ends[j/64] |= 1 << (j % 64)
			s.multis[s.nm] = multi{unit: uint16(i), n: uint8(n), entry: k}
			s.nm++
			s.found(&m.entries[k])
			if u.multi == 0 {
				u.multi = uint8(s.nm)
			}
		}
	}
}

func (s *scan) found(e *entry) {
	s.keys |= e.keys
	s.asks |= e.asks
}

// unknown tries compound endings, then one spelling mistake.
func (m *matcher) unknown(key []byte, typos *typoIndex, tries *int) int32 {
	if len(key) > 8 {
		for lens := m.sufShape[key[len(key)-1]]; lens != 0; lens &= lens - 1 {
			n := bits.TrailingZeros32(lens)
			if n+3 > len(key) {
				break
			}
			if e, ok := m.suffix[string(key[len(key)-n:])]; ok {
				return e
			}
		}
	}
	return m.misspelt(key, typos, tries)
}

// misspelt returns the key of which the word is a misspelt form, or -1.
func (m *matcher) misspelt(key []byte, typos *typoIndex, tries *int) int32 {
	if len(key) < 4 || len(key) > 25 || *tries == 0 || key[0] < 'a' || key[0] > 'z' {
		return -1
	}
	first, shape := key[0]-'a', &typos.shape
	if shape.length[first]>>len(key)&1 == 0 ||
		shape.second[first]>>((key[1]-'a')&31)&1 == 0 && shape.last[first]>>((key[len(key)-1]-'a')&31)&1 == 0 {
		return -1
	}
	*tries--
	if e, ok := typos.forms[string(key)]; ok && oneMistake(key, m.keys[e]) {
		return e
	}
	var form [25]byte
	for i := 1; i < len(key); i++ {
		n := copy(form[:], key[:i])
		n += copy(form[n:], key[i+1:])
		if e, ok := typos.forms[string(form[:n])]; ok && oneMistake(key, m.keys[e]) {
			return e
		}
	}
	return -1
}

// oneMistake reports whether word differs from key by one inserted, missing,
// wrong or swapped letter, and not in its first.
func oneMistake(word []byte, key string) bool {
	if word[0] != key[0] {
		return false
	}
	i := 0
	for i < len(word) && i < len(key) && word[i] == key[i] {
		i++
	}
	w, k := word[i:], key[i:]
	switch len(word) - len(key) {
	case 0:
		if len(w) == 0 || string(w[1:]) == k[1:] {
			return true
		}
		return len(w) > 1 && w[0] == k[1] && w[1] == k[0] && string(w[2:]) == k[2:]
	case 1:
		return string(w[1:]) == k
	case -1:
		return string(w) == k[1:]
	}
	return false
}

// single returns the row of one unit on its own.
func (pr *program) single(u *unit) uint32 {
	if u.kind != unitWord {
		return pr.breaks[u.kind]
	}
	if u.entry < 0 {
		return pr.unknown
	}
	return pr.rowOf[u.entry]
}

// active holds the bits of the rules that are half matched before a unit.
type active struct {
	live uint64 // words with a bit set
	bits [maxPackWords]uint64
}

// run matches all rules of the pack whose kind is in kinds. A unit may be read on
// its own or as the beginning of a several-word entry; both readings go on.
// Only words in which something is or can become half matched are touched.
func (pr *program) run(s *scan, kinds uint, v *verdict) {
	var (
		ring [ringSize]active
		hits [maxHits]hit
		n    int
	)
	read := func(from, to *active, row uint32, at int, last bool) {
		masks := pr.masks[int(row)*pr.words:][:pr.words]
		for live := from.live | pr.begins[row]; live != 0; live &= live - 1 {
			w := bits.TrailingZeros64(live)
			r := pr.init[w]
			if d := from.bits[w]; d != 0 {
				// What may come next, and behind it everything that can be
				// reached over optional elements: the carry of the addition
				// runs through each block of optional bits from its lowest
				// seed upwards and out at its end.
				next := d<<1 | d&pr.rep[w]
				opt := pr.opt[w]
				r |= next | ((opt + next&opt) ^ opt)
				if last {
					from.bits[w] = 0
				}
			}
			d := r & masks[w]
			if d == 0 {
				continue
			}
			to.live |= 1 << w
			to.bits[w] |= d
			for done := d & pr.final[w]; done != 0; done &= done - 1 {
				ri := pr.ruleAt[w*64+bits.TrailingZeros64(done)]
				if kinds>>pr.rules[ri].kind&1 == 0 {
					continue
				}
				// A rule that goes on matching replaces its shorter self.
				if n > 0 && hits[n-1].rule == ri && int(hits[n-1].last) == at-1 {
					n--
				}
				if n < maxHits {
					hits[n] = hit{rule: ri, last: uint16(at)}
					n++
				}
			}
		}
	}
	for i := range s.n {
		here, u := &ring[i%ringSize], &s.units[i]
		if u.multi != 0 {
			for j := int(u.multi) - 1; j < s.nm && int(s.multis[j].unit) == i; j++ {
				mu := &s.multis[j]
				if row := pr.rowOf[mu.entry]; row != pr.unknown {
					read(here, &ring[(i+int(mu.n))%ringSize], row, i+int(mu.n)-1, false)
				}
			}
		}
		read(here, &ring[(i+1)%ringSize], pr.single(u), i, true)
		here.live = 0
	}
	for h := range n {
		pr.begin(s, &hits[h])
		hits[h].trim(s)
	}
	pr.weigh(s, hits[:n], v)
}

// begin walks a match back to the earliest unit at which it can begin.
func (pr *program) begin(s *scan, h *hit) {
	r := &pr.rules[h.rule]
	w := int(r.word)
	var ring [ringSize]uint64 // bits that may end before a unit
	end := int(h.last) + 1
	ring[end%ringSize] = pr.final[w] & r.all
	h.first = h.last
	step := func(mask uint64, from int, cur uint64) {
		if cur &= mask; cur == 0 {
			return
		}
		if cur&r.first != 0 {
			h.first = min(h.first, uint16(from))
		}
		prev := cur >> 1
		for {
			more := prev | (prev&pr.opt[w])>>1
			if more == prev {
				break
			}
			prev = more
		}
		ring[from%ringSize] |= (prev | cur&pr.rep[w]) & r.all
	}
	for b, idle := end, 0; b > 0 && idle < ringSize; b-- {
		cur := ring[b%ringSize]
		ring[b%ringSize] = 0
		if cur == 0 {
			idle++
			continue
		}
		idle = 0
		step(pr.masks[int(pr.single(&s.units[b-1]))*pr.words+w], b-1, cur)
		if s.ends[(b-1)/64]>>((b-1)%64)&1 == 0 {
			continue
		}
		for j := range s.nm {
			if mu := &s.multis[j]; int(mu.unit)+int(mu.n) == b {
				if row := pr.rowOf[mu.entry]; row != pr.unknown {
					step(pr.masks[int(row)*pr.words+w], int(mu.unit), cur)
				}
			}
		}
	}
}

// weigh sorts the matches of one pack into a verdict.
func (pr *program) weigh(s *scan, hits []hit, v *verdict) {
	for i := range hits {
		h := &hits[i]
		r := &pr.rules[h.rule]
		switch r.kind {
		case kRequest:
			g, ok := pr.covered(hits, h, kGuard)
			if quoted := s.reported(h); ok && !r.firm || quoted {
				if !v.found[kGuard] || pr.better(h, &v.guarded) {
					v.guarded, v.guard, v.quoted = *h, g, quoted
				}
				v.found[kGuard] = true
				continue
			}
			if !v.found[kRequest] || pr.better(h, &v.best) {
				v.best = *h
			}
			v.found[kRequest] = true
		case kGuard:
			v.negated = v.negated || r.bare == GuardNegated && !s.reported(h)
		case kFrustration:
			if _, ok := pr.covered(hits, h, kCalm); ok {
				continue
			}
			if !v.found[kFrustration] || r.score > pr.rules[v.frust.rule].score {
				v.frust = *h
			}
			v.found[kFrustration] = true
			v.weight = min(2, v.weight+r.score)
		case kYes, kNo:
			v.answer = *h
			v.found[r.kind] = true
		case kPromise:
			if !v.found[kPromise] || pr.better(h, &v.promise) {
				v.promise = *h
			}
			v.found[kPromise] = true
		}
	}
}

func (pr *program) covered(hits []hit, h *hit, kind uint8) (uint16, bool) {
	for i := range hits {
		g := &hits[i]
		if pr.rules[g.rule].kind == kind && g.first <= h.last && g.last >= h.first {
			return g.rule, true
		}
	}
	return 0, false
}

// better prefers the higher score, then the longer match.
func (pr *program) better(a, b *hit) bool {
	sa, sb := pr.rules[a.rule].score, pr.rules[b.rule].score
	if sa != sb {
		return sa > sb
	}
	return a.last-a.first > b.last-b.first
}

// trim drops the breaks at the edges of a match: two matches that only share a
// comma do not overlap.
func (h *hit) trim(s *scan) {
	for h.first < h.last && s.units[h.first].kind != unitWord {
		h.first++
	}
	for h.last > h.first && s.units[h.last].kind != unitWord {
		h.last--
	}
}

// span turns a match into evidence in the original text.
func (s *scan) span(rule string, h hit) Evidence {
	return Evidence{Rule: rule, Start: int(s.units[h.first].start), End: int(s.units[h.last].end)}
}
