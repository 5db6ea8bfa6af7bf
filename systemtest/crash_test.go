package systemtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/modeltest/check"
)

// crashes is how often a process of each store is killed: HANDOFF_CRASHES, or 50
// times, which is twice at every point, or at the first few under -short.
func crashes(t *testing.T) int {
	t.Helper()
	s := os.Getenv("HANDOFF_CRASHES")
	switch {
	case s == "" && testing.Short():
		return len(crashPoints()) / 3
	case s == "":
		return 50
	}
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	require.Positive(t, n)
	return n
}

// fuses are the calls before and after which a process is killed, and the
// highest number of the call.
var fuses = map[string]int{
	"commit": 30, "claim": 6, "lead": 20, "ack": 20, "show": 15, "handle": 15, "call": 3, "open": 2, "send": 4, "close": 2,
	"erase": 2, "delete": 2,
}

// crashPoints are those two of each, in order.
func crashPoints() []string {
	points := make([]string, 0, 2*len(fuses))
	for kind := range fuses {
		points = append(points, kind+"/after", kind+"/before")
	}
	slices.Sort(points)
	return points
}

// Processes die before and after commits, claims and deliveries, one after the
// other on the same store. In the end nothing that was acknowledged is lost,
// everything was shown, and the platform has nothing twice.
func TestCrash(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		t.Parallel() // most of the time is waiting
		for _, broken := range crash(t, k, crashes(t), "") {
			t.Error(broken)
		}
	})
}

// The same with a store that takes for delivered what is about to be, with one
// that forgets more than it was told to, and with a platform that knows no
// attempt again: the test must notice. The latter two go wrong outside of the
// store, and one kind of it shows that.
func TestCrashNaive(t *testing.T) {
	for _, p := range []struct {
		name, at, word string
		kinds          func(*testing.T, func(*testing.T, kind))
	}{
		{"early", "show/before", "was never shown", each},
		{"wide", "erase/after", "no acknowledged message is lost", onSQLite},
		{"twice", "open/after", "has a second chat", onSQLite},
	} {
		t.Run(p.name, func(t *testing.T) {
			p.kinds(t, func(t *testing.T, k kind) {
				broken := crash(t, k, 8, p.name, p.at)
				require.True(t, says(broken, p.word), broken)
				t.Log(len(broken), "things are broken")
			})
		})
	}
}

func onSQLite(t *testing.T, f func(*testing.T, kind)) {
	t.Helper()
	k, err := kindNamed("sqlite")
	require.NoError(t, err)
	f(t, k)
}

// backOff is more than what an engine waits at most, five minutes, before it
// tries again what has failed. Each try that a crash ended counts as one that
// failed, so that less is no sign of anything lost.
const backOff = 6 * time.Minute

// crash returns what was broken after n processes died: at every point in turn,
// or at one.
func crash(t *testing.T, k kind, n int, plant string, at ...string) []string {
	t.Helper()
	place := k.place(t)
	s := mustOpen(t, k, place)
	o := newOutside(t)
	patience := backOff
	if plant != "" {
		patience = 3 * time.Second // it need not come to rest
	}
	points, hit, begun := crashPoints(), map[string]int{}, time.Now()
	if len(at) > 0 {
		points = at
	}
	for i := range n {
		// Now and then somebody lives long enough to finish everything, so that
		// what is left over does not grow and grow.
		if i > 0 && i%50 == 0 && plant == "" {
			if _, broken := o.settle(t, s, crashChats, patience); len(broken) > 0 {
				return broken
			}
		}
		point := points[(i*7)%len(points)] // in turns, and not the neighbour
		kind, _, _ := strings.Cut(point, "/")
		at := point + "/" + strconv.Itoa(1+rand.IntN(fuses[kind]))
		kill(t, k, place, at, "CRASH_OUTSIDE="+o.socket, "CRASH_PLANT="+plant)
		hit[point]++
		if (i+1)%50 == 0 {
			t.Logf("%d processes killed in %v", i+1, time.Since(begun).Round(time.Second))
		}
	}
	t.Logf("%d processes killed in %v, at: %v", n, time.Since(begun).Round(time.Millisecond), hit)
	for _, point := range points {
		if plant == "" && n >= len(points) {
			require.Positive(t, hit[point], "nothing died at %s", point)
		}
	}
	w, broken := o.settle(t, s, crashChats, patience)
	return append(broken, o.audit(t, s, w.e)...)
}

