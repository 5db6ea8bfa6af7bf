package handoff_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/estimate"
	"github.com/seed-2a427302/handoff/handofftest"
)

// Rocket.Chat Helper.ts: the estimate hardly knew the position and never the
// agents.
func TestW22_TheEstimateKnowsPositionAndAgents(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		first := r.Asks("w0")
		require.Equal(t, handoff.ReasonOffline, placeOf(r, r.Engine, first.ID).Why, "unknown while nobody is there, never zero")
		ann := r.Agent("ann", 1)
		takes(r, ann, "w0")
		var ids []handoff.ID
		for i := range 8 {
			ids = append(ids, r.Asks("w"+strconv.Itoa(i+1)).ID)
		}
		waits := func() (out []handoff.Place) {
			for i, id := range ids {
				p := placeOf(r, r.Engine, id)
				require.True(t, p.Known)
				require.Equal(t, i+1, p.Position)
				out = append(out, p)
			}
			return out
		}
		one := waits()
		for i := 1; i < len(one); i++ {
			require.Greater(t, one[i].P50, one[i-1].P50, "longer for each one ahead")
			require.Greater(t, one[i].P90, one[i-1].P90)
		}
		// A second agent, who does not take anybody yet: it is half as long.
		r.Hire(handoff.Agent{ID: "bob", Seats: 1, Queues: []string{"support"}})
		two := waits()
		for i := 2; i < len(two); i++ {
			require.Less(t, two[i].P50, one[i].P50*3/4)
		}
		require.Zero(t, two[0].P50, "he is being asked about him")
		require.NoError(t, r.Floor.Delete(r.Ctx, "bob"))
		require.NoError(t, r.Floor.Delete(r.Ctx, "ann"))
		require.Equal(t, handoff.ReasonOffline, placeOf(r, r.Engine, ids[0]).Why)
	}, queues(handoff.Queue{
		Name: "support", Ladder: patient(), OfferTimeout: time.Hour, IdleTimeout: handoff.Never,
		Expect: estimate.Prior{Handle: 5 * time.Minute},
	}))
}

// Rocket.Chat LivechatInquiry.ts: the position was one among all departments,
// while the worker served the one queue.
func TestW23_TheRankIsThatOfTheListThatIsServed(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		var order []string
		for i, c := range []struct {
			queue    string
			priority int
		}{{"support", 0}, {"sales", 9}, {"support", 2}, {"sales", 0}, {"support", 0}, {"support", 2}, {"support", -1}, {"sales", 5}} {
			r.Asks(talk(i), func(q *handoff.Request) { q.Queue, q.Priority = c.queue, c.priority })
			r.Sleep(time.Second)
		}
		rank := map[int]string{}
		for _, c := range []int{0, 2, 4, 5, 6} {
			rank[placeOf(r, r.Engine, r.Last(talk(c)).ID).Position] = talk(c)
		}
		ann := r.Agent("ann", 1, "support")
		for range 5 {
			h := ann.Accept()
			order = append(order, h.ID.Conversation)
			ann.Ends(h.ID)
		}
		require.Equal(t, []string{"c2", "c5", "c0", "c4", "c6"}, order)
		for i, c := range order {
			require.Equal(t, c, rank[i+1], "who was told he is %d-th is served %d-th", i+1, i+1)
		}
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}, handoff.Queue{Name: "sales", Ladder: patient()}))
}

// zendesk_sdk_chat_ios#129, react-native-livechat#16: the wait was shown once
// and never again, so that the user thought that the chat was broken.
func TestW24_TheWaitIsToldAgain(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := chat(r, ann, "c0")
		ahead := r.Asks("c1")
		r.Says("me", "a person, please")
		me := r.Asks("me")
		told := func() int { return times(allNotices(r, "me"), handoff.NoticePlace) }
		require.Equal(t, 1, told())
		require.Contains(t, last(r.Users.Texts("me")), "One person is ahead of you.")

		// A change is told, and told soon.
		_, err := r.Cancel(r.Ctx, ahead.ID.Conversation, false)
		require.NoError(t, err)
		r.Sleep(25 * time.Second)
		require.Equal(t, 2, told())
		require.Contains(t, last(r.Users.Texts("me")), "You are next.")

		// No change is told now and then, too, and not more often.
		before := told()
		r.Sleep(16 * time.Minute)
		require.InDelta(t, before+3, told(), 1)
		p := placeOf(r, r.Engine, me.ID)
		require.Equal(t, r.Now(me.ID).Place.Position, p.Position, "and asking gives the same place")
		ann.Ends(h.ID)
		require.Equal(t, handoff.StateOffered, r.Now(me.ID).State)
	}, queues(handoff.Queue{
		Name: "support", Ladder: patient(), IdleTimeout: handoff.Never, Expect: estimate.Prior{Handle: 5 * time.Minute, Weight: 1000},
	}))
}

