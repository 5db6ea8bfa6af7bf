package trigger

import "math/bits"

// maxHits bounds the matches kept per pack and text; a text that matches more
// often than this has said what it wants.
const maxHits = 64

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
	negated bool // the guard GuardNegated was among the matches
	weight  float32
	found   [numKinds]bool
}

// lookup finds the lexicon entries of every unit.
func (m *matcher) lookup(s *scan) {
	tries := 40 // spelling mistakes are worth a bounded effort
	for i := 1; i < s.n-1; i++ {
		u := &s.units[i]
		if u.kind != unitWord {
			continue
		}
		key := s.buf[u.fs:u.fe]
		e, ok := m.lex[string(key)]
		if !ok {
			u.entry = m.unknown(key, &tries)
			u.fuzzy = u.entry >= 0 && m.entries[u.entry].fuzzy
			continue
		}
		u.entry = e
		for n := int(m.entries[e].multi); n > 1; n-- {
			j := i + n - 1
			if j >= s.n-1 || s.units[j].kind != unitWord {
				continue
			}
			k, ok := m.lex[string(s.buf[u.fs:s.units[j].fe])]
			if !ok || s.nm == maxMulti {
				continue
			}
			s.multis[s.nm] = multi{unit: uint16(i), n: uint8(n), entry: k}
			s.nm++
			if u.multi == 0 {
				u.multi = uint8(s.nm)
			}
		}
	}
}

// unknown tries compound endings and one spelling mistake.
func (m *matcher) unknown(key []byte, tries *int) int32 {
	if len(key) > 8 {
		for shape := m.sufShape[key[len(key)-1]]; shape != 0; shape &= shape - 1 {
			n := bits.TrailingZeros32(shape)
			if n+3 > len(key) {
				break
			}
			if e, ok := m.suffix[string(key[len(key)-n:])]; ok {
				return e
			}
		}
	}
	if len(key) < 4 || len(key) > 25 || m.typoShape[key[0]]>>len(key)&1 == 0 || *tries == 0 {
		return -1
	}
	*tries--
	if e, ok := m.typos[string(key)]; ok && oneMistake(key, m.keys[e]) {
		return e
	}
	var form [25]byte
	for i := 1; i < len(key); i++ {
		n := copy(form[:], key[:i])
		n += copy(form[n:], key[i+1:])
		if e, ok := m.typos[string(form[:n])]; ok && oneMistake(key, m.keys[e]) {
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

// row returns the masks of one entry for pack p.
func (m *matcher) row(p int, e int32) ([]uint64, bool) {
	pr := &m.progs[p]
	for _, pm := range m.entries[e].per {
		if int(pm.pack) == p {
			return pr.masks[pm.off:][:pr.words], true
		}
	}
	return nil, false
}

// single returns the masks of unit i on its own.
func (m *matcher) single(p int, s *scan, i int) []uint64 {
	pr := &m.progs[p]
	u := &s.units[i]
	if u.kind != unitWord {
		return pr.masks[pr.breaks[u.kind]:][:pr.words]
	}
	if u.entry >= 0 {
		if row, ok := m.row(p, u.entry); ok {
			return row
		}
	}
	return pr.masks[pr.unknown:][:pr.words]
}

// run matches all rules of pack p whose kind is in kinds. A unit may be read on
// its own or as the beginning of a several-word entry; both readings go on.
func (m *matcher) run(p int, s *scan, kinds uint, v *verdict) {
	pr := &m.progs[p]
	var (
		ring [maxKeyUnits][maxPackWords]uint64 // active bits before a unit
		hits [maxHits]hit
		n    int
	)
	words := pr.words
	init, opt, rep, final := pr.init[:words], pr.opt[:words], pr.rep[:words], pr.final[:words]
	record := func(w int, done uint64, last int) {
		for ; done != 0; done &= done - 1 {
			ri := pr.ruleAt[w*64+bits.TrailingZeros64(done)]
			if kinds>>pr.rules[ri].kind&1 == 0 {
				continue
			}
			// A rule that goes on matching replaces its shorter self.
			if n > 0 && hits[n-1].rule == ri && int(hits[n-1].last) == last-1 {
				n--
			}
			if n < maxHits {
				hits[n] = hit{rule: ri, last: uint16(last)}
				n++
			}
		}
	}
	for i := 0; i < s.n; i++ {
		here, next := &ring[i%maxKeyUnits], &ring[(i+1)%maxKeyUnits]
		one := m.single(p, s, i)
		for w := range words {
			d := here[w]
			r := d<<1 | init[w] | d&rep[w]
			for {
				more := r | (r&opt[w])<<1
				if more == r {
					break
				}
				r = more
			}
			here[w] = r // what may come next, for the longer readings below
			d = r & one[w]
			next[w] |= d
			if d &= final[w]; d != 0 {
				record(w, d, i)
			}
		}
		if u := &s.units[i]; u.multi != 0 {
			follow := *here
			*here = [maxPackWords]uint64{}
			for j := int(u.multi) - 1; j < s.nm && int(s.multis[j].unit) == i; j++ {
				mu := &s.multis[j]
				row, ok := m.row(p, mu.entry)
				if !ok {
					continue
				}
				to := &ring[(i+int(mu.n))%maxKeyUnits]
				for w, mask := range row {
					d := follow[w] & mask
					to[w] |= d
					if d &= final[w]; d != 0 {
						record(w, d, i+int(mu.n)-1)
					}
				}
			}
			continue
		}
		clear(here[:words])
	}
	for h := range n {
		m.begin(p, s, &hits[h])
		hits[h].trim(s)
	}
	pr.weigh(hits[:n], s, v)
}

// begin walks a match back to the earliest unit at which it can begin.
func (m *matcher) begin(p int, s *scan, h *hit) {
	pr := &m.progs[p]
	r := &pr.rules[h.rule]
	w := int(r.word)
	var ring [maxKeyUnits]uint64 // bits that may end before a unit
	end := int(h.last) + 1
	ring[end%maxKeyUnits] = pr.final[w] & r.all
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
		ring[from%maxKeyUnits] |= (prev | cur&pr.rep[w]) & r.all
	}
	for b, idle := end, 0; b > 0 && idle < maxKeyUnits; b-- {
		cur := ring[b%maxKeyUnits]
		ring[b%maxKeyUnits] = 0
		if cur == 0 {
			idle++
			continue
		}
		idle = 0
		step(m.single(p, s, b-1)[w], b-1, cur)
		for j := range s.nm {
			if mu := &s.multis[j]; int(mu.unit)+int(mu.n) == b {
				if row, ok := m.row(p, mu.entry); ok {
					step(row[w], int(mu.unit), cur)
				}
			}
		}
	}
}

// weigh sorts the matches of one pack into a verdict.
func (pr *program) weigh(hits []hit, s *scan, v *verdict) {
	for i := range hits {
		h := &hits[i]
		r := &pr.rules[h.rule]
		switch r.kind {
		case kRequest:
			if g, ok := pr.covered(hits, h, kGuard); ok {
				if !v.found[kGuard] || pr.better(h, &v.guarded) {
					v.guarded, v.guard = *h, g
				}
				v.found[kGuard] = true
				continue
			}
			if !v.found[kRequest] || pr.better(h, &v.best) {
				v.best = *h
			}
			v.found[kRequest] = true
		case kGuard:
			v.negated = v.negated || r.bare == GuardNegated
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
