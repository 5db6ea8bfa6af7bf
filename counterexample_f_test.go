package handoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// f: timers. Deadlines are fields; Wake is an index; firing reads everything
// again.

// A worker claims and dies: the deadline is late by one lease at most.
func TestF2_ClaimerDies(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		_, tap := cxDeaf(t, r)
		h := cxAsk(t, r.Engine, "c")
		tap.on(cxHook{match: func(s step) bool { return s.commits("timer/") }, before: tap.kill})
		r.Sleep(10*time.Minute + 5*time.Second)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		require.True(t, tap.isDead())
		cxDeaf(t, r)
		r.Sleep(12 * time.Second)
		require.Equal(t, handoff.OutcomeMissed, r.Now(h.ID).Outcome)
	}, cxQueue(func(q *handoff.Queue) { q.PlaceEvery = handoff.Never })) // a commit would end the claim
}

// A state with a shorter limit is due at that.
func TestF4_ShorterDeadlineCounts(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		r.Start()
		_, err := r.Hold(t.Context(), id, handoff.By("ann"), "")
		require.NoError(t, err)
		r.Sleep(2*time.Minute + 2*time.Second)
		require.Equal(t, handoff.StateActive, r.Now(id).State)
		r.Sleep(15*time.Minute + 2*time.Second) // counted from the resume
		require.Equal(t, handoff.OutcomeIdle, r.Now(id).Outcome)
	}, cxQueue(func(q *handoff.Queue) { q.HoldTimeout = 2 * time.Minute }))
}

// Wake is the earliest of several deadlines, whichever was set last.
func TestF4_EarliestOfSeveral(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		r.Start()
		r.Floor.Quiet(false)
		r.Agent("bob", 1)
		_, err := r.Transfer(t.Context(), id, handoff.By("ann"), handoff.Target{Agent: "bob", Warm: true})
		require.NoError(t, err)
		for _, d := range r.Now(id).Deadlines {
			rec, err := r.Store.Get(t.Context(), id)
			require.NoError(t, err)
			require.False(t, rec.Wake.After(d.At), d.Kind)
		}
		r.Sleep(32 * time.Second)
		require.Empty(t, r.Now(id).Offers, "the offer has lapsed")
		require.Equal(t, handoff.StateActive, r.Now(id).State)
		r.Sleep(30 * time.Second)
		require.Equal(t, handoff.StateWaiting, r.Now(id).State, "no first reply")
	}, cxQueue(func(q *handoff.Queue) { q.FirstReply = time.Minute }))
}

// And so when the later one was set last.
func TestF4_LaterDeadlineSetLast(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxTalk(t, r)
		rec, err := r.Store.Get(t.Context(), id)
		require.NoError(t, err)
		require.Len(t, r.Now(id).Deadlines, 2)
		for _, d := range r.Now(id).Deadlines {
			require.False(t, rec.Wake.After(d.At), d.Kind)
		}
		r.Sleep(15*time.Minute + 2*time.Second)
		require.Equal(t, handoff.OutcomeIdle, r.Now(id).Outcome)
	}, cxQueue(func(q *handoff.Queue) { q.FirstReply = time.Hour }))
}

// A claims and dies, B sets a short deadline: it is not hidden by A's claim.
func TestF5_CommitEndsTheClaim(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start() // delivers what is owed, so that only the timer is claimed
		id := cxTalk(t, r)
		b, _ := cxIdle(t, r)
		r.Stop()
		_, tap := cxDeaf(t, r)
		tap.on(cxHook{match: func(s step) bool { return s.commits("timer/idle") }, before: tap.kill})
		r.Sleep(13*time.Minute + 5*time.Second)
		require.True(t, tap.isDead(), "claimed for the idle warning")
		_, err := b.Hold(t.Context(), id, handoff.By("ann"), "")
		require.NoError(t, err)
		cxDeaf(t, r)
		r.Sleep(8 * time.Second)
		require.Equal(t, handoff.StateActive, r.Now(id).State)
	}, cxQueue(func(q *handoff.Queue) { q.HoldTimeout = 5 * time.Second }), edgesOnly, func(c *handoff.Config) { c.Lease = time.Hour })
}

// A is about to re-arm the idle deadline when B sets a shorter one: A's
// decision is made again, and the shorter deadline stands.
func TestF6_RearmingIsConditional(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		b, _ := cxIdle(t, r)
		_, tap := cxDeaf(t, r)
		r.Sleep(10 * time.Minute)
		cxWrite(t, b, "c", "m1", "still here")
		done := false
		tap.on(cxHook{match: func(s step) bool { return s.commits("timer/idle") }, before: func() {
			_, err := b.Hold(t.Context(), id, handoff.By("ann"), "")
			require.NoError(t, err)
			done = true
		}})
		r.Sleep(3*time.Minute + 5*time.Second)
		require.True(t, done)
		require.Equal(t, handoff.StateHeld, r.Now(id).State)
		r.Sleep(15 * time.Minute)
		require.Equal(t, handoff.StateHeld, r.Now(id).State, "the idle time does not run in a hold")
		require.NotContains(t, cxNotices(r, "c"), handoff.NoticeIdle)
		r.Sleep(5 * time.Minute)
		require.Equal(t, handoff.StateActive, r.Now(id).State, "the hold's own limit")
	}, cxQueue(func(q *handoff.Queue) { q.HoldTimeout = 20 * time.Minute }))
}

