package handoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// RocketChat#22206: one inquiry was taken by two agents who accepted at the
// same time, and both wrote to the user.
func TestW01_OneRequestTwoAccepts(t *testing.T) {
	for name, style := range map[string]handoff.Style{"broadcast": handoff.Broadcast, "pull": handoff.Pull} {
		t.Run(name, func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				engines := []*handoff.Engine{r.Engine, r.Replica()}
				agents := []*handofftest.Agent{r.Agent("ann", 2), r.Agent("bob", 2)}
				h := r.Asks("c1")
				r.Sleep(time.Second) // replicas on a server may have raced to offer it
				h = r.Now(h.ID)
				slowCommits(r, 50*time.Millisecond)
				errs := atOnce(2, func(i int) error {
					offer := int64(0)
					if o, ok := h.Offer(agents[i].ID); ok {
						offer = o.Number
					}
					_, err := engines[i].Accept(r.Ctx, h.ID, agents[i].By(), offer)
					return err
				})
				r.Sleep(time.Second)
				require.Equal(t, 1, won(errs), "%v", errs)
				for i, err := range errs {
					_, says := engines[i].Send(r.Ctx, h.ID, agents[i].By(), handoff.Message{Text: "hello from " + agents[i].ID})
					if err == nil {
						require.NoError(t, says)
						continue
					}
					if style == handoff.Pull {
						require.ErrorIs(t, err, handoff.ErrState, "whoever is late is told that it is taken")
					} else {
						require.ErrorIs(t, err, handoff.ErrWithdrawn)
					}
					require.ErrorIs(t, says, handoff.ErrNotHolder)
				}
				r.Sleep(time.Second)
				require.Equal(t, 1, times(notices(r, "c1"), handoff.NoticeJoined))
				require.Len(t, saidBy(r, "c1", handoff.RoleAgent), 1)
			}, queues(handoff.Queue{Name: "support", Style: style}))
		})
	}
}

// asterisk#176: with ring-all a call was answered and acknowledged by two
// agents; the others kept on ringing.
func TestW02_LosersAreWithdrawn(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann, bob, eve := r.Agent("ann", 1), r.Agent("bob", 1), r.Agent("eve", 1)
		h := r.Asks("c1")
		late, ok := h.Offer("bob")
		require.True(t, ok)
		require.Len(t, h.Offers, 3, "all are rung")

		takes(r, ann, "c1")

		withdrawn := map[string]bool{}
		entries := r.Entries(h.ID)
		joined := len(entries)
		for i, en := range entries {
			switch en.Kind {
			case handoff.KindWithdrawn:
				withdrawn[en.Agent] = true
				require.Less(t, i, joined, "the losers are withdrawn in the commit that joins the winner")
				require.Equal(t, handoff.StateActive, en.State)
			case handoff.KindJoined:
				joined = i
			default:
			}
		}
		require.Equal(t, map[string]bool{"bob": true, "eve": true}, withdrawn)
		for _, a := range []*handofftest.Agent{bob, eve} {
			_, rings := a.Offered()
			require.False(t, rings, "%s is still rung", a.ID)
		}
		_, err := r.Engine.Accept(r.Ctx, h.ID, bob.By(), late.Number)
		require.ErrorIs(t, err, handoff.ErrWithdrawn)
		require.Equal(t, "ann", r.Now(h.ID).Agent)

		require.Len(t, r.Asks("c2").Offers, 2, "the losers are free for the next one")
	}, queues(handoff.Queue{Name: "support", Style: handoff.Broadcast}))
}

// RocketChat PR#37776: three instances, a limit of three, and an agent got
// four chats.
func TestW03_LimitHoldsOverInstances(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		engines := []*handoff.Engine{r.Engine, r.Replica(), r.Replica()}
		slowCommits(r, 20*time.Millisecond)
		ann := r.Agent("ann", 3)
		errs := atOnce(9, func(i int) error {
			_, err := engines[i%3].Request(r.Ctx, handoff.Request{Conversation: talk(i), Queue: "support"})
			return err
		})
		require.Equal(t, 9, won(errs), "%v", errs)
		for range 20 {
			r.Sleep(100 * time.Millisecond)
			require.LessOrEqual(t, load(r, "ann"), 3)
		}
		require.Equal(t, 3, load(r, "ann"), "the limit itself is reached")
		for range 3 {
			ann.Accept()
		}
		r.Sleep(time.Minute)
		require.Equal(t, 3, load(r, "ann"))

		// The same when she helps herself from a list, on all instances at once.
		for i := range 6 {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "p" + talk(i), Queue: "list"})
			require.NoError(t, err)
		}
		r.Agent("bob", 3, "list")
		errs = atOnce(6, func(i int) error {
			_, err := engines[i%3].Accept(r.Ctx, handoff.ID{Conversation: "p" + talk(i), Number: 1}, handoff.By("bob"), 0)
			return err
		})
		r.Sleep(time.Second)
		require.Equal(t, 3, won(errs), "%v", errs)
		for _, err := range errs {
			if err != nil {
				require.ErrorIs(t, err, handoff.ErrFull)
			}
		}
		require.Equal(t, 3, load(r, "bob"))
	}, queues(handoff.Queue{Name: "support", OfferTimeout: time.Hour}, handoff.Queue{Name: "list", Style: handoff.Pull}))
}

