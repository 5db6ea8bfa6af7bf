package world

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// audit checks the laws of the house at every event.
type audit struct {
	t                         *testing.T
	arrived, waited           int
	wait                      float64
	started, gaveUp, finished int
	ghosts                    int
	lastStart                 map[[2]int]int // by line and level: who started last
	lastAt                    float64
}

func (a *audit) look(w *World) {
	a.t.Helper()
	busy := 0
	for _, d := range w.Desks {
		busy += len(d.People)
		if len(d.People) > d.Seats {
			a.t.Fatalf("at %v an agent serves %d with %d seats", w.Now, len(d.People), d.Seats)
		}
	}
	if w.Now < a.lastAt {
		a.t.Fatalf("time went back from %v to %v", a.lastAt, w.Now)
	}
	a.lastAt = w.Now
	if !slices.IsSortedFunc(w.Waiting, func(x, y *Person) int {
		if x.Level != y.Level {
			return y.Level - x.Level
		}
		return x.Seq - y.Seq
	}) {
		a.t.Fatalf("at %v the line is out of order", w.Now)
	}
}

func (a *audit) Arrived(w *World, p *Person) {
	a.arrived++
	a.look(w)
	if !slices.Contains(w.Waiting, p) {
		return
	}
	a.waited++
	for _, d := range w.Desks {
		if d.There && len(d.People) < d.Seats && slices.Contains(d.Lines, p.Line) {
			a.t.Fatalf("at %v somebody waits though a seat is free", w.Now)
		}
	}
}

func (a *audit) Started(w *World, p *Person) {
	a.look(w)
	a.wait += p.Started - p.Arrived
	if p.Ghost {
		a.ghosts++
		return
	}
	a.started++
	k := [2]int{p.Line, p.Level}
	if last, ok := a.lastStart[k]; ok && last > p.Seq {
		a.t.Fatalf("%d was served before %d, his equal", last, p.Seq)
	}
	a.lastStart[k] = p.Seq
}
func (a *audit) GaveUp(w *World, _ *Person)   { a.look(w); a.gaveUp++ }
func (a *audit) Finished(w *World, _ *Person) { a.look(w); a.finished++ }
func (a *audit) Shifted(w *World, _ *Desk)    { a.look(w) }
func (a *audit) Tick(w *World)                { a.look(w) }

func TestEveryScenarioKeepsTheLaws(t *testing.T) {
	all := append(Standard(), Further()...)
	for number := range uint64(8) {
		all = append(all, Drawn(number))
	}
	for _, s := range all {
		a := &audit{t: t, lastStart: map[[2]int]int{}}
		Run(s, 1, 3000, 1, a)
		if a.arrived != 3000 || a.finished == 0 {
			t.Errorf("%s: %d arrived, %d finished", s.ID, a.arrived, a.finished)
		}
		if open := a.arrived - a.started - a.gaveUp; open < 0 || open > 1500 {
			t.Errorf("%s: %d arrived, %d served, %d gave up", s.ID, a.arrived, a.started, a.gaveUp)
		}
		if (a.gaveUp > 0) != (s.Patience != nil) || (a.ghosts > 0) != (s.Patience != nil) {
			t.Errorf("%s: %d gave up, %d ghosts", s.ID, a.gaveUp, a.ghosts)
		}
	}
}

// The mean wait of M/M/3 at load .7 is known: Erlang's C formula.
func TestWaitsAreErlangs(t *testing.T) {
	a := &audit{t: t, lastStart: map[[2]int]int{}}
	Run(base("", "", 3, .7), 3, 100_000, 1e9, a)
	load := 3 * .7
	p, term := 0.0, 1.0
	for k := range 3 {
		p += term
		term *= load / float64(k+1)
	}
	busy := term / (1 - .7)
	c := busy / (p + busy)
	want := c * handle / (3 * (1 - .7))
	if got := a.wait / float64(a.arrived); math.Abs(got-want) > 0.05*want {
		t.Errorf("mean wait %v, Erlang's C gives %v", got, want)
	}
	if got := float64(a.waited) / float64(a.arrived); math.Abs(got-c) > 0.03*c {
		t.Errorf("%v had to wait, Erlang's C gives %v", got, c)
	}
}

func TestTheSameSeedGivesTheSameRun(t *testing.T) {
	var waits [2]float64
	for i := range waits {
		a := &audit{t: t, lastStart: map[[2]int]int{}}
		Run(Standard()[6], 5, 2000, 1, a)
		waits[i] = a.wait
	}
	if waits[0] != waits[1] {
		t.Errorf("%v and %v", waits[0], waits[1])
	}
}

// people notes when each came and how long he was served.
type people struct {
	audit
	came, took map[int]float64
}

func (p *people) Arrived(_ *World, o *Person)  { p.came[o.Seq] = o.Arrived }
func (p *people) Started(*World, *Person)      {}
func (p *people) GaveUp(*World, *Person)       {}
func (p *people) Finished(w *World, o *Person) { p.took[o.Seq] = w.Now - o.Started }
func (p *people) Tick(*World)                  {}

func TestWhoComesDoesNotHangOnTheRouter(t *testing.T) {
	var all []*people
	for _, poll := range []float64{0, .5} {
		s := Skilled(.9)
		s.Poll = poll
		p := &people{came: map[int]float64{}, took: map[int]float64{}}
		Run(s, 7, 500, 1, p)
		all = append(all, p)
	}
	both := 0
	for seq, came := range all[0].came {
		if all[1].came[seq] != came {
			t.Errorf("%d came at %v and at %v", seq, came, all[1].came[seq])
		}
		if a, b := all[0].took[seq], all[1].took[seq]; a > 0 && b > 0 {
			if both++; math.Abs(a-b) > 1e-6 {
				t.Errorf("%d was served for %v and for %v", seq, a, b)
			}
		}
	}
	if both < 150 {
		t.Errorf("only %d were served by both", both)
	}
}

func TestShiftsAlternate(t *testing.T) {
	s := Every(240, 120, 0)
	for at, want := range map[float64]bool{0: true, 119: true, 120: false, 239: false, 240: true, 1e6*240 + 1: true} {
		if there, until := s(at); there != want || until <= at || until > at+240 {
			t.Errorf("at %v: %v until %v", at, there, until)
		}
	}
}

func TestPartsAreAllWaysToDivide(t *testing.T) {
	seen := map[string]bool{}
	Parts(4, func(parts []uint) {
		all := uint(0)
		for _, p := range parts {
			if all&p != 0 {
				t.Errorf("%v overlap", parts)
			}
			all |= p
		}
		if all != 15 {
			t.Errorf("%v leave something out", parts)
		}
		seen[fmt.Sprint(parts)] = true
	})
	if len(seen) != 15 {
		t.Errorf("%d ways to divide 4, want Bell's 15", len(seen))
	}
}
