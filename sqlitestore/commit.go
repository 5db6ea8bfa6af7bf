package sqlitestore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/seed-2a427302/handoff"
)

// Limits: of a log, and of what other processes are told.
const (
	mostEntries = 1<<24 - 1
	changes     = 128
)

// check finds what no stored record could make right.
func check(r *handoff.Record, entries []handoff.RecordEntry) error {
	if len(entries) == 0 {
		return errNoEntry
	}
	for i := range entries {
		if entries[i].Seq != r.Seq-int64(len(entries)-1-i) {
			return errGap
		}
		if !isName(entries[i].ID) {
			return badName("entry")
		}
	}
	return checkNames(r)
}

// stored is what a commit has to know of the record that is there.
type stored struct {
	rec, version, seq              int64
	queue, state, agent, usr, line string
	rank, since, created           int64
	wake                           sql.NullInt64
	held, owed                     string
	again                          bool // it has an entry with the first id already
}

// commit judges one commit and, if nothing speaks against it, makes it. All
// checks come before the first write, so that who is refused has written
// nothing. A refusal is answer; err is anything else.
func (s *Store) commit(ctx context.Context, w runner, r *handoff.Record, entries []handoff.RecordEntry) (answer, err error) {
	var old stored
	err = w.one(ctx, s.sql.stored, []any{entries[0].ID, r.ID.Conversation, r.ID.Number}, &old.rec, &old.version, &old.seq, &old.queue, &old.state,
		&old.agent, &old.usr, &old.line, &old.rank, &old.since, &old.created, &old.wake, &old.held, &old.owed, &old.again)
	isNew := errors.Is(err, sql.ErrNoRows)
	switch {
	case err != nil && !isNew:
		return nil, err
	case isNew != (r.Version == 0), old.version != r.Version:
		return handoff.ErrConflict, nil
	case old.seq != r.Seq-int64(len(entries)):
		return errGap, nil
	case r.Seq > mostEntries:
		return errLong, nil
	}
	lists := encodeLists(r)
	var had []handoff.Key
	if !isNew && lists.held != old.held {
		if had, err = decodeKeys(old.held); err != nil {
			return nil, err
		}
	}
	if isNew || lists.held != old.held {
		if answer, err = s.judgeKeys(ctx, w, old.rec, had, r.Keys); answer != nil || err != nil {
			return answer, err
		}
	}
	if answer, err = s.judgeEntries(ctx, w, &old, isNew, entries); answer != nil || err != nil {
		return answer, err
	}

	switch {
	case isNew:
		old.rec, err = w.exec(ctx, s.sql.insert, recordArgs(r, 1, lists)...)
	case old.stays(r):
		err = do(ctx, w, s.sql.chat, r.Version+1, r.Seq, string(r.Outcome), lists.tags, stamp(r.Updated), lists.held, lists.owed, bytes(r.Body), old.rec)
	default:
		err = do(ctx, w, s.sql.update, r.Version+1, r.Seq, string(r.Outcome), lists.tags, stamp(r.Updated), lists.held, lists.owed, bytes(r.Body),
			r.Queue, string(r.State), r.Agent, r.User, r.Line, ^int64(r.Priority), stamp(r.Since), stamp(r.Created), wake(r.Wake), old.rec)
	}
	if err != nil {
		return nil, err
	}
	for i := range entries {
		e := &entries[i]
		if err := do(ctx, w, s.sql.addEntry, old.rec<<24|e.Seq, e.ID, stamp(e.At), bytes(e.Body)); err != nil {
			return nil, err
		}
	}
	n, err := w.exec(ctx, s.sql.addChange, old.rec)
	if err != nil {
		return nil, err
	}
	if n%changes == 0 {
		if err := do(ctx, w, s.sql.oldChange, n-changes); err != nil {
			return nil, err
		}
	}
	s.hints.own(n)
	if isNew || lists.held != old.held {
		if err := s.writeKeys(ctx, w, old.rec, had, r.Keys); err != nil {
			return nil, err
		}
	}
	return nil, s.owe(ctx, w, old.rec, isNew, old.owed, r.Owed, entries)
}

// stays reports whether r has the same place in every index.
func (o *stored) stays(r *handoff.Record) bool {
	return o.queue == r.Queue && o.state == string(r.State) && o.agent == r.Agent && o.usr == r.User && o.line == r.Line &&
		o.rank == ^int64(r.Priority) && o.since == stamp(r.Since) && o.created == stamp(r.Created) &&
		o.wake.Valid == !r.Wake.IsZero() && (r.Wake.IsZero() || o.wake.Int64 == stamp(r.Wake))
}

func units(keys []handoff.Key, name string) int {
	for _, k := range keys {
		if k.Name == name {
			return k.Units
		}
	}
	return 0
}

// judgeKeys answers a *HeldError when more would be taken than there is.
func (s *Store) judgeKeys(ctx context.Context, w runner, rec int64, had, want []handoff.Key) (answer, err error) {
	for _, k := range want {
		if k.Units <= units(had, k.Name) {
			continue
		}
		var used int64
		if err := w.one(ctx, s.sql.used, []any{k.Name, rec}, &used); err != nil {
			return nil, err
		}
		if used+int64(k.Units) > int64(k.Max) {
			held := &handoff.HeldError{Key: k.Name}
			if held.Holders, err = s.holders(ctx, w, k.Name); err != nil {
				return nil, err
			}
			return held, nil
		}
	}
	return nil, nil
}

func (s *Store) writeKeys(ctx context.Context, w runner, rec int64, had, want []handoff.Key) error {
	for _, k := range want {
		if k.Units != units(had, k.Name) {
			if err := do(ctx, w, s.sql.setKey, k.Name, rec, k.Units); err != nil {
				return err
			}
		}
	}
	for _, k := range had {
		if units(want, k.Name) == 0 {
			if err := do(ctx, w, s.sql.dropKey, k.Name, rec); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) judgeEntries(ctx context.Context, w runner, old *stored, isNew bool, entries []handoff.RecordEntry) (answer, err error) {
	for i := range entries {
		for j := range i {
			if entries[i].ID == entries[j].ID {
				return handoff.ErrDuplicate, nil
			}
		}
		if isNew {
			continue
		}
		there := old.again // of the first one; most commits have no other
		if i > 0 {
			if err := w.one(ctx, s.sql.hasEntry, []any{old.rec, entries[i].ID}, &there); err != nil {
				return nil, err
			}
		}
		if there {
			return handoff.ErrDuplicate, nil
		}
	}
	return nil, nil
}
