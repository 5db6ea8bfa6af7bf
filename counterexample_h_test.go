package handoff_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/memstore"
)

// h: agents.

func lively(r *handofftest.Rig) {
	r.Start()
	r.Floor.Quiet(false)
}

// cxWarm is a chat of ann that is offered to bob while she keeps it.
func cxWarm(t *testing.T, r *handofftest.Rig) handoff.Handoff {
	t.Helper()
	r.Agent("ann", 1)
	r.Agent("bob", 1)
	cxWrite(t, r.Engine, "c", "m0", "m0")
	h := cxTakes(t, r.Engine, handoff.ID{Conversation: "c", Number: 1}, "ann")
	h, err := r.Transfer(t.Context(), h.ID, handoff.By("ann"), handoff.Target{Agent: "bob", Warm: true})
	require.NoError(t, err)
	require.Equal(t, handoff.StateActive, h.State)
	require.Equal(t, "ann", h.Agent)
	require.NotZero(t, cxOffered(h, "bob"))
	require.Equal(t, 1, cxLoad(t, r, "ann"))
	require.Equal(t, 1, cxLoad(t, r, "bob"))
	r.Wait()
	return h
}

// Whatever ends the chat takes back the warm offer and the seat it holds.
func TestH1_EndWithdrawsTheWarmOffer(t *testing.T) {
	for name, end := range map[string]func(r *handofftest.Rig, id handoff.ID) error{
		"end": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.End(r.T.Context(), id, handoff.By("ann"), handoff.Ending{})
			return err
		},
		"return": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.Return(r.T.Context(), id, handoff.By("ann"), "")
			return err
		},
		"cancel": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.Cancel(r.T.Context(), id.Conversation, false)
			return err
		},
		"requeue": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.Requeue(r.T.Context(), id, handoff.By("ann"), "")
			return err
		},
		"take over": func(r *handofftest.Rig, id handoff.ID) error {
			r.Agent("sue", 1)
			_, err := r.TakeOver(r.T.Context(), id, handoff.BySupervisor("sue"), "")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				h := cxWarm(t, r)
				require.NoError(t, end(r, h.ID))
				require.Empty(t, r.Now(h.ID).Offers)
				require.Zero(t, cxLoad(t, r, "bob"))
				require.Equal(t, 1, cxCount(r, h.ID, handoff.KindWithdrawn))
				_, err := r.Accept(t.Context(), h.ID, handoff.By("bob"), 1)
				require.Error(t, err)
			}, edgesOnly)
		})
	}
}

// A warm offer is due in active and in held, and gives its seat back.
func TestH2_WarmOfferIsDue(t *testing.T) {
	for _, hold := range []bool{false, true} {
		cxRun(t, func(t *testing.T, r *handofftest.Rig) {
			lively(r)
			h := cxWarm(t, r)
			if hold {
				_, err := r.Hold(t.Context(), h.ID, handoff.By("ann"), "")
				require.NoError(t, err)
			}
			r.Floor.Quiet(true)
			require.NoError(t, r.Floor.Offline(t.Context(), "bob"))
			r.Sleep(32 * time.Second)
			require.Empty(t, r.Now(h.ID).Offers)
			require.Zero(t, cxLoad(t, r, "bob"))
			require.Equal(t, "ann", r.Now(h.ID).Agent)
			require.Equal(t, 1, cxLoad(t, r, "ann"))
			require.Equal(t, 1, cxCount(r, h.ID, handoff.KindLapsed))
		}, edgesOnly)
	}
}

