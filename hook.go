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
	Before   Stretch // what Stretch was until then
	Stretch  Stretch
	First    bool // it brought the first agent
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

// And returns hooks that call h and then other. The span of h is around that of
// other.
func (h Hooks) And(other Hooks) Hooks {
	out := Hooks{
		Changed:   both(h.Changed, other.Changed),
		Delivered: both(h.Delivered, other.Delivered),
		Conflict:  h.Conflict,
		Span:      h.Span,
	}
	switch {
	case h.Conflict == nil:
		out.Conflict = other.Conflict
	case other.Conflict != nil:
		out.Conflict = func(ctx context.Context, id ID, try int) {
			h.Conflict(ctx, id, try)
			other.Conflict(ctx, id, try)
		}
	}
	switch {
	case h.Span == nil:
		out.Span = other.Span
	case other.Span != nil:
		out.Span = func(ctx context.Context, name string, id ID) (context.Context, func(error)) {
			ctx, outer := h.Span(ctx, name, id)
			ctx, inner := other.Span(ctx, name, id)
			return ctx, func(err error) { inner(err); outer(err) }
		}
	}
	return out
}

func both[T any](f, g func(context.Context, T)) func(context.Context, T) {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(ctx context.Context, v T) {
		f(ctx, v)
		g(ctx, v)
	}
}

func (h *Hooks) span(ctx context.Context, name string, id ID) (context.Context, func(error)) {
	if h.Span == nil {
		return ctx, func(error) {}
	}
	return h.Span(ctx, name, id)
}
