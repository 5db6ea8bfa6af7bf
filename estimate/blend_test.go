package estimate

import (
	"math"
	"math/rand/v2"
	"testing"
)

func FuzzLogGammaAgainstTheLibrary(f *testing.F) {
	for _, x := range []float64{0.5, 7.999, 8, 20, 1e6} {
		f.Add(x)
	}
	f.Fuzz(func(t *testing.T, x float64) {
		if !(x > 0.01 && x < 1e12) {
			t.Skip()
		}
		want, _ := math.Lgamma(x)
		if got := logGamma(x); math.Abs(got-want) > 1e-8*math.Max(math.Abs(want), 1) {
			t.Errorf("%v: got %v, want %v", x, got, want)
		}
	})
}

// present is the level that the weights of blend give.
func present(age, events, expect []float64) (level, n float64) {
	weights, n := blend(age, events, expect)
	num, den := 0.0, 0.0
	for i, w := range weights {
		num += w * events[i]
		den += w * expect[i]
	}
	return num / den, n
}

// hours returns n cells of one hour up to now, with Poisson events of which 30
// are expected in each and level(k) times as many come.
func hours(n int, level func(k int) float64) (age, events, expect []float64) {
	rng := rand.New(rand.NewPCG(21, 21))
	for k := range n {
		age = append(age, float64(n-k)*3600-1800)
		expect = append(expect, 30)
		count := -1.0
		for t := 0.0; t < 30*level(k); t += rng.ExpFloat64() {
			count++
		}
		events = append(events, max(count, 0))
	}
	return age, events, expect
}

func TestBlendUsesAllOfASteadyPast(t *testing.T) {
	level, n := present(hours(60, func(int) float64 { return 1 }))
	near(t, "level", level, 1, 0.06)
	if n < 200 {
		t.Errorf("1 800 steady events are worth %v", n)
	}
}

func TestBlendForgetsWhatWasBeforeAJump(t *testing.T) {
	level, n := present(hours(60, func(k int) float64 {
		if k >= 56 {
			return 0.5
		}
		return 1
	}))
	near(t, "level", level, 0.5, 0.25)
	if n > 150 {
		t.Errorf("60 events since the jump are worth %v", n)
	}
}

func TestBlendFollowsADrift(t *testing.T) {
	level, _ := present(hours(60, func(k int) float64 { return 1 + float64(k)/60 }))
	near(t, "level", level, 2, 0.12)
}

func TestBlendOfNothing(t *testing.T) {
	for _, c := range [][3][]float64{
		{nil, nil, nil},
		{{10}, {0}, {0}},
		{{1e9, 10}, {0, 0}, {5, 5}},
		{{1e9, 10}, {1e6, 0}, {1e-9, 1e6}},
	} {
		weights, n := blend(c[0], c[1], c[2])
		if math.IsNaN(n) || n <= 0 {
			t.Errorf("%v: worth %v", c, n)
		}
		for _, w := range weights {
			if math.IsNaN(w) || w < 0 || math.IsInf(w, 0) {
				t.Errorf("%v: weights %v", c, weights)
			}
		}
	}
}
