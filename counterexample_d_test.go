package handoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// d: seats and retries.

func pull(q *handoff.Queue) { q.Style = handoff.Pull }

// A lowered capacity holds for every commit that is decided after the change.
func TestD1_CapacityLowered(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		ann := handoff.Agent{ID: "ann", Seats: 2, Queues: []string{"support"}}
		r.Hire(ann)
		h0, h1 := cxAsk(t, r.Engine, "c0"), cxAsk(t, r.Engine, "c1")
		_, err := r.Accept(t.Context(), h0.ID, handoff.By("ann"), 0)
		require.NoError(t, err)
		ann.Seats = 1
		require.NoError(t, r.Floor.Put(t.Context(), ann))
		_, err = r.Accept(t.Context(), h1.ID, handoff.By("ann"), 0)
		require.ErrorIs(t, err, handoff.ErrFull)
		require.Equal(t, 1, cxLoad(t, r, "ann"))
		require.Equal(t, handoff.StateWaiting, r.Now(h1.ID).State)
	}, cxQueue(pull))
}

// The same for a limit of one queue.
func TestD1_QueueSeats(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Hire(handoff.Agent{ID: "ann", Seats: 3, Queues: []string{"support"}, QueueSeats: map[string]int{"support": 1}})
		h0, h1 := cxAsk(t, r.Engine, "c0"), cxAsk(t, r.Engine, "c1")
		_, err := r.Accept(t.Context(), h0.ID, handoff.By("ann"), 0)
		require.NoError(t, err)
		_, err = r.Accept(t.Context(), h1.ID, handoff.By("ann"), 0)
		require.ErrorIs(t, err, handoff.ErrFull)
	}, cxQueue(pull))
}

// A video session takes all of its units, or nothing.
func TestD2_UnitsAreChecked(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Hire(handoff.Agent{ID: "ann", Seats: 2, Queues: []string{"support"}, Video: true})
		text := cxAsk(t, r.Engine, "text")
		video := cxAsk(t, r.Engine, "video", func(q *handoff.Request) { q.Mode = handoff.ModeVideo })
		_, err := r.Accept(t.Context(), text.ID, handoff.By("ann"), 0)
		require.NoError(t, err)
		_, err = r.Accept(t.Context(), video.ID, handoff.By("ann"), 0)
		require.ErrorIs(t, err, handoff.ErrFull)
		_, err = r.TakeOver(t.Context(), video.ID, handoff.By("ann"), "")
		require.ErrorIs(t, err, handoff.ErrFull)
		_, err = r.End(t.Context(), text.ID, handoff.By("ann"), handoff.Ending{})
		require.NoError(t, err)
		_, err = r.Accept(t.Context(), video.ID, handoff.By("ann"), 0)
		require.NoError(t, err)
		require.Equal(t, 2, cxLoad(t, r, "ann"))
	}, cxQueue(func(q *handoff.Queue) { q.Style, q.VideoUnits = handoff.Pull, 2 }))
}

// Nor is it offered to somebody who has not enough seats.
func TestD2_UnitsAreOffered(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		r.Floor.Quiet(false)
		r.Hire(handoff.Agent{ID: "ann", Seats: 3, Queues: []string{"support"}, Video: true})
		a, b := r.Asks("a", video), r.Asks("b", video)
		require.NotZero(t, cxOffered(a, "ann"))
		require.Equal(t, handoff.StateWaiting, b.State)
		require.Equal(t, 2, cxLoad(t, r, "ann"))
		require.NotZero(t, cxOffered(r.Asks("c"), "ann"), "a text fits")
	}, cxQueue(func(q *handoff.Queue) { q.VideoUnits = 2 }))
}

func video(q *handoff.Request) { q.Mode = handoff.ModeVideo }

// The commit is applied and its answer lost: the winner is told that it won.
func TestD4_LostAnswer(t *testing.T) {
	verbs := map[string]struct {
		prefix string
		do     func(e *handoff.Engine, r *handofftest.Rig, id handoff.ID) error
		kind   handoff.Kind
	}{
		"transfer": {"transfer", func(e *handoff.Engine, r *handofftest.Rig, id handoff.ID) error {
			_, err := e.Transfer(r.T.Context(), id, handoff.By("ann"), handoff.Target{Agent: "bob"})
			return err
		}, handoff.KindTransferred},
		"return": {"return", func(e *handoff.Engine, r *handofftest.Rig, id handoff.ID) error {
			_, err := e.Return(r.T.Context(), id, handoff.By("ann"), "")
			return err
		}, handoff.KindReturned},
		"send": {"send", func(e *handoff.Engine, r *handofftest.Rig, id handoff.ID) error {
			_, err := e.Send(r.T.Context(), id, handoff.By("ann"), handoff.Message{Text: "once"})
			return err
		}, handoff.KindMessage},
		"note": {"note", func(e *handoff.Engine, r *handofftest.Rig, id handoff.ID) error {
			_, err := e.Note(r.T.Context(), id, handoff.By("ann"), "once")
			return err
		}, handoff.KindNote},
		"tag": {"tag", func(e *handoff.Engine, r *handofftest.Rig, id handoff.ID) error {
			_, err := e.Tag(r.T.Context(), id, handoff.By("ann"), []string{"vip"}, nil)
			return err
		}, handoff.KindTagged},
		"hold": {"hold", func(e *handoff.Engine, r *handofftest.Rig, id handoff.ID) error {
			_, err := e.Hold(r.T.Context(), id, handoff.By("ann"), "")
			return err
		}, handoff.KindHeld},
		"cancel": {"cancel", func(e *handoff.Engine, r *handofftest.Rig, id handoff.ID) error {
			_, err := e.Cancel(r.T.Context(), id.Conversation, false)
			return err
		}, handoff.KindEnded},
	}
	for name, v := range verbs {
		t.Run(name, func(t *testing.T) {
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				r.Agent("bob", 1)
				r.Agent("ann", 1)
				cxWrite(t, r.Engine, "c", "m0", "m0")
				id := handoff.ID{Conversation: "c", Number: 1}
				cxTakes(t, r.Engine, id, "ann")
				before := cxCount(r, id, v.kind)
				a, tap := cxIdle(t, r)
				tap.on(cxHook{match: func(s step) bool { return s.commits(v.prefix) }, fail: errDead})
				require.NoError(t, v.do(a, r, id))
				require.Equal(t, before+1, cxCount(r, id, v.kind))
			})
		})
	}
}

