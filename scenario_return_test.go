package handoff_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// answers makes the bot of a rig answer every message of every call.
func answers(r *handofftest.Rig) {
	r.Bot.Do = func(ctx context.Context, e *handoff.Engine, c handoff.BotCall) error {
		for _, m := range c.Turn.Messages {
			if _, err := e.Reply(ctx, c.Turn, handoff.Message{ID: "to-" + m.ID, Text: "bot: " + m.Text}); err != nil {
				return err
			}
		}
		return nil
	}
}

// fazer-ai/agents#452, #457: after the return the bot stayed silent: its memory
// had only the start of the human stretch, and a watermark ate the message.
func TestW34_TheBotKnowsAndAnswersAfterTheReturn(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		answers(r)
		ann := r.Agent("ann", 1)
		h := chat(r, ann, "c1")
		ann.Says(h.ID, "how can I help?")
		r.Says("c1", "refund order 7")
		ann.Says(h.ID, "done")
		r.Says("c1", "and order 8?")
		ann.Returns(h.ID, "refunded order 7")
		r.Sleep(time.Second)

		calls := r.Bot.Calls(handoff.BotEnded)
		require.Len(t, calls, 1)
		c := calls[0]
		require.Equal(t, handoff.OutcomeReturned, c.Outcome)
		require.Contains(t, c.Summary, "refunded order 7")
		var human []string
		for _, en := range c.Human {
			human = append(human, en.Text)
		}
		require.Equal(t, []string{"how can I help?", "refund order 7", "done", "and order 8?"}, human, "all of it, not its start")
		require.Len(t, c.Turn.Messages, 1)
		require.Equal(t, "and order 8?", c.Turn.Messages[0].Text)
		require.Equal(t, []string{"bot: and order 8?"}, saidBy(r, "c1", handoff.RoleBot))

		// The bot is not mute from now on.
		turn := r.Says("c1", "thanks")
		require.True(t, turn.Open())
	})
}

// rasa#8119, #3683, rasa_core#243: a paused conversation could not be resumed,
// neither from inside nor from outside.
func TestW35_AnybodyMayGiveTheUserBack(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		other := r.Replica()
		ann := r.Agent("ann", 3)
		back := func(conversation string) {
			t.Helper()
			r.Sleep(time.Second)
			require.Equal(t, handoff.RoleBot, controller(r, conversation))
			require.True(t, r.Says(conversation, "hello bot").Open())
		}
		h := chat(r, ann, "c1")
		_, err := other.Return(r.Ctx, h.ID, handoff.BySupervisor("a script"), "") // from outside
		require.NoError(t, err)
		back("c1")

		r.Says("c2", "help") // by the bot's own host, while the user waits
		r.Asks("c2")
		_, err = r.Cancel(r.Ctx, "c2", false)
		require.NoError(t, err)
		back("c2")

		h = chat(r, ann, "c3") // by itself, after the time the bot has to stay out
		_, err = r.End(r.Ctx, h.ID, ann.By(), handoff.Ending{StayOut: time.Hour})
		require.NoError(t, err)
		require.False(t, r.Says("c3", "are you there?").Open())
		r.Sleep(time.Hour + 2*time.Second)
		back("c3")
		calls := r.Bot.Calls(handoff.BotEnded)
		require.Equal(t, "c3", calls[len(calls)-1].Turn.Conversation)
		require.Len(t, calls[len(calls)-1].Turn.Messages, 2, "help; are you there?")
	})
}

// botframework-solutions#2919, botbuilder-dotnet#5547: with the wrong end signal
// the dialogue never ended, and nobody had the user.
func TestW36_EveryEndHasAnOutcomeAndAnOwner(t *testing.T) {
	ends := map[handoff.Outcome]func(r *handofftest.Rig, ann *handofftest.Agent){
		handoff.OutcomeResolved: func(r *handofftest.Rig, ann *handofftest.Agent) { ann.Ends(chat(r, ann, "c1").ID) },
		handoff.OutcomeReturned: func(r *handofftest.Rig, ann *handofftest.Agent) { ann.Returns(chat(r, ann, "c1").ID, "") },
		handoff.OutcomeAbandoned: func(r *handofftest.Rig, ann *handofftest.Agent) {
			_, err := r.End(r.Ctx, chat(r, ann, "c1").ID, ann.By(), handoff.Ending{Outcome: handoff.OutcomeAbandoned})
			require.NoError(r.T, err)
		},
		handoff.OutcomeCancelled: func(r *handofftest.Rig, ann *handofftest.Agent) {
			chat(r, ann, "c1")
			_, err := r.Cancel(r.Ctx, "c1", false)
			require.NoError(r.T, err)
		},
		handoff.OutcomeIdle: func(r *handofftest.Rig, ann *handofftest.Agent) {
			chat(r, ann, "c1")
			r.Sleep(16 * time.Minute)
		},
		handoff.OutcomeMissed: func(r *handofftest.Rig, ann *handofftest.Agent) {
			ann.Leaves()
			r.Says("c1", "help")
			r.Asks("c1")
			r.Sleep(11 * time.Minute)
		},
		handoff.OutcomeHanded: func(r *handofftest.Rig, _ *handofftest.Agent) {
			_, err := r.Handover(r.Ctx, r.Says("c1", "help"), "sales-bot", "")
			require.NoError(r.T, err)
		},
	}
	for want, end := range ends {
		t.Run(string(want), func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				end(r, r.Agent("ann", 1))
				r.Sleep(2 * time.Second)
				first := r.Now(handoff.ID{Conversation: "c1", Number: 1})
				require.Equal(t, handoff.StateEnded, first.State)
				require.Equal(t, want, first.Outcome)
				calls := r.Bot.Calls(handoff.BotEnded)
				require.Len(t, calls, 1, "the bot hears of the end, once")
				require.Equal(t, want, calls[0].Outcome)
				require.True(t, calls[0].Turn.Open())
				require.Equal(t, handoff.RoleBot, controller(r, "c1"))
				next := r.Last("c1")
				require.EqualValues(t, 2, next.ID.Number)
				require.Greater(t, next.Epoch, first.Epoch)
			})
		})
	}
}

