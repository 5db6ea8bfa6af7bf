package desk_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

// TestBeforeTellsWhatWasSaid: whoever may read a conversation reads what was said
// in it before, by whomever. Notes, tags and how it was filed he reads only where
// he may read that one too.
func TestBeforeTellsWhatWasSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.actor("far", &desk.Actor{ID: "far", Role: desk.Agent, Queues: []string{"theirs"}})
	first := w.held("c", "theirs", "far")
	_, err := w.engine.Send(ctx, first.ID, handoff.By("far"), handoff.Message{Text: "said to the user"})
	require.NoError(t, err)
	_, err = w.engine.Note(ctx, first.ID, handoff.By("far"), "canary-note")
	require.NoError(t, err)
	_, err = w.engine.Whisper(ctx, first.ID, handoff.BySupervisor("boss"), "canary-whisper")
	require.NoError(t, err)
	_, err = w.engine.Tag(ctx, first.ID, handoff.By("far"), []string{"canary-tag"}, nil)
	require.NoError(t, err)
	_, err = w.engine.End(ctx, first.ID, handoff.By("far"), handoff.Ending{Reason: "canary-closing"})
	require.NoError(t, err)
	w.waiting("c", "mine")

	for _, state := range []string{"waits", "is his"} {
		if state == "is his" {
			_, err := w.engine.TakeOver(ctx, handoff.ID{Conversation: "c", Number: 2}, handoff.By("me"), "mine")
			require.NoError(t, err)
		}
		for _, role := range roles {
			got := w.call(role.String(), http.MethodGet, "api/handoffs/2.c/before", nil)
			itself := w.call(role.String(), http.MethodGet, "api/handoffs/1.c", nil)
			what := role.String() + ", while it " + state + ": " + got.raw
			if role == desk.Viewer {
				assert.Equal(t, http.StatusNotFound, got.status, what)
				assert.NotContains(t, got.raw, "canary", what)
				continue
			}
			require.Equal(t, http.StatusOK, got.status, what)
			assert.Contains(t, got.raw, "hello from c", what)
			assert.Contains(t, got.raw, "said to the user", what)
			assert.NotContains(t, got.raw, "canary-whisper", what)
			all := role == desk.Admin
			assert.Equal(t, all, itself.status == http.StatusOK, what)
			for _, secret := range []string{"canary-note", "canary-tag", "canary-closing"} {
				assert.Equal(t, all, strings.Contains(got.raw, secret), "%s: %s", secret, what)
			}
			if all {
				continue
			}
			var in struct {
				Before []struct{ Row map[string]any }
			}
			require.NoError(t, json.Unmarshal([]byte(got.raw), &in))
			require.Len(t, in.Before, 1, what)
			var told []string
			for name := range in.Before[0].Row {
				told = append(told, name)
			}
			assert.ElementsMatch(t, []string{"id", "version", "seq", "state", "outcome", "name", "created", "ended", "updated"}, told, what)
		}
	}
	// Who had it reads what he wrote, whoever has the user now.
	w.actor("both", &desk.Actor{ID: "far", Role: desk.Agent, Queues: []string{"mine"}})
	_, err = w.engine.Requeue(ctx, handoff.ID{Conversation: "c", Number: 2}, handoff.By("me"), "")
	require.NoError(t, err)
	assert.Contains(t, w.call("both", http.MethodGet, "api/handoffs/2.c/before", nil).raw, "canary-note")
}

// TestDesk39Figures: who may not know of the team is not told what one of them
// did, himself included.
func TestDesk39Figures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ended("c", "mine", "col")
	w.ended("d", "mine", "me")
	for _, role := range roles {
		for _, agent := range []string{"col", "me", "nobody"} {
			got := w.call(role.String(), http.MethodGet, "api/stats?agent="+agent, nil)
			want := http.StatusOK
			if desk.Allowed(desk.Team, role) == desk.Nothing {
				want = http.StatusForbidden
			}
			assert.Equal(t, want, got.status, "%s as %s: %s", agent, role, got.raw)
		}
		all := w.call(role.String(), http.MethodGet, "api/stats?agent=", nil)
		assert.Equal(t, http.StatusOK, all.status)
		assert.InDelta(t, 2, all.body["accepted"], 0, role.String())
		assert.Equal(t, desk.Allowed(desk.Team, role) > desk.Nothing, strings.Contains(all.raw, `"col"`), role.String())
	}
}
