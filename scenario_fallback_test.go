package handoff_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// Nobody joins on a platform: the queue's ladder gives the user to the next
// one, with what was said, and closes the chat on the first.
func TestNextProviderWhenNobodyJoins(t *testing.T) {
	front, back := &platform{name: "front"}, &platform{name: "back"}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := say(t, r, "c1", "m1", "my parcel is lost")
		asked, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"})
		require.NoError(t, err)
		r.Sleep(time.Minute)
		require.Equal(t, "front", r.Now(asked.Handoff.ID).Provider)
		say(t, r, "c1", "m2", "number 77")
		r.Sleep(2 * time.Minute)
		h := r.Now(asked.Handoff.ID)
		require.Equal(t, handoff.StateQueued, h.State)
		require.Equal(t, "back", h.Provider)
		require.Len(t, front.closed, 1)
		require.Empty(t, back.closed)
		require.NoError(t, r.Deliver(r.Ctx, "back", handoff.ProviderEvent{
			ID: "e1", Attempt: back.opened[0].Attempt, Reference: "ref-" + back.opened[0].Attempt, Kind: handoff.EventJoined,
			Agent: handoff.Party{ID: "v1", Name: "Vera"},
		}))
		r.Sleep(time.Second)
		say(t, r, "c1", "m3", "are you there?")
		r.Sleep(time.Second)
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		for _, text := range []string{"my parcel is lost", "number 77", "are you there?"} {
			require.Contains(t, back.got(), text)
		}
		require.NotContains(t, front.got(), "are you there?")
	}, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{front, back}
		c.Queues = []handoff.Queue{{
			Name: "support", Providers: []string{"front", "back"},
			Ladder: []handoff.Rung{{After: 2 * time.Minute, Do: handoff.NextProvider}, {After: time.Hour, Do: handoff.ToBot}},
		}}
	})
}

// A form that is not finished in time goes on with what there is, or gives the
// user back, as it says. What is left of it can be left out at once, unless
// something of it is required.
func TestFormThatLapses(t *testing.T) {
	fields := []handoff.Field{
		{Name: "day", Kind: handoff.FieldDate}, {Name: "phone", Kind: handoff.FieldPhone}, {Name: "number", Kind: handoff.FieldNumber}, {Name: "text"},
	}
	must := []handoff.Field{{Name: "day"}, {Name: "order", Required: true}}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ask := func(c, queue string) handoff.ID {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: c, Queue: queue})
			require.NoError(t, err)
			return r.Last(c).ID
		}
		id := ask("c1", "goes on")
		_, err := r.Answer(r.Ctx, "c1", handoff.Response{Value: "2026-02-28"})
		require.NoError(t, err)
		_, err = r.Answer(r.Ctx, "c1", handoff.Response{Value: "+34 (600) 00-00"})
		require.NoError(t, err)
		r.Sleep(11 * time.Minute)
		h := r.Now(id)
		require.Equal(t, handoff.StateWaiting, h.State)
		require.Equal(t, map[string]string{"day": "2026-02-28", "phone": "+34 (600) 00-00"}, h.Answers)

		ask("c2", "goes on")
		h, err = r.Answer(r.Ctx, "c2", handoff.Response{Rest: true})
		require.NoError(t, err)
		require.Equal(t, handoff.StateWaiting, h.State)

		id = ask("c3", "gives up")
		_, err = r.Answer(r.Ctx, "c3", handoff.Response{Rest: true})
		require.ErrorIs(t, err, handoff.ErrInvalid)
		r.Sleep(11 * time.Minute)
		h = r.Now(id)
		require.Equal(t, handoff.StateEnded, h.State)
		require.False(t, h.Attended)
		require.True(t, say(t, r, "c3", "m1", "hello?").Open(), "the bot has him")
	}, queues(
		handoff.Queue{Name: "goes on", Intake: &handoff.Form{Fields: fields}, Ladder: patient()},
		handoff.Queue{Name: "gives up", Intake: &handoff.Form{Fields: must, OnLapse: handoff.LapseCancel}, Ladder: patient()},
	))
}

// At closing time who waits is turned away, with the reason and the time at
// which somebody is there again, and who talks goes on.
func TestClosingTurnsAway(t *testing.T) {
	hours := &shiftable{}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		hours.until.Store(time.Now().Add(time.Hour).Unix())
		ann := r.Agent("ann", 1)
		r.Asks("talks")
		h := ann.Accept()
		waits := r.Asks("waits").ID
		r.Sleep(time.Hour + 2*time.Minute)
		missed := r.Now(waits)
		require.Equal(t, handoff.OutcomeMissed, missed.Outcome)
		require.Equal(t, handoff.ReasonClosed, missed.Missed)
		require.Contains(t, notices(r, "waits"), handoff.NoticeOffline)
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		r.Sleep(time.Hour)
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		require.NotContains(t, notices(r, "talks"), handoff.NoticeClosing)
		ann.Ends(h.ID)
	}, queues(handoff.Queue{
		Name: "support", Hours: hours, Closing: handoff.ClosingTurnAway, Ladder: patient(), IdleTimeout: handoff.Never, PlaceRepeat: handoff.Never,
	}))
}

