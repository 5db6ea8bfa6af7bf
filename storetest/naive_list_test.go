package storetest

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-2a427302/handoff"
)

// match is Query.Match with bugs.
func (s *naive) match(q handoff.Query, r *handoff.Record) bool {
	switch s.bug {
	case "List ignores Conversation":
		q.Conversation = ""
	case "List ignores Queue":
		q.Queue = ""
	case "List ignores Agent":
		q.Agent = ""
	case "List ignores User":
		q.User = ""
	case "List ignores Tag":
		q.Tag = ""
	case "List ignores States":
		q.States = nil
	case "List ignores Outcomes":
		q.Outcomes = nil
	case "List ignores Lines":
		q.Lines = nil
	case "List ignores From":
		q.From = q.From.AddDate(-9000, 0, 0)
	case "List ignores To":
		q.To = q.To.AddDate(9000, 0, 0)
	case "List ignores Waiting":
		q.Waiting = false
	case "List ignores Queue of those who do not stand":
		if r.Line == "" {
			q.Queue = ""
		}
	case "List takes the first state":
		q.States = q.States[:min(len(q.States), 1)]
	case "List takes the first outcome":
		q.Outcomes = q.Outcomes[:min(len(q.Outcomes), 1)]
	case "List takes the first line":
		q.Lines = q.Lines[:min(len(q.Lines), 1)]
	case "List looks at the first tag":
		if q.Tag != "" && (len(r.Tags) == 0 || r.Tags[0] != q.Tag) {
			return false
		}
	case "List finds parts of tags":
		if q.Tag != "" && strings.Contains(strings.Join(r.Tags, ","), q.Tag) {
			q.Tag = ""
		}
	case "List by pattern":
		if q.User != "" && strings.Contains(q.User, "%") && strings.HasPrefix(r.User, strings.TrimSuffix(q.User, "%")) {
			q.User = ""
		}
	case "List includes To":
		if !q.To.IsZero() {
			q.To = q.To.Add(1)
		}
	case "List excludes From":
		if !q.From.IsZero() {
			q.From = q.From.Add(1)
		}
	case "List spans updates, not creations":
		if !q.From.IsZero() && r.Updated.Before(q.From) {
			return false
		}
		q.From = q.From.AddDate(-9000, 0, 0)
	case "List needs one filter, not all":
		if q.Agent != "" && q.Queue != "" && (r.Agent == q.Agent || r.Queue == q.Queue) {
			q.Agent, q.Queue = "", ""
		}
	case "List takes waiting for a state":
		if q.Waiting && r.State != handoff.StateWaiting {
			return false
		}
	case "List of a queue shows only who stands":
		if q.Queue != "" && r.Line == "" {
			return false
		}
	case "List hides ended records":
		if len(q.States) == 0 && r.State == handoff.StateEnded {
			return false
		}
	}
	if strings.HasPrefix(s.bug, "names ") {
		// Both sides are mixed up.
		c := *r
		c.ID.Conversation, c.Queue, c.Agent, c.User, c.Line = s.name(c.ID.Conversation), s.name(c.Queue), s.name(c.Agent), s.name(c.User), s.name(c.Line)
		q.Conversation, q.Queue, q.Agent, q.User = s.name(q.Conversation), s.name(q.Queue), s.name(q.Agent), s.name(q.User)
		q.Lines = slices.Clone(q.Lines)
		for i := range q.Lines {
			q.Lines[i] = s.name(q.Lines[i])
		}
		return q.Match(&c)
	}
	if s.is("queue and line joined by a colon") && q.Queue != "" && len(q.Lines) > 0 {
		if slices.ContainsFunc(q.Lines, func(line string) bool { return q.Queue+":"+line == r.Queue+":"+r.Line }) {
			q.Queue, q.Lines = "", nil
		}
	}
	return q.Match(r)
}

func (s *naive) compare(q handoff.Query, a, b *handoff.Record) int {
	if !q.ByRank {
		switch s.bug {
		case "List orders by Updated":
			return cmp.Or(a.Updated.Compare(b.Updated), a.ID.Compare(b.ID))
		case "List orders newest first":
			return cmp.Or(b.Created.Compare(a.Created), a.ID.Compare(b.ID))
		case "List orders by ID":
			return a.ID.Compare(b.ID)
		}
	} else {
		switch s.bug {
		case "rank by low priority":
			return cmp.Or(cmp.Compare(a.Priority, b.Priority), a.Since.Compare(b.Since), a.ID.Compare(b.ID))
		case "rank without priority":
			return cmp.Or(a.Since.Compare(b.Since), a.ID.Compare(b.ID))
		case "rank without Since":
			return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.ID.Compare(b.ID))
		case "rank by Created":
			return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.Created.Compare(b.Created), a.ID.Compare(b.ID))
		case "rank by the latest Since":
			return cmp.Or(cmp.Compare(b.Priority, a.Priority), b.Since.Compare(a.Since), a.ID.Compare(b.ID))
		case "rank of priorities up to 9":
			return cmp.Or(cmp.Compare(min(b.Priority, 9), min(a.Priority, 9)), a.Since.Compare(b.Since), a.ID.Compare(b.ID))
		case "rank without negative priorities":
			return cmp.Or(cmp.Compare(max(b.Priority, 0), max(a.Priority, 0)), a.Since.Compare(b.Since), a.ID.Compare(b.ID))
		case "rank by Updated at equal times":
			return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.Since.Compare(b.Since), b.Updated.Compare(a.Updated), a.ID.Compare(b.ID))
		case "ByRank is ignored":
			q.ByRank = false
		}
	}
	ca, cb := a.Cursor(q), b.Cursor(q)
	switch s.bug {
	case "order of numbers as text":
		if a.ID.Conversation == b.ID.Conversation && ca.At.Equal(cb.At) && ca.Priority == cb.Priority {
			return cmp.Compare(strconv.FormatInt(a.ID.Number, 10), strconv.FormatInt(b.ID.Number, 10))
		}
	case "order of names without case":
		c := cmp.Compare(strings.ToLower(a.ID.Conversation), strings.ToLower(b.ID.Conversation))
		if ca.At.Equal(cb.At) && ca.Priority == cb.Priority && c != 0 {
			return c
		}
	case "order in seconds":
		ca.At, cb.At = ca.At.Truncate(1e9), cb.At.Truncate(1e9)
	case "order ends with the time":
		ca.ID, cb.ID = handoff.ID{}, handoff.ID{}
	case "order of the highest number at equal times":
		if a.ID.Conversation == b.ID.Conversation && ca.At.Equal(cb.At) && ca.Priority == cb.Priority {
			return cmp.Compare(b.ID.Number, a.ID.Number)
		}
	}
	return ca.Compare(cb)
}