// Whoever has it takes a warm transfer back: the offer and its seat are gone, the
// user hears nothing, and the same agent may be asked again.
func TestTakeBack(t *testing.T) {
	for _, hold := range []bool{false, true} {
		for _, who := range []handoff.Actor{handoff.By("ann"), handoff.BySupervisor("sue")} {
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				h := cxWarm(t, r)
				if hold {
					var err error
					h, err = r.Hold(t.Context(), h.ID, handoff.By("ann"), "")
					require.NoError(t, err)
				}
				r.Wait()
				shown, offer := len(r.Users.Saw("c")), cxOffered(h, "bob")
				_, err := r.TakeBack(t.Context(), h.ID, handoff.By("bob"), offer)
				require.ErrorIs(t, err, handoff.ErrNotHolder)
				_, err = r.TakeBack(t.Context(), h.ID, who, offer+1)
				require.ErrorIs(t, err, handoff.ErrWithdrawn, "another offer")
				require.Len(t, r.Now(h.ID).Offers, 1)

				got, err := r.TakeBack(t.Context(), h.ID, who, offer)
				require.NoError(t, err)
				require.Empty(t, got.Offers)
				require.Equal(t, h.State, got.State)
				require.Equal(t, "ann", got.Agent)
				require.Equal(t, 1, cxLoad(t, r, "ann"))
				require.Zero(t, cxLoad(t, r, "bob"))
				log, err := r.Log(t.Context(), h.ID, 0, 1000)
				require.NoError(t, err)
				gone := log[slices.IndexFunc(log, func(en handoff.Entry) bool { return en.Kind == handoff.KindWithdrawn })]
				require.Equal(t, who.ID, gone.From.ID, "the entry says who took it back")
				require.Equal(t, who.Role, gone.From.Role)
				require.Equal(t, "bob", gone.Agent, "and from whom")
				_, err = r.TakeBack(t.Context(), h.ID, who, offer)
				require.NoError(t, err, "the same again")
				_, err = r.Accept(t.Context(), h.ID, handoff.By("bob"), offer)
				require.ErrorIs(t, err, handoff.ErrWithdrawn)
				r.Wait()
				require.Len(t, r.Users.Saw("c"), shown)
				require.Equal(t, 1, cxCount(r, h.ID, handoff.KindWithdrawn))

				got, err = r.Transfer(t.Context(), h.ID, handoff.By("ann"), handoff.Target{Agent: "bob", Warm: true})
				require.NoError(t, err)
				_, err = r.Accept(t.Context(), h.ID, handoff.By("bob"), cxOffered(got, "bob"))
				require.NoError(t, err)
				require.Equal(t, "bob", r.Now(h.ID).Agent)
			}, edgesOnly)
		}
	}
}

// Ann is lost while her warm offer to bob is out: it becomes an ordinary one,
// and nobody else is asked.
func TestH3_LostWithAWarmOffer(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		lively(r)
		h := cxWarm(t, r)
		require.NoError(t, r.Floor.Offline(t.Context(), "ann"))
		r.Sleep(22 * time.Second)
		got := r.Now(h.ID)
		require.Equal(t, handoff.StateOffered, got.State)
		require.Equal(t, cxOffered(h, "bob"), cxOffered(got, "bob"), "the same offer")
		require.Len(t, got.Offers, 1)
		require.Zero(t, cxLoad(t, r, "ann"))
		require.Equal(t, 1, cxLoad(t, r, "bob"))
		require.NoError(t, r.Floor.Online(t.Context(), "ann"))
		r.Wait()
		require.Len(t, r.Now(h.ID).Offers, 1)
		got, err := r.Accept(t.Context(), h.ID, handoff.By("bob"), cxOffered(h, "bob"))
		require.NoError(t, err)
		require.Equal(t, "bob", got.Agent)
		require.Equal(t, 1, cxLoad(t, r, "bob"))
	}, cxQueue(func(q *handoff.Queue) { q.AgentGrace = 20 * time.Second }))
}

// Bob declines then: waiting, in the original place.
func TestH3_DeclinedThen(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		lively(r)
		h := cxWarm(t, r)
		require.NoError(t, r.Floor.Offline(t.Context(), "ann"))
		r.Sleep(22 * time.Second)
		got, err := r.Decline(t.Context(), h.ID, handoff.By("bob"), cxOffered(h, "bob"), "")
		require.NoError(t, err)
		require.Equal(t, handoff.StateWaiting, got.State)
		require.Zero(t, cxLoad(t, r, "bob"))
	}, cxQueue(func(q *handoff.Queue) { q.AgentGrace = 20 * time.Second }))
}

// An accept names its offer: a late click for the first one does not take the
// second.
func TestH4_AcceptNamesTheOffer(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		lively(r)
		r.Agent("ann", 1)
		h := r.Asks("c")
		first := cxOffered(h, "ann")
		r.Sleep(35 * time.Second)
		again := cxOffered(r.Now(h.ID), "ann")
		require.NotZero(t, again)
		require.NotEqual(t, first, again)
		_, err := r.Accept(t.Context(), h.ID, handoff.By("ann"), first)
		require.ErrorIs(t, err, handoff.ErrWithdrawn)
		_, err = r.Decline(t.Context(), h.ID, handoff.By("ann"), first, "")
		require.ErrorIs(t, err, handoff.ErrWithdrawn)
		require.NotZero(t, cxOffered(r.Now(h.ID), "ann"))
		_, err = r.Accept(t.Context(), h.ID, handoff.By("bob"), again)
		require.Error(t, err, "somebody else's offer")
		_, err = r.Accept(t.Context(), h.ID, handoff.By("ann"), again)
		require.NoError(t, err)
	}, cxQueue(func(q *handoff.Queue) { q.Cooldown = handoff.Never }))
}

