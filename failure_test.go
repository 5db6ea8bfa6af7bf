package handoff_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// storeFailed fails unless err is a typed failure of the store.
func storeFailed(t *testing.T, err error) {
	t.Helper()
	var se *handoff.StoreError
	require.ErrorAs(t, err, &se)
	require.NotEmpty(t, se.Op)
}

func TestFailureStoreDown(t *testing.T) {
	for _, policy := range []handoff.StoreDown{handoff.StoreDownHold, handoff.StoreDownBot} {
		t.Run("policy "+string(policy), func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				ann := r.Agent("ann", 2)
				live := chat(r, ann, "live")
				turn := r.Says("c1", "hello")
				r.Store.Down()

				in := handoff.Incoming{Conversation: "c2", ID: "m1", Text: "hello"}
				blind, err := r.Receive(r.Ctx, in)
				storeFailed(t, err)
				require.Equal(t, policy == handoff.StoreDownBot, blind.Blind)
				require.False(t, blind.Open())
				_, err = r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"})
				storeFailed(t, err)
				_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "hi"})
				storeFailed(t, err)
				_, err = r.Send(r.Ctx, live.ID, ann.By(), handoff.Message{ID: "a1", Text: "hello"})
				storeFailed(t, err)
				_, err = r.Cancel(r.Ctx, "live", false)
				storeFailed(t, err)
				_, err = r.Place(r.Ctx, live.ID)
				storeFailed(t, err)
				r.Sleep(time.Hour)

				// Back again, everything goes on where it was.
				r.Store.Plan(nil)
				_, err = r.Send(r.Ctx, live.ID, ann.By(), handoff.Message{ID: "a1", Text: "hello"})
				if errors.Is(err, handoff.ErrState) {
					require.Equal(t, handoff.OutcomeIdle, r.Now(live.ID).Outcome)
				}
				got, err := r.Receive(r.Ctx, in)
				require.NoError(t, err)
				require.True(t, got.Open(), "the message that nobody could store is new")
				r.Sleep(2 * time.Minute)
				require.Len(t, r.Bot.Calls(handoff.BotResume), 2, "both messages are handed out once more")
			}, func(c *handoff.Config) { c.StoreDown = policy })
		})
	}
}

// A request that fails on its way leaves the bot in control, with its turn.
func TestFailureRequestLeavesTheBot(t *testing.T) {
	for _, op := range []string{"Commit", "Get", "Latest", "Entry"} {
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			turn := r.Says("c1", "a person, please")
			r.Store.Plan(func(o string, _ handoff.ID) handofftest.Fault {
				if o == op {
					return handofftest.Fault{Before: handofftest.ErrStore}
				}
				return handofftest.Fault{}
			})
			_, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support", ID: "r1"})
			if op == "Commit" || op == "Latest" {
				storeFailed(t, err)
			}
			r.Store.Plan(nil)
			r.Wait()
			if err == nil {
				return
			}
			require.Equal(t, handoff.StateBot, r.Last("c1").State)
			require.Empty(t, notices(r, "c1"))
			_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "I cannot reach anybody, but …"})
			require.NoError(t, err, op)
		})
	}
}

// Slow is not for ever: each call has its time, however many there are.
func TestFailureStoreSlow(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := r.Says("c0", "hello")
		before := runtime.NumGoroutine()
		r.Store.Plan(func(string, handoff.ID) handofftest.Fault { return handofftest.Fault{Delay: 24 * time.Hour} })
		start := time.Now()
		errs := atOnce(500, func(i int) error {
			_, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: talk(i + 1), ID: "m", Text: "hello"})
			return err
		})
		for _, err := range errs {
			storeFailed(t, err)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		require.LessOrEqual(t, time.Since(start), 15*time.Second, "one store call each")
		ctx, cancel := context.WithTimeout(r.Ctx, time.Second)
		defer cancel()
		_, err := r.Reply(ctx, turn, handoff.Message{Text: "hi"})
		require.ErrorIs(t, err, context.DeadlineExceeded, "the caller's own time counts too")
		r.Sleep(10 * time.Minute)
		require.Less(t, runtime.NumGoroutine(), before+50, "nothing piles up behind it")
		r.Store.Plan(nil)
		r.Sleep(time.Minute)
		_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "hi"})
		require.NotErrorIs(t, err, context.DeadlineExceeded)
	})
}

