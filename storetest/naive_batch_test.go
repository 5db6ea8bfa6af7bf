package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/seed-2a427302/handoff"
)

func (s *naive) CommitBatch(ctx context.Context, items []handoff.Item) []error {
	if err := ctx.Err(); err != nil {
		if s.is("CommitBatch is done and fails when its context has ended") {
			_ = s.CommitBatch(context.WithoutCancel(ctx), items)
		}
		return slices.Repeat([]error{err}, len(items))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := make([]error, len(items))
	switch s.bug {
	case "a batch fails as one":
		before := s.snapshot()
		for i := range items {
			if err := s.commit(items[i].Record, items[i].Entries, s.records); err != nil {
				s.records = before
				s.sorted = nil
				for j := range errs {
					errs[j] = err
				}
				return errs
			}
		}
		return errs
	case "a batch stops at the first failure":
		for i := range items {
			if errs[i] = s.commit(items[i].Record, items[i].Entries, s.records); errs[i] != nil {
				for j := range errs[i+1:] {
					errs[i+1+j] = errNaive
				}
				return errs
			}
		}
		return errs
	case "a batch fails as one on what is malformed":
		for _, it := range items {
			if s.checkShape(s.records[it.Record.ID], it.Record, it.Entries) != nil && it.Record.Version == 0 && s.records[it.Record.ID] == nil {
				for j := range errs {
					errs[j] = errNaive
				}
				return errs
			}
		}
	case "a batch is judged before it begins":
		for i := range items {
			r := items[i].Record
			old, list := s.records[r.ID], items[i].Entries
			errs[i] = errors.Join(s.checkVersion(old, r), s.checkKeys(old, r), s.checkIDs(old, r, list), s.checkShape(old, r, list))
		}
		for i := range items {
			if errs[i] == nil {
				s.apply(s.records[items[i].Record.ID], items[i].Record, items[i].Entries)
			}
		}
		return errs
	case "a batch runs from the end":
		for i := range items {
			j := len(items) - 1 - i
			errs[j] = s.commit(items[j].Record, items[j].Entries, s.records)
		}
		return errs
	case "a batch gives only its failures":
		for i := range items {
			errs[i] = s.commit(items[i].Record, items[i].Entries, s.records)
		}
		return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	case "a batch does updates first":
		for _, inserts := range []bool{false, true} {
			for i := range items {
				if (items[i].Record.Version == 0) == inserts {
					errs[i] = s.commit(items[i].Record, items[i].Entries, s.records)
				}
			}
		}
		return errs
	case "a batch gives keys back last":
		keys := map[int][]handoff.Key{}
		for i := range items {
			r := items[i].Record
			if old := s.records[r.ID]; old != nil && len(r.Keys) < len(old.Keys) {
				keys[i], r.Keys = r.Keys, old.Keys
			}
			errs[i] = s.commit(r, items[i].Entries, s.records)
		}
		for i, list := range keys {
			s.records[items[i].Record.ID].Keys = list
		}
		return errs
	case "a batch counts what failed":
		for i := range items {
			errs[i] = s.commit(items[i].Record, items[i].Entries, s.records)
			if held := (*handoff.HeldError)(nil); errors.As(errs[i], &held) {
				for _, k := range items[i].Record.Keys {
					if k.Name != held.Key {
						s.held[k.Name] = append(s.held[k.Name], handoff.Holding{Key: k.Name, ID: items[i].Record.ID, Units: k.Units})
					}
				}
			}
		}
		return errs
	}
	for i := range items {
		errs[i] = s.commit(items[i].Record, items[i].Entries, s.records)
	}
	return errs
}

func (s *naive) snapshot() map[handoff.ID]*naiveRecord {
	out := maps.Clone(s.records)
	for id, r := range out {
		c := *r
		c.cursors = make(map[string]*naiveCursor)
		for name, cur := range r.cursors {
			d := *cur
			c.cursors[name] = &d
		}
		out[id] = &c
	}
	return out
}
