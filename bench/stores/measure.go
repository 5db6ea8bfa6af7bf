package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A measure yields figures, once in each round.
type measure struct {
	figures []string
	unit    string // "/s" or "us"
	run     func(ctx context.Context) ([]float64, error)
}

// rate is a measure of one figure: so many a second.
func rate(name string, run func(ctx context.Context) (float64, error)) measure {
	return measure{[]string{name}, "/s", func(ctx context.Context) ([]float64, error) {
		v, err := run(ctx)
		return []float64{v}, err
	}}
}

// A goal is a bound on a ratio of figures of one round.
type goal struct {
	name   string
	ratio  func(figure func(name string) float64) float64
	bound  float64
	atMost bool // the bound is an upper one
	why    *explanation
	floors []string // figures of what has to be written in any case
	over   string   // what they are compared with, as the goal's own figure is
}

// because is a goal with what is printed when it is not met.
func (g goal) because(why *explanation) goal {
	g.why = why
	return g
}

// above is a goal with figures that nothing which writes the same can pass; how
// far they come is printed when the goal is not met.
func (g goal) above(floors ...string) goal {
	g.floors = floors
	return g
}

// An explanation shows where the time goes that goals are about.
type explanation struct {
	title string
	print func(ctx context.Context, w io.Writer) error
}

// atLeast is the goal that one figure is at least bound times another.
func atLeast(name, of, over string, bound float64) goal {
	return goal{name: name, bound: bound, over: over, ratio: func(f func(string) float64) float64 { return f(of) / f(over) }}
}

// atMost is the goal that one figure is at most bound times another.
func atMost(name, of, over string, bound float64) goal {
	g := atLeast(name, of, over, bound)
	g.atMost = true
	return g
}

// A suite is what is measured on one server.
type suite struct {
	measures []measure
	goals    []goal
	close    func() error
}

// only leaves out goals that do not match, and what is measured for no other.
func (s *suite) only(server string, match *regexp.Regexp) {
	s.goals = slices.DeleteFunc(s.goals, func(g goal) bool { return !match.MatchString(server + ": " + g.name) })
	used := map[string]bool{}
	for _, g := range s.goals {
		g.ratio(func(name string) float64 { used[name] = true; return 1 })
		for _, name := range g.floors {
			used[name] = true
		}
	}
	s.measures = slices.DeleteFunc(s.measures, func(m measure) bool {
		return !slices.ContainsFunc(m.figures, func(name string) bool { return used[name] })
	})
}

// explain prints what explains the goals that are not met: how far each could
// come, and each explanation once.
func (s *suite) explain(ctx context.Context, w io.Writer, name string, results []result) error {
	var said []*explanation
	for i := range results {
		if results[i].verdict() != "met" {
			for n, v := range results[i].floors {
				if _, err := fmt.Fprintf(w, "%s: floor %.2f (%.2f..%.2f): %s\n", results[i].name, v.mid, v.low, v.high, s.goals[i].floors[n]); err != nil {
					return err
				}
			}
		}
		why := s.goals[i].why
		if why == nil || slices.Contains(said, why) || results[i].verdict() == "met" {
			continue
		}
		said = append(said, why)
		if _, err := fmt.Fprintf(w, "\n%s, since a goal is not met: %s\n", name, why.title); err != nil {
			return err
		}
		if err := why.print(ctx, w); err != nil {
			return fmt.Errorf("%s: %w", why.title, err)
		}
	}
	return nil
}

// play runs a suite in interleaved rounds and prints it.
func (s *suite) play(ctx context.Context, w io.Writer, name string, rounds int) (goals []result, err error) {
	got := make([]map[string]float64, rounds)
	for round := range rounds {
		got[round] = map[string]float64{}
		for _, m := range s.measures {
			values, err := m.run(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.figures[0], err)
			}
			for i, figure := range m.figures {
				got[round][figure] = values[i]
			}
		}
	}
	of := func(f func(figure func(string) float64) float64) spread {
		list := make([]float64, rounds)
		for i := range list {
			list[i] = f(func(name string) float64 { return got[i][name] })
		}
		return spreadOf(list)
	}
	for _, m := range s.measures {
		for _, figure := range m.figures {
			v := of(func(f func(string) float64) float64 { return f(figure) })
			if _, err := fmt.Fprintf(w, "%-8s  %-46s %9.0f%-2s (%.0f..%.0f)\n", name, figure, v.mid, m.unit, v.low, v.high); err != nil {
				return nil, err
			}
		}
	}
	for _, g := range s.goals {
		r := result{name: name + ": " + g.name, ratio: of(g.ratio), bound: g.bound, atMost: g.atMost}
		for _, floor := range g.floors {
			r.floors = append(r.floors, of(func(f func(string) float64) float64 { return f(floor) / f(g.over) }))
		}
		goals = append(goals, r)
	}
	return goals, nil
}

