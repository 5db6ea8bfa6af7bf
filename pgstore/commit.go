package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-2a427302/handoff"
)

// Mistakes of the caller. They leave the store as it was.
var (
	errNoEntry = errors.New("pgstore: a commit needs at least one entry")
	errGap     = errors.New("pgstore: the entries do not continue the log up to the record's Seq")
)

// Commit is handoff.Store's. When many callers commit at once, their commits
// travel together.
func (s *Store) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	var err error
	if n := s.busy.Add(1); n > s.crowd && s.group.open() {
		err = s.group.commit(ctx, handoff.Item{Record: r, Entries: entries})
	} else {
		err = s.commitOne(ctx, r, entries)
	}
	s.busy.Add(-1)
	if err == nil {
		s.hints.add(r)
	}
	return err
}

func (s *Store) commitOne(ctx context.Context, r handoff.Record, entries []handoff.RecordEntry) error {
	if err := check(r, entries); err != nil {
		return err
	}
	var answer, detail string
	err := s.guarded(ctx, names(&r, entries), func(db db) error {
		return db.QueryRow(ctx, s.sql.commit, commitArgs(r, entries)...).Scan(&answer, &detail)
	})
	if err != nil {
		return wrap("commit", err)
	}
	return s.answer(ctx, answer, detail)
}

// check finds what no stored record could make right.
func check(r handoff.Record, entries []handoff.RecordEntry) error {
	if len(entries) == 0 {
		return errNoEntry
	}
	for i := range entries {
		if entries[i].Seq != r.Seq-int64(len(entries)-1-i) {
			return errGap
		}
	}
	return checkNames(&r, entries)
}

// answer turns handoff_commit's word into an error.
func (s *Store) answer(ctx context.Context, answer, detail string) error {
	switch answer {
	case "ok":
		return nil
	case "conflict":
		return handoff.ErrConflict
	case "duplicate":
		return handoff.ErrDuplicate
	case "gap":
		return errGap
	case "isolation":
		return wrap("commit", ErrIsolation)
	case "held":
		// Who holds it is a courtesy; that it is held is the answer.
		holders, err := s.Holders(ctx, detail)
		if err != nil {
			holders = nil
		}
		return &handoff.HeldError{Key: detail, Holders: holders}
	}
	return fmt.Errorf("pgstore: commit: unknown answer %q", answer)
}
