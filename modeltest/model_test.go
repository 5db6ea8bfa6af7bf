package modeltest_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/seed-2a427302/handoff"
)

// A world goes through so many steps on average. The others are no operations
// on handoffs: they let time pass, or change the world.
const (
	steps   = 600
	counted = 480

	full = 100_000 // operations of a run that has to reach everything
)

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
	set(t, "rapid.steps", strconv.Itoa(steps))
	set(t, "rapid.nofailfile", "true")
	sum := newTally()
	start := time.Now()
	run(t, ops, sum)
	for !t.Failed() && sum.ops < ops { // the worlds were shorter than worlds are on average
		run(t, ops-sum.ops, sum)
	}
	// What is rare is a matter of luck, which more operations make good.
	for extra := ops / 4; ops >= full && !t.Failed() && len(missed(sum)) > 0 && sum.ops < 2*ops; {
		t.Logf("after %d operations: %s", sum.ops, strings.Join(missed(sum), "; "))
		run(t, extra, sum)
	}
	if ops >= full && !t.Failed() {
		checkReach(t, sum)
	}
	t.Logf("%v, %s\n%s", time.Since(start).Round(time.Millisecond), ratio(sum, start), sum)
}

// run plays worlds with about so many operations, one world a core at a time:
// most of what happens in a bubble happens on one.
func run(t *testing.T, ops int, sum *tally) {
	t.Helper()
	side := runtime.GOMAXPROCS(0)
	checks := 1 + ops/counted/side
	if testing.Short() {
		checks *= 5 // rapid makes a fifth of them then
	}
	set(t, "rapid.checks", strconv.Itoa(checks))
	t.Run("worlds", func(t *testing.T) {
		for range side {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(rt *rapid.T) { try(t, rt, sum) })
			})
		}
	})
}

// try plays one world.
func try(t *testing.T, rt *rapid.T, sum *tally) {
	v := variant{
		Seed:      rapid.Uint64().Draw(rt, "seed"),
		Unwatched: rapid.IntRange(0, 3).Draw(rt, "unwatched") == 3,
		History:   rapid.Bool().Draw(rt, "history"),
		NoBot:     rapid.IntRange(0, 9).Draw(rt, "no bot") == 9,
		BotQueue:  rapid.Bool().Draw(rt, "bot queue"),
		StoreDown: rapid.Bool().Draw(rt, "store down"),
		Outage:    rapid.IntRange(0, 9).Draw(rt, "outage") == 9,
	}
	list := draw(rt, v.Seed)
	if problems := play(t, v, list, sum); len(problems) > 0 {
		rt.Fatalf("%+v\n%s\noperations:\n%s", v, strings.Join(problems, "\n"), trace(list))
	}
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
// rapid is called in the bubble. rapid likes small numbers; what an operation
// is comes from a digest of the number that was drawn, so that all are as
// frequent as their weights say.
func draw(rt *rapid.T, seed uint64) []op {
	var list []op
	rt.Repeat(map[string]func(*rapid.T){
		"op": func(rt *rapid.T) {
			x := digest(seed ^ digest(rapid.Uint64().Draw(rt, "op")))
			o := op{verb: wheel[x%uint64(len(wheel))]}
			for _, p := range []*int{&o.a, &o.b, &o.c, &o.d} {
				x = digest(x)
				*p = int(x % 64)
			}
			list = append(list, o)
		},
	})
	return list
}

// digest is splitmix64.
func digest(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
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
				problems = append(problems, fmt.Sprintf("after operation %d: %v", i, o), w.logs(problems[0]))
				w.settleQuietly()
				return
			}
		}
		w.settle()
		if v.Outage && len(w.problems()) == 0 {
			w.outage()
		}
		if problems = w.problems(); len(problems) > 0 {
			problems = append(problems, "after everything came to rest", w.logs(problems[0]))
		}
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

// logs returns the logs of the conversation that a problem is about.
func (w *world) logs(problem string) string {
	name, _, ok := strings.Cut(problem, "#")
	if !ok {
		return "no conversation"
	}
	var b strings.Builder
	err := w.reader.Logs(context.Background(), func(id handoff.ID, log []handoff.Entry) {
		if id.Conversation != name {
			return
		}
		h, _ := w.reader.Engine.Get(context.Background(), id)
		fmt.Fprintf(&b, "%v: %s %s epoch %d, queue %s, agent %s, pending %+v, deadlines %v\n", id, h.State, h.Outcome, h.Epoch, h.Need.Queue, h.Agent, h.Pending, h.Deadlines)
		for _, e := range log {
			fmt.Fprintf(&b, "  %3d %s %-11s %-10s %-10s %d by %s %s agent=%s call=%s reason=%s past=%v about=%d seen=%d notice=%s %v %q\n", e.Seq, e.At.Format("04:05.000"), e.Kind, e.ID, e.State, e.Epoch, e.From.Role, e.From.ID,
				e.Agent, e.Call, e.Reason, e.Past, e.About, e.Seen, e.Notice, e.Data, e.Text)
		}
	})
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("now %s\n%s", time.Now().Format("04:05.000"), b.String())
}

func trace(list []op) string {
	var b strings.Builder
	for i, o := range list {
		fmt.Fprintf(&b, "%4d %v\n", i, o)
	}
	return b.String()
}
