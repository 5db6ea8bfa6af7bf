package estimate

import (
	"math"
	"reflect"
	"testing"
	"time"
)

// queue is one line with n busy seats and people who wait.
func queue(n, people int, p Params) *Snapshot {
	s := &Snapshot{Lines: []Line{{Params: &p}}, Groups: []Group{{Lines: []int{0}}}, Paths: 4000}
	for range n {
		s.Seats = append(s.Seats, Seat{Busy: true})
	}
	for i := range people {
		s.Waiting = append(s.Waiting, Person{Waited: time.Duration(people-i) * time.Second})
	}
	return s
}

func TestSimulateAgreesWithTheClosedForm(t *testing.T) {
	s := queue(10, 40, Fixed(minutes(5), minutes(15)))
	closed, played := s.Waits(), s.Simulate(nil)
	for i := range closed {
		if closed[i].Method != ClosedForm || played[i].Method != MonteCarlo {
			t.Fatalf("methods %v, %v", closed[i].Method, played[i].Method)
		}
		near(t, "mean", played[i].Mean.Seconds(), closed[i].Mean.Seconds(), 0.05)
		near(t, "p90", played[i].P90.Seconds(), closed[i].P90.Seconds(), 0.06)
	}
}

func TestTheSameSnapshotGivesTheSameOnEveryReplica(t *testing.T) {
	s := queue(5, 20, Fixed(minutes(5), minutes(15)))
	s.Flows = []Flow{{Level: 1, Rate: 0.01}}
	if a, b := s.Waits(), s.Waits(); !reflect.DeepEqual(a, b) {
		t.Error("two estimates of one snapshot differ")
	}
}

func TestFlowsThatRankBeforeMakeLongerAndOthersDoNot(t *testing.T) {
	s := queue(5, 10, Fixed(minutes(5), 0))
	s.Waiting[0].Level = 1
	plain := s.Simulate(nil)
	s.Flows = []Flow{{Level: 1, Rate: 0.4 / 60}}
	with := s.Simulate(nil)
	near(t, "first of all", with[0].Mean.Seconds(), plain[0].Mean.Seconds(), 0.05)
	if with[9].Mean.Seconds() < 1.3*plain[9].Mean.Seconds() {
		t.Errorf("0.4 a minute go first with 1 a minute served: %v, without %v", with[9], plain[9])
	}
	s.Flows[0].Level = 0
	if same := s.Simulate(nil); math.Abs(same[9].Mean.Seconds()-plain[9].Mean.Seconds()) > 0.05*plain[9].Mean.Seconds() {
		t.Errorf("equals who come later go later: %v, without %v", same[9], plain[9])
	}
}

// With ageing, who comes more than that much later cannot overtake any more.
func TestAgeingBoundsOvertaking(t *testing.T) {
	s := queue(2, 20, Fixed(minutes(5), 0))
	s.Flows = []Flow{{Level: 1, Rate: 0.35 / 60}}
	strict := s.Simulate([]int{19})[0]
	s.Ageing = 5 * time.Minute
	aged := s.Simulate([]int{19})[0]
	s.Flows = nil
	none := s.Simulate([]int{19})[0]
	if none.Mean >= aged.Mean || aged.Mean >= strict.Mean*2/3 {
		t.Errorf("without %v, ageing %v, strict %v", none, aged, strict)
	}
}

func TestShifts(t *testing.T) {
	s := queue(4, 12, Fixed(minutes(5), 0))
	steady := s.WaitOf(11)
	s.Seats[0].Leaves, s.Seats[1].Leaves = time.Minute, time.Minute
	leaving := s.WaitOf(11)
	if leaving.Method != MonteCarlo || leaving.Mean < steady.Mean*3/2 {
		t.Errorf("half of the seats leave in a minute: %+v, before %+v", leaving, steady)
	}
	s = queue(4, 12, Fixed(minutes(5), 0))
	for range 8 {
		s.Seats = append(s.Seats, Seat{Joins: time.Minute})
	}
	if joining := s.WaitOf(11); joining.Mean > steady.Mean/2 {
		t.Errorf("8 seats join 4 in a minute: %+v, before %+v", joining, steady)
	}
	s.Seats[0].Leaves = 100 * time.Hour
	s.Seats = s.Seats[:4]
	if far := s.WaitOf(11); far != steady {
		t.Errorf("a shift that ends in days changed %+v to %+v", steady, far)
	}
	// Nobody is there, but somebody will be: known, and about then. Nine in
	// ten waits stay below a value that is a little later; that very moment
	// they would stay below or not by microseconds.
	s.Seats = []Seat{{Joins: 10 * time.Minute}}
	w := s.WaitOf(0)
	if !w.Known || (w.P50-10*time.Minute).Abs() > time.Second {
		t.Errorf("first in line, a seat joins in 10 minutes: %+v", w)
	}
	if late := w.P90 - 10*time.Minute; late < 10*time.Second || late > 20*time.Second {
		t.Errorf("nine in ten shifts begin by %v after they should", late)
	}
}

