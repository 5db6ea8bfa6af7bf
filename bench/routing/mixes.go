package routing

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/bench/goal"
	"github.com/seed-2a427302/handoff/bench/world"
)

// mixes measures the default strategy in teams drawn by lot.
//
// Where agents know little, no router comes near the bound of full
// cross-training: a skill's own agents are too few. A skill, and any set of
// skills, waits at least as long as it would if everybody who knows one of the
// set served nothing else and all of it. Sets that have no skill in common add
// up, so the bound of a mix is the largest such sum over the ways to divide the
// skills; one of them is no division at all, which is full cross-training.
// A mix is judged by its own bound, and beside a poller only where that bound
// is at most half of the poller's mean.
func mixes(out io.Writer, o Options) ([]goal.Goal, error) {
	var goals []goal.Goal
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\nMixes of skills drawn by lot, medians of %d seeds from %d, %d arrivals each. Means in seconds.\n", o.Seeds, o.Seed, o.Arrivals)
	fmt.Fprintln(t, "load\tmix\tcross-trained\tbound\tours\tours / cross\tours / bound\tspread\tspread of longest idle\tpoller\t")
	for i := range o.Mixes {
		for _, c := range limits() {
			s := world.Mixed(o.Seed+uint64(i), c.load)
			by := func(change func(*world.Scenario)) Score {
				one := s
				change(&one)
				return median(plays(one, o, o.Seeds, o.Arrivals/10, o.Arrivals))
			}
			least, cross := mixBound(s, o)
			mine := by(func(s *world.Scenario) { s.Pick = By(handoff.MostSpecialised) })
			idle := by(func(s *world.Scenario) { s.Pick = By(handoff.LongestIdle) })
			slow := by(func(s *world.Scenario) { s.Pick, s.Poll = By(handoff.LongestIdle), poll })
			fmt.Fprintf(t, "%.2f\t%s %s\t%.1f\t%.1f\t%.1f\t%.2f\t%.2f\t%.3f\t%.3f\t%.1f\t\n", c.load, s.ID, s.Name,
				60*cross, 60*least, 60*mine.Mean, mine.Mean/cross, mine.Mean/least, mine.Spread, idle.Spread, 60*slow.Mean)
			at := fmt.Sprintf(" at load %.2f, mix %s", c.load, s.ID)
			goals = append(goals,
				goal.AtMost("mean wait / bound of the mix"+at, mine.Mean/least, c.most),
				goal.AtMost("utilisation spread / longest idle"+at, mine.Spread/idle.Spread, 1),
			)
			if least <= slow.Mean/2 {
				goals = append(goals, goal.AtMost("mean wait / poller of 5 s"+at, mine.Mean/slow.Mean, 0.5))
			}
		}
	}
	return goals, t.Flush()
}

// mixBound returns the least mean wait of a mix, and the mean wait if everybody
// had every skill.
func mixBound(s world.Scenario, o Options) (least, cross float64) {
	waits := map[uint]float64{}
	of := func(lines uint) float64 {
		w, ok := waits[lines]
		if !ok {
			part := s.Part(lines)
			n := int(float64(o.Arrivals) * s.Share(lines))
			w = median(plays(part, o, o.Seeds, n/10, n)).Mean
			waits[lines] = w
		}
		return w
	}
	world.Parts(len(s.Shares), func(parts []uint) {
		sum := 0.0
		for _, p := range parts {
			sum += s.Share(p) * of(p)
		}
		least = max(least, sum)
	})
	return least, of(1<<len(s.Shares) - 1)
}
