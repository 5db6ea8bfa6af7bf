package handoff_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// A store within a transaction that is told when that was committed.
type inTransaction struct {
	handoff.Store

	committed int
}

func (s *inTransaction) Committed()            { s.committed++ }
func (s *inTransaction) Unwrap() handoff.Store { return s.Store }

// plain has no abilities: it gives no hints of what was committed.
type plain struct{ handoff.Store }

// What follows from a verb waits for the host's commit.
func TestOnWaitsForTheCommit(t *testing.T) {
	var changes []handoff.Change
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		require.NoError(t, r.Floor.Put(r.Ctx, handoff.Agent{ID: "ann", Queues: []string{"support"}, Seats: 2}))
		require.NoError(t, r.Floor.Online(r.Ctx, "ann"))
		r.Wait()

		tx := &inTransaction{Store: r.Config.Store}
		bound, committed := r.On(tx)
		_, err := bound.Receive(r.Ctx, handoff.Incoming{Conversation: "c", ID: "m", Text: "hello"})
		require.NoError(t, err)
		out, err := bound.Request(r.Ctx, handoff.Request{Conversation: "c", Queue: "support"})
		require.NoError(t, err)
		r.Wait()
		assert.Empty(t, changes, "hooks before the commit")
		assert.Equal(t, handoff.StateWaiting, r.Now(out.Handoff.ID).State, "the worker was told before the commit")
		assert.Zero(t, tx.committed)

		committed()
		r.Wait()
		assert.Equal(t, 1, tx.committed, "the store was told")
		require.GreaterOrEqual(t, len(changes), 3)
		assert.Equal(t, handoff.StateWaiting, changes[1].To)
		assert.Equal(t, handoff.StateOffered, r.Now(out.Handoff.ID).State)
		n := len(changes)
		committed()
		r.Wait()
		assert.Len(t, changes, n, "told twice")
	}, func(c *handoff.Config) {
		c.Store = plain{c.Store}
		c.Hooks.Changed = func(_ context.Context, ch handoff.Change) { changes = append(changes, ch) }
	})
}

// Whoever forgets to say that he committed loses time and nothing else.
func TestOnForgotten(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		require.NoError(t, r.Floor.Put(r.Ctx, handoff.Agent{ID: "ann", Queues: []string{"support"}, Seats: 1}))
		require.NoError(t, r.Floor.Online(r.Ctx, "ann"))
		first, _ := r.On(r.Config.Store)
		bound, _ := first.On(r.Config.Store) // of a copy
		out, err := bound.Request(r.Ctx, handoff.Request{Conversation: "c", Queue: "support"})
		require.NoError(t, err)
		require.Error(t, bound.Run(r.Ctx), "a copy does not run")
		r.Sleep(10 * time.Second)
		assert.Equal(t, handoff.StateOffered, r.Now(out.Handoff.ID).State)
	}, func(c *handoff.Config) { c.Store = plain{c.Store} })
}
