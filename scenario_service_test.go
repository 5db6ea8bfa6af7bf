package handoff_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// shiftable hours can be changed while an engine runs.
type shiftable struct{ until atomic.Int64 }

func (s *shiftable) At(t time.Time) (open bool, next time.Time) {
	until := time.Unix(s.until.Load(), 0)
	if t.Before(until) {
		return true, until
	}
	return false, until.Add(24 * time.Hour)
}

func count(r *handofftest.Rig, id handoff.ID, kind handoff.Kind) (n int) {
	r.T.Helper()
	log, err := r.Log(r.Ctx, id, 0, 1000)
	require.NoError(r.T, err)
	for _, en := range log {
		if en.Kind == kind {
			n++
		}
	}
	return n
}

// W-51: whether a queue is open is asked of the schedule and the clock when it
// matters. A schedule that was extended meanwhile holds.
func TestW51_HoursAreComputedWhenTheyMatter(t *testing.T) {
	hours := &shiftable{}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		hours.until.Store(time.Now().Add(time.Hour).Unix())
		ann := r.Agent("ann", 1)
		for _, c := range []string{"c1", "c2", "c3"} {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: c, Queue: "support"})
			require.NoError(t, err)
		}
		r.Wait()
		h := ann.Accept()
		hours.until.Store(time.Now().Add(2 * time.Hour).Unix()) // an hour longer today
		for range 9 {
			r.Sleep(10 * time.Minute)
			ann.Says(h.ID, "still here")
		}
		require.Equal(t, handoff.StateWaiting, r.Last("c2").State, "the hour that was first meant has passed")
		for range 4 {
			r.Sleep(8 * time.Minute)
			ann.Says(h.ID, "still here")
		}

		// Who waits is told when they open again, and the bot has him.
		require.Contains(t, told(r, "c2"), "Our team is closed. We open again on "+time.Unix(hours.until.Load(), 0).Add(24*time.Hour).UTC().Format("Monday at 15:04."))
		c2 := r.Now(handoff.ID{Conversation: "c2", Number: 1})
		require.Equal(t, handoff.OutcomeMissed, c2.Outcome)
		require.Equal(t, handoff.ReasonClosed, c2.Missed)
		// Who talks is told, and has ten minutes.
		require.Contains(t, strings.Join(told(r, "c1"), "\n"), "Our team is closing now.")
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		ann.Says(h.ID, "bye")
		r.Sleep(10*time.Minute + 2*time.Second)
		require.Equal(t, handoff.OutcomeResolved, r.Now(h.ID).Outcome)
		require.Equal(t, "closed", r.Now(h.ID).Closing)
		require.NotContains(t, strings.Join(told(r, "c1"), "\n"), "How was", "nobody is asked after an automatic end")

		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c4", Queue: "support"})
		var no *handoff.UnavailableError
		require.ErrorAs(t, err, &no)
		require.Equal(t, handoff.ReasonClosed, no.Why)
		hours.until.Store(time.Now().Add(time.Hour).Unix())
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c4", Queue: "support"})
		require.NoError(t, err)
	}, func(c *handoff.Config) {
		c.Queues[0].Hours, c.Queues[0].Closing, c.Queues[0].AskRating = hours, handoff.ClosingEnds, handoff.AskAtEnd
		c.Queues[0].Ladder = patient()
	})
}

// W-52: opening hours are hours on the wall, also on the day after the clocks
// have changed: the queue opens at nine in Madrid, one hour of UTC earlier.
func TestW52_HoursDoNotShiftWithTheClocks(t *testing.T) {
	madrid := zoneNamed(t, "Europe/Madrid")
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		start := time.Date(2000, 3, 24, 12, 0, 0, 0, madrid) // a Friday; the clocks change on Sunday
		r.Sleep(time.Until(start))
		asked := func(c string) *handoff.UnavailableError {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: c, Queue: "support"})
			var no *handoff.UnavailableError
			if err != nil {
				require.ErrorAs(t, err, &no)
			}
			return no
		}
		require.Nil(t, asked("c1"))
		r.Sleep(8 * time.Hour)
		no := asked("c2")
		require.Equal(t, "Mon 09:00 CEST", no.Opens.Format("Mon 15:04 MST"))
		require.Equal(t, 7, no.Opens.UTC().Hour())
		r.Sleep(time.Until(no.Opens) - time.Second)
		require.NotNil(t, asked("c3"))
		r.Sleep(time.Second)
		require.Nil(t, asked("c3"))
	}, func(c *handoff.Config) {
		c.Poll, c.Sweep = time.Hour, time.Hour // three months pass
		c.Queues[0].Hours = handoff.Weekly{Zone: madrid, Days: map[string][]handoff.Span{"mon-fri": {"09:00-17:00"}}}
	})
}

