package handoff_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// b: the bot's turn.

func unwatched(c *handoff.Config) { c.Unwatched = true }

// cxHistory is a host that stores a message before it calls Receive.
type cxHistory map[string][]handoff.Past

func (h cxHistory) Messages(_ context.Context, conversation string) ([]handoff.Past, error) {
	return h[conversation], nil
}

// A turn from before a whole human stretch is stale, though nothing is open
// again.
func TestB1_TurnFromBeforeAHumanStretch(t *testing.T) {
	for name, opt := range map[string]func(*handoff.Config){"watched": func(*handoff.Config) {}, "unwatched": unwatched} {
		t.Run(name, func(t *testing.T) {
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				b, _ := cxIdle(t, r)
				r.Agent("ann", 1)
				turn := cxWrite(t, r.Engine, "c", "m0", "hello")
				require.True(t, turn.Open())
				h := cxAsk(t, b, "c")
				cxTakes(t, b, h.ID, "ann")
				_, err := b.Return(t.Context(), h.ID, handoff.By("ann"), "")
				require.NoError(t, err)

				_, err = r.Reply(t.Context(), turn, handoff.Message{Text: "too late"})
				require.ErrorIs(t, err, handoff.ErrStale)
				require.ErrorIs(t, r.Done(t.Context(), handoff.Turn{
					Conversation: "c", Number: h.ID.Number, Epoch: turn.Epoch, Call: turn.Call,
				}), handoff.ErrStale)
				r.Start()
				r.Sleep(10 * time.Second)
				require.NotContains(t, r.Users.Texts("c"), "too late")
			}, opt)
		})
	}
}

// The check of a watched reply is its commit: what comes between makes it
// stale, and its text is never shown.
func TestB2_ReplyIsACommit(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		a, tap := cxIdle(t, r)
		b, _ := cxIdle(t, r)
		r.Agent("ann", 1)
		turn := cxWrite(t, a, "c", "m0", "hello")
		tap.on(cxHook{match: func(s step) bool { return s.commits("r/") }, before: func() { cxAsk(t, b, "c") }})
		_, err := a.Reply(t.Context(), turn, handoff.Message{Text: "too late"})
		require.ErrorIs(t, err, handoff.ErrStale)
		_, err = a.Say(t.Context(), "c", handoff.Message{Text: "by the way"})
		require.ErrorIs(t, err, handoff.ErrStale, "nor a message that answers nobody")
		r.Sleep(10 * time.Second)
		h := cxTakes(t, r.Engine, handoff.ID{Conversation: "c", Number: 1}, "ann")
		_, err = a.Reply(t.Context(), turn, handoff.Message{Text: "too late"})
		require.ErrorIs(t, err, handoff.ErrStale)
		_, err = a.Say(t.Context(), "c", handoff.Message{Text: "by the way"})
		require.ErrorIs(t, err, handoff.ErrStale)
		require.NotContains(t, r.Users.Texts("c"), "too late")
		require.Equal(t, []string{"m0"}, cxPending(h))
	})
}

// A refused reply loses nothing: its message is where control is.
func TestB3_RefusedReplyKeepsTheMessage(t *testing.T) {
	for name, opt := range map[string]func(*handoff.Config){"watched": func(*handoff.Config) {}, "unwatched": unwatched} {
		t.Run(name, func(t *testing.T) {
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				b, _ := cxIdle(t, r)
				turn := cxWrite(t, r.Engine, "c", "m0", "hello")
				h := cxAsk(t, b, "c")
				for range 2 {
					_, err := r.Reply(t.Context(), turn, handoff.Message{Text: "too late"})
					require.ErrorIs(t, err, handoff.ErrStale)
				}
				require.Equal(t, []string{"hello"}, cxSaid(r, h.ID), "once, and without the bot's text")
				require.Equal(t, []string{"m0"}, cxPending(r.Now(h.ID)))
				require.False(t, cxWrite(t, r.Engine, "c", "m0", "hello").Open())
				require.Len(t, cxSaid(r, h.ID), 1)
			}, opt)
		})
	}
}

