package world

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// Drawn returns a scenario drawn by lot: team, load, handle times, patience,
// priorities, skills, shifts, seats and what moves with the time of day. The
// same number draws the same. No goal was tuned on any of them.
func Drawn(number uint64) Scenario {
	d := lot{rand.New(rand.NewPCG(number, 2))}
	n := int(math.Round(d.between(2, 60)))
	mean := d.between(1, 15)
	load := d.even(.75, 1.25)
	var words []string
	say := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	say("%d agents", n)

	s := Scenario{ID: fmt.Sprintf("#%d", number), Agents: Team(n), Shares: []float64{1}, Mean: Steady(mean)}
	seats := 1
	if d.chance(.25) {
		seats = 2 + d.IntN(3)
		s.Slow = d.even(0, .3)
		for i := range s.Agents {
			s.Agents[i].Seats = seats
		}
		mean *= 1 + s.Slow*float64(seats-1)
		s.Mean = Steady(mean)
		say("%d seats", seats)
	}
	d.handle(&s, mean/(1+s.Slow*float64(seats-1)), say)
	if d.chance(.25) {
		load = min(load, .95)
	} else {
		d.patience(&s, mean, say)
	}
	if d.chance(.35) {
		s.High = d.even(.05, .5)
		say("%.0f %% high", 100*s.High)
	}
	if n >= 4 && d.chance(.35) {
		d.skills(&s, say)
	}
	there := 1.0
	if n >= 4 && d.chance(.25) {
		there = d.shifts(&s, say)
	}
	s.steady(load * there * float64(n*seats) / mean)
	if d.chance(.3) {
		depth, period := d.even(.2, .6), d.between(3, 24)*hour
		s.waves(depth, period)
		say("waves of %.0f %%", 100*depth)
	}
	if d.chance(.2) {
		by := d.even(1.2, 1.8)
		s.stretch(by, d.between(4, 16)*hour)
		say("handle time up to %.1f times and back", by)
	}
	say("load %.2f", load)
	s.Name = strings.Join(words, ", ")
	return s
}

// A lot draws.
type lot struct{ *rand.Rand }

func (d lot) chance(p float64) bool          { return d.Float64() < p }
func (d lot) even(lo, hi float64) float64    { return lo + (hi-lo)*d.Float64() }
func (d lot) between(lo, hi float64) float64 { return lo * math.Pow(hi/lo, d.Float64()) }

func (d lot) handle(s *Scenario, mean float64, say func(string, ...any)) {
	switch d.IntN(3) {
	case 0:
		s.Handle = Exponential(mean)
		say("M %.1f min", mean)
	case 1:
		cv := d.even(.4, 1.8)
		s.Handle = Lognormal(mean, cv)
		say("LN %.1f min cv %.1f", mean, cv)
	default:
		s.Handle = func(r *rand.Rand, _ float64) float64 {
			return mean / 3 * (r.ExpFloat64() + r.ExpFloat64() + r.ExpFloat64())
		}
		say("Erlang-3 %.1f min", mean)
	}
}

func (d lot) patience(s *Scenario, mean float64, say func(string, ...any)) {
	mean *= d.between(.7, 5)
	if d.chance(.5) {
		s.Patience = Impatient(mean)
		say("patience M %.1f", mean)
		return
	}
	cv := d.even(.5, 1.5)
	draw := Lognormal(mean, cv)
	s.Patience = func(r *rand.Rand) float64 { return draw(r, 0) }
	say("patience LN %.1f cv %.1f", mean, cv)
}

// skills gives each agent some of two to four, and each skill its agents.
func (d lot) skills(s *Scenario, say func(string, ...any)) {
	n := 2 + d.IntN(3)
	s.Shares = make([]float64, n)
	weight := 0.0
	for i := range s.Agents {
		first := i % n
		lines := []int{first}
		for other := range n {
			if other != first && d.chance(.3) {
				lines = append(lines, other)
			}
		}
		s.Agents[i].Lines = lines
		for _, l := range lines {
			s.Shares[l] += 1 / float64(len(lines))
		}
	}
	// What comes is not quite what the team was made for.
	for l := range s.Shares {
		s.Shares[l] *= d.even(.8, 1.2)
		weight += s.Shares[l]
	}
	for l := range s.Shares {
		s.Shares[l] /= weight
	}
	say("%d skills", n)
}

// shifts sends some of the team home, and returns the share that is there on
// average.
func (d lot) shifts(s *Scenario, say func(string, ...any)) float64 {
	some := d.even(.2, .6)
	period, on := d.between(2, 8)*hour, d.even(.4, .7)
	k := 0
	for i := range s.Agents {
		if float64(i%10)/10 < some {
			s.Agents[i].Shift = Every(period, on*period, 0)
			k++
		}
	}
	share := float64(k) / float64(len(s.Agents))
	say("%.0f %% in shifts", 100*share)
	return 1 - share*(1-on)
}

// stretch makes handle times longer and short again.
func (s *Scenario) stretch(by, half float64) {
	draw, usual := s.Handle, s.Mean(0)
	factor := func(t float64) float64 {
		x := math.Mod(t, 2*half) / half
		return 1 + (by-1)*min(x, 2-x)
	}
	s.Mean = func(t float64) float64 { return usual * factor(t) }
	s.Handle = func(r *rand.Rand, t float64) float64 { return factor(t) * draw(r, t) }
}
