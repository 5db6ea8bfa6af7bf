package handoff_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// i: receivers, failures and commits whose outcome is unknown.

var (
	errNever = &handoff.DeliveryError{Permanent: true, Code: "blocked", Err: errors.New("never")}
	errLater = &handoff.DeliveryError{Code: "busy", Err: errors.New("later")}
)

// refuses makes s fail for messages with a text.
func (s *cxScreened) refuses(text string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.show = func(_ context.Context, _ string, m handoff.UserMessage) error {
		if m.Text == text {
			return err
		}
		return nil
	}
}

// A cxSink remembers the entries it got.
type cxSink struct {
	mu   sync.Mutex
	got  []handoff.Entry
	fail func(e *handoff.Entry) error
}

func (s *cxSink) Handle(_ context.Context, _ *handoff.Handoff, e *handoff.Entry) error {
	s.mu.Lock()
	fail := s.fail
	s.mu.Unlock()
	if fail != nil {
		if err := fail(e); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, *e)
	return nil
}

func (s *cxSink) seqs() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []int64
	for i := range s.got {
		out = append(out, s.got[i].Seq)
	}
	return out
}

func cxSinks(sinks map[string]handoff.Sink) func(*handoff.Config) {
	return func(c *handoff.Config) { c.Sinks = sinks }
}

// undelivered returns the entry that says that another one did not arrive.
func undelivered(r *handofftest.Rig, id handoff.ID) []handoff.Entry {
	var out []handoff.Entry
	for _, e := range r.Entries(id) {
		if e.Kind == handoff.KindUndelivered {
			out = append(out, e)
		}
	}
	return out
}

// A message that the channel refuses for good is passed over, and the agent is
// told.
func TestI1_PermanentFailure(t *testing.T) {
	s := &cxScreened{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxTalk(t, r)
		s.refuses("e1", errNever)
		cxSays(t, r.Engine, id, "e1")
		cxSays(t, r.Engine, id, "e2")
		r.Wait()
		require.Equal(t, []string{"e2"}, s.texts())
		list := undelivered(r, id)
		require.Len(t, list, 1)
		require.Equal(t, "blocked", list[0].Data["code"])
		for _, e := range r.Entries(id) {
			if e.Seq == list[0].About {
				require.Equal(t, "e1", e.Text)
			}
		}
	}, cxScreen(s))
}

// First the entry, then the Ack: a sender that dies between leaves neither.
func TestI2_EntryBeforeTheAck(t *testing.T) {
	s := &cxScreened{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		s.refuses("e1", errNever)
		a, tap := cxDeaf(t, r)
		tap.on(cxHook{match: func(st step) bool { return st.commits("undelivered/") }, before: tap.kill})
		cxSays(t, a, id, "e1")
		r.Wait()
		require.True(t, tap.isDead())
		require.Empty(t, undelivered(r, id))
		cxDeaf(t, r)
		r.Sleep(40 * time.Second)
		require.Len(t, undelivered(r, id), 1)
	}, cxScreen(s))
}

// The sender dies after the entry and before the Ack: the entry is made once.
func TestI3_EntryOnce(t *testing.T) {
	s := &cxScreened{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		s.refuses("e1", errNever)
		a, tap := cxDeaf(t, r)
		tap.on(cxHook{match: func(st step) bool { return st.commits("undelivered/") }, after: tap.kill})
		cxSays(t, a, id, "e1")
		r.Wait()
		require.True(t, tap.isDead())
		cxDeaf(t, r)
		r.Sleep(40 * time.Second)
		cxSays(t, r.Engine, id, "e2")
		r.Sleep(10 * time.Second)
		require.Len(t, undelivered(r, id), 1)
		require.Equal(t, []string{"e2"}, s.texts())
	}, cxScreen(s))
}

