package handoff_test

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// g: the chain of a conversation's handoffs.

// cxOver is a request with m0 open that the user cancels: nobody has done what
// follows from that.
func cxOver(t *testing.T, r *handofftest.Rig) handoff.ID {
	t.Helper()
	cxWrite(t, r.Engine, "c", "m0", "m0")
	h := cxAsk(t, r.Engine, "c")
	h, err := r.Cancel(t.Context(), "c", false)
	require.NoError(t, err)
	require.Equal(t, handoff.StateEnded, h.State)
	return h.ID
}

func second() handoff.ID { return handoff.ID{Conversation: "c", Number: 2} }

// The replica that ended a handoff dies before it opens the next one: the
// ended record is due.
func TestG1_EndedIsDueUntilTheNextExists(t *testing.T) {
	for name, end := range map[string]func(r *handofftest.Rig, id handoff.ID) error{
		"return": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.Return(r.T.Context(), id, handoff.By("ann"), "")
			return err
		},
		"end": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.End(r.T.Context(), id, handoff.By("ann"), handoff.Ending{})
			return err
		},
		"user left": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.Cancel(r.T.Context(), id.Conversation, true)
			return err
		},
	} {
		for _, wrapup := range []time.Duration{handoff.Never, time.Hour} {
			t.Run(name+" "+wrapup.String(), func(t *testing.T) {
				cxRun(t, func(t *testing.T, r *handofftest.Rig) {
					r.Agent("ann", 1)
					cxWrite(t, r.Engine, "c", "m0", "m0")
					h := cxTakes(t, r.Engine, cxAsk(t, r.Engine, "c").ID, "ann")
					require.NoError(t, end(r, h.ID))
					require.Equal(t, h.ID, r.Last("c").ID)
					cxDeaf(t, r)
					require.Equal(t, second(), r.Last("c").ID)
					require.Equal(t, []string{"m0"}, cxPending(r.Last("c")))
					calls := r.Bot.Calls(handoff.BotEnded)
					require.Len(t, calls, 1)
					require.Equal(t, []string{"m0"}, cxAsked(calls[0].Turn))
					require.Equal(t, []string{"m0"}, cxSaid(r, second()))
				}, cxQueue(func(q *handoff.Queue) { q.Wrapup = wrapup }))
			})
		}
	}
}

// So it is however the bot got the user back: the user cancels, nobody comes,
// the platform fails.
func TestG2_EveryWayBackOwesTheNext(t *testing.T) {
	p := newCxPlatform("desk")
	p.onOpen = func(int, handoff.Opening) error { return &handoff.ProviderError{Op: "open", Code: "no"} }
	for name, c := range map[string]struct {
		end     func(t *testing.T, r *handofftest.Rig)
		change  func(*handoff.Config)
		outcome handoff.Outcome
	}{
		"cancel": {func(t *testing.T, r *handofftest.Rig) {
			_, err := r.Cancel(t.Context(), "c", false)
			require.NoError(t, err)
		}, func(*handoff.Config) {}, handoff.OutcomeCancelled},
		"ladder":   {func(*testing.T, *handofftest.Rig) {}, func(*handoff.Config) {}, handoff.OutcomeMissed},
		"platform": {func(*testing.T, *handofftest.Rig) {}, p.serve, handoff.OutcomeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				cxWrite(t, r.Engine, "c", "m0", "m0")
				cxAsk(t, r.Engine, "c")
				c.end(t, r)
				cxDeaf(t, r)
				r.Sleep(10*time.Minute + 3*time.Second)
				calls := r.Bot.Calls(handoff.BotEnded)
				require.Len(t, calls, 1)
				require.Equal(t, c.outcome, calls[0].Outcome)
				require.Equal(t, "m0", r.Entries(second())[1].Message)
			}, c.change)
		})
	}
}

