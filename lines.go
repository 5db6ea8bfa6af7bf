package handoff

import (
	"math/bits"
	"slices"
)

// A line is a signature of needs. What waits is found line by line: a store
// keeps those with the same signature in order, so that nobody is looked at
// whom nobody free can serve.
type line struct {
	name   string
	need   Need
	filter filter
	asked  int64 // when it was last looked at
}

// lineup is the lines of a queue in which somebody stands, by the first skill
// that they ask for; "" is none. An agent need only look at the lines of his
// own skills.
type lineup struct {
	names   []string // as the store gave them, sorted
	lines   []*line
	bySkill map[string][]*line
	asked   int64
}

func (l *line) skill() string {
	if len(l.need.Skills) == 0 {
		return ""
	}
	return l.need.Skills[0].Name
}

// update takes over what the store says. Slices of a store never change, so
// that the same slice has the same names.
func (u *lineup) update(names []string) {
	if len(names) == len(u.names) && (len(names) == 0 || &names[0] == &u.names[0]) {
		return
	}
	if !slices.IsSorted(names) {
		names = slices.Sorted(slices.Values(names)) // a store that storetest would not pass
	}
	lines := make([]*line, len(names))
	old := 0
	for i, name := range names {
		for old < len(u.names) && u.names[old] < name {
			u.remove(u.lines[old])
			old++
		}
		if old < len(u.names) && u.names[old] == name {
			lines[i] = u.lines[old]
			old++
			continue
		}
		l := &line{name: name, need: parseLine(name)}
		lines[i] = l
		u.bySkill[l.skill()] = append(u.bySkill[l.skill()], l)
	}
	for ; old < len(u.names); old++ {
		u.remove(u.lines[old])
	}
	u.names, u.lines = names, lines
}

func (u *lineup) remove(l *line) {
	list := u.bySkill[l.skill()]
	if len(list) == 1 {
		delete(u.bySkill, l.skill())
		return
	}
	i := slices.Index(list, l)
	list[i] = list[len(list)-1]
	list[len(list)-1] = nil
	u.bySkill[l.skill()] = list[:len(list)-1]
}

// fewFree is how many free agents are asked for their lines, one by one.
// Where there are more, the lines are asked for their agents.
const fewFree = 8

// covered returns those of a queue's lines in which one of its free agents can
// serve.
func (r *roster) covered(queue string, names []string) (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	free := 0
	defer func() {
		if free > 0 {
			r.crew(queue).mixed = len(out) < len(names)
		}
	}()
	u := r.lines[queue]
	if u == nil {
		u = &lineup{bySkill: map[string][]*line{}}
		r.lines[queue] = u
	}
	u.update(names)
	u.asked++
	who := r.crew(queue).who
	words := r.words[:0]
	for w := range min(len(who), len(r.free)) {
		if word := who[w] & r.free[w]; word != 0 {
			words = append(words, w)
			free += bits.OnesCount64(word)
		}
	}
	r.words = words
	out = make([]string, 0, 16)
	if free <= fewFree {
		for _, w := range words {
			for word := who[w] & r.free[w]; word != 0; word &= word - 1 {
				out = u.of(r.seats[w*64+bits.TrailingZeros64(word)], queue, out)
			}
		}
		return out
	}
	for _, l := range u.lines {
		r.able.filter(&l.need, &l.filter)
		if r.serves(queue, l) {
			out = append(out, l.name)
		}
	}
	return out
}

// of appends the lines that an agent can serve and that were not asked yet.
func (u *lineup) of(a *attendant, queue string, out []string) []string {
	if !a.may(queue) {
		return out
	}
	out = u.among(u.bySkill[""], a, queue, out)
	for skill := range a.Agent.Skills {
		out = u.among(u.bySkill[skill], a, queue, out)
	}
	return out
}

func (u *lineup) among(lines []*line, a *attendant, queue string, out []string) []string {
	for _, l := range lines {
		if l.asked != u.asked && a.Agent.reaches(queue, &l.need) && a.Agent.covers(&l.need) {
			l.asked = u.asked
			out = append(out, l.name)
		}
	}
	return out
}

// serves reports whether a free agent of a queue can serve a line.
func (r *roster) serves(queue string, l *line) bool {
	who := r.crew(queue).who
	for _, w := range r.words {
		for word := r.able.word(&l.filter, w, who[w]&r.free[w]); word != 0; word &= word - 1 {
			m := r.seats[w*64+bits.TrailingZeros64(word)]
			if m.may(queue) && m.Agent.reaches(queue, &l.need) && m.Agent.covers(&l.need) {
				return true
			}
		}
	}
	return false
}
