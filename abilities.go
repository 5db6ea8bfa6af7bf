package handoff

import "slices"

// abilities is an inverted index: for each ability the numbers of the agents
// who have it. Who can do what a need asks for is the intersection of a few
// sets, so that finding somebody costs the same with one agent and, nearly,
// with ten thousand.
type abilities struct {
	skills map[string]*levels
	speaks map[string]*bitset
	any    bitset // speak any language
	video  bitset

	nobody levels
	grown  int // how often a skill or a language was new
}

// levels are the agents with a skill: who[i] has it at least at steps[i].
type levels struct {
	steps []int // ascending
	who   []bitset
}

// mostSteps bounds the sets of a skill. Beyond it, a set holds more agents
// than its need asks for.
const mostSteps = 64

func newAbilities() *abilities {
	return &abilities{skills: map[string]*levels{}, speaks: map[string]*bitset{}}
}

func (a *abilities) skill(name string) *levels {
	l := a.skills[name]
	if l == nil {
		l = &levels{}
		a.skills[name] = l
		a.grown++
	}
	return l
}

func (a *abilities) language(name string) *bitset {
	b := a.speaks[name]
	if b == nil {
		b = &bitset{}
		a.speaks[name] = b
		a.grown++
	}
	return b
}

// put adds what an agent can do under a number, or takes it away.
func (a *abilities) put(i int, who *Agent, in bool) {
	for name, level := range who.Skills {
		a.skill(name).put(i, level, in)
	}
	for _, l := range who.Languages {
		a.language(l).put(i, in)
	}
	a.any.put(i, in && len(who.Languages) == 0)
	a.video.put(i, in && who.Video)
}

func (l *levels) put(i, level int, in bool) {
	at, ok := slices.BinarySearch(l.steps, level)
	if !ok && in && len(l.steps) < mostSteps {
		// Until now, at least this level meant at least the next one.
		var who bitset
		if at < len(l.who) {
			who = slices.Clone(l.who[at])
		}
		l.steps, l.who = slices.Insert(l.steps, at, level), slices.Insert(l.who, at, who)
		ok = true
	}
	if ok || at == 0 {
		at++
	}
	for s := range at {
		l.who[s].put(i, in)
	}
}

// atLeast returns a set that has everybody with a level.
func (l *levels) atLeast(level int) bitset {
	at, ok := slices.BinarySearch(l.steps, level)
	if !ok && at > 0 && len(l.steps) == mostSteps {
		at--
	}
	if at < len(l.who) {
		return l.who[at]
	}
	return nil
}

// A filter is a need, looked up.
type filter struct {
	levels []*levels
	least  []int
	lingua bool    // a language is asked for
	speaks *bitset // nil: nobody named it
	video  bool
	grown  int
	sets   []bitset // who passes is in all of them
}

// filter looks a need up, unless f holds what it would find, and brings its
// sets up to date: they hold until the next put.
func (a *abilities) filter(n *Need, f *filter) {
	if f.grown != a.grown+1 {
		f.levels, f.least, f.video, f.grown = f.levels[:0], f.least[:0], n.Mode == ModeVideo, a.grown+1
		for _, s := range n.Skills {
			l := a.skills[s.Name]
			if l == nil {
				l = &a.nobody
			}
			f.levels, f.least = append(f.levels, l), append(f.least, s.Level)
		}
		f.lingua, f.speaks = n.Language != "", a.speaks[n.Language]
	}
	f.sets = f.sets[:0]
	for i, l := range f.levels {
		f.sets = append(f.sets, l.atLeast(f.least[i]))
	}
	if f.video {
		f.sets = append(f.sets, a.video)
	}
}

// word returns which agents of a word of numbers pass the filter.
func (a *abilities) word(f *filter, w int, among uint64) uint64 {
	for _, set := range f.sets {
		if w >= len(set) {
			return 0
		}
		if among &= set[w]; among == 0 {
			return 0
		}
	}
	if f.lingua {
		able := a.any.word(w)
		if f.speaks != nil {
			able |= f.speaks.word(w)
		}
		among &= able
	}
	return among
}