// W-53: what users are told out of hours has one author. Either the bot says
// it, or the engine, never both and never nobody.
func TestW53_OneAuthorOutOfHours(t *testing.T) {
	closedQueue := func(tell bool) func(*handoff.Config) {
		return func(c *handoff.Config) {
			c.Queues[0].Hours, c.Queues[0].Offline.Tell = closed{}, tell
			c.Queues[0].Intake = &handoff.Form{Fields: []handoff.Field{{Name: "order"}}}
		}
	}
	ask := func(t *testing.T, r *handofftest.Rig) handoff.Requested {
		t.Helper()
		turn := say(t, r, "c1", "m1", "a person please")
		asked, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"})
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		require.True(t, asked.Turn.Open())
		return asked
	}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		asked := ask(t, r)
		require.Empty(t, told(r, "c1"))
		_, err := r.Reply(r.Ctx, asked.Turn, handoff.Message{Text: "We are closed."})
		require.NoError(t, err)
		r.Wait()
		require.Equal(t, []string{"We are closed."}, r.Users.Texts("c1"))
	}, closedQueue(false))
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		asked := ask(t, r)
		require.NoError(t, r.Done(r.Ctx, asked.Turn))
		r.Sleep(time.Hour)
		require.Equal(t, []string{"Our team is closed."}, r.Users.Texts("c1"))
	}, closedQueue(true))
}

// W-58: the user is asked how it was once for each human stretch, by the commit
// that ends it, never after an automatic end unless that is wanted, and never
// into a closed reply window.
func TestW58_AskedOncePerHumanStretch(t *testing.T) {
	const question = "How was the conversation with our team? Please give it 1 to 5."
	run := func(t *testing.T, policy handoff.AskRating, want int) {
		t.Helper()
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			ann := r.Agent("ann", 3)
			serve := func(c string) handoff.ID {
				_, err := r.Request(r.Ctx, handoff.Request{Conversation: c, Queue: "support"})
				require.NoError(t, err)
				r.Wait()
				return ann.Accept().ID
			}
			first := serve("c1")
			ann.Ends(first)
			ann.Returns(serve("c1"), "")
			require.Equal(t, 2, times(told(r, "c1"), question), "two stretches")
			idle := serve("c2")
			r.Sleep(time.Hour)
			require.Equal(t, handoff.OutcomeIdle, r.Now(idle).Outcome)
			require.Equal(t, want, times(told(r, "c2"), question))
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c3", Queue: "support"})
			require.NoError(t, err)
			_, err = r.Cancel(r.Ctx, "c3", false)
			require.NoError(t, err)
			require.Zero(t, times(told(r, "c3"), question), "no agent had him")
			_, err = r.Rate(r.Ctx, handoff.ID{Conversation: "c3", Number: 1}, 5, "")
			require.ErrorIs(t, err, handoff.ErrState)

			_, err = r.Rate(r.Ctx, first, 5, "fine")
			require.NoError(t, err)
			_, err = r.Rate(r.Ctx, first, 1, "no!")
			require.NoError(t, err)
			require.Equal(t, 5, r.Now(first).Rating.Score, "once")
			require.True(t, r.Now(first).Asked)
		}, func(c *handoff.Config) { c.Queues[0].AskRating = policy })
	}
	run(t, handoff.AskAtEnd, 0)
	run(t, handoff.AskAtAnyEnd, 1)
}

