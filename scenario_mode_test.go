package handoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// screens are queues that serve users in different ways: both (a session takes
// two seats), text alone, and video alone (three seats).
func screens(change ...func(c *handoff.Config)) func(c *handoff.Config) {
	return func(c *handoff.Config) {
		c.Rooms = handoff.RoomLinks{Template: "https://meet.example.com/{room}", Secret: []byte("0123456789abcdef")}
		c.Queues = []handoff.Queue{
			{Name: "both", VideoUnits: 2, Ladder: patient()},
			{Name: "text", Modes: []handoff.Mode{handoff.ModeText}, VideoUnits: 4, Ladder: patient()},
			{Name: "video", Modes: []handoff.Mode{handoff.ModeVideo}, VideoUnits: 3, Ladder: patient()},
		}
		for _, f := range change {
			f(c)
		}
	}
}

// session is how somebody is served.
type session struct {
	mode  handoff.Mode
	units int
}

func sessionOf(h handoff.Handoff) session { return session{h.Need.Mode, h.Capacity()} }

// sessions are what becomes of wishes in each queue.
var sessions = map[handoff.Mode]map[string]session{
	handoff.ModeText:  {"both": {handoff.ModeText, 1}, "text": {handoff.ModeText, 1}, "video": {handoff.ModeVideo, 3}},
	handoff.ModeVideo: {"both": {handoff.ModeVideo, 2}, "text": {handoff.ModeText, 1}, "video": {handoff.ModeVideo, 3}},
}

// An answer that leads to another queue makes it a session as that queue serves
// users, with the seats that this takes, whether it is brought, given before the
// queue or in it; and what was asked for counts again where it can be had.
func TestAnswersLeadToQueuesThatServeOtherwise(t *testing.T) {
	for _, while := range []bool{false, true} {
		form := &handoff.Form{WhileWaiting: while, Fields: []handoff.Field{
			{Name: "where", Kind: handoff.FieldChoice, Choices: []string{"text", "video", "both", "staffed"}, Queues: map[string]string{
				"text": "text", "video": "video", "both": "both", "staffed": "staffed",
			}},
			{Name: "more"},
		}}
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			for asked, want := range sessions {
				for queue, as := range want {
					c := "c" + string(asked) + queue
					ask := func(c string, answers map[string]string) handoff.ID {
						return r.Asks(c, func(q *handoff.Request) { q.Mode, q.Answers = asked, answers }).ID
					}
					id := ask(c+"1", map[string]string{"where": queue, "more": "no"})
					require.Equal(t, as, sessionOf(r.Now(id)), "%s: brought", c)

					id = ask(c+"2", nil)
					for _, choice := range []string{"text", "video", queue} {
						require.NoError(t, give(r, c+"2", "where", choice))
						_, err := r.Answer(r.Ctx, c+"2", handoff.Response{Back: true})
						require.NoError(t, err)
					}
					require.NoError(t, give(r, c+"2", "where", queue))
					require.NoError(t, give(r, c+"2", "more", "no"))
					now := r.Now(id)
					require.Equal(t, queue, now.Need.Queue)
					require.Equal(t, as, sessionOf(now), "%s: given", c)

					// Sent on to a queue that writes only, he is led to where he is seen.
					id = r.Asks(c+"3", func(q *handoff.Request) { q.Queue, q.Mode = "shut", asked }).ID
					require.Equal(t, session{handoff.ModeText, 1}, sessionOf(r.Now(id)))
					require.NoError(t, give(r, c+"3", "where", queue))
					require.NoError(t, give(r, c+"3", "more", "no"))
					require.Equal(t, as, sessionOf(r.Now(id)), "%s: sent on", c)
				}
			}
			// The door is asked for what he wants, not for how he is served meanwhile.
			r.Agent("bob", 1, "staffed") // has no camera
			id := r.Asks("door", func(q *handoff.Request) { q.Mode = handoff.ModeVideo }).ID
			require.NoError(t, give(r, "door", "where", "text"))
			_, err := r.Answer(r.Ctx, "door", handoff.Response{Back: true})
			require.NoError(t, err)
			require.NoError(t, give(r, "door", "where", "staffed"))
			if !while { // else it led there at once
				require.NoError(t, give(r, "door", "more", "no"))
			}
			require.Equal(t, handoff.ReasonOffline, r.Now(id).Missed)
		}, screens(func(c *handoff.Config) {
			c.Queues[0].Intake = form
			c.Queues = append(
				c.Queues, handoff.Queue{Name: "shut", Hours: handoff.Weekly{Days: map[string][]handoff.Span{"mon": {"03:00-04:00"}}}, Divert: "writes"},
				handoff.Queue{Name: "writes", Modes: []handoff.Mode{handoff.ModeText}, Intake: form, Ladder: patient()},
				handoff.Queue{Name: "staffed", NeedAgents: true},
			)
		}))
	}
}