// An offer that is over by the clock is expired, whether or not it has fired.
func TestH4_ExpiredBeforeItFires(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1)
		h := cxAsk(t, r.Engine, "c")
		require.NoError(t, r.AgentChanged(t.Context(), "ann"))
		o := cxOffered(r.Now(h.ID), "ann")
		r.Sleep(31 * time.Second)
		_, err := r.Accept(t.Context(), h.ID, handoff.By("ann"), o)
		require.ErrorIs(t, err, handoff.ErrExpired)
	})
}

// The agent clicks accept and is lost: nobody hears of it, the sweep sees it.
func TestH5_SweepSeesWhoIsLost(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1)
		h := cxAsk(t, r.Engine, "c")
		require.NoError(t, r.AgentChanged(t.Context(), "ann"))
		cxDeaf(t, r)
		require.NoError(t, r.Floor.Offline(t.Context(), "ann"))
		cxTakes(t, r.Engine, h.ID, "ann")
		r.Sleep(7 * time.Second)
		require.Equal(t, 1, cxCount(r, h.ID, handoff.KindAgentAway))
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		r.Sleep(55 * time.Second)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		require.Zero(t, cxLoad(t, r, "ann"))
	})
}

// The same in held.
func TestH5_SweepSeesWhoIsLostOnHold(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		_, err := r.Hold(t.Context(), id, handoff.By("ann"), "")
		require.NoError(t, err)
		cxDeaf(t, r)
		require.NoError(t, r.Floor.Offline(t.Context(), "ann"))
		r.Sleep(70 * time.Second)
		require.Equal(t, handoff.StateWaiting, r.Now(id).State)
	})
}

// The edge of her return is lost: what fires sees that she is there.
func TestH6_BackUnheard(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		lively(r)
		id := cxTalk(t, r)
		require.NoError(t, r.Floor.Offline(t.Context(), "ann"))
		r.Sleep(30 * time.Second)
		require.Equal(t, 1, cxCount(r, id, handoff.KindAgentAway))
		r.Floor.Quiet(true)
		require.NoError(t, r.Floor.Online(t.Context(), "ann"))
		r.Sleep(5 * time.Minute)
		require.Equal(t, handoff.StateActive, r.Now(id).State)
		require.Equal(t, 1, cxCount(r, id, handoff.KindAgentBack))
	}, edgesOnly)
}

// Lost, back, and lost again, all but the first unheard: the second loss has
// its own grace.
func TestH7_SecondLossHasItsGrace(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		lively(r)
		id := cxTalk(t, r)
		require.NoError(t, r.Floor.Offline(t.Context(), "ann"))
		r.Floor.Quiet(true)
		r.Sleep(30 * time.Second)
		require.NoError(t, r.Floor.Online(t.Context(), "ann"))
		r.Sleep(20 * time.Second)
		require.NoError(t, r.Floor.Offline(t.Context(), "ann"))
		r.Sleep(40 * time.Second)
		require.Equal(t, handoff.StateActive, r.Now(id).State, "away for 40 s")
		r.Sleep(22 * time.Second)
		require.Equal(t, handoff.StateWaiting, r.Now(id).State)
	}, edgesOnly)
}

// Whoever comes back to the queue stands where he stood.
func TestH8_OriginalPlace(t *testing.T) {
	for name, back := range map[string]func(r *handofftest.Rig, id handoff.ID){
		"lost": func(r *handofftest.Rig, _ handoff.ID) {
			require.NoError(r.T, r.Floor.Offline(r.T.Context(), "ann"))
			r.Sleep(65 * time.Second)
		},
		"requeue": func(r *handofftest.Rig, id handoff.ID) {
			_, err := r.Requeue(r.T.Context(), id, handoff.By("ann"), "")
			require.NoError(r.T, err)
		},
		"transfer": func(r *handofftest.Rig, id handoff.ID) {
			_, err := r.Transfer(r.T.Context(), id, handoff.By("ann"), handoff.Target{Skills: []handoff.Skill{{Name: "tax"}}})
			require.NoError(r.T, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				cxExpert(t, r)
				lively(r)
				r.Agent("ann", 1)
				h := r.Asks("c")
				entered := h.Enqueued
				cxTakes(t, r.Engine, h.ID, "ann")
				r.Sleep(30 * time.Second)
				other := r.Asks("other")
				back(r, h.ID)
				r.Wait()
				require.NoError(t, r.Floor.Offline(t.Context(), "ann"))
				r.Wait()
				got := r.Now(h.ID)
				require.Equal(t, handoff.StateWaiting, got.State)
				require.True(t, entered.Equal(got.Enqueued))
				p, err := r.Place(t.Context(), h.ID)
				require.NoError(t, err)
				require.Equal(t, 1, p.Position)
				p, err = r.Place(t.Context(), other.ID)
				require.NoError(t, err)
				require.Equal(t, 2, p.Position)
			}, cxQueue(func(q *handoff.Queue) { q.Ladder = []handoff.Rung{{After: 5 * time.Hour, Do: handoff.ToBot}} }))
		})
	}
}

