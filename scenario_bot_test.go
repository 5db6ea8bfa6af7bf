package handoff_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// chatwoot/rasa-agent-bot-demo#12, chatwoot#11429, #5139: the bot kept on
// replying after the handoff, since every bot had to look at the status itself.
func TestW28_NoTurnNoAnswer(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		// A host that knows nothing of states: it answers whenever it has a turn.
		echo := func(text string) handoff.Turn {
			turn := r.Says("c1", text)
			if turn.Open() {
				_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "bot: " + text})
				require.NoError(t, err)
				r.Wait()
			}
			return turn
		}
		first := echo("one")
		r.Asks("c1")
		require.False(t, echo("two").Open(), "waiting")
		ann := r.Agent("ann", 1)
		require.False(t, echo("three").Open(), "offered")
		h := takes(r, ann, "c1")
		require.False(t, echo("four").Open(), "active")
		_, err := r.Hold(r.Ctx, h.ID, ann.By(), "")
		require.NoError(t, err)
		require.False(t, echo("five").Open(), "held")

		// Nor is there another way for the bot to speak.
		_, err = r.Reply(r.Ctx, first, handoff.Message{Text: "bot: an old turn"})
		require.ErrorIs(t, err, handoff.ErrStale)
		_, err = r.Say(r.Ctx, "c1", handoff.Message{Text: "bot: by the way"})
		require.ErrorIs(t, err, handoff.ErrStale)
		require.ErrorIs(t, r.Done(r.Ctx, first), handoff.ErrStale)
		_, err = r.Stream(r.Ctx, first, "s")
		require.ErrorIs(t, err, handoff.ErrStale)
		r.Sleep(time.Minute)
		require.Equal(t, []string{"bot: one"}, saidBy(r, "c1", handoff.RoleBot))
		require.Empty(t, r.Bot.Calls(handoff.BotResume))
		require.Len(t, r.Now(h.ID).Pending, 4, "the agent has what the bot did not get")
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}))
}

// A user who writes on and on while he waits makes the record no larger than
// a bound; the log has everything, and the bot gets the two ends of it.
func TestManyUnansweredMessages(t *testing.T) {
	const n = 1000
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Says("c1", "help")
		h := r.Asks("c1")
		for i := range n {
			require.False(t, r.Says("c1", strconv.Itoa(i)).Open())
		}
		require.Len(t, r.Now(h.ID).Pending, 200)
		said := 0
		for _, en := range r.Entries(h.ID) {
			if en.Kind == handoff.KindMessage && en.From.Role == handoff.RoleUser {
				said++
			}
		}
		require.Equal(t, n+1, said)
		_, err := r.Cancel(r.Ctx, "c1", false)
		require.NoError(t, err)
		r.Sleep(time.Second)
		calls := r.Bot.Calls("")
		require.NotEmpty(t, calls)
		got := calls[len(calls)-1].Turn.Messages
		require.Len(t, got, 200)
		require.Equal(t, []string{"help", "48", "850", "999"}, []string{got[0].Text, got[49].Text, got[50].Text, got[199].Text})
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}))
}

// chatwoot PR#13673: bot and agent talked over each other; a job that had been
// started before did not look at the status again.
func TestW29_SlowBotIsStoppedAtTheCommit(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1)
		other := r.Replica()
		turn := r.Says("c1", "hello")
		id := r.Last("c1").ID
		ctx, cancel := r.WhileTurn(r.Ctx, turn)
		defer cancel()
		answers := make(chan error, 1)
		go func() { // thinks for half a minute
			select {
			case <-ctx.Done():
			case <-time.After(30 * time.Second):
			}
			_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "bot: hello"})
			answers <- err
		}()
		r.Sleep(10 * time.Second)
		_, err := other.TakeOver(r.Ctx, id, handoff.By("ann"), "support")
		require.NoError(t, err)
		r.Sleep(2 * time.Second)
		require.ErrorIs(t, context.Cause(ctx), handoff.ErrStale, "the model is stopped, on whatever replica it runs")
		require.ErrorIs(t, <-answers, handoff.ErrStale)

		// The take-over falls between the bot's look at the state and its commit.
		turn = r.Says("c2", "hello")
		var commits atomic.Int64
		r.Store.Plan(func(op string, id handoff.ID) handofftest.Fault {
			if op == "Commit" && id.Conversation == "c2" {
				return handofftest.Fault{Delay: time.Duration(commits.Add(1)) * time.Second} // the first one is first
			}
			return handofftest.Fault{}
		})
		_, err = other.Cancel(r.Ctx, "c1", false)
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() {
			_, err := other.TakeOver(r.Ctx, handoff.ID{Conversation: "c2", Number: 1}, handoff.By("ann"), "support")
			done <- err
		}()
		r.Wait() // it has decided, and is about to store
		_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "bot: hello"})
		require.NoError(t, <-done)
		require.ErrorIs(t, err, handoff.ErrStale)
		r.Store.Plan(nil)
		r.Sleep(time.Minute)
		require.Empty(t, saidBy(r, "c1", handoff.RoleBot))
		require.Empty(t, saidBy(r, "c2", handoff.RoleBot))
		require.Equal(t, 1, times(notices(r, "c2"), handoff.NoticeTakeOver))
	})
}

