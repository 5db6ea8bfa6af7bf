package handoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// RocketChat/feature-requests#593, RocketChat#34837, #2772: with everybody
// offline the user waited for ever, or lost what he had written.
func TestW47_NobodyWaitsForEver(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1).Leaves()
		r.Says("c1", "my parcel is lost")
		h := r.Asks("c1")
		p, err := r.Place(r.Ctx, h.ID)
		require.NoError(t, err)
		require.False(t, p.Known)
		require.Equal(t, handoff.ReasonOffline, p.Why, "no time is promised")
		r.Says("c1", "number 77")
		r.Sleep(6 * time.Minute)
		require.Contains(t, notices(r, "c1"), handoff.NoticeMessage)
		_, err = r.LeaveMessage(r.Ctx, h.ID, "call me", map[string]string{"phone": "123"})
		require.NoError(t, err)
		p, err = r.Place(r.Ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, 1, p.Position, "and the place is kept")
		r.Sleep(5 * time.Minute)

		h = r.Now(h.ID)
		require.Equal(t, handoff.StateEnded, h.State)
		require.Equal(t, handoff.OutcomeMissed, h.Outcome)
		require.Equal(t, []string{handoff.NoticeWaiting, handoff.NoticeMessage, handoff.NoticeThanks, handoff.NoticeMissed}, notices(r, "c1"))
		calls := r.Bot.Calls(handoff.BotEnded)
		require.Len(t, calls, 1)
		require.Len(t, calls[0].Turn.Messages, 2, "the bot has what he wrote")
		left := 0
		for _, en := range r.Entries(h.ID) {
			if en.Kind == handoff.KindLeft {
				left++
				require.Equal(t, "call me", en.Text)
			}
		}
		require.Equal(t, 1, left, "and the team has what he left")
		list, err := r.List(r.Ctx, handoff.Query{Outcomes: []handoff.Outcome{handoff.OutcomeMissed}})
		require.NoError(t, err)
		require.Len(t, list, 1)
	}, queues(handoff.Queue{Name: "support", Ladder: []handoff.Rung{
		{After: 5 * time.Minute, Do: handoff.AskMessage}, {After: 10 * time.Minute, Do: handoff.ToBot},
	}}))
}

// RocketChat PR#21782: the monitor of inactive chats put a chat on hold that
// had just gone back to the queue.
func TestW48_TimersEndWithTheirState(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := chat(r, ann, "c1") // arms the idle time and the first reply
		r.Sleep(20 * time.Second)
		_, err := r.Hold(r.Ctx, h.ID, ann.By(), "") // arms the hold
		require.NoError(t, err)
		_, err = r.Requeue(r.Ctx, h.ID, ann.By(), "")
		require.NoError(t, err)
		ann.Leaves()
		before := notices(r, "c1")
		r.Sleep(12 * time.Hour)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		require.Equal(t, before, notices(r, "c1"), "nothing of the old agent's time fires")

		// Taken again, every time begins anew.
		ann.Comes()
		takes(r, ann, "c1")
		r.Sleep(50 * time.Second)
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		ann.Says(h.ID, "hello")
		r.Sleep(14 * time.Minute)
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), FirstReply: time.Minute, HoldTimeout: time.Hour}))
}

// RocketChat#22696: the user never wrote, so the timer for abandoned chats never
// started.
func TestW49_IdleRunsWithoutAWord(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 2)
		h := r.Asks("c1") // a click, without a message
		ann.Accept()
		require.Zero(t, r.Now(h.ID).LastUser)
		r.Sleep(14 * time.Minute)
		require.Contains(t, notices(r, "c1"), handoff.NoticeIdle)
		r.Sleep(2 * time.Minute)
		require.Equal(t, handoff.OutcomeIdle, r.Now(h.ID).Outcome)

		// Only the agent writes: his last message counts.
		h = r.Asks("c2")
		ann.Accept()
		r.Sleep(10 * time.Minute)
		ann.Says(h.ID, "hello?")
		r.Sleep(10 * time.Minute)
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		r.Sleep(6 * time.Minute)
		require.Equal(t, handoff.OutcomeIdle, r.Now(h.ID).Outcome)

		// A conversation that the bot watches and nobody writes in ends too.
		_, err := r.Cancel(r.Ctx, "c1", false)
		require.Error(t, err)
		r.Sleep(31 * time.Minute)
		require.Equal(t, handoff.OutcomeContained, r.Last("c1").Outcome)
	})
}

