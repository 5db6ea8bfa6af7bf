package redisstore

import (
	"context"
	"slices"
	"strconv"

	"github.com/seed-2a427302/handoff"
)

// A walk is a way through an index that gives a query's records. Scripts look
// at a bounded number of records in one call, so that the server is never kept
// for long; a list that takes several calls is not of one moment.
type walk struct {
	indexes []string
	skip    int    // bytes of a member before the rid
	before  string // what makes a rid of the rest
	low     string
	high    string
	ordered bool // by the query's order
	exact   bool // nothing else stands between the bounds
}

// looks is how many records one call of a script looks at.
const looks = 1000

// List is handoff.Store's.
func (s *Store) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	if s.byLine(q) {
		return s.heads(ctx, q)
	}
	w := s.walk(q)
	most := looks
	if w.ordered && q.Limit > 0 {
		most = min(q.Limit, looks)
	}
	var out []handoff.Record
	err := s.follow(ctx, w, q, "rows", most, func(v any) bool {
		for r := range rows(v) {
			if q.Match(&r) && (q.After.IsZero() || r.Cursor(q).Compare(q.After) > 0) {
				out = append(out, r)
			}
		}
		return w.ordered && q.Limit > 0 && len(out) >= q.Limit
	})
	if err != nil {
		return nil, wrap(ctx, "list", err)
	}
	if !w.ordered {
		slices.SortFunc(out, func(a, b handoff.Record) int { return a.Cursor(q).Compare(b.Cursor(q)) })
	}
	if q.Limit > 0 && len(out) > q.Limit {
		out = out[:q.Limit]
	}
	return out, nil
}

// Count is handoff.Counter's.
func (s *Store) Count(ctx context.Context, q handoff.Query) (int, error) {
	q.After, q.Limit, q.ByRank = handoff.Cursor{}, 0, false
	n := int64(0)
	w := s.walk(q)
	if w.exact {
		for _, index := range w.indexes {
			found, err := s.client.ZLexCount(ctx, index, w.low, w.high).Result()
			if err != nil {
				return 0, wrap(ctx, "count", err)
			}
			n += found
		}
		return int(n), nil
	}
	if !w.ordered && (!q.From.IsZero() || !q.To.IsZero()) { // its conditions do not hold the times
		list, err := s.List(ctx, q)
		return len(list), err
	}
	err := s.follow(ctx, w, q, "count", 1<<30, func(v any) bool {
		n += number(v)
		return false
	})
	return int(n), wrap(ctx, "count", err)
}

// follow walks until done says that it is enough, or nothing is left.
func (s *Store) follow(ctx context.Context, w walk, q handoff.Query, what string, most int, done func(any) bool) error {
	for {
		args := []any{what, w.skip, w.before, w.low, w.high, most, looks, len(w.indexes)}
		for _, index := range w.indexes {
			args = append(args, index)
		}
		v, err := s.run(ctx, listScript, conditions(args, q)...)
		if err != nil {
			return err
		}
		answer := list(v)
		if len(answer) != 2 || done(answer[1]) || text(answer[0]) == "" {
			return nil
		}
		w.low = "(" + text(answer[0])
	}
}

// rows are the records of an answer.
func rows(v any) func(func(handoff.Record) bool) {
	return func(yield func(handoff.Record) bool) {
		found := list(v)
		for i := 0; i+1 < len(found); i += 2 {
			if r, ok := record(text(found[i]), list(found[i+1])); ok && !yield(r) {
				return
			}
		}
	}
}

// stands reports whether q selects by a place in one queue.
func stands(q handoff.Query) bool {
	return q.Queue != "" && (q.Waiting || len(q.Lines) > 0 && !slices.Contains(q.Lines, ""))
}

