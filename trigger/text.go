package trigger

import "strings"

// reading is what the text rules learnt from one turn, beyond its signals.
type reading struct {
	request    bool    // an unguarded request
	negated    bool    // "I don't want a human"
	yes, no    bool    // a short answer
	weight     float32 // frustration of this turn alone, 0..2
	weightSpan Evidence
	weightLang string
	hashed     bool   // ask for the hash
	hash       uint32 // of the folded words; 0 when there are none
	words      int
}

// plainScore is what a rule scores that hardly reads anything else as a request.
const plainScore = 0.9

const (
	detText    = "text"
	detPhrases = "phrases"
	detTopics  = "topics"
)

// readUser runs phrases, topics and language packs over a user turn. It
// allocates nothing beyond what dst needs to grow.
func (m *matcher) readUser(t *Turn, dst []Signal, rd *reading) []Signal {
	var s scan
	s.read(t.Text)
	session := m.find(t.Lang)
	m.lookup(&s, session)
	rd.words = s.words()
	if rd.hashed {
		rd.hash = s.hash()
	}
	dst = m.readTags(&s, t, session, dst)
	switch {
	case t.Text == "":
		return dst
	case t.Intake:
		return append(dst, Signal{Reason: ReasonUserRequest, Guard: WhyIntake, Detector: detText, Lang: t.Lang})
	case session < 0 && t.Lang != "":
		return append(dst, Signal{Reason: ReasonUserRequest, Guard: WhyNoPack, Detector: detText, Lang: t.Lang})
	case rd.words == 0:
		return dst
	}
	const kinds = 1<<kRequest | 1<<kGuard | 1<<kFrustration | 1<<kCalm | 1<<kYes | 1<<kNo
	var guarded Signal
	var best Signal
	var back hit // what the session's language took back; unit 0 is no word
	for step := -1; step < len(m.progs); step++ {
		p := step
		if step < 0 {
			p = session
		}
		if p < 0 || step == session {
			continue // the session's language goes first, once
		}
		pr := &m.progs[p]
		keys, read := s.keys, uint(kinds)
		if session >= 0 && step >= 0 {
			keys, read = s.asks, 1<<kRequest|1<<kGuard // of a second language only requests matter
		}
		if keys>>p&1 == 0 && !pr.always {
			continue
		}
		var v verdict
		pr.run(&s, read, &v)
		// Outside the session's language only a plain match counts: a rare
		// spelling of one language is a common word of another.
		// What the session's language took back is not asked for in another.
		if v.found[kRequest] && pr.rules[v.best.rule].score > best.Score && (session < 0 || step < 0 ||
			pr.rules[v.best.rule].score >= plainScore && !s.misspelt(v.best) && !back.overlaps(v.best)) {
			r := &pr.rules[v.best.rule]
			best = Signal{Reason: ReasonUserRequest, Score: s.sure(v.best, r.score), Lang: pr.lang, Detector: detText, Evidence: s.span(r.name, v.best)}
		}
		if v.found[kGuard] && guarded.Guard == "" {
			if step < 0 {
				back = v.guarded
			}
			r := &pr.rules[v.guarded.rule]
			guarded = Signal{Reason: ReasonUserRequest, Score: r.score, Lang: pr.lang, Detector: detText, Guard: pr.rules[v.guard].bare, Evidence: s.span(r.name, v.guarded)}
			if v.quoted {
				guarded.Guard = GuardQuoted
			}
		}
		rd.negated = rd.negated || v.negated
		if v.found[kFrustration] && v.weight > rd.weight {
			rd.weight, rd.weightLang = v.weight, pr.lang
			rd.weightSpan = s.span(pr.rules[v.frust.rule].name, v.frust)
		}
		rd.yes = rd.yes || v.found[kYes]
		rd.no = rd.no || v.found[kNo]
		if v.found[kRequest] && step < 0 || best.Score >= plainScore {
			break // the session's own language, or a plain request in any, settles it
		}
	}
	if rd.weight > 0 && s.shouting() {
		rd.weight = min(2, rd.weight+0.5)
	}
	switch {
	case best.Reason != "":
		rd.request, rd.negated = true, false
		dst = append(dst, best)
	case guarded.Reason != "":
		dst = append(dst, guarded)
	}
	return dst
}

