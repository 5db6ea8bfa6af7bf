package handoff_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// causesTold are the codes that explanations had.
type causesTold map[handoff.CauseCode]bool

func (of causesTold) explain(r *handofftest.Rig, id handoff.ID) handoff.Explanation {
	r.T.Helper()
	x, err := r.Explain(r.Ctx, id)
	require.NoError(r.T, err)
	require.Len(r.T, x.Why, 1)
	of[x.Why[0].Code] = true
	for _, a := range x.Agents {
		for _, c := range a.Why {
			of[c.Code] = true
		}
	}
	return x
}

// There is no code that nothing has: each is in an explanation of one of these
// tests.
func TestGuardEveryCauseIsTold(t *testing.T) {
	source, err := os.ReadFile("cause.go")
	require.NoError(t, err)
	var codes []handoff.CauseCode
	for _, m := range regexp.MustCompile(`(?m)^\tCause\w+ +CauseCode = "(\w+)"$`).FindAllStringSubmatch(string(source), -1) {
		codes = append(codes, handoff.CauseCode(m[1]))
	}
	require.Len(t, codes, strings.Count(string(source), "CauseCode = "))
	require.NotEmpty(t, codes)
	of := causesTold{}
	explainEach(t, of)
	explainWhere(t, of)
	explainLine(t, of)
	explainRare(t, of)
	require.ElementsMatch(t, codes, slices.Collect(maps.Keys(of)))
}

// The causes that only a platform, a history, a limit or a refusal has.
func TestExplainTellsTheRarerCauses(t *testing.T) { explainRare(t, causesTold{}) }

func explainRare(t *testing.T, of causesTold) {
	t.Helper()
	why := of.explain
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		desk := r.Config.Providers[0].(*platform)
		desk.broken(true)
		id := r.Asks("c").ID
		require.Equal(t, handoff.Causes{{Code: handoff.CauseOpening, What: "vendor"}}, why(r, id).Why)
		require.Equal(t, "the platform vendor is being opened", why(r, id).Why.String())
		desk.broken(false)
		r.Sleep(10 * time.Second)
		require.Equal(t, handoff.Causes{{Code: handoff.CausePlatform, What: "vendor"}}, why(r, id).Why)
		require.Equal(t, "in the queue of the platform vendor", why(r, id).Why.String())
	}, vendor(&platform{name: "vendor"}))

	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1)
		x := why(r, r.Asks("c").ID)
		require.Equal(t, handoff.CauseImporting, x.Why[0].Code)
		require.Equal(t, "the history is still being read", x.Why.String())
	}, func(c *handoff.Config) {
		c.History = handoff.HistoryFunc(func(context.Context, string) ([]handoff.Past, error) { return nil, errors.New("busy") })
	})

	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 2)
		asked := time.Now()
		r.Asks("first")
		a := why(r, r.Asks("second").ID).Agents[0]
		require.Equal(t, handoff.Causes{{Code: handoff.CausePaced, Until: asked.Add(time.Hour)}}, a.Why)
		require.Equal(t, "had as many as he may get before "+asked.Add(time.Hour).UTC().Format(time.RFC3339), a.Why.String())
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), AgentMost: 1, AgentEvery: time.Hour}))

	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		bob := r.Agent("bob", 1)
		r.Asks("busy")
		takes(r, bob, "busy")
		ann := r.Agent("ann", 1)
		id := r.Asks("c").ID
		ann.Decline("not mine")
		r.Sleep(2 * time.Minute)
		x := why(r, id)
		require.Equal(t, "ann", x.Agents[0].Agent)
		require.Equal(t, handoff.CauseRefused, x.Agents[0].Why[0].Code)
		require.Equal(t, "refused before, and others are left", x.Agents[0].Why.String())
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), Cooldown: time.Minute, IdleTimeout: handoff.Never}))
}
