package handoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/analytics"
	"github.com/seed-2a427302/handoff/handofftest"
)

// W-57: times are those of the stretch they belong to. What the bot said, how
// long it talked, and the days between two handoffs of a conversation are in no
// wait and in no reply time of the team.
func TestW57_TimesBelongToTheirStretch(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		serve := func(bot, wait, reply, talk time.Duration) {
			for range bot / (20 * time.Minute) { // the bot answers for hours
				turn := r.Says("c1", "and then?")
				_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "so"})
				require.NoError(t, err)
				r.Sleep(20 * time.Minute)
			}
			h := r.Asks("c1")
			r.Sleep(wait)
			ann := r.Agent("ann", 1)
			ann.Accept()
			_, err := r.Note(r.Ctx, h.ID, ann.By(), "no answer to the user")
			require.NoError(t, err)
			r.Sleep(reply)
			if reply > 0 {
				ann.Says(h.ID, "hello")
			}
			r.Sleep(talk)
			if reply > 0 {
				ann.Says(h.ID, "a second message is no first reply")
			}
			ann.Returns(h.ID, "")
			ann.Leaves()
			s := r.Now(h.ID).Stretch
			require.Equal(t, []time.Duration{bot, wait, wait, reply, reply + talk}, []time.Duration{s.Bot, s.Wait, s.FirstWait, s.FirstReply, s.Human})
		}
		serve(10*time.Hour, 3*time.Minute, time.Minute, 5*time.Minute)
		r.Sleep(4 * 24 * time.Hour) // he comes back after days
		serve(2*time.Hour, time.Minute, 2*time.Minute, time.Minute)
		r.Sleep(24 * time.Hour)
		serve(0, time.Minute, 0, 4*time.Minute) // nobody writes: there is no reply time

		report, err := analytics.Compute(r.Ctx, r.Engine, analytics.Options{})
		require.NoError(t, err)
		f := &report.Total
		require.Equal(t, 3, f.Attended)
		require.Equal(t, 2, f.FirstReply.Count)
		require.Equal(t, 2*time.Minute, f.FirstReply.Max)
		require.Equal(t, 3*time.Minute, f.FirstWait.Max)
		require.Equal(t, 6*time.Minute, f.Human.Max)
	}, func(c *handoff.Config) {
		c.KeepContained, c.Poll, c.Sweep = handoff.Never, time.Hour, time.Hour // days pass
		c.Queues[0].Ladder, c.Queues[0].PlaceEvery, c.Queues[0].PlaceRepeat = patient(), handoff.Never, handoff.Never
	})
}
