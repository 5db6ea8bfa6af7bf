package storetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/seed-2a427302/handoff"
)

// A recorder is a tb that remembers.
type recorder struct {
	ctx context.Context

	mu       sync.Mutex
	failures []string
	skipped  bool
}

func (*recorder) Helper()                    {}
func (r *recorder) Context() context.Context { return r.ctx }
func (*recorder) FailNow()                   { runtime.Goexit() }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Skipf(string, ...any) {
	r.skipped = true
	runtime.Goexit()
}

// play runs one check on a store and returns what it reported.
func play(c check, s handoff.Store) (failures []string, skipped bool) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	rec := &recorder{ctx: ctx}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				rec.Errorf("panic: %v", p)
			}
		}()
		c.run(newKit(rec, s, c.rule))
	}()
	<-done
	return rec.failures, rec.skipped
}

// TestNaive holds the suite against a second implementation: what it demands
// must not be memstore's habits.
func TestNaive(t *testing.T) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failures, _ := play(c, newNaive(""))
				for _, f := range failures {
					t.Error(f)
				}
			})
		})
	}
}

// TestPlanted holds the suite against stores that each break one sentence. At
// least one check must fail and quote that sentence.
func TestPlanted(t *testing.T) {
	t.Parallel()
	for i, p := range planted {
		if (testing.Short() || underRace) && i%10 != 0 {
			continue // a sample
		}
		t.Run(p.bug, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				// The checks of that rule first: most bugs end there.
				all := checks()
				slices.SortStableFunc(all, func(a, b check) int {
					switch {
					case a.rule == p.rule && b.rule != p.rule:
						return -1
					case b.rule == p.rule && a.rule != p.rule:
						return 1
					}
					return 0
				})
				var others []string
				// A race may be missed by luck, but not always.
				for _, c := range slices.Repeat(all, 5) {
					s := newNaive(p.bug)
					failures, _ := play(c, s)
					close(s.closed)
					for _, f := range failures {
						if strings.HasPrefix(f, "panic") {
							t.Errorf("check %s: %s", c.name, f)
						}
						if strings.HasSuffix(f, "broken rule: "+p.rule) {
							t.Logf("%s: %s", c.name, f)
							return
						}
						others = append(others, c.name+": "+f)
					}
				}
				t.Errorf("no check quotes %q; failures that quote other rules: %d\n%s", p.rule, len(others), strings.Join(others, "\n"))
			})
		})
	}
}

// TestPlantedComplete finds the bugs that the naive store has and the table
// lacks, and the other way round.
func TestPlantedComplete(t *testing.T) {
	var known []string
	for _, p := range planted {
		if slices.Contains(known, p.bug) {
			t.Errorf("bug %q is planted twice", p.bug)
		}
		known = append(known, p.bug)
	}
	found := bugs(t)
	for _, bug := range found {
		if !slices.Contains(known, bug) {
			t.Errorf("bug %q is not planted", bug)
		}
	}
	for _, bug := range known {
		if !slices.Contains(found, bug) {
			t.Errorf("bug %q is planted, but no store has it", bug)
		}
	}
}

// bugs returns the names of the bugs in the source of the naive store.
func bugs(t *testing.T) []string {
	t.Helper()
	direct := regexp.MustCompile(`(?:s\.is|s\.yield|s\.ended)\((?:ctx, )?"([^"]+)"\)|s\.bug == "([^"]+)"`)
	cases := regexp.MustCompile(`(?m)^\s*case "([^"]+)":`)
	verbs := regexp.MustCompile(`(?m)^\s*case verb \+ "([^"]+)":`)
	var out []string
	add := func(bug string) {
		if bug != "" && !slices.Contains(out, bug) {
			out = append(out, bug)
		}
	}
	files, err := filepath.Glob("naive*_test.go")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range direct.FindAllSubmatch(raw, -1) {
			add(string(m[1]))
			add(string(m[2]))
		}
		for _, m := range cases.FindAllSubmatch(raw, -1) {
			bug := string(m[1])
			if len(bug) > 1 && bug[0] >= 'A' && bug[0] <= 'Z' && !strings.Contains(bug, " ") {
				bug = "an update forgets " + bug
			}
			add(bug)
		}
		for _, m := range verbs.FindAllSubmatch(raw, -1) {
			add("Erase" + string(m[1]))
			add("Delete" + string(m[1]))
		}
	}
	return out
}
