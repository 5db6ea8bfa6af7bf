package estimate

import (
	"math"
	"testing"
)

// gammaBelow is the share of a gamma distribution with this shape and scale 1
// below x, by the power series of the incomplete gamma function.
func gammaBelow(shape, x float64) float64 {
	term := 1 / shape
	sum := term
	for n := 1.0; term > sum*1e-16; n++ {
		term *= x / (shape + n)
		sum += term
	}
	lg, _ := math.Lgamma(shape)
	return sum * math.Exp(shape*math.Log(x)-x-lg)
}

// exactGamma finds the quantile by bisection.
func exactGamma(shape, p float64) float64 {
	lo, hi := 0.0, 10*(shape+10)
	for range 200 {
		mid := (lo + hi) / 2
		if gammaBelow(shape, mid) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

func TestGammaQuantileAgainstExact(t *testing.T) {
	for shape := 0.4; shape < 200; shape *= 1.3 {
		bound := 0.015
		if shape < 1 {
			bound = 0.045
		}
		for p, z := range map[float64]float64{0.5: z50, 0.9: z90} {
			want := exactGamma(shape, p)
			got := gammaQuantile(shape, shape, z)
			if math.Abs(got-want) > bound*want {
				t.Errorf("shape %.2f p %.1f: got %.4f, exact %.4f", shape, p, got, want)
			}
		}
	}
}

func TestGammaQuantileAtTheEdges(t *testing.T) {
	if got := gammaQuantile(5, 0, z90); got != 5 {
		t.Errorf("without variance the quantile is the mean, got %v", got)
	}
	for _, mean := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if got := gammaQuantile(mean, 1, z90); got != 0 {
			t.Errorf("mean %v: got %v", mean, got)
		}
	}
	if got := gammaQuantile(1, 1e6, z50); got < 0 {
		t.Errorf("negative quantile %v", got)
	}
}