// walk chooses the shortest index that holds all of q's records.
func (s *Store) walk(q handoff.Query) walk {
	w := walk{low: "-", high: "+"}
	switch {
	case q.Conversation != "":
		w.indexes, w.before = []string{s.name + "n:" + q.Conversation}, q.Conversation+nul
		return w
	case stands(q):
		w.indexes, w.skip, w.ordered = []string{s.name + "rank:" + q.Queue}, 16, q.ByRank
		alone := q
		alone.Queue, alone.Waiting, alone.ByRank, alone.Limit = "", false, false, 0
		w.exact = len(q.Lines) == 0 && unconditional(alone) && q.From.IsZero() && q.To.IsZero()
		if q.ByRank && !q.After.IsZero() {
			w.low = "(" + rank(q.After.Priority, q.After.At) + rid(q.After.ID)
		}
		return w
	case q.Agent != "":
		w.indexes = []string{s.name + "agent:" + q.Agent}
		alone := q
		alone.Agent = ""
		w.exact = unconditional(alone)
	case q.User != "":
		w.indexes = []string{s.name + "user:" + q.User}
		alone := q
		alone.User = ""
		w.exact = unconditional(alone)
	default:
		ended, other := len(q.States) == 0, len(q.States) == 0
		for _, st := range q.States {
			ended = ended || st == handoff.StateEnded
			other = other || st != handoff.StateEnded
		}
		if other {
			w.indexes = append(w.indexes, s.name+"open")
		}
		if ended {
			w.indexes = append(w.indexes, s.name+"past")
		}
		alone := q
		if !other {
			alone.States = nil // all that is there
		}
		w.exact = unconditional(alone)
	}
	w.skip, w.ordered = 8, !q.ByRank
	if !q.From.IsZero() {
		w.low = "[" + time8(q.From)
	}
	if !q.To.IsZero() {
		w.high = "(" + time8(q.To)
	}
	if after := time8(q.After.At) + rid(q.After.ID); w.ordered && !q.After.IsZero() && (q.From.IsZero() || after >= time8(q.From)) {
		w.low = "(" + after
	}
	return w
}

// unconditional reports whether q asks for everything, its times aside.
func unconditional(q handoff.Query) bool { return len(conditions(nil, q)) == 0 }

// conditions are those of a query that a script can look at.
func conditions(args []any, q handoff.Query) []any {
	any1 := func(field string, values ...string) {
		if len(values) == 1 && values[0] == "" {
			return
		}
		args = append(args, field, strconv.Itoa(len(values)))
		for _, v := range values {
			args = append(args, v)
		}
	}
	any1("q", q.Queue)
	any1("a", q.Agent)
	any1("U", q.User)
	any1("t", q.Tag)
	if len(q.States) > 0 {
		args = append(args, "S", len(q.States))
		for _, st := range q.States {
			args = append(args, string(st))
		}
	}
	if len(q.Outcomes) > 0 {
		args = append(args, "O", len(q.Outcomes))
		for _, o := range q.Outcomes {
			args = append(args, string(o))
		}
	}
	if len(q.Lines) > 0 {
		args = append(args, "l", len(q.Lines))
		for _, l := range q.Lines {
			args = append(args, l)
		}
	}
	if q.Waiting {
		args = append(args, "!l", 0)
	}
	return args
}

// manyLines is from how many lines on walking the whole queue finds the first
// ones sooner than looking at each line.
const manyLines = 64

// byLine reports whether q asks for the first ones of some lines.
func (s *Store) byLine(q handoff.Query) bool {
	return q.ByRank && q.Limit > 0 && len(q.Lines) > 0 && len(q.Lines) <= manyLines && stands(q) &&
		q.Conversation+q.Agent+q.User+q.Tag == "" && len(q.Outcomes) == 0 && q.From.IsZero() && q.To.IsZero()
}

// heads looks at the lines alone, however many records wait in others.
func (s *Store) heads(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	place := ""
	if !q.After.IsZero() {
		place = rank(q.After.Priority, q.After.At) + rid(q.After.ID)
	}
	lines := slices.Compact(slices.Sorted(slices.Values(q.Lines)))
	var out []handoff.Record
	for {
		args := []any{q.Queue, place, min(q.Limit-len(out), looks), looks, len(q.States)}
		for _, st := range q.States {
			args = append(args, string(st))
		}
		for _, l := range lines {
			args = append(args, l)
		}
		v, err := s.run(ctx, nextScript, args...)
		if err != nil {
			return nil, wrap(ctx, "list", err)
		}
		answer := list(v)
		if len(answer) != 2 {
			return out, nil
		}
		for r := range rows(answer[1]) {
			out = append(out, r)
		}
		if place = text(answer[0]); place == "" || len(out) >= q.Limit {
			return out, nil
		}
	}
}
