package estimate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// naive plays a snapshot forward once, in the most literal way: a list of
// people, a list of seats, the next thing that happens found by looking at all
// of them. Handle time and patience are exponential with the given means in
// seconds (patience 0: for ever). It returns the wait of person target, who
// stays.
func naive(rng *rand.Rand, s *Snapshot, target int, handle, patience float64) float64 {
	type waits struct {
		line  int
		rank  float64
		until float64
		me    bool
	}
	draw := func() float64 {
		if patience <= 0 {
			return math.Inf(1)
		}
		return patience * rng.ExpFloat64()
	}
	worth := s.Ageing.Seconds()
	if worth == 0 {
		worth = 1e9
	}
	var people []waits
	for i, p := range s.Waiting {
		w := waits{p.Line, -p.Waited.Seconds() - float64(p.Level)*worth, draw(), i == target}
		if w.me {
			w.until = math.Inf(1)
		}
		people = append(people, w)
	}
	free := make([]float64, len(s.Seats)) // when each seat is free
	for i, seat := range s.Seats {
		free[i] = seat.Joins.Seconds()
		if seat.Busy {
			free[i] = max(free[i], handle*rng.ExpFloat64())
		}
	}
	next := make([]float64, len(s.Flows))
	for i, f := range s.Flows {
		next[i] = rng.ExpFloat64() / f.Rate
	}
	for now := 0.0; now < horizon; {
		// Whoever can be served now is served now.
		for again := true; again; {
			again = false
			slices.SortStableFunc(people, func(a, b waits) int {
				if a.rank < b.rank {
					return -1
				}
				if a.rank > b.rank {
					return 1
				}
				return 0
			})
			for k, p := range people {
				if p.until <= now {
					people = slices.Delete(people, k, k+1)
					again = true
					break
				}
				seat := 0
				for ; seat < len(s.Seats); seat++ {
					x := s.Seats[seat]
					if free[seat] <= now && (x.Leaves == 0 || now < x.Leaves.Seconds()) && s.serves(x.Group, p.line) {
						break
					}
				}
				if seat == len(s.Seats) {
					continue
				}
				if p.me {
					return now
				}
				free[seat] = now + handle*rng.ExpFloat64()
				people = slices.Delete(people, k, k+1)
				again = true
				break
			}
		}
		at, flow := math.Inf(1), -1
		for _, f := range free {
			if f > now {
				at = min(at, f)
			}
		}
		for i, n := range next {
			if n < at {
				at, flow = n, i
			}
		}
		if math.IsInf(at, 1) {
			return horizon
		}
		now = at
		if flow >= 0 {
			f := s.Flows[flow]
			people = append(people, waits{f.Line, now - float64(f.Level)*worth, now + draw(), false})
			next[flow] += rng.ExpFloat64() / f.Rate
		}
	}
	return horizon
}

// randomSnapshot has skills, priorities, shifts and flows, all at random, and
// is such that everybody is served in the end.
func randomSnapshot(rng *rand.Rand, p *Params) *Snapshot {
	lines := 1 + rng.IntN(3)
	s := &Snapshot{Seed: rng.Uint64(), Paths: 3000}
	if rng.IntN(2) == 0 {
		s.Ageing = time.Minute * time.Duration(1+rng.IntN(20))
	}
	for range lines {
		s.Lines = append(s.Lines, Line{Params: p})
	}
	for range 1 + rng.IntN(3) {
		var g Group
		for l := range lines {
			if rng.IntN(2) == 0 {
				g.Lines = append(g.Lines, l)
			}
		}
		s.Groups = append(s.Groups, g)
	}
	all := Group{}
	for l := range lines {
		all.Lines = append(all.Lines, l)
	}
	s.Groups = append(s.Groups, all)
	for i := range 2 + rng.IntN(8) {
		seat := Seat{Group: rng.IntN(len(s.Groups)), Busy: true, Elapsed: time.Duration(rng.IntN(600)) * time.Second}
		if i < 2 {
			seat.Group = len(s.Groups) - 1
		} else {
			switch rng.IntN(4) {
			case 0:
				seat.Leaves = time.Duration(1+rng.IntN(600)) * time.Second
			case 1:
				seat.Joins, seat.Busy = time.Duration(1+rng.IntN(600))*time.Second, false
			}
		}
		s.Seats = append(s.Seats, seat)
	}
	for range 1 + rng.IntN(12) {
		s.Waiting = append(s.Waiting, Person{Line: rng.IntN(lines), Level: rng.IntN(2), Waited: time.Duration(rng.IntN(900)) * time.Second})
	}
	slices.SortStableFunc(s.Waiting, func(a, b Person) int {
		rank := func(p Person) float64 {
			if s.Ageing == 0 {
				return -p.Waited.Seconds() - float64(p.Level)*1e9
			}
			return -p.Waited.Seconds() - float64(p.Level)*s.Ageing.Seconds()
		}
		return int(rank(a) - rank(b))
	})
	if rng.IntN(2) == 0 {
		s.Flows = []Flow{{Line: rng.IntN(lines), Level: rng.IntN(3), Rate: 1.0 / float64(300+rng.IntN(600))}}
	}
	return s
}

// The fast simulation and the literal one must agree in distribution. Seeds
// are fixed, so the test does not depend on luck; the tolerance is about four
// standard errors.
func TestSimulateAgainstTheNaiveTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	const handle, patience, paths = 300.0, 500.0, 1500
	p := Fixed(300*time.Second, 500*time.Second)
	for trial := range 25 {
		s := randomSnapshot(rng, &p)
		target := rng.IntN(len(s.Waiting))
		got := s.Simulate([]int{target})[0]
		x := make([]float64, paths)
		total := 0.0
		for i := range x {
			x[i] = naive(rng, s, target, handle, patience)
			total += x[i]
		}
		mean := total / paths
		spread := 0.0
		for _, v := range x {
			spread += square(v-mean) / paths
		}
		err := 4 * math.Sqrt(spread/paths*1.5)
		if math.Abs(got.Mean.Seconds()-mean) > err {
			t.Errorf("trial %d, person %d of %+v: mean %v, literally %v +- %v", trial, target, s, got.Mean.Seconds(), mean, err)
		}
		if p90 := quantile(x, 0.9); math.Abs(got.P90.Seconds()-p90) > 3*err+1 {
			t.Errorf("trial %d: p90 %v, literally %v", trial, got.P90.Seconds(), p90)
		}
	}
}
