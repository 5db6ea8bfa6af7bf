package handoff_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/memstore"
)

// A channel that asks for more patience than anybody has is asked once more when
// the time for it is over, and then given up, so that the agent is told.
func TestRetryAfterEver(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		id := chat(r, ann, "c").ID
		asked := 0
		r.Users.Fail(func(string, handoff.UserMessage) error {
			asked++
			return &handoff.DeliveryError{RetryAfter: 1e6 * time.Hour, Code: "quota", Err: errors.New("no more this century")}
		})
		ann.Says(id, "hello")
		r.Sleep(time.Hour - time.Second)
		require.Empty(t, undelivered(r, id))
		require.Equal(t, 1, asked, "it said when")
		r.Sleep(10 * time.Second)
		require.Len(t, undelivered(r, id), 1)
		require.GreaterOrEqual(t, asked, 2)
	}, func(c *handoff.Config) { c.SendFor = time.Hour })
}

// closesLater is a platform that closes chats in another century.
type closesLater struct {
	platform

	asked int
}

func (p *closesLater) Close(context.Context, handoff.Session, handoff.Reason) error {
	p.asked++
	return &handoff.ProviderError{Op: "close", Code: "quota", Retryable: true, RetryAfter: 1e6 * time.Hour}
}

// So does a platform that is to close a chat. What was said would be kept as long.
func TestRetryAfterEverOfAClose(t *testing.T) {
	p := &closesLater{platform: platform{name: "vendor"}}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c")
		_, err := r.Cancel(r.Ctx, "c", false)
		require.NoError(t, err)
		r.Sleep(23 * time.Hour)
		require.Equal(t, 1, p.asked, "it said when")
		require.ErrorIs(t, r.Erase(r.Ctx, "c"), handoff.ErrOpen)
		r.Sleep(2 * time.Hour)
		require.Equal(t, 2, p.asked)
		require.True(t, slices.ContainsFunc(r.Entries(h.ID), func(en handoff.Entry) bool { return en.Kind == handoff.KindGaveUp }))
		require.NoError(t, r.Erase(r.Ctx, "c"))
	}, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{p}
		c.Queues = []handoff.Queue{{Name: "support", Providers: []string{p.name}}}
	})
}

// noHints is a store that tells nobody what changed.
type noHints struct{ handoff.Store }

// To look whether something is owed takes the lead for a moment, and whoever was
// about to send then goes away: who looked sends.
func TestWhoLooksSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		var shown []string
		open := func() *handoff.Engine {
			e, err := handoff.New(handoff.Config{
				Store:     noHints{store},
				Directory: handoff.Staff{{ID: "ann", Queues: []string{"desk"}, Seats: 9}},
				Queues:    []handoff.Queue{{Name: "desk", Style: handoff.Pull}},
				Channel: handoff.ChannelFunc(func(_ context.Context, _ string, m handoff.UserMessage) error {
					shown = append(shown, m.Text)
					return nil
				}),
			})
			require.NoError(t, err)
			return e
		}
		a, b := open(), open()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		synctest.Wait()
		id := annAnswers(t, b) // which does not run
		_, err := b.Send(t.Context(), id, handoff.By("ann"), hello("1"))
		require.NoError(t, err)
		synctest.Wait()
		require.Empty(t, shown)
		require.True(t, a.IsOwed(t, id))
		synctest.Wait()
		require.Contains(t, shown, "hello", "before anything is overdue")
		require.False(t, a.IsOwed(t, id))
		cancel()
		require.NoError(t, <-done)
	})
}
