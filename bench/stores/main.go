// Stores measures the durable stores beside their peers, on the same server in
// the same run, and ends with one line for each goal: its name, the ratio that
// was measured (the median over the rounds, and the quartiles), the bound, and
// whether it is met. For a goal that is not met, a profile of what it is about
// comes before.
//
//	go run . -rounds 9
//	go run . -only redis
//	go run . -only postgres -goal 'edge to offer'
//	go run . -profile 1000
//
// Rounds are interleaved: each has every measurement once, so that a slow
// minute of the machine slows all of them. It exits with 0 whether goals are
// met or not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff/internal/throwaway"
)

// An effort says how much is measured in each round.
type effort struct {
	rounds      int
	goal        *regexp.Regexp // only goals that match, and what they need; nil: all
	window      time.Duration  // of what goes on for a time
	items       int            // of what is counted
	calls       int            // whose time is taken one by one
	short, long int            // how many wait in a short and in a long queue
	segments    int            // of PostgreSQL's log that are there to be written over
}

var full = effort{rounds: 9, window: 400 * time.Millisecond, items: 6000, calls: 200, short: 1000, long: 100_000, segments: 200}

func main() {
	size := full
	flag.IntVar(&size.rounds, "rounds", size.rounds, "interleaved rounds")
	flag.IntVar(&size.long, "long", size.long, "how many wait in a long queue")
	only := flag.String("only", "", "postgres, redis or sqlite; all when empty")
	flag.Func("goal", "only goals whose line matches this regular expression", func(text string) (err error) {
		size.goal, err = regexp.Compile(text)
		return err
	})
	profiled := flag.Int("profile", 0, "instead: what so many operations of each kind make PostgreSQL do")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	do := func() error { return run(ctx, os.Stdout, size, *only) }
	if *profiled > 0 {
		do = func() error { return profile(ctx, os.Stdout, *profiled) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		cancel()
		os.Exit(1)
	}
}

// servers start what is measured, and say with what settings.
var servers = []struct {
	name string
	open func(ctx context.Context, size effort) (*suite, error)
}{
	{"postgres", func(ctx context.Context, size effort) (*suite, error) {
		dsn, stop, err := throwaway.Postgres("shared_buffers=512MB", "max_wal_size=8GB", "min_wal_size=4GB", "checkpoint_timeout=1h")
		return opened(ctx, dsn, stop, err, size, openPostgres)
	}},
	{"redis", func(ctx context.Context, size effort) (*suite, error) {
		// A rewriting of the log would slow whoever is measured just then.
		url, stop, err := throwaway.Redis("--auto-aof-rewrite-percentage", "0")
		return opened(ctx, url, stop, err, size, openRedis)
	}},
	{"sqlite", func(ctx context.Context, size effort) (*suite, error) {
		dir, err := os.MkdirTemp("", "sqlite")
		return opened(ctx, dir, func() { _ = os.RemoveAll(dir) }, err, size, openSQLite)
	}},
}

// opened opens a suite on a server, which is stopped when the suite is closed.
func opened(ctx context.Context, address string, stop func(), err error, size effort, open func(context.Context, string, effort) (*suite, error)) (*suite, error) {
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, address, size)
	if err != nil {
		stop()
		return nil, err
	}
	closes := s.close
	s.close = func() error { defer stop(); return closes() }
	return s, nil
}

// run measures and prints.
func run(ctx context.Context, w io.Writer, size effort, only string) error {
	var lines []string
	for _, server := range servers {
		if only != "" && only != server.name {
			continue
		}
		s, err := server.open(ctx, size)
		if err != nil {
			return fmt.Errorf("%s: %w", server.name, err)
		}
		if size.goal != nil {
			s.only(server.name, size.goal)
		}
		results, err := s.play(ctx, w, server.name, size.rounds)
		if err == nil {
			err = s.explain(ctx, w, server.name, results)
		}
		if err = errors.Join(err, s.close()); err != nil {
			return fmt.Errorf("%s: %w", server.name, err)
		}
		for i := range results {
			lines = append(lines, results[i].String())
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(lines, "\n"))
	return err
}
