package handoff

import (
	"context"
	"sync"
	"time"
)

// limit is a context that ends at a time at the latest. It is what
// context.WithDeadline returns, save that no timer runs until somebody asks
// for Done: most calls of a store are over before that.
type limit struct {
	context.Context //nolint:containedctx // it is one

	at      time.Time
	mu      sync.Mutex
	stopped bool
	real    context.Context //nolint:containedctx // it is one
	cancel  context.CancelFunc
}

// within returns a context that ends after d. Call stop when it is no longer
// needed.
func within(ctx context.Context, d time.Duration) *limit {
	return &limit{Context: ctx, at: time.Now().Add(d)}
}

// Deadline returns when it ends.
func (l *limit) Deadline() (time.Time, bool) {
	if at, ok := l.Context.Deadline(); ok && at.Before(l.at) {
		return at, true
	}
	return l.at, true
}

// Done starts the timer.
func (l *limit) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.real == nil {
		l.real, l.cancel = context.WithDeadline(l.Context, l.at)
		if l.stopped {
			l.cancel()
		}
	}
	return l.real.Done()
}

// Err says why it has ended.
func (l *limit) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.real != nil:
		return l.real.Err()
	case l.Context.Err() != nil:
		return l.Context.Err()
	case l.stopped:
		return context.Canceled
	case !time.Now().Before(l.at):
		return context.DeadlineExceeded
	}
	return nil
}

// Value returns the caller's values. Once there is a timer, package context
// finds it here, so that contexts made of this one need no goroutine.
func (l *limit) Value(key any) any {
	l.mu.Lock()
	ctx := l.Context
	if l.real != nil {
		ctx = l.real
	}
	l.mu.Unlock()
	return ctx.Value(key)
}

// stop ends it.
func (l *limit) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	if l.cancel != nil {
		l.cancel()
	}
}
