package memstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
)

func TestHours(t *testing.T) {
	monday := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	days := map[string][]handoff.Span{"mon": {"09:00-11:00"}}
	h := memstore.NewHours(handoff.Weekly{Days: days})
	require.NoError(t, h.Validate())
	days["mon"] = nil // what was given is the caller's again
	open, next := h.At(monday)
	assert.False(t, open)
	assert.Equal(t, monday.AddDate(0, 0, 7).Add(-3*time.Hour), next)

	require.NoError(t, h.SetWeekly(t.Context(), handoff.Weekly{Days: map[string][]handoff.Span{"mon": {"09:00-13:00"}}}))
	open, next = h.At(monday)
	assert.True(t, open)
	assert.Equal(t, monday.Add(time.Hour), next)

	require.ErrorIs(t, h.SetWeekly(t.Context(), handoff.Weekly{Days: map[string][]handoff.Span{"noday": {"9-5"}}}), handoff.ErrInvalid)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	require.ErrorIs(t, h.SetWeekly(ctx, handoff.Weekly{Days: map[string][]handoff.Span{"tue": {"09:00-13:00"}}}), context.Canceled)
	w, err := h.Weekly(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []handoff.Span{"09:00-13:00"}, w.Days["mon"])
	w.Days["mon"] = nil
	open, _ = h.At(monday)
	assert.True(t, open, "what came out is a copy")
}
