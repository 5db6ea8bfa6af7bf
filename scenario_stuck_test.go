package handoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// freeswitch#1062, #2540, #1973: agents stuck in "receiving" for hours after a
// crash, and one agent who did not answer held up everybody.
func TestW17_OffersLapse(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		silent := r.Agent("a-silent", 1)
		first := r.Asks("c1")
		offer, ok := first.Offer(silent.ID)
		require.True(t, ok)
		r.Stop() // the process dies while it rings
		r.Sleep(time.Hour)
		r.Start()
		r.Sleep(2 * time.Second)
		first = r.Now(first.ID)
		require.Equal(t, handoff.StateWaiting, first.State, "the reservation ended by its own deadline")
		_, err := r.Engine.Accept(r.Ctx, first.ID, silent.By(), offer.Number)
		require.ErrorIs(t, err, handoff.ErrWithdrawn, "an answer to an old ring is no answer")

		// Whoever comes is asked, and the silent one blocks nobody.
		ann := r.Agent("b-ann", 3)
		takes(r, ann, "c1")
		for i := 2; i <= 3; i++ {
			h := r.Asks(talk(i))
			if _, ok := h.Offer(silent.ID); ok {
				r.Sleep(35 * time.Second)
			}
			takes(r, ann, talk(i))
		}
		require.Equal(t, 3, load(r, ann.ID))
		require.Equal(t, 0, load(r, silent.ID))

		// Not for ever: after the cool-down he is asked again.
		h := r.Asks("c4")
		_, ok = h.Offer(silent.ID)
		require.True(t, ok)
		r.Sleep(35 * time.Second)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State, "not the same man at once")
		r.Sleep(5 * time.Minute)
		h = r.Now(h.ID)
		_, ok = h.Offer(silent.ID)
		require.True(t, ok)
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), IdleTimeout: handoff.Never}))
}

// freeswitch#2529: the user hung up, and the agent was still rung.
func TestW18_CancelStopsTheRinging(t *testing.T) {
	for name, left := range map[string]bool{"cancelled": false, "left": true} {
		t.Run(name, func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				ann := r.Agent("ann", 1)
				h := r.Asks("c1")
				next := r.Asks("c2")
				o, _ := h.Offer("ann")
				got, err := r.Cancel(r.Ctx, "c1", left)
				require.NoError(t, err)
				require.Empty(t, got.Offers, "in the same commit")
				require.Contains(t, kinds(r, h.ID), handoff.KindWithdrawn)
				r.Sleep(time.Second)
				_, err = r.Engine.Accept(r.Ctx, h.ID, ann.By(), o.Number)
				var state *handoff.StateError
				require.ErrorAs(t, err, &state)
				require.Equal(t, handoff.StateEnded, state.State)
				require.NotContains(t, notices(r, "c1"), handoff.NoticeJoined)
				rings, ok := ann.Offered()
				require.True(t, ok, "her seat is free for the next one")
				require.Equal(t, next.ID, rings.ID)
			})
		})
	}
}

