package handoff

import (
	"context"
	"time"
)

// A Past is a message from before a handoff, as the host keeps it.
type Past struct {
	ID    string // the host's message id; the same one that Receive gets
	From  Party
	Text  string
	Files []File
	At    time.Time
}

// A History gives the engine what was said before. It is read after a request
// is stored and before anybody may accept, so that no message can fall between
// the two; the host therefore stores a message before it calls Receive.
// Messages come oldest first; the engine takes the newest ones if there are
// too many.
type History interface {
	Messages(ctx context.Context, conversation string) ([]Past, error)
}

// A HistoryFunc is a History.
type HistoryFunc func(ctx context.Context, conversation string) ([]Past, error)

// Messages calls f.
func (f HistoryFunc) Messages(ctx context.Context, conversation string) ([]Past, error) {
	return f(ctx, conversation)
}