// A message opens the next handoff before the worker does: it takes over what
// was open, in order, and before its own.
func TestG3_WhoeverOpensCarries(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		cxOver(t, r)
		turn := cxWrite(t, r.Engine, "c", "m1", "m1")
		require.Equal(t, second(), turn.ID())
		require.Equal(t, []string{"m1"}, cxAsked(turn))
		require.Equal(t, []string{"m0", "m1"}, cxPending(r.Last("c")))
		require.Equal(t, []string{"m0", "m1"}, cxSaid(r, second()))
		cxDeaf(t, r)
		r.Sleep(10 * time.Second)
		calls := r.Bot.Calls(handoff.BotEnded)
		require.Len(t, calls, 1)
		require.Equal(t, []string{"m0"}, cxAsked(calls[0].Turn))
	})
}

// A request does too, and an agent who takes it sees both.
func TestG3_RequestCarries(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1)
		cxOver(t, r)
		h := cxAsk(t, r.Engine, "c")
		require.Equal(t, second(), h.ID)
		cxWrite(t, r.Engine, "c", "m1", "m1")
		cxTakes(t, r.Engine, h.ID, "ann")
		require.Equal(t, []string{"m0", "m1"}, cxPending(r.Now(h.ID)))
		cxDeaf(t, r)
		r.Sleep(10 * time.Second)
		require.Equal(t, h.ID, r.Last("c").ID)
		calls := r.Bot.Calls(handoff.BotEnded)
		require.Len(t, calls, 1, "the bot learns of the end of 1 all the same")
		require.False(t, calls[0].Turn.Open(), "and has no control")
	})
}

// What is taken over stands before what opened the next handoff.
func TestG4_CarriedComesFirst(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		cxWrite(t, r.Engine, "c", "m00", "m00")
		cxOver(t, r)
		cxWrite(t, r.Engine, "c", "m1", "m1")
		r.Start()
		r.Sleep(10 * time.Second)
		require.Equal(t, []string{"m00", "m0", "m1"}, cxSaid(r, second()))
		require.Equal(t, []string{"m00", "m0", "m1"}, cxPending(r.Last("c")))
	})
}

// A slow worker of 1 comes when 2 has come and gone: exactly 2 is what it may
// insert.
func TestG5_ExactlyTheNextNumber(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1)
		cxOver(t, r)
		b, _ := cxIdle(t, r)
		_, tap := cxIdle(t, r)
		done := false
		tap.on(cxHook{match: func(s step) bool { return s.commits("open") && s.id == second() }, before: func() {
			cxWrite(t, b, "c", "m1", "m1")
			cxTakes(t, b, second(), "ann")
			cxSays(t, b, second(), "answer to both")
			_, err := b.Return(t.Context(), second(), handoff.By("ann"), "")
			require.NoError(t, err)
			done = true
		}})
		cfg := r.Config
		cfg.Store = tap
		slow, err := handoff.New(cfg)
		require.NoError(t, err)
		cxRunning(t, slow)
		r.Sleep(time.Minute)
		require.True(t, done)
		h := r.Last("c")
		require.Equal(t, int64(3), h.ID.Number)
		require.Empty(t, h.Pending)
		require.Empty(t, cxSaid(r, h.ID))
	})
}

// The worker opens 2 and dies before it calls the bot.
func TestG6_PacketIsADelivery(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		cxOver(t, r)
		_, tap := cxIdle(t, r)
		tap.on(cxHook{match: func(s step) bool { return s.commits("open") }, after: tap.kill})
		cfg := r.Config
		cfg.Store = tap
		dies, err := handoff.New(cfg)
		require.NoError(t, err)
		cxRunning(t, dies)
		require.Equal(t, second(), r.Last("c").ID)
		require.Empty(t, r.Bot.Calls(""))
		cxDeaf(t, r)
		r.Sleep(10 * time.Second)
		calls := r.Bot.Calls(handoff.BotEnded)
		require.Len(t, calls, 1)
		require.Equal(t, handoff.OutcomeCancelled, calls[0].Outcome)
		require.Equal(t, int64(1), calls[0].Handoff.ID.Number)
		require.Equal(t, []string{"m0"}, cxAsked(calls[0].Turn))
	}, func(c *handoff.Config) { c.BotTimeout = time.Hour })
}