// A staff sink is down for good: what says so is owed to it too, and must not
// make another one.
func TestI4_UndeliveredAboutItself(t *testing.T) {
	sink := &cxSink{fail: func(*handoff.Entry) error { return errNever }}
	good := &cxSink{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxTalk(t, r)
		r.Sleep(10 * time.Second)
		n := len(r.Entries(id))
		for _, e := range undelivered(r, id) {
			require.NotEqual(t, handoff.KindUndelivered, r.Entries(id)[e.About-1].Kind)
		}
		r.Sleep(10 * time.Minute)
		require.Len(t, r.Entries(id), n, "the log does not grow")
		require.Len(t, good.seqs(), n, "the other sink gets all of it")
		require.NotContains(t, r.Users.Texts("c"), "")
	}, cxSinks(map[string]handoff.Sink{"down": sink, "good": good}))
}

// The last message fails after the end: the entry is legal there, and the
// cursor moves on.
func TestI5_FailureAfterTheEnd(t *testing.T) {
	s := &cxScreened{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		s.refuses("e1", errNever)
		cxSays(t, r.Engine, id, "e1")
		_, err := r.End(t.Context(), id, handoff.By("ann"), handoff.Ending{})
		require.NoError(t, err)
		require.Equal(t, handoff.StateEnded, r.Now(id).State)
		r.Start()
		r.Sleep(10 * time.Second)
		require.Len(t, undelivered(r, id), 1)
		require.Equal(t, handoff.StateEnded, r.Now(id).State)
		cxNothingOverdue(t, r, id)
	}, cxScreen(s))
}

// cxNothingOverdue claims what a store still has to deliver for a handoff.
func cxNothingOverdue(t *testing.T, r *handofftest.Rig, id handoff.ID) {
	t.Helper()
	for _, o := range []string{"channel", "bot", "packet"} {
		got, err := r.Store.Claim(t.Context(), handoff.Claim{Now: time.Now().Add(time.Hour), Lease: time.Millisecond, Limit: 100, Sinks: []string{o}})
		require.NoError(t, err)
		for _, d := range got.Overdue {
			require.NotEqual(t, id, d.ID, o)
		}
	}
}

// "Try again later", for ever: after the last try it is given up, with an
// entry that says that nobody knows.
func TestI6_EndlessFailure(t *testing.T) {
	for name, limit := range map[string]func(*handoff.Config){
		"tries": func(c *handoff.Config) { c.SendTries = 4 },
		"age":   func(c *handoff.Config) { c.SendFor = 10 * time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			s := &cxScreened{}
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				r.Start()
				id := cxTalk(t, r)
				s.refuses("e1", errLater)
				cxSays(t, r.Engine, id, "e1")
				cxSays(t, r.Engine, id, "e2")
				r.Sleep(2 * time.Second)
				require.Empty(t, s.texts(), "order is kept meanwhile")
				r.Sleep(5 * time.Minute)
				require.Equal(t, []string{"e2"}, s.texts())
				require.Len(t, undelivered(r, id), 1)
				require.Equal(t, "true", undelivered(r, id)[0].Data["unsure"])
			}, cxScreen(s), limit)
		})
	}
}

// A failure that passes loses nothing and repeats nothing.
func TestI6_PassingFailure(t *testing.T) {
	s := &cxScreened{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxTalk(t, r)
		s.refuses("e1", errLater)
		cxSays(t, r.Engine, id, "e1")
		cxSays(t, r.Engine, id, "e2")
		r.Sleep(time.Hour / 6)
		s.refuses("", nil)
		r.Sleep(6 * time.Minute)
		require.Equal(t, []string{"e1", "e2"}, s.texts())
		require.Empty(t, undelivered(r, id))
	}, cxScreen(s))
}

// A channel that panics has failed, and takes nobody down.
func TestI7_Panic(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxTalk(t, r)
		cxSays(t, r.Engine, id, "e1")
		cxSays(t, r.Engine, id, "e2")
		r.Sleep(time.Minute)
		require.Len(t, undelivered(r, id), 1)
		require.Contains(t, r.Users.Texts("c"), "e2")
	}, func(c *handoff.Config) {
		users := c.Channel
		c.SendTries = 3
		c.Channel = handoff.ChannelFunc(func(ctx context.Context, conversation string, m handoff.UserMessage) error {
			if m.Text == "e1" {
				panic("this message kills")
			}
			return users.Show(ctx, conversation, m)
		})
	})
}

