// Package routing scores the library's strategies in simulated worlds, next to
// a lower bound and to a router that polls.
package routing

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/bench/world"
)

// By lets a router of the library pick in a world. The candidates are what an
// engine would hand it.
func By(r handoff.Router) func(*world.World, *world.Person, []*world.Desk) *world.Desk {
	var agents []handoff.Agent
	return func(w *world.World, _ *world.Person, free []*world.Desk) *world.Desk {
		if agents == nil {
			agents = staff(w)
		}
		list := make([]handoff.Candidate, len(free))
		for i, d := range free {
			n := slices.Index(w.Desks, d)
			list[i] = handoff.Candidate{
				Agent: agents[n], Load: len(d.People), Free: d.Seats - len(d.People), IdleSince: clock(d.Idle),
			}
		}
		id, _ := r.Route(context.Background(), &handoff.Handoff{}, list)
		for i := range list {
			if list[i].Agent.ID == id {
				return free[i]
			}
		}
		return nil
	}
}

func staff(w *world.World) []handoff.Agent {
	out := make([]handoff.Agent, len(w.Desks))
	for i, d := range w.Desks {
		out[i] = handoff.Agent{ID: "agent" + strconv.Itoa(1000+i), Queues: []string{"queue"}, Seats: d.Seats, Skills: map[string]int{}}
		for _, l := range d.Lines {
			out[i].Skills["skill"+strconv.Itoa(l)] = 1
		}
	}
	return out
}

func clock(minutes float64) time.Time {
	return time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC).Add(time.Duration(minutes * float64(time.Minute)))
}

// A Score is what became of the people of a run. Times are minutes.
type Score struct {
	Mean, P95 float64 // wait of everybody, served or not
	GaveUp    float64 // share
	Spread    float64 // between the most and the least used agent, as shares of their time
	P99, Max  map[int]float64
}

// Play plays a scenario; people before number from are not scored.
func Play(s world.Scenario, seed uint64, from, to int) Score {
	t := &tally{from: from, waits: map[int][]float64{}}
	world.Run(s, seed, to, 1e6, t)
	return t.score()
}

type tally struct {
	from   int
	waits  map[int][]float64 // by priority
	gaveUp int
	busy   []float64
	begun  float64
	now    float64
}

func (t *tally) add(w *world.World, p *world.Person) {
	if t.now = w.Now; p.Seq >= t.from {
		t.waits[p.Level] = append(t.waits[p.Level], w.Now-p.Arrived)
	}
}

// Arrived starts the clock with the first who is scored.
func (t *tally) Arrived(w *world.World, p *world.Person) {
	if p.Seq == t.from {
		t.begun, t.busy = w.Now, make([]float64, len(w.Desks))
	}
}

// Started counts a wait that ended well.
func (t *tally) Started(w *world.World, p *world.Person) {
	if !p.Ghost {
		t.add(w, p)
	}
}

// GaveUp counts one that did not.
func (t *tally) GaveUp(w *world.World, p *world.Person) {
	if t.add(w, p); p.Seq >= t.from {
		t.gaveUp++
	}
}

// Finished counts the time at the desk.
func (t *tally) Finished(w *world.World, p *world.Person) {
	if t.busy != nil {
		t.busy[p.Desk] += w.Now - math.Max(p.Started, t.begun)
	}
}

// Shifted does nothing.
func (t *tally) Shifted(*world.World, *world.Desk) {}

// Tick does nothing.
func (t *tally) Tick(*world.World) {}

func (t *tally) score() Score {
	s := Score{P99: map[int]float64{}, Max: map[int]float64{}}
	var all []float64
	for level, waits := range t.waits {
		slices.Sort(waits)
		s.P99[level], s.Max[level] = quantile(waits, .99), waits[len(waits)-1]
		all = append(all, waits...)
	}
	slices.Sort(all)
	for _, x := range all {
		s.Mean += x / float64(len(all))
	}
	s.P95, s.GaveUp = quantile(all, .95), float64(t.gaveUp)/float64(len(all))
	s.Spread = (slices.Max(t.busy) - slices.Min(t.busy)) / (t.now - t.begun)
	return s
}

func quantile(sorted []float64, p float64) float64 {
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}
