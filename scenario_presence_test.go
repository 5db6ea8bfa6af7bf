package handoff_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// chatwoot#13050, #11034: without a real queue, agents who were overloaded or
// not there got chats, and the load was uneven.
func TestW11_OnlyEligibleAgentsTheRestWaits(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 2)
		r.Agent("bob", 2)
		away := r.Agent("eve", 9)
		away.Leaves()
		for i := range 6 {
			r.Says(talk(i), "help")
			r.Asks(talk(i))
			r.Sleep(time.Second)
			a, b := load(r, "ann"), load(r, "bob")
			require.LessOrEqual(t, max(a, b)-min(a, b), 1, "the load is even")
		}
		require.Equal(t, 2, load(r, "ann"))
		require.Equal(t, 2, load(r, "bob"))
		require.Equal(t, 0, load(r, "eve"))
		for i := 4; i < 6; i++ {
			h := r.Last(talk(i))
			require.Equal(t, handoff.StateWaiting, h.State, "the queue is the default")
			p, err := r.Place(r.Ctx, h.ID)
			require.NoError(t, err)
			require.Equal(t, i+1, p.Position, "behind those who are being asked about")
		}
	}, queues(handoff.Queue{Name: "support", Route: handoff.LeastBusy, OfferTimeout: time.Hour}))
}

// someday is a Presence of another system with words of its own.
type someday map[string]handoff.Availability

func (s someday) Agents(_ context.Context, ids []string, _ time.Time) ([]handoff.Status, error) {
	out := make([]handoff.Status, len(ids))
	for i, id := range ids {
		out[i] = handoff.Status{Agent: id, Availability: s[id]}
	}
	return out, nil
}

// libredesk#561: away and offline agents were still in the pool, since it was
// made by a list of statuses that do not count.
func TestW12_EligibleIsOnlyOnline(t *testing.T) {
	words := someday{
		"a1": handoff.Offline, "a2": handoff.Unknown, "a3": "away", "a4": "away_and_reassigning",
		"a5": "ONLINE", "a6": "busy", "a7": "online ", "zoe": handoff.Online,
	}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		for id := range words {
			r.Agent(id, 1)
		}
		require.Equal(t, 1, free(r, "support"))
		h := r.Asks("c1")
		require.Len(t, h.Offers, 1)
		require.Equal(t, "zoe", h.Offers[0].Agent, "the only one who is online is asked")
		h = r.Asks("c2")
		require.Equal(t, handoff.StateWaiting, h.State)
		for id, is := range words {
			if is == handoff.Online {
				continue
			}
			_, err := r.Assign(r.Ctx, h.ID, handoff.BySupervisor("sup"), id)
			require.ErrorIsf(t, err, handoff.ErrUnavailable, "%s is %q", id, is)
		}
		ex, err := r.Explain(r.Ctx, h.ID)
		require.NoError(t, err)
		require.Len(t, ex.Agents, len(words))
		for _, a := range ex.Agents {
			require.NotEmptyf(t, a.Why, "%s could take it", a.Agent)
		}
	}, func(c *handoff.Config) { c.Presence = words }, queues(handoff.Queue{Name: "support", Route: handoff.RoundRobin, OfferTimeout: time.Hour}))
}

// libredesk#634: a conversation was assigned to an agent who has no permission
// to reply to it.
func TestW13_WhoMayNotReplyIsNotAsked(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("stranger", 5, "other")
		r.Hire(handoff.Agent{ID: "novice", Seats: 5, Queues: []string{"support", "list"}, Skills: map[string]int{"billing": 1}})
		h := r.Asks("c1", func(q *handoff.Request) { q.Skills = []handoff.Skill{{Name: "billing", Level: 2}} })
		r.Sleep(time.Minute)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State, "nobody may answer, so nobody is asked")

		// Nor may they help themselves, or write.
		out, err := r.Request(r.Ctx, handoff.Request{Conversation: "c2", Queue: "list", Skills: []handoff.Skill{{Name: "billing", Level: 2}}})
		require.NoError(t, err)
		for _, id := range []string{"stranger", "novice", "nobody"} {
			_, err = r.Accept(r.Ctx, out.Handoff.ID, handoff.By(id), 0)
			var bad *handoff.InvalidError
			require.ErrorAs(t, err, &bad, id)
			require.Equal(t, "Actor.ID", bad.Field)
			_, err = r.Send(r.Ctx, out.Handoff.ID, handoff.By(id), handoff.Message{Text: "hello"})
			require.Error(t, err)
		}
		require.Equal(t, handoff.StateWaiting, r.Now(out.Handoff.ID).State)
		require.Empty(t, saidBy(r, "c2", handoff.RoleAgent))

		// One who may is asked; when he is dismissed before he accepts, he is out.
		r.Hire(handoff.Agent{ID: "ann", Seats: 5, Queues: []string{"support"}, Skills: map[string]int{"billing": 3}})
		h = r.Now(h.ID)
		o, ok := h.Offer("ann")
		require.True(t, ok)
		require.NoError(t, r.Floor.Delete(r.Ctx, "ann"))
		_, err = r.Accept(r.Ctx, h.ID, handoff.By("ann"), o.Number)
		require.ErrorIs(t, err, handoff.ErrInvalid)
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}, handoff.Queue{Name: "other"}, handoff.Queue{Name: "list", Style: handoff.Pull}))
}