// A result is a goal and what was measured.
type result struct {
	name   string
	ratio  spread
	bound  float64
	atMost bool
	floors []spread
}

// verdict is "met" when three quarters of the rounds keep the bound, "missed"
// when three quarters do not, and else "undecided".
func (r *result) verdict() string {
	low, high, bound := r.ratio.low, r.ratio.high, r.bound
	if r.atMost {
		low, high, bound = -high, -low, -bound
	}
	switch {
	case low >= bound:
		return "met"
	case high < bound:
		return "missed"
	}
	return "undecided"
}

func (r *result) String() string {
	sign := ">="
	if r.atMost {
		sign = "<="
	}
	return fmt.Sprintf("goal  %-72s %7.2f (%.2f..%.2f)  %s %.2f  %s", r.name, r.ratio.mid, r.ratio.low, r.ratio.high, sign, r.bound, r.verdict())
}

// A spread is the median and the quartiles.
type spread struct{ low, mid, high float64 }

func spreadOf(list []float64) spread {
	s := slices.Sorted(slices.Values(list))
	return spread{quantile(s, 0.25), quantile(s, 0.5), quantile(s, 0.75)}
}

// quantile is that of a sorted list.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// during returns how often callers at once did f in a second.
func during(ctx context.Context, window time.Duration, callers int, f func(ctx context.Context, caller int) error) (float64, error) {
	var n atomic.Int64
	errs := make([]error, callers)
	begun := time.Now()
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for {
				if errs[i] = f(ctx, i); errs[i] != nil {
					return
				}
				n.Add(1)
				if time.Since(begun) >= window {
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / time.Since(begun).Seconds(), errors.Join(errs...)
}

// over returns how many of a list callers at once did in a second.
func over[T any](ctx context.Context, callers int, list []T, f func(ctx context.Context, item T) error) (float64, error) {
	var next atomic.Int64
	errs := make([]error, callers)
	begun := time.Now()
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for errs[i] == nil {
				n := int(next.Add(1)) - 1
				if n >= len(list) {
					return
				}
				errs[i] = f(ctx, list[n])
			}
		})
	}
	wg.Wait()
	return float64(len(list)) / time.Since(begun).Seconds(), errors.Join(errs...)
}

// latencies returns how many microseconds each of n calls took, sorted.
func latencies(ctx context.Context, n int, f func(ctx context.Context) error) ([]float64, error) {
	return spaced(ctx, n, 0, f)
}

// spaced is latencies with a pause before each call.
func spaced(ctx context.Context, n int, pause time.Duration, f func(ctx context.Context) error) ([]float64, error) {
	list := make([]float64, n)
	for i := range list {
		time.Sleep(pause)
		begun := time.Now()
		if err := f(ctx); err != nil {
			return nil, err
		}
		list[i] = micros(time.Since(begun))
	}
	slices.Sort(list)
	return list, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// A countdown notes when the first and the last of n things were done.
type countdown struct {
	n           int64
	done        atomic.Int64
	first, last time.Time
	all         chan struct{}
}

func newCountdown(n int) *countdown { return &countdown{n: int64(n), all: make(chan struct{})} }

// one more is done. It reports whether it was one of the n.
func (c *countdown) one() bool {
	i := c.done.Add(1)
	if i == 1 {
		c.first = time.Now()
	}
	if i == c.n {
		c.last = time.Now()
		close(c.all)
	}
	return i <= c.n
}

// wait waits for the last.
func (c *countdown) wait(ctx context.Context) error {
	select {
	case <-c.all:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
