package handoff_test

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// torn is a store whose lists hold a record that nobody can read, once there
// is a conversation with its name.
type torn struct {
	handoff.Store

	conversation atomic.Value
}

func (s *torn) Unwrap() handoff.Store { return s.Store }

func (s *torn) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	list, err := s.Store.List(ctx, q)
	bad, _ := s.conversation.Load().(string)
	return spoil(list, bad), err
}

// spoil returns a list in which nobody can read a conversation's records.
func spoil(list []handoff.Record, conversation string) []handoff.Record {
	list = slices.Clone(list)
	for i := range list {
		if list[i].ID.Conversation == conversation {
			list[i].Body = handoff.BodyOf([]byte("?"))
		}
	}
	return list
}

// on puts the store in the place of another, and keeps quiet.
func (s *torn) on(c *handoff.Config) {
	s.Store, c.Store = c.Store, s
	c.Logger = slog.New(slog.DiscardHandler)
}

// A handoff that cannot be read does not keep others with an agent who is gone,
// nor from hearing of their place.
func TestUnreadableHandoffHoldsUpNobody(t *testing.T) {
	t.Run("whose agent is lost", func(t *testing.T) {
		s := &torn{}
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			ann := r.Agent("ann", 2)
			chat(r, ann, "broken")
			h := chat(r, ann, "whole")
			s.conversation.Store("broken")
			r.Floor.Quiet(true) // only a look around notices
			ann.Leaves()
			r.Sleep(2 * time.Minute)
			require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		}, queues(handoff.Queue{Name: "support", Ladder: patient()}), s.on)
	})
	t.Run("who waits behind it", func(t *testing.T) {
		s := &torn{}
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			r.Agent("ann", 1).Leaves()
			r.Says("broken", "help")
			r.Asks("broken")
			s.conversation.Store("broken")
			r.Says("whole", "help")
			r.Asks("whole")
			r.Sleep(5 * time.Minute)
			require.NotZero(t, times(allNotices(r, "whole"), handoff.NoticePlace))
		}, queues(handoff.Queue{Name: "support", Ladder: patient()}), s.on)
	})
}
