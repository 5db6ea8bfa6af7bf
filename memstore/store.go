package memstore

import (
	"context"
	"slices"
	"sync"

	"github.com/seed-2a427302/handoff"
)

// A Store is a [handoff.Store] in memory. Make one with [New]. Its methods may
// be called concurrently; one whose context has ended does nothing and returns
// the context's error.
type Store struct {
	mu sync.RWMutex

	conversations table[string, []*slot] // by number
	created       order                  // every record, in the order of List
	queues        map[string]*queue
	keys          table[string, holders]
	states        chains
	agents        chains
	users         chains

	due     agenda             // slots by their wake
	claimed agenda             // slots by the end of their claim
	behind  map[string]*agenda // cursors by sink and the age of what they lack
	led     agenda             // cursors that are behind, by the end of their lead

	audience audience
}

var (
	_ handoff.Store          = (*Store)(nil)
	_ handoff.Listener       = (*Store)(nil)
	_ handoff.AheadCounter   = (*Store)(nil)
	_ handoff.Counter        = (*Store)(nil)
	_ handoff.BatchCommitter = (*Store)(nil)
)

// New returns an empty store.
func New() *Store {
	return &Store{
		queues: make(map[string]*queue),
		behind: make(map[string]*agenda),
		states: chains{at: func(s *slot) *link { return &s.state }},
		agents: chains{at: func(s *slot) *link { return &s.agent }},
		users:  chains{at: func(s *slot) *link { return &s.user }},
	}
}

// A slot is where a record lives, with all that belongs to it.
type slot struct {
	rec     handoff.Record // its ID never changes
	history history
	cursors []*cursor
	look    mark // in due or, while it is claimed, in claimed

	state, agent, user link // in their chains
}

// find returns the slot of a record, or nil.
func (s *Store) find(id handoff.ID) *slot {
	slots := s.conversations.m[id.Conversation]
	// Nearly every call is about the latest one.
	if n := len(slots); n > 0 && slots[n-1].rec.ID.Number == id.Number {
		return slots[n-1]
	}
	if i, ok := search(slots, id.Number); ok {
		return slots[i]
	}
	return nil
}

func search(slots []*slot, number int64) (int, bool) {
	return slices.BinarySearchFunc(slots, number, func(s *slot, number int64) int {
		switch {
		case s.rec.ID.Number < number:
			return -1
		case s.rec.ID.Number > number:
			return 1
		}
		return 0
	})
}

// Get implements [handoff.Store].
func (s *Store) Get(ctx context.Context, id handoff.ID) (handoff.Record, error) {
	if err := ctx.Err(); err != nil {
		return handoff.Record{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if sl := s.find(id); sl != nil {
		return sl.rec, nil
	}
	return handoff.Record{}, handoff.ErrNotFound
}

// Latest implements [handoff.Store].
func (s *Store) Latest(ctx context.Context, conversation string) (handoff.Record, error) {
	if err := ctx.Err(); err != nil {
		return handoff.Record{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if slots := s.conversations.m[conversation]; len(slots) > 0 {
		return slots[len(slots)-1].rec, nil
	}
	return handoff.Record{}, handoff.ErrNotFound
}

// Log implements [handoff.Store].
func (s *Store) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if sl := s.find(id); sl != nil {
		return sl.history.after(after, limit), nil
	}
	return nil, nil
}

// Entry implements [handoff.Store].
func (s *Store) Entry(ctx context.Context, id handoff.ID, entry string) (handoff.RecordEntry, error) {
	if err := ctx.Err(); err != nil {
		return handoff.RecordEntry{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if sl := s.find(id); sl != nil {
		if e := sl.history.find(entry); e != nil {
			return *e, nil
		}
	}
	return handoff.RecordEntry{}, handoff.ErrNotFound
}
