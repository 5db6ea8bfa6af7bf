package routing

import (
	"strings"
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/bench/world"
)

// Who knows least goes first, then who is idle longest, as the library says.
func TestByAsksTheLibrary(t *testing.T) {
	desks := []*world.Desk{
		{Agent: world.Agent{Lines: []int{0, 1}, Seats: 1}, Idle: 1},
		{Agent: world.Agent{Lines: []int{0}, Seats: 1}, Idle: 9},
		{Agent: world.Agent{Lines: []int{0}, Seats: 1}, Idle: 5},
	}
	w := &world.World{Desks: desks}
	if got := By(handoff.MostSpecialised)(w, &world.Person{}, desks); got != desks[2] {
		t.Errorf("most specialised: %+v", got)
	}
	if got := By(handoff.LongestIdle)(w, &world.Person{}, desks); got != desks[0] {
		t.Errorf("longest idle: %+v", got)
	}
}

// A poller is slower, whoever has every skill is faster, and a seed is a run.
func TestScores(t *testing.T) {
	var got []float64
	for _, p := range policies() {
		s := world.Skilled(.9)
		p.change(&s)
		a := Play(s, 3, 500, 4000)
		if b := Play(s, 3, 500, 4000); a.Mean != b.Mean || a.Spread != b.Spread {
			t.Errorf("%s: the same seed gave %v and %v", p.name, a, b)
		}
		if a.Spread < 0 || a.Spread > 1 || a.P95 < a.Mean || a.GaveUp <= 0 {
			t.Errorf("%s: %+v", p.name, a)
		}
		got = append(got, a.Mean)
	}
	if got[bound] >= got[ours] || got[ours] >= got[polled] {
		t.Errorf("means %v", got)
	}
}

// With ageing somebody who has waited long goes before a higher priority.
func TestAgeingBoundsTheWaitOfTheLow(t *testing.T) {
	s := world.Skilled(1.3)
	s.Patience, s.High = nil, .6
	strict := Play(s, 1, 0, 4000)
	s.Ageing = 5
	aged := Play(s, 1, 0, 4000)
	if aged.Max[0] >= strict.Max[0]*2/3 {
		t.Errorf("low: %v with ageing, %v without", aged.Max[0], strict.Max[0])
	}
}

func TestReportEndsInGoals(t *testing.T) {
	var out strings.Builder
	goals, err := Report(&out, Options{Seed: 1, Seeds: 1, Arrivals: 1000, Days: 1})
	if err != nil || len(goals) != 8 {
		t.Fatalf("%d goals, %v", len(goals), err)
	}
	if !strings.Contains(out.String(), "polled every 5 s") || !strings.Contains(out.String(), "ageing 10 min") {
		t.Errorf("printed %s", out.String())
	}
}

// A mix waits at least as long as its bound, and that at least as long as a team
// in which everybody has every skill. Two teams without a skill in common are
// two teams, however they are routed.
func TestMixes(t *testing.T) {
	o := Options{Seed: 4, Seeds: 1, Arrivals: 4000, Mixes: 1, Workers: 2}
	var out strings.Builder
	goals, err := mixes(&out, o)
	if err != nil || len(goals) < 4 {
		t.Fatalf("%d goals, %v", len(goals), err)
	}
	for _, g := range goals {
		if strings.HasPrefix(g.Name, "mean wait / bound") && g.Figure < 1 {
			t.Errorf("%s is %.2f: the bound is none\n%s", g.Name, g.Figure, out.String())
		}
	}
	s := world.Skilled(.9)
	s.Shares = []float64{.5, .5}
	for i := range s.Agents {
		s.Agents[i].Lines = []int{i % 2}
	}
	least, cross := mixBound(s, o)
	if half := Play(s.Part(1), o.Seed, 200, 2000).Mean; least < cross*11/10 || least < half*2/3 || least > half*3/2 {
		t.Errorf("bound of two teams %.2f, of one %.2f, of both as one %.2f", least, half, cross)
	}
}
