package main

import (
	"context"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff/internal/servertest"
)

// small is enough to see that everything is measured, and not to judge by.
var small = effort{rounds: 1, window: 5 * time.Millisecond, items: 200, calls: 3, short: 150, long: 1200, segments: 1}

// Every figure is measured and every goal is judged, on each server.
func TestSmall(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			s, err := server.open(t.Context(), small)
			if err != nil {
				servertest.Missing(t, server.name, err, "install it")
			}
			defer func() {
				if err := s.close(); err != nil {
					t.Error(err)
				}
			}()
			var out strings.Builder
			goals, err := s.play(t.Context(), &out, server.name, small.rounds)
			if err != nil {
				t.Fatal(err)
			}
			t.Log("\n" + out.String())
			if len(goals) == 0 {
				t.Error("there are no goals")
			}
			for i := range goals {
				if s.goals[i].why == nil {
					t.Errorf("nothing explains why %s is not met", goals[i].name)
				}
				if v := goals[i].ratio.mid; math.IsNaN(v) || math.IsInf(v, 0) || v <= 0 {
					t.Errorf("%s: %v", goals[i].name, v)
				}
				for n, v := range goals[i].floors {
					if !(v.mid > 0) || math.IsInf(v.mid, 0) {
						t.Errorf("%s: floor %q is %v", goals[i].name, s.goals[i].floors[n], v.mid)
					}
				}
			}
		})
	}
}

// A goal that is not met is explained, once with the others that it explains.
func TestExplain(t *testing.T) {
	t.Parallel()
	said := 0
	why := &explanation{"reasons", func(_ context.Context, w io.Writer) error {
		said++
		_, err := io.WriteString(w, "because\n")
		return err
	}}
	never := &explanation{"none", func(context.Context, io.Writer) error { return errors.New("explained what is met") }}
	s := &suite{goals: []goal{
		atLeast("met", "a", "b", 1).because(never), atLeast("missed", "a", "b", 3).because(why), atLeast("undecided", "a", "b", 2).because(why), atLeast("bare", "a", "b", 3),
	}}
	var results []result
	for _, g := range s.goals {
		results = append(results, result{name: g.name, ratio: spread{1.5, 2, 2.5}, bound: g.bound})
	}
	var out strings.Builder
	if err := s.explain(t.Context(), &out, "redis", results); err != nil {
		t.Fatal(err)
	}
	if want := "\nredis, since a goal is not met: reasons\nbecause\n"; out.String() != want || said != 1 {
		t.Errorf("%q, said %d times", out.String(), said)
	}
}

// A missed goal says how far its floors come, a line for each, and a met one does
// not; floors are measured for the goals that are asked for.
func TestFloors(t *testing.T) {
	t.Parallel()
	one := func(name string, v float64) measure {
		return rate(name, func(context.Context) (float64, error) { return v, nil })
	}
	s := &suite{
		measures: []measure{one("a", 2), one("b", 4), one("c", 1), one("least", 10), one("rather", 8)},
		goals:    []goal{atLeast("missed", "a", "b", 1).above("least", "rather"), atLeast("met", "a", "b", 0.1).above("least"), atLeast("other", "c", "b", 1)},
	}
	s.only("redis", regexp.MustCompile("m(issed|et)$"))
	var out strings.Builder
	results, err := s.play(t.Context(), io.Discard, "redis", 2)
	if err == nil {
		err = s.explain(t.Context(), &out, "redis", results)
	}
	want := "redis: missed: floor 2.50 (2.50..2.50): least\nredis: missed: floor 2.00 (2.00..2.00): rather\n"
	if err != nil || out.String() != want || len(s.measures) != 4 {
		t.Errorf("%q, %d measures, %v", out.String(), len(s.measures), err)
	}
}

// One goal alone measures what it needs, and nothing else.
func TestOnly(t *testing.T) {
	t.Parallel()
	one := func(name string) measure { return measure{figures: []string{name, name + ", p99"}} }
	s := &suite{
		measures: []measure{one("a"), one("b"), one("c"), one("d")},
		goals:    []goal{atLeast("first", "a", "b", 1), atMost("second", "d, p99", "b", 1)},
	}
	s.only("redis", regexp.MustCompile("redis: sec"))
	if len(s.goals) != 1 || s.goals[0].name != "second" {
		t.Errorf("%d goals are left", len(s.goals))
	}
	var left []string
	for _, m := range s.measures {
		left = append(left, m.figures[0])
	}
	if !slices.Equal(left, []string{"b", "d"}) {
		t.Errorf("measures %q are left", left)
	}
}

// The profile sees each operation, and the statements within it.
func TestProfile(t *testing.T) {
	t.Parallel()
	dsn, stop, err := profiledServer()
	if err != nil {
		servertest.Missing(t, "postgres", err, "install it")
	}
	defer stop()
	var out strings.Builder
	if err := profileOn(t.Context(), &out, dsn, 3); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"plain insert: ", "river.Insert: ", "request: ", "end: ", "offer, by the hundred: ", "INSERT INTO handoff_entry", "request, 8 callers: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
}

// A goal is met when the quartile on its worse side keeps the bound.
func TestVerdict(t *testing.T) {
	for _, test := range []struct {
		ratio  spread
		atMost bool
		want   string
	}{
		{spread{2, 3, 4}, false, "met"},
		{spread{1.9, 3, 4}, false, "undecided"},
		{spread{1, 1.5, 1.9}, false, "missed"},
		{spread{1, 1.5, 2}, true, "met"},
		{spread{1, 1.5, 2.1}, true, "undecided"},
		{spread{2.1, 3, 4}, true, "missed"},
	} {
		r := result{ratio: test.ratio, bound: 2, atMost: test.atMost}
		if got := r.verdict(); got != test.want {
			t.Errorf("%+v, at most %v: %s, want %s", test.ratio, test.atMost, got, test.want)
		}
	}
}
