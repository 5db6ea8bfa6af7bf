package handoff_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/memstore"
)

// RocketChat PR#35722, PR#35688: of the limits of agent and department the
// wrong one won. Here the smallest that applies does, whatever happens.
func TestW05_TheSmallestLimitHolds(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				rng := rand.New(rand.NewPCG(seed, 5))
				ann := handoff.Agent{
					ID: "ann", Seats: 1 + rng.IntN(6), Queues: []string{"support", "sales"},
					QueueSeats: map[string]int{"sales": rng.IntN(4)}, ChannelSeats: map[string]int{"mail": rng.IntN(4)},
				}
				a := r.Hire(ann)
				for i := range 30 {
					switch rng.IntN(4) {
					case 0, 1, 2:
						queue, channel := []string{"support", "sales"}[rng.IntN(2)], []string{"mail", "web"}[rng.IntN(2)]
						r.Asks(talk(i), func(q *handoff.Request) { q.Queue, q.Channel = queue, channel })
					default:
						list, err := r.List(r.Ctx, handoff.Query{Agent: "ann", States: []handoff.State{handoff.StateActive}})
						require.NoError(t, err)
						if len(list) > 0 {
							a.Ends(list[0].ID)
						}
					}
					if _, ok := a.Offered(); ok {
						a.Accept()
					}
					// Who lost a race tries again within moments; the sweep, a day off, is
					// no help.
					r.Sleep(time.Second)
					all, sales, mail := 0, 0, 0
					list, err := r.List(r.Ctx, handoff.Query{States: []handoff.State{handoff.StateActive, handoff.StateOffered}})
					require.NoError(t, err)
					for _, h := range list {
						all++
						if h.Need.Queue == "sales" {
							sales++
						}
						if h.Channel == "mail" {
							mail++
						}
					}
					require.LessOrEqual(t, all, ann.Seats)
					require.LessOrEqual(t, sales, ann.QueueSeats["sales"])
					require.LessOrEqual(t, mail, ann.ChannelSeats["mail"])

					// And whoever waits does so because of a limit.
					list, err = r.List(r.Ctx, handoff.Query{States: []handoff.State{handoff.StateWaiting}})
					require.NoError(t, err)
					for _, h := range list {
						require.True(t, all == ann.Seats || h.Need.Queue == "sales" && sales == ann.QueueSeats["sales"] ||
							h.Channel == "mail" && mail == ann.ChannelSeats["mail"], "%v could be offered", h.ID)
					}
				}
			}, func(c *handoff.Config) { c.Sweep = 24 * time.Hour }, queues(
				handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: time.Hour},
				handoff.Queue{Name: "sales", Ladder: patient(), OfferTimeout: time.Hour},
			))
		})
	}
}

// chatwoot#10583: an agent became free, and the newest chat got him while an
// older one stayed where it was.
func TestW09_TheOldestGetsWhoBecomesFree(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := chat(r, ann, "c0")
		for i := 1; i <= 4; i++ {
			r.Asks(talk(i))
			r.Sleep(time.Second)
		}
		for i := 1; i <= 4; i++ {
			ann.Ends(h.ID)
			r.Asks(fmt.Sprintf("new%d", i))
			h = takes(r, ann, talk(i)) // at once, without a sweep
		}
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}), func(c *handoff.Config) { c.Sweep = time.Hour })
}

// chatwoot#10685, PR#12334: everybody was offline when the chat came, and it
// was not assigned when they came back; the fix was a job every 15 minutes.
func TestW10_WhoComesOnlineIsAskedAtOnce(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 2)
		ann.Leaves()
		first := r.Asks("c1")
		r.Sleep(3 * time.Hour)
		second := r.Asks("c2")
		require.Equal(t, handoff.StateWaiting, r.Now(first.ID).State)
		ann.Comes()
		r.Wait()
		for _, id := range []handoff.ID{first.ID, second.ID} {
			h := r.Now(id)
			_, ok := h.Offer("ann")
			require.True(t, ok, "within the same second")
		}
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}), func(c *handoff.Config) { c.Sweep = 24 * time.Hour })
}

// chatwoot#7204, #4158, #9587, #10739, osTicket#3308: a conversation that was
// opened again went to its old agent, who was offline.
func TestW14_TheLastAgentIsAPreference(t *testing.T) {
	for name, change := range map[string]func(*handoff.Config){
		"sticky":    func(c *handoff.Config) { c.Router = handoff.Sticky(handoff.LongestIdle) },
		"preferred": func(*handoff.Config) {},
	} {
		t.Run(name, func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				again := func(agent string) {
					t.Helper()
					r.Says("c", "once more")
					h := r.Asks("c", func(q *handoff.Request) {
						if name == "preferred" {
							q.Preferred = "bob"
						}
					})
					o, ok := h.Offer(agent)
					require.True(t, ok, "%s is asked: %v", agent, h.Offers)
					t.Log(o.Why)
					_, err := r.Cancel(r.Ctx, "c", false)
					require.NoError(t, err)
					r.Sleep(time.Minute)
				}
				ann, bob := r.Agent("ann", 1), r.Agent("bob", 1)
				ann.Leaves()
				h := chat(r, bob, "c")
				bob.Returns(h.ID, "done")
				r.Sleep(time.Hour)
				ann.Comes()
				r.Sleep(time.Hour)
				again("bob") // he is there, and is asked before who is idle longer
				bob.Leaves()
				again("ann") // he is not: somebody else, at once
				bob.Comes()
				r.Asks("busy", func(q *handoff.Request) { q.Preferred = "bob" })
				takes(r, bob, "busy")
				again("ann") // he has no seat
			}, queues(handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: time.Hour, Route: handoff.LongestIdle}), change, func(c *handoff.Config) {
				if name == "sticky" {
					c.Queues[0].Route = nil
				}
			})
		})
	}
}

// RocketChat#23563, chatwoot#5076, #6631: a second device or a tab in the
// background changed who was there.
func TestW54_PresenceIsIntentAndALiveSession(t *testing.T) {
	p := memstore.NewPresence()
	ctx, at := t.Context(), time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	is := func(at time.Time) handoff.Availability {
		st, err := p.Agents(ctx, []string{"ann"}, at)
		require.NoError(t, err)
		return st[0].Availability
	}
	require.NoError(t, p.Want(ctx, "ann", true, "", at))
	require.NotEqual(t, handoff.Online, is(at), "wanting is not enough")
	require.NoError(t, p.Begin(ctx, "ann", "desk", at, at.Add(time.Minute)))
	require.Equal(t, handoff.Online, is(at))
	require.NoError(t, p.Want(ctx, "ann", false, "lunch", at))
	require.NoError(t, p.Begin(ctx, "ann", "phone", at, at.Add(time.Minute)))
	require.NoError(t, p.Beat(ctx, "ann", "desk", at.Add(time.Second), at.Add(2*time.Minute)))
	require.Equal(t, handoff.Offline, is(at.Add(time.Second)), "a second device brings nobody back from lunch")
	require.NoError(t, p.Want(ctx, "ann", true, "", at))
	require.NoError(t, p.End(ctx, "ann", "phone", at.Add(time.Second)))
	require.Equal(t, handoff.Online, is(at.Add(time.Second)), "the other one is still there")
	require.Equal(t, handoff.Offline, is(at.Add(3*time.Minute)), "and no ghost stays when its session has expired")
	require.ErrorIs(t, p.Beat(ctx, "ann", "desk", at.Add(3*time.Minute), at.Add(4*time.Minute)), handoff.ErrNotFound)
}
