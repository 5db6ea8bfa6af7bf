package handoff_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// Whoever waits is told when somebody ahead of him leaves the line, without a
// sweep: an offer moves nobody, its acceptance does.
func TestPlaceIsToldWhenTheLineMoves(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		r.Says("kim", "A person!")
		r.Asks("kim")
		r.Says("lee", "A person!")
		r.Asks("lee")
		require.Equal(t, "One person is ahead of you. I cannot say yet how long it will take.", last(r.Users.Texts("lee")))

		r.Sleep(10 * time.Second)
		ann.Accept()
		r.Sleep(2 * time.Second)
		assert.Equal(t, "You are next. I cannot say yet how long it will take.", last(r.Users.Texts("lee")))
	}, func(c *handoff.Config) {
		c.Queues[0].PlaceEvery = time.Second
		c.Sweep = time.Hour
	})
}

// A host whose users pull has no Channel. Its users are told their places too.
func TestPlaceIsToldWithoutChannel(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Says("kim", "A person!")
		r.Asks("kim")
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		for m, err := range r.FollowUser(ctx, "kim", handoff.UserCursor{}) {
			require.NoError(t, err, "nothing about the place")
			if m.Notice == handoff.NoticePlace {
				assert.Equal(t, "You are next. Nobody is there right now.", m.Text)
				return
			}
		}
	}, func(c *handoff.Config) { c.Channel = nil })
}

// A store that takes its time is no reason to tell the first place later: the
// request has just looked at the queue, and the telling looks again.
func TestFirstPlaceIsToldAtOnceByASlowStore(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		chat(r, r.Agent("ann", 1), "now")
		r.Store.Plan(func(string, handoff.ID) handofftest.Fault { return handofftest.Fault{Delay: time.Millisecond} })
		for _, c := range []string{"kim", "lee", "mia"} {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: c, Queue: "support"})
			require.NoError(t, err)
		}
		r.Sleep(100 * time.Millisecond)
		for _, c := range []string{"kim", "lee", "mia"} {
			require.Contains(t, allNotices(r, c), handoff.NoticePlace)
		}
	})
}

func last(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

// A wait that changes by seconds is not worth words: they would be the same.
func TestPlaceIsNotRepeated(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann, bob := r.Agent("ann", 1), r.Agent("bob", 1)
		for _, c := range []string{"kim", "max"} {
			r.Says(c, "A person!")
			r.Asks(c)
		}
		ann.Accept()
		bob.Accept()
		r.Says("lee", "A person!")
		r.Asks("lee")
		ann.Leaves()
		r.Sleep(20 * time.Second)
		said := len(r.Users.Texts("lee"))
		require.Equal(t, "You are next. It will take about a minute.", last(r.Users.Texts("lee")))
		ann.Comes() // twice as many seats, half the wait, the same words
		r.Sleep(20 * time.Second)
		assert.Len(t, r.Users.Texts("lee"), said, "%q", r.Users.Texts("lee"))
	}, func(c *handoff.Config) {
		c.Queues[0].PlaceEvery = time.Second
		c.Queues[0].Expect.Handle = 10 * time.Second
	})
}
