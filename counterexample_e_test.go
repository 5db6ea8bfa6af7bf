package handoff_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// e: platforms.

// Open succeeds and its caller dies before the commit: the retry finds the
// chat, and there is only one.
func TestE1_RetryFindsTheChat(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		_, tap := cxDeaf(t, r)
		tap.on(cxHook{match: func(s step) bool { return s.commits("bound/") }, before: tap.kill})
		h := cxAsk(t, r.Engine, "c")
		r.Sleep(2 * time.Second)
		require.Equal(t, 1, p.size())
		cxDeaf(t, r)
		r.Sleep(40 * time.Second)
		require.Equal(t, 1, p.size())
		require.Equal(t, handoff.StateQueued, r.Now(h.ID).State)
	}, p.serve)
}

// The agent joins before the reference is stored, and nobody knows the event:
// the state that is read after the bind shows it.
func TestE2_JoinedBeforeTheBind(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		p.opened = func(int) error {
			p.stands("r1", handoff.SessionActive)
			return r.Deliver(t.Context(), "desk", cxEvent(handoff.EventJoined, "r1", "j1"))
		}
		r.Start()
		h := r.Asks("c")
		r.Sleep(5 * time.Second)
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		require.Equal(t, "Zoe", r.Now(h.ID).AgentName)
	}, p.serve)
}

// Where the platform names our attempt, the event binds the chat itself.
func TestE2_JoinedNamesTheAttempt(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		p.onOpen = func(_ int, o handoff.Opening) error {
			ev := cxEvent(handoff.EventJoined, "r1", "j1")
			ev.Attempt = o.Attempt
			return r.Deliver(t.Context(), "desk", ev)
		}
		p.onRead = func(string) (handoff.SessionState, error) { return handoff.SessionUnknown, nil }
		r.Start()
		h := r.Asks("c")
		r.Sleep(5 * time.Second)
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		require.Equal(t, 1, p.size())
		require.False(t, p.now("r1").closed)
		cxWrite(t, r.Engine, "c", "m1", "m1")
		r.Wait()
		require.Equal(t, []string{"m1"}, p.now("r1").sent)
	}, p.serve)
}

// "joined" is lost for good: the state is read again and again, while queued
// and while active.
func TestE3_LostWebhooks(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		h := r.Asks("c")
		r.Sleep(3 * time.Second)
		require.Equal(t, handoff.StateQueued, r.Now(h.ID).State)
		r.Sleep(2 * time.Minute)
		p.stands("r1", handoff.SessionActive)
		r.Sleep(70 * time.Second)
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		r.Sleep(2 * time.Minute)
		p.stands("r1", handoff.SessionEnded)
		r.Sleep(70 * time.Second)
		require.Equal(t, handoff.OutcomeResolved, r.Now(h.ID).Outcome)
		require.Equal(t, handoff.StateBot, r.Last("c").State, "the bot is back")
	}, p.serve)
}

// A chat that the platform gave back to the bot while nobody listened.
func TestE3_LostReturn(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxChatting(t, r, p)
		p.stands("r1", handoff.SessionBot)
		r.Sleep(70 * time.Second)
		require.Equal(t, handoff.OutcomeReturned, r.Now(id).Outcome)
		require.Len(t, r.Bot.Calls(handoff.BotEnded), 1)
	}, p.serve)
}

// Open succeeds, its caller dies, the user cancels: the chat is found and
// closed, however late.
func TestE4_OwedClose(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		b, _ := cxIdle(t, r)
		_, tap := cxDeaf(t, r)
		tap.on(cxHook{match: func(s step) bool { return s.commits("bound/") }, before: tap.kill})
		h := cxAsk(t, b, "c")
		r.Sleep(2 * time.Second)
		require.Equal(t, 1, p.size())
		_, err := b.Cancel(t.Context(), "c", false)
		require.NoError(t, err)
		require.Equal(t, handoff.StateEnded, r.Now(h.ID).State)
		require.ErrorIs(t, b.Erase(t.Context(), "c"), handoff.ErrOpen)
		p.ends(func(string) error { return &handoff.ProviderError{Op: "close", Retryable: true} })
		cxDeaf(t, r)
		r.Sleep(10 * time.Second)
		require.False(t, p.now("r1").closed)
		p.ends(nil)
		r.Sleep(10 * time.Minute)
		require.True(t, p.now("r1").closed)
		require.Equal(t, 1, cxCount(r, h.ID, handoff.KindClosed))
	}, p.serve)
}

// The user cancels while Open is on its way: its late success is closed.
func TestE4_CancelWhileOpening(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		b, _ := cxIdle(t, r)
		p.onOpen = func(int, handoff.Opening) error {
			_, err := b.Cancel(t.Context(), "c", false)
			return err
		}
		r.Start()
		cxAsk(t, b, "c")
		r.Sleep(time.Minute)
		require.True(t, p.now("r1").closed)
		require.NoError(t, b.Erase(t.Context(), "c"))
	}, p.serve)
}

// A chat that nobody can close is given up with an entry, and only then is
// nothing due.
func TestE4_GivenUpWithAnEntry(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxChatting(t, r, p)
		p.ends(func(string) error { return &handoff.ProviderError{Op: "close", Retryable: true} })
		_, err := r.Cancel(t.Context(), "c", false)
		require.NoError(t, err)
		r.Sleep(12 * time.Hour)
		rec, err := r.Store.Get(t.Context(), id)
		require.NoError(t, err)
		require.False(t, rec.Wake.IsZero())
		r.Sleep(14 * time.Hour)
		require.Equal(t, 1, cxCount(r, id, handoff.KindGaveUp))
	}, p.serve, func(c *handoff.Config) { c.Poll, c.Sweep = time.Minute, time.Hour })
}