// Who writes again after the end gets the queue, whoever has served him before,
// or the bot where the queue says nothing.
func TestReopenPolicies(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 2, "again", "bot")
		serve := func(c, queue string) {
			r.Asks(c, func(q *handoff.Request) { q.Queue, q.Preferred = queue, "ann" })
			ann.Ends(ann.Accept().ID)
		}
		serve("c1", "again")
		serve("c2", "bot")
		r.Asks("other", func(q *handoff.Request) { q.Queue = "again" })
		ann.Accept()
		bob := r.Agent("bob", 2, "again")
		require.False(t, say(t, r, "c1", "m1", "one more thing").Open())
		r.Wait()
		h := bob.Accept() // who is less busy, though Ann has served him
		require.Equal(t, "c1", h.ID.Conversation)
		require.Equal(t, handoff.ReasonReopened, h.Reason)
		require.True(t, say(t, r, "c2", "m1", "one more thing").Open())

		// Who was given back to the bot, or whom nobody has served, is the bot's.
		r.Asks("c3", func(q *handoff.Request) { q.Queue, q.Preferred = "again", "bob" })
		bob.Returns(bob.Accept().ID, "")
		require.True(t, say(t, r, "c3", "m1", "one more thing").Open())
		r.Asks("c4", func(q *handoff.Request) { q.Queue, q.Exclude = "again", []string{"ann", "bob"} })
		_, err := r.Cancel(r.Ctx, "c4", true)
		require.NoError(t, err)
		require.True(t, say(t, r, "c4", "m1", "one more thing").Open())
	}, func(c *handoff.Config) {
		c.Router = handoff.LeastBusy
		c.Queues = []handoff.Queue{{Name: "again", Reopen: handoff.ReopenQueue}, {Name: "bot"}}
	})
}

// Who writes again after a video session is served in writing, with the seats
// that this takes, where the queue does that.
func TestReopenInWriting(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Hire(handoff.Agent{ID: "ann", Seats: 5, Queues: []string{"both", "video"}, Video: true})
		for queue, want := range map[string]handoff.Mode{"both": handoff.ModeText, "video": handoff.ModeVideo} {
			r.Asks(queue, func(q *handoff.Request) { q.Queue, q.Mode = queue, handoff.ModeVideo })
			ann.Ends(ann.Accept().ID)
			say(t, r, queue, "m1", "one more thing")
			r.Wait()
			h := ann.Accept()
			require.Equal(t, handoff.ReasonReopened, h.Reason)
			require.Equal(t, want, h.Need.Mode)
			require.Equal(t, want == handoff.ModeVideo, h.Capacity() == 2)
			ann.Ends(h.ID)
		}
	}, func(c *handoff.Config) {
		c.Rooms = handoff.RoomLinks{Template: "https://meet.example.com/{room}", Secret: []byte("0123456789abcdef")}
		c.Queues = []handoff.Queue{
			{Name: "both", Reopen: handoff.ReopenQueue, VideoUnits: 2},
			{Name: "video", Reopen: handoff.ReopenQueue, VideoUnits: 2, Modes: []handoff.Mode{handoff.ModeVideo}},
		}
	})
}

// Nobody is asked how it was with nobody: a platform that ends a chat in which
// no agent was has served no one.
func TestNobodyRatesNobody(t *testing.T) {
	front := &platform{name: "front"}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		for i, c := range []string{"alone", "served"} {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: c, Queue: "support"})
			require.NoError(t, err)
			r.Sleep(time.Minute)
			tell := func(kind handoff.ProviderEventKind, agent handoff.Party) {
				attempt := front.opened[i].Attempt
				require.NoError(t, r.Deliver(r.Ctx, "front", handoff.ProviderEvent{
					ID: string(kind) + c, Attempt: attempt, Reference: "ref-" + attempt, Kind: kind, Agent: agent, At: time.Now(),
				}))
				r.Sleep(time.Minute)
			}
			if c == "served" {
				tell(handoff.EventJoined, handoff.Party{ID: "v1", Name: "Vera"})
			}
			tell(handoff.EventEnded, handoff.Party{})
			h := r.Now(handoff.ID{Conversation: c, Number: 1})
			require.Equal(t, handoff.StateEnded, h.State)
			require.Equal(t, c == "served", h.Attended)
			require.Equal(t, c == "served", h.Asked)
			require.Equal(t, c == "served", slices.Contains(notices(r, c), handoff.NoticeRate))
		}
	}, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{front}
		c.Queues = []handoff.Queue{{Name: "support", Providers: []string{"front"}, AskRating: handoff.AskAtAnyEnd}}
	})
}
