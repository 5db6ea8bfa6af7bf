package storetest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

var errNaive = errors.New("naive: refused")

func (s *naive) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	if err := ctx.Err(); err != nil {
		if s.is("Commit is done and fails when its context has ended") {
			_ = s.Commit(context.WithoutCancel(ctx), r, entries...)
		}
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(r, entries, s.records)
}

// commit judges against the records in seen.
func (s *naive) commit(r handoff.Record, entries []handoff.RecordEntry, seen map[handoff.ID]*naiveRecord) error {
	id := s.id(r.ID)
	old := seen[id]
	if s.is("unknown states refused") && !slices.Contains(handoff.States(), r.State) {
		return errNaive
	}
	if s.is("a commit that was applied is accepted again") && old != nil && old.Version == r.Version+1 &&
		old.log[len(old.log)-1].ID == entries[len(entries)-1].ID {
		return nil
	}
	checks := []func() error{
		func() error { return s.checkVersion(old, r) },
		func() error { return s.checkShape(old, r, entries) },
		func() error { return s.checkKeys(old, r) },
		func() error { return s.checkIDs(old, r, entries) },
	}
	switch {
	case s.is("keys before the version"):
		checks[0], checks[2] = checks[2], checks[0]
	case s.is("ids before keys"):
		checks[2], checks[3] = checks[3], checks[2]
	case s.is("ids before the version"):
		checks[0], checks[3] = checks[3], checks[0]
	}
	for _, check := range checks {
		if err := check(); err != nil {
			s.leak(old, r, entries, err)
			return err
		}
	}
	s.yield("a commit checks first and writes later")
	if old == nil && s.is("an insert checks first and writes later") || s.is("keys are checked first and written later") && len(r.Keys) > 0 {
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
		if s.bug == "keys are checked first and written later" && s.checkVersion(s.records[id], r) != nil {
			return handoff.ErrConflict
		}
	}
	s.apply(old, r, entries)
	return nil
}

func (s *naive) checkVersion(old *naiveRecord, r handoff.Record) error {
	switch {
	case s.is("the version is not checked") && old != nil:
		return nil
	case s.is("version 0 never fits") && r.Version == 0:
		return handoff.ErrConflict
	case s.is("an insert replaces") && r.Version == 0:
		return nil
	case s.is("an update inserts") && old == nil:
		return nil
	case s.is("a newer version is accepted") && old != nil && r.Version > old.Version:
		return nil
	case s.is("the version before is accepted") && old != nil && r.Version == old.Version-1 && r.Version > 0:
		return nil
	case s.is("an existing record is refused as a duplicate") && old != nil && r.Version == 0:
		return handoff.ErrDuplicate
	case old == nil && r.Version != 0, old != nil && old.Version != r.Version, old != nil && r.Version == 0:
		return handoff.ErrConflict
	}
	return nil
}

func (s *naive) checkShape(old *naiveRecord, r handoff.Record, entries []handoff.RecordEntry) error {
	seq := int64(0)
	if old != nil {
		seq = old.Seq
	}
	if s.is("the version is not checked") || s.is("a newer version is accepted") || s.is("the version before is accepted") ||
		s.is("an insert replaces") || s.is("an update inserts") || s.is("a commit checks first and writes later") {
		return nil // these have other worries
	}
	if len(entries) == 0 && !s.is("a commit without entries is accepted") {
		return errNaive
	}
	for _, e := range entries {
		if seq++; e.Seq != seq && !s.is("a gap is accepted") {
			return errNaive
		}
	}
	if len(entries) > 0 && r.Seq != seq && !s.is("another Seq than the last entry's is accepted") && !s.is("a gap is accepted") {
		return errNaive
	}
	return nil
}

func (s *naive) checkKeys(old *naiveRecord, r handoff.Record) error {
	before := map[string]int{}
	if old != nil {
		for i, k := range old.Keys {
			before[s.name(k.Name)] = k.Units
			if s.is("keys are compared by position") && i < len(r.Keys) {
				before[r.Keys[i].Name] = k.Units
			}
		}
	}
	for i, k := range r.Keys {
		have := before[s.name(k.Name)]
		switch {
		case s.is("keys are not checked"):
			continue
		case s.is("only the first key is checked") && i > 0:
			continue
		case s.is("only new keys are checked") && have > 0:
			continue
		case s.is("keys are checked at the insert only") && old != nil:
			continue
		case s.is("unchanged keys are checked") && k.Units == have && have > 0:
		case s.is("fewer units are checked") && k.Units < have:
		case k.Units <= have:
			continue
		}
		limit, sum := k.Max, 0
		if first, ok := s.limits[k.Name]; ok && s.is("the first maximum counts") {
			limit = first
		}
		holders := s.holders(k.Name)
		if old != nil && s.is("the holder's conversation shares its keys") || s.is("the holder's conversation shares its keys") {
			holders = slices.DeleteFunc(holders, func(h handoff.Holding) bool {
				return h.ID.Conversation == r.ID.Conversation && h.ID != r.ID
			})
		}
		for _, h := range holders {
			switch {
			case s.is("holders count, not units"):
				sum++
			case s.is("the highest units count, not the sum"):
				sum = max(sum, h.Units)
			default:
				sum += h.Units
			}
		}
		more := k.Units - have
		if s.is("more units count as a whole") {
			more = k.Units
		}
		if s.is("holders count, not units") {
			more = 1
		}
		if s.is("one too many") {
			limit++
		}
		if s.is("one too few") && limit > 1 {
			limit--
		}
		if s.is("one holder may have all it wants") && sum == 0 {
			continue
		}
		if sum+more > limit {
			err := &handoff.HeldError{Key: k.Name, Holders: s.holders(k.Name)}
			if s.is("a held key is a conflict") {
				return handoff.ErrConflict
			}
			if s.is("the wrong key is named") {
				err.Key = r.Keys[0].Name + "!"
			}
			if s.is("the wrong holder is named") {
				err.Holders = []handoff.Holding{{Key: k.Name, ID: r.ID, Units: k.Units}}
			}
			return err
		}
	}
	return nil
}