// Receive and the packet hand out different messages, and each may be
// answered once.
func TestG7_OneCallForEachMessage(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		cxOver(t, r)
		turn := cxWrite(t, r.Engine, "c", "m1", "m1")
		r.Start()
		r.Sleep(10 * time.Second)
		calls := r.Bot.Calls(handoff.BotEnded)
		require.Len(t, calls, 1)
		require.Equal(t, []string{"m1"}, cxAsked(turn))
		require.Equal(t, []string{"m0"}, cxAsked(calls[0].Turn))
		_, err := r.Reply(t.Context(), turn, handoff.Message{Text: "to m1"})
		require.NoError(t, err)
		require.Equal(t, []string{"m0"}, cxPending(r.Last("c")))
		_, err = r.Reply(t.Context(), calls[0].Turn, handoff.Message{Text: "to m0"})
		require.NoError(t, err)
		require.Empty(t, r.Last("c").Pending)
	})
}

// The bot timeout moves the message to another call: the late answer is
// refused, though number and epoch are the same.
func TestG8_LateAnswerAfterTheTimeout(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		late := r.Says("c", "m0")
		r.Sleep(62 * time.Second)
		calls := r.Bot.Calls(handoff.BotResume)
		require.Len(t, calls, 1)
		turn := calls[0].Turn
		require.Equal(t, late.Epoch, turn.Epoch)
		require.Equal(t, cxAsked(late), cxAsked(turn))
		_, err := r.Reply(t.Context(), late, handoff.Message{Text: "late"})
		require.ErrorIs(t, err, handoff.ErrStale)
		require.ErrorIs(t, r.Done(t.Context(), late), handoff.ErrStale)
		_, err = r.Request(t.Context(), handoff.Request{Turn: late, Queue: "support"})
		require.ErrorIs(t, err, handoff.ErrStale)
		_, err = r.Reply(t.Context(), turn, handoff.Message{Text: "in time"})
		require.NoError(t, err)
		r.Wait()
		require.Equal(t, []string{"in time"}, r.Users.Texts("c"))
	})
}

// A message that is at the bot is not handed out again because the channel
// repeats it.
func TestG9_RepeatGetsNoTurn(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		turn := cxWrite(t, r.Engine, "c", "m0", "m0")
		b, _ := cxIdle(t, r)
		require.False(t, cxWrite(t, b, "c", "m0", "m0").Open())
		_, err := r.Reply(t.Context(), turn, handoff.Message{Text: "once"})
		require.NoError(t, err)
		require.False(t, cxWrite(t, b, "c", "m0", "m0").Open())
		require.Equal(t, []string{"m0", "once"}, cxSaid(r, handoff.ID{Conversation: "c", Number: 1}))
	})
}

// Two messages at the bot: an answer to one settles that one.
func TestG10_AnswerSettlesItsOwn(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		r.Says("c", "first")
		turn := r.Says("c", "second")
		_, err := r.Reply(t.Context(), turn, handoff.Message{Text: "to the second"})
		require.NoError(t, err)
		require.Equal(t, []string{"m1"}, cxPending(r.Last("c")))
		r.Sleep(62 * time.Second)
		calls := r.Bot.Calls(handoff.BotResume)
		require.Len(t, calls, 1)
		require.Equal(t, []string{"m1"}, cxAsked(calls[0].Turn))
	})
}

// Idle does not end a conversation whose message is at the bot.
func TestG11_IdleWaitsForTheAnswer(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		turn := r.Says("c", "m0")
		r.Sleep(20 * time.Minute)
		require.Equal(t, handoff.StateBot, r.Last("c").State)
		_, err := r.Reply(t.Context(), turn, handoff.Message{Text: "at last"})
		require.NoError(t, err)
		r.Sleep(10 * time.Minute)
		require.Equal(t, handoff.OutcomeContained, r.Last("c").Outcome)
	}, func(c *handoff.Config) { c.BotTimeout, c.BotIdle = time.Hour, 5*time.Minute })
}

