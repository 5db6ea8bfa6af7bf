package handoff_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// twilio-labs/plugin-queued-callbacks-and-voicemail#35, plugin-dialpad#31:
// cancelling or wrapping up a task in another state threw.
func TestW63_IllegalTransitionsNameTheState(t *testing.T) {
	sup := handoff.BySupervisor("sup")
	verbs := map[string]func(r *handofftest.Rig, id handoff.ID) error{
		"cancel": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.Cancel(r.Ctx, id.Conversation, false)
			return err
		},
		"answer": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.Answer(r.Ctx, id.Conversation, handoff.Response{Value: "x"})
			return err
		},
		"rate": func(r *handofftest.Rig, id handoff.ID) error { _, err := r.Rate(r.Ctx, id, 5, ""); return err },
		"accept": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.Accept(r.Ctx, id, handoff.By("ann"), 0)
			return err
		},
		"send": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.Send(r.Ctx, id, handoff.By("ann"), handoff.Message{Text: "x"})
			return err
		},
		"hold": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.Hold(r.Ctx, id, handoff.By("ann"), "")
			return err
		},
		"resume": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.Resume(r.Ctx, id, handoff.By("ann"))
			return err
		},
		"requeue": func(r *handofftest.Rig, id handoff.ID) error { _, err := r.Requeue(r.Ctx, id, sup, ""); return err },
		"return":  func(r *handofftest.Rig, id handoff.ID) error { _, err := r.Return(r.Ctx, id, sup, ""); return err },
		"end": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.End(r.Ctx, id, sup, handoff.Ending{})
			return err
		},
		"assign": func(r *handofftest.Rig, id handoff.ID) error { _, err := r.Assign(r.Ctx, id, sup, "ann"); return err },
		"transfer": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.Transfer(r.Ctx, id, sup, handoff.Target{Queue: "rescue"})
			return err
		},
		"take over": func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.TakeOver(r.Ctx, id, handoff.By("ann"), "")
			return err
		},
	}
	legal := map[handoff.State][]string{
		handoff.StateBot:        {"take over"},
		handoff.StateIntake:     {"cancel", "answer", "take over"},
		handoff.StateWaiting:    {"cancel", "assign", "transfer", "take over"},
		handoff.StateOffered:    {"cancel", "assign", "transfer", "take over", "requeue"},
		handoff.StateQueued:     {"cancel", "transfer", "take over"},
		handoff.StateActive:     {"cancel", "send", "hold", "requeue", "return", "end", "transfer"},
		handoff.StateHeld:       {"cancel", "resume", "requeue", "return", "end", "transfer"},
		handoff.StateEnded:      {"rate"},
		handoff.StateWrapup:     {"end", "rate"},
		handoff.StateConnecting: {"cancel", "take over"},
	}
	for state, may := range legal {
		for verb, call := range verbs {
			desk := &platform{name: "vendor"}
			desk.broken(state == handoff.StateConnecting)
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				h := bringAny(r, state)
				if _, err := r.Floor.Get(r.Ctx, "ann"); err != nil {
					r.Agent("ann", 1, "rescue")
				}
				over := state == handoff.StateEnded || state == handoff.StateWrapup
				if over && (verb == "cancel" || verb == "answer") {
					return // they name the conversation, which has a newer handoff
				}
				err := call(r, h.ID)
				for _, ok := range may {
					if verb == ok {
						require.NoErrorf(t, err, "%s while %s", verb, state)
						return
					}
				}
				require.Errorf(t, err, "%s while %s", verb, state)
				var no *handoff.StateError
				if errors.As(err, &no) {
					require.Equal(t, state, no.State)
					require.Equal(t, h.ID, no.ID)
					require.ErrorIs(t, err, handoff.ErrState)
				} else {
					require.Truef(t, errors.Is(err, handoff.ErrInvalid) || errors.Is(err, handoff.ErrUnavailable) ||
						errors.Is(err, handoff.ErrNotFound) || errors.Is(err, handoff.ErrNotHolder) || errors.Is(err, handoff.ErrWithdrawn),
						"%s while %s: %v", verb, state, err)
				}
				require.Equal(t, h.Version, r.Now(h.ID).Version, "nothing changed")
			}, stations(desk))
		}
	}
}

// bringAny is bring for every state.
func bringAny(r *handofftest.Rig, state handoff.State) handoff.Handoff {
	r.T.Helper()
	switch state {
	case handoff.StateEnded, handoff.StateWrapup:
		queue := "support"
		if state == handoff.StateWrapup {
			queue = "thorough"
		}
		ann := r.Agent("ann", 1, queue)
		r.Asks("c1", func(q *handoff.Request) { q.Queue = queue })
		h := takes(r, ann, "c1")
		ann.Ends(h.ID)
		r.Sleep(time.Second)
		h = r.Now(h.ID)
		require.Equal(r.T, state, h.State)
		return h
	default:
		return bring(r, state)
	}
}

// hubtype/botonic: with an unknown queue id the user was "transferred to a
// random open queue".
func TestW64_UnknownIsAnErrorNeverRandom(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 5)
		names := func(err error, field string) {
			t.Helper()
			var bad *handoff.InvalidError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, field, bad.Field)
		}
		turn := r.Says("c1", "help")
		before := r.Last("c1").Version
		_, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "suport"})
		names(err, "Request.Queue")
		_, err = r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support", Preferred: "anne"})
		names(err, "Request.Preferred")
		_, err = r.Availability(r.Ctx, handoff.Need{Queue: "Support"})
		names(err, "Need.Queue")
		require.Equal(t, before, r.Last("c1").Version)
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "new", Queue: "suport"})
		names(err, "Request.Queue")
		_, err = r.Latest(r.Ctx, "new")
		require.ErrorIs(t, err, handoff.ErrNotFound)

		h := chat(r, ann, "c2")
		_, err = r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Queue: "bilings"})
		names(err, "Target.Queue")
		_, err = r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Agent: "bobb"})
		names(err, "Target.Agent")
		_, err = r.Assign(r.Ctx, h.ID, handoff.BySupervisor("sup"), "bobb")
		names(err, "agent")
		_, err = r.TakeOver(r.Ctx, h.ID, handoff.By("bobb"), "")
		names(err, "Actor.ID")
		_, err = r.TakeOver(r.Ctx, h.ID, handoff.BySupervisor("ann"), "bilings")
		names(err, "queue")
		require.Equal(t, h.Version, r.Now(h.ID).Version, "and it stays where it is")

		_, err = handoff.New(handoff.Config{
			Store: r.Store, Directory: r.Floor,
			Queues: []handoff.Queue{{Name: "support", Ladder: []handoff.Rung{{Do: handoff.Overflow, Queue: "nowhere"}}}},
		})
		require.ErrorIs(t, err, handoff.ErrInvalid, "also in a configuration")
	})
}
