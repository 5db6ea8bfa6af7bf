package handoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// a: matching. Edges are for speed, the sweep is the net.

// untold leaves out the news of places: telling one is a commit, and that is an
// edge.
func untold(q *handoff.Queue) { q.PlaceEvery = handoff.Never }

// An agent's arrival is no commit, so no Wake is due: the sweep finds him.
func TestA1_SweepFindsWhoCameUnheard(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		a, _ := cxIdle(t, r)
		cxDeaf(t, r)
		h := cxAsk(t, a, "c")
		r.Agent("ann", 1)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State, "somebody told an engine")
		r.Sleep(7 * time.Second)
		require.NotZero(t, cxOffered(r.Now(h.ID), "ann"))
	}, cxQueue(untold))
}

// The same for a replica that starts when everything has happened.
func TestA1_SweepAtStart(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		a, _ := cxIdle(t, r)
		h := cxAsk(t, a, "c")
		r.Agent("ann", 1)
		cxDeaf(t, r)
		require.NotZero(t, cxOffered(r.Now(h.ID), "ann"))
	}, cxQueue(untold))
}

// The last rung fires, and the replica dies after that commit: the handoff
// keeps a time at which somebody looks, and the sweep matches it.
func TestA2_DeathAfterTheLastRung(t *testing.T) {
	relax := func(q *handoff.Queue) {
		q.Ladder = []handoff.Rung{{After: time.Minute, Do: handoff.RelaxSkills}}
	}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		cxExpert(t, r)
		_, tap := cxDeaf(t, r)
		a, _ := cxIdle(t, r)
		r.Agent("ann", 1)
		h := cxAsk(t, a, "c", func(q *handoff.Request) {
			q.Skills = []handoff.Skill{{Name: "tax", Optional: true}}
		})
		tap.on(cxHook{match: func(s step) bool { return s.commits("timer/ladder") }, after: tap.kill})
		r.Sleep(62 * time.Second)
		require.Equal(t, 1, cxCount(r, h.ID, handoff.KindRelaxed))
		rec, err := r.Store.Get(t.Context(), h.ID)
		require.NoError(t, err)
		require.False(t, rec.Wake.IsZero(), "a handoff that waits is due at some time")
		require.False(t, rec.Wake.After(time.Now().Add(25*time.Hour)), "never means daily")
		cxDeaf(t, r)
		require.NotZero(t, cxOffered(r.Now(h.ID), "ann"))
	}, cxQueue(relax))
}

// B reads two free agents and wants to offer h0 to one of them; a replica that
// knows only that one is faster. The other agent's edge must not be lost.
func TestA3_ConflictKeepsTheEdge(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		staff := handoff.Staff{{ID: "ann", Seats: 1, Queues: []string{"support"}}}
		a, _ := cxIdle(t, r, func(c *handoff.Config) { c.Directory, c.Presence = staff, staff })
		b, tap := cxIdle(t, r)
		h0, h1 := cxAsk(t, b, "c0"), cxAsk(t, b, "c1")
		r.Agent("ann", 1)
		r.Agent("bob", 1)
		tap.on(cxHook{match: func(s step) bool { return s.commits("offer/") }, before: func() {
			require.NoError(t, a.AgentChanged(t.Context(), "ann"))
		}})
		require.NoError(t, b.AgentChanged(t.Context(), "bob"))
		require.NotZero(t, cxOffered(r.Now(h0.ID), "ann"))
		require.NotZero(t, cxOffered(r.Now(h1.ID), "bob"))
	}, edgesOnly)
}

// What is read for an edge is read fresh: who is there, and which lines wait.
func TestA4_NothingIsCached(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		cxExpert(t, r)
		r.Start()
		r.Floor.Quiet(false)
		h := cxAsk(t, r.Engine, "c")
		r.Wait()
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		ann := r.Agent("ann", 3)
		require.NotZero(t, cxOffered(r.Now(h.ID), "ann"), "presence")
		ann.Accept()

		r.Asks("harder", func(q *handoff.Request) { q.Skills = []handoff.Skill{{Name: "tax", Level: 9}} }) // is the head from now on
		hard := r.Asks("hard", func(q *handoff.Request) { q.Skills = []handoff.Skill{{Name: "tax"}} })
		require.Equal(t, handoff.StateWaiting, hard.State)
		require.NotZero(t, cxOffered(r.Asks("easy"), "ann"), "lines")
		require.NoError(t, r.Floor.Put(t.Context(), handoff.Agent{
			ID: "ann", Seats: 3, Queues: []string{"support"}, Skills: map[string]int{"tax": 1},
		}))
		r.Wait()
		require.NotZero(t, cxOffered(r.Now(hard.ID), "ann"), "skills")
	}, edgesOnly)
}

