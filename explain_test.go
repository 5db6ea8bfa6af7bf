package handoff_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// Of everybody in the queue and in the group that may help it is said why he
// cannot take it now, and whether he ever could.
func TestExplainSaysWhyEachCannot(t *testing.T) { explainEach(t, causesTold{}) }

func explainEach(t *testing.T, of causesTold) {
	t.Helper()
	first := handoff.RouterFunc(func(_ context.Context, _ *handoff.Handoff, free []handoff.Candidate) (string, string) {
		for _, id := range []string{"cool", "no"} {
			if slices.ContainsFunc(free, func(c handoff.Candidate) bool { return c.Agent.ID == id }) {
				return id, "first of the list"
			}
		}
		return "", ""
	})
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		agents := map[string]*handofftest.Agent{}
		for _, a := range []handoff.Agent{
			{ID: "away"},
			{ID: "cam"},
			{ID: "chan", Seats: 9, ChannelSeats: map[string]int{"web": 1}},
			{ID: "cool"},
			{ID: "full"},
			{ID: "help", Queues: []string{"backup"}},
			{ID: "lacks", Skills: map[string]int{"en": 9}},
			{ID: "lang", Languages: []string{"en"}},
			{ID: "low", Skills: map[string]int{"fr": 1}},
			{ID: "no"},
			{ID: "one", Seats: 1},
			{ID: "out"},
		} {
			a.Video = a.ID != "cam"
			if a.Queues == nil {
				a.Queues = []string{"support"}
			}
			if a.Skills == nil {
				a.Skills = map[string]int{"fr": 3}
			}
			if a.Languages == nil {
				a.Languages = []string{"de"}
			}
			if a.Seats == 0 {
				a.Seats = 2
			}
			agents[a.ID] = r.Hire(a)
		}
		agents["away"].Leaves()
		for conversation, c := range map[string]struct{ agent, channel string }{"x": {"full", "mail"}, "y": {"full", "mail"}, "z": {"chan", "web"}} {
			r.Asks(conversation, func(q *handoff.Request) { q.Preferred, q.Channel = c.agent, c.channel })
			takes(r, agents[c.agent], conversation)
		}
		h := r.Asks("c", func(q *handoff.Request) {
			q.Skills, q.Language, q.Mode, q.Channel, q.Exclude = []handoff.Skill{{Name: "fr", Level: 2}}, "de", handoff.ModeVideo, "web", []string{"out"}
		})
		r.Sleep(33 * time.Second) // 30, and the engine looks about once a second
		agents["no"].Decline("not mine")
		r.Sleep(time.Second)

		x := of.explain(r, h.ID)
		require.Equal(t, "nobody can take it now", x.Why.String())
		type answer struct {
			why   string
			could bool
		}
		again := map[string]string{} // when the cool-down ends
		for _, en := range x.Offers {
			again[en.Agent] = en.At.Add(5 * time.Minute).UTC().Format(time.RFC3339)
		}
		got := map[string]answer{}
		for _, a := range x.Agents {
			got[a.Agent] = answer{a.Why.String(), a.Could}
		}
		require.Equal(t, map[string]answer{
			"away":  {"not online", true},
			"cam":   {"takes no video", false},
			"chan":  {"no free seat for the channel", true},
			"cool":  {"not again before " + again["cool"] + ": lapsed", true},
			"full":  {"no free seat", true},
			"help":  {"does not serve the queue", false},
			"lacks": {"lacks fr", false},
			"lang":  {"does not speak de", false},
			"low":   {"fr only at 1", false},
			"no":    {"not again before " + again["no"] + ": declined", true},
			"one":   {"no free seat", true},
			"out":   {"excluded", false},
		}, got)

		// Why these two were asked, and what came of it.
		var story []string
		for _, en := range x.Offers {
			story = append(story, string(en.Kind)+" "+en.Agent+" "+en.Data["why"])
		}
		require.Equal(t, []string{"offered cool first of the list", "lapsed cool ", "offered no first of the list", "declined no "}, story)
	}, queues(
		handoff.Queue{
			Name: "support", Route: first, VideoUnits: 2, IdleTimeout: handoff.Never,
			Ladder: []handoff.Rung{{After: 5 * time.Hour, Do: handoff.Widen, Queue: "backup"}, {After: 9 * time.Hour, Do: handoff.ToBot}},
		},
		handoff.Queue{Name: "backup"},
	))
}

// In every state it is said in a few words where a handoff is.
func TestExplainSaysWhereItIs(t *testing.T) { explainWhere(t, causesTold{}) }

func explainWhere(t *testing.T, of causesTold) {
	t.Helper()
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		is := func(id handoff.ID) string {
			t.Helper()
			x := of.explain(r, id)
			require.Equal(t, id, x.Handoff.ID)
			return x.Why.String()
		}
		ask := func(conversation, queue string) handoff.ID {
			return r.Asks(conversation, func(q *handoff.Request) { q.Queue = queue }).ID
		}
		require.Equal(t, "nobody serves this queue", is(ask("n", "nobody")))
		ann := r.Agent("ann", 1, "support", "list", "night")
		r.Says("bot", "hi")
		require.Equal(t, "with the bot", is(r.Last("bot").ID))
		one, two := ask("one", "list"), ask("two", "list")
		require.Equal(t, "waits to be picked from the list", is(one))
		require.Equal(t, "waits to be picked from the list", is(two))
		require.Equal(t, "the user is being asked for details", is(ask("form", "form")))
		late := ask("late", "night")

		h := ask("c", "support")
		require.Equal(t, "an agent is being asked", is(h))
		ann.Accept()
		require.Equal(t, "with an agent", is(h))
		require.Equal(t, "nobody can take it now", is(ask("d", "support")))
		second := ask("e", "support")
		require.Equal(t, "nobody can take it now", is(second))
		ann.Ends(h)
		require.Equal(t, "over: resolved", is(h))
		r.Sleep(2 * time.Hour)
		require.Equal(t, "the queue is closed", is(late))
	}, queues(
		handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: 10 * time.Hour}, handoff.Queue{Name: "nobody", Ladder: patient()},
		handoff.Queue{Name: "list", Style: handoff.Pull, Ladder: patient()},
		handoff.Queue{Name: "form", Ladder: patient(), Intake: &handoff.Form{Fields: []handoff.Field{{Name: "order"}}}},
		handoff.Queue{Name: "night", Style: handoff.Pull, Ladder: patient(), Hours: handoff.Weekly{Days: map[string][]handoff.Span{"mon-sun": {"00:00-01:00"}}}},
	))
}

// While a router of the host leaves the first one waiting, those behind him are
// told that, and he that an offer is about to be made.
func TestExplainOfALineThatCouldBeServed(t *testing.T) { explainLine(t, causesTold{}) }

func explainLine(t *testing.T, of causesTold) {
	t.Helper()
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1)
		first, second := r.Asks("c"), r.Asks("d")
		x := of.explain(r, first.ID)
		require.Equal(t, "an offer is about to be made", x.Why.String())
		require.Equal(t, []handoff.AgentAnswer{{Agent: "ann", Availability: handoff.Online, Could: true}}, x.Agents)
		x = of.explain(r, second.ID)
		require.Equal(t, "others are served first", x.Why.String())
		require.Equal(t, 2, x.Place.Position)
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), Route: handoff.RouterFunc(
		func(context.Context, *handoff.Handoff, []handoff.Candidate) (string, string) { return "", "" },
	)}))
}
