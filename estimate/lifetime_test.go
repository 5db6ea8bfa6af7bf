package estimate

import (
	"math"
	"math/rand/v2"
	"testing"
)

func FuzzAgeClassAgainstAScan(f *testing.F) {
	for _, s := range []float64{0, 4.999, 5, 7.07, 7.0710678118654755, 10, 1e5, 1e300, math.NaN(), -3} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s float64) {
		want := 0
		for c := 1; c < ages; c++ {
			if s >= ageEdge(c) {
				want = c
			}
		}
		if got := ageClass(s); got != want {
			t.Errorf("%v s: class %d, want %d", s, got, want)
		}
	})
}

func TestExponentialLifetime(t *testing.T) {
	l := Exponential(minutes(5))
	near(t, "mean", l.Mean(), 300, 1e-9)
	near(t, "squared cv", l.SquaredCV(), 1, 1e-9)
	near(t, "median", l.Quantile(0.5), 300*math.Ln2, 1e-9)
	zero := Exponential(0)
	if zero.ends() || !math.IsInf(zero.Quantile(0.5), 1) {
		t.Error("a mean of 0 is no lifetime")
	}
}

// randomLifetime has hazards that differ by class, some of them zero.
func randomLifetime(rng *rand.Rand) Lifetime {
	var h [ages]float64
	for i := range h {
		if rng.IntN(4) > 0 {
			h[i] = math.Exp(rng.NormFloat64()) / 300
		}
	}
	for i := ages / 2; i < ages; i++ {
		h[i] = 1.0 / 200 // so that no moment hangs on a rare tail
	}
	return newLifetime(h, 0)
}

// The twin of mean and cv is a sum over many quantiles.
func TestMomentsAgainstQuantiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 20 {
		l := randomLifetime(rng)
		const n = 50_000
		m1, m2 := 0.0, 0.0
		for i := range n {
			x := l.Quantile((float64(i) + 0.5) / n)
			m1 += x / n
			m2 += x * x / n
		}
		near(t, "mean", l.Mean(), m1, 0.01)
		near(t, "second moment", (l.SquaredCV()+1)*l.Mean()*l.Mean(), m2, 0.03)
	}
}

func TestReachUndoesSpent(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for range 2000 {
		l := randomLifetime(rng)
		x := 5 * rng.ExpFloat64()
		near(t, "integral", l.spent(l.reach(x)), x, 1e-9)
	}
}

func TestSamplerDrawsItsLifetime(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for range 5 {
		l := randomLifetime(rng)
		s := newSampler(&l)
		const n = 200_000
		mean, late, rest := 0.0, 0.0, 0.0
		mid := l.Quantile(0.6)
		for range n {
			x := s.draw(rng)
			mean += x / n
			if x > mid {
				late += 1.0 / n
			}
			rest += (mid + s.rest(rng, mid, l.spent(mid))) / n
		}
		near(t, "mean", mean, l.Mean(), 0.03)
		near(t, "share beyond p60", late, 0.4, 0.03)
		// E[T; T > mid] = P(T > mid) * (mid + expected rest).
		tail := 0.0
		for i := range 4000 {
			tail += l.Quantile(0.6+0.4*(float64(i)+0.5)/4000) / 4000
		}
		near(t, "expected total beyond p60", rest, tail, 0.03)
	}
}

func TestSamplerOverIsTheShareThatEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 10))
	l := randomLifetime(rng)
	s := newSampler(&l)
	from, more := l.Quantile(0.2), l.Quantile(0.7)-l.Quantile(0.2)
	const n = 100_000
	share := 0.0
	for range n {
		if s.over(rng, from, l.spent(from), more, 1) {
			share += 1.0 / n
		}
	}
	near(t, "share", share, 0.5/0.8, 0.02)
	never := newSampler(&Lifetime{})
	if never.over(rng, 0, 0, math.Inf(1), 1) {
		t.Error("a lifetime that never ends ended")
	}
}