// Nor one whose packet the bot has not got.
func TestG11_IdleWaitsForThePacket(t *testing.T) {
	var works atomic.Bool
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Bot.Do = func(context.Context, *handoff.Engine, handoff.BotCall) error {
			if !works.Load() {
				return errDead
			}
			return nil
		}
		cxAsk(t, r.Engine, "c")
		_, err := r.Cancel(t.Context(), "c", false)
		require.NoError(t, err)
		r.Start()
		r.Sleep(20 * time.Minute)
		require.Equal(t, handoff.StateBot, r.Last("c").State)
		require.ErrorIs(t, r.Erase(t.Context(), "c"), handoff.ErrOpen)
		works.Store(true)
		r.Sleep(10 * time.Minute)
		require.Len(t, r.Bot.Calls(handoff.BotEnded), 1)
		require.Equal(t, handoff.OutcomeContained, r.Last("c").Outcome)
	}, func(c *handoff.Config) { c.BotIdle = time.Minute })
}

// Message ids are known per conversation, not per handoff.
func TestG12_KnownInTheNextHandoff(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		_, err := r.Reply(t.Context(), cxWrite(t, r.Engine, "c", "m0", "m0"), handoff.Message{Text: "answer"})
		require.NoError(t, err)
		r.Sleep(40 * time.Minute)
		require.Equal(t, handoff.OutcomeContained, r.Last("c").Outcome)
		cxWrite(t, r.Engine, "c", "m1", "m1")
		for range 2 {
			require.False(t, cxWrite(t, r.Engine, "c", "m0", "m0").Open())
		}
		require.Equal(t, []string{"m1"}, cxSaid(r, second()))
	})
}

// A repeat alone does not open a handoff either.
func TestG12_RepeatAfterTheEnd(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		require.NoError(t, r.Done(t.Context(), cxWrite(t, r.Engine, "c", "m0", "m0")))
		r.Sleep(40 * time.Minute)
		require.False(t, cxWrite(t, r.Engine, "c", "m0", "m0").Open())
		require.Equal(t, int64(1), r.Last("c").ID.Number)
	})
}

// A resume is delivered, its Ack is lost, and it is delivered again: both runs
// of the bot answer, the user sees one.
func TestG13_CallDeliveredTwice(t *testing.T) {
	answers := 0
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		_, tap := cxIdle(t, r)
		cfg := r.Config
		cfg.Store = tap
		var e *handoff.Engine
		cfg.Bot = handoff.BotFunc(func(ctx context.Context, c handoff.BotCall) error {
			answers++
			_, err := e.Reply(ctx, c.Turn, handoff.Message{Text: "answer " + string(rune('0'+answers))})
			return err
		})
		tap.on(cxHook{match: func(s step) bool { return s.op == "Ack" && s.cursor == "packet" }, before: tap.kill})
		e, err := handoff.New(cfg)
		require.NoError(t, err)
		cxOver(t, r)
		cxRunning(t, e)
		require.True(t, tap.isDead())
		cfg.Store = r.Store
		e, err = handoff.New(cfg)
		require.NoError(t, err)
		cxRunning(t, e)
		r.Sleep(time.Minute)
		require.Equal(t, 2, answers)
		require.Equal(t, []string{"m0", "answer 1"}, cxSaid(r, second()))
	})
}

