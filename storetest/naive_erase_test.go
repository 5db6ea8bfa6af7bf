package storetest

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

func (s *naive) Erase(ctx context.Context, conversation string, tomb handoff.Record) error {
	if err := ctx.Err(); err != nil {
		if s.is("Erase is done and fails when its context has ended") {
			_ = s.Erase(context.WithoutCancel(ctx), conversation, tomb)
		}
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var gone []*naiveRecord
	for _, r := range s.all() {
		if s.name(r.ID.Conversation) == s.name(conversation) || s.is("Erase by prefix") && strings.HasPrefix(r.ID.Conversation, conversation) {
			gone = append(gone, r)
		}
	}
	slices.SortFunc(gone, func(a, b *naiveRecord) int { return int(a.ID.Number - b.ID.Number) })
	var last *naiveRecord
	if len(gone) > 0 {
		last = gone[len(gone)-1]
	}
	switch {
	case last == nil && s.is("Erase of nothing succeeds"):
		return nil
	case last == nil:
		return handoff.ErrConflict
	case last.ID.Number != tomb.ID.Number && !s.is("Erase ignores the number"),
		last.Version != tomb.Version && !s.is("Erase ignores the version") && (tomb.Version < last.Version || !s.is("Erase accepts newer versions")):
		if s.is("Erase ignores the number") || !s.is("an Erase that fails removes logs") {
			if s.is("an Erase that fails saves the tombstone") {
				s.bury(tomb)
			}
			if s.is("an Erase that fails frees keys") {
				for _, r := range gone {
					r.Keys = nil
				}
			}
			if s.is("an Erase that fails removes the tombstone that is there") {
				delete(s.records, s.id(tomb.ID))
				s.sorted = nil
			}
			if s.is("an Erase that fails clears cursors") {
				for _, r := range gone {
					r.cursors = make(map[string]*naiveCursor)
				}
			}
			return handoff.ErrConflict
		}
		for _, r := range gone {
			r.log = nil
		}
		return handoff.ErrConflict
	}
	for i, r := range gone {
		switch {
		case s.is("Erase removes the latest only") && i < len(gone)-1:
			continue
		case s.is("Erase leaves records from 10 on") && r.ID.Number >= 10:
			continue
		}
		s.forget(r, "Erase")
	}
	if s.is("Erase refuses a tombstone that is there") && s.find(tomb.ID) != nil {
		return handoff.ErrConflict
	}
	s.bury(tomb)
	return nil
}

func (s *naive) bury(tomb handoff.Record) {
	if s.is("no tombstone is saved") {
		return
	}
	old := s.find(tomb.ID)
	if old != nil {
		switch s.bug {
		case "a tombstone that is there stays":
			return
		case "a tombstone that is there keeps its log":
			log := old.log
			s.put(nil, tomb, tomb.Version+1).log = log
			return
		case "a tombstone that is there keeps its keys":
			for _, k := range old.Keys {
				s.held[k.Name] = append(s.held[k.Name], handoff.Holding{Key: k.Name, ID: old.ID, Units: k.Units})
			}
		case "a tombstone that is there keeps its cursors":
			cursors := old.cursors
			s.put(nil, tomb, tomb.Version+1).cursors = cursors
			return
		case "a tombstone that is there keeps its user":
			tomb.User = old.User
		}
		delete(s.records, s.id(tomb.ID))
		s.sorted = nil
	}
	if s.is("a tombstone is never due") {
		tomb.Wake = tomb.Wake.AddDate(100, 0, 0)
	}
	if s.is("the tombstone's conversation is replaced whole") {
		maps.DeleteFunc(s.records, func(id handoff.ID, _ *naiveRecord) bool { return id.Conversation == tomb.ID.Conversation })
		s.sorted = nil
	}
	s.put(nil, tomb, tomb.Version+1)
}

// forget removes a record, with a bug for each part that may stay.
func (s *naive) forget(r *naiveRecord, verb string) {
	delete(s.records, s.id(r.ID))
	s.sorted = nil
	s.erased = append(s.erased, r)
	left := &naiveRecord{Record: handoff.Record{ID: r.ID}, cursors: make(map[string]*naiveCursor)}
	switch s.bug {
	case verb + " leaves the log":
		left.log = r.log
		s.orphans[s.id(r.ID)] = left
	case verb + " leaves the last entry":
		left.log = r.log[len(r.log)-1:]
		s.orphans[s.id(r.ID)] = left
	case verb + " leaves the keys":
		for _, k := range r.Keys {
			s.held[k.Name] = append(s.held[k.Name], handoff.Holding{Key: k.Name, ID: r.ID, Units: k.Units})
		}
	case verb + " leaves exclusive keys":
		for _, k := range r.Keys {
			if k.Max == 1 {
				s.held[k.Name] = append(s.held[k.Name], handoff.Holding{Key: k.Name, ID: r.ID, Units: k.Units})
			}
		}
	case verb + " leaves the cursors":
		s.cursorsLeft(r)
	case verb + " leaves the record":
		s.records[s.id(r.ID)] = r
		s.sorted = nil
	case verb + " leaves the user's list":
		hidden := *r
		hidden.Record = handoff.Record{ID: r.ID, User: r.User, Created: r.Created}
		hidden.ID.Number = -r.ID.Number
		hidden.ID = r.ID
		s.records[handoff.ID{Conversation: "\x00" + r.ID.Conversation, Number: r.ID.Number}] = &hidden
		s.sorted = nil
	case verb + " leaves the line":
		hidden := *r
		hidden.Record = handoff.Record{ID: handoff.ID{Conversation: "ghost", Number: 1}, Queue: r.Queue, Line: r.Line, Created: r.Created}
		s.records[handoff.ID{Conversation: "\x00" + r.ID.Conversation, Number: r.ID.Number}] = &hidden
		s.sorted = nil
	case verb + " leaves Wake":
		hidden := *r
		hidden.Record = handoff.Record{ID: r.ID, Wake: r.Wake, Created: r.Created}
		s.records[handoff.ID{Conversation: "\x00" + r.ID.Conversation, Number: r.ID.Number}] = &hidden
		s.sorted = nil
	}
}

// cursorsLeft lets the next record of that id begin with the cursors of r.
func (s *naive) cursorsLeft(r *naiveRecord) {
	s.orphans[s.id(r.ID)] = &naiveRecord{Record: handoff.Record{ID: r.ID}, cursors: r.cursors}
}

func (s *naive) Delete(ctx context.Context, id handoff.ID, version int64) error {
	if err := ctx.Err(); err != nil {
		if s.is("Delete is done and fails when its context has ended") {
			_ = s.Delete(context.WithoutCancel(ctx), id, version)
		}
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(id)
	switch {
	case r == nil && s.is("Delete of nothing is an error"):
		return handoff.ErrNotFound
	case r == nil && s.is("Delete of nothing is a conflict"):
		return handoff.ErrConflict
	case r == nil:
		return nil
	case r.Version != version && !s.is("Delete ignores the version") && (version != 0 || !s.is("Delete of version 0 is unconditional")):
		if s.is("a Delete that fails frees keys") {
			r.Keys = nil
		}
		if s.is("a Delete that fails removes the log") {
			r.log = nil
		}
		if s.is("a Delete that fails is silent") {
			return nil
		}
		return handoff.ErrConflict
	}
	if s.is("Delete removes the conversation") {
		for _, other := range s.all() {
			if other.ID.Conversation == id.Conversation {
				s.forget(other, "Delete")
			}
		}
	}
	s.forget(r, "Delete")
	return nil
}

func (s *naive) Listen(ctx context.Context, f func(handoff.Hint)) error {
	switch s.bug {
	case "Listen never ends":
		<-s.closed
		return nil
	case "Listen returns at once":
		return errNaive
	case "Listen tells of nothing":
		f(handoff.Hint{})
	case "Listen tells of what is not there":
		f(handoff.Hint{ID: handoff.ID{Conversation: "nobody", Number: 1}})
	case "Listen tells a version before it is made":
		s.tellAll(ctx, f, handoff.Hint{Version: 1})
	case "Listen tells another line":
		s.tellAll(ctx, f, handoff.Hint{Line: "x"})
	case "Listen names the queue of who is asked", "Listen names the queue of who has somebody":
		s.tellAll(ctx, f, handoff.Hint{})
	}
	<-ctx.Done()
	if s.is("Listen goes on after its end") {
		go func() {
			for range 1000 {
				runtime.Gosched()
				f(handoff.Hint{Queue: "q"})
			}
		}()
	}
	if s.is("Listen gives the context's error") {
		return ctx.Err()
	}
	return nil
}

// tellAll tells of every record, and more than is so.
func (s *naive) tellAll(ctx context.Context, f func(handoff.Hint), more handoff.Hint) {
	for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		all := s.all()
		s.mu.Unlock()
		for _, r := range all {
			h := handoff.Hint{ID: r.ID, Version: r.Version + more.Version, Line: r.Line + more.Line}
			if r.Agent == "" || s.is("Listen names the queue of who is asked") && r.Line != "" || s.is("Listen names the queue of who has somebody") && r.Line == "" {
				h.Queue = r.Queue
			}
			f(h)
		}
	}
}
