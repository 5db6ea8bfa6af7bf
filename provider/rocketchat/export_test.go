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
	return f.news(room, time.Now())
}