// An agent in wrap-up is lost: the handoff ends, it never waits again.
func TestH9_LostInWrapup(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		lively(r)
		id := cxTalk(t, r)
		_, err := r.End(t.Context(), id, handoff.By("ann"), handoff.Ending{})
		require.NoError(t, err)
		r.Wait()
		require.NoError(t, r.Floor.Offline(t.Context(), "ann"))
		r.Sleep(65 * time.Second)
		h := r.Now(id)
		require.Equal(t, handoff.StateEnded, h.State)
		require.Equal(t, handoff.OutcomeResolved, h.Outcome)
		require.Zero(t, cxLoad(t, r, "ann"))
		require.Equal(t, second(), r.Last("c").ID)
	}, cxQueue(func(q *handoff.Queue) { q.Wrapup = time.Hour }))
}

// cxHeld is a chat of ann on hold whose seat another one has taken.
func cxHeld(t *testing.T, r *handofftest.Rig) (held, other handoff.Handoff) {
	t.Helper()
	ann := r.Agent("ann", 1)
	h := r.Asks("c")
	require.NotZero(t, cxOffered(h, "ann"))
	ann.Accept()
	h, err := r.Hold(t.Context(), h.ID, ann.By(), "")
	require.NoError(t, err)
	require.Zero(t, cxLoad(t, r, "ann"))
	require.NotZero(t, cxOffered(r.Asks("d"), "ann"))
	return h, ann.Accept()
}

func releases(q *handoff.Queue) { q.ReleaseOnHold = true }

// A hold that gave its seat back claims it again to resume.
func TestH10_ResumeClaimsTheSeat(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		lively(r)
		h, other := cxHeld(t, r)
		_, err := r.Resume(t.Context(), h.ID, handoff.By("ann"))
		require.ErrorIs(t, err, handoff.ErrFull)
		require.Equal(t, handoff.StateHeld, r.Now(h.ID).State)
		_, err = r.End(t.Context(), other.ID, handoff.By("ann"), handoff.Ending{})
		require.NoError(t, err)
		_, err = r.Resume(t.Context(), h.ID, handoff.By("ann"))
		require.NoError(t, err)
		require.Equal(t, 1, cxLoad(t, r, "ann"))
	}, edgesOnly, cxQueue(releases))
}

// Hold timeout: resumed if the seat can be had, else waiting in its place.
func TestH11_HoldTimeout(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		lively(r)
		h, other := cxHeld(t, r)
		for range 20 {
			r.Sleep(2 * time.Minute)
			cxWrite(t, r.Engine, "d", time.Now().String(), "still here")
			if r.Now(h.ID).State != handoff.StateHeld {
				break
			}
		}
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		require.True(t, h.Enqueued.Equal(r.Now(h.ID).Enqueued))
		require.Equal(t, handoff.StateActive, r.Now(other.ID).State)
		require.Equal(t, 1, cxLoad(t, r, "ann"))
	}, cxQueue(releases))
}

// And with the seat free.
func TestH11_HoldTimeoutWithASeat(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		lively(r)
		h, other := cxHeld(t, r)
		_, err := r.End(t.Context(), other.ID, handoff.By("ann"), handoff.Ending{})
		require.NoError(t, err)
		r.Sleep(30*time.Minute + 2*time.Second)
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		require.Equal(t, 1, cxLoad(t, r, "ann"))
	}, cxQueue(releases))
}

