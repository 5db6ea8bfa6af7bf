package desk_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

// A warm transfer is taken back by whoever has the handoff, or by a supervisor,
// until it is answered; only they are told its number.
func TestDesk21TakeBack(t *testing.T) {
	w := newWorld(t)
	w.actor("boss", &desk.Actor{ID: "boss", Role: desk.Supervisor, Queues: []string{"mine"}})
	w.actor("elsewhere", &desk.Actor{ID: "far", Role: desk.Supervisor, Queues: []string{"theirs"}})
	require.NoError(t, w.presence.Begin(t.Context(), "col", "s", now(), now().Add(time.Hour)))
	require.NoError(t, w.presence.Want(t.Context(), "col", true, "", now()))
	require.NoError(t, w.engine.AgentChanged(t.Context(), "col"))
	h := w.held("c", "mine", "me")
	path := "api/handoffs/" + token(h)
	row := func(actor string) map[string]any {
		got := w.call(actor, http.MethodPost, path+"/tags", map[string]any{"op": "row"}) // an answer with the row, whatever comes of it
		if row, ok := got.body["current"].(map[string]any); ok {
			return row
		}
		return got.body
	}
	for _, who := range []string{"agent", "boss"} {
		got := w.call("agent", http.MethodPost, path+"/transfer", map[string]any{"op": "ask" + who, "agent": "col", "warm": true})
		require.Equal(t, http.StatusOK, got.status, got.raw)
		number := got.body["warm"]
		require.NotNil(t, number, got.raw)
		now, err := w.engine.Get(t.Context(), h.ID)
		require.NoError(t, err)
		require.Len(t, now.Offers, 1)
		assert.EqualValues(t, now.Offers[0].Number, number)
		assert.EqualValues(t, number, row("boss")["warm"])
		back := func(actor, op string, offer any) reply {
			return w.call(actor, http.MethodPost, path+"/take-back", map[string]any{"op": op, "offer": offer})
		}

		asked := back("col", "col", number)
		assert.Equal(t, http.StatusConflict, asked.status, asked.raw)
		assert.Equal(t, "not_owner", asked.body["code"])
		current, _ := asked.body["current"].(map[string]any)
		assert.NotNil(t, current["offer"], "it is still his to answer")
		assert.Nil(t, current["warm"], "and not his to take back")
		assert.Equal(t, http.StatusNotFound, back("viewer", "viewer", number).status)
		assert.Equal(t, http.StatusNotFound, back("elsewhere", "elsewhere", number).status)
		assert.Equal(t, http.StatusUnprocessableEntity, back(who, "none", 0).status, "which one must be said")
		other := back(who, "other"+who, number.(float64)+1)
		assert.Equal(t, http.StatusConflict, other.status)
		assert.Equal(t, "state", other.body["code"])
		assert.EqualValues(t, number, other.body["current"].(map[string]any)["warm"], "the state as it is")

		for range 2 { // the same once more: its answer was lost
			got = back(who, "back"+who, number)
			assert.Equal(t, http.StatusOK, got.status, got.raw)
			assert.Nil(t, got.body["warm"])
			assert.Nil(t, got.body["asked"])
			assert.Equal(t, "me", got.body["agent"])
		}
		assert.Equal(t, http.StatusConflict, back(who, "again"+who, number).status)
		assert.Equal(t, http.StatusConflict, w.call("col", http.MethodPost, path+"/accept", map[string]any{"op": "late" + who, "offer": number}).status)
	}
}

// TestReasonsGoWithTheHandoff: how a handoff is to be closed is told to whoever
// has it, also where he serves another queue.
func TestReasonsGoWithTheHandoff(t *testing.T) {
	w := newWorldOf(t, func(c *handoff.Config) { c.Queues[0].CloseReasons, c.Queues[0].NeedReason = []string{"Refunded"}, true })
	w.actor("far", &desk.Actor{ID: "far", Role: desk.Agent, Queues: []string{"theirs"}})
	require.NoError(t, w.presence.Begin(t.Context(), "far", "s", now(), now().Add(time.Hour)))
	require.NoError(t, w.presence.Want(t.Context(), "far", true, "", now()))
	h := w.held("c", "mine", "me")
	_, err := w.engine.Assign(t.Context(), h.ID, handoff.BySupervisor("boss"), "far")
	require.NoError(t, err)
	path := "api/handoffs/" + token(h)
	w.until("he has it", func() bool {
		now, err := w.engine.Get(t.Context(), h.ID)
		if err == nil && len(now.Offers) == 1 {
			w.call("far", http.MethodPost, path+"/accept", map[string]any{"op": "a", "offer": now.Offers[0].Number})
		}
		return err == nil && now.Agent == "far"
	})
	got := w.call("far", http.MethodGet, path, nil)
	assert.Equal(t, map[string]any{"list": []any{"Refunded"}, "need": true}, got.body["reasons"], got.raw)
}