// fazer-ai/agents#158: the closing reply was sent twice, by the tool and then
// as the model's final text.
func TestW30_TheToolEndsTheTurn(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := r.Says("c1", "I want a person")
		_, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"}) // the tool
		require.NoError(t, err)
		_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "I am getting a person for you."}) // the model
		require.ErrorIs(t, err, handoff.ErrStale)
		_, err = r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"}) // the tool again
		require.ErrorIs(t, err, handoff.ErrStale)
		r.Sleep(time.Minute)
		require.Equal(t, []string{handoff.NoticeWaiting}, notices(r, "c1"))
		require.Empty(t, saidBy(r, "c1", handoff.RoleBot))

		// A reply that is repeated under its id is shown once.
		turn = r.Says("c2", "hello")
		for range 3 {
			_, err = r.Reply(r.Ctx, turn, handoff.Message{ID: "final", Text: "bye"})
			require.NoError(t, err)
		}
		r.Sleep(time.Second)
		require.Equal(t, []string{"bye"}, saidBy(r, "c2", handoff.RoleBot))
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}))
}

// chatwoot PR#15437, PR#14870: after an explicit unassign the next message went
// to the bot; some paths went round the take-over.
func TestW31_NoPathLeadsBackToTheBotByAccident(t *testing.T) {
	sup := handoff.BySupervisor("sup")
	paths := map[string]func(r *handofftest.Rig, ann *handofftest.Agent, id handoff.ID) error{
		"unassigned by a supervisor": func(r *handofftest.Rig, _ *handofftest.Agent, id handoff.ID) error {
			_, err := r.Requeue(r.Ctx, id, sup, "")
			return err
		},
		"given back by the agent": func(r *handofftest.Rig, ann *handofftest.Agent, id handoff.ID) error {
			_, err := r.Requeue(r.Ctx, id, ann.By(), "")
			return err
		},
		"moved to a queue": func(r *handofftest.Rig, ann *handofftest.Agent, id handoff.ID) error {
			_, err := r.Transfer(r.Ctx, id, ann.By(), handoff.Target{Queue: "other"})
			return err
		},
		"moved to an agent who does not answer": func(r *handofftest.Rig, ann *handofftest.Agent, id handoff.ID) error {
			r.Agent("bob", 1)
			_, err := r.Transfer(r.Ctx, id, ann.By(), handoff.Target{Agent: "bob"})
			r.Sleep(time.Minute)
			return err
		},
		"the agent was lost": func(r *handofftest.Rig, ann *handofftest.Agent, _ handoff.ID) error {
			ann.Leaves()
			r.Sleep(2 * time.Minute)
			return nil
		},
		"the agent was dismissed": func(r *handofftest.Rig, ann *handofftest.Agent, _ handoff.ID) error {
			return r.Floor.Delete(r.Ctx, ann.ID)
		},
		"held": func(r *handofftest.Rig, ann *handofftest.Agent, id handoff.ID) error {
			_, err := r.Hold(r.Ctx, id, ann.By(), "")
			return err
		},
		"taken over": func(r *handofftest.Rig, _ *handofftest.Agent, id handoff.ID) error {
			r.Agent("sup", 1)
			_, err := r.TakeOver(r.Ctx, id, sup, "")
			return err
		},
	}
	for name, path := range paths {
		t.Run(name, func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				ann := r.Agent("ann", 1)
				h := chat(r, ann, "c1")
				require.NoError(t, path(r, ann, h.ID))
				require.False(t, r.Says("c1", "hello?").Open(), "the bot has no turn")
				r.Sleep(2 * time.Minute)
				require.Equal(t, h.ID, r.Last("c1").ID, "it is the same handoff")
				require.NotEqual(t, handoff.RoleBot, controller(r, "c1"))
				require.Empty(t, r.Bot.Calls(handoff.BotResume))
				require.Empty(t, r.Bot.Calls(handoff.BotEnded))
				require.Len(t, r.Last("c1").Pending, 2, "help; hello?")
			}, queues(handoff.Queue{Name: "support", Ladder: patient()}, handoff.Queue{Name: "other", Ladder: patient()}))
		})
	}
}

// controller returns who answers a user now.
func controller(r *handofftest.Rig, conversation string) handoff.Role {
	h := r.Last(conversation)
	return h.Controller().Role
}

