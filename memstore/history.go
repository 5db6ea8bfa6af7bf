package memstore

import (
	"slices"

	"github.com/seed-2a427302/handoff"
)

// A history is the log of a record. It keeps the slices that commits bring, so
// that nothing is copied on the way in, and mostly nothing on the way out.
type history struct {
	parts [][]handoff.RecordEntry // none is empty; numbered without a gap
	ids   map[string]int64        // numbers by id; nil while there are few
	n     int
}

// manyEntries is where looking an id up in a map becomes cheaper than looking
// at each entry.
const manyEntries = 24

func (h *history) add(entries []handoff.RecordEntry) {
	if len(h.parts) == 1 {
		// Most records see a handful of commits or a single one.
		h.parts = append(make([][]handoff.RecordEntry, 0, 6), h.parts...)
	}
	h.parts = append(h.parts, entries)
	h.n += len(entries)
	switch {
	case h.ids != nil:
		for i := range entries {
			h.ids[entries[i].ID] = entries[i].Seq
		}
	case h.n > manyEntries:
		h.ids = make(map[string]int64, 2*h.n)
		for _, part := range h.parts {
			for i := range part {
				h.ids[part[i].ID] = part[i].Seq
			}
		}
	}
}

// find returns the entry with an id, or nil.
func (h *history) find(id string) *handoff.RecordEntry {
	if h.ids != nil {
		seq, ok := h.ids[id]
		if !ok {
			return nil
		}
		return h.behind(seq - 1)
	}
	for _, part := range h.parts {
		for i := range part {
			if part[i].ID == id {
				return &part[i]
			}
		}
	}
	return nil
}

// behind returns the first entry numbered above seq, or nil.
func (h *history) behind(seq int64) *handoff.RecordEntry {
	p := h.part(seq)
	if p == len(h.parts) {
		return nil
	}
	part := h.parts[p]
	return &part[max(0, seq-part[0].Seq+1)]
}

// part returns which part has the first entry numbered above seq.
func (h *history) part(seq int64) int {
	p, _ := slices.BinarySearchFunc(h.parts, seq, func(part []handoff.RecordEntry, seq int64) int {
		if part[len(part)-1].Seq <= seq {
			return -1
		}
		return 1
	})
	return p
}

// after returns up to limit entries numbered above seq.
func (h *history) after(seq int64, limit int) []handoff.RecordEntry {
	p := h.part(seq)
	if limit <= 0 || p == len(h.parts) {
		return nil
	}
	first := h.parts[p]
	first = first[max(0, seq-first[0].Seq+1):]
	if len(first) >= limit || p == len(h.parts)-1 {
		n := min(limit, len(first))
		return first[:n:n]
	}
	last := h.parts[len(h.parts)-1]
	out := make([]handoff.RecordEntry, 0, min(int64(limit), last[len(last)-1].Seq-first[0].Seq+1))
	for part := first; ; part = h.parts[p] {
		out = append(out, part[:min(len(part), limit-len(out))]...)
		if p++; p == len(h.parts) || len(out) == limit {
			return out
		}
	}
}
