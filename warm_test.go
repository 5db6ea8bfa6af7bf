package handoff_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/memstore"
)

// twoReplicas are two engines on one store, which do nothing by themselves, and
// what the first asked of the store.
type twoReplicas struct {
	a, b   *handoff.Engine
	callsA map[string]int
	storeA *handofftest.Store
	lost   int // races that a host hears of
}

func replicas(t *testing.T, f func(t *testing.T, w *twoReplicas)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &twoReplicas{callsA: map[string]int{}}
		inner := memstore.New()
		open := func() (*handoff.Engine, *handofftest.Store) {
			s := handofftest.NewStore(inner)
			e, err := handoff.New(handoff.Config{
				Store:     s,
				Directory: handoff.Staff{{ID: "ann", Queues: []string{"desk"}, Seats: 9}, {ID: "bob", Queues: []string{"desk"}, Seats: 9}},
				Queues:    []handoff.Queue{{Name: "desk", Style: handoff.Pull}},
				Hooks:     handoff.Hooks{Conflict: func(context.Context, handoff.ID, int) { w.lost++ }},
			})
			require.NoError(t, err)
			return e, s
		}
		w.a, w.storeA = open()
		w.storeA.Plan(callsOf(w.callsA))
		w.b, _ = open()
		f(t, w)
	})
}

func callsOf(calls map[string]int) func(string, handoff.ID) handofftest.Fault {
	return func(op string, _ handoff.ID) handofftest.Fault { calls[op]++; return handofftest.Fault{} }
}

// annAnswers is a conversation in which ann answers, all of it through e.
func annAnswers(t *testing.T, e *handoff.Engine) handoff.ID {
	t.Helper()
	got, err := e.Request(t.Context(), handoff.Request{Conversation: "c1", Queue: "desk"})
	require.NoError(t, err)
	_, err = e.Accept(t.Context(), got.Handoff.ID, handoff.By("ann"), 0)
	require.NoError(t, err)
	return got.Handoff.ID
}

func hello(id string) handoff.Message { return handoff.Message{ID: id, Text: "hello"} }

// What this engine committed a moment ago is not read before the next command.
func TestWarmIsNotRead(t *testing.T) {
	replicas(t, func(t *testing.T, w *twoReplicas) {
		id := annAnswers(t, w.a)
		first, err := w.a.Send(t.Context(), id, handoff.By("ann"), hello("1"))
		require.NoError(t, err)
		require.Zero(t, w.callsA["Get"])

		again, err := w.a.Send(t.Context(), id, handoff.By("ann"), hello("1"))
		require.NoError(t, err)
		require.Equal(t, first, again)

		time.Sleep(11 * time.Second)
		clear(w.callsA)
		_, err = w.a.Send(t.Context(), id, handoff.By("ann"), hello("2"))
		require.NoError(t, err)
		require.Equal(t, 1, w.callsA["Get"], "by now the store may have failed over, and lost what this engine knows")

		_, err = w.a.End(t.Context(), id, handoff.By("ann"), handoff.Ending{})
		require.NoError(t, err)
		clear(w.callsA)
		_, err = w.a.Rate(t.Context(), id, 5, "")
		require.NoError(t, err)
		require.Equal(t, 1, w.callsA["Get"], "what has ended is not kept")
		require.Zero(t, w.lost)
	})
}

// Whether a new conversation was erased once is asked of the commit.
func TestRequestReadsOnce(t *testing.T) {
	replicas(t, func(t *testing.T, w *twoReplicas) {
		annAnswers(t, w.a)
		clear(w.callsA)
		_, err := w.a.Request(t.Context(), handoff.Request{Conversation: "c2", Queue: "desk"})
		require.NoError(t, err)
		require.Equal(t, 1, w.callsA["Latest"])
	})
}

// In an erased conversation the commit says so, once.
func TestRequestAfterErase(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Asks("c1")
		_, err := r.Cancel(t.Context(), "c1", true)
		require.NoError(t, err)
		r.Sleep(time.Hour)
		require.NoError(t, r.Erase(t.Context(), "c1"))
		r.Stop() // what follows is the request's alone
		calls := map[string]int{}
		r.Store.Plan(callsOf(calls))
		got, err := r.Request(t.Context(), handoff.Request{Conversation: "c1", Queue: "support"})
		r.Store.Plan(nil)
		require.NoError(t, err)
		require.Equal(t, int64(3), got.Handoff.ID.Number, "his request had the first, and the bot after it the second")
		require.Equal(t, 2, calls["Commit"], "the second after it had looked for what is left")
	})
}

