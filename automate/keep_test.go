package automate_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/automate"
	"github.com/seed-2a427302/handoff/handofftest"
)

func tagging(name, tag string, on ...handoff.Kind) automate.Rule {
	return automate.Rule{Name: name, On: on, Button: name, Do: []automate.Action{{Tag: []string{tag}}}}
}

// A rule that is kept runs like one of the host's own from the moment it is put,
// and no longer once it is deleted. One that is wrong is not kept.
func TestKeep(t *testing.T) {
	keep := automate.NewRules()
	a, err := automate.New([]automate.Rule{tagging("own", "own", handoff.KindEnqueued)}, automate.Options{Keep: keep})
	require.NoError(t, err)
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		a.Use(r.Engine)
		tags := func(conversation string) []string {
			id := ask(t, r, conversation)
			r.Sleep(time.Minute) // a delivery that met another one is made again
			return r.Now(id).Tags
		}
		require.Equal(t, []string{"own"}, tags("c1"))
		require.NoError(t, a.Put(r.Ctx, tagging("kept", "kept", handoff.KindEnqueued)))
		require.Equal(t, []string{"own", "kept"}, tags("c2"))
		require.NoError(t, a.Put(r.Ctx, tagging("kept", "changed", handoff.KindEnqueued)))
		require.Equal(t, []string{"own", "changed"}, tags("c3"))
		require.NoError(t, a.Delete(r.Ctx, "kept"))
		require.Equal(t, []string{"own"}, tags("c4"))

		// Another replica's rule is in force a moment later.
		other, err := automate.New(nil, automate.Options{Keep: keep})
		require.NoError(t, err)
		require.NoError(t, other.Put(r.Ctx, tagging("theirs", "theirs", handoff.KindEnqueued)))
		r.Sleep(2 * time.Second)
		require.Equal(t, []string{"own", "theirs"}, tags("c5"))
	}, func(c *handoff.Config) {
		c.Sinks = map[string]handoff.Sink{"automations": a}
		c.Queues = []handoff.Queue{{Name: "support"}}
	})
}

func TestKeepRefuses(t *testing.T) {
	keep := automate.NewRules(tagging("b", "b"), tagging("a", "a"), tagging("own", "taken"), automate.Rule{Name: "of another build"})
	a, err := automate.New([]automate.Rule{tagging("own", "own")}, automate.Options{Keep: keep})
	require.NoError(t, err)
	names := func() (out []string) {
		list, err := a.List(t.Context())
		require.NoError(t, err)
		for i := range list {
			out = append(out, list[i].Name)
		}
		return out
	}
	require.Equal(t, []string{"own", "a", "b"}, names())
	require.True(t, a.Editable())
	require.True(t, a.Fixed("own"))
	require.ErrorIs(t, a.Put(t.Context(), tagging("own", "mine")), automate.ErrFixed)
	require.ErrorIs(t, a.Delete(t.Context(), "own"), automate.ErrFixed)
	for _, bad := range []automate.Rule{
		{},
		{Name: "a/b", Button: "x", Do: []automate.Action{{Tag: []string{"x"}}}},
		{Name: "x", Button: "x"},
		{Name: "x", Do: []automate.Action{{Note: "x"}}},
		{Name: "x", Button: "x", Do: []automate.Action{{Note: "{nobody}"}}},
		{Name: "x", Button: "x", Do: []automate.Action{{Webhook: "https://example.com"}}},
	} {
		require.ErrorIs(t, a.Put(t.Context(), bad), handoff.ErrInvalid)
	}
	require.NoError(t, a.Delete(t.Context(), "nobody"))
	require.Equal(t, []string{"own", "a", "b"}, names())

	fixed, err := automate.New(nil, automate.Options{})
	require.NoError(t, err)
	require.False(t, fixed.Editable())
	require.ErrorIs(t, fixed.Put(t.Context(), tagging("x", "x")), automate.ErrFixed)

	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, err := range []error{keep.Put(ctx, tagging("x", "x")), keep.Delete(ctx, "a")} {
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Equal(t, []string{"own", "a", "b"}, names())
}

// broken are rules that cannot be read.
type broken struct{ automate.Rules }

var errBroken = errors.New("the database is down")

func (broken) List(context.Context) ([]automate.Rule, error) { return nil, errBroken }

// Rules that cannot be read are read again: the entry waits. The host's own
// buttons stay.
func TestKeepBroken(t *testing.T) {
	a, err := automate.New([]automate.Rule{tagging("own", "own")}, automate.Options{Keep: broken{}})
	require.NoError(t, err)
	a.Use(new(handoff.Engine))
	require.ErrorIs(t, a.Handle(t.Context(), &handoff.Handoff{}, &handoff.Entry{}), errBroken)
	require.Len(t, a.Buttons(t.Context(), handoff.Handoff{}), 1)
}
