package provider

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Limiter spreads requests over time, for each host on its own, so that a
// platform's limit is met by waiting and not by refusals. A host that asked to
// be left alone is. It limits this process: replicas share a platform's limit,
// so give each its part.
type Limiter struct {
	every time.Duration
	burst int

	mu    sync.Mutex
	hosts map[string]*hostLimit
}

type hostLimit struct {
	next   time.Time // when the bucket is full again
	closed time.Time // until then nothing
}

// NewLimiter allows rate requests per second to each host, and burst at once.
// A rate of 0 or less is no limit but what the platform asks for.
func NewLimiter(rate float64, burst int) *Limiter {
	l := &Limiter{burst: max(burst, 1), hosts: map[string]*hostLimit{}}
	if rate > 0 {
		l.every = time.Duration(float64(time.Second) / rate)
	}
	return l
}

var errLimit = errors.New("the platform's limit is reached")

// wait waits for the turn of a request. If ctx ends before that, it fails at
// once and says when to try again.
func (l *Limiter) wait(ctx context.Context, host string) *handoff.ProviderError {
	now := time.Now()
	l.mu.Lock()
	h := l.hosts[host]
	if h == nil {
		h = &hostLimit{}
		l.hosts[host] = h
	}
	at := h.next.Add(-time.Duration(l.burst-1) * l.every) // the bucket has burst places
	if h.closed.After(at) {
		at = h.closed
	}
	d := at.Sub(now)
	if end, ok := ctx.Deadline(); ok && d > 0 && !now.Add(d).Before(end) {
		l.mu.Unlock()
		return &handoff.ProviderError{Code: "rate_limit", Retryable: true, RetryAfter: d, Err: errLimit}
	}
	if h.next.Before(now) {
		h.next = now
	}
	h.next = h.next.Add(l.every)
	l.mu.Unlock()
	if d > 0 && !pause(ctx, d) {
		return &handoff.ProviderError{Code: "rate_limit", Retryable: true, RetryAfter: d, Err: errLimit}
	}
	return nil
}

// pause closes a host for d.
func (l *Limiter) pause(host string, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h := l.hosts[host]; h != nil {
		if until := time.Now().Add(d); until.After(h.closed) {
			h.closed = until
		}
	}
}
