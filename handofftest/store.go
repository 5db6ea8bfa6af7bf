package handofftest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// ErrStore is what a Store fails with when told to.
var ErrStore = errors.New("handofftest: the store fails")

// A Fault says how a call of a Store goes wrong.
type Fault struct {
	Before error         // the call fails and has no effect
	After  error         // the call has its effect, and then fails: the outcome is unknown
	Delay  time.Duration // the call takes that long first, or until its context ends
}

// A Store wraps a store and makes it fail as a test likes. It has every
// ability of the inner one, except that listening does not fail.
type Store struct {
	inner handoff.Store
	mu    sync.Mutex
	plan  func(op string, id handoff.ID) Fault
	skew  time.Duration
}

// NewStore wraps inner.
func NewStore(inner handoff.Store) *Store { return &Store{inner: inner} }

// Unwrap returns the inner store.
func (s *Store) Unwrap() handoff.Store { return s.inner }

// Plan makes every call ask f; nil ends it. op is the method's name: Commit,
// Get, Latest, Holders, List, Lines, Log, Entry, Claim, Lead, Ack, Erase or
// Delete. f may be called concurrently.
func (s *Store) Plan(f func(op string, id handoff.ID) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan = f
}

// Down makes every call fail until Plan is called again.
func (s *Store) Down() {
	s.Plan(func(string, handoff.ID) Fault { return Fault{Before: ErrStore} })
}

// Skew makes the store's clock, by which Claim decides, wrong by d.
func (s *Store) Skew(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = d
}

func (s *Store) do(ctx context.Context, op string, id handoff.ID, f func() error) error {
	s.mu.Lock()
	plan := s.plan
	s.mu.Unlock()
	var fault Fault
	if plan != nil {
		fault = plan(op, id)
	}
	if fault.Delay > 0 {
		t := time.NewTimer(fault.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if fault.Before != nil {
		return fault.Before
	}
	if err := f(); err != nil {
		return err
	}
	return fault.After
}

// Commit is handoff.Store's.
func (s *Store) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	return s.do(ctx, "Commit", r.ID, func() error { return s.inner.Commit(ctx, r, entries...) })
}

// Get is handoff.Store's.
func (s *Store) Get(ctx context.Context, id handoff.ID) (r handoff.Record, err error) {
	err = s.do(ctx, "Get", id, func() error { r, err = s.inner.Get(ctx, id); return err })
	return r, err
}

// Latest is handoff.Store's.
func (s *Store) Latest(ctx context.Context, conversation string) (r handoff.Record, err error) {
	err = s.do(ctx, "Latest", handoff.ID{Conversation: conversation}, func() error {
		r, err = s.inner.Latest(ctx, conversation)
		return err
	})
	return r, err
}

// Holders is handoff.Store's.
func (s *Store) Holders(ctx context.Context, keys ...string) (list []handoff.Holding, err error) {
	err = s.do(ctx, "Holders", handoff.ID{}, func() error { list, err = s.inner.Holders(ctx, keys...); return err })
	return list, err
}

// List is handoff.Store's.
func (s *Store) List(ctx context.Context, q handoff.Query) (list []handoff.Record, err error) {
	err = s.do(ctx, "List", handoff.ID{}, func() error { list, err = s.inner.List(ctx, q); return err })
	return list, err
}

// Lines is handoff.Store's.
func (s *Store) Lines(ctx context.Context, queue string) (list []string, err error) {
	err = s.do(ctx, "Lines", handoff.ID{}, func() error { list, err = s.inner.Lines(ctx, queue); return err })
	return list, err
}

// Log is handoff.Store's.
func (s *Store) Log(ctx context.Context, id handoff.ID, after int64, limit int) (list []handoff.RecordEntry, err error) {
	err = s.do(ctx, "Log", id, func() error { list, err = s.inner.Log(ctx, id, after, limit); return err })
	return list, err
}

// Entry is handoff.Store's.
func (s *Store) Entry(ctx context.Context, id handoff.ID, entry string) (e handoff.RecordEntry, err error) {
	err = s.do(ctx, "Entry", id, func() error { e, err = s.inner.Entry(ctx, id, entry); return err })
	return e, err
}

// Claim is handoff.Store's.
func (s *Store) Claim(ctx context.Context, c handoff.Claim) (got handoff.Claimed, err error) {
	s.mu.Lock()
	c.Now = c.Now.Add(s.skew)
	s.mu.Unlock()
	err = s.do(ctx, "Claim", handoff.ID{}, func() error { got, err = s.inner.Claim(ctx, c); return err })
	return got, err
}

// Lead is handoff.Store's.
func (s *Store) Lead(ctx context.Context, id handoff.ID, cursor string, now time.Time, lease time.Duration) (l handoff.Lead, err error) {
	err = s.do(ctx, "Lead", id, func() error { l, err = s.inner.Lead(ctx, id, cursor, now, lease); return err })
	return l, err
}

// Ack is handoff.Store's.
func (s *Store) Ack(ctx context.Context, acks ...handoff.Ack) error {
	var id handoff.ID
	if len(acks) > 0 {
		id = acks[0].ID
	}
	return s.do(ctx, "Ack", id, func() error { return s.inner.Ack(ctx, acks...) })
}

// Erase is handoff.Store's.
func (s *Store) Erase(ctx context.Context, conversation string, tomb handoff.Record) error {
	return s.do(ctx, "Erase", tomb.ID, func() error { return s.inner.Erase(ctx, conversation, tomb) })
}

// Delete is handoff.Store's.
func (s *Store) Delete(ctx context.Context, id handoff.ID, version int64) error {
	return s.do(ctx, "Delete", id, func() error { return s.inner.Delete(ctx, id, version) })
}