func (s *naive) checkIDs(old *naiveRecord, r handoff.Record, entries []handoff.RecordEntry) error {
	if s.is("known entries are accepted") {
		return nil
	}
	log := []handoff.RecordEntry(nil)
	if old != nil {
		log = old.log
	}
	if s.is("entry ids are unique over all records") {
		for _, r := range s.all() {
			log = append(slices.Clip(log), r.log...)
		}
	}
	if s.is("entries joined by a colon") {
		for _, other := range s.all() {
			for _, e := range other.log {
				for _, mine := range entries {
					if joined(other.ID, e.ID) == joined(r.ID, mine.ID) {
						return handoff.ErrDuplicate
					}
				}
			}
		}
	}
	if s.is("the newest 50 entries are checked") {
		log = log[max(0, len(log)-50):]
	}
	if s.is("the last entry is checked") && len(log) > 0 {
		log = log[len(log)-1:]
	}
	for i, e := range entries {
		if i > 0 && s.is("only the first id is checked") || i < len(entries)-1 && s.is("only the last id is checked") {
			continue
		}
		for _, known := range log {
			if s.name(known.ID) == s.name(e.ID) {
				if s.is("a duplicate is a conflict") {
					return handoff.ErrConflict
				}
				return handoff.ErrDuplicate
			}
		}
		for _, other := range entries[:i] {
			if other.ID == e.ID && !s.is("twins are accepted") {
				return handoff.ErrDuplicate
			}
		}
	}
	return nil
}

// leak is what commits that fail leave behind, with a bug for each part.
func (s *naive) leak(old *naiveRecord, r handoff.Record, entries []handoff.RecordEntry, why error) {
	held := (*handoff.HeldError)(nil)
	conflict, duplicate := errors.Is(why, handoff.ErrConflict), errors.Is(why, handoff.ErrDuplicate)
	isHeld := errors.As(why, &held)
	if !conflict && !duplicate && !isHeld {
		return
	}
	version := int64(0)
	if old != nil {
		version = old.Version
	}
	switch s.bug {
	case "a held commit saves the record":
		if isHeld {
			r.Keys = nil
			if old != nil {
				r.Keys = old.Keys
			}
			s.put(old, r, version)
		}
	case "a held insert leaves an empty record":
		if isHeld && old == nil {
			s.put(nil, handoff.Record{ID: r.ID}, 0)
		}
	case "a held commit keeps the keys before it":
		if isHeld {
			for _, k := range r.Keys {
				if k.Name == held.Key {
					break
				}
				s.held[k.Name] = append(s.held[k.Name], handoff.Holding{Key: k.Name, ID: r.ID, Units: k.Units})
			}
		}
	case "a held commit gives the old keys back":
		if isHeld && old != nil {
			old.Keys = slices.DeleteFunc(slices.Clone(old.Keys), func(k handoff.Key) bool {
				return !slices.ContainsFunc(r.Keys, func(n handoff.Key) bool { return n.Name == k.Name })
			})
		}
	case "a held commit gives fewer units back":
		if isHeld && old != nil {
			old.Keys = slices.Clone(old.Keys)
			for i, k := range old.Keys {
				for _, n := range r.Keys {
					if n.Name == k.Name && n.Units < k.Units {
						old.Keys[i].Units = n.Units
					}
				}
			}
		}
	case "a held commit appends its entries":
		if isHeld && old != nil {
			old.log = append(old.log, entries...)
		}
	case "a duplicate commit saves the record":
		if duplicate && old != nil {
			r.Keys = old.Keys
			s.put(old, r, version)
		}
	case "a duplicate commit takes its keys":
		if duplicate {
			for _, k := range r.Keys {
				s.held[k.Name] = append(s.held[k.Name], handoff.Holding{Key: k.Name, ID: r.ID, Units: k.Units})
			}
		}
	case "a duplicate commit gives its keys back":
		if duplicate && old != nil {
			old.Keys = nil
		}
	case "a duplicate commit appends the new entries":
		if duplicate && old != nil {
			for _, e := range entries {
				if s.checkIDs(old, r, []handoff.RecordEntry{e}) != nil {
					break
				}
				old.log = append(old.log, e)
			}
		}
	case "a failed commit moves Wake":
		if old != nil && !conflict {
			old.Wake = r.Wake
		}
	case "a failed commit moves the line":
		if old != nil && !conflict {
			old.Queue, old.Line, old.Priority, old.Since = r.Queue, r.Line, r.Priority, r.Since
		}
	case "a failed commit is owed":
		if old != nil && !conflict {
			old.Owed = r.Owed
		}
	case "a failed commit raises the version":
		if old != nil && !conflict {
			old.Version++
		}
	case "a failed commit uses numbers up":
		if old != nil && !conflict {
			old.Seq += int64(len(entries))
		}
	case "a conflict saves the record":
		if conflict && old != nil {
			r.Keys = old.Keys
			s.put(old, r, version)
		}
	case "a conflict appends its entries":
		if conflict && old != nil {
			old.log = append(old.log, entries...)
		}
	case "a conflict takes its keys":
		if conflict {
			for _, k := range r.Keys {
				s.held[k.Name] = append(s.held[k.Name], handoff.Holding{Key: k.Name, ID: r.ID, Units: k.Units})
			}
		}
	case "a conflict gives its keys back":
		if conflict && old != nil {
			old.Keys = slices.DeleteFunc(slices.Clone(old.Keys), func(k handoff.Key) bool {
				return !slices.ContainsFunc(r.Keys, func(n handoff.Key) bool { return n.Name == k.Name })
			})
		}
	}
}

