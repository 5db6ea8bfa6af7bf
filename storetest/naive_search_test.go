package storetest

import (
	"bytes"
	"context"
	"slices"

	"github.com/seed-2a427302/handoff"
)

// Search looks for substrings.
func (s *naive) Search(ctx context.Context, q handoff.Query, text string) ([]handoff.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []handoff.Record
	said := func(r *naiveRecord) bool {
		return slices.ContainsFunc(r.log, func(e handoff.RecordEntry) bool { return bytes.Contains(e.Body.Bytes(), []byte(text)) })
	}
	for _, r := range s.all() {
		behind := q.After.IsZero() || r.Record.Cursor(q).Compare(q.After) > 0 || s.is("Search ignores After")
		if behind && (s.match(q, &r.Record) || s.is("Search ignores the query")) && (said(r) || s.is("Search finds everything")) {
			list = append(list, r.Record)
		}
	}
	if s.is("Search finds what was erased") {
		for _, r := range s.erased {
			if said(r) {
				list = append(list, r.Record)
			}
		}
	}
	if !s.is("Search has no order") {
		slices.SortStableFunc(list, func(a, b handoff.Record) int { return a.Cursor(q).Compare(b.Cursor(q)) })
	} else {
		slices.Reverse(list)
	}
	if q.Limit > 0 && !s.is("Search ignores Limit") {
		list = list[:min(len(list), q.Limit)]
	}
	return list, nil
}
