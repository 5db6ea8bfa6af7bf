package estimate

import (
	"math"
	"testing"
	"time"
)

func minutes(m float64) time.Duration { return time.Duration(m * float64(time.Minute)) }

func near(t *testing.T, what string, got, want, part float64) {
	t.Helper()
	if !(math.Abs(got-want) <= part*math.Abs(want)) {
		t.Errorf("%s: got %v, want %v within %v", what, got, want, part)
	}
}

func TestQueueLengthIsTheVendorFormulaWithoutAbandonment(t *testing.T) {
	w := QueueLength(Place{Ahead: 7, Seats: 4}, Fixed(minutes(6), 0))
	near(t, "mean minutes", w.Mean.Minutes(), 8*6.0/4, 1e-9)
	if w.Method != ClosedForm || !w.Known {
		t.Errorf("got %+v", w)
	}
}

// One seat, nobody ahead: the wait is one exponential handle time, whose
// quantiles are known.
func TestQueueLengthOfOneAgentIsExponential(t *testing.T) {
	w := QueueLength(Place{Seats: 1}, Fixed(minutes(5), 0))
	near(t, "p50", w.P50.Minutes(), 5*math.Ln2, 0.02)
	near(t, "p90", w.P90.Minutes(), 5*math.Log(10), 0.02)
}

func FuzzDescendAgainstTheSum(f *testing.F) {
	f.Add(0, 1.0, 1.0)
	f.Add(50, 20.0/300, 1.0/900)
	f.Add(2000, 0.001, 3.0)
	f.Add(3000, 1.0, 1e-12)
	f.Fuzz(func(t *testing.T, ahead int, serve, leave float64) {
		if ahead < 0 || ahead > 5000 || !(serve > 1e-6 && serve < 1e6) || !(leave >= 0 && leave < 1e6) {
			t.Skip()
		}
		mean, variance := 0.0, 0.0
		for i := range ahead + 1 {
			r := 1 / (serve + float64(i)*leave)
			mean += r
			variance += r * r
		}
		got := descend(ahead, serve, leave)
		near(t, "mean", got.mean, mean, 1e-4)
		near(t, "variance", got.variance, variance, 1e-3)
		near(t, "effects", got.bySeats+got.byLeaving, mean, 1e-3)
		if got.servedShare < 0 || got.servedShare > 1 {
			t.Errorf("share of services %v", got.servedShare)
		}
	})
}

// W-22: an estimate that hardly looks at position and never at agents.
func TestW22EstimateFollowsPositionAndAgents(t *testing.T) {
	p := Fixed(minutes(5), minutes(15))
	last := Wait{}
	for ahead := range 200 {
		w := QueueLength(Place{Ahead: ahead, Seats: 10}, p)
		if w.P50 <= last.P50 || w.P90 <= last.P90 {
			t.Fatalf("one more ahead, yet not longer: %v then %v", last, w)
		}
		if more := QueueLength(Place{Ahead: ahead, Seats: 11}, p); more.P50 >= w.P50 || more.P90 >= w.P90 {
			t.Fatalf("one more agent, yet not shorter: %v then %v", w, more)
		}
		last = w
	}
}

func TestQueueLengthSaysWhyItDoesNotKnow(t *testing.T) {
	p := Fixed(minutes(5), 0)
	for name, c := range map[string]struct {
		at   Place
		p    Params
		want Reason
	}{
		"closed":                 {Place{Seats: 3, Closed: true}, p, Closed},
		"closed and empty":       {Place{Closed: true}, Params{}, Closed},
		"no agents":              {Place{Ahead: 2}, p, NoAgents},
		"no agents, nobody else": {Place{}, p, NoAgents},
		"NaN seats":              {Place{Seats: math.NaN()}, p, NoAgents},
		"negative seats":         {Place{Seats: -4}, p, NoAgents},
		"nothing learned":        {Place{Ahead: 1, Seats: 2}, Params{}, NoData},
		"no handle time":         {Place{Seats: 2}, Fixed(-1, 0), NoData},
	} {
		if got := QueueLength(c.at, c.p); got.Known || got.Reason != c.want {
			t.Errorf("%s: got %+v, want %s", name, got, c.want)
		}
	}
}

func TestQueueLengthIsZeroWhenASeatIsFree(t *testing.T) {
	at := Place{Ahead: 1, Seats: 5, Free: 2}
	if w := QueueLength(at, Params{}); !w.Known || w.P90 != 0 || w.Method != Immediate {
		t.Errorf("got %+v", w)
	}
	at.Ahead = 2
	if w := QueueLength(at, Fixed(minutes(5), 0)); w.Mean != minutes(1) {
		t.Errorf("the free seats are for the two ahead, then it is one of five seats' turn: %v", w.Mean)
	}
}

func TestQueueLengthSurvivesBadNumbers(t *testing.T) {
	p := Fixed(minutes(5), minutes(10))
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 0} {
		q := p
		q.Leave, q.Yield, q.LeaveEvidence = bad, bad, bad
		w := QueueLength(Place{Ahead: 3, Seats: 2}, q)
		if !w.Known || w.P50 <= 0 || w.P90 < w.P50 {
			t.Errorf("%v: got %+v", bad, w)
		}
	}
	if w := QueueLength(Place{Ahead: math.MaxInt, Seats: 1e-300}, p); !w.Known || w.P90 > maxWait {
		t.Errorf("got %+v", w)
	}
	if w := QueueLength(Place{Ahead: -5, Free: -5, Seats: 1}, p); w.Mean != minutes(5) {
		t.Errorf("negative counts are zero, got %+v", w)
	}
}

// Little known must widen the interval, not only leave it as it is.
func TestQueueLengthWidensWithDoubt(t *testing.T) {
	sure := Fixed(minutes(5), minutes(15))
	unsure := sure
	unsure.Handle.n = 6
	a := QueueLength(Place{Ahead: 30, Seats: 10}, sure)
	b := QueueLength(Place{Ahead: 30, Seats: 10}, unsure)
	if b.P90-b.P50 < (a.P90-a.P50)*3/2 {
		t.Errorf("6 observations are hardly wider than certainty: %v, %v", a, b)
	}
}

func TestQueueLengthAllocatesNothing(t *testing.T) {
	p := Fixed(minutes(5), minutes(15))
	if n := testing.AllocsPerRun(100, func() { QueueLength(Place{Ahead: 1_000_000, Seats: 20}, p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
