package goal

import (
	"math"
	"strings"
	"testing"
)

func TestMetOnlyWithinTheBound(t *testing.T) {
	for _, c := range []struct {
		g    Goal
		want bool
	}{
		{AtMost("a", 1.05, 1.05), true},
		{AtMost("a", 1.051, 1.05), false},
		{AtMost("a", math.NaN(), 1.05), false},
		{Within("a", 0.87, 0.87, 0.93), true},
		{Within("a", 0.931, 0.87, 0.93), false},
		{Within("a", math.NaN(), 0, 1), false},
	} {
		if c.g.Met() != c.want {
			t.Errorf("%+v: %v", c.g, c.g.Met())
		}
	}
}

func TestPrintCountsWhatIsMissed(t *testing.T) {
	var b strings.Builder
	missed, err := Print(&b, []Goal{AtMost("speed", 1, 2), Within("coverage", 0.5, 0.87, 0.93)})
	if err != nil || missed != 1 {
		t.Fatalf("%d, %v", missed, err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "met") || !strings.Contains(lines[1], "0.87..0.93") || !strings.Contains(lines[1], "MISSED") {
		t.Errorf("printed %q", lines)
	}
}
