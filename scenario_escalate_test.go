package handoff_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/trigger"
)

func triggers(t *testing.T, cfg trigger.Config) *trigger.Engine {
	t.Helper()
	e, err := trigger.New(cfg)
	require.NoError(t, err)
	return e
}

func escalating(e *trigger.Engine) func(*handoff.Config) {
	return func(c *handoff.Config) {
		c.Queues[0].Ladder = patient()
		c.Escalation = handoff.Escalation{Triggers: e, Queue: "support"}
	}
}

// The user asks in words: his message and the request are one commit, and the
// bot gets no turn. What he takes back is cancelled.
func TestEscalationByWords(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		require.True(t, say(t, r, "c1", "m1", "Hello!").Open())
		turn := say(t, r, "c1", "m2", "I want to talk to a human")
		require.False(t, turn.Open())
		r.Wait()
		h := r.Last("c1")
		require.Equal(t, handoff.StateWaiting, h.State)
		require.Equal(t, handoff.Reason("user_request"), h.Reason)
		require.Equal(t, []string{"I am getting a person for you."}, told(r, "c1"))
		log, err := r.Log(r.Ctx, h.ID, 0, 100)
		require.NoError(t, err)
		found := false
		for _, en := range log {
			if en.Kind == handoff.KindEscalated {
				found = true
				require.NotEmpty(t, en.Data["rule"])
				require.Equal(t, "transfer", en.Data["action"])
			}
		}
		require.True(t, found, "the log says which rule wanted a person")

		say(t, r, "c1", "m2", "I want to talk to a human") // a repeat
		require.Equal(t, h.Seq, r.Last("c1").Seq)

		say(t, r, "c1", "m3", "please don't transfer me to a person")
		r.Wait()
		require.Equal(t, handoff.OutcomeCancelled, r.Now(h.ID).Outcome)

		// The first message of a conversation does as well.
		require.False(t, say(t, r, "c2", "m1", "give me a human agent please").Open())
		require.Equal(t, handoff.StateWaiting, r.Last("c2").State)
	}, escalating(triggers(t, trigger.Config{})))
}

// A user who is getting angry is offered a person behind the bot's answer, once,
// and his yes is a request.
func TestEscalationByOffer(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := say(t, r, "c1", "m1", "where is my parcel")
		_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "I did not get that.", Fallback: true})
		require.NoError(t, err)
		turn = say(t, r, "c1", "m2", "the parcel from last week")
		_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "Sorry, again?", Confidence: 0.1})
		require.NoError(t, err)
		r.Wait()
		require.Equal(t, []string{"I did not get that.", "Sorry, again?", "Would you like to talk to a person?"}, r.Users.Texts("c1"))
		require.False(t, say(t, r, "c1", "m3", "yes please").Open())
		require.Equal(t, handoff.StateWaiting, r.Last("c1").State)

		// No: the bot goes on, and the offer is not repeated at once.
		for i, text := range []string{"where is it", "which one then"} {
			turn := say(t, r, "c2", talk(i), text)
			_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "What?", Fallback: true})
			require.NoError(t, err)
		}
		require.Equal(t, []string{"Would you like to talk to a person?"}, told(r, "c2"))
		turn = say(t, r, "c2", "n3", "no thanks")
		require.True(t, turn.Open())
		_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "What?", Fallback: false})
		require.NoError(t, err)
		require.Len(t, told(r, "c2"), 1)
	}, escalating(triggers(t, trigger.Config{})))
}

// A bot that fails is noticed at once, and not only when its time is over.
func TestEscalationByFailure(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := say(t, r, "c1", "m1", "where is my parcel")
		require.NoError(t, r.Fail(r.Ctx, turn, "model_timeout"))
		h := r.Last("c1")
		require.Equal(t, handoff.StateWaiting, h.State)
		require.Equal(t, handoff.Reason("bot_error"), h.Reason)
		require.Len(t, h.Pending, 1, "the agent gets the question")
		require.ErrorIs(t, r.Fail(r.Ctx, handoff.Turn{}, "x"), handoff.ErrStale)
	}, escalating(triggers(t, trigger.Config{})))

	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := say(t, r, "c1", "m1", "where is my parcel")
		require.NoError(t, r.Fail(r.Ctx, turn, "model_timeout"))
		require.Equal(t, []string{"Sorry, I could not answer that. Please try again later."}, told(r, "c1"))
		_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "late"})
		require.ErrorIs(t, err, handoff.ErrStale)
		require.Empty(t, r.Last("c1").Pending)
	})
}

// Nobody can help: the bot keeps the turn and is told why; the same inferred
// reason is not raised again until somebody can.
func TestEscalationWithNobodyThere(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := say(t, r, "c1", "m1", "a real person please")
		require.True(t, turn.Open())
		require.Equal(t, handoff.Reason("user_request"), turn.Escalated.Reason)
		require.Equal(t, handoff.ReasonOffline, turn.Escalated.Why)
		_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "Nobody is there yet."})
		require.NoError(t, err)
		ann := r.Agent("ann", 1)
		require.False(t, say(t, r, "c1", "m2", "now a human please").Open())
		r.Wait()
		h := ann.Accept()
		ann.Returns(h.ID, "done")

		// Full at the very moment of the commit.
		require.False(t, say(t, r, "c2", "m1", "human agent please").Open())
		turn = say(t, r, "c3", "m1", "a person please")
		require.True(t, turn.Open())
		require.Equal(t, handoff.ReasonFull, turn.Escalated.Why)
		require.Equal(t, handoff.ReasonFull, r.Last("c3").Missed)
	}, escalating(triggers(t, trigger.Config{})), func(c *handoff.Config) {
		c.Queues[0].NeedAgents, c.Queues[0].MaxWaiting = true, 1
		c.Queues[0].Style = handoff.Push
	})
}