// opensips#3123: an agent was "in a call" for ever and got nothing more.
func TestW19_EverySeatComesBack(t *testing.T) {
	sup := handoff.BySupervisor("sup")
	ways := map[string]func(r *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) error{
		"returned": func(_ *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) error {
			ann.Returns(h.ID, "")
			return nil
		},
		"ended": func(_ *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) error { ann.Ends(h.ID); return nil },
		"cancelled": func(r *handofftest.Rig, _ *handofftest.Agent, h handoff.Handoff) error {
			_, err := r.Cancel(r.Ctx, h.ID.Conversation, false)
			return err
		},
		"user left": func(r *handofftest.Rig, _ *handofftest.Agent, h handoff.Handoff) error {
			_, err := r.Cancel(r.Ctx, h.ID.Conversation, true)
			return err
		},
		"quiet": func(r *handofftest.Rig, _ *handofftest.Agent, _ handoff.Handoff) error {
			r.Sleep(16 * time.Minute)
			return nil
		},
		"crashed": func(r *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) error {
			ann.Leaves()
			r.Sleep(2 * time.Minute)
			_, err := r.Cancel(r.Ctx, h.ID.Conversation, true)
			ann.Comes()
			return err
		},
		"requeued": func(r *handofftest.Rig, _ *handofftest.Agent, h handoff.Handoff) error {
			_, err := r.Requeue(r.Ctx, h.ID, sup, "")
			return err
		},
		"transferred": func(r *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) error {
			_, err := r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Queue: "other"})
			return err
		},
		"taken over": func(r *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) error {
			_ = r.Floor.Put(r.Ctx, handoff.Agent{ID: "sup", Seats: 1})
			_, err := r.TakeOver(r.Ctx, h.ID, sup, "")
			return err
		},
		"held and quiet": func(r *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) error {
			_, err := r.Hold(r.Ctx, h.ID, ann.By(), "")
			r.Sleep(2 * time.Hour)
			return err
		},
		"no first reply": func(r *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) error {
			ann.Returns(h.ID, "")
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "x", Queue: "prompt"})
			r.Wait()
			takes(r, ann, "x")
			r.Sleep(2 * time.Minute)
			return err
		},
		"wrapped up": func(r *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) error {
			ann.Returns(h.ID, "")
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "x", Queue: "thorough"})
			r.Wait()
			h = takes(r, ann, "x")
			ann.Ends(h.ID)
			require.Equal(r.T, 0, free(r, "support"), "the wrap-up takes the seat")
			r.Sleep(2 * time.Minute)
			return err
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				ann := r.Agent("ann", 1, "support", "prompt", "thorough")
				h := chat(r, ann, "c1")
				require.Equal(t, 0, free(r, "support"))
				require.NoError(t, way(r, ann, h))
				r.Sleep(time.Second)
				require.Equal(t, 1, free(r, "support"), "she is free again")
				h = r.Asks("c9")
				_, ok := h.Offer("ann")
				require.True(t, ok, "and gets the next one")
			}, queues(handoff.Queue{Name: "support", Ladder: patient()}, handoff.Queue{Name: "other", Ladder: patient()},
				handoff.Queue{Name: "prompt", FirstReply: time.Minute, Ladder: patient()},
				handoff.Queue{Name: "thorough", Wrapup: time.Minute, Ladder: patient()}))
		})
	}
}

// RocketChat#18029, #18200: a chat was stuck in the queue; it could not be
// taken, moved or closed.
func TestW20_SupervisorsCanMoveAndCloseEverything(t *testing.T) {
	sup := handoff.BySupervisor("sup")
	for _, state := range []handoff.State{
		handoff.StateBot, handoff.StateIntake, handoff.StateWaiting, handoff.StateOffered, handoff.StateConnecting,
		handoff.StateQueued, handoff.StateActive, handoff.StateHeld,
	} {
		t.Run(string(state), func(t *testing.T) {
			for _, gone := range []bool{false, true} {
				desk := &platform{name: "vendor"}
				desk.broken(state == handoff.StateConnecting)
				handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
					h := bring(r, state)
					if gone {
						// Its queue is configured no longer, and its agent has been dismissed.
						r.Config.Queues = []handoff.Queue{{Name: "rescue", Ladder: patient()}}
						r.Restart()
						_ = r.Floor.Delete(r.Ctx, "ann")
						r.Wait()
					}
					require.NoError(t, r.Floor.Put(r.Ctx, handoff.Agent{ID: "sup", Seats: 9}))
					// It can be moved to somebody …
					h, err := r.TakeOver(r.Ctx, h.ID, sup, "rescue")
					require.NoError(t, err)
					require.Equal(t, "sup", h.Agent)
					_, err = r.Send(r.Ctx, h.ID, handoff.By("sup"), handoff.Message{Text: "I take care of it"})
					require.NoError(t, err)
					h, err = r.Transfer(r.Ctx, h.ID, sup, handoff.Target{Queue: "rescue"})
					require.NoError(t, err)
					require.Equal(t, handoff.StateWaiting, h.State)
					require.Equal(t, "rescue", h.Need.Queue)
					// … and be closed from there.
					h, err = r.Cancel(r.Ctx, h.ID.Conversation, false)
					require.NoError(t, err)
					require.Equal(t, handoff.StateEnded, h.State)
					r.Sleep(time.Minute)
					require.Equal(t, handoff.StateBot, r.Last("c1").State)
				}, stations(desk))
				if state == handoff.StateBot {
					continue
				}
				handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
					h := bring(r, state)
					// It can be closed where it is.
					h, err := r.Cancel(r.Ctx, h.ID.Conversation, false)
					require.NoError(t, err)
					require.Equal(t, handoff.StateEnded, h.State)
					r.Sleep(time.Minute)
					require.True(t, r.Says("c1", "and now?").Open(), "the bot has the user")
				}, stations(desk))
			}
		})
	}
}