func TestSkills(t *testing.T) {
	p := Fixed(minutes(5), 0)
	s := &Snapshot{
		Lines:  []Line{{&p}, {&p}},
		Groups: []Group{{[]int{0}}, {[]int{1}}},
		Seats:  []Seat{{Group: 0, Busy: true}, {Group: 1, Busy: true, Line: 1}, {Group: 1, Busy: true, Line: 1}},
	}
	for range 6 {
		s.Waiting = append(s.Waiting, Person{Line: 0}, Person{Line: 1})
	}
	w := s.Waits()
	near(t, "6th of line 0, one seat", w[10].Mean.Minutes(), 30, 0.1)
	near(t, "6th of line 1, two seats", w[11].Mean.Minutes(), 15, 0.1)
	s.Groups[1].Lines = []int{0, 1}
	if both := s.Waits(); both[10].Mean >= w[10].Mean || both[11].Mean <= w[11].Mean {
		t.Errorf("shared seats must help line 0 and cost line 1: %v %v", both[10], both[11])
	}
}

// A seat that has nothing to do now takes those to come whom it can serve, and
// so spares the seat that somebody waits for.
func TestIdleSeatTakesThoseToCome(t *testing.T) {
	p := Fixed(minutes(5), 0)
	s := &Snapshot{
		Lines:   []Line{{&p}, {&p}},
		Groups:  []Group{{[]int{0, 1}}, {[]int{1}}},
		Seats:   []Seat{{Group: 0, Busy: true}},
		Waiting: []Person{{Line: 0}, {Line: 0}, {Line: 0}},
		Flows:   []Flow{{Line: 1, Level: 1, Rate: 0.1 / 60}},
		Paths:   2000,
	}
	alone := s.WaitOf(2)
	s.Seats = append(s.Seats, Seat{Group: 1})
	if w := s.WaitOf(2); w.Mean.Seconds() > 0.85*alone.Mean.Seconds() {
		t.Errorf("a free seat for the others helps little: %v, without it %v", w.Mean, alone.Mean)
	}
}

func TestDoubtAboutAFlowWidens(t *testing.T) {
	s := queue(5, 15, Fixed(minutes(5), 0))
	s.Flows = []Flow{{Level: 1, Rate: 0.5 / 60}}
	sure := s.WaitOf(14)
	s.Flows[0].Evidence = 2
	if w := s.WaitOf(14); w.P90 < sure.P90*11/10 {
		t.Errorf("known from two people: p90 %v, for certain %v", w.P90, sure.P90)
	}
}

// Patience that wears out with age: those who have waited longest are the next
// to give up, which an average rate would miss.
func TestClosedFormKnowsTheAgesOfThoseAhead(t *testing.T) {
	var h [ages]float64
	for c := range h {
		if h[c] = 1.0 / 3600; ageEdge(c) >= 300 {
			h[c] = 1.0 / 120
		}
	}
	p := Fixed(minutes(5), 0)
	p.Patience, p.Leave = newLifetime(h, 0), 1.0/1500
	s := queue(5, 25, p)
	for i := range s.Waiting {
		s.Waiting[i].Waited = time.Duration(340-i) * time.Second
	}
	closed, played := s.Waits()[24], s.Simulate([]int{24})[0]
	near(t, "mean", closed.Mean.Seconds(), played.Mean.Seconds(), 0.1)
	if average := QueueLength(s.place(24), p); average.Mean < closed.Mean*5/4 {
		t.Errorf("the test is no test: the average rate gives %v, ages give %v", average.Mean, closed.Mean)
	}
}

func TestOldConversationsEndSoonerWhenTimesAreRegular(t *testing.T) {
	m := NewModel(Prior{})
	for i := range 500 {
		at := monday.Add(time.Duration(i) * time.Minute)
		m.Handled(at, at.Add(5*time.Minute))
	}
	p := m.Params(monday.Add(510*time.Minute), Live{})
	s := queue(1, 1, p)
	s.Seats[0].Elapsed = 4 * time.Minute
	if w := s.WaitOf(0); w.Method != MonteCarlo || w.P50 > 2*time.Minute {
		t.Errorf("4 of always 5 minutes have passed: %+v", w)
	}
}

