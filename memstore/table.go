package memstore

import (
	"iter"
	"maps"
)

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

// chains are named sets of slots, each a list that runs through its slots. A
// name costs memory only while it has members, and joining allocates nothing.
type chains struct {
	by table[string, chain]
	at func(*slot) *link // where a slot keeps its neighbours
}

type chain struct {
	first *slot
	n     int
}

type link struct{ before, behind *slot }

func (c *chains) add(name string, s *slot) {
	chain := c.by.m[name]
	if chain.first != nil {
		c.at(chain.first).before = s
	}
	c.at(s).behind = chain.first
	chain.first = s
	chain.n++
	c.by.put(name, chain)
}

func (c *chains) remove(name string, s *slot) {
	chain, l := c.by.m[name], c.at(s)
	if l.before != nil {
		c.at(l.before).behind = l.behind
	} else {
		chain.first = l.behind
	}
	if l.behind != nil {
		c.at(l.behind).before = l.before
	}
	*l = link{}
	if chain.n--; chain.n == 0 {
		c.by.remove(name)
		return
	}
	c.by.put(name, chain)
}

// len returns how many slots have that name.
func (c *chains) len(name string) int { return c.by.m[name].n }

// all returns the slots with these names. No name may occur twice.
func (c *chains) all(names ...string) iter.Seq[*slot] {
	return func(yield func(*slot) bool) {
		for _, name := range names {
			for s := c.by.m[name].first; s != nil; s = c.at(s).behind {
				if !yield(s) {
					return
				}
			}
		}
	}
}
