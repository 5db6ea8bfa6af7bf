package rocketchat

import (
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// Frame returns what a frame of the socket tells of a room.
func Frame(message []byte, room string) (handoff.ProviderEvent, bool) {
	var f frame
	if provider.DecodeJSON(message, &f) != nil {
		return handoff.ProviderEvent{}, false
	}
	return f.news(room, "", time.Now())
}

// Mouths is of how many rooms something is kept to say it.
func Mouths(p handoff.Provider) int {
	m := &p.(live).mouths
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.by)
}
