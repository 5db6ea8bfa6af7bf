package world

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// Mixed returns a team drawn by lot whose agents have some of two to five
// skills, under a load. What comes is near what the team was made for, within
// a fifth for each skill. The same number draws the same.
func Mixed(number uint64, load float64) Scenario {
	d := lot{rand.New(rand.NewPCG(number, 3))}
	n := int(math.Round(d.between(8, 60)))
	s := impatient(fmt.Sprintf("%%%d", number), "", n, load)
	s.Patience = Impatient(15)
	skills, more := 2+d.IntN(4), d.even(.1, .6)
	s.Shares = make([]float64, skills)
	known := 0
	for i := range s.Agents {
		lines := []int{i % skills}
		for l := range skills {
			if l != i%skills && d.chance(more) {
				lines = append(lines, l)
			}
		}
		s.Agents[i].Lines = lines
		known += len(lines)
		for _, l := range lines {
			s.Shares[l] += d.even(.8, 1.2) / float64(len(lines))
		}
	}
	weight := 0.0
	for _, w := range s.Shares {
		weight += w
	}
	for l := range s.Shares {
		s.Shares[l] /= weight
	}
	s.Name = fmt.Sprintf("%d agents with %.1f of %d skills", n, float64(known)/float64(n), skills)
	return s
}

// Part returns the world of those lines alone whose bits are set, with
// everybody who knows one of them serving all of them and nothing else: nobody
// of these lines waits less in s, however it is routed.
func (s *Scenario) Part(lines uint) Scenario {
	part := *s
	part.Shares, part.Agents = []float64{1}, nil
	share := s.Share(lines)
	for _, a := range s.Agents {
		if slices.ContainsFunc(a.Lines, func(l int) bool { return lines>>l&1 == 1 }) {
			a.Lines = []int{0}
			part.Agents = append(part.Agents, a)
		}
	}
	rate := s.Rate
	part.Rate, part.Peak = func(t float64) float64 { return share * rate(t) }, share*s.Peak
	return part
}

// Parts calls f for each way to divide lines into parts, as sets of bits.
func Parts(lines int, f func(parts []uint)) {
	var divide func(l int, parts []uint)
	divide = func(l int, parts []uint) {
		if l == lines {
			f(parts)
			return
		}
		for i := range parts {
			next := slices.Clone(parts)
			next[i] |= 1 << l
			divide(l+1, next)
		}
		divide(l+1, append(slices.Clone(parts), 1<<l))
	}
	divide(0, nil)
}

// Share is the share of what comes that is of the lines whose bits are set.
func (s *Scenario) Share(lines uint) (share float64) {
	for rest := lines; rest != 0; rest &= rest - 1 {
		share += s.Shares[bits.TrailingZeros(rest)]
	}
	return share
}