// A bot that thinks about an old message may not ask for a person any more.
func TestB4_RequestFromAStaleTurn(t *testing.T) {
	for name, opt := range map[string]func(*handoff.Config){"watched": func(*handoff.Config) {}, "unwatched": unwatched} {
		t.Run(name, func(t *testing.T) {
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				b, _ := cxIdle(t, r)
				turn := cxWrite(t, r.Engine, "c", "m0", "hello")
				h := cxAsk(t, b, "c")
				_, err := r.Request(t.Context(), handoff.Request{Turn: turn, Queue: "support"})
				if name == "watched" {
					require.ErrorIs(t, err, handoff.ErrStale, "while a request is open")
				}
				_, err = b.Cancel(t.Context(), "c", false)
				require.NoError(t, err)
				_, err = r.Request(t.Context(), handoff.Request{Turn: turn, Queue: "support"})
				require.ErrorIs(t, err, handoff.ErrStale, "before the next stretch is open")
				r.Start()
				_, err = r.Request(t.Context(), handoff.Request{Turn: turn, Queue: "support"})
				require.ErrorIs(t, err, handoff.ErrStale, "and after")
				require.NotEqual(t, handoff.StateWaiting, r.Last("c").State)
				require.Equal(t, handoff.OutcomeCancelled, r.Now(h.ID).Outcome)
			}, opt)
		})
	}
}

// A packet brings a fresh turn for the messages that are still open.
func TestB5_PacketHasAFreshTurn(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		ann := r.Agent("ann", 1)
		old := cxWrite(t, r.Engine, "c", "m0", "hello")
		h := cxTakes(t, r.Engine, r.Asks("c").ID, "ann")
		ann.Returns(h.ID, "all yours")
		calls := r.Bot.Calls(handoff.BotEnded)
		require.Len(t, calls, 1)
		turn := calls[0].Turn
		require.True(t, turn.Open())
		require.Equal(t, []string{"m0"}, cxAsked(turn))
		require.NotEqual(t, old.Call, turn.Call)
		require.Equal(t, handoff.OutcomeReturned, calls[0].Outcome)
		require.Contains(t, calls[0].Summary, "all yours")
		_, err := r.Reply(t.Context(), turn, handoff.Message{Text: "hi"})
		require.NoError(t, err)
		require.Empty(t, r.Last("c").Pending)
	})
}

// Erasing keeps the number, so that an old turn stays old.
func TestB6_EraseKeepsTheNumber(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		turn := cxWrite(t, r.Engine, "c", "m0", "hello")
		require.Zero(t, turn.Number)
		r.Asks("c")
		_, err := r.Cancel(t.Context(), "c", false)
		require.NoError(t, err)
		r.Wait()
		next := r.Last("c")
		require.Equal(t, int64(2), next.ID.Number)
		require.NoError(t, r.Erase(t.Context(), "c"))
		_, err = r.Reply(t.Context(), turn, handoff.Message{Text: "too late"})
		require.ErrorIs(t, err, handoff.ErrStale)
		require.Equal(t, int64(3), cxAsk(t, r.Engine, "c").ID.Number)
		require.Greater(t, r.Last("c").Epoch, next.Epoch)
	}, unwatched)
}

// A message that the bot has answered is no news when the channel repeats it.
func TestB7_RepeatAfterARequest(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		turn := cxWrite(t, r.Engine, "c", "m0", "hello")
		_, err := r.Reply(t.Context(), turn, handoff.Message{Text: "hi"})
		require.NoError(t, err)
		h := cxAsk(t, r.Engine, "c")
		require.False(t, cxWrite(t, r.Engine, "c", "m0", "hello").Open())
		require.Equal(t, []string{"hello", "hi"}, cxSaid(r, h.ID))
		require.Empty(t, r.Now(h.ID).Pending)
	})
}

// The same where the engine did not watch: the host's history makes it known.
func TestB7_RepeatAfterARequestUnwatched(t *testing.T) {
	past := cxHistory{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		past["c"] = []handoff.Past{{ID: "m0", Text: "hello"}, {ID: "b0", From: handoff.Party{Role: handoff.RoleBot}, Text: "hi"}}
		turn := cxWrite(t, r.Engine, "c", "m0", "hello")
		_, err := r.Reply(t.Context(), turn, handoff.Message{Text: "hi"})
		require.NoError(t, err)
		r.Start()
		h := r.Asks("c")
		require.False(t, cxWrite(t, r.Engine, "c", "m0", "hello").Open())
		require.Equal(t, []string{"hello", "hi"}, cxSaid(r, h.ID))
		require.Empty(t, r.Now(h.ID).Pending)
	}, unwatched, func(c *handoff.Config) { c.History = past })
}