// Video: a request, its own words, more seats, and a link for each side that
// nobody can guess. A text chat becomes one when the agent begins it.
func TestVideo(t *testing.T) {
	rooms := handoff.RoomLinks{Template: "https://meet.example.com/{room}#{name}", Secret: []byte("0123456789abcdef")}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("bob", 5, "support") // has no camera
		ann := r.Hire(handoff.Agent{ID: "ann", Name: "Ann Lee", Seats: 3, Queues: []string{"support", "text"}, Video: true})
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c1", Queue: "support", Mode: handoff.ModeVideo})
		require.NoError(t, err)
		r.Wait()
		h := ann.Accept()
		require.Regexp(t, `^https://meet\.example\.com/[a-z2-7]{26}#Ann%20Lee$`, h.Room.Agent)
		require.NotContains(t, h.Room.User, "Ann")
		require.Equal(t, []string{
			"I am getting a person for a video call.", "Ann Lee has joined the conversation.",
			"Ann Lee is waiting for you in the video call: " + h.Room.User,
		}, told(r, "c1"))
		require.Equal(t, 2, h.Capacity())

		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c2", Queue: "support", Preferred: "ann"})
		require.NoError(t, err)
		r.Wait()
		h2 := ann.Accept()
		require.Nil(t, h2.Room)
		_, err = r.AskForVideo(r.Ctx, "c2")
		require.NoError(t, err)
		require.Equal(t, 1, count(r, h2.ID, handoff.KindVideoAsked))
		_, err = r.Video(r.Ctx, h2.ID, ann.By())
		require.ErrorIs(t, err, handoff.ErrFull, "three seats, and two sessions would take four")
		require.Equal(t, handoff.ModeText, r.Now(h2.ID).Need.Mode)
		ann.Ends(h.ID)
		h2, err = r.Video(r.Ctx, h2.ID, ann.By())
		require.NoError(t, err)
		require.Equal(t, 2, h2.Capacity())
		require.NotEqual(t, h.Room.User, h2.Room.User)
		_, err = r.Video(r.Ctx, h2.ID, handoff.By("bob"))
		require.Error(t, err)

		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c3", Queue: "text", Mode: handoff.ModeVideo})
		require.ErrorIs(t, err, handoff.ErrInvalid, "the queue serves in text only")
	}, func(c *handoff.Config) {
		c.Rooms = rooms
		c.Queues = []handoff.Queue{{Name: "support", VideoUnits: 2}, {Name: "text", Modes: []handoff.Mode{handoff.ModeText}}}
	})

	for _, bad := range []handoff.RoomLinks{
		{},
		{Template: "http://meet.example.com/{room}", Secret: rooms.Secret},
		{Template: "https://meet.example.com/room", Secret: rooms.Secret},
		{Template: "https://meet.example.com/{room}/{who}", Secret: rooms.Secret},
		{Template: rooms.Template, Secret: []byte("short")},
	} {
		_, err := handoff.New(handoff.Config{Store: handofftest.NewStore(nil), Rooms: bad})
		require.ErrorContains(t, err, "Rooms.")
	}
}

// The agents of a queue can be shown by one name; their own never reaches a
// user then.
func TestAgentsAreMasked(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Hire(handoff.Agent{ID: "ann", Name: "Ann Lee", Seats: 1, Queues: []string{"support"}})
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c1", Queue: "support"})
		require.NoError(t, err)
		r.Wait()
		h := ann.Accept()
		ann.Says(h.ID, "hello")
		ann.Returns(h.ID, "")
		for _, m := range r.Users.Saw("c1") {
			require.NotContains(t, m.Text+m.From.Name+m.From.ID, "nn")
		}
		require.Contains(t, told(r, "c1"), "Your team has joined the conversation.")
	}, func(c *handoff.Config) { c.Queues[0].Alias = "Your team" })
}

// The team is alerted before users wait too long: in the queue, and for an
// answer.
func TestAlerts(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c1", Queue: "support"})
		require.NoError(t, err)
		id := r.Last("c1").ID
		r.Sleep(6 * time.Minute)
		require.Equal(t, 1, count(r, id, handoff.KindAlert))
		ann := r.Agent("ann", 1)
		ann.Accept()
		say(t, r, "c1", "m1", "hello?")
		r.Sleep(4 * time.Minute)
		ann.Says(id, "yes")
		r.Sleep(6 * time.Minute)
		require.Equal(t, 1, count(r, id, handoff.KindAlert), "answered in time")
		say(t, r, "c1", "m2", "and?")
		r.Sleep(6 * time.Minute)
		require.Equal(t, 2, count(r, id, handoff.KindAlert))
		require.NotContains(t, strings.Join(told(r, "c1"), " "), "alert")
	}, func(c *handoff.Config) { c.Queues[0].Alert, c.Queues[0].Ladder = 5*time.Minute, patient() })
}

