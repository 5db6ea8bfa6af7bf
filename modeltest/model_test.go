package modeltest_test

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// steps is how many operations a world goes through on average.
const steps = 600

// TestModel runs random operations. HANDOFF_MODEL_OPS says how many; from
// 100,000 on, every transition and every error has to be reached 100 times.
func TestModel(t *testing.T) {
	ops := 5000
	if s := os.Getenv("HANDOFF_MODEL_OPS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("HANDOFF_MODEL_OPS is %q", s)
		}
		ops = n
	}
	set(t, "rapid.checks", strconv.Itoa((ops+steps-1)/steps))
	set(t, "rapid.steps", strconv.Itoa(steps))
	set(t, "rapid.nofailfile", "true")
	sum := newTally()
	start := time.Now()
	rapid.Check(t, func(rt *rapid.T) {
		v := variant{
			Seed:      rapid.Uint64().Draw(rt, "seed"),
			Unwatched: rapid.IntRange(0, 9).Draw(rt, "unwatched") == 9,
			History:   rapid.Bool().Draw(rt, "history"),
			NoBot:     rapid.IntRange(0, 9).Draw(rt, "no bot") == 9,
			BotQueue:  rapid.Bool().Draw(rt, "bot queue"),
			StoreDown: rapid.Bool().Draw(rt, "store down"),
		}
		list := draw(rt)
		if problems := play(t, v, list, sum); len(problems) > 0 {
			rt.Fatalf("%+v\n%s\noperations:\n%s", v, strings.Join(problems, "\n"), trace(list))
		}
	})
	t.Logf("%v, %s\n%s", time.Since(start).Round(time.Millisecond), ratio(sum, start), sum)
}

func ratio(t *tally, start time.Time) string {
	return fmt.Sprintf("%.0f operations a second", float64(t.ops)/time.Since(start).Seconds())
}

func set(t *testing.T, name, value string) {
	t.Helper()
	f := flag.Lookup(name)
	if f == nil {
		t.Fatalf("no flag %s", name)
	}
	old := f.Value.String()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set(name, old) })
}

// draw makes the operations first and runs them later, so that nothing of
// rapid is called in the bubble.
func draw(rt *rapid.T) []op {
	var list []op
	number := rapid.IntRange(0, 63)
	actions := map[string]func(*rapid.T){}
	for name, v := range verbs {
		for i := range v.weight {
			actions[fmt.Sprintf("%s %d", name, i)] = func(rt *rapid.T) {
				list = append(list, op{verb: name, a: number.Draw(rt, "a"), b: number.Draw(rt, "b"), c: number.Draw(rt, "c"), d: number.Draw(rt, "d")})
			}
		}
	}
	rt.Repeat(actions)
	return list
}

// play runs a world in a bubble and returns what went wrong.
func play(t *testing.T, v variant, list []op, sum *tally) (problems []string) {
	synctest.Test(t, func(*testing.T) {
		w := newWorld(v, sum)
		defer w.stop()
		for i, o := range list {
			w.run(o)
			if i%50 == 49 {
				w.check(true)
			}
			if problems = w.problems(); len(problems) > 0 {
				problems = append(problems, fmt.Sprintf("after operation %d: %v", i, o))
				w.settleQuietly()
				return
			}
		}
		w.settle()
		problems = w.problems()
	})
	sum.mu.Lock()
	sum.worlds++
	sum.mu.Unlock()
	return problems
}

// settleQuietly ends a world that has failed.
func (w *world) settleQuietly() {
	w.mu.Lock()
	w.calm = true
	w.mu.Unlock()
	w.flying.Wait()
}

func trace(list []op) string {
	var b strings.Builder
	for i, o := range list {
		fmt.Fprintf(&b, "%4d %v\n", i, o)
	}
	return b.String()
}
