package waiting

import (
	"math"
	"slices"

	"github.com/seed-2a427302/handoff/bench/world"
)

// share returns the share of those who can be scored that r.Work is enough for.
// It plays the run once without estimates, which takes next to no time.
func (r *Run) share() float64 {
	if r.Work <= 0 {
		return 1
	}
	m := &meter{from: r.From, open: map[*world.Person]bool{}}
	world.Run(r.Scenario, r.Seed, r.To, tickEvery, m)
	return min(1, r.Work/math.Max(m.work, 1))
}

// taken reports whether number n is among a share of all numbers that is spread
// evenly over them.
func taken(n int, share float64) bool {
	_, at := math.Modf(float64(n) * math.Phi)
	return at < share
}

// A meter adds up what estimates would cost: a step for each seat and for each
// person up to the one who asks.
type meter struct {
	from int
	open map[*world.Person]bool
	work float64
}

func (m *meter) ask(w *world.World, p *world.Person) {
	for _, d := range w.Desks {
		if d.There {
			m.work += float64(d.Seats)
		}
	}
	m.work += float64(w.Ahead(p) + 1)
}

// Arrived asks once.
func (m *meter) Arrived(w *world.World, p *world.Person) {
	if p.Probe && p.Seq >= m.from && slices.Contains(w.Waiting, p) {
		m.open[p] = true
		m.ask(w, p)
	}
}

// Started asks no more.
func (m *meter) Started(_ *world.World, p *world.Person) { delete(m.open, p) }

// Tick asks for each ghost, and once for all others.
func (m *meter) Tick(w *world.World) {
	var last *world.Person
	for _, p := range w.Waiting {
		switch {
		case !m.open[p]:
		case p.Ghost:
			m.ask(w, p)
		default:
			last = p
		}
	}
	if last != nil {
		m.ask(w, last)
	}
}

// GaveUp does nothing.
func (m *meter) GaveUp(*world.World, *world.Person) {}

// Finished does nothing.
func (m *meter) Finished(*world.World, *world.Person) {}

// Shifted does nothing.
func (m *meter) Shifted(*world.World, *world.Desk) {}
