package estimate

import (
	"math"
	"math/rand/v2"
)

// draws is the number of equally likely stretches a sampler knows by heart.
const draws = 256

// A sampler draws from a lifetime. It is the lifetime's quantile function at
// 256 points, between which it is taken to be straight, and the exact one
// beyond the last; a draw then costs a few nanoseconds.
type sampler struct {
	life   *Lifetime
	steep  float64 // highest hazard
	points [draws]float64
}

func newSampler(l *Lifetime) sampler {
	s := sampler{life: l}
	if !l.ends() {
		return s
	}
	for i := range s.points {
		s.points[i] = l.Quantile(float64(i) / draws)
	}
	for _, h := range l.hazard {
		s.steep = max(s.steep, h)
	}
	return s
}

// draw returns a whole lifetime.
func (s *sampler) draw(rng *rand.Rand) float64 {
	const bits = 45
	u := rng.Uint64()
	i := u % draws
	if i == draws-1 {
		return s.life.reach(math.Log(draws) + rng.ExpFloat64())
	}
	f := float64(u>>(64-bits)) / (1 << bits)
	return s.points[i] + f*(s.points[i+1]-s.points[i])
}

// rest returns what remains of a lifetime at age, when spent is the integrated
// hazard up to there.
func (s *sampler) rest(rng *rand.Rand, age, spent float64) float64 {
	return max(s.life.reach(spent+rng.ExpFloat64())-age, 0)
}

// over draws whether a lifetime ends between age and age+more, its hazard being
// haste times the usual.
func (s *sampler) over(rng *rand.Rand, age, spent, more, haste float64) bool {
	if s.steep == 0 {
		return false
	}
	left := rng.ExpFloat64() / haste
	// Most draws are decided without the integral.
	return left < s.steep*more && left < s.life.spent(age+more)-spent
}