// Erasing covers all records of a conversation, also what was taken over.
func TestG14_EraseCoversTheChain(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		_, err := r.Receive(t.Context(), handoff.Incoming{
			Conversation: "c", ID: "secret id", Text: "secret text",
			User: &handoff.Contact{ID: "u", Name: "secret name"},
		})
		require.NoError(t, err)
		h := cxAsk(t, r.Engine, "c", func(q *handoff.Request) { q.Summary, q.Note = "secret summary", "secret note" })
		_, err = r.Cancel(t.Context(), "c", false)
		require.NoError(t, err)
		require.ErrorIs(t, r.Erase(t.Context(), "c"), handoff.ErrOpen, "while the next is owed")
		r.Start()
		require.ErrorIs(t, r.Erase(t.Context(), "c"), handoff.ErrOpen, "while a message is open")
		turn := r.Bot.Calls(handoff.BotEnded)[0].Turn
		_, err = r.Reply(t.Context(), turn, handoff.Message{Text: "secret answer"})
		require.NoError(t, err)
		r.Wait()
		require.NoError(t, r.Erase(t.Context(), "c"))
		_, err = r.Get(t.Context(), h.ID)
		require.ErrorIs(t, err, handoff.ErrNotFound)
		recs, err := r.Store.List(t.Context(), handoff.Query{})
		require.NoError(t, err)
		for i := range recs {
			require.NotContains(t, string(recs[i].Body.Bytes()), "secret")
			if strings.HasPrefix(recs[i].ID.Conversation, "learned:") {
				continue
			}
			require.Empty(t, recs[i].User)
			list, err := r.Store.Log(t.Context(), recs[i].ID, 0, 100)
			require.NoError(t, err)
			for j := range list {
				require.Equal(t, "erased:", recs[i].ID.Conversation[:7])
				require.NotContains(t, string(list[j].Body.Bytes()), "secret")
			}
		}
		require.NoError(t, r.Erase(t.Context(), "c"), "erasing what is not there")
	})
}

// What was erased does not come back because the channel repeats it.
// Whoever read the conversation before it was erased opens no handoff under a
// number that was used, however long his commit takes.
func TestRegression_ErasedNumbersAreUsedUp(t *testing.T) {
	for _, earlier := range []int{0, 2} {
		t.Run(strconv.Itoa(earlier), func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				slow := handofftest.NewStore(r.Store)
				slow.Plan(func(op string, _ handoff.ID) handofftest.Fault {
					if op == "Commit" {
						return handofftest.Fault{Delay: 3 * time.Second}
					}
					return handofftest.Fault{}
				})
				second := r.Replica(func(c *handoff.Config) { c.Store = slow })
				for range earlier {
					require.NoError(t, r.Done(t.Context(), r.Says("c", "hi")))
					require.NoError(t, r.Erase(t.Context(), "c"))
				}
				done := make(chan error, 1)
				go func() {
					_, err := second.Receive(t.Context(), handoff.Incoming{Conversation: "c", ID: "late", Text: "late"})
					done <- err
				}()
				r.Wait()
				require.NoError(t, r.Done(t.Context(), r.Says("c", "hi")))
				used := r.Last("c").ID.Number
				require.EqualValues(t, earlier+1, used)
				require.NoError(t, r.Erase(t.Context(), "c"))
				require.NoError(t, <-done)
				require.Equal(t, used+1, r.Last("c").ID.Number)
			})
		})
	}
}

func TestG15_ErasedStaysKnown(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		_, err := r.Reply(t.Context(), cxWrite(t, r.Engine, "c", "m0", "m0"), handoff.Message{Text: "answer"})
		require.NoError(t, err)
		r.Wait()
		require.NoError(t, r.Erase(t.Context(), "c"))
		require.False(t, cxWrite(t, r.Engine, "c", "m0", "m0").Open())
		_, err = r.Get(t.Context(), second())
		require.ErrorIs(t, err, handoff.ErrNotFound)
		turn := cxWrite(t, r.Engine, "c", "m1", "m1")
		require.Equal(t, second(), turn.ID())
		require.False(t, cxWrite(t, r.Engine, "c", "m0", "m0").Open())
	})
}