// stations is a Config with a queue for each state that bring can make.
func stations(desk *platform) func(*handoff.Config) {
	return func(c *handoff.Config) {
		c.Providers = []handoff.Provider{desk}
		c.Queues = []handoff.Queue{
			{Name: "support", Ladder: patient(), OfferTimeout: time.Hour},
			{Name: "rescue", Ladder: patient()},
			{Name: "form", Intake: &handoff.Form{Fields: []handoff.Field{{Name: "order", Required: true}}, Required: true}},
			{Name: "vendor", Providers: []string{"vendor"}, Ladder: patient()},
			{Name: "thorough", Wrapup: time.Hour},
		}
	}
}

// bring makes a handoff of conversation c1 in a state.
func bring(r *handofftest.Rig, state handoff.State) handoff.Handoff {
	r.T.Helper()
	r.Says("c1", "help")
	queue := map[handoff.State]string{
		handoff.StateIntake: "form", handoff.StateConnecting: "vendor", handoff.StateQueued: "vendor",
	}[state]
	if queue == "" {
		queue = "support"
	}
	if state != handoff.StateBot {
		if state != handoff.StateWaiting {
			r.Agent("ann", 1, "support")
		}
		r.Asks("c1", func(q *handoff.Request) { q.Queue = queue })
	}
	if state == handoff.StateActive || state == handoff.StateHeld {
		h := takes(r, &handofftest.Agent{ID: "ann"}, "c1")
		if state == handoff.StateHeld {
			_, err := r.Hold(r.Ctx, h.ID, handoff.By("ann"), "")
			require.NoError(r.T, err)
		}
	}
	r.Wait()
	h := r.Last("c1")
	require.Equal(r.T, state, h.State)
	return h
}

// RocketChat PR#23404, #7397: a forwarded chat was queued, but the old agent
// was still in it and got the user's messages.
func TestW21_TransferEndsTheOldAgent(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann, bob := r.Agent("ann", 1, "support"), r.Agent("bob", 1, "billing")
		bob.Leaves()
		h := chat(r, ann, "c1")
		ann.Says(h.ID, "I pass you on")
		h, err := r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Queue: "billing", Note: "wants a refund"})
		require.NoError(t, err)
		require.Equal(t, handoff.StateWaiting, h.State)
		require.Empty(t, h.Agent, "revoked before it is queued")
		_, err = r.Send(r.Ctx, h.ID, ann.By(), handoff.Message{Text: "one more thing"})
		require.ErrorIs(t, err, handoff.ErrState)
		require.Equal(t, 1, free(r, "support"))

		r.Says("c1", "my card number is 42")
		mine, err := r.List(r.Ctx, handoff.Query{Agent: "ann"})
		require.NoError(t, err)
		require.Empty(t, mine, "it is in none of her lists")

		bob.Comes()
		h = takes(r, bob, "c1")
		require.Len(t, h.Pending, 1, "what was said in between is his")
		_, err = r.Send(r.Ctx, h.ID, ann.By(), handoff.Message{Text: "still me"})
		require.ErrorIs(t, err, handoff.ErrNotHolder)
		_, err = r.Return(r.Ctx, h.ID, ann.By(), "")
		require.ErrorIs(t, err, handoff.ErrNotHolder)
		bob.Says(h.ID, "bob here")
		require.Equal(t, []string{"I pass you on", "bob here"}, saidBy(r, "c1", handoff.RoleAgent))
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}, handoff.Queue{Name: "billing", Ladder: patient()}))
}
