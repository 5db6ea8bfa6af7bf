package handoff

import (
	"context"
	"time"
)

// Hooks are called while the engine works, for metrics and tracing. They must
// be fast, must not call the engine's verbs for the same conversation and wait
// for them, and get no content: ids, states, counts and durations only. Any of
// them may be nil. They may be called concurrently.
type Hooks struct {
	// Span starts a span around a verb, a delivery or a store call and returns
	// what ends it.
	Span func(ctx context.Context, name string, id ID) (context.Context, func(error))

	// Changed is called after each commit of this engine.
	Changed func(ctx context.Context, c Change)

	// Delivered is called after each attempt to deliver an entry.
	Delivered func(ctx context.Context, d Delivered)

	// Conflict is called when a commit lost a race and is tried again.
	Conflict func(ctx context.Context, id ID, try int)
}

// A Change says what a commit did.
type Change struct {
	ID       ID
	Command  string
	From, To State
	Outcome  Outcome
	Queue    string
	Entries  []Kind
	Stretch  Stretch
	At       time.Time
}

// A Delivered says how a delivery went.
type Delivered struct {
	ID        ID
	Sink      string
	Seq       int64
	Try       int
	Took      time.Duration
	Err       error // nil: it arrived
	Permanent bool
}

func (h *Hooks) span(ctx context.Context, name string, id ID) (context.Context, func(error)) {
	if h.Span == nil {
		return ctx, func(error) {}
	}
	return h.Span(ctx, name, id)
}