// Agents name the handoff: a note of the wrap-up lands in 1 though 2 is open.
func TestG16_NoteOfTheWrapup(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxTalk(t, r)
		_, err := r.End(t.Context(), id, handoff.By("ann"), handoff.Ending{})
		require.NoError(t, err)
		r.Wait()
		require.Equal(t, handoff.StateWrapup, r.Now(id).State)
		require.Equal(t, handoff.StateBot, r.Now(second()).State)
		_, err = r.Note(t.Context(), id, handoff.By("ann"), "done")
		require.NoError(t, err)
		_, err = r.Tag(t.Context(), id, handoff.By("ann"), []string{"t"}, nil)
		require.NoError(t, err)
		require.Equal(t, 1, cxCount(r, id, handoff.KindNote))
		require.Zero(t, cxCount(r, second(), handoff.KindNote))
		require.Equal(t, []string{"t"}, r.Now(id).Tags)
		_, err = r.End(t.Context(), id, handoff.By("ann"), handoff.Ending{})
		require.NoError(t, err)
		require.Equal(t, handoff.StateEnded, r.Now(id).State)
		require.Equal(t, handoff.StateBot, r.Last("c").State)
		require.Equal(t, second(), r.Last("c").ID)
	}, cxQueue(func(q *handoff.Queue) { q.Wrapup = time.Hour }))
}

// A bot that never answers, and a queue that is closed: it comes to an end,
// and the user is told.
func TestG16b_BrokenBotClosedQueue(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		r.Says("c", "m0")
		r.Sleep(3 * time.Hour)
		require.LessOrEqual(t, len(r.Bot.Calls(handoff.BotResume)), 2)
		require.Contains(t, cxNotices(r, "c"), handoff.NoticeUnanswered)
		n := 0
		for i := int64(1); i <= r.Last("c").ID.Number; i++ {
			n += cxCount(r, handoff.ID{Conversation: "c", Number: i}, handoff.KindUnanswered)
		}
		require.Equal(t, 1, n)
		require.Empty(t, r.Last("c").Pending)
		require.Less(t, r.Last("c").ID.Number, int64(3))
	}, func(c *handoff.Config) { c.BotQueue = "support" }, cxQueue(func(q *handoff.Queue) { q.Hours = &shutter{opens: time.Now().AddDate(100, 0, 0)} }))
}

// The same where the queue is open and nobody comes: the number of tries goes
// with the message from handoff to handoff.
func TestG16c_BrokenBotEmptyQueue(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		r.Says("c", "m0")
		r.Sleep(3 * time.Hour)
		require.Contains(t, cxNotices(r, "c"), handoff.NoticeUnanswered)
		require.Empty(t, r.Last("c").Pending)
		require.LessOrEqual(t, r.Last("c").ID.Number, int64(6))
		require.LessOrEqual(t, len(r.Bot.Calls("")), 8)
		require.Equal(t, handoff.StateEnded, r.Last("c").State)
	}, func(c *handoff.Config) { c.BotQueue = "support" })
}

// An end with a stay-out while m0 is open, and a message during it: the next
// handoff keeps both and hands them out at its end.
func TestG16d_StayOut(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxTalk(t, r)
		_, err := r.End(t.Context(), id, handoff.By("ann"), handoff.Ending{StayOut: time.Hour})
		require.NoError(t, err)
		r.Sleep(10 * time.Minute)
		require.False(t, cxWrite(t, r.Engine, "c", "m1", "m1").Open())
		_, err = r.Say(t.Context(), "c", handoff.Message{Text: "buy this"})
		require.ErrorIs(t, err, handoff.ErrStale)
		require.Equal(t, []string{"m0", "m1"}, cxPending(r.Last("c")))
		r.Sleep(45 * time.Minute)
		for _, c := range r.Bot.Calls(handoff.BotEnded) {
			require.False(t, c.Turn.Open())
		}
		r.Sleep(5*time.Minute + 2*time.Second)
		var got []string
		for _, c := range r.Bot.Calls("") {
			if c.Turn.Open() {
				got = append(got, cxAsked(c.Turn)...)
				_, err := r.Reply(t.Context(), c.Turn, handoff.Message{Text: "back"})
				require.NoError(t, err)
			}
		}
		require.Equal(t, []string{"m0", "m1"}, got)
		require.Len(t, r.Bot.Calls(handoff.BotEnded), 1)
		require.Empty(t, r.Last("c").Pending)
	}, func(c *handoff.Config) { c.BotTimeout = 2 * time.Minute })
}