// A message kills the process that sends it, again and again: the tries are
// counted before the send, so that one sender passes it over.
func TestI7_MessageThatKills(t *testing.T) {
	s := &cxScreened{}
	var alive atomic.Pointer[cxTap]
	var kills atomic.Int64
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxTalk(t, r)
		r.Wait()
		r.Stop()
		cxSays(t, r.Engine, id, "e1")
		cxSays(t, r.Engine, id, "e2")
		s.show = func(ctx context.Context, _ string, m handoff.UserMessage) error {
			if m.Text != "e1" {
				return nil
			}
			kills.Add(1)
			alive.Load().kill()
			<-ctx.Done()
			return ctx.Err()
		}
		for range 6 {
			_, tap := cxDeaf(t, r)
			alive.Store(tap)
			r.Sleep(time.Minute)
		}
		require.Equal(t, int64(3), kills.Load())
		require.Equal(t, []string{"e2"}, s.texts())
		require.Len(t, undelivered(r, id), 1)
	}, cxScreen(s), func(c *handoff.Config) { c.SendTries = 3 })
}

// A staff sink that never answers holds up nobody: not the user, not other
// sinks, and not itself for longer than a send may take.
func TestI8_HangingSink(t *testing.T) {
	var hangs atomic.Int32
	good := &cxSink{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxTalk(t, r)
		r.Wait()
		cxSays(t, r.Engine, id, "e1")
		r.Wait()
		require.Contains(t, r.Users.Texts("c"), "e1")
		require.Len(t, good.seqs(), len(r.Entries(id)))
		require.Equal(t, int32(1), hangs.Load())
		cxWrite(t, r.Engine, "d", "m0", "m0")
		r.Sleep(25 * time.Second)
		require.Greater(t, hangs.Load(), int32(1), "it has come to another handoff")
	}, func(c *handoff.Config) {
		c.Workers = 1
		c.Sinks = map[string]handoff.Sink{"good": good, "hangs": handoff.SinkFunc(func(ctx context.Context, _ *handoff.Handoff, _ *handoff.Entry) error {
			hangs.Add(1)
			<-ctx.Done()
			return ctx.Err()
		})}
	})
}

// A sink is taken out of the configuration: after a day it is given up, with
// an entry, and nothing is due any more.
func TestI9_RemovedSink(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		a, _ := cxIdle(t, r, cxSinks(map[string]handoff.Sink{"gone": &cxSink{}}))
		turn := cxWrite(t, a, "c", "m0", "m0")
		require.NoError(t, a.Done(t.Context(), turn))
		id := turn.ID()
		r.Start()
		r.Sleep(20 * time.Hour)
		require.Equal(t, handoff.StateEnded, r.Now(id).State)
		require.Zero(t, cxCount(r, id, handoff.KindGaveUp), "somebody may still come back")
		r.Sleep(30 * time.Hour)
		require.Equal(t, 1, cxCount(r, id, handoff.KindGaveUp))
		rec, err := r.Store.Get(t.Context(), id)
		require.NoError(t, err)
		for _, o := range rec.Owed {
			require.NotEqual(t, "sink/gone", o.Sink)
		}
		n := len(r.Entries(id))
		r.Sleep(50 * time.Hour)
		require.Len(t, r.Entries(id), n)
	}, func(c *handoff.Config) {
		c.Poll, c.Sweep, c.KeepContained = 5*time.Minute, time.Hour, handoff.Never
	})
}

