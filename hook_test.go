package handoff_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// Hooks that are put together are called in order, and spans nest.
func TestHooksAnd(t *testing.T) {
	var got []string
	note := func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) }
	type depth struct{}
	named := func(name string) handoff.Hooks {
		return handoff.Hooks{
			Span: func(ctx context.Context, span string, _ handoff.ID) (context.Context, func(error)) {
				outer, _ := ctx.Value(depth{}).(string)
				note("%s begins %s in %q", name, span, outer)
				return context.WithValue(ctx, depth{}, name), func(err error) { note("%s ends: %v", name, err) }
			},
			Changed:   func(_ context.Context, c handoff.Change) { note("%s changed %s", name, c.Command) },
			Delivered: func(_ context.Context, d handoff.Delivered) { note("%s delivered %d", name, d.Seq) },
			Conflict:  func(_ context.Context, _ handoff.ID, try int) { note("%s conflict %d", name, try) },
		}
	}
	play := func(h handoff.Hooks) []string {
		got = nil
		if h.Span != nil {
			_, end := h.Span(t.Context(), "s", handoff.ID{})
			end(errors.New("bad"))
		}
		for _, f := range []func(){
			func() { h.Changed(t.Context(), handoff.Change{Command: "end"}) },
			func() { h.Delivered(t.Context(), handoff.Delivered{Seq: 3}) },
			func() { h.Conflict(t.Context(), handoff.ID{}, 2) },
		} {
			f()
		}
		return got
	}
	alone := play(named("a"))
	require.Equal(t, alone, play(named("a").And(handoff.Hooks{})))
	require.Equal(t, alone, play(handoff.Hooks{}.And(named("a"))))
	require.Equal(t, []string{
		`a begins s in ""`, `b begins s in "a"`, "b ends: bad", "a ends: bad", "a changed end", "b changed end",
		"a delivered 3", "b delivered 3", "a conflict 2", "b conflict 2",
	}, play(named("a").And(named("b"))))
	require.Nil(t, handoff.Hooks{}.And(handoff.Hooks{}).Span)
}

// Fewer than were asked for means that there are no more, though between them
// there is what is left of erased conversations.
func TestListFillsPages(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		for i := range 40 {
			c := fmt.Sprintf("c%02d", i)
			turn := r.Says(c, "hello")
			_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "hi"})
			require.NoError(t, err)
			if i%4 != 0 {
				require.NoError(t, r.Erase(r.Ctx, c))
			}
		}
		var got []string
		for q := (handoff.Query{Limit: 3}); ; {
			page, err := r.List(r.Ctx, q)
			require.NoError(t, err)
			for i := range page {
				got = append(got, page[i].ID.Conversation)
				q.After = r.After(page[i], q)
			}
			if len(page) < q.Limit {
				break
			}
		}
		require.Len(t, got, 10)
	})
}

// What the first agent's wait was stays, whoever comes later; his first reply
// is counted from the first accept.
func TestStretchOfTheFirstAgent(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c")
		r.Sleep(10 * time.Second)
		ann := r.Agent("ann", 1)
		ann.Accept()
		r.Sleep(20 * time.Second)
		bob := r.Agent("bob", 1)
		_, err := r.Requeue(r.Ctx, h.ID, ann.By(), "")
		require.NoError(t, err)
		r.Wait()
		bob.Accept()
		r.Sleep(5 * time.Second)
		bob.Says(h.ID, "hello")
		got := r.Now(h.ID).Stretch
		require.Equal(t, 10*time.Second, got.FirstWait)
		require.Equal(t, 25*time.Second, got.FirstReply)
	})
}
