package handoff_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// How long chats take is learned apart for each queue and for each mode: a video
// session of half an hour makes no text chat seem long, nor one of another queue.
func TestWaitsAreLearnedByQueueAndMode(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Hire(handoff.Agent{ID: "ann", Seats: 1, Queues: []string{"support", "sales"}, Video: true})
		in := func(conversation, queue string, mode handoff.Mode) handoff.Handoff {
			return r.Asks(conversation, func(q *handoff.Request) { q.Queue, q.Mode = queue, mode })
		}
		for i := range 8 {
			for _, c := range []struct {
				queue string
				mode  handoff.Mode
				takes time.Duration
			}{{"support", handoff.ModeText, 2 * time.Minute}, {"support", handoff.ModeVideo, 30 * time.Minute}, {"sales", handoff.ModeText, 10 * time.Minute}} {
				h := in("past"+c.queue+string(c.mode)+strconv.Itoa(i), c.queue, c.mode)
				takes(r, ann, h.ID.Conversation)
				r.Sleep(c.takes)
				ann.Ends(h.ID)
			}
		}
		// Behind one of each kind, a text waits as long as that one takes.
		wait := func(i int, queue string, mode handoff.Mode) handoff.Place {
			h := in("busy"+strconv.Itoa(i), queue, mode)
			takes(r, ann, h.ID.Conversation)
			w := in("waits"+strconv.Itoa(i), queue, handoff.ModeText)
			p := placeOf(r, r.Engine, w.ID)
			require.True(t, p.Known, p.Why)
			_, err := r.Cancel(r.Ctx, w.ID.Conversation, false)
			require.NoError(t, err)
			ann.Ends(h.ID)
			return p
		}
		text, video, sales := wait(0, "support", handoff.ModeText), wait(1, "support", handoff.ModeVideo), wait(2, "sales", handoff.ModeText)
		require.InDelta(t, 2, text.P50.Minutes(), 1)
		require.Less(t, text.P90, 5*time.Minute)
		require.InDelta(t, 30, video.P50.Minutes(), 10)
		require.InDelta(t, 10, sales.P50.Minutes(), 3)
		require.Less(t, sales.P90, 20*time.Minute)

		// It is learned anew: texts that take longer now are foretold so.
		for i := range 12 {
			h := in("now"+strconv.Itoa(i), "support", handoff.ModeText)
			takes(r, ann, h.ID.Conversation)
			r.Sleep(12 * time.Minute)
			ann.Ends(h.ID)
		}
		text = wait(3, "support", handoff.ModeText)
		require.InDelta(t, 11, text.P50.Minutes(), 3, "what was true this morning fades")
	}, queues(
		handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: time.Hour, IdleTimeout: handoff.Never},
		handoff.Queue{Name: "sales", Ladder: patient(), OfferTimeout: time.Hour, IdleTimeout: handoff.Never},
	))
}
