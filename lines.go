package handoff

import "math/bits"

// A line is a signature of needs, and the filter for the agents who can serve
// it. What waits is found line by line: a store keeps those with the same
// signature in order, so that nobody is looked at whom nobody free can serve.
type line struct {
	need   Need
	filter filter
}

// covered appends to out those of the lines in which a free agent of a queue
// can serve.
func (r *roster) covered(queue string, lines, out []string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.crew(queue)
	words := make([]int, 0, 64)
	for w, word := range c.who {
		if word&r.free.word(w) != 0 {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return out
	}
	if len(r.lines) > 4*len(lines)+1024 {
		clear(r.lines) // most of them are gone
	}
	for _, name := range lines {
		l := r.lines[name]
		if l == nil {
			l = &line{need: parseLine(name)}
			r.lines[name] = l
		}
		r.able.filter(&l.need, &l.filter)
		if r.serves(queue, c, l, words) {
			out = append(out, name)
		}
	}
	return out
}

// serves reports whether somebody in one of the words can serve a line.
func (r *roster) serves(queue string, c *crew, l *line, words []int) bool {
	for _, w := range words {
		word := r.able.word(&l.filter, w, c.who[w]&r.free.word(w))
		for ; word != 0; word &= word - 1 {
			m := r.seats[w*64+bits.TrailingZeros64(word)]
			if m.may(queue) && m.Agent.reaches(queue, &l.need) && m.Agent.covers(&l.need) {
				return true
			}
		}
	}
	return false
}
