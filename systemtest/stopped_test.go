package systemtest

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rests lets the process be stopped by whoever listens outside, at its fuse's
// point, instead of dying there: it asks on a line of its own, and goes not one
// step further before it is answered.
func (w *survivor) rests(ctx context.Context) error {
	line, err := dialOutside(ctx, os.Getenv("CRASH_OUTSIDE"))
	if err != nil {
		return err
	}
	w.fuse.rest = func() { _, _ = line.tell(fact{Kind: "rest"}) }
	return nil
}

// stopPoints are where a process is stopped: at each kind of call before it, when
// the most can have changed since it was decided on, and after what others have
// leases for.
func stopPoints() []string {
	return []string{
		"commit/before", "show/before", "lead/after", "handle/before", "ack/before", "open/before", "send/before", "claim/after",
		"call/before", "close/before", "commit/after", "show/after", "delete/before", "erase/before",
	}
}

// A process is stopped (SIGSTOP), as a machine that is moved or swaps is, in the
// middle of something and for longer than any lease of its own. Another one takes
// over all there is, and brings it to its end; then the first goes on with what it
// was about to do. That doubles nothing: neither in the log, nor before users, nor
// on the platform. A stopped process that writes to a file of SQLite keeps others
// from writing, so this is of the stores with a server.
func TestStopped(t *testing.T) { //nolint:tparallel // the kinds wait for each other no more than for other tests
	for _, k := range kinds {
		if k.name == "postgres" || k.name == "redis" {
			t.Run(k.name, func(t *testing.T) {
				t.Parallel() // most of the time is waiting
				for _, broken := range stopped(t, k, "", stopPoints()[:stops(t)]...) {
					t.Error(broken)
				}
			})
		}
	}
}

// stops is at how many points: some, or all in the long form of the crash test.
func stops(t *testing.T) int {
	t.Helper()
	if os.Getenv("HANDOFF_CRASHES") != "" {
		return len(stopPoints())
	}
	return 5
}

// The same where a commit is stored although another one came before it: the test
// must notice.
func TestStoppedNaive(t *testing.T) {
	k, err := kindNamed("redis")
	require.NoError(t, err)
	broken := stopped(t, k, "version", "commit/before", "commit/before", "commit/before", "commit/before")
	broken = slices.DeleteFunc(broken, func(b string) bool { return strings.HasPrefix(b, "it does not come to rest") })
	require.NotEmpty(t, broken)
	t.Log(len(broken), "things are broken:", broken[0])
}

// stopped returns what was broken after a process was stopped at each point.
func stopped(t *testing.T, k kind, plant string, points ...string) (broken []string) {
	t.Helper()
	place := k.place(t)
	s := mustOpen(t, k, place)
	o := newOutside(t)
	patience := backOff
	if plant != "" {
		patience = 3 * time.Second // it need not come to rest
	}
	var w *survivor
	for _, point := range points {
		begun := time.Now()
		call, _, _ := strings.Cut(point, "/")
		at := point + "/" + strconv.Itoa(1+rand.IntN(fuses[call]))
		c := start(t, "crash", k, place, "CRASH_OUTSIDE="+o.socket, "CRASH_PLANT="+plant, "CRASH_RESTS=1", "CRASH_AT="+at)
		var goOn chan struct{}
		select {
		case goOn = <-o.rests:
		case err := <-c.done:
			require.NoError(t, err, "%s", at)
			t.Fatal("a child ended too soon")
		}
		require.NoError(t, c.cmd.Process.Signal(syscall.SIGSTOP))
		// Another one comes, to whom everything falls that the first had a lease for.
		if _, broken = o.settle(t, s, crashChats, patience); len(broken) > 0 && plant == "" {
			return broken
		}
		rested := time.Since(begun)
		require.NoError(t, c.cmd.Process.Signal(syscall.SIGCONT))
		told := o.told()
		close(goOn)
		eventually(t, "a process that goes on", func() bool { return o.told() > told+100 })
		require.NoError(t, c.stop())
		w, broken = o.settle(t, s, crashChats, patience)
		broken = append(broken, o.audit(t, s, w.e)...)
		t.Logf("stopped at %s until %v, done after %v", at, rested.Round(time.Millisecond), time.Since(begun).Round(time.Millisecond))
		if len(broken) > 0 {
			return broken
		}
	}
	return nil
}

// told is how many facts were told.
func (o *outside) told() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.facts
}
