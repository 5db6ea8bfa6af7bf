package desk_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBoardOfNoWait: that somebody will not have to wait is known too, and is a
// number like every other wait.
func TestBoardOfNoWait(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.presence.Begin(w.Context(), "me", "page", now(), now().Add(time.Hour)))
	require.NoError(t, w.presence.Want(w.Context(), "me", true, "", now()))
	require.NoError(t, w.engine.AgentChanged(w.Context(), "me"))
	w.waiting("maria", "mine")
	var mine map[string]any
	w.until("he who is asked has a seat", func() bool {
		got := w.call("supervisor", http.MethodGet, "api/board", nil)
		mine, _ = got.body["queues"].([]any)[0].(map[string]any)
		return mine["waiting"] == 1.0 && mine["known"] == true
	})
	assert.Equal(t, 0.0, mine["p50"])
	assert.Equal(t, 0.0, mine["p90"])
}