// Whatever makes a pair possible is an edge, not only an arrival.
func TestA5_MoreOfAnAgentIsAnEdge(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		cxExpert(t, r)
		r.Start()
		r.Floor.Quiet(false)
		agent := func(a handoff.Agent) {
			t.Helper()
			a.ID = "ann"
			require.NoError(t, r.Floor.Put(t.Context(), a))
			r.Wait()
		}
		r.Hire(handoff.Agent{ID: "ann", Queues: []string{"support"}})
		c0 := r.Asks("c0")
		require.Equal(t, handoff.StateWaiting, c0.State)
		agent(handoff.Agent{Seats: 1, Queues: []string{"support"}})
		require.NotZero(t, cxOffered(r.Now(c0.ID), "ann"), "capacity raised from 0 to 1")

		c1 := r.Asks("c1", func(q *handoff.Request) { q.Skills = []handoff.Skill{{Name: "tax", Level: 2}} })
		agent(handoff.Agent{Seats: 5, Queues: []string{"support"}, Skills: map[string]int{"tax": 1}})
		require.Equal(t, handoff.StateWaiting, r.Now(c1.ID).State)
		agent(handoff.Agent{Seats: 5, Queues: []string{"support"}, Skills: map[string]int{"tax": 2}})
		require.NotZero(t, cxOffered(r.Now(c1.ID), "ann"), "a skill widened")

		c2 := r.Asks("c2", func(q *handoff.Request) { q.Queue = "sales" })
		require.Equal(t, handoff.StateWaiting, c2.State)
		agent(handoff.Agent{Seats: 5, Queues: []string{"support", "sales"}})
		require.NotZero(t, cxOffered(r.Now(c2.ID), "ann"), "membership widened")
	}, edgesOnly, func(c *handoff.Config) { c.Queues = append(c.Queues, handoff.Queue{Name: "sales"}) })
}

// A seat that is given back is an edge, whichever way it comes.
func TestA5_ASeatGivenBackIsAnEdge(t *testing.T) {
	for name, back := range map[string]func(r *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff){
		"end":    func(_ *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) { ann.Ends(h.ID) },
		"return": func(_ *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) { ann.Returns(h.ID, "") },
		"hold": func(r *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) {
			_, err := r.Hold(r.T.Context(), h.ID, ann.By(), "")
			require.NoError(r.T, err)
		},
		"requeue": func(r *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) {
			_, err := r.Requeue(r.T.Context(), h.ID, ann.By(), "")
			require.NoError(r.T, err)
		},
		"cancel": func(r *handofftest.Rig, _ *handofftest.Agent, h handoff.Handoff) {
			_, err := r.Cancel(r.T.Context(), h.ID.Conversation, false)
			require.NoError(r.T, err)
		},
		"wrap-up": func(r *handofftest.Rig, ann *handofftest.Agent, h handoff.Handoff) {
			ann.Ends(h.ID)
			require.Equal(r.T, handoff.StateWrapup, r.Now(h.ID).State)
			r.Sleep(time.Minute + 2*time.Second)
		},
		"idle": func(r *handofftest.Rig, _ *handofftest.Agent, _ handoff.Handoff) {
			r.Sleep(5*time.Minute + 2*time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				r.Engine, _ = cxDeaf(t, r) // no store tells it that a seat is free
				ann := r.Agent("ann", 1)
				r.Asks("c0")
				h := ann.Accept()
				next := r.Asks("c1")
				require.Equal(t, handoff.StateWaiting, next.State)
				back(r, ann, h)
				r.Wait()
				require.NotZero(t, cxOffered(r.Now(next.ID), "ann"))
			}, edgesOnly, cxQueue(func(q *handoff.Queue) {
				q.ReleaseOnHold = name == "hold"
				q.IdleTimeout = 5 * time.Minute
				if name == "wrap-up" {
					q.Wrapup = time.Minute
				}
			}))
		})
	}
}

