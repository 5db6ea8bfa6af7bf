package handoff_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// isAsked returns who is asked about a new handoff.
func isAsked(r *handofftest.Rig, conversation string, change ...func(*handoff.Request)) (who []string, why string) {
	r.T.Helper()
	h := r.Asks(conversation, change...)
	for _, o := range h.Offers {
		who, why = append(who, o.Agent), o.Why
	}
	return who, why
}

// A queue that says nothing keeps those free who can do everything, and of equals
// asks who is idle longest; a queue that does has its own way.
func TestMostSpecialisedIsTheDefault(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		for _, a := range []handoff.Agent{
			{ID: "all", Skills: map[string]int{"tax": 9, "law": 9}},
			{ID: "bob", Skills: map[string]int{"tax": 1}},
			{ID: "ann", Skills: map[string]int{"tax": 1}},
		} {
			a.Seats, a.Queues = 1, []string{"support", "idle"}
			r.Hire(a)
			r.Sleep(time.Minute)
		}
		tax := func(queue string) func(*handoff.Request) {
			return func(q *handoff.Request) { q.Queue, q.Skills = queue, []handoff.Skill{{Name: "tax"}} }
		}
		who, _ := isAsked(r, "i", tax("idle"))
		require.Equal(t, []string{"all"}, who, "idle longest")
		_, err := r.Cancel(r.Ctx, "i", false)
		require.NoError(t, err)
		r.Sleep(time.Second)
		for i, want := range []string{"bob", "ann", "all"} {
			who, why := isAsked(r, talk(i), tax("support"))
			require.Equal(t, []string{want}, who)
			require.Equal(t, "most specialised", why)
		}
	}, queues(
		handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: time.Hour},
		handoff.Queue{Name: "idle", Ladder: patient(), OfferTimeout: time.Hour, Route: handoff.LongestIdle},
	))
}

// An agent is idle since he gave something back, on the engine that did it and on
// one that only heard of it.
func TestLongestIdleCountsFromTheLastChat(t *testing.T) {
	for _, here := range []bool{true, false} {
		t.Run(strconv.FormatBool(here), func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				other, err := handoff.New(r.Config) // does not run, so that it makes no offers
				require.NoError(t, err)
				agents := map[string]*handofftest.Agent{}
				ids := map[string]handoff.ID{}
				for _, id := range []string{"ann", "bob", "eve"} {
					agents[id] = r.Agent(id, 1)
					r.Sleep(time.Minute)
				}
				for _, id := range []string{"ann", "bob", "eve"} {
					who, _ := isAsked(r, "first-"+id)
					require.Equal(t, []string{id}, who)
					ids[id] = takes(r, agents[id], "first-"+id).ID
					r.Sleep(time.Second)
				}
				for _, id := range []string{"eve", "ann", "bob"} {
					e := r.Engine
					if !here {
						e = other
					}
					_, err := e.End(r.Ctx, ids[id], handoff.By(id), handoff.Ending{})
					require.NoError(t, err)
					r.Sleep(time.Minute)
				}
				for i, want := range []string{"eve", "ann", "bob"} {
					who, why := isAsked(r, talk(i))
					require.Equal(t, []string{want}, who)
					require.Equal(t, "longest idle", why)
				}
			}, queues(handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: time.Hour, IdleTimeout: handoff.Never, Route: handoff.LongestIdle}))
		})
	}
}

// A broadcast asks as many at once as the queue says. When all of them have
// refused, it asks the others, and nobody twice.
func TestBroadcastAsksSomeAtOnce(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		agents := map[string]*handofftest.Agent{}
		for _, id := range []string{"ann", "bob", "eve", "zoe", "off"} {
			agents[id] = r.Agent(id, 1)
		}
		agents["off"].Leaves()
		who, why := isAsked(r, "c")
		require.Equal(t, []string{"ann", "bob"}, who)
		require.Equal(t, "broadcast", why)
		agents["ann"].Decline("")
		r.Sleep(time.Second)
		h := r.Last("c")
		require.Len(t, h.Offers, 1, "bob still thinks about it")
		agents["bob"].Decline("")
		r.Sleep(time.Second)
		h = r.Last("c")
		require.Len(t, h.Offers, 2)
		for _, id := range []string{"eve", "zoe"} {
			_, ok := h.Offer(id)
			require.True(t, ok, id)
		}
		agents["eve"].Decline("")
		takes(r, agents["zoe"], "c")
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), Style: handoff.Broadcast, BroadcastTo: 2, OfferTimeout: time.Hour, Cooldown: time.Millisecond}))
}

// To read no agent is no mistake.
func TestReadingNobody(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) { r.Read(t) })
}
