package memstore

import "maps"

// A table is a map that gives memory back. Go's maps keep the size of their
// best days.
type table[K comparable, V any] struct {
	m    map[K]V
	peak int
}

func (t *table[K, V]) put(k K, v V) {
	if t.m == nil {
		t.m = make(map[K]V)
	}
	t.m[k] = v
	t.peak = max(t.peak, len(t.m))
}

func (t *table[K, V]) remove(k K) {
	delete(t.m, k)
	// Rebuilding costs as much as the removals that led to it.
	if t.peak > 1024 && len(t.m) < t.peak/4 {
		m := make(map[K]V, len(t.m))
		maps.Copy(m, t.m)
		t.m, t.peak = m, len(m)
	}
}

// A bag is an unordered set of slots that share a name. Each slot knows its
// place in the bag, so leaving costs nothing.
type bag struct{ slots []*slot }

// bags are named sets of slots. at returns where a slot keeps its place.
type bags struct {
	by table[string, *bag]
	at func(*slot) *int32
}

func (b *bags) add(name string, s *slot) {
	g := b.by.m[name]
	if g == nil {
		g = new(bag)
		b.by.put(name, g)
	}
	*b.at(s) = int32(len(g.slots))
	g.slots = append(g.slots, s)
}

func (b *bags) remove(name string, s *slot) {
	g := b.by.m[name]
	last := len(g.slots) - 1
	moved, i := g.slots[last], *b.at(s)
	g.slots[i], g.slots[last] = moved, nil
	*b.at(moved) = i
	g.slots = g.slots[:last]
	switch {
	case last == 0:
		b.by.remove(name)
	case cap(g.slots) > 1024 && last < cap(g.slots)/4:
		g.slots = append(make([]*slot, 0, 2*last), g.slots...)
	}
}

// get returns the slots with that name. The caller must not change them.
func (b *bags) get(name string) []*slot {
	if g := b.by.m[name]; g != nil {
		return g.slots
	}
	return nil
}
