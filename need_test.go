package handoff_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// why returns what Explain says of an agent.
func why(r *handofftest.Rig, id handoff.ID, agent string) string {
	r.T.Helper()
	x, err := r.Explain(r.Ctx, id)
	require.NoError(r.T, err)
	for _, a := range x.Agents {
		if a.Agent == agent {
			return a.Why.String()
		}
	}
	r.T.Fatalf("nothing is said of %s", agent)
	return ""
}

// A language is a need like a skill; an agent who names none speaks any.
func TestLanguagesAreNeeds(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Hire(handoff.Agent{ID: "ann", Seats: 9, Queues: []string{"support"}, Languages: []string{"en", "de"}})
		french := func(q *handoff.Request) { q.Language = "fr" }
		h := r.Asks("c", french)
		require.Equal(t, handoff.StateWaiting, h.State)
		require.Equal(t, "does not speak fr", why(r, h.ID, "ann"))
		eve := r.Hire(handoff.Agent{ID: "eve", Seats: 1, Queues: []string{"support"}, Languages: []string{"fr"}})
		takes(r, eve, "c")
		h = r.Asks("d", french)
		require.Equal(t, handoff.StateWaiting, h.State)
		takes(r, r.Agent("any", 1), "d")
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: time.Hour}))
}

// Who is excluded never gets it, though nobody else is there, and though he is
// the one who is preferred.
func TestExclusionsHold(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 9, "support", "list")
		h := r.Asks("c", func(q *handoff.Request) { q.Exclude, q.Preferred = []string{"ann"}, "ann" })
		r.Sleep(12 * time.Hour)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		require.Equal(t, "excluded", why(r, h.ID, "ann"))
		p := placeOf(r, r.Engine, h.ID)
		require.False(t, p.Known, "nobody can serve him")
		takes(r, r.Agent("bob", 1), "c")

		// Nor does he get it by hand: his own, a colleague's or a supervisor's.
		no := func(field string, err error) {
			t.Helper()
			var bad *handoff.InvalidError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, field, bad.Field)
		}
		for _, warm := range []bool{false, true} {
			_, err := r.Transfer(r.Ctx, h.ID, handoff.By("bob"), handoff.Target{Agent: "ann", Warm: warm})
			no("Target.Agent", err)
		}
		_, err := r.Assign(r.Ctx, h.ID, handoff.BySupervisor("sue"), "ann")
		no("agent", err)
		_, err = r.TakeOver(r.Ctx, h.ID, handoff.By("ann"), "")
		no("Actor.ID", err)
		require.Equal(t, "bob", r.Now(h.ID).Agent)
		require.Zero(t, load(r, "ann"))
		h = r.Asks("d", func(q *handoff.Request) { q.Queue, q.Exclude = "list", []string{"ann"} })
		_, err = r.Accept(r.Ctx, h.ID, handoff.By("ann"), 0)
		no("Actor.ID", err)
	}, queues(
		handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: time.Hour},
		handoff.Queue{Name: "list", Style: handoff.Pull, Ladder: patient()},
	), seldom)
}

// The strategies, and what a custom one may do.
func TestStrategies(t *testing.T) {
	at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	agent := func(id string, skills, used, free, idle int) handoff.Candidate {
		c := handoff.Candidate{Agent: handoff.Agent{ID: id, Skills: map[string]int{}}, Load: used, Free: free, IdleSince: at.Add(-time.Duration(idle) * time.Minute)}
		for i := range skills {
			c.Agent.Skills[string(rune('a'+i))] = 1
		}
		return c
	}
	free := []handoff.Candidate{
		agent("all", 5, 1, 9, 60), agent("few", 1, 2, 2, 10), agent("few-idle", 1, 3, 1, 20), agent("new", 3, 0, 1, 0),
	}
	for name, c := range map[string]struct {
		by   handoff.Router
		want string
	}{
		"most specialised, then longest idle": {handoff.MostSpecialised, "few-idle"},
		"longest idle":                        {handoff.LongestIdle, "all"},
		"least busy by share":                 {handoff.LeastBusy, "new"},
		"sticky":                              {handoff.Sticky(handoff.LongestIdle), "few"},
		"sticky over a function": {handoff.Sticky(handoff.RouterFunc(
			func(_ context.Context, _ *handoff.Handoff, free []handoff.Candidate) (string, string) {
				return free[3].Agent.ID, ""
			})), "few"},
	} {
		got, why := c.by.Route(t.Context(), &handoff.Handoff{LastAgent: "few"}, free)
		require.Equal(t, c.want, got, name)
		require.NotEmpty(t, why, name)
	}
	// Equal candidates are told apart by id, whatever order they come in.
	same := []handoff.Candidate{agent("b", 1, 0, 1, 5), agent("a", 1, 0, 1, 5)}
	got, _ := handoff.MostSpecialised.Route(t.Context(), &handoff.Handoff{}, same)
	require.Equal(t, "a", got)
}

// A router that names nobody, or somebody who is no candidate, leaves it
// waiting, and is asked again.
func TestRouterMayLeaveItWaiting(t *testing.T) {
	var answer atomic.Value
	answer.Store("")
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := r.Asks("c")
		for _, name := range []string{"", "nobody", "ann "} {
			answer.Store(name)
			r.Sleep(time.Minute)
			require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State, name)
		}
		answer.Store("ann")
		r.Sleep(10 * time.Second)
		takes(r, ann, "c")
		x, err := r.Explain(r.Ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, "by hand", x.Offers[0].Data["why"], "why this agent")
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: time.Hour, Route: handoff.RouterFunc(
		func(context.Context, *handoff.Handoff, []handoff.Candidate) (string, string) {
			return answer.Load().(string), "by hand"
		},
	)}))
}

// Nobody works here, nobody ever did; then one agent does.
func TestWaitAtNobodyAndAtOne(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h, second := r.Asks("c"), r.Asks("d")
		p := placeOf(r, r.Engine, second.ID)
		require.Equal(t, handoff.Place{Position: 2, Ahead: 1, Why: handoff.ReasonOffline}, p)
		x, err := r.Explain(r.Ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, "nobody serves this queue", x.Why.String())
		r.Agent("ann", 1)
		p = placeOf(r, r.Engine, second.ID)
		require.False(t, p.Known)
		require.Equal(t, handoff.ReasonNoData, p.Why, "a queue that never served anybody")
		require.Equal(t, 2, p.Position, "who is asked about still stands in the line")
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: time.Hour}))
}

// Who gives a handoff away is not asked for it at once. Who had the user the
// last time, and gives nothing away, is.
func TestTransferOfWhatWaitsBarsNobody(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		chat(r, ann, "c1")
		ann.Ends(r.Last("c1").ID)
		h := r.Asks("c1", func(q *handoff.Request) { q.Queue = "nobody" })
		require.Equal(t, "ann", h.LastAgent)
		_, err := r.Transfer(r.Ctx, h.ID, handoff.BySupervisor("sue"), handoff.Target{Queue: "support"})
		require.NoError(t, err)
		r.Sleep(2 * time.Second)
		require.Equal(t, handoff.StateOffered, r.Now(h.ID).State)

		ann.Accept()
		_, err = r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Queue: "support"})
		require.NoError(t, err)
		r.Sleep(2 * time.Second)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
	}, queues(
		handoff.Queue{Name: "support", Ladder: patient()},
		handoff.Queue{Name: "nobody", Ladder: patient()},
	))
}
