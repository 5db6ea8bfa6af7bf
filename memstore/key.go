package memstore

import (
	"context"
	"slices"

	"github.com/seed-2a427302/handoff"
)

// A share is what one record holds of a key.
type share struct {
	slot  *slot
	units int
}

// holders are the shares of a key. Most keys have one holder, which needs no
// memory of its own. Their sum is always the sum over the records.
type holders struct {
	sum   int
	first share
	more  map[*slot]int
}

// maxHolders is how many holders a HeldError names.
const maxHolders = 16

// units returns what a record holds of a key. Nothing and less hold nothing.
func units(keys []handoff.Key, name string) int {
	for i := range keys {
		if keys[i].Name == name {
			return max(0, keys[i].Units)
		}
	}
	return 0
}

// checkKeys reports whether a record may hold the keys of r when those of the
// old records are given back.
func (s *Store) checkKeys(r *handoff.Record, olds ...*handoff.Record) error {
	for i := range r.Keys {
		k := &r.Keys[i]
		for j := range i {
			if r.Keys[j].Name == k.Name {
				return errTwice
			}
		}
		have := 0
		for _, old := range olds {
			have += units(old.Keys, k.Name)
		}
		if k.Units <= have {
			continue
		}
		h := s.keys.m[k.Name]
		if others := h.sum - have; k.Max <= others || k.Units > k.Max-others {
			list := h.list(nil, k.Name)
			return &handoff.HeldError{Key: k.Name, Holders: list[:min(len(list), maxHolders)]}
		}
	}
	return nil
}

// take makes sl hold its record's keys in place of old. It reports whether
// units were given back.
func (s *Store) take(sl *slot, old []handoff.Key) (freed bool) {
	keys := sl.rec.Keys
	for i := range old {
		if old[i].Units > 0 && units(keys, old[i].Name) == 0 {
			s.hold(sl, old[i].Name, old[i].Units, 0)
			freed = true
		}
	}
	for i := range keys {
		have, want := units(old, keys[i].Name), max(0, keys[i].Units)
		if want > 0 && want != have {
			s.hold(sl, keys[i].Name, have, want)
			freed = freed || want < have
		}
	}
	return freed
}

// hold changes the units that sl holds of a key.
func (s *Store) hold(sl *slot, name string, have, want int) {
	h := s.keys.m[name]
	h.sum += want - have
	switch {
	case h.sum == 0:
		s.keys.remove(name)
		return
	case h.first.slot == sl && want == 0:
		h.first = share{}
	case h.first.slot == sl || h.first.slot == nil && have == 0:
		h.first = share{sl, want}
	case want == 0:
		delete(h.more, sl)
	default:
		if h.more == nil {
			h.more = make(map[*slot]int)
		}
		h.more[sl] = want
	}
	s.keys.put(name, h)
}

// list appends the holders of a key in the order of their ids.
func (h *holders) list(out []handoff.Holding, name string) []handoff.Holding {
	if h.sum == 0 {
		return out
	}
	from := len(out)
	if h.first.slot != nil {
		out = append(out, handoff.Holding{Key: name, ID: h.first.slot.rec.ID, Units: h.first.units})
	}
	for sl, n := range h.more {
		out = append(out, handoff.Holding{Key: name, ID: sl.rec.ID, Units: n})
	}
	slices.SortFunc(out[from:], func(a, b handoff.Holding) int { return a.ID.Compare(b.ID) })
	return out
}

// Holders implements [handoff.Store]. Of many keys it looks at some at a time,
// so that commits need not wait for all of them.
func (s *Store) Holders(ctx context.Context, keys ...string) ([]handoff.Holding, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	const atOnce = 100
	var out []handoff.Holding
	if len(keys) > atOnce {
		out = make([]handoff.Holding, 0, len(keys))
	}
	for some := range slices.Chunk(keys, atOnce) {
		out = s.holders(out, some)
	}
	return out, nil
}

func (s *Store) holders(out []handoff.Holding, keys []string) []handoff.Holding {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, key := range keys {
		if h, ok := s.keys.m[key]; ok {
			out = h.list(out, key)
		}
	}
	return out
}
