package redisstore

import (
	"context"
	"errors"
	"strconv"

	"github.com/seed-2a427302/handoff"
)

// Erase is handoff.Store's. The tombstone is saved as version tomb.Version+1,
// as a commit would.
func (s *Store) Erase(ctx context.Context, conversation string, tomb handoff.Record) error {
	if len(tomb.Keys) > 0 || len(tomb.Owed) > 0 {
		return errors.New("redisstore: a tombstone holds no keys and owes nothing")
	}
	if err := names(&tomb, nil); err != nil {
		return err
	}
	if !clean(conversation) {
		return handoff.ErrConflict
	}
	args := []any{"all", number19(tomb.ID.Number), strconv.FormatInt(tomb.Version, 10), conversation, rid(tomb.ID)}
	return s.remove(ctx, "erase", fields(args, &tomb))
}

// Delete is handoff.Store's.
func (s *Store) Delete(ctx context.Context, id handoff.ID, version int64) error {
	if !clean(id.Conversation) || id.Number < 0 {
		return nil
	}
	return s.remove(ctx, "delete", []any{"one", "", strconv.FormatInt(version, 10), rid(id)})
}

func (s *Store) remove(ctx context.Context, op string, args []any) error {
	v, err := s.run(ctx, eraseScript, args...)
	if err != nil {
		return wrap(ctx, op, err)
	}
	if text(v) == "conflict" {
		return handoff.ErrConflict
	}
	return nil
}
