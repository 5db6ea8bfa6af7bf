package history_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/history"
)

// Completed is what an agent had, missed is what somebody was asked for and
// nobody had, and what is open, was only the bot's, or was taken back is neither.
func TestClassOf(t *testing.T) {
	none := map[handoff.Outcome]bool{handoff.OutcomeCancelled: true, handoff.OutcomeContained: true, handoff.OutcomeHanded: true}
	for _, o := range []handoff.Outcome{
		handoff.OutcomeResolved, handoff.OutcomeReturned, handoff.OutcomeCancelled, handoff.OutcomeAbandoned, handoff.OutcomeMissed,
		handoff.OutcomeUnavailable, handoff.OutcomeIdle, handoff.OutcomeFailed, handoff.OutcomeContained, handoff.OutcomeHanded,
	} {
		require.Equal(t, history.Completed, history.ClassOf(&handoff.Handoff{Outcome: o, Reason: handoff.ReasonUser, Attended: true}), o)
		require.Equal(t, history.Completed, history.ClassOf(&handoff.Handoff{Outcome: o, Attended: true}), o)
		require.Equal(t, history.Everything, history.ClassOf(&handoff.Handoff{Outcome: o}), o)
		want := history.Missed
		if none[o] {
			want = history.Everything
		}
		require.Equal(t, want, history.ClassOf(&handoff.Handoff{Outcome: o, Reason: handoff.ReasonUser}), o)
	}
	require.Equal(t, history.Everything, history.ClassOf(&handoff.Handoff{Reason: handoff.ReasonUser, Attended: true}), "it is open")
}
