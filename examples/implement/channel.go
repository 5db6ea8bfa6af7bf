package implement

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// An SMS is a channel over a gateway of short messages: 160 bytes, no files, and
// a user who may have a number that does not exist.
type SMS struct {
	// Gateway sends one short message. It returns ErrNumber for a number that
	// does not exist.
	Gateway func(ctx context.Context, number, text string) error

	mu    sync.Mutex
	shown map[string]bool
}

// ErrNumber says that a number does not exist.
var ErrNumber = errors.New("implement: no such number")

// Describe lets the engine cut texts, with room for a name, and write files as
// links.
func (s *SMS) Describe(context.Context, string) handoff.ChannelInfo {
	return handoff.ChannelInfo{MaxBytes: 140, NoFiles: true, NoButtons: true}
}

// Show sends a message. Messages come at least once: a repeat is dropped by
// its ID. An error means later; only what can never arrive is permanent.
func (s *SMS) Show(ctx context.Context, number string, m handoff.UserMessage) error {
	s.mu.Lock()
	repeat := s.shown[number+" "+m.ID]
	s.mu.Unlock()
	if repeat {
		return nil
	}
	text := m.Text
	if m.From.Role == handoff.RoleAgent && m.From.Name != "" {
		text = m.From.Name + ": " + text
	}
	switch err := s.Gateway(ctx, number, text); {
	case errors.Is(err, ErrNumber):
		return &handoff.DeliveryError{Permanent: true, Code: "no_such_number", Err: err}
	case err != nil:
		return &handoff.DeliveryError{RetryAfter: time.Second, Code: "gateway", Err: fmt.Errorf("sms: %w", err)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown == nil {
		s.shown = map[string]bool{}
	}
	s.shown[number+" "+m.ID] = true // a real one forgets after a day
	return nil
}