// A queue that opens is an edge too.
func TestA5_OpeningIsAnEdge(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		hours := &shutter{opens: time.Now().Add(time.Hour), shut: time.Now().Add(time.Minute)}
		r.Config.Queues[0].Hours = hours
		e, err := handoff.New(r.Config)
		require.NoError(t, err)
		cxRunning(t, e)
		h := cxAsk(t, e, "c")
		r.Sleep(2 * time.Minute)
		r.Agent("ann", 1)
		require.NoError(t, e.AgentChanged(t.Context(), "ann"))
		r.Wait()
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State, "closed")
		r.Sleep(58*time.Minute + 3*time.Second)
		require.NotZero(t, cxOffered(r.Now(h.ID), "ann"))
	}, edgesOnly, cxQueue(func(q *handoff.Queue) {
		q.Ladder = []handoff.Rung{{After: 5 * time.Hour, Do: handoff.ToBot}}
	}))
}

// A shutter is closed between two times.
type shutter struct{ shut, opens time.Time }

func (s *shutter) At(at time.Time) (bool, time.Time) {
	switch {
	case at.Before(s.shut):
		return true, s.shut
	case at.Before(s.opens):
		return false, s.opens
	}
	return true, time.Time{}
}

// The end of a cool-down is an edge that only the handoff itself can send.
func TestA6_EndOfCoolDownIsAnEdge(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		r.Floor.Quiet(false)
		ann := r.Agent("ann", 1)
		h := r.Asks("c")
		ann.Decline("lunch")
		r.Sleep(4 * time.Minute)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		r.Sleep(time.Minute + 2*time.Second)
		require.NotZero(t, cxOffered(r.Now(h.ID), "ann"))
	}, edgesOnly)
}

// An edge drains the line from its head: the request that made it may not
// overtake.
func TestA7_NobodyOvertakes(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		a, _ := cxIdle(t, r)
		r.Start()
		h0 := cxAsk(t, a, "c0")
		r.Sleep(time.Second)
		r.Agent("ann", 1)
		h1 := r.Asks("c1")
		require.NotZero(t, cxOffered(r.Now(h0.ID), "ann"))
		require.Equal(t, handoff.StateWaiting, r.Now(h1.ID).State)
	}, edgesOnly)
}

// The head is the one of the order that is served: priority, then time.
func TestA7_PriorityBeforeTime(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		a, _ := cxIdle(t, r)
		low := cxAsk(t, a, "low")
		r.Sleep(time.Second)
		high := cxAsk(t, a, "high", func(q *handoff.Request) { q.Priority = 1 })
		r.Agent("ann", 1)
		require.NoError(t, a.AgentChanged(t.Context(), "ann"))
		require.NotZero(t, cxOffered(r.Now(high.ID), "ann"))
		require.Equal(t, handoff.StateWaiting, r.Now(low.ID).State)
		p, err := r.Place(t.Context(), low.ID)
		require.NoError(t, err)
		require.Equal(t, 2, p.Position, "an offer keeps its place until it is accepted")
	}, edgesOnly)
}

// Who declined is not offered it again at once, so that the next in line is.
func TestA9_DeclinedDoesNotStarve(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		r.Floor.Quiet(false)
		ann := r.Agent("ann", 1)
		h0, h1 := r.Asks("c0"), r.Asks("c1")
		require.NotZero(t, cxOffered(h0, "ann"))
		ann.Decline("not mine")
		require.NotZero(t, cxOffered(r.Now(h1.ID), "ann"))
		require.Equal(t, handoff.StateWaiting, r.Now(h0.ID).State)
	})
}

// Nor who let it lapse.
func TestA9_LapsedDoesNotStarve(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		r.Floor.Quiet(false)
		r.Agent("ann", 1)
		h0, h1 := r.Asks("c0"), r.Asks("c1")
		require.NotZero(t, cxOffered(h0, "ann"))
		r.Sleep(32 * time.Second)
		require.NotZero(t, cxOffered(r.Now(h1.ID), "ann"))
		require.Equal(t, handoff.StateWaiting, r.Now(h0.ID).State)
	})
}
