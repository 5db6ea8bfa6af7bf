package handoff_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/memstore"
)

// A standby is a store with a second one, which gets what is written until it
// lags, and takes over with what it has.
type standby struct {
	handoff.Store // the second one, for what is not written here

	order sync.Mutex // both get what is written in one order

	mu    sync.Mutex
	first handoff.Store // nil: it is gone
	lags  bool
	tells func(handoff.Hint)
}

func newStandby() *standby { return &standby{Store: memstore.New(), first: memstore.New()} }

// lag lets the second store get nothing more.
func (s *standby) lag() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lags = true
}

// takeOver lets the second store be the only one.
func (s *standby) takeOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = nil
}

func (s *standby) now() (handoff.Store, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == nil {
		return s.Store, false
	}
	return s.first, !s.lags
}

func (s *standby) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	s.order.Lock()
	defer s.order.Unlock()
	store, both := s.now()
	err := store.Commit(ctx, r, entries...)
	if both && err == nil {
		err = s.Store.Commit(ctx, r, entries...)
	}
	return err
}

func (s *standby) Lead(ctx context.Context, id handoff.ID, cursor string, at time.Time, lease time.Duration) (handoff.Lead, error) {
	s.order.Lock()
	defer s.order.Unlock()
	store, both := s.now()
	lead, err := store.Lead(ctx, id, cursor, at, lease)
	if both && err == nil {
		_, err = s.Store.Lead(ctx, id, cursor, at, lease)
	}
	return lead, err
}

func (s *standby) Ack(ctx context.Context, acks ...handoff.Ack) error {
	s.order.Lock()
	defer s.order.Unlock()
	store, both := s.now()
	err := store.Ack(ctx, acks...)
	if both && err == nil {
		err = s.Store.Ack(ctx, acks...)
	}
	return err
}

func (s *standby) Claim(ctx context.Context, c handoff.Claim) (handoff.Claimed, error) {
	store, _ := s.now() // a claim is lost with its store
	return store.Claim(ctx, c)
}

func (s *standby) Get(ctx context.Context, id handoff.ID) (handoff.Record, error) {
	store, _ := s.now()
	return store.Get(ctx, id)
}

func (s *standby) Latest(ctx context.Context, conversation string) (handoff.Record, error) {
	store, _ := s.now()
	return store.Latest(ctx, conversation)
}

func (s *standby) Holders(ctx context.Context, keys ...string) ([]handoff.Holding, error) {
	store, _ := s.now()
	return store.Holders(ctx, keys...)
}

func (s *standby) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	store, _ := s.now()
	return store.List(ctx, q)
}

func (s *standby) Lines(ctx context.Context, queue string) ([]string, error) {
	store, _ := s.now()
	return store.Lines(ctx, queue)
}

func (s *standby) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	store, _ := s.now()
	return store.Log(ctx, id, after, limit)
}

func (s *standby) Entry(ctx context.Context, id handoff.ID, entry string) (handoff.RecordEntry, error) {
	store, _ := s.now()
	return store.Entry(ctx, id, entry)
}

func (s *standby) Listen(ctx context.Context, f func(handoff.Hint)) error {
	s.tells = f
	<-ctx.Done()
	return nil
}

// A lagging is an engine on a standby, in which ann answers in c1, and all that
// was shown, repeats too.
type lagging struct {
	*handoff.Engine

	store  *standby
	faults *handofftest.Store
	id     handoff.ID
	mu     sync.Mutex
	shown  []string
	ids    map[string][]string            // under which a text was given to the channel, taken or not
	mute   func(handoff.UserMessage) bool // what the channel does not take
}

