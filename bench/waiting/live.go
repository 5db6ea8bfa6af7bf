// Package waiting scores the estimate package in simulated worlds, next to the
// estimators others use.
package waiting

import (
	"math"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff/bench/world"
	"github.com/seed-2a427302/handoff/estimate"
)

// clock turns minutes of a run into times.
func clock(minutes float64) time.Time {
	return time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC).Add(span(minutes))
}

func span(minutes float64) time.Duration { return time.Duration(minutes * float64(time.Minute)) }

// learner feeds what happens in a world to the models an engine would keep: one
// for the queue, and one per line for who comes.
type learner struct {
	queue *estimate.Model
	lines []*estimate.Model
	last  float64 // up to when staffing was recorded
	// The seats since then, and whether somebody waited.
	seats, busy int
	waiting     bool

	params estimate.Params
	flows  [][]estimate.Arrival
	fresh  float64 // when params were learned
}

func newLearner(s world.Scenario) *learner {
	l := &learner{queue: estimate.NewModel(estimate.Prior{}), fresh: math.Inf(-1)}
	for range s.Shares {
		l.lines = append(l.lines, estimate.NewModel(estimate.Prior{}))
	}
	return l
}

// refresh is how often an engine would learn its parameters anew, in minutes.
const refresh = 1

// learn brings params up to date.
func (l *learner) learn(w *world.World) {
	if w.Now-l.fresh < refresh {
		return
	}
	l.fresh = w.Now
	var live estimate.Live
	for _, d := range w.Desks {
		for _, p := range d.People {
			live.Busy = append(live.Busy, span(w.Now-p.Started))
		}
	}
	for _, p := range w.Waiting {
		if p.Ghost {
			continue
		}
		live.Waiting = append(live.Waiting, span(w.Now-p.Arrived))
	}
	now := clock(w.Now)
	l.params = l.queue.Params(now, live)
	if w.High == 0 {
		return // nobody can come who ranks before others
	}
	l.flows = l.flows[:0]
	for _, m := range l.lines {
		l.flows = append(l.flows, m.Params(now, estimate.Live{}).Arrivals)
	}
}

// staffed records the seats as they were since the last call and looks at them
// anew. It is called after each change.
func (l *learner) staffed(w *world.World) {
	if l.waiting {
		l.queue.Staffed(clock(l.last), clock(w.Now), l.seats, l.busy)
	}
	l.last, l.seats, l.busy = w.Now, 0, 0
	l.waiting = false
	needed := make([]bool, len(w.Shares))
	for _, p := range w.Waiting {
		if !p.Ghost {
			l.waiting, needed[p.Line] = true, true
		}
	}
	for _, d := range w.Desks {
		if d.There && slices.ContainsFunc(d.Lines, func(line int) bool { return needed[line] }) {
			l.seats += d.Seats
			l.busy += len(d.People)
		}
	}
}

// snapshot is the live state as an engine would hand it over. An engine knows
// its shifts, so those of the next hours are in it. Of ghosts only the given
// one is in it, if any.
func (l *learner) snapshot(w *world.World, ghost *world.Person) *estimate.Snapshot {
	s := estimate.Scene{}
	for line := range w.Shares {
		s.Lines = append(s.Lines, estimate.Line{Params: &l.params})
		if line >= len(l.flows) {
			continue
		}
		for _, a := range l.flows[line] {
			s.Flows = append(s.Flows, estimate.Flow{Line: line, Level: a.Level, Rate: a.Rate, Evidence: a.Evidence})
		}
	}
	for _, d := range w.Desks {
		s.Agents = append(s.Agents, agent(w, d))
	}
	for _, p := range w.Waiting {
		if p.Ghost && p != ghost {
			continue
		}
		s.Waiting = append(s.Waiting, estimate.Person{Line: p.Line, Level: p.Level, Waited: span(w.Now - p.Arrived)})
	}
	return s.Snapshot()
}

// foresight is how far ahead shifts are told, in minutes.
const foresight = 8 * 60

// agent is a desk in this shift and the coming ones.
func agent(w *world.World, d *world.Desk) estimate.Agent {
	a := estimate.Agent{Lines: d.Lines, Seats: d.Seats}
	for _, p := range d.People {
		a.Serving = append(a.Serving, estimate.Serving{Line: p.Line, Elapsed: span(w.Now - p.Started)})
	}
	there, until := d.There, d.Until
	for from := w.Now; from < w.Now+foresight; {
		if there {
			shift := estimate.Shift{From: span(from - w.Now)}
			if !math.IsInf(until, 1) {
				shift.To = span(until - w.Now)
			}
			a.Shifts = append(a.Shifts, shift)
		}
		if from = until; !math.IsInf(until, 1) {
			there, until = d.Shift(from + 1e-9)
		}
	}
	return a
}