func (h hit) overlaps(o hit) bool { return h.first <= o.last && o.first <= h.last }

// readBot looks for a promised transfer in what the bot said.
func (m *matcher) readBot(t *Turn, dst []Signal, rd *reading) []Signal {
	var s scan
	s.read(t.Text)
	session := m.find(t.Lang)
	m.lookup(&s, session)
	rd.words = s.words()
	rd.hash = s.hash()
	if rd.words == 0 {
		return dst
	}
	if session < 0 && t.Lang != "" {
		return dst
	}
	for p := range m.progs {
		if session >= 0 && p != session {
			continue
		}
		pr := &m.progs[p]
		if s.keys>>p&1 == 0 && !pr.always {
			continue
		}
		var v verdict
		pr.run(&s, 1<<kPromise, &v)
		if v.found[kPromise] {
			r := &pr.rules[v.promise.rule]
			return append(dst, Signal{Reason: ReasonBotPromise, Score: r.score, Lang: pr.lang, Detector: detText, Evidence: s.span(r.name, v.promise)})
		}
	}
	return dst
}

// readTags reports configured phrases and topics. Each is reported once per
// text, at its first place.
func (m *matcher) readTags(s *scan, t *Turn, session int, dst []Signal) []Signal {
	from := len(dst)
	report := func(e int32, first, last int) {
		for _, ti := range m.entries[e].tags {
			tg := &m.tags[ti]
			if t.Intake && !tg.exact || tg.lang != "" && session >= 0 && m.progs[session].lang != tg.lang {
				continue
			}
			det := detTopics
			if tg.reason == ReasonPhrase {
				det = detPhrases
			}
			seen := false
			for i := from; i < len(dst); i++ {
				seen = seen || dst[i].Evidence.Rule == tg.name
			}
			if !seen {
				dst = append(dst, Signal{
					Reason: tg.reason, Score: tg.score, Lang: tg.lang, Detector: det,
					Evidence: s.span(tg.name, hit{first: uint16(first), last: uint16(last)}),
				})
			}
		}
	}
	for i := 1; i < s.n-1; i++ {
		if u := &s.units[i]; u.kind == unitWord && u.entry >= 0 && !u.fuzzy {
			report(u.entry, i, i)
		}
	}
	for i := range s.nm {
		mu := &s.multis[i]
		report(mu.entry, int(mu.unit), int(mu.unit)+int(mu.n)-1)
	}
	return dst
}

// find returns the pack for a language tag, or -1.
func (m *matcher) find(lang string) int {
	if i := strings.IndexAny(lang, "-_"); i >= 0 {
		lang = lang[:i]
	}
	for i := range m.progs {
		if strings.EqualFold(m.progs[i].lang, lang) {
			return i
		}
	}
	return -1
}

// sure lowers a score a little when a word of the match was misspelt.
func (s *scan) sure(h hit, score float32) float32 {
	if s.misspelt(h) {
		return score * 0.95
	}
	return score
}

func (s *scan) misspelt(h hit) bool {
	for i := h.first; i <= h.last; i++ {
		if s.units[i].fuzzy {
			return true
		}
	}
	return false
}

// shouting reports mostly capitals or runs of exclamation marks. It only
// strengthens frustration that was said in words.
func (s *scan) shouting() bool {
	return s.letters >= 8 && s.caps*10 >= s.letters*7 || s.marks >= 2
}

// hash is FNV-1a over the folded words, so that case, accents and punctuation
// do not hide a repetition.
func (s *scan) hash() uint32 {
	sum, some := uint32(2166136261), false
	for i := 1; i < s.n-1; i++ {
		u := &s.units[i]
		if u.kind != unitWord {
			continue
		}
		some = true
		for _, b := range s.buf[u.fs:u.fe] {
			sum = (sum ^ uint32(b)) * 16777619
		}
		sum = (sum ^ ' ') * 16777619
	}
	switch {
	case !some:
		return 0
	case sum == 0:
		return 1 // 0 means none
	}
	return sum
}

func (s *scan) words() int {
	n := 0
	for i := 1; i < s.n-1; i++ {
		if s.units[i].kind == unitWord {
			n++
		}
	}
	return n
}