// kill runs a process until it has killed itself, which it must, where it was
// told to: a child that ends in another way or never gets there fails the test.
func kill(t *testing.T, k kind, place, at string, env ...string) {
	t.Helper()
	err := start(t, "crash", k, place, append(env, "CRASH_AT="+at)...).within(t, backOff)
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", at)
	status, ok := exit.Sys().(syscall.WaitStatus)
	require.True(t, ok && status.Signal() == syscall.SIGKILL, "%s: %v", at, err)
}

// settle lets an engine that lives bring conversations to an end. It gives up
// when nothing more has been shown for as long as patience.
func (o *outside) settle(t *testing.T, s handoff.Store, names []string, patience time.Duration) (w *survivor, broken []string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	w, err := newSurvivor(ctx, &patient{s}, o.socket, newFuse(""), func(c *handoff.Config) {
		// On a busy machine a receiver that has less than a second fails again
		// and again, and is tried less and less often.
		c.StoreTimeout, c.SendTimeout, c.BotTimeout = patience, 10*time.Second, 10*time.Second
	})
	require.NoError(t, err)
	done := make(chan error, 2)
	go func() { done <- w.e.Run(ctx) }()
	go func() { done <- w.hear(ctx) }()
	best, past := math.MaxInt, map[handoff.ID]bool{}
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		quiet, unseen, restless := true, 0, []string(nil)
		for _, name := range names {
			rests, err := w.finish(ctx, name, o)
			if noAnswer(err) { // the next round does what is left
				t.Logf("%s: %v", name, err)
				rests, err = false, nil
			}
			require.NoError(t, err)
			n := len(o.unseen(t, w.e, name, past))
			quiet, unseen = quiet && rests && n == 0, unseen+n
			if !rests {
				restless = append(restless, name)
			}
		}
		if quiet {
			break
		}
		if unseen < best {
			best, deadline = unseen, time.Now().Add(patience)
		}
		if time.Now().After(deadline) {
			broken = append(broken, "it does not come to rest: "+w.describe(ctx, restless))
			break
		}
	}
	stop()
	require.NoError(t, errors.Join(<-done, <-done))
	return w, broken
}

// describe says in which states conversations are.
func (w *survivor) describe(ctx context.Context, names []string) string {
	var b strings.Builder
	for _, name := range names {
		all, err := w.e.List(ctx, handoff.Query{Conversation: name})
		if err != nil {
			return err.Error()
		}
		for i := range all {
			h := &all[i]
			if h.IsOpen() || h.NextOwed() {
				fmt.Fprintf(&b, "%v %s, %d pending, next owed: %v; ", h.ID, h.State, len(h.Pending), h.NextOwed())
			}
			for _, bound := range h.Bindings() {
				if bound.Status != handoff.BindClosed {
					fmt.Fprintf(&b, "%v binding %d %s, %d tries; ", h.ID, bound.Number, bound.Status, bound.Tries)
				}
			}
		}
	}
	return b.String()
}

// unseen returns what the user of a conversation should have seen. Handoffs in
// past are not read; what has ended and was seen is added to it.
func (o *outside) unseen(t *testing.T, e *handoff.Engine, conversation string, past map[handoff.ID]bool) (out []string) {
	t.Helper()
	all, err := e.List(t.Context(), handoff.Query{Conversation: conversation})
	require.NoError(t, err)
	for i := range all {
		if past[all[i].ID] {
			continue
		}
		before := len(out)
		log, err := e.Log(t.Context(), all[i].ID, 0, 10_000)
		require.NoError(t, err)
		o.mu.Lock()
		for j := range log {
			if en := &log[j]; en.ForUser() && !en.Past && en.From.Role != handoff.RoleUser && !o.saw(en) {
				out = append(out, fmt.Sprintf("%v: entry %d (%s) was never shown", en.Handoff, en.Seq, en.Kind))
			}
		}
		o.mu.Unlock()
		if past != nil && !all[i].IsOpen() && len(out) == before {
			past[all[i].ID] = true
		}
	}
	return out
}

