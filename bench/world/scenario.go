// Package world plays a contact centre event by event. Times are minutes from
// the start of a run.
package world

import (
	"math"
	"math/rand/v2"
)

// A Scenario is a contact centre. Functions of time get minutes.
type Scenario struct {
	// ID is a short name, Name what it is.
	ID, Name string
	// Agents are the people who serve.
	Agents []Agent
	// Shares is how arrivals divide over lines. It sums to 1.
	Shares []float64
	// Rate is arrivals per minute at a time, never above Peak.
	Rate func(t float64) float64
	Peak float64
	// High is the share of arrivals with priority 1 instead of 0.
	High float64
	// Handle draws a handle time for one who starts at t; Mean is its mean
	// when seats are full.
	Handle func(r *rand.Rand, t float64) float64
	Mean   func(t float64) float64
	// Patience draws how long somebody waits; nil means for ever.
	Patience func(r *rand.Rand) float64
	// Ageing is how many minutes of waiting a priority is worth; 0 means that
	// a higher one always goes first.
	Ageing float64
	// Pick chooses among desks that are free for p, of which there is at least
	// one; nil means the one with fewest people, then the most specialised,
	// then the longest idle.
	Pick func(w *World, p *Person, free []*Desk) *Desk
	// Poll, if positive, looks every so many minutes whether the head of the
	// line can be served, instead of when something happens.
	Poll float64
	// Slow is how much longer each further conversation of one agent makes
	// all of his.
	Slow float64
}

// An Agent serves people of some lines.
type Agent struct {
	Lines []int
	Seats int
	// Shift tells whether he is there at t and until when that holds; nil
	// means always there.
	Shift func(t float64) (there bool, until float64)
}

// Team returns n equal agents with one seat each for line 0.
func Team(n int) []Agent {
	team := make([]Agent, n)
	for i := range team {
		team[i] = Agent{Lines: []int{0}, Seats: 1}
	}
	return team
}

// Steady is a constant rate.
func Steady(rate float64) func(float64) float64 { return func(float64) float64 { return rate } }

// Exponential draws exponential times.
func Exponential(mean float64) func(*rand.Rand, float64) float64 {
	return func(r *rand.Rand, _ float64) float64 { return mean * r.ExpFloat64() }
}

// Lognormal draws lognormal times with the given mean and coefficient of
// variation.
func Lognormal(mean, cv float64) func(*rand.Rand, float64) float64 {
	s2 := math.Log1p(cv * cv)
	mu, s := math.Log(mean)-s2/2, math.Sqrt(s2)
	return func(r *rand.Rand, _ float64) float64 { return math.Exp(mu + s*r.NormFloat64()) }
}

// Impatient draws exponential patience.
func Impatient(mean float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return mean * r.ExpFloat64() }
}

// Every returns a shift of on minutes in each period, starting at phase.
func Every(period, on, phase float64) func(float64) (bool, float64) {
	return func(t float64) (bool, float64) {
		x := math.Mod(t-phase, period)
		if x < 0 {
			x += period
		}
		base := t - x
		if x < on {
			return true, base + on
		}
		return false, base + period
	}
}