// Stored, but nobody was told: the caller hears "unknown", and asking again
// under the same id gives the answer.
func TestFailureUnknownOutcome(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 3)
		h := chat(r, ann, "c1")
		unknown := func(do func() error) {
			t.Helper()
			var deaf atomic.Bool
			r.Store.Plan(func(op string, _ handoff.ID) handofftest.Fault {
				switch {
				case op == "Commit":
					deaf.Store(true)
					return handofftest.Fault{After: handofftest.ErrStore}
				case deaf.Load():
					return handofftest.Fault{Before: handofftest.ErrStore} // and then the line is dead
				}
				return handofftest.Fault{}
			})
			err := do()
			require.ErrorIs(t, err, handoff.ErrUnknown)
			storeFailed(t, err)
			r.Store.Plan(nil)
			require.NoError(t, do())
			require.NoError(t, do())
		}
		unknown(func() error {
			_, err := r.Send(r.Ctx, h.ID, ann.By(), handoff.Message{ID: "a1", Text: "once"})
			return err
		})
		unknown(func() error {
			_, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: "c1", ID: "x1", Text: "once"})
			return err
		})
		unknown(func() error {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c2", Queue: "support", ID: "q1"})
			return err
		})
		unknown(func() error {
			_, err := r.End(r.Ctx, h.ID, ann.By().Once("e1"), handoff.Ending{})
			return err
		})
		r.Sleep(time.Minute / 2)
		require.Equal(t, []string{"once"}, saidBy(r, "c1", handoff.RoleAgent))
		ended, said := 0, 0
		for _, en := range r.Entries(h.ID) {
			if en.Kind == handoff.KindEnded {
				ended++
			}
			if en.Message == "x1" {
				said++
			}
		}
		require.Equal(t, 1, ended)
		require.Equal(t, 1, said)
		require.Equal(t, 1, times(notices(r, "c2"), handoff.NoticeWaiting))
	})
}

func TestFailureProviderDown(t *testing.T) {
	first, second := &platform{name: "first"}, &platform{name: "second"}
	setup := func(c *handoff.Config) {
		c.Providers = []handoff.Provider{first, second}
		c.Queues = []handoff.Queue{{Name: "support", Providers: []string{"first", "second"}}}
	}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		// One that is down, one that hangs: the other one has it.
		first.broken(true)
		h := r.Asks("c1")
		r.Sleep(2 * time.Minute)
		h = r.Now(h.ID)
		require.Equal(t, handoff.StateQueued, h.State)
		require.Equal(t, "second", h.Provider)

		// Both: the bot has the user again, and the user is told.
		second.broken(true)
		r.Says("c2", "help")
		h = r.Asks("c2")
		require.Equal(t, handoff.StateConnecting, h.State)
		r.Sleep(3 * time.Minute)
		require.Equal(t, handoff.OutcomeFailed, r.Now(h.ID).Outcome)
		require.Contains(t, notices(r, "c2"), handoff.NoticeFailed)
		require.Equal(t, handoff.RoleBot, controller(r, "c2"))

		// New requests are accepted all the time, and a live chat waits.
		r.Says("c1", "are you there?")
		before := runtime.NumGoroutine()
		for i := range 100 {
			r.Asks("d" + talk(i))
		}
		require.Less(t, runtime.NumGoroutine(), before+100)
		r.Sleep(4 * time.Minute)
		require.Equal(t, handoff.RoleBot, controller(r, "dc99"))
		second.broken(false)
		r.Sleep(10 * time.Minute)
		require.Contains(t, second.got(), "are you there?")
	}, setup)
}