// RocketChat PR#18835: every start of the server turned all agents offline.
func TestW50_RestartChangesNothing(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann, bob := r.Agent("ann", 2), r.Agent("bob", 1)
		active := chat(r, ann, "c1")
		held := chat(r, ann, "c2")
		_, err := r.Hold(r.Ctx, held.ID, ann.By(), "")
		require.NoError(t, err)
		offered := r.Asks("c3")
		o, ok := offered.Offer("bob")
		require.True(t, ok)
		waiting := r.Asks("c4")
		r.Says("c5", "hello bot")
		r.Sleep(10 * time.Second)

		before := map[string]handoff.Handoff{}
		for i := 1; i <= 5; i++ {
			before[talk(i)] = r.Last(talk(i))
		}
		for range 5 {
			r.Restart()
			r.Sleep(time.Second)
		}
		for conversation, was := range before {
			is := r.Last(conversation)
			require.Equal(t, was.Version, is.Version, "%s was touched", conversation)
			require.Equal(t, was.Deadlines, is.Deadlines, conversation)
		}
		st, err := r.Floor.Agents(r.Ctx, []string{"ann", "bob"}, time.Now())
		require.NoError(t, err)
		for _, s := range st {
			require.Equal(t, handoff.Online, s.Availability)
		}

		// And everything still fires, at its own time: at 30 s, not 30 s after
		// the restart.
		r.Sleep(13 * time.Second)
		_, ok = offered.Offer("bob")
		require.True(t, ok)
		r.Sleep(5 * time.Second)
		_, err = r.Engine.Accept(r.Ctx, offered.ID, bob.By(), o.Number)
		require.ErrorIs(t, err, handoff.ErrWithdrawn)
		h := r.Now(waiting.ID)
		_, ok = h.Offer("bob")
		require.True(t, ok, "the next one in the line is offered")
		r.Sleep(31 * time.Minute)
		require.Equal(t, handoff.OutcomeIdle, r.Now(active.ID).Outcome)
		require.Contains(t, notices(r, "c2"), handoff.NoticeResumed, "the hold was over after half an hour")
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}))
}

// LHC#2323, #856: the timed transfer of a department did nothing, since no cron
// job ran; a transfer was confirmed and nothing had changed.
func TestW59_TimedTransfersRunAndTransfersTellTheNewState(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		bob := r.Agent("bob", 2, "second")
		h := r.Asks("c1")
		r.Sleep(2*time.Minute + 2*time.Second)
		h = r.Now(h.ID)
		require.Equal(t, "second", h.Need.Queue, "by the engine's own timers")
		_, ok := h.Offer("bob")
		require.True(t, ok)
		require.Contains(t, kinds(r, h.ID), handoff.KindLadder, "and the log says so")
		h = takes(r, bob, "c1")

		moved, err := r.Transfer(r.Ctx, h.ID, bob.By(), handoff.Target{Queue: "support"})
		require.NoError(t, err)
		require.Equal(t, "support", moved.Need.Queue)
		require.Equal(t, handoff.StateWaiting, moved.State)
		is := r.Now(h.ID)
		require.Equal(t, moved.Need.Queue, is.Need.Queue)

		// A transfer that cannot be is an error, and changes nothing.
		h = chat2(r, bob, "c2")
		_, err = r.Transfer(r.Ctx, h.ID, bob.By(), handoff.Target{Queue: "night"})
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		after := r.Now(h.ID)
		require.Equal(t, "bob", after.Agent)
		require.Equal(t, h.Version, after.Version)

		// Nobody runs: nothing is lost, and whoever runs next does it.
		r.Asks("c3")
		r.Stop()
		r.Sleep(time.Hour)
		require.Equal(t, "support", r.Last("c3").Need.Queue)
		r.Start()
		r.Sleep(2 * time.Second)
		require.Equal(t, "second", r.Last("c3").Need.Queue)
	}, queues(
		handoff.Queue{Name: "support", Ladder: []handoff.Rung{{After: 2 * time.Minute, Do: handoff.Overflow, Queue: "second"}}},
		handoff.Queue{Name: "second", Ladder: patient(), IdleTimeout: handoff.Never},
		handoff.Queue{Name: "night", Hours: until(time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC))},
	))
}

// chat2 gives a user to an agent of queue "second".
func chat2(r *handofftest.Rig, a *handofftest.Agent, conversation string) handoff.Handoff {
	r.T.Helper()
	r.Asks(conversation, func(q *handoff.Request) { q.Queue = "second" })
	return takes(r, a, conversation)
}
