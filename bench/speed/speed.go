// Package speed runs the library's own benchmarks of matching and holds what
// they say against the bounds.
package speed

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-2a427302/handoff/bench/goal"
)

const module = "github.com/seed-2a427302/handoff"

// Results are the figures of benchmarks: by name, then by unit, one for each
// run.
type Results map[string]map[string][]float64

// Median returns the figure in the middle, or false if there is none.
func (r Results) Median(name, unit string) (float64, bool) {
	all := slices.Sorted(slices.Values(r[name][unit]))
	if len(all) == 0 {
		return 0, false
	}
	return all[len(all)/2], true
}

// Parse reads what go test -bench prints.
func Parse(out io.Reader) (Results, error) {
	r := Results{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		name := f[0]
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i] // the number of processors
		}
		if r[name] == nil {
			r[name] = map[string][]float64{}
		}
		for i := 2; i+1 < len(f); i += 2 {
			v, err := strconv.ParseFloat(f[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			r[name][f[i+1]] = append(r[name][f[i+1]], v)
		}
	}
	return r, lines.Err()
}

// run runs benchmarks of a package and copies what they print to w.
func run(ctx context.Context, w io.Writer, pkg string, args ...string) (Results, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-run", "^$", "-benchmem"}, append(args, pkg)...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, w), &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go test %s: %w\n%s%s", pkg, err, out.Bytes(), errs.Bytes())
	}
	return Parse(&out)
}

// Report prints the benchmarks and returns their goals.
func Report(ctx context.Context, w io.Writer) ([]goal.Goal, error) {
	fmt.Fprintln(w, "\nSpeed, in memory:")
	var goals []goal.Goal
	var missing error
	add := func(r Results, name, bench, unit string, scale float64, bound func(string, float64) goal.Goal) {
		v, ok := r.Median(bench, unit)
		if !ok {
			missing = fmt.Errorf("%s printed no %s", bench, unit)
		}
		goals = append(goals, bound(name, v*scale))
	}
	most := func(bound float64) func(string, float64) goal.Goal {
		return func(name string, v float64) goal.Goal { return goal.AtMost(name, v, bound) }
	}
	least := func(bound float64) func(string, float64) goal.Goal {
		return func(name string, v float64) goal.Goal { return goal.AtLeast(name, v, bound) }
	}

	r, err := run(ctx, w, module, "-bench", "^BenchmarkGoal(Match|Next)$", "-benchtime", "0.5s", "-count", "5")
	if err != nil {
		return nil, err
	}
	add(r, "match, 10 k agents, 256 skills with levels: µs", "BenchmarkGoalMatch", "ns/op", 1e-3, most(2))
	add(r, "match: times as fast as a scan of bitsets", "BenchmarkGoalMatch", "×scan", 1, least(20))
	add(r, "match: allocations", "BenchmarkGoalMatch", "allocs/op", 1, most(0))
	add(r, "next for a freed agent, 100 k waiting, 1 % suitable: µs", "BenchmarkGoalNext", "ns/op", 1e-3, most(5))

	if r, err = run(ctx, w, module, "-bench", "^BenchmarkGoalFreed$", "-benchtime", "1x", "-count", "3"); err != nil {
		return nil, err
	}
	add(r, "freed seat to offer, 10 k agents, 1 k events/s: p99 ms", "BenchmarkGoalFreed", "p99-ms", 1, most(5))

	const small, large = "BenchmarkAhead/waiting=1000", "BenchmarkAhead/waiting=1000000"
	if r, err = run(ctx, w, module+"/memstore", "-bench", "^BenchmarkAhead$/^waiting=1000(000)?$", "-benchtime", "300000x", "-count", "3"); err != nil {
		return nil, err
	}
	add(r, "position, 1 M waiting: µs", large, "ns/op", 1e-3, most(1))
	add(r, "position: allocations", large, "allocs/op", 1, most(0))
	if one, ok := r.Median(small, "ns/op"); ok && one > 0 {
		add(r, "position, 1 M waiting: times as long as with 1 k", large, "ns/op", 1/one, most(10))
	}
	return goals, missing
}
