package memstore

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Hours is a [handoff.HoursWriter] in memory. Make one with [NewHours]. Its
// methods may be called concurrently.
type Hours struct {
	mu sync.RWMutex
	w  handoff.Weekly
}

var _ handoff.HoursWriter = (*Hours)(nil)

// NewHours returns hours that begin as w.
func NewHours(w handoff.Weekly) *Hours { return &Hours{w: cloneWeekly(w)} }

// At is that of the hours in force.
func (h *Hours) At(t time.Time) (open bool, next time.Time) { return h.now().At(t) }

// Validate is that of the hours in force.
func (h *Hours) Validate() error { return h.now().Validate() }

func (h *Hours) now() handoff.Weekly {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.w // its maps are never written to
}

// Weekly returns a copy of what is in force.
func (h *Hours) Weekly(ctx context.Context) (handoff.Weekly, error) {
	return cloneWeekly(h.now()), ctx.Err()
}

// SetWeekly replaces what is in force. Hours that do not pass Validate are a
// *handoff.InvalidError, and nothing changes.
func (h *Hours) SetWeekly(ctx context.Context, w handoff.Weekly) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.Validate(); err != nil {
		return &handoff.InvalidError{Field: "hours", Why: strings.ReplaceAll(err.Error(), "handoff: ", "")}
	}
	w = cloneWeekly(w)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.w = w
	return nil
}

func cloneWeekly(w handoff.Weekly) handoff.Weekly {
	w.Days, w.Special = maps.Clone(w.Days), maps.Clone(w.Special)
	return w
}