func TestSimulateSaysWhyItDoesNotKnow(t *testing.T) {
	p := Fixed(minutes(5), 0)
	for name, c := range map[string]struct {
		change func(*Snapshot)
		want   Reason
	}{
		"closed":          {func(s *Snapshot) { s.Closed = true }, Closed},
		"no seats":        {func(s *Snapshot) { s.Seats = nil }, NoAgents},
		"no seat serves":  {func(s *Snapshot) { s.Groups[0].Lines = nil }, NoAgents},
		"unknown line":    {func(s *Snapshot) { s.Waiting[0].Line = 7 }, NoAgents},
		"nothing learned": {func(s *Snapshot) { s.Lines[0].Params = &Params{} }, NoData},
		"no params":       {func(s *Snapshot) { s.Lines[0].Params = nil }, NoData},
		"all leave for ever": {func(s *Snapshot) {
			for i := range s.Seats {
				s.Seats[i].Leaves = time.Nanosecond
			}
		}, NoAgents},
		"joins in a month": {func(s *Snapshot) { s.Seats = []Seat{{Joins: 720 * time.Hour}} }, NoAgents},
	} {
		s := queue(3, 2, p)
		c.change(s)
		if w := s.WaitOf(0); w.Known || w.Reason != c.want {
			t.Errorf("%s: WaitOf %+v, want %s", name, w, c.want)
		}
		if w := s.Simulate([]int{0})[0]; w.Known || w.Reason != c.want {
			t.Errorf("%s: Simulate %+v, want %s", name, w, c.want)
		}
	}
	s := queue(3, 2, p)
	for _, i := range []int{-1, 2} {
		if w := s.WaitOf(i); w.Known || w.Reason != NoData {
			t.Errorf("person %d: %+v", i, w)
		}
		if w := s.Simulate([]int{i})[0]; w.Known || w.Reason != NoData {
			t.Errorf("person %d: %+v", i, w)
		}
	}
}

func TestFreeSeatMeansNow(t *testing.T) {
	s := queue(3, 4, Fixed(minutes(5), 0))
	s.Seats[1].Busy = false
	for _, w := range [][]Wait{s.Waits(), s.Simulate(nil)} {
		if !w[0].Known || w[0].P90 != 0 || w[1].P50 == 0 {
			t.Errorf("one free seat, got %v then %v", w[0], w[1])
		}
	}
}

// An endless stream of people who go first must end as unknown, soon, and not
// as an endless loop.
func TestStarvedForEverEnds(t *testing.T) {
	s := queue(1, 3, Fixed(minutes(5), 0))
	s.Paths = 50
	for _, rate := range []float64{1, 1e12, 1e300} {
		s.Flows = []Flow{{Level: 9, Rate: rate}}
		if w := s.WaitOf(2); w.Known {
			t.Errorf("rate %v: %+v", rate, w)
		}
	}
}

func FuzzSimulateSurvivesAnything(f *testing.F) {
	f.Add(3, 4, int64(60e9), int64(-5), int64(1<<62), 0.5, 2, 0, uint64(7))
	f.Add(1, 1, int64(math.MinInt64), int64(math.MaxInt64), int64(-1), math.NaN(), -1, 5, uint64(0))
	f.Fuzz(func(t *testing.T, seats, people int, a, b, c int64, rate float64, line, level int, seed uint64) {
		if seats < 0 || seats > 8 || people < 0 || people > 8 {
			t.Skip()
		}
		p := Fixed(time.Duration(a), time.Duration(b))
		s := &Snapshot{
			Lines: []Line{{&p}, {}}, Groups: []Group{{[]int{0, line}}, {}},
			Flows:  []Flow{{Line: line, Level: level, Rate: rate, Evidence: rate}, {Rate: -rate, Level: level}},
			Ageing: time.Duration(c), Seed: seed, Paths: 3,
		}
		for i := range seats {
			s.Seats = append(s.Seats, Seat{
				Group: i % 3, Busy: i%2 == 0, Line: line,
				Elapsed: time.Duration(b), Joins: time.Duration(c), Leaves: time.Duration(a),
			})
		}
		for i := range people {
			s.Waiting = append(s.Waiting, Person{Line: i % 2 * line, Level: level, Waited: time.Duration(c)})
		}
		for _, w := range append(s.Waits(), s.Simulate(nil)...) {
			if w.Known == (w.Reason != "") || w.P50 < 0 || w.P90 < w.P50 || w.P90 > maxWait || w.Mean < 0 {
				t.Fatalf("%+v", w)
			}
		}
	})
}