// A is about to close an idle chat when the user writes.
func TestF7_MessageBeforeTheClose(t *testing.T) {
	for name, who := range map[string]func(r *handofftest.Rig, e *handoff.Engine, id handoff.ID){
		"user":  func(r *handofftest.Rig, e *handoff.Engine, _ handoff.ID) { cxWrite(r.T, e, "c", "m1", "wait") },
		"agent": func(r *handofftest.Rig, e *handoff.Engine, id handoff.ID) { cxSays(r.T, e, id, "one moment") },
	} {
		t.Run(name, func(t *testing.T) {
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				id := cxTalk(t, r)
				b, _ := cxIdle(t, r)
				_, tap := cxDeaf(t, r)
				r.Sleep(14 * time.Minute)
				done := false
				tap.on(cxHook{match: func(s step) bool { return s.commits("timer/idle") }, before: func() {
					who(r, b, id)
					done = true
				}})
				r.Sleep(65 * time.Second)
				require.True(t, done)
				require.Equal(t, handoff.StateActive, r.Now(id).State)
				r.Sleep(14 * time.Minute)
				require.Equal(t, handoff.StateActive, r.Now(id).State)
				r.Sleep(62 * time.Second)
				require.Equal(t, handoff.OutcomeIdle, r.Now(id).Outcome)
			})
		})
	}
}

// A message moves no deadline; what fires reads the last activity.
func TestF8_WakeIsNoDeadline(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		r.Start()
		before := r.Now(id).Deadlines
		r.Sleep(12 * time.Minute)
		cxWrite(t, r.Engine, "c", "m1", "still here")
		require.Equal(t, before, r.Now(id).Deadlines)
		r.Sleep(4 * time.Minute)
		require.Equal(t, handoff.StateActive, r.Now(id).State)
		require.NotContains(t, cxNotices(r, "c"), handoff.NoticeIdle)
		r.Sleep(9*time.Minute + 2*time.Second)
		require.Contains(t, cxNotices(r, "c"), handoff.NoticeIdle, "warned 2 minutes before")
		r.Sleep(2*time.Minute + 2*time.Second)
		require.Equal(t, handoff.OutcomeIdle, r.Now(id).Outcome)
	})
}

// The same for a watched conversation.
func TestF8_WakeIsNoDeadlineOfTheBot(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		require.NoError(t, r.Done(t.Context(), r.Says("c", "hello")))
		r.Sleep(25 * time.Minute)
		require.NoError(t, r.Done(t.Context(), r.Says("c", "again")))
		r.Sleep(25 * time.Minute)
		require.Equal(t, handoff.StateBot, r.Last("c").State)
		r.Sleep(6 * time.Minute)
		require.Equal(t, handoff.OutcomeContained, r.Last("c").Outcome)
	})
}

// cxNotices returns the keys of the notices that a user saw.
func cxNotices(r *handofftest.Rig, conversation string) []string {
	var out []string
	for _, m := range r.Users.Saw(conversation) {
		if m.Notice != "" {
			out = append(out, m.Notice)
		}
	}
	return out
}

// A replica whose clock is ahead of the store's closes nothing early.
func TestF9_ClockAhead(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		r.Store.Skew(-30 * time.Second) // the others, and the store, are behind us
		r.Start()
		r.Sleep(13*time.Minute + 10*time.Second)
		require.NotContains(t, cxNotices(r, "c"), handoff.NoticeIdle)
		cxWrite(t, r.Engine, "c", "m1", "something to look at")
		r.Wait()
		require.NotContains(t, cxNotices(r, "c"), handoff.NoticeIdle)
		require.Equal(t, handoff.StateActive, r.Now(id).State)
	})
}

// However it fires, what was set by the store's clock decides by it.
func TestF9_FiringDecidesByTheStoresClock(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		r.Start()
		r.Sleep(12*time.Minute + 45*time.Second)
		require.Equal(t, handoff.StateActive, r.Now(id).State)
		r.Store.Skew(-30 * time.Second)
		r.Sleep(2 * time.Second) // a claim tells the difference
		_, err := r.Note(t.Context(), id, handoff.By("ann"), "an edge when our clock says it is time")
		require.NoError(t, err)
		r.Sleep(28 * time.Second)
		_, err = r.Note(t.Context(), id, handoff.By("ann"), "another")
		require.NoError(t, err)
		r.Wait()
		require.NotContains(t, cxNotices(r, "c"), handoff.NoticeIdle)
		r.Sleep(32 * time.Second)
		require.Contains(t, cxNotices(r, "c"), handoff.NoticeIdle)
	})
}