// chatwoot#5362, RocketChat#9278, #11280: an agent lost his connection; his
// chats hung, and nobody told the users.
func TestW15_AgentLostMeansNextAgent(t *testing.T) {
	for name, quiet := range map[string]bool{"told": false, "untold": true} {
		t.Run(name, func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				ann := r.Agent("ann", 1)
				h := chat(r, ann, "c1")
				r.Sleep(time.Second)
				waiting := r.Asks("c2") // came later, waits all the time
				r.Floor.Quiet(quiet)
				ann.Leaves()
				r.Sleep(10 * time.Second)
				require.Equal(t, handoff.StateActive, r.Now(h.ID).State, "a flicker takes no chat from anybody")
				r.Says("c1", "are you there?")
				r.Sleep(time.Minute)
				require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
				require.Equal(t, 1, times(notices(r, "c1"), handoff.NoticeRequeued), "the user is told, once")

				// In front of whoever came later, and with all that was said.
				p, err := r.Place(r.Ctx, h.ID)
				require.NoError(t, err)
				require.Equal(t, 1, p.Position)
				r.Floor.Quiet(false)
				bob := r.Agent("bob", 1)
				require.Equal(t, handoff.StateWaiting, r.Now(waiting.ID).State)
				takes(r, bob, "c1")
				require.Len(t, r.Now(h.ID).Pending, 2, "help; are you there?")
				bob.Says(h.ID, "yes")
				require.Equal(t, []string{"yes"}, saidBy(r, "c1", handoff.RoleAgent))
			}, queues(handoff.Queue{Name: "support", Ladder: patient()}))
		})
	}
}

// HelpIM#94: staff left and came back; the client who waited was never
// assigned, since only the change of a presence was looked at and lost.
func TestW16_WhoComesBackGetsWhoWaits(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		ann.Leaves()
		h := r.Asks("c1")
		require.Equal(t, handoff.StateWaiting, h.State)
		ann.Comes()
		_, rings := ann.Offered()
		require.True(t, rings, "at once, not at the next sweep")

		// He leaves while it rings and is back before anybody has noticed.
		r.Floor.Quiet(true)
		ann.Leaves()
		r.Sleep(time.Second)
		ann.Comes()
		r.Sleep(7 * time.Second)
		_, rings = ann.Offered()
		require.True(t, rings)

		// The same when the engine noticed, and when the coming back is lost.
		ann.Leaves()
		r.Sleep(7 * time.Second)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		ann.Comes()
		r.Sleep(7 * time.Second)
		takes(r, ann, "c1")
		require.Equal(t, "ann", r.Now(h.ID).Agent)
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: time.Hour}))
}

// RocketChat#20899, #19062: the last agent left, and what a visitor got for his
// next message was the raw error "no-agent-online".
func TestW46_TheLastAgentLeaves(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann, bob := r.Agent("ann", 1, "support"), r.Agent("bob", 1, "backup")
		r.Says("talks", "help")
		r.Asks("talks")
		takes(r, ann, "talks")
		r.Says("waits", "help")
		waiting := r.Asks("waits").ID
		help := func() handoff.AvailabilityReport {
			a, err := r.Availability(r.Ctx, handoff.Need{Queue: "support"})
			require.NoError(t, err)
			return a
		}
		require.Equal(t, handoff.AvailabilityReport{
			Queue: "support", Open: true, Availability: handoff.Online, Online: 1, Seats: 1, Waiting: 1,
		}, help())

		// The last one of the queue leaves: the bot knows at once, who waits is
		// told, and who comes now is taken by the queue that stands in.
		ann.Leaves()
		require.Equal(t, "backup", help().Divert)
		r.Sleep(time.Minute)
		require.Contains(t, r.Users.Texts("waits"), "You are next. Nobody is there right now.")
		r.Says("comes", "a person, please")
		require.Equal(t, "backup", r.Asks("comes").Need.Queue)
		takes(r, bob, "comes")

		// So does the last one of all. What the visitor gets are words, and the bot
		// goes on with his message.
		bob.Leaves()
		require.Equal(t, handoff.Offline, help().Availability)
		turn := r.Says("late", "a person, please")
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "late", Queue: "support"})
		var refused *handoff.UnavailableError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, handoff.ReasonOffline, refused.Why)
		require.Contains(t, kinds(r, r.Last("late").ID), handoff.KindRefused, "that somebody was missing is on record")
		r.Wait()
		require.Equal(t, []string{handoff.NoticeOffline}, notices(r, "late"))
		_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "Until then, may I help?"})
		require.NoError(t, err)
		// Nor is it an error for the one who talked to her.
		r.Says("talks", "are you there?")
		r.Sleep(time.Minute)
		for _, c := range []string{"talks", "waits", "comes", "late"} {
			noneHas(t, r.Users.Saw(c), "no-agent", "handoff:", "offline", "unavailable")
		}

		// And back: who waited is asked about without having to write again.
		ann.Comes()
		require.Equal(t, handoff.Online, help().Availability)
		r.Sleep(time.Second)
		_, asked := ann.Offered()
		require.True(t, asked)
		require.NotEqual(t, handoff.StateEnded, r.Now(waiting).State)
	}, queues(
		handoff.Queue{Name: "support", NeedAgents: true, Divert: "backup", Offline: handoff.Absence{Tell: true}, Ladder: patient(), OfferTimeout: time.Hour},
		handoff.Queue{Name: "backup", NeedAgents: true},
	))
}