// So does a queue that a request is diverted to, one that its ladder moves it
// to, and one that an agent transfers it to. A request itself asks for what its
// queue serves.
func TestQueuesThatServeOtherwise(t *testing.T) {
	shut := handoff.Weekly{Days: map[string][]handoff.Span{"mon": {"03:00-04:00"}}}
	for _, to := range []string{"text", "video"} {
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			ann := r.Hire(handoff.Agent{ID: "ann", Seats: 5, Queues: []string{"both"}, Video: true})
			for asked, want := range sessions {
				got := r.Asks("divert"+string(asked), func(q *handoff.Request) { q.Queue, q.Mode = "shut", asked })
				require.Equal(t, to, got.Need.Queue)
				require.Equal(t, want[to], sessionOf(got))

				got = r.Asks("overflow"+string(asked), func(q *handoff.Request) { q.Queue, q.Mode = "brief", asked })
				r.Sleep(2 * time.Minute)
				got = r.Now(got.ID)
				require.Equal(t, to, got.Need.Queue)
				require.Equal(t, want[to], sessionOf(got))

				r.Asks("transfer"+string(asked), func(q *handoff.Request) { q.Queue, q.Mode = "both", asked })
				h := ann.Accept()
				require.Equal(t, want["both"], sessionOf(h))
				_, err := r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Queue: to})
				require.NoError(t, err)
				got = r.Now(h.ID)
				require.Equal(t, want[to], sessionOf(got))
				require.Equal(t, to == "video" && asked == handoff.ModeVideo, got.Room != nil, "the room of a session that is over")
				ann.Leaves()
				ann = r.Hire(handoff.Agent{ID: "ann" + string(asked), Seats: 5, Queues: []string{"both"}, Video: true})
			}
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "no", Queue: "text", Mode: handoff.ModeVideo})
			require.ErrorIs(t, err, handoff.ErrInvalid)
			_, err = r.Request(r.Ctx, handoff.Request{Conversation: "no", Queue: "video"})
			require.ErrorIs(t, err, handoff.ErrInvalid)
		}, screens(func(c *handoff.Config) {
			c.Queues = append(
				c.Queues, handoff.Queue{Name: "shut", Hours: shut, Divert: to},
				handoff.Queue{Name: "brief", Ladder: []handoff.Rung{{After: time.Minute, Do: handoff.Overflow, Queue: to}}},
			)
		}))
	}
}

// The seats that a transferred session takes are those of where it goes, also
// when an agent is named; a warm transfer is of the session as it is.
func TestTransferTakesTheSeatsOfItsQueue(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Hire(handoff.Agent{ID: "ann", Seats: 2, Queues: []string{"both"}, Video: true})
		bob := r.Hire(handoff.Agent{ID: "bob", Seats: 1, Queues: []string{"text"}})
		r.Asks("c1", func(q *handoff.Request) { q.Queue, q.Mode = "both", handoff.ModeVideo })
		h := ann.Accept()
		_, err := r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Queue: "text", Agent: "bob", Warm: true})
		require.ErrorIs(t, err, handoff.ErrFull)
		_, err = r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Queue: "text", Agent: "bob"})
		require.NoError(t, err)
		h = bob.Accept()
		require.Equal(t, session{handoff.ModeText, 1}, sessionOf(h))
		require.Nil(t, h.Room)
	}, screens())
}

// Help is there in a queue for a need: who may only help out later does not
// count, nor who lacks the skill, the language or the camera.
func TestAvailabilityIsOfAQueueAndANeed(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		there := func(n handoff.Need) handoff.Availability {
			t.Helper()
			n.Queue = "support"
			a, err := r.Availability(r.Ctx, n)
			require.NoError(t, err)
			_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c", Queue: "support", Skills: n.Skills, Language: n.Language, Mode: n.Mode})
			if err == nil {
				_, err = r.Cancel(r.Ctx, "c", false)
				require.NoError(t, err)
				require.Positive(t, a.Online)
				require.Positive(t, a.Free)
				return a.Availability
			}
			require.ErrorIs(t, err, handoff.ErrUnavailable)
			require.Zero(t, a.Online)
			require.Zero(t, a.Free)
			return a.Availability
		}
		r.Hire(handoff.Agent{ID: "bob", Seats: 9, Queues: []string{"backup"}, Skills: map[string]int{"tax": 3}, Languages: []string{"de"}, Video: true})
		require.Equal(t, handoff.Offline, there(handoff.Need{}))
		r.Hire(handoff.Agent{ID: "ann", Seats: 9, Queues: []string{"support"}, Skills: map[string]int{"tax": 1}, Languages: []string{"en"}})
		require.Equal(t, handoff.Online, there(handoff.Need{}))
		require.Equal(t, handoff.Online, there(handoff.Need{Skills: []handoff.Skill{{Name: "tax"}}, Language: "en"}))
		for _, n := range []handoff.Need{
			{Skills: []handoff.Skill{{Name: "tax", Level: 2}}}, {Language: "de"}, {Mode: handoff.ModeVideo},
		} {
			require.Equal(t, handoff.Offline, there(n))
		}
	}, func(c *handoff.Config) {
		c.Queues = []handoff.Queue{
			{Name: "support", NeedAgents: true, Ladder: []handoff.Rung{{After: time.Hour, Do: handoff.Widen, Queue: "backup"}}},
			{Name: "backup", Ladder: patient()},
		}
	})
}
