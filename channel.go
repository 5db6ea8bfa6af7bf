package handoff

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A UserMessage is what a user may see. It cannot hold a note or an event.
type UserMessage struct {
	ID     string // stable: the same message again is a repeat
	From   Party  // agents by the name they show, never by their id
	Text   string
	Files  []File
	Notice string // the key of the notice that Text says; empty for messages
	At     time.Time

	Payload json.RawMessage // the host's own
	Ask     *Question       // the intake field that Text asks; nil: none

	// Cursor resumes FollowUser behind this message.
	Cursor UserCursor
}

// A UserCursor is a place in what a user has seen of a conversation.
type UserCursor struct {
	Number int64 `json:"number"`
	Seq    int64 `json:"seq"`
}

// A Channel shows things to users. The engine calls it for each conversation
// in order, one message at a time, at least once; ID tells a repeat. It is
// called concurrently for different conversations.
//
// An error means: try again later, unless it is a *DeliveryError that is
// permanent; then the agent is told that the message did not arrive, and later
// messages go on.
type Channel interface {
	Show(ctx context.Context, conversation string, m UserMessage) error
}

// A ChannelFunc is a Channel.
type ChannelFunc func(ctx context.Context, conversation string, m UserMessage) error

// Show calls f.
func (f ChannelFunc) Show(ctx context.Context, conversation string, m UserMessage) error {
	return f(ctx, conversation, m)
}

// Optional abilities of a Channel, found by type assertion.
type (
	// A ChannelDescriber tells what the channel can do for a conversation.
	ChannelDescriber interface {
		Describe(ctx context.Context, conversation string) ChannelInfo
	}

	// A ChunkShower shows a reply while it is being written. The reply itself
	// follows through Show under the same ID, or a chunk with Retract.
	ChunkShower interface {
		ShowChunk(ctx context.Context, conversation string, c Chunk) error
	}

	// A TypingShower shows that an agent is writing. Errors are ignored.
	TypingShower interface {
		ShowTyping(ctx context.Context, conversation string, from Party, on bool) error
	}
)

// A ChannelInfo tells what a channel can do. The zero value is no limit.
type ChannelInfo struct {
	MaxBytes    int           // longest text; longer ones are cut into several messages
	NoFiles     bool          // files are shown as links
	NoButtons   bool          // payloads are left out
	ReplyWindow time.Duration // nothing can be shown so long after the user's last message
}

// A Chunk is a part of a reply that is still being written.
type Chunk struct {
	ID      string // the reply's ID
	N       int    // 0, 1, 2 …
	Text    string // what is new
	Retract bool   // the reply will not come; take back what was shown
}

// A DeliveryError is how a Channel, Bot, Sink or Provider says what to do
// after a failure.
type DeliveryError struct {
	Permanent  bool          // trying again cannot help
	RetryAfter time.Duration // not before, but for Config.SendFor at most; 0 is the engine's own back-off
	Code       string        // for people and metrics; no content
	Err        error
}

func (e *DeliveryError) Error() string {
	return fmt.Sprintf("handoff: delivery failed (%s): %v", e.Code, e.Err)
}

// Unwrap returns the cause.
func (e *DeliveryError) Unwrap() error { return e.Err }

// permanent says whether err can never be overcome, and how long to wait if it
// can.
func permanent(err error) (bool, time.Duration) {
	var de *DeliveryError
	if errors.As(err, &de) {
		return de.Permanent, de.RetryAfter
	}
	var pe *ProviderError
	if errors.As(err, &pe) {
		return !pe.Retryable && !pe.Ambiguous, pe.RetryAfter
	}
	return false, 0
}

// A Sink receives every entry of every handoff, internal ones included: the
// staff side, archives, analytics. Calls come in order for each handoff, at
// least once; Entry.Handoff and Entry.ID tell a repeat.
//
// New asks one that has a method CheckConfig(*Config) error whether it fits, and
// tells what is wrong with the rest.
type Sink interface {
	Handle(ctx context.Context, h *Handoff, e *Entry) error
}

// A SinkFunc is a Sink.
type SinkFunc func(ctx context.Context, h *Handoff, e *Entry) error

// Handle calls f.
func (f SinkFunc) Handle(ctx context.Context, h *Handoff, e *Entry) error { return f(ctx, h, e) }
