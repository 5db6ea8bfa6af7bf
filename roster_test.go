package handoff

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

// naiveRoster is what a roster must behave like: a list that is looked
// through.
type naiveRoster map[string]*naiveAgent

type naiveAgent struct {
	sighting
	crews map[string]bool
}

func (n naiveRoster) put(f sighting) {
	a := n[f.agent.ID]
	if a == nil {
		a = &naiveAgent{crews: map[string]bool{}}
		n[f.agent.ID] = a
	}
	for _, q := range a.agent.Queues {
		delete(a.crews, q)
	}
	for _, q := range f.agent.Queues {
		a.crews[q] = true
	}
	a.sighting = f
}

func (n naiveRoster) putCrew(queue string, all []sighting) {
	for _, a := range n {
		delete(a.crews, queue)
	}
	for _, f := range all {
		n.put(f)
		n[f.agent.ID].crews[queue] = true
	}
}

func (n naiveRoster) find(queue string, need *Need) (ids []string) {
	for id, a := range n {
		most, ok := a.agent.QueueSeats[queue]
		if a.crews[queue] && a.online && a.units < a.agent.Seats && a.agent.covers(need) && (!ok || a.used[queue] < most) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// dice makes agents and needs from a stream of small numbers.
type dice func(n int) int

func (d dice) agent() Agent {
	a := Agent{ID: "a" + strconv.Itoa(d(200)), Seats: d(3), Video: d(3) == 0, Skills: map[string]int{}}
	for range d(5) {
		a.Skills["s"+strconv.Itoa(d(6))] = d(9) - 2
	}
	for range d(3) {
		a.Languages = append(a.Languages, "l"+strconv.Itoa(d(3)))
	}
	for q := range 3 {
		if d(2) == 0 {
			a.Queues = append(a.Queues, "q"+strconv.Itoa(q))
		}
	}
	if d(4) == 0 {
		a.QueueSeats = map[string]int{"q1": d(2)}
	}
	return a
}

func (d dice) sighting() sighting {
	f := sighting{agent: d.agent(), online: d(3) > 0, units: d(3)}
	if f.agent.QueueSeats != nil {
		f.used = map[string]int{"q1": d(2)}
	}
	return f
}

func (d dice) need() Need {
	n := Need{Queue: "q" + strconv.Itoa(d(3))}
	for range d(3) {
		n.Skills = append(n.Skills, Skill{Name: "s" + strconv.Itoa(d(7)), Level: d(9) - 2})
	}
	if d(2) == 0 {
		n.Language = "l" + strconv.Itoa(d(4))
	}
	if d(4) == 0 {
		n.Mode = ModeVideo
	}
	return n
}

func compareRosters(t *testing.T, r *roster, naive naiveRoster, d dice, more bool) {
	t.Helper()
	var lines []string
	needs := map[string]Need{}
	for range 4 {
		n := d.need()
		n.Queue = "q0"
		lines, needs[n.line()] = append(lines, n.line()), n
		for q := range 3 {
			queue := "q" + strconv.Itoa(q)
			r.mu.Lock()
			var got []string
			for _, c := range r.find(queue, &n) {
				if !more || c.Agent.covers(&n) { // it may find too many, never too few
					got = append(got, c.Agent.ID)
				}
			}
			r.mu.Unlock()
			slices.Sort(got)
			if want := naive.find(queue, &n); !slices.Equal(got, want) {
				t.Fatalf("%s, %+v: found %v, want %v", queue, n, got, want)
			}
		}
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	covered := r.covered("q0", lines)
	for _, l := range lines {
		n := needs[l]
		if got, want := slices.Contains(covered, l), len(naive.find("q0", &n)) > 0; got != want {
			t.Fatalf("line %q is covered: %v, want %v", l, got, want)
		}
	}
}

func play(t *testing.T, d dice, steps int, more bool) {
	t.Helper()
	r, naive := newRoster(), naiveRoster{}
	for range steps {
		switch d(8) {
		case 0:
			id := "a" + strconv.Itoa(d(200))
			r.drop(id, r.tick())
			delete(naive, id)
		case 1:
			id, units := "a"+strconv.Itoa(d(200)), 1+d(2)
			r.took(id, units, time.Time{}, r.tick())
			if a := naive[id]; a != nil {
				a.units += units
			}
		case 2:
			queue := "q" + strconv.Itoa(d(3))
			var all []sighting
			seen := map[string]bool{}
			for range d(6) {
				if f := d.sighting(); !seen[f.agent.ID] && f.agent.serves(queue) {
					all, seen[f.agent.ID] = append(all, f), true
				}
			}
			r.putCrew(queue, all, r.tick())
			naive.putCrew(queue, all)
		case 3:
			// An old read undoes nothing.
			f, old := d.sighting(), r.tick()
			if _, ok := naive[f.agent.ID]; ok {
				g := f
				g.agent.Seats, g.online = 99, true
				r.put(&f, r.tick())
				r.put(&g, old)
				naive.put(f)
			}
		default:
			f := d.sighting()
			r.put(&f, r.tick())
			naive.put(f)
		}
		compareRosters(t, r, naive, d, more)
	}
}

func TestRosterLikeNaive(t *testing.T) {
	for seed := range uint64(6) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		play(t, rnd.IntN, 400, false)
	}
}

func FuzzRoster(f *testing.F) {
	f.Add([]byte("agents come and go"))
	f.Fuzz(func(t *testing.T, program []byte) {
		at := 0
		play(t, func(n int) int {
			if at == len(program) {
				return 0
			}
			at++
			return int(program[at-1]) % n
		}, min(len(program)/8, 60), false)
	})
}

// A skill with more levels than there are sets for finds too many agents, and
// none too few.
func TestAbilities_moreLevelsThanSets(t *testing.T) {
	r := newRoster()
	naive := naiveRoster{}
	rnd := rand.New(rand.NewPCG(3, 3))
	for i := range 300 {
		f := sighting{online: true, agent: Agent{
			ID: "a" + strconv.Itoa(i), Seats: 1, Queues: []string{"q0"}, Skills: map[string]int{"s1": rnd.IntN(1000)},
		}}
		r.put(&f, r.tick())
		naive.put(f)
	}
	for level := -1; level <= 1001; level++ {
		n := Need{Queue: "q0", Skills: []Skill{{Name: "s1", Level: level}}}
		r.mu.Lock()
		got := 0
		for _, c := range r.find("q0", &n) {
			if c.Agent.covers(&n) {
				got++
			}
		}
		r.mu.Unlock()
		if want := len(naive.find("q0", &n)); got != want {
			t.Fatalf("at level %d: %d, want %d", level, got, want)
		}
	}
}

// What is gone leaves nothing behind.
func TestRoster_forgets(t *testing.T) {
	r := newRoster()
	for i := range 1000 {
		f := sighting{online: true, agent: Agent{ID: "a" + strconv.Itoa(i), Seats: 1, Queues: []string{"q"}, Skills: map[string]int{"s": i % 3}}}
		r.putCrew("q", []sighting{f}, r.tick())
	}
	if len(r.ids) != 1 || len(r.seats) > 2 {
		t.Errorf("%d agents are remembered in %d places, and there is one", len(r.ids), len(r.seats))
	}
	for i := range 10_000 {
		r.covered("q", []string{(&Need{Queue: "q", Skills: []Skill{{Name: strconv.Itoa(i)}}}).line()})
	}
	if u := r.lines["q"]; len(u.lines) != 1 || len(u.bySkill) != 1 {
		t.Errorf("%d lines of %d skills are remembered, and there is one", len(u.lines), len(u.bySkill))
	}
}
