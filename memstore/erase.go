package memstore

import (
	"context"
	"slices"

	"github.com/seed-2a427302/handoff"
)

// Erase implements [handoff.Store]. The tombstone is saved as version
// tomb.Version+1, as a commit would.
func (s *Store) Erase(ctx context.Context, conversation string, tomb handoff.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	slots := s.conversations.m[conversation]
	if len(slots) == 0 {
		return handoff.ErrConflict
	}
	latest := &slots[len(slots)-1].rec
	if latest.ID.Number != tomb.ID.Number || latest.Version != tomb.Version {
		return handoff.ErrConflict
	}
	gone := slices.Clone(slots)
	if sl := s.find(tomb.ID); sl != nil && tomb.ID.Conversation != conversation {
		gone = append(gone, sl)
	}
	olds := make([]*handoff.Record, len(gone))
	for i, sl := range gone {
		olds[i] = &sl.rec
	}
	if err := s.checkKeys(&tomb, olds...); err != nil {
		return err
	}
	for _, sl := range gone {
		s.delete(sl)
	}
	sl := s.insert(&tomb)
	s.owe(sl)
	s.rest(sl)
	return nil
}

// Delete implements [handoff.Store].
func (s *Store) Delete(ctx context.Context, id handoff.ID, version int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := s.find(id)
	if sl == nil {
		return nil
	}
	if sl.rec.Version != version {
		return handoff.ErrConflict
	}
	s.delete(sl)
	return nil
}

func (s *Store) delete(sl *slot) {
	id := sl.rec.ID
	s.remove(sl)
	slots := s.conversations.m[id.Conversation]
	if len(slots) == 1 {
		s.conversations.remove(id.Conversation)
		return
	}
	i, _ := search(slots, id.Number)
	s.conversations.put(id.Conversation, slices.Delete(slots, i, i+1))
}