func (s *naive) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []handoff.Record
	all := s.all()
	if s.is("order ends with the time") {
		slices.Reverse(all)
	}
	if s.is("List cuts before it filters") && q.Limit > 0 {
		slices.SortFunc(all, func(a, b *naiveRecord) int { return s.compare(q, &a.Record, &b.Record) })
		for i, r := range all {
			if q.After.IsZero() || r.Record.Cursor(q).Compare(q.After) > 0 {
				all = all[i:]
				break
			}
		}
		all = all[:min(len(all), q.Limit)]
	}
	for _, r := range all {
		c := r.Record.Cursor(q)
		behind := q.After.IsZero() || c.Compare(q.After) > 0
		switch s.bug {
		case "After is ignored":
			behind = true
		case "After includes its own place":
			behind = q.After.IsZero() || c.Compare(q.After) >= 0
		case "After goes by the time alone":
			behind = q.After.IsZero() || (c.Priority < q.After.Priority || c.Priority == q.After.Priority && c.At.After(q.After.At))
		case "After goes by the id alone":
			behind = q.After.IsZero() || c.ID.Compare(q.After.ID) > 0
		case "After ignores the priority":
			behind = q.After.IsZero() || cmp.Or(c.At.Compare(q.After.At), c.ID.Compare(q.After.ID)) > 0
		case "After needs its record":
			behind = behind && (q.After.IsZero() || s.records[q.After.ID] != nil)
		case "After ignores the number":
			behind = q.After.IsZero() || c.Compare(q.After) > 0 && (c.ID.Conversation != q.After.ID.Conversation || !c.At.Equal(q.After.At))
		}
		if behind && s.match(q, &r.Record) {
			list = append(list, r.Record)
		}
	}
	slices.SortStableFunc(list, func(a, b handoff.Record) int { return s.compare(q, &a, &b) })
	switch {
	case s.is("Limit is ignored"):
	case s.is("Limit 0 is none") && q.Limit == 0:
		list = nil
	case s.is("Limit 0 is 100") && q.Limit == 0:
		list = list[:min(len(list), 100)]
	case s.is("Limit 0 is 500") && q.Limit == 0:
		list = list[:min(len(list), 500)]
	case s.is("Limit gives one more") && q.Limit > 0:
		list = list[:min(len(list), q.Limit+1)]
	case q.Limit > 0:
		list = list[:min(len(list), q.Limit)]
	}
	if s.is("List leaves out what is in the body") {
		for i := range list {
			list[i].Keys, list[i].Owed = nil, nil
		}
	}
	if s.is("List gives old versions") {
		for i := range list {
			list[i].Version = 1
		}
	}
	return list, nil
}

func (s *naive) Count(ctx context.Context, q handoff.Query) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.all() {
		if s.is("Count ignores States") {
			q.States = nil
		}
		if s.is("Count of a queue is of who stands") && q.Queue != "" {
			q.Waiting = true
		}
		if s.match(q, &r.Record) && (!s.is("Count counts behind After") || q.After.IsZero() || r.Record.Cursor(q).Compare(q.After) > 0) {
			n++
		}
	}
	if s.is("Count stops at Limit") && q.Limit > 0 {
		n = min(n, q.Limit)
	}
	return n, nil
}

func (s *naive) Ahead(ctx context.Context, r handoff.Record, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	q := handoff.Query{ByRank: true}
	for _, other := range s.all() {
		switch {
		case other.Queue != r.Queue && !s.is("Ahead counts all queues"):
		case other.Line == "" && !s.is("Ahead counts who does not stand"):
		case other.Line != r.Line && s.is("Ahead counts one line"):
		case s.is("Ahead ignores the priority"):
			if cmp.Or(other.Since.Compare(r.Since), other.ID.Compare(r.ID)) < 0 {
				n++
			}
		case s.is("Ahead ignores equal times") && other.Priority == r.Priority && other.Since.Equal(r.Since):
		case other.Record.Cursor(q).Compare(r.Cursor(q)) < 0, other.ID == r.ID && s.is("Ahead counts itself"):
			n++
		}
	}
	switch {
	case s.is("Ahead ignores its limit"):
	case s.is("Ahead takes limit 0 for none") && limit == 0:
		n = 0
	case s.is("Ahead goes one above its limit") && limit > 0:
		n = min(n, limit+1)
	case limit > 0:
		n = min(n, limit)
	}
	return n, nil
}