// W-39: bot and queue do not play ball. After a return inferred reasons are
// silent; automatic transfers are limited; the user's own wish counts.
func TestW39_TriggersHaveACoolDownAndALoopGuard(t *testing.T) {
	transfers := 0
	e := triggers(t, trigger.Config{Policy: trigger.Policy{CoolDownTurns: -1, CoolDown: -1, MaxAutomatic: 2}})
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		for i := range 5 {
			turn := say(t, r, "c1", talk(i), "a question that is another one each time "+talk(i))
			if !turn.Open() {
				t.Fatal("the bot has no turn")
			}
			require.NoError(t, r.Fail(r.Ctx, turn, "down"))
			r.Wait()
			if h := r.Last("c1"); h.State == handoff.StateOffered {
				transfers++
				ann.Returns(ann.Accept().ID, "try again")
			}
			r.Sleep(time.Second)
			for _, c := range r.Bot.Calls("") {
				_ = r.Done(r.Ctx, c.Turn)
			}
		}
		require.Equal(t, 2, transfers)
		require.False(t, say(t, r, "c1", "mx", "I want a human").Open(), "a wish is never silenced")
	}, escalating(e))

	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		say(t, r, "c1", "m1", "a human please")
		r.Wait()
		ann.Returns(ann.Accept().ID, "")
		for _, c := range r.Bot.Calls(handoff.BotEnded) {
			require.NoError(t, r.Done(r.Ctx, c.Turn))
		}
		for i, text := range []string{"where is it", "and now"} {
			turn := say(t, r, "c1", talk(10+i), text)
			_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "What?", Fallback: true})
			require.NoError(t, err)
		}
		require.NotContains(t, told(r, "c1"), "Would you like to talk to a person?", "soon after the return")
	}, escalating(triggers(t, trigger.Config{})))
}

type classifierFunc func(context.Context, trigger.Turn, trigger.State) (trigger.Signal, error)

func (f classifierFunc) Classify(ctx context.Context, t trigger.Turn, s trigger.State) (trigger.Signal, error) {
	return f(ctx, t, s)
}

// A model that fails or hangs leaves the rules in charge.
func TestEscalationByModel(t *testing.T) {
	e := triggers(t, trigger.Config{Classifier: classifierFunc(func(ctx context.Context, t trigger.Turn, _ trigger.State) (trigger.Signal, error) {
		switch t.Text {
		case "hang":
			<-ctx.Done()
			return trigger.Signal{}, ctx.Err()
		case "fail":
			return trigger.Signal{Score: 1}, errors.New("down")
		case "tricky":
			return trigger.Signal{Score: 1}, nil
		}
		return trigger.Signal{}, nil
	})})
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		require.True(t, say(t, r, "c1", "m1", "hang").Open())
		require.True(t, say(t, r, "c1", "m2", "fail").Open())
		require.False(t, say(t, r, "c1", "m3", "tricky").Open())
		require.Equal(t, handoff.Reason("classifier"), r.Last("c1").Reason)
	}, escalating(e))
}

// Who writes again soon after the end gets the queue, and the same agent if he
// is there; later, or if the queue is closed, the bot has him.
func TestReopen(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann, bob := r.Agent("ann", 2), r.Agent("bob", 2)
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c1", Queue: "support", Preferred: "bob"})
		require.NoError(t, err)
		r.Wait()
		bob.Ends(bob.Accept().ID)
		r.Sleep(40 * time.Minute) // the bot's stretch has ended meanwhile
		require.False(t, say(t, r, "c1", "m1", "one more thing").Open())
		r.Wait()
		h := bob.Accept()
		require.Equal(t, handoff.ReasonReopened, h.Reason)
		require.Len(t, h.Pending, 1)
		bob.Ends(h.ID)

		bob.Leaves()
		require.False(t, say(t, r, "c1", "m2", "and another").Open())
		r.Wait()
		h = ann.Accept()
		ann.Ends(h.ID)
		ann.Leaves()
		require.True(t, say(t, r, "c1", "m3", "hello?").Open(), "nobody is there: the bot")

		ann.Comes()
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c2", Queue: "support"})
		require.NoError(t, err)
		r.Wait()
		ann.Ends(ann.Accept().ID)
		r.Sleep(2 * time.Hour)
		require.True(t, say(t, r, "c2", "m1", "later").Open())
	}, func(c *handoff.Config) {
		c.Queues[0].Reopen, c.Queues[0].ReopenFor, c.Queues[0].NeedAgents = handoff.ReopenAgent, time.Hour, true
	})
}