// The same for the bot's and the user's verbs.
func TestD4_LostAnswerOfTheBot(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		a, tap := cxIdle(t, r)
		lose := func(prefix string) {
			tap.on(cxHook{match: func(s step) bool { return s.commits(prefix) }, fail: errDead})
		}
		lose("u/m0")
		turn := cxWrite(t, a, "c", "m0", "m0")
		require.True(t, turn.Open(), "the first to know the message is we")
		lose("u/m1")
		turn1 := cxWrite(t, a, "c", "m1", "m1")
		require.Equal(t, []string{"m1"}, cxAsked(turn1))
		lose("r/")
		_, err := a.Reply(t.Context(), turn, handoff.Message{Text: "hi"})
		require.NoError(t, err)
		lose("d/")
		require.NoError(t, a.Done(t.Context(), turn1))
		id := handoff.ID{Conversation: "c", Number: 1}
		require.Equal(t, []string{"m0", "m1", "hi"}, cxSaid(r, id))
		lose("request/")
		out, err := a.Request(t.Context(), handoff.Request{Conversation: "c", Queue: "support"})
		require.NoError(t, err)
		require.Equal(t, id, out.Handoff.ID)
		require.Equal(t, 1, cxCount(r, id, handoff.KindRequested))
	})
}

// A commit ends without an answer, and then the store cannot be read: the host
// is told that nobody knows, and sends the message again under its id.
func TestD4_NobodyKnows(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		a, tap := cxIdle(t, r)
		lost := false
		tap.on(cxHook{match: func(s step) bool { return s.commits("u/m0") }, after: func() { lost = true }, fail: errDead})
		for range 10 {
			tap.on(cxHook{match: func(s step) bool { return lost && s.op == "Latest" }, fail: errDead})
		}
		in := handoff.Incoming{Conversation: "c", ID: "m0", Text: "m0"}
		_, err := a.Receive(t.Context(), in)
		require.ErrorIs(t, err, handoff.ErrUnknown)
	})
}

// A caller who repeats his verb gets the first result, not a refusal.
func TestD4_RepeatedVerb(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1)
		cxWrite(t, r.Engine, "c", "m0", "m0")
		id := handoff.ID{Conversation: "c", Number: 1}
		cxTakes(t, r.Engine, id, "ann")
		for range 3 {
			_, err := r.Return(t.Context(), id, handoff.By("ann"), "")
			require.NoError(t, err)
		}
		for range 3 {
			cxWrite(t, r.Engine, "d", "m0", "m0")
			_, err := r.TakeOver(t.Context(), handoff.ID{Conversation: "d", Number: 1}, handoff.By("ann").Once("x"), "")
			require.NoError(t, err)
		}
		require.Equal(t, 1, cxCount(r, handoff.ID{Conversation: "d", Number: 1}, handoff.KindJoined))
	})
}

// End and transfer race for one chat: one of them wins, and the seat is given
// back once.
func TestD5_SeatIsGivenBackOnce(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 2)
		r.Agent("bob", 1)
		for _, c := range []string{"c", "d"} {
			cxWrite(t, r.Engine, c, "m0", "m0")
			cxTakes(t, r.Engine, handoff.ID{Conversation: c, Number: 1}, "ann")
		}
		id := handoff.ID{Conversation: "c", Number: 1}
		a, tap := cxIdle(t, r)
		tap.on(cxHook{match: func(s step) bool { return s.commits("transfer") }, before: func() {
			_, err := r.End(t.Context(), id, handoff.By("ann"), handoff.Ending{})
			require.NoError(t, err)
		}})
		_, err := a.Transfer(t.Context(), id, handoff.By("ann"), handoff.Target{Agent: "bob"})
		require.ErrorIs(t, err, handoff.ErrState)
		require.Equal(t, 1, cxLoad(t, r, "ann"))
		require.Zero(t, cxLoad(t, r, "bob"))
		_, err = r.Transfer(t.Context(), handoff.ID{Conversation: "d", Number: 1}, handoff.By("ann"), handoff.Target{Agent: "bob"})
		require.NoError(t, err)
		require.Zero(t, cxLoad(t, r, "ann"))
		require.Equal(t, 1, cxLoad(t, r, "bob"))
	})
}

// A seat in wrap-up is taken, and free afterwards.
func TestD5_WrapupHoldsTheSeat(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		r.Floor.Quiet(false)
		ann := r.Agent("ann", 1)
		r.Asks("c")
		h := ann.Ends(ann.Accept().ID)
		require.Equal(t, handoff.StateWrapup, h.State)
		require.Equal(t, 1, cxLoad(t, r, "ann"))
		require.Equal(t, handoff.StateWaiting, r.Asks("d").State)
		r.Sleep(time.Minute + 2*time.Second)
		require.Equal(t, handoff.StateEnded, r.Now(h.ID).State)
		require.Equal(t, handoff.StateOffered, r.Last("d").State)
		require.Equal(t, 1, cxLoad(t, r, "ann"))
	}, cxQueue(func(q *handoff.Queue) { q.Wrapup = time.Minute }))
}