// What another replica did since counts, whatever this one remembers, and
// nobody hears of a race that was none.
func TestWarmIsNotBelieved(t *testing.T) {
	replicas(t, func(t *testing.T, w *twoReplicas) {
		ctx, ann, bob := t.Context(), handoff.By("ann"), handoff.By("bob")
		id := annAnswers(t, w.a)
		_, err := w.b.Transfer(ctx, id, ann, handoff.Target{Queue: "desk"})
		require.NoError(t, err)
		_, err = w.b.Accept(ctx, id, bob, 0)
		require.NoError(t, err)

		// As this one remembers it, bob has nothing to say here.
		_, err = w.a.Send(ctx, id, bob, hello("1"))
		require.NoError(t, err)
		_, err = w.b.Send(ctx, id, bob, hello("2"))
		require.NoError(t, err)
		// As this one remembers it, it may be ended.
		_, err = w.b.Transfer(ctx, id, bob, handoff.Target{Queue: "desk"})
		require.NoError(t, err)
		_, err = w.a.End(ctx, id, bob, handoff.Ending{})
		require.Error(t, err)
		h, err := w.a.Get(ctx, id)
		require.NoError(t, err)
		require.Equal(t, handoff.StateWaiting, h.State)
		clear(w.callsA)
		_, err = w.a.End(ctx, id, bob, handoff.Ending{})
		require.Error(t, err)
		require.Equal(t, 1, w.callsA["Get"])
		require.Zero(t, w.callsA["Commit"], "what was wrong once is not tried again")
		require.Zero(t, w.lost)
	})
}

// After a commit whose outcome is not known nothing is remembered: what answers
// next may be another store.
func TestWarmEndsWithTheStore(t *testing.T) {
	replicas(t, func(t *testing.T, w *twoReplicas) {
		id := annAnswers(t, w.a)
		other, err := w.a.Request(t.Context(), handoff.Request{Conversation: "c2", Queue: "desk"})
		require.NoError(t, err)
		failed := false
		w.storeA.Plan(func(op string, _ handoff.ID) handofftest.Fault {
			if op == "Commit" && !failed {
				failed = true
				return handofftest.Fault{After: handofftest.ErrStore}
			}
			return callsOf(w.callsA)(op, id)
		})
		clear(w.callsA)
		_, err = w.a.Send(t.Context(), id, handoff.By("ann"), hello("1"))
		require.NoError(t, err)
		require.Equal(t, 1, w.callsA["Get"])
		_, err = w.a.Accept(t.Context(), other.Handoff.ID, handoff.By("ann"), 0)
		require.NoError(t, err)
		require.Equal(t, 2, w.callsA["Get"])
	})
}

// In a transaction of the host a lost commit may be the end of it, so that each
// command reads there.
func TestWarmIsReadInATransaction(t *testing.T) {
	replicas(t, func(t *testing.T, w *twoReplicas) {
		id := annAnswers(t, w.a)
		bound, committed := w.a.On(w.storeA)
		clear(w.callsA)
		for _, m := range []string{"1", "2"} {
			_, err := bound.Send(t.Context(), id, handoff.By("ann"), hello(m))
			require.NoError(t, err)
		}
		require.Equal(t, 2, w.callsA["Get"])
		committed()
		_, err := w.a.Send(t.Context(), id, handoff.By("ann"), hello("3"))
		require.NoError(t, err)
		require.Equal(t, 2, w.callsA["Get"], "what the transaction did is remembered after it")
	})
}

// A hint that another replica was there ends what is remembered, so that the
// next command does not lose a race.
func TestWarmEndsWithAHint(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 3)
		h := r.Asks("c1")
		ann.Accept()
		ann.Says(h.ID, "hello")
		other, err := handoff.New(r.Config)
		require.NoError(t, err)
		_, err = other.Send(t.Context(), h.ID, ann.By(), hello("other"))
		require.NoError(t, err)
		synctest.Wait()
		var ops []string
		r.Store.Plan(func(op string, id handoff.ID) handofftest.Fault {
			if id == h.ID && (op == "Get" || op == "Commit") {
				ops = append(ops, op)
			}
			return handofftest.Fault{}
		})
		_, err = r.Send(t.Context(), h.ID, ann.By(), hello("3"))
		r.Store.Plan(nil)
		require.NoError(t, err)
		require.Equal(t, []string{"Get", "Commit"}, ops[:min(2, len(ops))])
	})
}