// A queue can have its list of close reasons, and require one.
func TestCloseReasons(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c1", Queue: "support"})
		require.NoError(t, err)
		r.Wait()
		h := ann.Accept()
		for _, why := range []string{"", "other"} {
			_, err = r.End(r.Ctx, h.ID, ann.By(), handoff.Ending{Reason: why})
			require.ErrorIs(t, err, handoff.ErrInvalid)
		}
		h, err = r.End(r.Ctx, h.ID, ann.By(), handoff.Ending{Reason: "refund"})
		require.NoError(t, err)
		require.Equal(t, "refund", h.Closing)
	}, func(c *handoff.Config) { c.Queues[0].CloseReasons, c.Queues[0].NeedReason = []string{"refund"}, true })
}

// A model sums up for the agent and, at the end, for the bot. When it fails,
// rules do. Suggestions are for the agent alone.
func TestSummaries(t *testing.T) {
	down := false
	model := handoff.SummariserFunc(func(_ context.Context, h handoff.Handoff, script handoff.Transcript) (string, error) {
		if down {
			return "", errors.New("down")
		}
		if h.Outcome != "" {
			return "It was " + script[len(script)-1].Text, nil
		}
		return "In short: " + script[0].Text, nil
	})
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 2)
		ask := func(c string) handoff.ID {
			turn := say(t, r, c, "m1", "charged twice")
			_, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support", Flags: []string{"angry"}, Reason: "billing"})
			require.NoError(t, err)
			r.Wait()
			return r.Last(c).ID
		}
		id := ask("c1")
		text, err := r.Summary(r.Ctx, id)
		require.NoError(t, err)
		require.Equal(t, "In short: charged twice", text)
		replies, err := r.Suggest(r.Ctx, id)
		require.NoError(t, err)
		require.Equal(t, []string{"Sorry!"}, replies)
		ann.Accept()
		ann.Says(id, "refunded")
		ann.Returns(id, "45.00")
		require.Equal(t, "Outcome: returned. Agent: ann. It was refunded 45.00", r.Bot.Calls(handoff.BotEnded)[0].Summary)

		down = true
		id = ask("c2")
		text, err = r.Summary(r.Ctx, id)
		require.NoError(t, err)
		require.Equal(t, "Reason: billing. Flags: angry. First: “charged twice” (bot: 0)", text)
		ann.Accept()
		ann.Says(id, "refunded")
		ann.Returns(id, "45.00")
		require.Contains(t, r.Bot.Calls(handoff.BotEnded)[1].Summary, "Outcome: returned. Agent: ann.")
		for _, saw := range r.Users.Texts("c1") {
			require.NotContains(t, saw, "short")
		}
	}, func(c *handoff.Config) {
		c.Summariser = model
		c.Suggester = handoff.SuggesterFunc(func(context.Context, handoff.Handoff, handoff.Transcript) ([]string, error) {
			return []string{"Sorry!"}, nil
		})
	})
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) { // without models
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c1", Queue: "support", Answers: map[string]string{"order": "7\n8"}})
		require.NoError(t, err)
		text, err := r.Summary(r.Ctx, r.Last("c1").ID)
		require.NoError(t, err)
		require.Equal(t, "Reason: user_requested. order: 7 8.", text)
		list, err := r.Suggest(r.Ctx, r.Last("c1").ID)
		require.NoError(t, err)
		require.Empty(t, list)
	})
}

// Priorities can be changed while somebody waits; a notice can be shown by
// hand, if it has words.
func TestPriorityAndNotify(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		for _, c := range []string{"c1", "c2"} {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: c, Queue: "support"})
			require.NoError(t, err)
			r.Sleep(time.Second)
		}
		sue := handoff.BySupervisor("sue")
		_, err := r.Prioritise(r.Ctx, r.Last("c2").ID, sue, 5)
		require.NoError(t, err)
		_, err = r.Notify(r.Ctx, r.Last("c1").ID, sue, handoff.NoticeMessage, nil)
		require.NoError(t, err)
		require.Contains(t, told(r, "c1"), "It takes longer than usual. You can leave a message and keep your place.")
		_, err = r.Notify(r.Ctx, r.Last("c1").ID, sue, "no such", nil)
		require.ErrorIs(t, err, handoff.ErrInvalid)
		ann := r.Agent("ann", 1)
		require.Equal(t, "c2", ann.Accept().ID.Conversation)
	})
}
