package desk

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// unchanged refuses to replace what is no longer as whoever edits it was shown
// it, and says how it is now. was is that, as JSON: null where he was shown
// nothing; none where he does not ask. now is what is stored, or nil.
//
// Nothing that the desk edits has a version, so that of two who save at the very
// same moment the later one still wins.
func unchanged[T any](was json.RawMessage, now *T) error {
	if was == nil {
		return nil
	}
	var seen *T
	if json.Unmarshal(was, &seen) != nil {
		return &problem{Status: http.StatusBadRequest, Code: "body"}
	}
	if seen == nil && now == nil {
		return nil
	}
	if now == nil {
		return errNotFound
	}
	a, err := json.Marshal(seen)
	if err != nil {
		return err
	}
	b, err := json.Marshal(now)
	if err != nil {
		return err
	}
	if !bytes.Equal(a, b) {
		return &problem{Status: http.StatusConflict, Code: "changed", Now: json.RawMessage(b)}
	}
	return nil
}

// A before is what a page was shown of what it puts.
type before struct {
	Was json.RawMessage `json:"was"`
}

// edited tells those who see a list that it has changed: whoever has need, and
// where it is about what is one agent's own, only him.
func (h *Handler) edited(list string, need Permission, only string) {
	h.view.mu.Lock()
	defer h.view.mu.Unlock()
	h.view.publish(&event{name: "edited", need: need, only: only, say: func(*Actor) any { return map[string]any{"list": list} }})
}