// The bot escalates on m1 while m0 is still at the bot: both are seen, in the
// order in which they were written.
func TestB9_OrderOfTwoMessagesAtTheBot(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		t0 := cxWrite(t, r.Engine, "c", "m0", "first")
		t1 := cxWrite(t, r.Engine, "c", "m1", "second")
		out, err := r.Request(t.Context(), handoff.Request{Turn: t1, Queue: "support"})
		require.NoError(t, err)
		_, err = r.Reply(t.Context(), t0, handoff.Message{Text: "too late"})
		require.ErrorIs(t, err, handoff.ErrStale)
		require.Equal(t, []string{"first", "second"}, cxSaid(r, out.Handoff.ID))
		require.Equal(t, []string{"m0", "m1"}, cxPending(r.Now(out.Handoff.ID)))
	})
}

// Unwatched, the transcript that a platform gets is in order all the same.
func TestB9_OrderOfImportedMessages(t *testing.T) {
	past := cxHistory{}
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		in := func(id string) handoff.Incoming {
			m := handoff.Incoming{Conversation: "c", ID: id, Text: id, At: time.Now()}
			past["c"] = append(past["c"], handoff.Past{ID: id, Text: id, At: m.At})
			r.Sleep(time.Second)
			return m
		}
		t0, err := r.Receive(t.Context(), in("m0"))
		require.NoError(t, err)
		t1, err := r.Receive(t.Context(), in("m1"))
		require.NoError(t, err)
		out, err := r.Request(t.Context(), handoff.Request{Turn: t1, Queue: "support"})
		require.NoError(t, err)
		_, err = r.Reply(t.Context(), t0, handoff.Message{Text: "too late"})
		require.ErrorIs(t, err, handoff.ErrStale)
		r.Start()
		r.Sleep(2 * time.Second)
		require.Equal(t, []string{"m0", "m1"}, p.all("r1"), "once each")
		require.Len(t, cxSaid(r, out.Handoff.ID), 2)
	}, unwatched, func(c *handoff.Config) { c.History = past }, p.serve)
}

// The bot's process dies holding m0: the agent finds m0, before he can accept.
func TestB10_DeathOfTheBot(t *testing.T) {
	past := cxHistory{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		b, _ := cxIdle(t, r)
		r.Agent("ann", 1)
		past["c"] = []handoff.Past{{ID: "m0", Text: "hello"}}
		cxWrite(t, r.Engine, "c", "m0", "hello") // its turn is lost
		h := cxAsk(t, b, "c")
		require.NoError(t, b.AgentChanged(t.Context(), "ann"))
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State, "nobody may accept before the history is there")
		_, err := b.Assign(t.Context(), h.ID, handoff.BySupervisor("sue"), "ann")
		require.ErrorIs(t, err, handoff.ErrState)
		r.Start()
		require.NotZero(t, cxOffered(r.Now(h.ID), "ann"))
		require.Equal(t, []string{"hello"}, cxSaid(r, h.ID))
	}, unwatched, func(c *handoff.Config) { c.History = past })
}

// Nor may anybody pull it from a list before.
func TestB10_NoPullBeforeTheHistory(t *testing.T) {
	past := cxHistory{"c": {{ID: "m0", Text: "hello"}}}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		b, _ := cxIdle(t, r)
		r.Agent("ann", 1)
		h := cxAsk(t, b, "c")
		_, err := b.Accept(t.Context(), h.ID, handoff.By("ann"), 0)
		require.ErrorIs(t, err, handoff.ErrState)
		r.Start()
		_, err = b.Accept(t.Context(), h.ID, handoff.By("ann"), 0)
		require.NoError(t, err)
		require.Equal(t, []string{"hello"}, cxSaid(r, h.ID))
	}, func(c *handoff.Config) { c.History = past }, cxQueue(func(q *handoff.Queue) { q.Style = handoff.Pull }))
}

// Watched, it is in the log from the start.
func TestB10_DeathOfTheBotWatched(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		cxWrite(t, r.Engine, "c", "m0", "hello") // its turn is lost
		h := cxAsk(t, r.Engine, "c")
		require.Equal(t, []string{"hello"}, cxSaid(r, h.ID))
		require.Equal(t, []string{"m0"}, cxPending(r.Now(h.ID)))
	})
}