// chatwoot#5077: the bot handed off, nobody was notified, and the conversation
// was lost.
func TestW33_WaitingIsToldExactlyOnce(t *testing.T) {
	var staff recorder
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		other := r.Replica()
		turn := r.Says("c1", "help")
		// Storing works, but nobody learns of it; the host tries on both replicas.
		var commits atomic.Int64
		r.Store.Plan(func(op string, _ handoff.ID) handofftest.Fault {
			if op == "Commit" && commits.Add(1) <= 2 {
				return handofftest.Fault{After: handofftest.ErrStore}
			}
			return handofftest.Fault{}
		})
		for range 3 {
			_, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support", ID: "tool-1"})
			require.NoError(t, err)
			_, err = other.Request(r.Ctx, handoff.Request{Conversation: "c1", Queue: "support"})
			require.NoError(t, err)
		}
		r.Sleep(time.Minute)
		id := r.Last("c1").ID
		ids := map[string]bool{}
		for _, en := range staff.of(id, handoff.KindRequested, handoff.KindEnqueued) {
			ids[en.ID] = true
		}
		require.Len(t, ids, 2, "requested and enqueued, each once")
		require.Equal(t, 1, times(notices(r, "c1"), handoff.NoticeWaiting))
		ann := r.Agent("ann", 1)
		_, rings := ann.Offered()
		require.True(t, rings)
	}, func(c *handoff.Config) {
		c.Sinks = map[string]handoff.Sink{"staff": handoff.SinkFunc(func(_ context.Context, _ *handoff.Handoff, en *handoff.Entry) error {
			staff.sink(en)
			return nil
		})}
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}))
}

// RocketChat/Apps.Dialogflow PR#59: a handover was answered with "200 OK" when
// there was no agent.
func TestW38_TheResultIsExplicit(t *testing.T) {
	shut := time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := r.Says("c1", "a person, please")
		for queue, why := range map[string]handoff.Reason{"support": handoff.ReasonOffline, "night": handoff.ReasonClosed} {
			out, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: queue})
			var no *handoff.UnavailableError
			require.ErrorAs(t, err, &no)
			require.Equal(t, why, no.Why)
			require.Equal(t, queue, no.Queue)
			require.Equal(t, r.Last("c1").ID, no.Record, "it is recorded, so that staffing gaps show")
			require.True(t, out.Turn.Open(), "the bot goes on")
			if why == handoff.ReasonClosed {
				require.Equal(t, shut, no.Opens)
			}
		}
		require.Equal(t, 2, times(kinds(r, r.Last("c1").ID), handoff.KindRefused))
		_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "nobody is there, but I can help"})
		require.NoError(t, err)
		r.Wait()
		require.Empty(t, notices(r, "c1"), "nothing was promised")

		r.Agent("ann", 1)
		turn = r.Says("c1", "and now?")
		out, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"})
		require.NoError(t, err)
		require.Equal(t, handoff.StateWaiting, out.Handoff.State, "queued is another answer")
		require.False(t, out.Turn.Open())
	}, queues(handoff.Queue{Name: "support", NeedAgents: true}, handoff.Queue{Name: "night", Hours: until(shut)}))
}

// until are hours that begin at a time.
type until time.Time

func (u until) At(at time.Time) (bool, time.Time) {
	if at.Before(time.Time(u)) {
		return false, time.Time(u)
	}
	return true, time.Time{}
}

// RocketChat/Apps.Dialogflow#41: errors on both sides transferred a user to and
// fro without end.
func TestW39_NoEndlessTransfers(t *testing.T) {
	// The bot never answers, and no agent ever comes.
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		for i := range 6 {
			r.Says("c1", "hello "+talk(i))
			r.Sleep(time.Hour)
		}
		requested := 0
		all, err := r.List(r.Ctx, handoff.Query{Conversation: "c1"})
		require.NoError(t, err)
		for _, h := range all {
			requested += times(kinds(r, h.ID), handoff.KindRequested)
		}
		require.Equal(t, 3, requested, "three escalations in a row, then no more")
		require.Contains(t, notices(r, "c1"), handoff.NoticeUnanswered, "the user is told")
		require.Equal(t, handoff.RoleBot, controller(r, "c1"))
	}, func(c *handoff.Config) { c.BotQueue, c.BotIdle = "support", 24*time.Hour })

	// An agent who always gives it back is not asked again at once.
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := chat(r, ann, "c1")
		for end := time.Now().Add(30 * time.Minute); time.Now().Before(end); r.Sleep(time.Second) {
			if now := r.Now(h.ID); now.State == handoff.StateActive {
				_, err := r.Requeue(r.Ctx, h.ID, ann.By(), "not mine")
				require.NoError(t, err)
			} else if _, rings := ann.Offered(); rings {
				ann.Accept()
			}
		}
		n := times(kinds(r, h.ID), handoff.KindJoined)
		require.Greater(t, n, 3)
		require.LessOrEqual(t, n, 7, "once in five minutes")
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}))
}
