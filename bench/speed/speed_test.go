package speed

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	r, err := Parse(strings.NewReader(`goos: linux
BenchmarkGoalMatch-2   	 1000000	      1040 ns/op	        26.36 ×scan	       0 B/op	       0 allocs/op
BenchmarkGoalMatch-2   	 1000000	      1060 ns/op	        24.00 ×scan	       0 B/op	       0 allocs/op
BenchmarkGoalMatch-2   	 1000000	      9999 ns/op	        25.00 ×scan	       0 B/op	       0 allocs/op
PASS
`))
	if err != nil {
		t.Fatal(err)
	}
	for unit, want := range map[string]float64{"ns/op": 1060, "×scan": 25, "allocs/op": 0} {
		if got, ok := r.Median("BenchmarkGoalMatch", unit); !ok || got != want {
			t.Errorf("%s: %v, want %v", unit, got, want)
		}
	}
	if _, ok := r.Median("BenchmarkGoalMatch", "p99-ms"); ok {
		t.Error("a figure that nobody printed")
	}
	if _, err := Parse(strings.NewReader("BenchmarkX-2 1 many ns/op\n")); err == nil {
		t.Error("what is no number is one")
	}
}
