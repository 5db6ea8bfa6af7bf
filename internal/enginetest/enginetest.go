// Package enginetest has what the tests of all durable stores say of an engine
// on them: in real time, against the real server, in several processes.
package enginetest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Shown is a Channel that keeps what users saw, without repeats. The zero value
// is ready, and may be used concurrently.
type Shown struct {
	mu      sync.Mutex
	seen    map[string]bool
	said    []string
	notices int
}

// Show implements handoff.Channel.
func (c *Shown) Show(_ context.Context, _ string, m handoff.UserMessage) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	switch {
	case c.seen[m.ID]:
	case m.Notice != "":
		c.notices++
	default:
		c.said = append(c.said, m.Text)
	}
	c.seen[m.ID] = true
	return nil
}

// Said returns the messages, one a line.
func (c *Shown) Said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.said, "\n")
}

// Notices returns how many notices were shown.
func (c *Shown) Notices() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.notices
}

// Eventually waits until f is true. There is no limit but the test's own, so
// that a slow machine fails nothing.
func Eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline, ok := t.Deadline()
	if !ok {
		deadline = time.Now().Add(5 * time.Minute)
	}
	for !f() {
		if time.Until(deadline) < 10*time.Second {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(2 * time.Millisecond) //nolint:forbidigo // other processes and servers tell nobody
	}
}

// Config has one queue, "support", in which ann has one seat.
func Config(s handoff.Store, change ...func(*handoff.Config)) handoff.Config {
	cfg := handoff.Config{
		Store: s, Queues: []handoff.Queue{{Name: "support"}},
		Directory: handoff.Staff{{ID: "ann", Name: "Ann", Queues: []string{"support"}, Seats: 1}},
	}
	for _, f := range change {
		f(&cfg)
	}
	return cfg
}

// Engine returns an engine of Config that does not run.
func Engine(t *testing.T, s handoff.Store, change ...func(*handoff.Config)) *handoff.Engine {
	t.Helper()
	e, err := handoff.New(Config(s, change...))
	must(t, err)
	return e
}

// Run runs an engine until the test ends.
func Run(t *testing.T, e *handoff.Engine) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error("Run ended with", err)
		}
	})
}

// Never makes an engine look at nothing by itself.
func Never(c *handoff.Config) { c.Poll, c.Sweep = time.Hour, time.Hour }

// quick makes an engine notice soon that another one is no more.
func quick(c *handoff.Config) {
	c.Lease, c.SendTimeout, c.Overdue, c.Poll = time.Second, time.Second, 200*time.Millisecond, 100*time.Millisecond
}

// Offered waits until ann is asked, and returns the offer's number.
func Offered(t *testing.T, e *handoff.Engine, id handoff.ID) (number int64) {
	t.Helper()
	Eventually(t, "an offer", func() bool {
		h, err := e.Get(t.Context(), id)
		must(t, err)
		o, ok := h.Offer("ann")
		number = o.Number
		return ok
	})
	return number
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}
