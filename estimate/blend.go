package estimate

import "math"

// A memory is one speed of forgetting and what is believed of it beforehand.
type memory struct {
	halfLife float64 // seconds
	belief   float64
}

// memories are the half-lives that run side by side. Long ones are believed a
// little more: a queue that changes says so soon.
func memories() [7]memory {
	const hour = 3600.0
	return [7]memory{
		{1 * hour, 1}, {3 * hour, 1}, {9 * hour, 1}, {27 * hour, 1},
		{4 * 24 * hour, 2}, {16 * 24 * hour, 3}, {math.Inf(1), 4},
	}
}

// start is how many observations the belief "as usual" is worth before any
// were seen, and after all were forgotten.
const start = 0.5

// blend returns how much each cell counts towards the present and how many
// observations the present is known from.
//
// age is the distance of each cell from now in seconds, oldest first; events is
// what happened in it and expect what would have at the long-run rate. The
// level, events per expected, is taken to move: for each memory it has a gamma
// distribution that loses evidence at that memory's pace, so that each cell's
// events were foretold with a negative binomial distribution. Memories count by
// belief times how likely they made what happened.
//
// Weights have no unit of their own; those of one memory add up to its share
// of expected events.
func blend(age, events, expect []float64) (weights []float64, n float64) {
	all := memories()
	var fit, level, evidence [len(all)]float64
	best := math.Inf(-1)
	for i, m := range all {
		fit[i], level[i], evidence[i] = foretell(m.halfLife, age, events, expect)
		fit[i] += math.Log(m.belief)
		best = math.Max(best, fit[i])
	}
	share := 0.0
	for i := range fit {
		fit[i] = math.Exp(fit[i] - best)
		share += fit[i]
	}

	weights = make([]float64, len(age))
	mean := 0.0
	for i, m := range all {
		p := fit[i] / share
		mean += p * level[i]
		seen := start
		for k := range age {
			seen += fade(age[k], m.halfLife) * expect[k]
		}
		for k := range age {
			weights[k] += p * fade(age[k], m.halfLife) / seen
		}
	}
	variance := 0.0
	for i := range all {
		p := fit[i] / share
		variance += p * (square(level[i])/evidence[i] + square(level[i]-mean))
	}
	return weights, math.Max(square(mean)/variance, start)
}

func fade(age, halfLife float64) float64 { return math.Exp2(-age / halfLife) }

// foretell runs one memory over the cells. It returns the log-likelihood of
// what happened, and mean and evidence of the level now.
func foretell(halfLife float64, age, events, expect []float64) (fit, level, evidence float64) {
	a, b := start, start
	last := 0.0
	for k := range age {
		if k > 0 {
			f := fade(last-age[k], halfLife)
			a, b = start+(a-start)*f, start+(b-start)*f
		}
		last = age[k]
		if expect[k] <= 0 {
			continue
		}
		fit += logNegativeBinomial(events[k], a, b, expect[k])
		a += events[k]
		b += expect[k]
	}
	f := fade(last, halfLife)
	a, b = start+(a-start)*f, start+(b-start)*f
	return fit, a / b, a
}

// logNegativeBinomial is the log probability of n events when x are expected
// per unit level and the level has a gamma distribution with shape a, rate b.
func logNegativeBinomial(n, a, b, x float64) float64 {
	top, _ := math.Lgamma(a + n)
	low, _ := math.Lgamma(a)
	count, _ := math.Lgamma(n + 1)
	return top - low - count + a*math.Log(b/(b+x)) + n*math.Log(x/(b+x))
}
