package waiting

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed-2a427302/handoff/bench/world"
)

func TestBaselinesAreTheFormulasOfOthers(t *testing.T) {
	var b baselines
	b.started(&world.Person{Arrived: 0, Started: 4})
	b.started(&world.Person{Arrived: 10, Started: 18})
	for i := range 300 {
		length := 6.0
		if i >= 200 {
			length = 5
		}
		b.finished(&world.World{Now: length}, &world.Person{})
	}
	// LES 8; moving average 1 then 1 + 7/4; Rocket.Chat (50/100 + 1) x 5, the
	// last 100 only.
	if got, want := b.of(50), []float64{8, 2.75, 7.5}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	w := &world.World{Scenario: world.Scenario{Mean: world.Steady(5)}}
	w.Desks = []*world.Desk{{Agent: world.Agent{Seats: 3}, There: true}, {Agent: world.Agent{Seats: 3}}}
	if got := truth(w, 5); got != 10 {
		t.Errorf("6th, 5 minutes, 3 seats there: %v", got)
	}
}

func TestPinball(t *testing.T) {
	if a, b := pinball(10, 8, .9), pinball(8, 10, .9); math.Abs(a-1.8) > 1e-9 || math.Abs(b-.2) > 1e-9 {
		t.Errorf("%v, %v", a, b)
	}
}

// One short run of each kind: all are scored, nothing rises without a cause,
// and the same seed scores the same.
func TestPlayScoresEveryKindOfScenario(t *testing.T) {
	for _, s := range world.Standard() {
		if !slices.Contains([]string{"A", "G", "H", "I"}, s.ID) {
			continue
		}
		r := Run{Scenario: s, Seed: 2, From: 300, To: 900}
		a, b := Play(r), Play(r)
		if a.People < 5 || a.First.N != a.People || a.All.N < a.First.N || a.Truth <= 0 || a.Ours <= 0 {
			t.Errorf("%s: %+v", s.ID, a)
		}
		if a.Rises != 0 {
			t.Errorf("%s: %d rises without a cause", s.ID, a.Rises)
		}
		a.Spent, b.Spent = 0, 0
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: the same seed scored %+v, then %+v", s.ID, a, b)
		}
	}
}

// A bound on the work leaves people out, evenly and the same ones each time. One
// that is enough for all leaves out nobody.
func TestWorkIsBounded(t *testing.T) {
	r := Run{Scenario: world.Standard()[3], Seed: 4, From: 300, To: 1500}
	all := Play(r)
	r.Work = 1e12
	same := Play(r)
	all.Spent, same.Spent = 0, 0
	if !reflect.DeepEqual(all, same) {
		t.Errorf("all of the work is %+v, without a bound %+v", same, all)
	}
	m := &meter{from: r.From, open: map[*world.Person]bool{}}
	world.Run(r.Scenario, r.Seed, r.To, tickEvery, m)
	r.Work = m.work / 4
	a, b := Play(r), Play(r)
	if a.People != b.People || a.Ours != b.Ours {
		t.Errorf("the same seed scored %+v, then %+v", a, b)
	}
	if share := float64(a.People) / float64(all.People); share < .15 || share > .35 {
		t.Errorf("a quarter of the work scored %d of %d", a.People, all.People)
	}
	n := 0
	for i := range 1000 {
		if taken(i, .3) {
			n++
		}
	}
	if n < 295 || n > 305 {
		t.Errorf("%d of 1000 are three tenths", n)
	}
}

func TestReportEndsInGoals(t *testing.T) {
	var out strings.Builder
	goals, err := Report(&out, Options{Seed: 1, Seeds: 1, Arrivals: 3300, ColdSeeds: 1, Only: "A"})
	if err != nil || len(goals) != 8 {
		t.Fatalf("%d goals, %v", len(goals), err)
	}
	if !strings.Contains(out.String(), "A M/M/10") || !strings.HasPrefix(goals[0].Name, "A estimate MAE") {
		t.Errorf("printed %s", out.String())
	}
}
