package estimate

import (
	"math"
	"math/rand/v2"
	"slices"
)

// horizon is how far ahead a simulation looks. Who is not served by then has
// no wait worth telling.
const horizon = 48 * 3600.0 // seconds

const defaultPaths = 200

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
// ranks before; each path also draws how wrong the learned parameters may be,
// and by how many seconds a shift to come begins earlier or later than planned.
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

// A simulation is a snapshot made ready to be played. Indexes in it are valid.
type simulation struct {
	s      *Snapshot
	rng    *rand.Rand
	worth  float64    // seconds of waiting time of a priority level
	lines  []lineDraw // by line; ok is false when nothing is known
	served [][]int    // lines by group
	seats  []seatDraw // seats that serve somebody, now or later
	key    []float64  // by person, the rank against people of flows
	waited []float64  // by person, seconds
	spent  []float64  // by person, the patience he has used up
	flows  []flowState
	target []bool // by person
	count  int    // number of targets that can be served

	// Of the path being played:
	wait  []float64 // by person
	now   float64
	busy  seatHeap
	idle  []int // indexes into seats
	left  int
	steps int
}

// A lineDraw is what is drawn for one line.
type lineDraw struct {
	ok       bool
	handle   sampler
	patience sampler
	slower   float64 // handle times are this much longer
	doubt    float64 // relative standard error of handle times
	leaving  float64 // of patience
	people   []int   // indexes into Snapshot.Waiting
	flows    []int

	// Of the path being played:
	head   int
	factor float64 // of handle times
	haste  float64 // of the hazard of patience
}

// A seatDraw is a seat made ready.
type seatDraw struct {
	group         int
	line          int     // whose handle time it is busy with; -1 when free
	elapsed       float64 // so far
	spent         float64 // integrated hazard of that
	joins, leaves float64 // seconds from now; leaves is +Inf when it stays
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
	sim := &simulation{
		s: s, rng: rand.New(rand.NewPCG(s.Seed, 0x9e3779b97f4a7c15)),
		worth:  s.Ageing.Seconds(),
		lines:  make([]lineDraw, len(s.Lines)),
		key:    make([]float64, len(s.Waiting)),
		waited: make([]float64, len(s.Waiting)),
		spent:  make([]float64, len(s.Waiting)),
		target: make([]bool, len(s.Waiting)),
		wait:   make([]float64, len(s.Waiting)),
	}
	if sim.worth <= 0 {
		sim.worth = 1e9 // longer than anybody waits
	}
	for l, line := range s.Lines {
		if p := line.Params; p != nil && p.Known && p.Handle.ends() {
			sim.lines[l] = lineDraw{
				ok: true, slower: 1 / p.yield(),
				handle: newSampler(&p.Handle), patience: newSampler(&p.Patience),
				doubt: math.Sqrt(1 / p.Handle.evidence()), leaving: math.Sqrt(p.leaveDoubt()),
			}
		}
	}
	for _, g := range s.Groups {
		var lines []int
		for _, l := range g.Lines {
			if l >= 0 && l < len(sim.lines) && sim.lines[l].ok && !slices.Contains(lines, l) {
				lines = append(lines, l)
			}
		}
		sim.served = append(sim.served, lines)
	}
	sim.addSeats()
	sim.addPeople(targets)
	for _, f := range s.Flows {
		if sim.known(f.Line) && usable(f.Rate) {
			sim.lines[f.Line].flows = append(sim.lines[f.Line].flows, len(sim.flows))
			sim.flows = append(sim.flows, flowState{Flow: f})
		}
	}
	return sim
}

// known reports whether there is such a line and something is known about it.
func (sim *simulation) known(line int) bool {
	return line >= 0 && line < len(sim.lines) && sim.lines[line].ok
}

func (sim *simulation) addSeats() {
	for _, seat := range sim.s.Seats {
		if seat.Group < 0 || seat.Group >= len(sim.served) || len(sim.served[seat.Group]) == 0 {
			continue
		}
		d := seatDraw{group: seat.Group, line: -1, joins: max(seat.Joins.Seconds(), 0), leaves: math.Inf(1)}
		if seat.Leaves > 0 {
			d.leaves = seat.Leaves.Seconds()
		}
		if seat.Busy {
			d.line = seat.Line
			if !sim.known(seat.Line) {
				// Serving something nothing is known about: as long as what
				// it serves otherwise.
				d.line = sim.served[seat.Group][0]
			}
			d.elapsed = min(max(seat.Elapsed, 0), longest).Seconds() / sim.lines[d.line].slower
			d.spent = sim.lines[d.line].handle.life.spent(d.elapsed)
		}
		sim.seats = append(sim.seats, d)
	}
}

func (sim *simulation) addPeople(targets []int) {
	last := -1
	for _, i := range targets {
		if sim.unknown(i).Reason == "" && !sim.target[i] {
			sim.target[i] = true
			sim.count++
			last = max(last, i)
		}
	}
	// Who ranks behind the last target changes nothing for the targets.
	for i, p := range sim.s.Waiting[:last+1] {
		if !sim.known(p.Line) {
			continue
		}
		line := &sim.lines[p.Line]
		line.people = append(line.people, i)
		waited := sim.s.waited(i)
		sim.waited[i] = waited
		sim.key[i] = sim.rank(-waited, p.Level)
		if line.patience.life.ends() {
			sim.spent[i] = line.patience.life.spent(waited)
		}
	}
}

// rank is the order of somebody who joined at moment at (seconds from now):
// lower goes first.
func (sim *simulation) rank(at float64, level int) float64 {
	return at - float64(level)*sim.worth
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
	if !sim.lines[line].ok {
		return Unknown(NoData)
	}
	return Wait{}
}