// finish brings a conversation one step nearer to its end. It reports whether
// there is nothing left to do.
func (w *survivor) finish(ctx context.Context, conversation string, o *outside) (rests bool, err error) {
	o.mu.Lock()
	left := o.open[conversation] != "" || len(o.events) > 0
	o.mu.Unlock()
	if left {
		return false, refusal(w.write(ctx, conversation))
	}
	h, err := w.e.Latest(ctx, conversation)
	if errors.Is(err, handoff.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	switch {
	case h.State == handoff.StateActive && h.Provider == "":
		_, err = w.e.Return(ctx, h.ID, handoff.By(h.Agent), "done")
	case h.State == handoff.StateOffered:
		_, err = w.e.Accept(ctx, h.ID, handoff.By(h.Offers[0].Agent), h.Offers[0].Number)
	case h.State == handoff.StateActive, h.State == handoff.StateQueued:
		err = w.act(&h, "end")
	case h.State == handoff.StateBot && len(h.Pending) == 0, h.State == handoff.StateEnded && !h.NextOwed():
		rests, err = w.delivered(ctx, conversation)
	}
	return rests, refusal(err)
}

// delivered reports whether everything of a conversation was delivered, and
// every chat on the platform was closed.
func (w *survivor) delivered(ctx context.Context, conversation string) (bool, error) {
	all, err := w.e.List(ctx, handoff.Query{Conversation: conversation})
	if err != nil {
		return false, err
	}
	for i := range all {
		h := &all[i]
		for _, b := range h.Bindings() {
			if b.Status != handoff.BindClosed {
				return false, nil
			}
		}
		if h.IsOpen() && h.State != handoff.StateBot || h.State == handoff.StateWrapup {
			return false, nil
		}
	}
	return true, nil
}

// audit compares what is stored with what happened outside.
func (o *outside) audit(t *testing.T, s handoff.Store, e *handoff.Engine) (broken []string) {
	t.Helper()
	ctx := t.Context()
	staff := check.NewStaff()
	for _, a := range crashStaff {
		staff.Set(time.Time{}, a.ID, a.Seats, true)
	}
	checker := check.New(check.Rules{Queues: crashQueues, Channel: true, Sinks: []string{"audit"}, Ledger: o.ledger, Staff: staff})
	reader := &check.Reader{Store: &patient{s}, Engine: e, Agents: []string{"ann", "bob"}}
	snapshot, err := reader.Read(ctx, time.Now())
	require.NoError(t, err)
	gone := o.gone(snapshot)
	for _, v := range checker.Next(snapshot) {
		broken = append(broken, v.String())
	}
	for i := range snapshot.Chats {
		broken = append(broken, o.unseen(t, e, snapshot.Chats[i].Conversation, nil)...)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	broken = append(broken, o.wrong...)
	entries := 0
	for i := range snapshot.Chats {
		said := map[string]int{}
		for _, st := range snapshot.Chats[i].Handoffs {
			for j := range st.Log {
				en := &st.Log[j]
				entries++
				if en.Kind == handoff.KindMessage && en.From.Role == handoff.RoleAgent {
					said[en.Message]++
				}
			}
		}
		name := snapshot.Chats[i].Conversation
		for id := range o.sent[name] {
			if said[id] != 1 && (said[id] > 0 || !gone[id]) {
				broken = append(broken, fmt.Sprintf("%s: what an agent said (%s) is there %d times", name, id, said[id]))
			}
		}
	}
	for _, c := range o.chats {
		if c.state != handoff.SessionEnded {
			broken = append(broken, fmt.Sprintf("%s of %s is still open on the platform", c.ref, c.attempt))
		}
	}
	t.Logf("%d entries, %d chats on the platform, %d messages are erased or removed", entries, len(o.chats), len(gone))
	require.Positive(t, entries)
	return broken
}

// gone returns the messages that went with their handoffs, and tells the ledger
// that those of users are not lost.
func (o *outside) gone(s *check.Snapshot) map[string]bool {
	there := map[handoff.ID]bool{}
	for i := range s.Chats {
		for j := range s.Chats[i].Handoffs {
			there[s.Chats[i].Handoffs[j].Handoff.ID] = true
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	gone := map[string]bool{}
	for id, f := range o.left {
		if there[id] {
			continue // the process died before
		}
		o.ledger.Remove(id.Conversation, f.Heard...)
		for _, message := range append(f.Said, f.Heard...) {
			gone[message] = true
		}
	}
	return gone
}

// saw reports whether the user saw an entry.
func (o *outside) saw(en *handoff.Entry) bool {
	number := strconv.FormatInt(en.Handoff.Number, 10)
	return o.shown[en.Handoff.Conversation+" "+number+"/"+en.ID] ||
		o.shown[en.Handoff.Conversation+" "+number+"/n/"+strconv.FormatInt(en.Seq, 10)+"-"+strconv.FormatInt(en.At.UnixMilli(), 36)]
}