func onStandby(t *testing.T, f func(t *testing.T, w *lagging)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &lagging{store: newStandby(), ids: map[string][]string{}}
		w.faults = handofftest.NewStore(w.store)
		var err error
		w.Engine, err = handoff.New(handoff.Config{
			Store:     w.faults,
			Directory: handoff.Staff{{ID: "ann", Queues: []string{"desk"}, Seats: 9}},
			Queues:    []handoff.Queue{{Name: "desk", Style: handoff.Pull}},
			Channel: handoff.ChannelFunc(func(_ context.Context, _ string, m handoff.UserMessage) error {
				w.mu.Lock()
				defer w.mu.Unlock()
				if !slices.Contains(w.ids[m.Text], m.ID) {
					w.ids[m.Text] = append(w.ids[m.Text], m.ID)
				}
				if w.mute != nil && w.mute(m) {
					return errors.New("busy")
				}
				w.shown = append(w.shown, cmp.Or(m.Notice, m.Text))
				return nil
			}),
		})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		defer func() { cancel(); require.NoError(t, <-done) }()
		w.id = annAnswers(t, w.Engine)
		w.says(t, "one")
		w.store.lag()
		w.says(t, "two")
		w.says(t, "three")
		require.Subset(t, w.texts(), []string{"one", "two", "three"})
		f(t, w)
	})
}

func (w *lagging) says(t *testing.T, text string) {
	t.Helper()
	_, err := w.Send(t.Context(), w.id, handoff.By("ann"), handoff.Message{ID: text, Text: text})
	require.NoError(t, err)
	synctest.Wait()
}

// ends lets ann give the user back, and the bot answer what he writes then.
func (w *lagging) ends(t *testing.T, text string) {
	t.Helper()
	_, err := w.Return(t.Context(), w.id, handoff.By("ann"), "")
	require.NoError(t, err)
	turn, err := w.Receive(t.Context(), handoff.Incoming{Conversation: w.id.Conversation, ID: text, Text: "hi"})
	require.NoError(t, err)
	_, err = w.Reply(t.Context(), turn, handoff.Message{Text: text})
	require.NoError(t, err)
	synctest.Wait()
}

func (w *lagging) muted(what func(handoff.UserMessage) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mute = what
}

func isNotice(m handoff.UserMessage) bool { return m.Notice != "" }

func anything(handoff.UserMessage) bool { return true }

func (w *lagging) texts() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.shown)
}

// shownAs returns the ids under which a text was given to the channel.
func (w *lagging) shownAs(text string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.ids[text])
}

