package estimate

import "math"

// A memory is one speed of forgetting and what is believed of it beforehand.
type memory struct {
	halfLife float64 // seconds
	belief   float64
}

// memories are the half-lives that run side by side. Long ones are believed a
// little more: a queue that changes says so soon.
func memories() [8]memory {
	const hour = 3600.0
	return [8]memory{
		{hour / 2, 1},
		{1 * hour, 1},
		{3 * hour, 1},
		{9 * hour, 1},
		{27 * hour, 1},
		{4 * 24 * hour, 2},
		{16 * 24 * hour, 3},
		{math.Inf(1), 4},
	}
}

// start is how many observations the belief "as usual" is worth before any
// were seen, and after all were forgotten.
const start = 0.5

// calm is the time after which a level is expected to have jumped once.
const calm = 30 * 24 * 3600.0 // seconds

// A history is one account of how the past bears on the present: everything
// from cell from on counts, and fades with halfLife.
type history struct {
	halfLife float64
	from     int
	weight   float64 // logarithm of belief times likelihood
	a, b     float64 // of the gamma distribution of the level
}

// blend returns how much each cell counts towards the present and how many
// observations the present is known from.
//
// age is the distance of each cell from now in seconds, oldest first; events is
// what happened in it and expect what would have at the long-run rate. The
// level, events per expected, is taken to move. In each history it has a gamma
// distribution, so that each cell's events are foretold with a negative binomial
// distribution; histories count by how likely they made what happened. In one
// kind the level wanders and evidence fades (Harvey and Fernandes, 1989). In the
// other it jumped at the start of some cell and nothing before counts (R. P.
// Adams and D. J. C. MacKay, "Bayesian online changepoint detection", 2007).
//
// Weights have no unit of their own; those of one history add up to its share
// of expected events.
func blend(age, events, expect []float64) (weights []float64, n float64) {
	histories := follow(age, events, expect)
	best, share := math.Inf(-1), 0.0
	for _, h := range histories {
		best = math.Max(best, h.weight)
	}
	for _, h := range histories {
		share += math.Exp(h.weight - best)
	}

	weights = make([]float64, len(age))
	mean, squares, doubt := 0.0, 0.0, 0.0
	for _, h := range histories {
		p := math.Exp(h.weight-best) / share
		if p < 1e-4 {
			continue
		}
		level := h.a / h.b
		mean += p * level
		squares += p * square(level)
		doubt += p * square(level) / h.a
		seen := start
		for k := h.from; k < len(age); k++ {
			seen += fade(age[k], h.halfLife) * expect[k]
		}
		for k := h.from; k < len(age); k++ {
			weights[k] += p * fade(age[k], h.halfLife) / seen
		}
	}
	variance := doubt + math.Max(squares-square(mean), 0)
	return weights, math.Max(square(mean)/variance, start)
}

func fade(age, halfLife float64) float64 {
	if math.IsInf(halfLife, 1) {
		return 1
	}
	return math.Exp2(-age / halfLife)
}

// follow runs all histories over the cells, up to now.
func follow(age, events, expect []float64) []history {
	var all []history
	for _, m := range memories() {
		all = append(all, history{halfLife: m.halfLife, weight: math.Log(m.belief), a: start, b: start})
	}
	for k := range age {
		if k > 0 {
			passed := age[k-1] - age[k]
			for i := range all {
				all[i].forget(passed)
			}
			all = jump(all, k, passed)
		}
		if expect[k] <= 0 {
			continue
		}
		count := logGamma(events[k] + 1)
		for i := range all {
			h := &all[i]
			h.weight += logNegativeBinomial(events[k], h.a, h.b, expect[k]) - count
			h.a += events[k]
			h.b += expect[k]
		}
	}
	if len(age) > 0 {
		for i := range all {
			all[i].forget(age[len(age)-1])
		}
	}
	return all
}

func (h *history) forget(passed float64) {
	f := fade(passed, h.halfLife)
	h.a, h.b = start+(h.a-start)*f, start+(h.b-start)*f
}

// jump adds the history in which the level jumped at the start of cell k, and
// drops those that have become hopeless.
func jump(all []history, k int, passed float64) []history {
	best := math.Inf(-1)
	for _, h := range all {
		best = math.Max(best, h.weight)
	}
	sum := 0.0
	kept := all[:0]
	for _, h := range all {
		sum += math.Exp(h.weight - best)
		if h.weight > best-hopeless {
			h.weight -= passed / calm
			kept = append(kept, h)
		}
	}
	odds := best + math.Log(sum) + math.Log(-math.Expm1(-passed/calm))
	return append(kept, history{halfLife: math.Inf(1), from: k, weight: odds, a: start, b: start})
}

// hopeless is the log-likelihood by which a history may trail the best.
const hopeless = 15

// logNegativeBinomial is the log probability of n events, but for its factor
// 1/n!, when x are expected per unit level and the level has a gamma
// distribution with shape a and rate b.
func logNegativeBinomial(n, a, b, x float64) float64 {
	return logGamma(a+n) - logGamma(a) + a*math.Log(b/(b+x)) + n*math.Log(x/(b+x))
}

// logGamma is math.Lgamma for positive x, by Stirling's series where that is
// exact to nine digits: it is most of the cost of following histories.
func logGamma(x float64) float64 {
	if x < 8 {
		l, _ := math.Lgamma(x)
		return l
	}
	const halfLog2Pi = 0.91893853320467274178
	return (x-0.5)*math.Log(x) - x + halfLog2Pi + 1/(12*x) - 1/(360*x*x*x)
}
