package main

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff/internal/servertest"
)

// small is enough to see that everything is measured, and not to judge by.
var small = effort{rounds: 1, window: 5 * time.Millisecond, items: 200, calls: 3, short: 150, long: 1200}

// Every figure is measured and every goal is judged, on each server.
func TestSmall(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		dsn, own := servertest.Postgres(t)
		if !own {
			t.Skip("it would leave its tables in a server that is not its own")
		}
		try(t, dsn, openPostgres)
	})
	t.Run("redis", func(t *testing.T) {
		url, own := servertest.Redis(t)
		if !own {
			t.Skip("it would leave its data in a server that is not its own")
		}
		try(t, url, openRedis)
	})
	t.Run("sqlite", func(t *testing.T) { try(t, t.TempDir(), openSQLite) })
}

func try(t *testing.T, address string, open func(context.Context, string, effort) (*suite, error)) {
	t.Helper()
	s, err := open(t.Context(), address, small)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	var out strings.Builder
	goals, err := s.play(t.Context(), &out, t.Name(), small.rounds)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	if len(goals) == 0 {
		t.Error("there are no goals")
	}
	for i := range goals {
		if v := goals[i].ratio.mid; math.IsNaN(v) || math.IsInf(v, 0) || v <= 0 {
			t.Errorf("%s: %v", goals[i].name, v)
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
