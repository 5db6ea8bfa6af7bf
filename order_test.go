package handoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/estimate"
	"github.com/seed-2a427302/handoff/handofftest"
)

// However a handoff comes back to its queue, it stands where it stood: before
// whoever came after it, and behind whoever has more priority.
func TestEveryReturnKeepsThePlace(t *testing.T) {
	for name, back := range map[string]func(r *handofftest.Rig, ann *handofftest.Agent, id handoff.ID){
		"declined": func(_ *handofftest.Rig, ann *handofftest.Agent, _ handoff.ID) { ann.Decline("not mine") },
		"lapsed":   func(r *handofftest.Rig, _ *handofftest.Agent, _ handoff.ID) { r.Sleep(33 * time.Second) },
		"lost while asked": func(_ *handofftest.Rig, ann *handofftest.Agent, _ handoff.ID) {
			ann.Leaves()
		},
		"lost": func(r *handofftest.Rig, ann *handofftest.Agent, _ handoff.ID) {
			ann.Accept()
			ann.Leaves()
			r.Sleep(2 * time.Minute)
		},
		"no first reply": func(r *handofftest.Rig, ann *handofftest.Agent, _ handoff.ID) {
			ann.Accept()
			r.Sleep(3*time.Minute + 3*time.Second)
		},
		"given back": func(r *handofftest.Rig, ann *handofftest.Agent, id handoff.ID) {
			ann.Accept()
			_, err := r.Requeue(r.Ctx, id, ann.By(), "")
			require.NoError(r.T, err)
		},
		"transferred": func(r *handofftest.Rig, ann *handofftest.Agent, id handoff.ID) {
			ann.Accept()
			_, err := r.Transfer(r.Ctx, id, ann.By(), handoff.Target{Queue: "support"})
			require.NoError(r.T, err)
		},
		"transferred while waiting": func(r *handofftest.Rig, ann *handofftest.Agent, id handoff.ID) {
			ann.Decline("")
			_, err := r.Transfer(r.Ctx, id, handoff.BySupervisor("sue"), handoff.Target{Queue: "support"})
			require.NoError(r.T, err)
		},
		"assigned, and declined": func(r *handofftest.Rig, ann *handofftest.Agent, id handoff.ID) {
			ann.Decline("")
			_, err := r.Assign(r.Ctx, id, handoff.BySupervisor("sue"), "ann")
			require.NoError(r.T, err)
			r.Wait()
			ann.Decline("still not")
		},
	} {
		for order, ageing := range map[string]time.Duration{"strict": 0, "ageing": time.Hour} {
			t.Run(name+", "+order, func(t *testing.T) {
				handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
					ann := r.Agent("ann", 1)
					h := r.Asks("first")
					require.Equal(t, handoff.StateOffered, h.State)
					r.Sleep(10 * time.Second)
					urgent := r.Asks("urgent", func(q *handoff.Request) { q.Priority, q.Exclude = 1, []string{"ann"} })
					later := r.Asks("later", func(q *handoff.Request) { q.Exclude = []string{"ann"} })
					back(r, ann, h.ID)
					r.Sleep(time.Second)
					now := r.Now(h.ID)
					if name != "transferred while waiting" { // which bars nobody: she is asked again
						require.Equal(t, handoff.StateWaiting, now.State)
					}
					require.True(t, h.Enqueued.Equal(now.Enqueued))
					for i, id := range []handoff.ID{urgent.ID, h.ID, later.ID} {
						require.Equal(t, i+1, placeOf(r, r.Engine, id).Position)
					}
				}, queues(handoff.Queue{Name: "support", Ladder: patient(), FirstReply: 3 * time.Minute, Ageing: ageing}))
			})
		}
	}
}

// Who overflows keeps his place in time: he stands before those of the other
// queue who came later than he. He is told his new place, and why it is another.
func TestOverflowKeepsThePlaceInTime(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		in := func(conversation, queue string) handoff.ID {
			r.Says(conversation, "a person, please")
			return r.Asks(conversation, func(q *handoff.Request) { q.Queue = queue }).ID
		}
		bob := r.Agent("bob", 1, "second")
		busy := in("busy", "second")
		takes(r, bob, "busy")
		ahead := in("c0", "second")
		r.Sleep(10 * time.Second)
		moves := in("c1", "support")
		r.Sleep(time.Minute)
		behind := in("c2", "second")
		require.Equal(t, 1, placeOf(r, r.Engine, moves).Position)
		require.Equal(t, 2, placeOf(r, r.Engine, behind).Position)
		require.Contains(t, last(r.Users.Texts("c2")), "One person is ahead of you.")

		r.Sleep(time.Minute + 3*time.Second)
		require.Equal(t, "second", r.Now(moves).Need.Queue)
		for i, id := range []handoff.ID{ahead, moves, behind} {
			require.Equal(t, i+1, placeOf(r, r.Engine, id).Position)
		}
		require.Contains(t, kinds(r, moves), handoff.KindLadder)
		require.Equal(t, estimate.Moved, r.Now(moves).Place.Cause)
		require.Contains(t, last(r.Users.Texts("c1")), "You are waiting for other colleagues now.")
		r.Sleep(time.Minute)
		require.Equal(t, estimate.Overtaken, r.Now(behind).Place.Cause)
		require.Contains(t, last(r.Users.Texts("c2")), "2 people are ahead of you.")

		// It is said once, and the first place of all has no reason.
		told := 0
		for _, en := range r.Entries(moves) {
			if en.Notice == handoff.NoticePlace && en.Data["cause"] != "" {
				told++
			}
		}
		require.Equal(t, 1, told)
		bob.Ends(busy)
		for _, c := range []string{"c0", "c1", "c2"} {
			bob.Ends(takes(r, bob, c).ID)
		}
	}, queues(
		handoff.Queue{Name: "support", Ladder: []handoff.Rung{{After: 2 * time.Minute, Do: handoff.Overflow, Queue: "second"}}, Expect: estimate.Prior{Handle: time.Minute}},
		handoff.Queue{Name: "second", Ladder: patient(), OfferTimeout: time.Hour, PlaceEvery: 10 * time.Second, Expect: estimate.Prior{Handle: time.Minute}},
	))
}
