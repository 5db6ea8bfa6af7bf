package handoff_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

func TestTeam(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ctx := t.Context()
		queue := r.Queues()[0]
		assert.Positive(t, queue.OfferTimeout, "defaults are filled in")

		r.Agent("zoe", 2, queue.Name)
		require.NoError(t, r.Floor.Put(ctx, handoff.Agent{ID: "abe", Queues: []string{"other"}, Seats: 1}))
		r.Says("c1", "a person, please")
		r.Asks("c1")
		r.Wait()

		all, err := r.Team(ctx, "")
		require.NoError(t, err)
		require.Len(t, all, 2)
		assert.Equal(t, "abe", all[0].Agent.ID, "in the order of the directory")
		assert.Equal(t, handoff.Offline, all[0].Status.Availability)

		mine, err := r.Team(ctx, queue.Name)
		require.NoError(t, err)
		require.Len(t, mine, 1)
		assert.Equal(t, handoff.Online, mine[0].Status.Availability)
		assert.Equal(t, 1, mine[0].Load, "an offer or a chat takes a seat")
		assert.Equal(t, 1, mine[0].Free())

		_, err = r.Team(ctx, "nowhere")
		require.ErrorIs(t, err, handoff.ErrInvalid)
		assert.Equal(t, handoff.Directory(r.Floor), r.Directory())
		assert.Equal(t, handoff.Presence(r.Floor), r.Presence())
	})
}
