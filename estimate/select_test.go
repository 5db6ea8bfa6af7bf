package estimate

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func FuzzNthAgainstSort(f *testing.F) {
	f.Add(uint64(1), 200, 3)
	f.Add(uint64(2), 1, 1)
	f.Add(uint64(3), 50, 100)
	f.Fuzz(func(t *testing.T, seed uint64, n, distinct int) {
		if n <= 0 || n > 500 || distinct <= 0 {
			t.Skip()
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(rng.IntN(distinct))
		}
		sorted := slices.Sorted(slices.Values(x))
		k := rng.IntN(n)
		if got := nth(x, k); got != sorted[k] {
			t.Fatalf("rank %d: got %v, want %v", k, got, sorted[k])
		}
		if n > 1 {
			if got, want := quantile(x, 0.5), (sorted[(n-1)/2]+sorted[n/2])/2; got != want {
				t.Fatalf("median: got %v, want %v", got, want)
			}
		}
	})
}

// A new draw stays below the p-quantile of n draws with probability p: that is
// what coverage is about, and it is off when ranks are off by a half.
func TestQuantileCoversANewDraw(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	below := 0.0
	const tries = 40_000
	for range tries {
		x := make([]float64, 19)
		for i := range x {
			x[i] = rng.ExpFloat64()
		}
		if rng.ExpFloat64() < quantile(x, 0.9) {
			below += 1.0 / tries
		}
	}
	near(t, "coverage", below, 0.9, 0.01)
}
