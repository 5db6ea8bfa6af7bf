package estimate

import "math"

// Standard normal quantiles of the two probabilities this package reports.
const (
	z50 = 0.0
	z90 = 1.2815515655446004
)

// gammaQuantile returns the quantile of the gamma distribution with the given
// mean and variance, at the probability whose standard normal quantile is z.
//
// It is the cube-root approximation of Wilson and Hilferty (1931). Against the
// exact quantile it is off by at most 1.5 % from shape 1 up and by at most
// 4 % at shape 0.4 (TestGammaQuantileAgainstExact), which is far less than
// the wait itself varies, and costs no iteration.
func gammaQuantile(mean, variance, z float64) float64 {
	if !usable(mean) {
		return 0
	}
	if !usable(variance) {
		return mean
	}
	shape := mean * mean / variance
	root := 1 - 1/(9*shape) + z/(3*math.Sqrt(shape))
	if root <= 0 {
		// Below shape 1/9 the median of the approximation is negative; the
		// true one is tiny.
		return 0
	}
	return mean * root * root * root
}
