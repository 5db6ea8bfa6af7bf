package pgstore

import (
	"context"
	"strings"

	"github.com/seed-2a427302/handoff"
)

// ForceGroup makes every commit travel with others, however few there are.
func ForceGroup(s *Store) *Store {
	s.crowd = -1
	return s
}

// Gathered is how many of n callers who may go on are in a batch together.
func Gathered(n int) int {
	var g group
	for range n {
		go func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.queue = append(g.queue, nil)
		}()
	}
	g.gather()
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.queue)
}

// Channel is what a store listens to.
func Channel(s *Store) string { return s.channel() }

// CommitEach commits items as CommitBatch does those that are no set.
func CommitEach(ctx context.Context, s *Store, items []handoff.Item) []error {
	errs := make([]error, len(items))
	answers, err := s.sendEach(ctx, s.db, items)
	for i := range items {
		if errs[i] = err; err == nil {
			errs[i] = s.answer(ctx, answers[i][0], answers[i][1])
		}
	}
	return errs
}

// Told is what a hint tells of the version of a record after commits that were
// decided on these versions, in the order in which their callers came back.
func Told(id handoff.ID, versions ...int64) int64 {
	h := newHints(&Store{})
	h.held = true
	for _, v := range versions {
		h.add(handoff.Record{ID: id, Version: v})
	}
	return h.ids[id].version
}

// Parts are what Check looks for in the latest version: each function, each view
// and each column of a table.
func Parts() (list []string) {
	for name := range parts {
		list = append(list, name)
	}
	for _, t := range tables {
		for column := range strings.FieldsSeq(t.columns) {
			list = append(list, t.name+"."+column)
		}
	}
	return list
}

// Schema is a store's.
func Schema(s *Store) string { return s.schema }
