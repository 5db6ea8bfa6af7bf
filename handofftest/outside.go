package handofftest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// An Outside does what cannot be done in a synctest bubble: it lets a store
// that talks to a server or writes to a file be used there. Its goroutines
// belong to no bubble. While one of them works for a goroutine of a bubble,
// the bubble's time stands still and synctest.Wait waits.
type Outside struct{ idle chan *hand }

// A hand does one thing at a time. All its channels are made outside.
type hand struct {
	work  chan func(context.Context)
	begun chan context.CancelFunc
	done  chan struct{}
}

// NewOutside returns one that does up to n things at a time. Call it outside
// of bubbles, and end it when the last bubble has ended.
func NewOutside(n int) (o *Outside, end func()) {
	o = &Outside{idle: make(chan *hand, n)}
	for range n {
		h := &hand{work: make(chan func(context.Context)), begun: make(chan context.CancelFunc), done: make(chan struct{})}
		go h.run()
		o.idle <- h
	}
	return o, func() {
		for range n {
			close((<-o.idle).work)
		}
	}
}

func (h *hand) run() {
	for f := range h.work {
		func() {
			// The context is made here: the caller's belongs to his bubble.
			ctx, cancel := context.WithCancel(context.Background())
			defer func() {
				cancel()
				h.done <- struct{}{}
			}()
			h.begun <- cancel
			f(ctx)
		}()
	}
}

// Do calls f outside, and returns when f has. The context of f ends with ctx;
// values are not passed on.
func (o *Outside) Do(ctx context.Context, f func(ctx context.Context)) {
	h := <-o.idle
	h.work <- f
	stop := context.AfterFunc(ctx, <-h.begun)
	<-h.done
	stop()
	o.idle <- h
}

// Store returns a store whose calls are made outside. It is for one bubble,
// has the abilities AheadCounter, Counter and BatchCommitter if inner has all
// three, and tells listeners of the commits that go through it, as a store in
// memory does. inner must go by the times that it is given: the clock of a
// bubble is nobody else's.
func (o *Outside) Store(inner handoff.Store) handoff.Store {
	s := &outer{o: o, inner: inner}
	able, ok := inner.(interface {
		handoff.AheadCounter
		handoff.Counter
		handoff.BatchCommitter
	})
	if !ok {
		return s
	}
	return &ableOuter{s, able, able, able}
}

// outer makes calls of a store outside.
type outer struct {
	o     *Outside
	inner handoff.Store

	mu        sync.Mutex
	listeners []chan handoff.Hint
}

// asked is a call with a result.
func asked[T any](ctx context.Context, o *Outside, f func(ctx context.Context) (T, error)) (v T, err error) {
	o.Do(ctx, func(ctx context.Context) { v, err = f(ctx) })
	return v, err
}

// told is a call without.
func told(ctx context.Context, o *Outside, f func(ctx context.Context) error) (err error) {
	o.Do(ctx, func(ctx context.Context) { err = f(ctx) })
	return err
}

func (s *outer) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	err := told(ctx, s.o, func(ctx context.Context) error { return s.inner.Commit(ctx, r, entries...) })
	if err == nil {
		s.tell(r)
	}
	return err
}

func (s *outer) tell(r handoff.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		for _, h := range []handoff.Hint{{ID: r.ID}, {Queue: r.Queue}} {
			select {
			case l <- h:
			default: // hints may be lost
			}
		}
	}
}

// Listen is handoff.Listener's.
func (s *outer) Listen(ctx context.Context, f func(handoff.Hint)) error {
	l := make(chan handoff.Hint, 4096)
	s.mu.Lock()
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.listeners = slices.DeleteFunc(s.listeners, func(other chan handoff.Hint) bool { return other == l })
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case h := <-l:
			f(h)
		}
	}
}

func (s *outer) Get(ctx context.Context, id handoff.ID) (handoff.Record, error) {
	return asked(ctx, s.o, func(ctx context.Context) (handoff.Record, error) { return s.inner.Get(ctx, id) })
}

func (s *outer) Latest(ctx context.Context, conversation string) (handoff.Record, error) {
	return asked(ctx, s.o, func(ctx context.Context) (handoff.Record, error) { return s.inner.Latest(ctx, conversation) })
}

func (s *outer) Holders(ctx context.Context, keys ...string) ([]handoff.Holding, error) {
	return asked(ctx, s.o, func(ctx context.Context) ([]handoff.Holding, error) { return s.inner.Holders(ctx, keys...) })
}

func (s *outer) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	return asked(ctx, s.o, func(ctx context.Context) ([]handoff.Record, error) { return s.inner.List(ctx, q) })
}

func (s *outer) Lines(ctx context.Context, queue string) ([]string, error) {
	return asked(ctx, s.o, func(ctx context.Context) ([]string, error) { return s.inner.Lines(ctx, queue) })
}

func (s *outer) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	return asked(ctx, s.o, func(ctx context.Context) ([]handoff.RecordEntry, error) { return s.inner.Log(ctx, id, after, limit) })
}

func (s *outer) Entry(ctx context.Context, id handoff.ID, entry string) (handoff.RecordEntry, error) {
	return asked(ctx, s.o, func(ctx context.Context) (handoff.RecordEntry, error) { return s.inner.Entry(ctx, id, entry) })
}

func (s *outer) Claim(ctx context.Context, c handoff.Claim) (handoff.Claimed, error) {
	return asked(ctx, s.o, func(ctx context.Context) (handoff.Claimed, error) { return s.inner.Claim(ctx, c) })
}

func (s *outer) Lead(ctx context.Context, id handoff.ID, cursor string, now time.Time, lease time.Duration) (handoff.Lead, error) {
	return asked(ctx, s.o, func(ctx context.Context) (handoff.Lead, error) { return s.inner.Lead(ctx, id, cursor, now, lease) })
}

func (s *outer) Ack(ctx context.Context, acks ...handoff.Ack) error {
	return told(ctx, s.o, func(ctx context.Context) error { return s.inner.Ack(ctx, acks...) })
}

func (s *outer) Erase(ctx context.Context, conversation string, tomb handoff.Record) error {
	return told(ctx, s.o, func(ctx context.Context) error { return s.inner.Erase(ctx, conversation, tomb) })
}

func (s *outer) Delete(ctx context.Context, id handoff.ID, version int64) error {
	return told(ctx, s.o, func(ctx context.Context) error { return s.inner.Delete(ctx, id, version) })
}

// ableOuter has the inner store's abilities, too.
type ableOuter struct {
	*outer

	ahead handoff.AheadCounter
	count handoff.Counter
	batch handoff.BatchCommitter
}

func (s *ableOuter) Ahead(ctx context.Context, r handoff.Record, limit int) (int, error) {
	return asked(ctx, s.o, func(ctx context.Context) (int, error) { return s.ahead.Ahead(ctx, r, limit) })
}

func (s *ableOuter) Count(ctx context.Context, q handoff.Query) (int, error) {
	return asked(ctx, s.o, func(ctx context.Context) (int, error) { return s.count.Count(ctx, q) })
}

func (s *ableOuter) CommitBatch(ctx context.Context, items []handoff.Item) (errs []error) {
	s.o.Do(ctx, func(ctx context.Context) { errs = s.batch.CommitBatch(ctx, items) })
	for i, err := range errs {
		if err == nil {
			s.tell(items[i].Record)
		}
	}
	return errs
}
