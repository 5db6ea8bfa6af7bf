package handoff_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/handofftest"
)

// A second Run of one engine shares the work with the first, and either goes on
// when the other ends.
func TestTwoRuns(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		serve := func(conversation string) {
			t.Helper()
			h := chat(r, ann, conversation)
			ann.Says(h.ID, "hello "+conversation)
			r.Wait()
			require.Contains(t, r.Users.Texts(conversation), "hello "+conversation)
			ann.Ends(h.ID)
		}
		second := func() (stop func()) {
			ctx, cancel := context.WithCancel(r.Ctx)
			ended := make(chan error, 1)
			go func() { ended <- r.Run(ctx) }()
			r.Wait()
			return func() {
				cancel()
				require.NoError(t, <-ended)
			}
		}
		stop := second()
		serve("both")
		stop()
		serve("first")
		stop = second()
		r.Stop()
		serve("second")
		stop()
	})
}
