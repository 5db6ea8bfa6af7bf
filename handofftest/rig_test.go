package handofftest_test

import (
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
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
