package handofftest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/memstore"
)

func TestRun(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		turn := r.Says("c", "I want a person")
		if !turn.Open() {
			t.Fatal("the bot has no turn")
		}
		h := r.Asks("c")
		if h.State != handoff.StateOffered {
			t.Fatalf("state %s", h.State)
		}
		h = ann.Accept()
		ann.Says(h.ID, "Hello")
		r.Says("c", "one more thing")
		ann.Returns(h.ID, "done")
		calls := r.Bot.Calls(handoff.BotEnded)
		if len(calls) != 1 || len(calls[0].Turn.Messages) != 1 || calls[0].Turn.Messages[0].Text != "one more thing" {
			t.Fatalf("calls %+v", calls)
		}
	})
}

// A store may do what is not for bubbles, such as waiting for a channel that
// was made outside; hours pass in the bubble all the same.
func TestRunOn(t *testing.T) {
	in, out := make(chan func()), make(chan struct{})
	go func() {
		for f := range in {
			f()
			out <- struct{}{}
		}
	}()
	defer close(in)
	open := func(*testing.T) handoff.Store { return far{memstore.New(), in, out} }
	handofftest.RunOn(t, open, func(t *testing.T, r *handofftest.Rig) {
		begun := time.Now()
		r.Says("c", "a person")
		h := r.Asks("c")
		r.Sleep(time.Hour)
		if got := r.Now(h.ID).Outcome; got != handoff.OutcomeMissed {
			t.Errorf("outcome %s", got)
		}
		if took := time.Since(begun); took != time.Hour {
			t.Errorf("it took %v", took)
		}
	})
}

// far is a store that is reached through channels.
type far struct {
	handoff.Store

	in  chan func()
	out chan struct{}
}

func (s far) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) (err error) {
	s.in <- func() { err = s.Store.Commit(ctx, r, entries...) }
	<-s.out
	return err
}

// What a call outside waits for ends with the caller's context.
func TestOutsideEnds(t *testing.T) {
	outside, end := handofftest.NewOutside(1)
	defer end()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		outside.Do(ctx, func(ctx context.Context) { <-ctx.Done() })
	})
}