// What a sink lacks since a short time is not given up by the audit of a handoff
// that is old, although no replica serves the sink just then.
func TestI11_BehindForLessThanADay(t *testing.T) {
	sink := &cxSink{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		b, _ := cxIdle(t, r, cxSinks(map[string]handoff.Sink{"new": sink}))
		ctx, stop := context.WithCancel(t.Context())
		go func() { _ = b.Run(ctx) }()
		turn := cxWrite(t, b, "c", "m0", "m0")
		require.NoError(t, b.Done(t.Context(), turn))
		r.Sleep(13 * time.Hour)
		stop()
		r.Start()
		_, err := r.Note(t.Context(), turn.ID(), handoff.BySupervisor("sue"), "late")
		require.NoError(t, err)
		r.Sleep(20 * time.Hour)
		require.Zero(t, cxCount(r, turn.ID(), handoff.KindGaveUp))
		cxRunning(t, b)
		r.Sleep(time.Minute)
		for _, e := range r.Entries(turn.ID()) {
			if e.Kind == handoff.KindNote {
				require.Contains(t, sink.seqs(), e.Seq)
			}
		}
	}, func(c *handoff.Config) {
		c.Poll, c.Sweep, c.KeepContained = 5*time.Minute, time.Hour, handoff.Never
	})
}

// A handoff is erased while its deliveries are behind: nothing is owed for it.
func TestI10_EraseWithCursorsBehind(t *testing.T) {
	s := &cxScreened{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		turn := cxWrite(t, r.Engine, "c", "m0", "m0")
		_, err := r.Reply(t.Context(), turn, handoff.Message{Text: "never shown"})
		require.NoError(t, err)
		require.NoError(t, r.Erase(t.Context(), "c"))
		got, err := r.Store.Claim(t.Context(), handoff.Claim{
			Now: time.Now().Add(48 * time.Hour), Lease: time.Millisecond, Limit: 10, Sinks: []string{"channel", "bot", "packet", "sink/s"},
		})
		require.NoError(t, err)
		require.Empty(t, got.Overdue)
		all, err := r.Store.List(t.Context(), handoff.Query{})
		require.NoError(t, err)
		require.Len(t, all, 2, "the tombstone, and which numbers are used up")
		require.Empty(t, all[0].Owed)
		require.Empty(t, all[1].Owed)
		r.Start()
		r.Sleep(time.Minute)
		require.Empty(t, s.texts())
	}, cxScreen(s), cxSinks(map[string]handoff.Sink{"s": &cxSink{}}))
}

// A rolling deploy: a replica without a sink neither serves it nor gives it
// up, and the one that has it gets everything.
func TestI11_ReplicaWithoutTheSink(t *testing.T) {
	sink := &cxSink{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		b, _ := cxIdle(t, r, cxSinks(map[string]handoff.Sink{"new": sink}))
		a, _ := cxDeaf(t, r)
		turn := cxWrite(t, b, "c", "m0", "m0")
		r.Sleep(time.Hour)
		id := turn.ID()
		require.Zero(t, cxCount(r, id, handoff.KindGaveUp))
		require.Empty(t, undelivered(r, id))
		_, err := a.Note(t.Context(), id, handoff.BySupervisor("sue"), "by the replica that lacks it")
		require.NoError(t, err)
		cxRunning(t, b)
		r.Sleep(15 * time.Second)
		var want []int64
		for _, e := range r.Entries(id) {
			if e.Kind != handoff.KindTimer {
				want = append(want, e.Seq)
			}
		}
		require.Equal(t, want, sink.seqs())
	})
}

// Two replicas decide at once about the last seat: one of them gets it.
func TestI16_LastSeat(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1)
		h0, h1 := cxAsk(t, r.Engine, "c0"), cxAsk(t, r.Engine, "c1")
		a, tap := cxIdle(t, r)
		tap.on(cxHook{match: func(s step) bool { return s.commits("accept") }, before: func() {
			_, err := r.Accept(t.Context(), h1.ID, handoff.By("ann"), 0)
			require.NoError(t, err)
		}})
		_, err := a.Accept(t.Context(), h0.ID, handoff.By("ann"), 0)
		require.ErrorIs(t, err, handoff.ErrFull)
		require.Equal(t, 1, cxLoad(t, r, "ann"))
	}, cxQueue(pull))
}