// RocketChat/Apps.Rasa#26: the handover worked once; the second time it failed
// with "user is already present in department".
func TestW37_AgainAndAgain(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		answers(r)
		ann := r.Agent("ann", 1)
		for i := range 7 {
			turn := r.Says("c1", "help "+talk(i))
			require.True(t, turn.Open())
			out, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"})
			require.NoError(t, err)
			require.False(t, out.Existing)
			require.EqualValues(t, i+1, out.Handoff.ID.Number)
			r.Sleep(time.Second)
			h := takes(r, ann, "c1")
			ann.Says(h.ID, "done")
			if i%2 == 0 {
				ann.Returns(h.ID, "")
			} else {
				ann.Ends(h.ID)
			}
			r.Sleep(time.Second)
			require.Len(t, r.Bot.Calls(handoff.BotEnded), i+1)
			require.Equal(t, i+1, times(notices(r, "c1"), handoff.NoticeJoined))
		}
		require.Equal(t, 1, free(r, "support"))
	})
}

// google/adk-python#5238: transferring back dropped the user's pending message,
// and looped.
func TestW40_ThePendingMessageSurvivesEveryWayBack(t *testing.T) {
	ways := map[string]func(r *handofftest.Rig, ann *handofftest.Agent, id handoff.ID) error{
		"returned": func(r *handofftest.Rig, ann *handofftest.Agent, id handoff.ID) error {
			_, err := r.Return(r.Ctx, id, ann.By(), "")
			return err
		},
		"ended": func(r *handofftest.Rig, ann *handofftest.Agent, id handoff.ID) error {
			_, err := r.End(r.Ctx, id, ann.By(), handoff.Ending{})
			return err
		},
		"cancelled": func(r *handofftest.Rig, _ *handofftest.Agent, id handoff.ID) error {
			_, err := r.Cancel(r.Ctx, id.Conversation, false)
			return err
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				answers(r)
				other := r.Replica()
				ann := r.Agent("ann", 2)
				for i := range 20 {
					conversation := talk(i)
					h := chat(r, ann, conversation)
					_, err := r.Send(r.Ctx, h.ID, ann.By(), handoff.Message{Text: "let me see", Seen: h.Seq})
					require.NoError(t, err)
					slowCommits(r, time.Duration(i)*time.Millisecond)
					// The user writes at the very moment of the return.
					turns := make([]handoff.Turn, 3)
					errs := atOnce(3, func(n int) error {
						if n == 0 {
							return way(r, ann, h.ID)
						}
						var err error
						turns[n], err = other.Receive(r.Ctx, handoff.Incoming{Conversation: conversation, ID: "x" + talk(n), Text: "x" + talk(n)})
						if err == nil && turns[n].Open() {
							_, err = other.Reply(r.Ctx, turns[n], handoff.Message{Text: "bot: x" + talk(n)})
						}
						return err
					})
					require.Equal(t, 3, won(errs), "%v", errs)
					r.Store.Plan(nil)
					r.Sleep(2 * time.Second)
					said := saidBy(r, conversation, handoff.RoleBot)
					slices.Sort(said)
					require.Equal(t, []string{"bot: xc1", "bot: xc2"}, said, "each is answered, once")
					require.Equal(t, 1, times(kinds(r, h.ID), handoff.KindEnded), "and nothing goes round")
				}
			})
		})
	}
}

// Who ends a conversation with an agent cancels no request: it was answered.
func TestTheUserIsToldWhatHeEnded(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		last := func() string {
			t.Helper()
			_, err := r.Cancel(r.Ctx, "c1", false)
			require.NoError(t, err)
			r.Wait()
			all := notices(r, "c1")
			return all[len(all)-1]
		}
		r.Asks("c1")
		require.Equal(t, handoff.NoticeCancelled, last())

		ann := r.Agent("ann", 1)
		r.Asks("c1")
		h := takes(r, ann, "c1")
		require.Equal(t, handoff.NoticeEnded, last())
		require.Equal(t, handoff.OutcomeCancelled, r.Now(h.ID).Outcome)
	})
}
