package handoff_test

import (
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// seldom has an engine look around once a minute: a test of days takes seconds.
func seldom(c *handoff.Config) { c.Poll, c.Sweep = time.Minute, time.Minute }

// heapNow returns the bytes in use after a collection.
func heapNow() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// A watched bot whose conversations come and go holds what the last day left
// and no more: a million of them cost what a day's worth costs.
func TestRetentionWatchedBotKeepsMemoryFlat(t *testing.T) {
	const perHour = 30
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 2)
		n := 0
		hour := func() {
			for range perHour {
				n++
				c := "user-" + strconv.Itoa(n)
				turn, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: c, ID: "m1", Text: "when do you open? " + c})
				require.NoError(t, err)
				_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "at nine"})
				require.NoError(t, err)
			}
			// One of them wants a person.
			c := "user-" + strconv.Itoa(n)
			r.Asks(c)
			h := takes(r, ann, c)
			ann.Says(h.ID, "hello")
			ann.Ends(h.ID)
			r.Sleep(time.Hour)
		}
		day := func() (records int, heap float64) {
			for range 24 {
				hour()
			}
			records, err := r.Count(r.Ctx, handoff.Query{})
			require.NoError(t, err)
			return records, heapNow()
		}
		day()
		day()
		records, heap := day()
		for range 2 {
			later, grown := day()
			require.LessOrEqual(t, later, records+perHour, "records after another day")
			require.LessOrEqual(t, grown/heap, 1.25, "bytes after another day")
		}
		// Each is gone 25 h after the bot was done with it; a handoff that a
		// person had stays as long as the host says.
		require.Less(t, records, 2*30*perHour)
		ended, err := r.Count(r.Ctx, handoff.Query{Outcomes: []handoff.Outcome{handoff.OutcomeResolved}})
		require.NoError(t, err)
		require.InDelta(t, 30, ended, 2)

		r.Sleep(4 * 24 * time.Hour)
		left, err := r.List(r.Ctx, handoff.Query{})
		require.NoError(t, err)
		require.Empty(t, left, "nobody comes any more, and nothing is left")
	}, func(c *handoff.Config) {
		c.KeepEnded, c.Channel, c.Bot = 30*time.Hour, nil, nil
		seldom(c)
	})
}

// Without a word about it, what people did stays for ever.
func TestRetentionKeepsHumanStretches(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := chat(r, ann, "c1")
		ann.Ends(h.ID)
		r.Says("c2", "hello")
		r.Sleep(400 * 24 * time.Hour)
		require.Equal(t, handoff.OutcomeResolved, r.Now(h.ID).Outcome)
		require.NotEmpty(t, r.Entries(h.ID))
		_, err := r.Latest(r.Ctx, "c2")
		require.ErrorIs(t, err, handoff.ErrNotFound)
	}, func(c *handoff.Config) { c.Poll, c.Sweep = time.Hour, time.Hour })
}

// What a user left for the team waits for the team, though the bot had him before
// and after: it is kept as what people did.
func TestRetentionKeepsWhatWasLeft(t *testing.T) {
	for _, keep := range []time.Duration{30 * 24 * time.Hour, handoff.Never} {
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			r.Says("before", "hello")
			r.Says("after", "hello")
			id := func(conversation string) handoff.ID { return handoff.ID{Conversation: conversation, Number: 1} }
			leave := func(conversation string) {
				_, err := r.LeaveMessage(r.Ctx, id(conversation), "please write to me", nil)
				require.NoError(t, err)
			}
			leave("before")
			r.Sleep(20 * time.Hour)
			require.Equal(t, handoff.OutcomeContained, r.Now(id("before")).Outcome)
			require.Equal(t, handoff.OutcomeContained, r.Now(id("after")).Outcome)
			leave("after")
			r.Sleep(20 * 24 * time.Hour)
			require.True(t, r.Now(id("before")).LeftMessage)
			require.True(t, r.Now(id("after")).LeftMessage)
			r.Sleep(11 * 24 * time.Hour)
			left, err := r.List(r.Ctx, handoff.Query{})
			require.NoError(t, err)
			if keep == handoff.Never {
				require.Len(t, left, 2)
			} else {
				require.Empty(t, left, "but no longer than that")
			}
		}, func(c *handoff.Config) { c.KeepEnded, c.Poll, c.Sweep = keep, time.Hour, time.Hour })
	}
}
