package handoff

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// takers are Runs that share the work: each waits for one task.
func takers(t *testing.T, w *work, n int) (got chan string, stop []context.CancelFunc) {
	t.Helper()
	got = make(chan string, n)
	for range n {
		w.start([]string{"p"}, n)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if x, ok := w.next(ctx, "p"); ok {
				got <- x.name
			}
		}()
		synctest.Wait()
		stop = append(stop, cancel)
	}
	return got, stop
}

// A task wakes somebody who can do it: not only one who goes away, and one for
// each task.
func TestWorkWakesWhoGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork()
		got, stop := takers(t, w, 2)
		w.add(task{pool: "p", name: "a"})
		stop[0]() // he is woken and sees this
		synctest.Wait()
		require.Len(t, got, 1, "the task lies while somebody waits for it")
		stop[1]()
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWork()
		got, stop := takers(t, w, 2)
		a := task{pool: "p", name: "a"}
		w.mu.Lock()
		p := w.pools["p"]
		p.state[a], p.ready = taskQueued, append(p.ready, a) // its signal and the next one are one
		w.mu.Unlock()
		w.add(task{pool: "p", name: "b"})
		synctest.Wait()
		require.Len(t, got, 2, "each has one to do")
		stop[0]()
		stop[1]()
	})
}

// What was broken off is done again by the Run that goes on, and by nobody when
// none does.
func TestWorkBrokenOffIsDoneByWhoGoesOn(t *testing.T) {
	w := newWork()
	x := task{pool: "p", name: "a"}
	w.start([]string{"p"}, 1)
	w.start([]string{"p"}, 1)
	w.add(x)
	_, ok := w.next(t.Context(), "p")
	require.True(t, ok)
	w.done(x, true)
	w.stop()
	_, ok = w.next(t.Context(), "p")
	require.True(t, ok, "the other Run has it now")
	w.done(x, true)
	require.Empty(t, w.pools["p"].ready)
	require.Empty(t, w.pools["p"].state)
	require.Empty(t, w.pools["p"].room)
}

// Runs share the bound on what is done at once.
func TestWorkBoundIsOfAllRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork()
		a := task{pool: "p", name: "a"}
		w.start([]string{"p"}, 1)
		w.start([]string{"p"}, 1)
		w.add(a)
		w.add(task{pool: "p", name: "b"})
		_, ok := w.next(t.Context(), "p")
		require.True(t, ok)
		got := make(chan string, 1)
		go func() {
			x, _ := w.next(t.Context(), "p")
			got <- x.name
		}()
		synctest.Wait()
		require.Empty(t, got, "there is room for one")
		w.done(a, false)
		require.Equal(t, "b", <-got)
	})
}

// Who comes while a queue is drained is told his place after the drain that
// looks for an agent for him, and not before; nor never, where drain follows drain.
func TestWorkTellsAfterTheDrain(t *testing.T) {
	w := newWork()
	w.start([]string{poolDrain, poolTell}, 1)
	begin := func(pool string) task {
		t.Helper()
		require.NotEmpty(t, w.pools[pool].ready)
		got, ok := w.next(t.Context(), pool)
		require.True(t, ok)
		return got
	}
	require.False(t, w.tellLater("q"), "nothing is in the way")
	w.drain("q") // somebody has come
	require.True(t, w.tellLater("q"), "nobody was looked for yet")
	d := begin(poolDrain)
	w.drain("q") // and somebody else has
	w.done(d, false)
	tell := begin(poolTell)
	require.False(t, w.tellLater("q"), "the first waits no longer")
	w.done(tell, false)

	d = begin(poolDrain)
	w.tell("q")
	w.done(d, false)
	w.done(begin(poolTell), false)
	w.drain("q")
	w.done(begin(poolDrain), false)
	require.Empty(t, w.pools[poolTell].ready, "nobody is to be told")
}
