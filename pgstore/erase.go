package pgstore

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/seed-2a427302/handoff"
)

func sortByWake(list []handoff.Record) {
	slices.SortStableFunc(list, func(a, b handoff.Record) int { return a.Wake.Compare(b.Wake) })
}

// Erase is handoff.Store's.
func (s *Store) Erase(ctx context.Context, conversation string, tomb handoff.Record) error {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		// The next number must not be inserted meanwhile.
		_, err := tx.Exec(ctx, "SELECT "+s.sql.schema+".handoff_lock('record', $1)", recordLock(conversation, tomb.ID.Number+1))
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT number, version FROM `+s.sql.schema+`.handoff_record WHERE conversation = $1 ORDER BY number FOR UPDATE`, conversation)
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
		if number != tomb.ID.Number || version != tomb.Version {
			return handoff.ErrConflict
		}
		conversations, numbers = append(conversations, tomb.ID.Conversation), append(numbers, tomb.ID.Number)
		rows, err = tx.Query(ctx, `SELECT number FROM `+s.sql.schema+`.handoff_record WHERE conversation = $1`, tomb.ID.Conversation)
		if err != nil {
			return err
		}
		old, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		for _, n := range old {
			conversations, numbers = append(conversations, tomb.ID.Conversation), append(numbers, n)
		}
		if _, err := tx.Exec(ctx, s.sql.remove, conversations, numbers); err != nil {
			return err
		}
		tomb.Version = 0
		return s.commitOne(ctx, tx, tomb, nil)
	})
	if errors.Is(err, handoff.ErrConflict) {
		return handoff.ErrConflict
	}
	return wrap("erase", err)
}

// Delete is handoff.Store's.
func (s *Store) Delete(ctx context.Context, id handoff.ID, version int64) error {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		var have int64
		err := tx.QueryRow(ctx, `SELECT version FROM `+s.sql.schema+`.handoff_record WHERE conversation = $1 AND number = $2 FOR UPDATE`,
			id.Conversation, id.Number).Scan(&have)
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

// recordLock is the name by which a record is locked.
func recordLock(conversation string, number int64) string {
	return strconv.FormatInt(number, 10) + "\x01" + conversation
}