func allNotices(r *handofftest.Rig, conversation string) (out []string) {
	for _, m := range r.Users.Saw(conversation) {
		if m.Notice != "" {
			out = append(out, m.Notice)
		}
	}
	return out
}

// asterisk#1386, #1691: the position was never announced, since it began as 0;
// and a call that was put first stopped the whole queue.
func TestW25_TheFirstPlaceIsToldAndPriorityStopsNobody(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := chat(r, ann, "c0")
		r.Says("me", "a person, please")
		me := r.Asks("me")
		require.Contains(t, last(r.Users.Texts("me")), "You are next.", "the first place is told at once")

		// A steady stream of urgent ones, each of which is served: with ageing
		// he still gets his turn.
		for i := 1; i < 40 && r.Now(me.ID).State == handoff.StateWaiting; i++ {
			r.Asks("urgent"+strconv.Itoa(i), func(q *handoff.Request) { q.Priority = 1 })
			r.Sleep(time.Minute)
			ann.Ends(h.ID)
			h = ann.Accept()
		}
		require.Equal(t, "me", h.ID.Conversation)
		require.LessOrEqual(t, time.Since(me.Enqueued), 12*time.Minute)
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), Ageing: 10 * time.Minute, IdleTimeout: handoff.Never}))

	// One whom nobody can serve does not stop those behind him.
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Hire(handoff.Agent{ID: "eve", Queues: []string{"support"}, Skills: map[string]int{"law": 1}})
		stuck := r.Asks("stuck", func(q *handoff.Request) { q.Priority, q.Skills = 9, []handoff.Skill{{Name: "law"}} })
		chat(r, r.Agent("ann", 1), "me")
		require.Equal(t, handoff.StateWaiting, r.Now(stuck.ID).State)
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}))
}

// LiveHelperChat#2085, #745, #477: hours and operators contradicted each other,
// and the department to fall back to was not looked at.
func TestW55_AvailabilityAsksTheWholePath(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		report := func() handoff.AvailabilityReport {
			t.Helper()
			a, err := r.Availability(r.Ctx, handoff.Need{Queue: "support"})
			require.NoError(t, err)
			return a
		}
		goes := func(conversation string) (string, error) {
			out, err := r.Request(r.Ctx, handoff.Request{Conversation: conversation, Queue: "support"})
			return out.Handoff.Need.Queue, err
		}
		ann, bob := r.Agent("ann", 1, "support"), r.Agent("bob", 1, "backup")
		require.Equal(t, handoff.Online, report().Availability)
		require.Empty(t, report().Divert)
		ann.Leaves()
		a := report()
		require.Equal(t, handoff.Online, a.Availability, "the backup is there")
		require.Equal(t, "backup", a.Divert)
		require.Equal(t, 1, a.Online)
		queue, err := goes("c1")
		require.NoError(t, err)
		require.Equal(t, "backup", queue, "and what was said is what happens")
		require.Equal(t, "support", r.Entries(r.Last("c1").ID)[1].Data["diverted_from"])

		bob.Leaves()
		require.Equal(t, handoff.Offline, report().Availability)
		_, err = goes("c2")
		var no *handoff.UnavailableError
		require.ErrorAs(t, err, &no)
		require.Equal(t, handoff.ReasonOffline, no.Why)
		require.Equal(t, "support", no.Queue, "the reason of the queue that was asked for")

		// Out of hours an agent who is online changes nothing.
		ann.Comes()
		require.Equal(t, handoff.Online, report().Availability)
		r.Sleep(9 * time.Hour)
		a = report()
		require.False(t, a.Open)
		require.NotEqual(t, handoff.Online, a.Availability)
		_, err = goes("c3")
		require.ErrorAs(t, err, &no)
		require.Equal(t, handoff.ReasonClosed, no.Why)
		bob.Comes()
		require.Equal(t, "backup", report().Divert)
		queue, err = goes("c4")
		require.NoError(t, err)
		require.Equal(t, "backup", queue)
	}, queues(
		handoff.Queue{Name: "support", NeedAgents: true, Divert: "backup", Hours: handoff.Weekly{Days: map[string][]handoff.Span{"mon-sun": {"00:00-08:00"}}}},
		handoff.Queue{Name: "backup", NeedAgents: true, Divert: "support"}, // a circle
	))
}
