package world

import (
	"math"
	"math/rand/v2"
)

// Minutes that several scenarios share.
const (
	handle   = 5.0
	patience = 10.0
	cv       = 1.2
	hour     = 60.0
)

// base is a single line of n agents at a load, exponential and patient.
func base(id, name string, n int, load float64) Scenario {
	rate := load * float64(n) / handle
	return Scenario{
		ID: id, Name: name, Agents: Team(n), Shares: []float64{1},
		Rate: Steady(rate), Peak: rate,
		Handle: Exponential(handle), Mean: Steady(handle),
	}
}

// impatient is base with lognormal handle times and people who give up.
func impatient(id, name string, n int, load float64) Scenario {
	s := base(id, name, n, load)
	s.Handle, s.Patience = Lognormal(handle, cv), Impatient(patience)
	return s
}

// Standard returns the scenarios the goals name.
func Standard() []Scenario {
	c := base("C", "M/M/20+M load 1.2", 20, 1.2)
	c.Patience = Impatient(patience)

	e := base("E", "M/LN/3 load .85", 3, .85)
	e.Handle = Lognormal(handle, cv)

	f := impatient("F", "arrivals +-50 %, LN+M, 20", 20, 1)
	f.waves(.5, 6*hour)

	g := impatient("G", "25 % high priority, LN+M, 20", 20, 1.05)
	g.High = .25

	h := impatient("H", "shifts 20 and 12 every 2 h, LN+M", 20, .85)
	for i := 12; i < 20; i++ {
		h.Agents[i].Shift = Every(4*hour, 2*hour, 0)
	}

	i := impatient("I", "3 skills, agents with 1 or 2, LN+M", 20, 1.05)
	i.skills([][]int{{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 2}}, .4, .35, .25)

	j := impatient("J", "7 agents with 3 seats, LN+M", 7, 1)
	for k := range j.Agents {
		j.Agents[k].Seats = 3
	}
	j.Slow = .25
	full := handle * (1 + 2*j.Slow)
	j.Mean = Steady(full)
	j.steady(1.1 * 21 / full)

	k := impatient("K", "handle time 5 to 8 min in 8 h and back, LN+M", 20, .9)
	k.drift(5, 8, 8*hour)

	return []Scenario{
		base("A", "M/M/10 load .95", 10, .95),
		base("B", "M/M/100 load .98", 100, .98),
		c,
		impatient("D", "M/LN/20+M load 1.1", 20, 1.1),
		e, f, g, h, i, j, k,
	}
}

// Further returns scenarios nothing was tuned on: no goal names them, so they
// show whether the method or the scenarios were tuned.
func Further() []Scenario {
	l := base("L", "one agent, load .8", 1, .8)
	l.Handle = Lognormal(handle, cv)

	m := impatient("M", "fixed handle time, 10, load 1.1", 10, 1.1)
	m.Handle = func(*rand.Rand, float64) float64 { return handle }

	n := impatient("N", "lognormal patience, 20, load 1.2", 20, 1.2)
	p := Lognormal(patience, 1)
	n.Patience = func(r *rand.Rand) float64 { return p(r, 0) }

	o := impatient("O", "handle time jumps 5 to 10 every 6 h, 20", 20, .8)
	mean := func(t float64) float64 {
		if math.Mod(t, 12*hour) < 6*hour {
			return 5
		}
		return 10
	}
	unit := Lognormal(1, cv)
	o.Handle, o.Mean = func(r *rand.Rand, t float64) float64 { return mean(t) * unit(r, t) }, mean

	q := impatient("P", "priority, shifts and skills together", 20, 1)
	q.skills([][]int{{0}, {1}, {0, 1}}, .5, .5)
	q.High = .2
	for i := 14; i < 20; i++ {
		q.Agents[i].Shift = Every(4*hour, 3*hour, 0)
	}

	r := base("Q", "handle time 5 to 8 min in 8 h and back, patient, 20", 20, .62)
	r.drift(5, 8, 8*hour)

	s := impatient("R", "two kinds of conversation, 1 and 15 min, 8", 8, 1.1)
	s.Handle = func(r *rand.Rand, _ float64) float64 {
		if r.Float64() < 10.0/14 {
			return r.ExpFloat64()
		}
		return 15 * r.ExpFloat64()
	}

	t := impatient("S", "Erlang-3 handle time, 15, load 1.1", 15, 1.1)
	t.Handle = func(r *rand.Rand, _ float64) float64 {
		return handle / 3 * (r.ExpFloat64() + r.ExpFloat64() + r.ExpFloat64())
	}

	u := impatient("T", "lognormal cv 2 handle time, 50, load 1.1", 50, 1.1)
	u.Handle = Lognormal(handle, 2)
	return []Scenario{l, m, n, o, q, r, s, t, u}
}

func (s *Scenario) steady(rate float64) { s.Rate, s.Peak = Steady(rate), rate }

func (s *Scenario) waves(depth, period float64) {
	mid := s.Peak
	s.Peak = mid * (1 + depth)
	s.Rate = func(t float64) float64 { return mid * (1 + depth*math.Sin(2*math.Pi*t/period)) }
}

func (s *Scenario) skills(kinds [][]int, shares ...float64) {
	s.Shares = shares
	for i := range s.Agents {
		s.Agents[i].Lines = kinds[i%len(kinds)]
	}
}

// drift moves the mean handle time from lo to hi and back, each in half.
func (s *Scenario) drift(lo, hi, half float64) {
	draw := s.Handle
	s.Mean = func(t float64) float64 {
		x := math.Mod(t, 2*half) / half
		if x > 1 {
			x = 2 - x
		}
		return lo + (hi-lo)*x
	}
	mean := s.Mean
	s.Handle = func(r *rand.Rand, t float64) float64 { return mean(t) / handle * draw(r, t) }
}

// Skilled is what strategies are measured in: 24 agents with one to three of
// three skills.
func Skilled(load float64) Scenario {
	s := impatient("", "24 agents with 1 to 3 of 3 skills", 24, load)
	s.Patience = Impatient(15)
	s.skills([][]int{
		{0},
		{1},
		{2},
		{0},
		{1},
		{2},
		{0},
		{0, 1},
		{1, 2},
		{0, 2},
		{0, 1},
		{0, 1, 2},
	}, .4, .35, .25)
	return s
}
