package livechat

import (
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// Frame returns what a frame of the socket tells of a chat.
func Frame(message []byte, reference string) (handoff.ProviderEvent, bool) {
	var f frame
	if provider.DecodeJSON(message, &f) != nil || f.trouble() != fine {
		return handoff.ProviderEvent{}, false
	}
	return f.news(reference, time.Now())
}
