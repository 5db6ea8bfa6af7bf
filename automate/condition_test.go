package automate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/automate"
)

// Each part of a condition holds for what it names and for nothing else, and
// all parts must hold.
func TestConditions(t *testing.T) {
	h := handoff.Handoff{
		Need: handoff.Need{Queue: "support"}, Language: "de", Channel: "web", Outcome: handoff.OutcomeMissed, Reason: "billing",
		Missed: handoff.ReasonTimeout, Tags: []string{"a", "b"}, Rating: &handoff.Rating{Score: 3}, Attended: true,
	}
	met := func(c automate.Condition) bool {
		a, err := automate.New([]automate.Rule{{Name: "n", Button: "n", If: c, Do: []automate.Action{{Note: "x"}}}}, automate.Options{})
		require.NoError(t, err)
		return len(a.Buttons(t.Context(), h)) == 1
	}
	require.True(t, met(automate.Condition{}))
	for name, c := range map[string]struct{ holds, fails automate.Condition }{
		"queues":    {automate.Condition{Queues: []string{"x", "support"}}, automate.Condition{Queues: []string{"x"}}},
		"outcomes":  {automate.Condition{Outcomes: []handoff.Outcome{handoff.OutcomeMissed}}, automate.Condition{Outcomes: []handoff.Outcome{handoff.OutcomeResolved}}},
		"reason":    {automate.Condition{Reasons: []handoff.Reason{"billing"}}, automate.Condition{Reasons: []handoff.Reason{"sales"}}},
		"missed":    {automate.Condition{Reasons: []handoff.Reason{handoff.ReasonTimeout}}, automate.Condition{Reasons: []handoff.Reason{handoff.ReasonClosed}}},
		"languages": {automate.Condition{Languages: []string{"en", "de"}}, automate.Condition{Languages: []string{"en"}}},
		"channels":  {automate.Condition{Channels: []string{"web"}}, automate.Condition{Channels: []string{"mail"}}},
		"from":      {automate.Condition{From: []handoff.Role{handoff.RoleAgent}}, automate.Condition{From: []handoff.Role{handoff.RoleUser}}},
		"tags":      {automate.Condition{Tags: []string{"b", "a"}}, automate.Condition{Tags: []string{"a", "c"}}},
		"no tags":   {automate.Condition{NoTags: []string{"c"}}, automate.Condition{NoTags: []string{"c", "b"}}},
		"rating":    {automate.Condition{MaxRating: 3}, automate.Condition{MaxRating: 2}},
		"attended":  {automate.Condition{Attended: ptr(true)}, automate.Condition{Attended: ptr(false)}},
	} {
		require.True(t, met(c.holds), name)
		require.False(t, met(c.fails), name)
		c.holds.Queues = []string{"support"}
		require.True(t, met(c.holds), name)
		c.holds.Queues = []string{"nowhere"}
		require.False(t, met(c.holds), name)
	}
	h.Rating = nil
	require.False(t, met(automate.Condition{MaxRating: 5}), "nobody has rated it")
}