// hung blocks until its context ends.
func hung(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// A receiver that hangs holds up only itself, and only so many at a time.
func TestFailureHungReceiversPileNothingUp(t *testing.T) {
	var now, most, fine atomic.Int64
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		before := runtime.NumGoroutine()
		for i := range 300 {
			turn := r.Says(talk(i), "hello")
			_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "hi"})
			require.NoError(t, err)
		}
		r.Wait()
		require.Less(t, runtime.NumGoroutine(), before+50)
		require.EqualValues(t, 16, most.Load(), "as many as Config.Workers")
		require.Equal(t, []string{"hi"}, saidBy(r, talk(299), handoff.RoleBot), "users are served")
		require.EqualValues(t, 900, fine.Load(), "and so is the other sink")
		r.Sleep(time.Hour)
		require.Less(t, runtime.NumGoroutine(), before+50)
		require.EqualValues(t, 16, most.Load())
	}, func(c *handoff.Config) {
		c.Sinks = map[string]handoff.Sink{
			"hung": handoff.SinkFunc(func(ctx context.Context, _ *handoff.Handoff, _ *handoff.Entry) error {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				defer now.Add(-1)
				return hung(ctx)
			}),
			"fine": handoff.SinkFunc(func(context.Context, *handoff.Handoff, *handoff.Entry) error { fine.Add(1); return nil }),
		}
	})
}

// Run ends soon after its context, whatever hangs, and leaves nothing behind:
// the bubble fails when a goroutine is left.
func TestFailureRunEnds(t *testing.T) {
	hang := func(c *handoff.Config) {
		desk := &platform{name: "vendor"}
		desk.hang(true)
		c.Sinks = map[string]handoff.Sink{
			"hung": handoff.SinkFunc(func(ctx context.Context, _ *handoff.Handoff, _ *handoff.Entry) error { return hung(ctx) }),
		}
		c.Channel = handoff.ChannelFunc(func(ctx context.Context, _ string, _ handoff.UserMessage) error { return hung(ctx) })
		c.Bot = handoff.BotFunc(func(ctx context.Context, _ handoff.BotCall) error { return hung(ctx) })
		c.History = handoff.HistoryFunc(func(ctx context.Context, _ string) ([]handoff.Past, error) { return nil, hung(ctx) })
		c.Providers = []handoff.Provider{desk}
		c.Queues = []handoff.Queue{{Name: "support"}, {Name: "vendor", Providers: []string{"vendor"}}}
	}
	for _, slow := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := handofftest.New(t, hang)
			second, err := handoff.New(r.Config)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			var ends [2]time.Time
			var wg sync.WaitGroup
			for i, e := range []*handoff.Engine{r.Engine, second} {
				wg.Go(func() {
					if err := e.Run(ctx); err != nil {
						t.Errorf("Run returned %v", err)
					}
					ends[i] = time.Now()
				})
			}
			r.Ctx = t.Context()
			r.Agent("ann", 5)
			for i := range 20 {
				turn := r.Says(talk(i), "hello")
				_, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: []string{"support", "vendor"}[i%2]})
				require.NoError(t, err)
			}
			_, err = second.TakeOver(r.Ctx, handoff.ID{Conversation: talk(0), Number: 1}, handoff.By("ann"), "")
			require.NoError(t, err)
			r.Sleep(5 * time.Second)
			if slow {
				r.Store.Plan(func(string, handoff.ID) handofftest.Fault { return handofftest.Fault{Delay: time.Minute} })
			}
			at := time.Now()
			cancel()
			wg.Wait()
			for _, end := range ends {
				require.LessOrEqual(t, end.Sub(at), 25*time.Second, "SendTimeout and StoreTimeout are the bound")
			}
			r.Store.Plan(nil)
		})
	}
}

// Presence that cannot be read offers nothing to anybody and takes nothing from
// anybody.
func TestFailurePresenceDown(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 2)
		h := chat(r, ann, "c1")
		r.Floor.Break(errors.New("presence is down"))
		a, err := r.Availability(r.Ctx, handoff.Need{Queue: "support"})
		require.NoError(t, err)
		require.Equal(t, handoff.Offline, a.Availability)
		w := r.Asks("c2")
		r.Sleep(5 * time.Minute)
		require.Equal(t, handoff.StateWaiting, r.Now(w.ID).State)
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		require.NotContains(t, notices(r, "c1"), handoff.NoticeRequeued)
		r.Floor.Break(nil)
		r.Sleep(7 * time.Second)
		require.Equal(t, handoff.StateOffered, r.Now(w.ID).State, "nobody has to say that it is back")
	})
}