// A late heartbeat after a log-out brings nobody back.
func TestH12_LateHeartbeat(t *testing.T) {
	presence := memstore.NewPresence()
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		ctx, now := t.Context(), time.Now()
		require.NoError(t, presence.Want(ctx, "ann", true, "", now))
		require.NoError(t, presence.Begin(ctx, "ann", "tab", now, now.Add(time.Hour)))
		r.Start()
		r.Agent("ann", 2)
		h := cxTakes(t, r.Engine, r.Asks("c").ID, "ann")
		require.NoError(t, presence.End(ctx, "ann", "tab", time.Now()))
		require.ErrorIs(t, presence.Beat(ctx, "ann", "tab", time.Now(), time.Now().Add(time.Hour)), handoff.ErrNotFound)
		require.NoError(t, r.AgentChanged(ctx, "ann"))
		require.Equal(t, handoff.StateWaiting, r.Asks("d").State)
		r.Sleep(70 * time.Second)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
	}, func(c *handoff.Config) { c.Presence = presence })
}

// Unknown is not online, and a presence that fails takes nobody's chat away.
func TestH12_UnknownIsNotOnline(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		lively(r)
		id := cxTalk(t, r)
		require.NoError(t, r.Floor.Put(t.Context(), handoff.Agent{ID: "ann", Seats: 3, Queues: []string{"support"}}))
		r.Wait() // nobody who read her presence before is about to offer
		r.Floor.Quiet(true)
		r.Floor.Break(errors.New("presence is down"))
		require.Equal(t, handoff.StateWaiting, r.Asks("d").State)
		_, err := r.Assign(t.Context(), r.Last("d").ID, handoff.BySupervisor("sue"), "ann")
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		r.Sleep(3 * time.Minute)
		require.Equal(t, handoff.StateActive, r.Now(id).State)
		require.Zero(t, cxCount(r, id, handoff.KindAgentAway), "nobody knows that she is away")
		r.Floor.Break(nil)
		r.Sleep(7 * time.Second)
		require.NotZero(t, cxOffered(r.Last("d"), "ann"))
	})
}

func broadcast(q *handoff.Queue) { q.Style = handoff.Broadcast }

// A broadcast takes no seat until it is accepted, and then it does.
func TestH13_BroadcastClaimsAtAccept(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		lively(r)
		r.Agent("ann", 1)
		r.Agent("bob", 1)
		h := r.Asks("c")
		require.NotZero(t, cxOffered(h, "ann"))
		require.NotZero(t, cxOffered(h, "bob"))
		require.Zero(t, cxLoad(t, r, "ann"))
		cxWrite(t, r.Engine, "d", "m0", "m0")
		cxTakes(t, r.Engine, handoff.ID{Conversation: "d", Number: 1}, "ann")
		_, err := r.Accept(t.Context(), h.ID, handoff.By("ann"), cxOffered(h, "ann"))
		require.ErrorIs(t, err, handoff.ErrFull)
		require.Equal(t, 1, cxLoad(t, r, "ann"))
		_, err = r.Accept(t.Context(), h.ID, handoff.By("bob"), cxOffered(h, "bob"))
		require.NoError(t, err)
		require.Equal(t, 1, cxLoad(t, r, "bob"))
		require.Empty(t, r.Now(h.ID).Offers, "the losers are withdrawn")
		require.Equal(t, 1, cxCount(r, h.ID, handoff.KindWithdrawn))
		_, err = r.Accept(t.Context(), h.ID, handoff.By("ann"), cxOffered(h, "ann"))
		require.ErrorIs(t, err, handoff.ErrWithdrawn)
	}, cxQueue(broadcast))
}

// Who could not accept did not let it lapse.
func TestH14_FullIsNoLapse(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		lively(r)
		ann := r.Agent("ann", 1)
		r.Agent("bob", 1)
		h := r.Asks("c")
		cxWrite(t, r.Engine, "d", "m0", "m0")
		other := cxTakes(t, r.Engine, handoff.ID{Conversation: "d", Number: 1}, "ann")
		r.Sleep(32 * time.Second)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		ann.Ends(other.ID)
		require.NotZero(t, cxOffered(r.Now(h.ID), "ann"), "asked again at once")
		require.Zero(t, cxOffered(r.Now(h.ID), "bob"), "he was there and did not answer")
	}, cxQueue(broadcast))
}

// Nor who was not online.
func TestH14_AwayIsNoLapse(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		lively(r)
		r.Agent("ann", 1)
		h := r.Asks("c")
		require.NotZero(t, cxOffered(h, "ann"))
		r.Floor.Quiet(true)
		require.NoError(t, r.Floor.Offline(t.Context(), "ann"))
		r.Sleep(32 * time.Second)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		r.Floor.Quiet(false)
		require.NoError(t, r.Floor.Online(t.Context(), "ann"))
		r.Wait()
		require.NotZero(t, cxOffered(r.Now(h.ID), "ann"))
	}, edgesOnly)
}
