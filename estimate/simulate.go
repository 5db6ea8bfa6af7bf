package estimate

import (
	"math"
	"math/rand/v2"
	"slices"
)

// horizon is how far ahead a simulation looks. Who is not served by then has
// no wait worth telling.
const horizon = 48 * 3600.0 // seconds

const defaultPaths = 256

// budget bounds the steps of one path: one that sees far more people come
// than wait now is one in which those who wait are never reached. What is left
// then counts as past the horizon.
func (s *Snapshot) budget() int { return 4096 + 16*(len(s.Waiting)+len(s.Seats)) }

// Simulate plays the live state forward s.Paths times and returns the waits of
// the people with these indexes in s.Waiting, in the same order; nil means
// everybody. Indexes out of range give an unknown wait.
//
// Each path draws how much longer every busy seat takes, given how long it has,
// how long each conversation to come takes, who gives up, and who comes that
// ranks before; each path also draws how wrong the learned parameters may be.
// A seat that becomes free takes the first person it can serve. One run gives
// everybody's wait; its cost grows with paths times (seats + people ahead), a
// fraction of a millisecond for twenty seats.
//
// Reasons: [Closed], [NoAgents] when no seat serves the line now or later or
// half of the paths pass the horizon of two days, [NoData] when the line's
// parameters know nothing. Equal snapshots give equal results. It is safe for
// concurrent use.
func (s *Snapshot) Simulate(targets []int) []Wait {
	if targets == nil {
		targets = make([]int, len(s.Waiting))
		for i := range targets {
			targets[i] = i
		}
	}
	out := make([]Wait, len(targets))
	sim := newSimulation(s, targets)
	todo := false
	for k, i := range targets {
		if out[k] = sim.unknown(i); out[k].Reason == "" {
			todo = true
		}
	}
	if !todo {
		return out
	}
	paths := s.Paths
	if paths <= 0 {
		paths = defaultPaths
	}
	samples := make([]float64, len(targets)*paths)
	for path := range paths {
		sim.play(path)
		for k, i := range targets {
			if out[k].Reason == "" {
				samples[k*paths+path] = sim.wait[i]
			}
		}
	}
	for k := range targets {
		if out[k].Reason == "" {
			out[k] = summarise(samples[k*paths : (k+1)*paths])
		}
	}
	return out
}

// summarise turns the waits of all paths into one Wait.
func summarise(x []float64) Wait {
	slices.Sort(x)
	if x[len(x)-1] == 0 {
		return Wait{Known: true, Method: Immediate}
	}
	p50 := quantile(x, 0.5)
	if p50 >= horizon {
		return Unknown(NoAgents)
	}
	return known(MonteCarlo, p50, quantile(x, 0.9), sum(x)/float64(len(x)))
}

// quantile returns the p-quantile of sorted x such that a new draw stays below
// it with probability p: that of rank p*(n+1).
func quantile(x []float64, p float64) float64 {
	r := p*float64(len(x)+1) - 1
	lo := min(max(int(math.Floor(r)), 0), len(x)-1)
	hi := min(lo+1, len(x)-1)
	f := math.Min(math.Max(r-float64(lo), 0), 1)
	return x[lo] + f*(x[hi]-x[lo])
}

// A simulation is a snapshot made ready to be played. Indexes in it are valid.
type simulation struct {
	s      *Snapshot
	rng    *rand.Rand
	params []*Params   // by line; nil when nothing is known
	speed  []float64   // by line, handle times are multiplied by this
	doubts []float64   // by line, relative standard error of handle time
	served [][]int     // lines by group
	people [][]int     // by line, indexes into s.Waiting
	key    []float64   // by person, the rank against people of flows
	flows  []flowState // usable flows
	feeds  [][]int     // flows by line
	target []bool      // by person
	count  int         // number of targets that can be served

	// Of the path being played:
	wait     []float64 // by person
	head     []int     // by line, next of people
	now      float64
	seats    seatHeap
	idle     []int // seats without work
	factor   []float64
	patience []float64 // by line, factor of patience
	left     int
	steps    int
}

// A flowState is a flow and, during a path, those of it who wait.
type flowState struct {
	Flow
	rate float64 // of this path
	next float64 // when the next one comes
	line []float64
	head int
}

func newSimulation(s *Snapshot, targets []int) *simulation {
	n := len(s.Lines)
	sim := &simulation{
		s: s, rng: rand.New(rand.NewPCG(s.Seed, 0x9e3779b97f4a7c15)),
		params: make([]*Params, n), speed: make([]float64, n), doubts: make([]float64, n),
		people: make([][]int, n), feeds: make([][]int, n), head: make([]int, n),
		factor: make([]float64, n), patience: make([]float64, n),
		wait: make([]float64, len(s.Waiting)),
		key:  make([]float64, len(s.Waiting)), target: make([]bool, len(s.Waiting)),
	}
	for l, line := range s.Lines {
		if p := line.Params; p != nil && p.Known && p.Handle.ends() {
			sim.params[l] = p
			sim.speed[l] = 1 / p.yield()
			sim.doubts[l] = math.Sqrt(1 / p.Handle.evidence())
		}
	}
	for _, g := range s.Groups {
		var lines []int
		for _, l := range g.Lines {
			if l >= 0 && l < n && !slices.Contains(lines, l) {
				lines = append(lines, l)
			}
		}
		sim.served = append(sim.served, lines)
	}
	last := -1
	for _, i := range targets {
		if sim.unknown(i).Reason == "" && !sim.target[i] {
			sim.target[i] = true
			sim.count++
			last = max(last, i)
		}
	}
	// Who ranks behind the last target changes nothing for the targets.
	for i, p := range s.Waiting[:last+1] {
		if p.Line >= 0 && p.Line < n && sim.params[p.Line] != nil {
			sim.people[p.Line] = append(sim.people[p.Line], i)
		}
		sim.key[i] = sim.rank(-max(p.Waited.Seconds(), 0), p.Level)
	}
	for _, f := range s.Flows {
		if f.Line >= 0 && f.Line < n && sim.params[f.Line] != nil && usable(f.Rate) {
			sim.feeds[f.Line] = append(sim.feeds[f.Line], len(sim.flows))
			sim.flows = append(sim.flows, flowState{Flow: f})
		}
	}
	return sim
}

// rank is the order of somebody who joined at moment at (seconds from now):
// lower goes first.
func (sim *simulation) rank(at float64, level int) float64 {
	worth := sim.s.Ageing.Seconds()
	if worth <= 0 {
		worth = 1e9 // longer than anybody waits
	}
	return at - float64(level)*worth
}

// unknown tells why person i cannot have a wait; its Reason is empty if he can.
func (sim *simulation) unknown(i int) Wait {
	if i < 0 || i >= len(sim.s.Waiting) {
		return Unknown(NoData)
	}
	if sim.s.Closed {
		return Unknown(Closed)
	}
	line := sim.s.Waiting[i].Line
	if line < 0 || line >= len(sim.s.Lines) {
		return Unknown(NoAgents)
	}
	if !slices.ContainsFunc(sim.s.Seats, func(seat Seat) bool { return sim.s.serves(seat.Group, line) }) {
		return Unknown(NoAgents)
	}
	if sim.params[line] == nil {
		return Unknown(NoData)
	}
	return Wait{}
}