// A store that lost its last commits counts versions and entries anew. What it
// says of them is believed, and not what was seen before: what is said from now
// on is shown.
func TestStoreThatLostItsLastCommits(t *testing.T) {
	t.Parallel()
	t.Run("and was seen to fail", func(t *testing.T) {
		t.Parallel()
		onStandby(t, func(t *testing.T, w *lagging) {
			w.faults.Down()
			_, err := w.Get(t.Context(), w.id)
			require.Error(t, err)
			w.store.takeOver()
			w.faults.Plan(nil)
			w.says(t, "four")
			require.Contains(t, w.texts(), "four", "at once")
		})
	})
	t.Run("unseen", func(t *testing.T) {
		t.Parallel()
		onStandby(t, func(t *testing.T, w *lagging) {
			time.Sleep(11 * time.Second) // no store fails over sooner
			w.store.takeOver()
			w.says(t, "four")
			time.Sleep(10 * time.Second) // it is overdue after five
			require.Contains(t, w.texts(), "four")
		})
	})
	t.Run("and its numbers come again", func(t *testing.T) {
		t.Parallel()
		onStandby(t, func(t *testing.T, w *lagging) {
			time.Sleep(11 * time.Second)
			w.store.takeOver()
			var tries atomic.Int64
			w.muted(func(m handoff.UserMessage) bool { return m.Text == "four" && tries.Add(1) <= 2 })
			w.says(t, "four")
			time.Sleep(2 * time.Minute)
			require.GreaterOrEqual(t, tries.Load(), int64(3))
			require.Contains(t, w.texts(), "four")
			log, err := w.Log(t.Context(), w.id, 0, 100)
			require.NoError(t, err)
			all := map[string]bool{}
			for _, text := range []string{"one", "two", "three", "four"} {
				require.Len(t, w.shownAs(text), 1, "the same at each try")
				all[w.shownAs(text)[0]] = true
			}
			require.Len(t, all, 4, "a channel that drops repeats drops nothing else: %v", all)
			last := log[len(log)-1]
			require.Equal(t, "four", last.Text)
			seq, _, _ := strings.Cut(w.shownAs("two")[0], "-")
			require.Equal(t, "1/n/"+strconv.FormatInt(last.Seq, 10), seq, "two was lost, and its number was given again")
			for m, err := range w.FollowUser(t.Context(), w.id.Conversation, handoff.UserCursor{}) {
				require.NoError(t, err)
				if m.Text == "four" {
					require.Equal(t, w.shownAs("four"), []string{m.ID}, "who pulls sees the same")
					break
				}
			}
		})
	})
	t.Run("and a hint", func(t *testing.T) {
		t.Parallel()
		onStandby(t, func(t *testing.T, w *lagging) {
			had, err := w.store.Get(t.Context(), w.id)
			require.NoError(t, err)
			reads := 0
			count := func(op string, id handoff.ID) handofftest.Fault {
				if op == "Get" && id == w.id {
					reads++
				}
				return handofftest.Fault{}
			}
			w.faults.Plan(count)
			w.store.tells(handoff.Hint{ID: w.id, Version: had.Version})
			synctest.Wait()
			require.Zero(t, reads, "it is this engine's own")

			w.faults.Down()
			_, err = w.Get(t.Context(), w.id)
			require.Error(t, err)
			w.store.takeOver()
			w.faults.Plan(count)
			w.store.tells(handoff.Hint{ID: w.id, Version: had.Version - 1})
			synctest.Wait()
			require.NotZero(t, reads, "another replica's, after it lost ours")
		})
	})
	t.Run("in order", func(t *testing.T) {
		t.Parallel()
		onStandby(t, func(t *testing.T, w *lagging) {
			w.ends(t, "before")
			require.Contains(t, w.texts(), "before")
			w.faults.Down()
			_, err := w.Get(t.Context(), w.id)
			require.Error(t, err)
			w.store.takeOver()
			w.faults.Plan(nil)
			w.muted(isNotice)
			w.ends(t, "after")
			require.NotContains(t, w.texts(), "after", "before he is told that the agent has gone")
			w.muted(nil)
			time.Sleep(10 * time.Second)
			all := w.texts()
			require.Equal(t, []string{handoff.NoticeReturned, "after"}, all[len(all)-2:])
		})
	})
	t.Run("looked at often", func(t *testing.T) {
		t.Parallel()
		onStandby(t, func(t *testing.T, w *lagging) {
			for version := range int64(30) {
				w.faults.Down()
				_, err := w.Get(t.Context(), w.id)
				require.Error(t, err)
				w.faults.Plan(nil)
				w.store.tells(handoff.Hint{ID: w.id, Version: 1000 + version})
				synctest.Wait()
			}
			w.muted(anything)
			w.says(t, "four")
			time.Sleep(10 * time.Second)
			require.NotContains(t, w.texts(), "four")
			w.muted(nil)
			time.Sleep(30 * time.Second)
			require.Contains(t, w.texts(), "four", "it was tried some five times, and looked for thirty times before")
		})
	})
	t.Run("in the host's transaction", func(t *testing.T) {
		t.Parallel()
		onStandby(t, func(t *testing.T, w *lagging) {
			bound, _ := w.On(w.faults)
			w.faults.Down()
			_, err := bound.Get(t.Context(), w.id)
			require.Error(t, err)
			reads := 0
			w.faults.Plan(func(op string, id handoff.ID) handofftest.Fault {
				if op == "Get" && id == w.id {
					reads++
				}
				return handofftest.Fault{}
			})
			had, err := w.store.Get(t.Context(), w.id)
			require.NoError(t, err)
			w.store.tells(handoff.Hint{ID: w.id, Version: had.Version})
			synctest.Wait()
			require.Zero(t, reads, "what failed was the transaction")
		})
	})
}
