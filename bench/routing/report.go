package routing

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"text/tabwriter"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/bench/goal"
	"github.com/seed-2a427302/handoff/bench/world"
)

// Options say how much to measure.
type Options struct {
	Seed     uint64
	Seeds    int
	Arrivals int // of each run; the first tenth is not scored
	Days     int // runs of 24 hours
	Mixes    int // teams drawn by lot, numbered from Seed; 0 for none
	Workers  int
}

// poll is what others do: every 5 seconds, one, the head of the line.
const poll = 5.0 / 60

// A policy is a way to route.
type policy struct {
	name   string
	change func(*world.Scenario)
}

func policies() []policy {
	by := func(r handoff.Router) func(*world.Scenario) {
		return func(s *world.Scenario) { s.Pick = By(r) }
	}
	return []policy{
		{"bound: every agent has every skill", func(s *world.Scenario) {
			s.Agents = slices.Clone(s.Agents)
			for i := range s.Agents {
				s.Agents[i].Lines = []int{0, 1, 2}
			}
			s.Pick = By(handoff.LongestIdle)
		}},
		{"most specialised (default)", by(handoff.MostSpecialised)},
		{"longest idle", by(handoff.LongestIdle)},
		{"least busy", by(handoff.LeastBusy)},
		{"polled every 5 s, one each", func(s *world.Scenario) { s.Pick, s.Poll = By(handoff.LongestIdle), poll }},
	}
}

const (
	bound = iota
	ours
	longestIdle
	_
	polled
)

// limits are the most that the mean wait may be of a bound, by load.
func limits() []struct{ load, most float64 } {
	return []struct{ load, most float64 }{{.85, 1.7}, {.95, 1.4}}
}

// Report measures, writes the tables and returns the goals.
func Report(out io.Writer, o Options) ([]goal.Goal, error) {
	var goals []goal.Goal
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "Routing: 24 agents with 1 to 3 of 3 skills, medians of %d seeds from %d, %d arrivals each.\n", o.Seeds, o.Seed, o.Arrivals)
	fmt.Fprintln(t, "load\tpolicy\tmean wait s\tp95\tgave up\tspread of use\t")
	for _, c := range limits() {
		var all []Score
		for _, p := range policies() {
			s := world.Skilled(c.load)
			p.change(&s)
			m := median(plays(s, o, o.Seeds, o.Arrivals/10, o.Arrivals))
			all = append(all, m)
			fmt.Fprintf(t, "%.2f\t%s\t%.1f\t%.0f\t%.3f\t%.3f\t\n", c.load, p.name, 60*m.Mean, 60*m.P95, m.GaveUp, m.Spread)
		}
		at := fmt.Sprintf(" at load %.2f", c.load)
		goals = append(goals,
			goal.AtMost("mean wait / cross-trained bound"+at, all[ours].Mean/all[bound].Mean, c.most),
			goal.AtMost("utilisation spread / longest idle"+at, all[ours].Spread/all[longestIdle].Spread, 1),
			goal.AtMost("mean wait / poller of 5 s"+at, all[ours].Mean/all[polled].Mean, 0.5),
		)
	}
	g, err := starvation(t, o)
	if err != nil {
		return nil, err
	}
	if err := t.Flush(); err != nil || o.Mixes == 0 {
		return append(goals, g...), err
	}
	m, err := mixes(out, o)
	return append(append(goals, g...), m...), err
}

// starvation is the longest wait of a class over its p99, in days at load .95
// with a quarter of high priority, strict and with ageing.
func starvation(t io.Writer, o Options) ([]goal.Goal, error) {
	var goals []goal.Goal
	fmt.Fprintf(t, "\nStarvation: %d days at load .95, 25 %% high priority.\n\tpriority\tp99 min\tmax\tmax / p99\t\n", o.Days)
	for _, c := range []struct {
		name   string
		ageing float64
	}{{"strict", 0}, {"ageing 10 min", 10}} {
		s := world.Skilled(.95)
		s.Pick, s.High, s.Ageing = By(handoff.MostSpecialised), .25, c.ageing
		n := int(24 * 60 * s.Peak)
		worst := 0.0
		for _, r := range plays(s, o, o.Days, 0, n) {
			for level := range r.Max {
				worst = max(worst, r.Max[level]/r.P99[level])
				if _, err := fmt.Fprintf(t, "%s\t%d\t%.1f\t%.1f\t%.2f\t\n", c.name, level, r.P99[level], r.Max[level], r.Max[level]/r.P99[level]); err != nil {
					return nil, err
				}
			}
		}
		goals = append(goals, goal.AtMost("longest wait / p99 of its class in 24 h, "+c.name, worst, 4))
	}
	return goals, nil
}

func plays(s world.Scenario, o Options, seeds, from, to int) []Score {
	scores := make([]Score, seeds)
	var wg sync.WaitGroup
	slots := make(chan struct{}, max(o.Workers, 1))
	for i := range seeds {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			scores[i] = Play(s, o.Seed+uint64(i), from, to)
		})
	}
	wg.Wait()
	return scores
}

// median takes each figure's.
func median(all []Score) Score {
	of := func(f func(*Score) float64) float64 {
		x := make([]float64, len(all))
		for i := range all {
			x[i] = f(&all[i])
		}
		slices.Sort(x)
		return (x[len(x)/2] + x[(len(x)-1)/2]) / 2
	}
	return Score{
		Mean:   of(func(s *Score) float64 { return s.Mean }),
		P95:    of(func(s *Score) float64 { return s.P95 }),
		GaveUp: of(func(s *Score) float64 { return s.GaveUp }),
		Spread: of(func(s *Score) float64 { return s.Spread }),
	}
}