// A late "ended" of an earlier session has no effect, whichever conversation
// it names.
func TestE6_RoutedByReference(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		cxChatting(t, r, p)
		_, err := r.Cancel(t.Context(), "c", false)
		require.NoError(t, err)
		r.Wait()
		h2 := r.Asks("c")
		r.Sleep(3 * time.Second)
		late := cxEvent(handoff.EventEnded, "r1", "e1")
		late.Conversation = "c"
		require.NoError(t, r.Deliver(t.Context(), "desk", late))
		late.ID, late.Kind = "e2", handoff.EventReturned
		require.NoError(t, r.Deliver(t.Context(), "desk", late))
		require.Equal(t, handoff.StateQueued, r.Now(h2.ID).State)
		now := cxEvent(handoff.EventEnded, "r2", "e3")
		require.NoError(t, r.Deliver(t.Context(), "desk", now))
		require.Equal(t, handoff.StateEnded, r.Now(h2.ID).State)
	}, p.serve)
}

// The vendor uses one reference for all sessions of a conversation: an event
// older than the binding has no effect.
func TestE7_OlderThanTheBinding(t *testing.T) {
	for name, ago := range map[string]time.Duration{"long ago": 10 * time.Minute, "within the clocks' doubt": 20 * time.Second} {
		t.Run(name, func(t *testing.T) {
			p := newCxPlatform("desk")
			p.one = true
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				r.Start()
				cxChatting(t, r, p)
				r.Sleep(20 * time.Minute)
				_, err := r.Cancel(t.Context(), "c", false)
				require.NoError(t, err)
				r.Wait()
				h2 := r.Asks("c")
				r.Sleep(3 * time.Second)
				for _, kind := range []handoff.ProviderEventKind{handoff.EventEnded, handoff.EventReturned, handoff.EventFailed} {
					late := cxEvent(kind, "of c", "late "+string(kind))
					late.At = time.Now().Add(-ago)
					require.NoError(t, r.Deliver(t.Context(), "desk", late))
					require.Equal(t, handoff.StateQueued, r.Now(h2.ID).State, kind)
				}
				if ago < time.Minute {
					return // nothing tells an agent's word of 20 s ago from one of now
				}
				for _, kind := range []handoff.ProviderEventKind{handoff.EventJoined, handoff.EventMessage, handoff.EventLeft} {
					late := cxEvent(kind, "of c", "late "+string(kind))
					late.At, late.Text = time.Now().Add(-ago), "late"
					require.NoError(t, r.Deliver(t.Context(), "desk", late))
					require.Equal(t, handoff.StateQueued, r.Now(h2.ID).State, kind)
				}
				require.NotContains(t, cxSaid(r, h2.ID), "late")
			}, p.serve, cxQueue(func(q *handoff.Queue) { q.IdleTimeout = time.Hour }))
		})
	}
}

// Without usable times an "ended" that was never seen before is confirmed by
// reading the state.
func TestE8_EndIsConfirmed(t *testing.T) {
	p := newCxPlatform("desk")
	p.one = true
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		cxChatting(t, r, p)
		_, err := r.Cancel(t.Context(), "c", false)
		require.NoError(t, err)
		r.Wait()
		h2 := r.Asks("c")
		r.Sleep(3 * time.Second)
		for _, kind := range []handoff.ProviderEventKind{handoff.EventEnded, handoff.EventReturned, handoff.EventFailed} {
			require.NoError(t, r.Deliver(t.Context(), "desk", cxEvent(kind, "of c", "late "+string(kind))))
			require.Equal(t, handoff.StateQueued, r.Now(h2.ID).State, kind)
		}
		p.onRead = func(string) (handoff.SessionState, error) {
			return "", &handoff.ProviderError{Op: "read", Retryable: true}
		}
		require.Error(t, r.Deliver(t.Context(), "desk", cxEvent(handoff.EventEnded, "of c", "never seen")), "so that the platform sends it again")
		require.Equal(t, handoff.StateQueued, r.Now(h2.ID).State)
		p.onRead = nil
		p.stands("of c", handoff.SessionEnded)
		require.NoError(t, r.Deliver(t.Context(), "desk", cxEvent(handoff.EventEnded, "of c", "never seen")))
		require.Equal(t, handoff.StateEnded, r.Now(h2.ID).State)
	}, p.serve)
}

// An event twice has one effect, also when its answer was lost.
func TestE8_EventTwice(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxChatting(t, r, p)
		a, tap := cxIdle(t, r)
		ev := cxEvent(handoff.EventMessage, "r1", "x1")
		ev.Text = "once"
		tap.on(cxHook{match: func(s step) bool { return s.op == "Commit" }, fail: errDead})
		require.NoError(t, a.Deliver(t.Context(), "desk", ev))
		require.NoError(t, r.Deliver(t.Context(), "desk", ev, ev))
		require.Equal(t, []string{"m0", "once"}, cxSaid(r, id))
	}, p.serve)
}

// What the store has not taken is not acknowledged to the platform.
func TestE8_StoredBeforeItIsAcknowledged(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxChatting(t, r, p)
		a, tap := cxIdle(t, r)
		tap.on(cxHook{match: func(s step) bool { return s.op == "Commit" }, before: tap.kill})
		ev := cxEvent(handoff.EventMessage, "r1", "x1")
		ev.Text = "once"
		require.Error(t, a.Deliver(context.WithoutCancel(t.Context()), "desk", ev))
		require.NoError(t, r.Deliver(t.Context(), "desk", ev))
		require.Equal(t, []string{"m0", "once"}, cxSaid(r, id))
	}, p.serve)
}
