package pgstore

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/seed-2a427302/handoff"
)

// Erase is handoff.Store's. The tombstone is saved as version tomb.Version+1,
// as a commit would.
func (s *Store) Erase(ctx context.Context, conversation string, tomb handoff.Record) error {
	if len(tomb.Keys) > 0 || len(tomb.Owed) > 0 {
		return errors.New("pgstore: a tombstone holds no keys and owes nothing")
	}
	if err := checkNames(&tomb, nil); err != nil {
		return err
	}
	if !clean(conversation) {
		return handoff.ErrConflict
	}
	err := pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error {
		// Under the locks nothing is inserted or changed meanwhile.
		if _, err := tx.Exec(ctx, s.sql.lock, sorted([]string{conversation, tomb.ID.Conversation}), []string{}); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, s.sql.versions, conversation)
		if err != nil {
			return err
		}
		var conversations []string
		var numbers []int64
		var number, version int64
		if _, err := pgx.ForEachRow(rows, []any{&number, &version}, func() error {
			conversations, numbers = append(conversations, conversation), append(numbers, number)
			return nil
		}); err != nil {
			return err
		}
		if len(numbers) == 0 || number != tomb.ID.Number || version != tomb.Version {
			return handoff.ErrConflict
		}
		conversations, numbers = append(conversations, tomb.ID.Conversation), append(numbers, tomb.ID.Number)
		if _, err := tx.Exec(ctx, s.sql.remove, conversations, numbers); err != nil {
			return err
		}
		r := tomb
		r.Version++
		_, err = tx.Exec(ctx, s.sql.tomb, recordArgs(r)...)
		return err
	})
	if errors.Is(err, handoff.ErrConflict) {
		return handoff.ErrConflict
	}
	return wrap("erase", tooLong(err, names(&tomb, nil)))
}

// Delete is handoff.Store's.
func (s *Store) Delete(ctx context.Context, id handoff.ID, version int64) error {
	if !clean(id.Conversation) {
		return nil
	}
	err := pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, s.sql.lock, []string{id.Conversation}, []string{}); err != nil {
			return err
		}
		var have int64
		err := tx.QueryRow(ctx, s.sql.version, id.Conversation, id.Number).Scan(&have)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if have != version {
			return handoff.ErrConflict
		}
		_, err = tx.Exec(ctx, s.sql.remove, []string{id.Conversation}, []int64{id.Number})
		return err
	})
	if errors.Is(err, handoff.ErrConflict) {
		return handoff.ErrConflict
	}
	return wrap("delete", err)
}