// The same for the last place in a queue, which is told as what it is.
func TestI16_LastPlaceInTheQueue(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		a, tap := cxIdle(t, r)
		tap.on(cxHook{match: func(s step) bool { return s.commits("request") || s.commits("open") }, before: func() { cxAsk(t, r.Engine, "c0") }})
		_, err := a.Request(t.Context(), handoff.Request{Conversation: "c1", Queue: "support"})
		var full *handoff.UnavailableError
		require.ErrorAs(t, err, &full)
		require.Equal(t, handoff.ReasonFull, full.Why)
		require.Equal(t, 1, cxCount(r, full.Record, handoff.KindRefused))
	}, cxQueue(func(q *handoff.Queue) { q.MaxWaiting = 1 }))
}

// Nobody is told of anything before it is stored: neither the caller, nor a
// hook, nor the user.
func TestI17_ToldAfterTheCommit(t *testing.T) {
	changed := 0
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxTalk(t, r)
		r.Wait()
		before, seen := changed, len(r.Users.Saw("c"))
		a, tap := cxDeaf(t, r)
		tap.on(cxHook{match: func(s step) bool { return s.commits("send") }, before: tap.kill})
		_, err := a.Send(t.Context(), id, handoff.By("ann"), handoff.Message{ID: "e1", Text: "e1"})
		require.ErrorIs(t, err, handoff.ErrUnknown)
		r.Sleep(20 * time.Second)
		require.Equal(t, before, changed)
		require.Len(t, r.Users.Saw("c"), seen)
		cxSays(t, r.Engine, id, "e1")
		r.Wait()
		require.Equal(t, before+1, changed)
		require.Len(t, r.Users.Saw("c"), seen+1)
	}, func(c *handoff.Config) { c.Hooks.Changed = func(context.Context, handoff.Change) { changed++ } })
}

// A caller gives up while his commit is on its way: he is told that the
// outcome is unknown, and calling again tells him what it was.
func TestI18_CallerGivesUp(t *testing.T) {
	for _, applied := range []bool{true, false} {
		t.Run(strconv.FormatBool(applied), func(t *testing.T) {
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				id := cxTalk(t, r)
				a, tap := cxIdle(t, r)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				h := cxHook{match: func(s step) bool { return s.commits("send") }, fail: context.Canceled}
				if applied {
					h.after = cancel
				} else {
					h.before = cancel
				}
				tap.on(h)
				_, err := a.Send(ctx, id, handoff.By("ann"), handoff.Message{ID: "e1", Text: "e1"})
				require.ErrorIs(t, err, handoff.ErrUnknown)
				for range 2 {
					en, err := a.Send(t.Context(), id, handoff.By("ann"), handoff.Message{ID: "e1", Text: "e1"})
					require.NoError(t, err)
					require.Equal(t, "e1", en.Text)
				}
				require.Equal(t, []string{"hello", "e1"}, cxSaid(r, id))
			})
		})
	}
}

// So it is for what opens a conversation.
func TestI18_CallerGivesUpAtTheStart(t *testing.T) {
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		a, tap := cxIdle(t, r)
		for n, do := range []func(ctx context.Context) error{
			func(ctx context.Context) error {
				_, err := a.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m0", Text: "m0"})
				return err
			},
			func(ctx context.Context) error {
				_, err := a.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m1", Text: "m1"})
				return err
			},
			func(ctx context.Context) error {
				_, err := a.Request(ctx, handoff.Request{Conversation: "c", Queue: "support", ID: "r"})
				return err
			},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			tap.on(cxHook{match: func(s step) bool { return s.op == "Commit" }, after: cancel, fail: context.Canceled})
			require.ErrorIs(t, do(ctx), handoff.ErrUnknown, n)
			require.NoError(t, do(t.Context()), n)
			cancel()
		}
		require.Equal(t, []string{"m0", "m1"}, cxSaid(r, handoff.ID{Conversation: "c", Number: 1}))
		require.Equal(t, 1, cxCount(r, handoff.ID{Conversation: "c", Number: 1}, handoff.KindRequested))
	})
}
