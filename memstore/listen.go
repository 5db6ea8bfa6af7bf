package memstore

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed-2a427302/handoff"
)

// An audience is who listens. Telling it never waits for anybody.
type audience struct {
	listeners atomic.Pointer[[]*listener] // nil when nobody listens
	mu        sync.Mutex                  // held to change listeners
}

// A listener collects hints until its goroutine comes round to them.
type listener struct {
	mu      sync.Mutex
	pending map[handoff.Hint]struct{}
	wake    chan struct{}
}

// maxPending is how many hints wait for a slow listener. Beyond it only the
// queues are remembered, and beyond twice as many nothing.
const maxPending = 1024

// tell says that r was committed and, if work is set, that its queue may have
// work.
func (a *audience) tell(r *handoff.Record, work bool) {
	listeners := a.listeners.Load()
	if listeners == nil {
		return
	}
	for _, l := range *listeners {
		l.add(r, work)
	}
}

func (l *listener) add(r *handoff.Record, work bool) {
	l.mu.Lock()
	if len(l.pending) < maxPending {
		l.pending[handoff.Hint{ID: r.ID}] = struct{}{}
	}
	if work && r.Queue != "" && len(l.pending) < 2*maxPending {
		l.pending[handoff.Hint{Queue: r.Queue}] = struct{}{}
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Listen implements [handoff.Listener]. It tells of every commit, those of the
// caller included. Hints that come while f runs are collected without doubles.
func (s *Store) Listen(ctx context.Context, f func(handoff.Hint)) error {
	l := &listener{pending: make(map[handoff.Hint]struct{}), wake: make(chan struct{}, 1)}
	s.audience.change(func(all []*listener) []*listener { return append(all, l) })
	defer s.audience.change(func(all []*listener) []*listener {
		return slices.DeleteFunc(all, func(other *listener) bool { return other == l })
	})
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
		}
		l.mu.Lock()
		hints := l.pending
		l.pending = make(map[handoff.Hint]struct{})
		l.mu.Unlock()
		for h := range hints {
			f(h)
		}
	}
}

// change replaces the list, since tell reads it without a lock.
func (a *audience) change(f func([]*listener) []*listener) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []*listener
	if old := a.listeners.Load(); old != nil {
		all = slices.Clone(*old)
	}
	if all = f(all); len(all) == 0 {
		a.listeners.Store(nil)
		return
	}
	a.listeners.Store(&all)
}
