package waiting

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/seed-2a427302/handoff/bench/goal"
	"github.com/seed-2a427302/handoff/bench/world"
)

// Options say how much to measure.
type Options struct {
	Seed      uint64
	Seeds     int
	Arrivals  int
	ColdSeeds int
	Only      string
	Further   bool
	Drawn     int     // scenarios drawn by lot, numbered from Seed
	Work      float64 // of a warm seed, four times that of a cold one; see Run
	Workers   int
	// Progress is told of each scenario that was played; nil for nothing.
	Progress io.Writer
}

const (
	warmFrom = 3000
	coldFrom = 200
	coldTo   = 2000
)

// bound is the most our mean absolute error may be of that of QL with true
// parameters.
func bound(id string) float64 {
	switch id {
	case "A", "B":
		return 1.02
	case "C", "D":
		return 0.90
	case "F":
		return 0.75
	case "H":
		return 0.80
	case "I":
		return 0.95
	}
	return 1.05
}

// A result is a scenario with its scores.
type result struct {
	world.Scenario
	warm, cold *Score
}

// Report measures, writes the tables and returns the goals.
func Report(out io.Writer, o Options) ([]goal.Goal, error) {
	scenarios := world.Standard()
	if o.Further {
		scenarios = append(scenarios, world.Further()...)
	}
	if o.Drawn > 0 {
		scenarios, o.Only = nil, ""
		for i := range o.Drawn {
			scenarios = append(scenarios, world.Drawn(o.Seed+uint64(i)))
		}
	}
	var results []result
	for _, s := range scenarios {
		if o.Only != "" && !strings.Contains(o.Only, s.ID) {
			continue
		}
		r := result{Scenario: s, warm: &Score{}, cold: &Score{}}
		for _, score := range plays(s, o, o.Seeds, Run{From: warmFrom, To: o.Arrivals, Work: o.Work}) {
			r.warm.Add(score)
		}
		for _, score := range plays(s, o, o.ColdSeeds, Run{From: coldFrom, To: coldTo, Work: o.Work / 4}) {
			r.cold.Add(score)
		}
		results = append(results, r)
		if o.Progress != nil {
			fmt.Fprintln(o.Progress, "played", s.ID, s.Name)
		}
	}
	if err := tables(out, results, o); err != nil {
		return nil, err
	}
	return goals(results), nil
}

// plays runs one scenario with several seeds, some at a time. Scores come in
// the order of the seeds, so that sums of floats do not depend on luck.
func plays(s world.Scenario, o Options, seeds int, r Run) []*Score {
	scores := make([]*Score, seeds)
	var wg sync.WaitGroup
	slots := make(chan struct{}, max(o.Workers, 1))
	for i := range seeds {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			one := r
			one.Scenario, one.Seed = s, o.Seed+uint64(i)
			scores[i] = Play(one)
		})
	}
	wg.Wait()
	return scores
}

func tables(out io.Writer, results []result, o Options) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "Estimates, warm: %d seeds from %d, arrivals %d to %d of each. MAE as a share of QL with true parameters.\n",
		o.Seeds, o.Seed, warmFrom, o.Arrivals)
	fmt.Fprintf(t, "\tpeople\twait min\tQL MAE min\tours\t%s\tpinball p50\tp90\tus per refresh\t\n", strings.Join(baselineNames(), "\t"))
	for _, r := range results {
		s := r.warm
		n := float64(s.People)
		fmt.Fprintf(t, "%s %s\t%d\t%.2f\t%.2f\t%.3f", r.ID, r.Name, s.People, s.Wait/n, s.Truth/n, s.Ours/s.Truth)
		for _, x := range s.Others {
			fmt.Fprintf(t, "\t%.2f", x/s.Truth)
		}
		fmt.Fprintf(t, "\t%.2f\t%.2f\t%.0f\t\n", s.Pinball50/n, s.Pinball90/n, float64(s.Spent.Microseconds())/float64(s.Refreshes))
	}
	fmt.Fprintf(t, "\nValues shown, warm and cold (arrivals %d to %d of %d seeds): share of waits below them. Rises above 20 %% per update.\n",
		coldFrom, coldTo, o.ColdSeeds)
	fmt.Fprintf(t, "\tupdates per person\tp50 first\tp50 shown\tp90 first\tp90 shown\tcold p50\tcold p90\tcold ours/QL\trises\trises with cause\t\n")
	for _, r := range results {
		s, c := r.warm, r.cold
		fmt.Fprintf(t, "%s %s\t%.1f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.2f\t%.4f\t%.4f\t\n", r.ID, r.Name,
			float64(s.Updates)/float64(s.People), s.First.At50(), s.All.At50(), s.First.At90(), s.All.At90(),
			c.All.At50(), c.All.At90(), c.Ours/c.Truth,
			share(s.Rises+c.Rises, s.Updates+c.Updates), share(s.Caused+c.Caused, s.Updates+c.Updates))
	}
	return t.Flush()
}

func share(n, of int) float64 { return float64(n) / float64(max(of, 1)) }

func goals(results []result) []goal.Goal {
	var g []goal.Goal
	for _, r := range results {
		s, c := r.warm, r.cold
		g = append(g,
			goal.AtMost(r.ID+" estimate MAE / QL true", s.Ours/s.Truth, bound(r.ID)),
			goal.Within(r.ID+" coverage p90 shown", s.All.At90(), 0.87, 0.93),
			goal.Within(r.ID+" coverage p50 shown", s.All.At50(), 0.45, 0.55),
			goal.Within(r.ID+" coverage p90 first", s.First.At90(), 0.87, 0.93),
			goal.Within(r.ID+" coverage p50 first", s.First.At50(), 0.45, 0.55),
			goal.Within(r.ID+" coverage p90 cold", c.All.At90(), 0.85, 0.95),
			goal.Within(r.ID+" coverage p50 cold", c.All.At50(), 0.42, 0.58),
			goal.AtMost(r.ID+" rises without cause", share(s.Rises+c.Rises, s.Updates+c.Updates), 0.02),
		)
	}
	return g
}