// put saves a record without its entries.
func (s *naive) put(old *naiveRecord, r handoff.Record, version int64) *naiveRecord {
	if old == nil {
		old = &naiveRecord{cursors: make(map[string]*naiveCursor)}
		if left := s.orphans[s.id(r.ID)]; left != nil && (strings.HasSuffix(s.bug, " leaves the cursors") || s.is("an Ack of nothing is kept")) {
			old.cursors = left.cursors
		}
		s.records[s.id(r.ID)] = old
		s.sorted = nil
	}
	old.Record = r
	old.Version = version
	return old
}

func (s *naive) apply(old *naiveRecord, r handoff.Record, entries []handoff.RecordEntry) {
	if r.Line != "" {
		s.first[r.Line] = r.Queue
	}
	for _, k := range r.Keys {
		if _, ok := s.limits[k.Name]; !ok {
			s.limits[k.Name] = k.Max
		}
	}
	var was handoff.Record
	if old != nil {
		was = old.Record
		s.orphanReplica(old)
		s.applyKeys(&was, &r)
	}
	s.applyFields(old != nil, &was, &r)
	version := r.Version + 1
	if s.is("the version stays") && old != nil {
		version = r.Version
	}
	if s.is("the version is the number of entries") {
		version = r.Seq
	}
	if s.is("versions start at 2") && old == nil {
		version = 2
	}
	rec := s.put(old, r, version)
	for i, e := range entries {
		if s.is("only the first entry is appended") && i > 0 {
			break
		}
		if s.is("entries come in reverse") {
			e = entries[len(entries)-1-i]
		}
		if s.is("the log is numbered from 0") {
			e.Seq--
		}
		if s.is("the log keeps 100 entries") && len(rec.log) == 100 {
			rec.log = rec.log[1:]
		}
		if s.is("entries lose their milliseconds") {
			e.At = e.At.Truncate(time.Second)
		}
		if s.is("entries get the record's time") {
			e.At = r.Updated
		}
		if s.is("entry bodies are cut") {
			e.Body = handoff.BodyOf(e.Body.Bytes()[:min(len(e.Body.Bytes()), 1000)])
		}
		rec.log = append(slices.Clip(rec.log), e)
	}
	switch {
	case s.is("a commit does not end a claim"):
	case s.is("a commit ends a claim when Wake changes") && r.Wake.Equal(was.Wake):
	default:
		rec.hidden = time.Time{}
	}
	if s.is("a commit ends leads") {
		for _, c := range rec.cursors {
			c.until = time.Time{}
		}
	}
	if s.is("a commit clears cursors") {
		rec.cursors = make(map[string]*naiveCursor)
	}
	if s.is("a commit starts the tries anew") {
		for _, c := range rec.cursors {
			c.tries = 0
		}
	}
}

// orphanReplica keeps what a replica would still show.
func (s *naive) orphanReplica(r *naiveRecord) {
	if s.is("Latest from a replica") {
		c := *r
		s.orphans[s.id(r.ID)] = &c
	}
}
