package estimate

import (
	"math/rand/v2"
	"testing"
	"time"
)

// busyTeam is a queue with n seats, all busy, and people who wait.
func busyTeam(n, people int) *Snapshot {
	p := learnedParams()
	s := &Snapshot{Lines: []Line{{Params: &p}}, Groups: []Group{{Lines: []int{0}}}}
	for i := range n {
		s.Seats = append(s.Seats, Seat{Busy: true, Elapsed: time.Duration(i%20) * 20 * time.Second})
	}
	for i := range people {
		s.Waiting = append(s.Waiting, Person{Waited: time.Duration(people-i) * 5 * time.Second})
	}
	return s
}

// learnedParams are those of a model that saw 5 000 handle times with mean 5
// minutes and patience with mean 15 minutes.
func learnedParams() Params {
	rng := rand.New(rand.NewPCG(1, 2))
	m := NewModel(Prior{})
	base := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 5000 {
		at := base.Add(time.Duration(i) * 15 * time.Second)
		m.Handled(at, at.Add(time.Duration(rng.ExpFloat64()*300e9)))
		wait, patience := 120*rng.Float64(), 900*rng.ExpFloat64()
		m.Waited(at, at.Add(time.Duration(min(wait, patience)*1e9)), patience < wait)
		m.Arrived(at, i%4/3)
	}
	return m.Params(base.Add(5000*15*time.Second), Live{})
}

func BenchmarkQueueLength(b *testing.B) {
	p := learnedParams()
	b.ReportAllocs()
	for b.Loop() {
		QueueLength(Place{Ahead: 1000, Seats: 20}, p)
	}
}

func BenchmarkSimulate20Seats(b *testing.B) {
	s := busyTeam(20, 30)
	b.ReportAllocs()
	for b.Loop() {
		s.Simulate(nil)
	}
}

func BenchmarkSimulate20SeatsOvertaken(b *testing.B) {
	s := busyTeam(20, 30)
	s.Flows = []Flow{{Level: 1, Rate: 1. / 60}}
	b.ReportAllocs()
	for b.Loop() {
		s.Simulate(nil)
	}
}

func BenchmarkParams(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	m := NewModel(Prior{})
	base := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 5000 {
		at := base.Add(time.Duration(i) * 15 * time.Second)
		m.Handled(at, at.Add(time.Duration(rng.ExpFloat64()*300e9)))
	}
	now := base.Add(5000 * 15 * time.Second)
	live := Live{Busy: make([]time.Duration, 20)}
	for i := range live.Busy {
		live.Busy[i] = time.Duration(i) * 20 * time.Second
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Params(now, live)
	}
}

func BenchmarkHandled(b *testing.B) {
	m := NewModel(Prior{})
	at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Second)
		m.Handled(at.Add(-5*time.Minute), at)
	}
}