// RocketChat#18217, PR#19352: requests that came at the same time exceeded the
// maximum of simultaneous chats.
func TestW04_ConcurrentRequestsKeepTheMaximum(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		engines := []*handoff.Engine{r.Engine, r.Replica()}
		slowCommits(r, 20*time.Millisecond)
		errs := atOnce(12, func(i int) error {
			_, err := engines[i%2].Request(r.Ctx, handoff.Request{Conversation: talk(i), Queue: "support"})
			return err
		})
		require.Equal(t, 5, won(errs), "five may wait: %v", errs)
		for i, err := range errs {
			if err == nil {
				continue
			}
			var full *handoff.UnavailableError
			require.ErrorAs(t, err, &full)
			require.Equal(t, handoff.ReasonFull, full.Why)
			require.Equal(t, handoff.StateBot, r.Last(talk(i)).State, "who was sent away has the bot")
		}
		for _, id := range []string{"ann", "bob"} {
			r.Agent(id, 2)
		}
		for range 10 {
			r.Sleep(200 * time.Millisecond)
			require.LessOrEqual(t, load(r, "ann"), 2)
			require.LessOrEqual(t, load(r, "bob"), 2)
		}
		require.Equal(t, 4, load(r, "ann")+load(r, "bob"))
	}, queues(handoff.Queue{Name: "support", MaxWaiting: 5, OfferTimeout: time.Hour}))
}

// RocketChat PR#21839: the limit of a department counted the chats of other
// departments.
func TestW06_QueueLimitCountsOwnQueue(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Hire(handoff.Agent{
			ID: "ann", Seats: 5, Queues: []string{"support", "sales"},
			QueueSeats: map[string]int{"support": 3, "sales": 1},
		})
		in := func(conversation, queue string) handoff.State {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: conversation, Queue: queue})
			require.NoError(t, err)
			r.Wait()
			return r.Last(conversation).State
		}
		for i := range 3 {
			require.Equal(t, handoff.StateOffered, in(talk(i), "support"))
		}
		require.Equal(t, handoff.StateWaiting, in("s4", "support"), "support has had its three")
		require.Equal(t, handoff.StateOffered, in("x1", "sales"), "three chats of support do not count here")
		require.Equal(t, handoff.StateWaiting, in("x2", "sales"))

		_, err := r.Cancel(r.Ctx, "x1", false)
		require.NoError(t, err)
		r.Sleep(time.Second)
		require.Equal(t, handoff.StateOffered, r.Last("x2").State)
		require.Equal(t, handoff.StateWaiting, r.Last("s4").State, "a seat of sales is none of support")
	}, queues(handoff.Queue{Name: "support", OfferTimeout: time.Hour}, handoff.Queue{Name: "sales", OfferTimeout: time.Hour}))
}

// RocketChat PR#28252, PR#29062: chats on hold made the capacity wrong, and an
// agent could not reach the number he was allowed.
func TestW07_HoldIsExplicitInTheLimit(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 2)
		first := chat(r, ann, "c1")
		_, err := r.Hold(r.Ctx, first.ID, ann.By(), "looks something up")
		require.NoError(t, err)
		chat(r, ann, "c2") // the count may equal the limit
		require.Equal(t, handoff.StateWaiting, r.Asks("c3").State, "a hold keeps its seat")
		require.Equal(t, 0, free(r, "support"))
	})
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 2)
		first := chat(r, ann, "c1")
		_, err := r.Hold(r.Ctx, first.ID, ann.By(), "waits for the warehouse")
		require.NoError(t, err)
		r.Wait()
		require.Equal(t, 1, free(r, "support"))
		chat(r, ann, "c2")
		third := chat(r, ann, "c3") // the hold gave its seat back
		require.Equal(t, handoff.StateWaiting, r.Asks("c4").State)

		_, err = r.Resume(r.Ctx, first.ID, ann.By())
		require.ErrorIs(t, err, handoff.ErrFull, "coming back claims a seat")
		_, err = r.Cancel(r.Ctx, "c4", false)
		require.NoError(t, err)
		ann.Ends(third.ID)
		_, err = r.Resume(r.Ctx, first.ID, ann.By())
		require.NoError(t, err)
		require.Equal(t, handoff.StateWaiting, r.Asks("c5").State)
	}, queues(handoff.Queue{Name: "support", ReleaseOnHold: true}))
}

// asterisk PR#1741: a call counter was raised twice under concurrency, so that
// fewest-calls routed wrongly for ever.
func TestW08_LoadIsDerived(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		other := r.Replica()
		ann := r.Agent("ann", 4)
		h := r.Asks("c1")
		o, _ := h.Offer("ann")
		// Every commit happens and is reported as failed; two replicas repeat it.
		r.Store.Plan(func(op string, _ handoff.ID) handofftest.Fault {
			if op == "Commit" {
				return handofftest.Fault{After: handofftest.ErrStore, Delay: 10 * time.Millisecond}
			}
			return handofftest.Fault{}
		})
		errs := atOnce(6, func(i int) error {
			e := []*handoff.Engine{r.Engine, other}[i%2]
			_, err := e.Accept(r.Ctx, h.ID, ann.By(), o.Number)
			return err
		})
		r.Store.Plan(nil)
		r.Sleep(10 * time.Second)
		require.Equal(t, 6, won(errs), "each repeat is told of the one success: %v", errs)
		require.Equal(t, 1, times(kinds(r, h.ID), handoff.KindJoined))

		// One seat of four is in use, so fewest-chats deals as it should.
		bob := r.Agent("bob", 4)
		for i := 2; i <= 5; i++ {
			r.Asks(talk(i))
		}
		// 1:0 goes to bob, 1:1 to ann, 2:1 to bob, 2:2 to ann. Had the repeats
		// counted, bob would have three.
		require.Equal(t, 2, load(r, bob.ID))
		require.Equal(t, 3, load(r, "ann"))
		ann.Ends(h.ID)
		require.Equal(t, 2, load(r, "ann"))
		require.Equal(t, 2, load(r, bob.ID))
	}, queues(handoff.Queue{Name: "support", OfferTimeout: time.Hour, Route: handoff.LeastBusy}))
}
