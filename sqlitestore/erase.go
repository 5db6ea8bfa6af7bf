package sqlitestore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/seed-2a427302/handoff"
)

// Erase is handoff.Store's. The tombstone is saved as version tomb.Version+1,
// as a commit would.
func (s *Store) Erase(ctx context.Context, conversation string, tomb handoff.Record) error {
	if len(tomb.Keys) > 0 || len(tomb.Owed) > 0 {
		return errors.New("sqlitestore: erase: a tombstone holds no keys and owes nothing")
	}
	if err := checkNames(&tomb); err != nil {
		return wrap("erase", err)
	}
	type row struct{ rec, number, version int64 }
	err := s.change(ctx, durable, func(ctx context.Context, w runner) error {
		rows, err := w.query(ctx, s.sql.versions, conversation)
		list, err := collect(rows, err, func(rows *sql.Rows) (r row, err error) {
			err = rows.Scan(&r.rec, &r.number, &r.version)
			return r, err
		})
		if err != nil {
			return err
		}
		if len(list) == 0 || list[len(list)-1].number != tomb.ID.Number || list[len(list)-1].version != tomb.Version {
			return handoff.ErrConflict
		}
		var there int64
		err = w.one(ctx, s.sql.find, []any{tomb.ID.Conversation, tomb.ID.Number}, &there)
		switch {
		case err == nil && tomb.ID.Conversation != conversation:
			list = append(list, row{rec: there})
		case err != nil && !errors.Is(err, sql.ErrNoRows):
			return err
		}
		for _, r := range list {
			if err := s.remove(ctx, w, r.rec); err != nil {
				return err
			}
		}
		return do(ctx, w, s.sql.insert, recordArgs(&tomb, tomb.Version+1, encodeLists(&tomb))...)
	})
	if err == nil && s.write != nil {
		s.write.scrub(ctx)
	}
	return removed("erase", err)
}

// Delete is handoff.Store's.
func (s *Store) Delete(ctx context.Context, id handoff.ID, version int64) error {
	return removed("delete", s.change(ctx, durable, func(ctx context.Context, w runner) error {
		var rec, have int64
		err := w.one(ctx, s.sql.version, []any{id.Conversation, id.Number}, &rec, &have)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil:
			return err
		case have != version:
			return handoff.ErrConflict
		}
		return s.remove(ctx, w, rec)
	}))
}

func (s *Store) remove(ctx context.Context, w runner, rec int64) error {
	for _, q := range s.sql.remove {
		if err := do(ctx, w, q, rec); err != nil {
			return err
		}
	}
	return nil
}

func removed(op string, err error) error {
	if errors.Is(err, handoff.ErrConflict) {
		return handoff.ErrConflict
	}
	return wrap(op, err)
}
