package handoff_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// What the model test has found, each as a small story.

// Looking at a log that has nothing for a receiver is not a try: three
// replicas write many notes, and the user still gets the agent's answer.
func TestRegression_LookingIsNotTrying(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		second, third := r.Replica(), r.Replica()
		ann := r.Agent("ann", 1)
		h := r.Asks("c")
		ann.Accept()
		for range 10 {
			for _, e := range []*handoff.Engine{r.Engine, second, third} {
				_, err := e.Note(t.Context(), h.ID, ann.By(), "psst")
				require.NoError(t, err)
				r.Wait()
			}
		}
		ann.Says(h.ID, "hello")
		require.Contains(t, r.Users.Texts("c"), "hello")
		for _, en := range r.Entries(h.ID) {
			require.NotEqual(t, handoff.KindUndelivered, en.Kind, "%+v", en)
		}
	}, func(c *handoff.Config) { c.SendTries = 3 })
}

// An agent who goes, seems to be back because nobody knows, and is still gone,
// is away since the same moment: the grace is armed for the same time twice.
func TestRegression_SameDeadlineTwice(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := r.Asks("c")
		ann.Accept()
		ann.Leaves()
		r.Floor.Break(handofftest.ErrStore)
		r.Sleep(time.Minute + 2*time.Second) // nobody knows: nobody loses a chat
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		r.Floor.Break(nil)
		r.Sleep(20 * time.Second)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
	})
}

// Somebody who took over a conversation that is in no queue is lost: there is
// no line to wait in, and the bot goes on.
func TestRegression_NoQueueToWaitIn(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Says("c", "hi")
		ann := r.Agent("ann", 1)
		id := handoff.ID{Conversation: "c", Number: 1}
		_, err := r.TakeOver(t.Context(), id, ann.By(), "")
		require.NoError(t, err)
		_, err = r.Requeue(t.Context(), id, ann.By(), "")
		require.NoError(t, err)
		r.Wait()
		require.Equal(t, handoff.StateEnded, r.Now(id).State)
		require.Equal(t, handoff.StateBot, r.Last("c").State)
	})
}

// A stay-out ends while an agent has the user: the bot gets no right to speak,
// and an ended handoff is not called about.
func TestRegression_StayOutEndsElsewhere(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := r.Asks("c")
		ann.Accept()
		_, err := r.End(t.Context(), h.ID, ann.By(), handoff.Ending{StayOut: time.Minute})
		require.NoError(t, err)
		r.Wait()
		second := r.Asks("c")
		ann.Accept()
		r.Says("c", "for the agent")
		r.Sleep(2 * time.Minute)
		for _, c := range r.Bot.Calls("") {
			require.False(t, c.Turn.Open(), "%+v", c)
		}
		require.Equal(t, handoff.StateActive, r.Now(second.ID).State)
	})
}

// A stay-out ends: the turn that the packet brings is good.
func TestRegression_StayOutGivesAGoodTurn(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		var errs []error
		r.Bot.Do = func(ctx context.Context, e *handoff.Engine, c handoff.BotCall) error {
			if c.Turn.Open() {
				_, err := e.Reply(ctx, c.Turn, handoff.Message{ID: "r", Text: "here I am"})
				errs = append(errs, err)
			}
			return nil
		}
		ann := r.Agent("ann", 1)
		h := r.Asks("c")
		ann.Accept()
		_, err := r.End(t.Context(), h.ID, ann.By(), handoff.Ending{StayOut: time.Minute})
		require.NoError(t, err)
		r.Wait()
		r.Says("c", "anybody there?")
		r.Sleep(62 * time.Second) // the poll has jitter
		require.Equal(t, []error{nil}, errs)
		require.Contains(t, r.Users.Texts("c"), "here I am")
	})
}

// A handoff whose deliveries wait for those of the one before is not given up
// while it waits.
func TestRegression_WaitingIsNotTrying(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		second := r.Replica()
		r.Users.Fail(func(string, handoff.UserMessage) error { return handofftest.ErrStore })
		r.Asks("c")
		_, err := r.Cancel(t.Context(), "c", false)
		require.NoError(t, err)
		r.Sleep(time.Second)
		h := r.Asks("c")
		for range 20 {
			_, err := second.Note(t.Context(), h.ID, handoff.By("ann"), "psst")
			require.NoError(t, err)
			r.Sleep(200 * time.Millisecond)
		}
		r.Users.Fail(nil)
		r.Sleep(time.Minute)
		for _, en := range r.Entries(h.ID) {
			require.NotEqual(t, handoff.KindUndelivered, en.Kind, "%+v", en)
		}
		require.NotEmpty(t, r.Users.Texts("c"))
	}, func(c *handoff.Config) { c.SendTries = 10 })
}

// A stretch that is over in the middle of a stay-out is not called about.
func TestRegression_NoCallAfterTheEnd(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := r.Asks("c")
		ann.Accept()
		_, err := r.End(t.Context(), h.ID, ann.By(), handoff.Ending{StayOut: time.Minute})
		require.NoError(t, err)
		r.Wait()
		r.Store.Plan(func(op string, _ handoff.ID) handofftest.Fault {
			if op == "Erase" {
				return handofftest.Fault{Before: handofftest.ErrStore}
			}
			return handofftest.Fault{}
		})
		require.Error(t, r.Erase(t.Context(), "c")) // the first half was done
		n := len(r.Entries(r.Last("c").ID))
		r.Sleep(2 * time.Minute)
		require.Equal(t, handoff.StateEnded, r.Last("c").State)
		require.Len(t, r.Entries(r.Last("c").ID), n)
	})
}

// A presence knows to the nanosecond since when an agent is away; a grace that
// ends within the present millisecond is over, and not armed again and again.
func TestRegression_GraceEndsWithinTheMillisecond(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := r.Asks("c")
		ann.Accept()
		r.Sleep(844493 * time.Nanosecond)
		ann.Leaves()
		r.Sleep(10 * time.Second)
		_, err := r.Note(t.Context(), h.ID, handoff.BySupervisor("sue"), "where is ann?")
		require.NoError(t, err)
		r.Wait()
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		for _, e := range r.Entries(h.ID) {
			require.NotEqual(t, handoff.KindTimer, e.Kind, "%+v", e)
		}
	}, func(c *handoff.Config) { c.Queues[0].AgentGrace = 10 * time.Second })
}
