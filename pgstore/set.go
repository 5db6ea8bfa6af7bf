package pgstore

import (
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed-2a427302/handoff"
)

// apart reports whether items can be judged as a set: no two are of one
// record, and none names a key twice.
func apart(items []handoff.Item) bool {
	seen := make(map[handoff.ID]bool, len(items))
	for i := range items {
		r := &items[i].Record
		if seen[r.ID] {
			return false
		}
		seen[r.ID] = true
		for n := range r.Keys {
			if slices.ContainsFunc(r.Keys[:n], func(k handoff.Key) bool { return k.Name == r.Keys[n].Name }) {
				return false
			}
		}
	}
	return true
}

// lockNames are the names of the conversations and of the keys of items, each
// once, in the order of handoff_lock.
func lockNames(items []handoff.Item) (conversations, keys []string) {
	for i := range items {
		conversations = append(conversations, items[i].Record.ID.Conversation)
		for _, k := range items[i].Record.Keys {
			keys = append(keys, k.Name)
		}
	}
	return sorted(conversations), sorted(keys)
}

// columnsOf are the arguments of handoff_commit_set that have one value for
// each item.
type columnsOf struct {
	conversations, queues, states, outcomes, agents, users, tags, lines []string
	numbers, versions, seqs, priorities, counts                         []int64
	since, created, updated, wake, firsts                               []pgtype.Timestamptz
	keyNames, keyUnits, keyMax, owedSinks, owedCursors, owedSeqs        []string // lists as text
	bodies                                                              [][]byte
	twins                                                               []bool
}

// batchArgs are the arguments of handoff_commit_set.
func batchArgs(items []handoff.Item, patience string) []any {
	var c columnsOf
	var entryItems, entrySeqs []int64
	var entryIDs []string
	var entryTimes []pgtype.Timestamptz
	var entryBodies [][]byte
	for i := range items {
		c.add(&items[i])
		for _, e := range items[i].Entries {
			entryItems, entrySeqs = append(entryItems, int64(i+1)), append(entrySeqs, e.Seq)
			entryIDs, entryTimes, entryBodies = append(entryIDs, e.ID), append(entryTimes, stamp(e.At)), append(entryBodies, bytes(e.Body))
		}
	}
	conversations, keys := lockNames(items)
	w := wantsOf(items, keys)
	return []any{
		conversations, keys,
		c.conversations, c.numbers, c.versions, c.seqs, c.queues, c.states, c.outcomes, c.agents, c.users, c.tags,
		c.lines, c.priorities, c.since, c.created, c.updated, c.wake,
		c.keyNames, c.keyUnits, c.keyMax, c.owedSinks, c.owedCursors, c.owedSeqs, c.bodies,
		c.counts, c.twins, c.firsts,
		entryItems, entryIDs, entrySeqs, entryTimes, entryBodies,
		w.items, w.names, w.units, w.most, w.places, patience,
	}
}

// wants are the keys of all items, by item and name.
type wants struct {
	names                      []string
	items, units, most, places []int64
}

// wantsOf are the wants of items whose keys are keys, sorted.
func wantsOf(items []handoff.Item, keys []string) *wants {
	w := wants{names: []string{}, items: []int64{}, units: []int64{}, most: []int64{}, places: []int64{}} // never NULL
	for i := range items {
		byName := slices.Clone(items[i].Record.Keys)
		slices.SortFunc(byName, func(a, b handoff.Key) int { return strings.Compare(a.Name, b.Name) })
		for _, k := range byName {
			place, _ := slices.BinarySearch(keys, k.Name)
			w.items, w.names, w.places = append(w.items, int64(i+1)), append(w.names, k.Name), append(w.places, int64(place+1))
			w.units, w.most = append(w.units, int64(k.Units)), append(w.most, int64(k.Max))
		}
	}
	return &w
}

func (c *columnsOf) add(item *handoff.Item) {
	r := &item.Record
	c.conversations, c.numbers = append(c.conversations, r.ID.Conversation), append(c.numbers, r.ID.Number)
	c.versions, c.seqs = append(c.versions, r.Version), append(c.seqs, r.Seq)
	c.queues, c.states, c.outcomes = append(c.queues, r.Queue), append(c.states, string(r.State)), append(c.outcomes, string(r.Outcome))
	c.agents, c.users = append(c.agents, r.Agent), append(c.users, r.User)
	c.lines, c.priorities = append(c.lines, r.Line), append(c.priorities, int64(r.Priority))
	c.since, c.created = append(c.since, place(r.Since)), append(c.created, place(r.Created))
	c.updated, c.wake = append(c.updated, stamp(r.Updated)), append(c.wake, stamp(r.Wake))
	c.bodies = append(c.bodies, bytes(r.Body))

	var tags, names, units, most, sinks, cursors, seqs array
	for _, t := range r.Tags {
		tags.text(t)
	}
	for _, k := range r.Keys {
		names.text(k.Name)
		units.int(int64(k.Units))
		most.int(int64(k.Max))
	}
	for _, o := range r.Owed {
		sinks.text(o.Sink)
		cursors.text(o.Cursor)
		seqs.int(o.Seq)
	}
	c.tags = append(c.tags, tags.String())
	c.keyNames, c.keyUnits, c.keyMax = append(c.keyNames, names.String()), append(c.keyUnits, units.String()), append(c.keyMax, most.String())
	c.owedSinks, c.owedCursors, c.owedSeqs = append(c.owedSinks, sinks.String()), append(c.owedCursors, cursors.String()), append(c.owedSeqs, seqs.String())

	c.counts, c.twins = append(c.counts, int64(len(item.Entries))), append(c.twins, twins(item.Entries))
	c.firsts = append(c.firsts, stamp(item.Entries[0].At))
}

// twins reports whether two of them have one id.
func twins(entries []handoff.RecordEntry) bool {
	if len(entries) == 1 {
		return false
	}
	seen := make(map[string]bool, len(entries))
	for i := range entries {
		if seen[entries[i].ID] {
			return true
		}
		seen[entries[i].ID] = true
	}
	return false
}

// An array is one of PostgreSQL's, as text. The zero value is empty.
type array struct{ b []byte }

func (a *array) next() {
	if len(a.b) == 0 {
		a.b = append(a.b, '{')
	} else {
		a.b = append(a.b, ',')
	}
}

func (a *array) int(n int64) {
	a.next()
	a.b = strconv.AppendInt(a.b, n, 10)
}

func (a *array) text(s string) {
	a.next()
	a.b = append(a.b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			a.b = append(a.b, '\\')
		}
		a.b = append(a.b, s[i])
	}
	a.b = append(a.b, '"')
}

func (a *array) String() string {
	if len(a.b) == 0 {
		return "{}"
	}
	return string(append(a.b, '}'))
}
