package memstore

import (
	"context"
	"errors"
	"slices"

	"github.com/seed-2a427302/handoff"
)

// Mistakes of the caller. They leave the store as it was.
var (
	errNoEntry = errors.New("memstore: a commit needs at least one entry")
	errGap     = errors.New("memstore: the entries do not continue the log up to the record's Seq")
	errTwice   = errors.New("memstore: a key occurs twice in one record")
)

// Commit implements [handoff.Store].
func (s *Store) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	work, err := s.commit(&r, entries)
	s.mu.Unlock()
	if err == nil {
		s.audience.tell(&r, work)
	}
	return err
}

// CommitBatch implements [handoff.BatchCommitter].
func (s *Store) CommitBatch(ctx context.Context, items []handoff.Item) []error {
	errs := make([]error, len(items))
	if err := ctx.Err(); err != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	work := make([]bool, len(items))
	s.mu.Lock()
	for i := range items {
		work[i], errs[i] = s.commit(&items[i].Record, items[i].Entries)
	}
	s.mu.Unlock()
	for i := range items {
		if errs[i] == nil {
			s.audience.tell(&items[i].Record, work[i])
		}
	}
	return errs
}

// commit checks everything before it changes anything. It reports whether the
// record's queue may have work because of it.
func (s *Store) commit(r *handoff.Record, entries []handoff.RecordEntry) (work bool, err error) {
	sl := s.find(r.ID)
	var stored handoff.Record
	old := &stored
	if sl != nil {
		old = &sl.rec
	}
	if (sl == nil) != (r.Version == 0) || old.Version != r.Version {
		return false, handoff.ErrConflict
	}
	if err := checkNumbers(old.Seq, r.Seq, entries); err != nil {
		return false, err
	}
	if err := s.checkKeys(r, old); err != nil {
		return false, err
	}
	if err := checkIDs(sl, entries); err != nil {
		return false, err
	}
	if sl == nil {
		sl = s.insert(r)
		work = r.Line != ""
	} else {
		work = s.update(sl, r)
	}
	sl.history.add(entries)
	s.owe(sl)
	s.rest(sl)
	return work, nil
}

func checkNumbers(before, after int64, entries []handoff.RecordEntry) error {
	if len(entries) == 0 {
		return errNoEntry
	}
	for i := range entries {
		if entries[i].Seq != before+1+int64(i) {
			return errGap
		}
	}
	if after != before+int64(len(entries)) {
		return errGap
	}
	return nil
}

func checkIDs(sl *slot, entries []handoff.RecordEntry) error {
	for i := range entries {
		if sl != nil && sl.history.find(entries[i].ID) != nil {
			return handoff.ErrDuplicate
		}
		for j := range i {
			if entries[j].ID == entries[i].ID {
				return handoff.ErrDuplicate
			}
		}
	}
	return nil
}

// insert makes a slot for r and puts it into every index but the agendas.
func (s *Store) insert(r *handoff.Record) *slot {
	sl := &slot{rec: *r}
	sl.rec.Version++
	sl.look.slot = sl
	slots := s.conversations.m[r.ID.Conversation]
	i, _ := search(slots, r.ID.Number)
	s.conversations.put(r.ID.Conversation, slices.Insert(slots, i, sl))
	s.created.insert(item{0, r.Created.UnixMilli(), sl})
	s.enter(sl)
	s.states.add(string(r.State), sl)
	if r.Agent != "" {
		s.agents.add(r.Agent, sl)
	}
	if r.User != "" {
		s.users.add(r.User, sl)
	}
	s.take(sl, nil)
	return sl
}

// update replaces the record of a slot. It touches only the indexes that
// change. It reports whether the record now stands somewhere else in a line or
// gave units of a key back.
func (s *Store) update(sl *slot, r *handoff.Record) (work bool) {
	old := &sl.rec
	moved := old.Line != r.Line || old.Queue != r.Queue || old.Priority != r.Priority || !old.Since.Equal(r.Since)
	recreated := !old.Created.Equal(r.Created)
	if moved {
		s.leave(sl)
	}
	if recreated {
		s.created.remove(item{0, old.Created.UnixMilli(), sl})
	}
	if old.State != r.State {
		s.states.remove(string(old.State), sl)
		s.states.add(string(r.State), sl)
	}
	if old.Agent != r.Agent {
		if old.Agent != "" {
			s.agents.remove(old.Agent, sl)
		}
		if r.Agent != "" {
			s.agents.add(r.Agent, sl)
		}
	}
	if old.User != r.User {
		if old.User != "" {
			s.users.remove(old.User, sl)
		}
		if r.User != "" {
			s.users.add(r.User, sl)
		}
	}
	keys := old.Keys
	sl.rec = *r
	sl.rec.Version++
	freed := s.take(sl, keys)
	if recreated {
		s.created.insert(item{0, r.Created.UnixMilli(), sl})
	}
	if moved {
		s.enter(sl)
	}
	return freed || moved && r.Line != ""
}

// remove takes a slot out of every index. The caller takes it out of its
// conversation.
func (s *Store) remove(sl *slot) {
	r := &sl.rec
	s.leave(sl)
	s.created.remove(item{0, r.Created.UnixMilli(), sl})
	s.states.remove(string(r.State), sl)
	if r.Agent != "" {
		s.agents.remove(r.Agent, sl)
	}
	if r.User != "" {
		s.users.remove(r.User, sl)
	}
	keys := r.Keys
	r.Keys = nil
	s.take(sl, keys)
	sl.look.drop()
	for _, c := range sl.cursors {
		s.unwatch(c)
	}
	// An agenda may remember the slot for a while. It must not keep more.
	sl.rec, sl.history, sl.cursors = handoff.Record{ID: r.ID}, history{}, nil
}

// rest ends a running claim and makes sure that the slot is looked at when its
// time comes.
func (s *Store) rest(sl *slot) {
	if sl.look.in == &s.claimed {
		sl.look.drop()
		for _, c := range sl.cursors {
			s.watch(c)
		}
	}
	if !sl.rec.Wake.IsZero() {
		s.due.put(&sl.look, sl.rec.Wake.UnixMilli())
	}
}
