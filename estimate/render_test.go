package estimate

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestRender(t *testing.T) {
	wait := func(p50, p90 float64) Wait { return Wait{Known: true, P50: minutes(p50), P90: minutes(p90)} }
	for name, c := range map[string]struct {
		w    Wait
		mode Mode
		want Rendered
	}{
		"unknown":                 {Unknown(Closed), Range, Rendered{Mode: Undetermined, Reason: Closed}},
		"now":                     {Wait{Known: true}, Precise, Rendered{Mode: Soon}},
		"approximate":             {wait(4.4, 9), Approximate, Rendered{Mode: Approximate, Low: 4, High: 4}},
		"approximate, fives":      {wait(17.6, 30), Approximate, Rendered{Mode: Approximate, Low: 20, High: 20}},
		"approximate, seconds":    {wait(0.2, 0.6), Approximate, Rendered{Mode: Approximate, Low: 1, High: 1}},
		"unknown mode":            {wait(4.4, 9), "poem", Rendered{Mode: Approximate, Low: 4, High: 4}},
		"range":                   {wait(4.9, 11.2), Range, Rendered{Mode: Range, Low: 4, High: 15}},
		"range that is a point":   {wait(5, 5), Range, Rendered{Mode: Approximate, Low: 5, High: 5}},
		"range beyond longest":    {wait(100, 500), Range, Rendered{Mode: Range, Low: 90, High: 120}},
		"less than":               {wait(4.9, 11.2), LessThan, Rendered{Mode: LessThan, High: 15}},
		"less than a minute":      {wait(0.1, 0.5), LessThan, Rendered{Mode: LessThan, High: 1}},
		"less than, exact":        {wait(5, 10), LessThan, Rendered{Mode: LessThan, High: 10}},
		"less than beyond":        {wait(50, 500), LessThan, Rendered{Mode: Approximate, Low: 50, High: 50}},
		"precise":                 {wait(17.6, 30), Precise, Rendered{Mode: Precise, Low: 18, High: 18}},
		"precise, seconds":        {wait(0.1, 0.5), Precise, Rendered{Mode: Precise, Low: 1, High: 1}},
		"more than":               {wait(120, 500), Approximate, Rendered{Mode: MoreThan, Low: 120}},
		"rounds into another row": {wait(28, 40), Approximate, Rendered{Mode: Approximate, Low: 30, High: 30}},
	} {
		if got := Render(c.w, c.mode); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// What never rises must not rise on its way into words either.
func TestRenderedNeverRisesWhenTheWaitFalls(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 13))
	for _, mode := range []Mode{Approximate, Range, LessThan, Precise} {
		for range 20_000 {
			a := Wait{Known: true, P50: time.Duration(rng.Int64N(int64(3 * time.Hour)))}
			a.P90 = a.P50 + time.Duration(rng.Int64N(int64(time.Hour)))
			b := a
			b.P50 -= time.Duration(rng.Int64N(int64(a.P50) + 1))
			b.P90 = max(b.P50, a.P90-time.Duration(rng.Int64N(int64(a.P90)+1)))
			x, y := Render(a, mode), Render(b, mode)
			if x.Mode != y.Mode {
				continue // other words; numbers mean other things
			}
			if y.Low > x.Low || y.High > x.High {
				t.Fatalf("%s: %v gives %+v, shorter %v gives %+v", mode, a, x, b, y)
			}
			if y.High != 0 && y.Low > y.High {
				t.Fatalf("%s: %+v", mode, y)
			}
		}
	}
}

func TestRenderedBoundsHold(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 14))
	for range 20_000 {
		w := Wait{Known: true, P50: 1 + time.Duration(rng.Int64N(int64(time.Hour)))}
		w.P90 = w.P50 + time.Duration(rng.Int64N(int64(time.Hour)))
		if r := Render(w, LessThan); time.Duration(r.High)*time.Minute < w.P90 {
			t.Fatalf("less than %d minutes, but p90 is %v", r.High, w.P90)
		}
		if r := Render(w, Range); r.Low > 1 && time.Duration(r.Low)*time.Minute > w.P50 || time.Duration(r.High)*time.Minute < w.P50 {
			t.Fatalf("%+v for %v", r, w)
		}
	}
}
