package history

import (
	"slices"
	"testing"

	"github.com/seed-2a427302/handoff"
)

// The store is asked for every outcome that a missed handoff can have.
func TestMissedAreAskedFor(t *testing.T) {
	asked := (&Filter{Class: Missed}).query().Outcomes
	for _, o := range []handoff.Outcome{
		handoff.OutcomeResolved, handoff.OutcomeReturned, handoff.OutcomeCancelled, handoff.OutcomeAbandoned, handoff.OutcomeMissed,
		handoff.OutcomeUnavailable, handoff.OutcomeIdle, handoff.OutcomeFailed, handoff.OutcomeContained, handoff.OutcomeHanded,
	} {
		missed := ClassOf(&handoff.Handoff{Outcome: o, Reason: handoff.ReasonUser}) == Missed
		if missed != slices.Contains(asked, o) {
			t.Errorf("%s: missed %v, asked for %v", o, missed, !missed)
		}
	}
}
