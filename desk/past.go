package desk

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A filter selects handoffs that are over.
type filter struct {
	from, to time.Time // created in [from, to)
	outcome  handoff.Outcome
	queue    string
	agent    string
	tag      string
	text     string
	missed   bool
	limit    int
}

// parseFilter reads a filter from an address. The range is the last 30 days
// unless it says otherwise.
func parseFilter(q url.Values, now time.Time) (filter, *problem) {
	f := filter{
		from: now.AddDate(0, 0, -30), to: now.Add(time.Minute), outcome: handoff.Outcome(q.Get("outcome")), queue: q.Get("queue"), agent: q.Get("agent"),
		tag: q.Get("tag"), text: strings.ToLower(strings.TrimSpace(q.Get("text"))), limit: 50,
	}
	for _, at := range []struct {
		name string
		t    *time.Time
	}{{"from", &f.from}, {"to", &f.to}} {
		s := q.Get(at.name)
		if s == "" {
			continue
		}
		ms, err := strconv.ParseInt(s, 10, 64)
		if err != nil || ms < 0 || ms > 1<<45 {
			return f, invalid(at.name, "is no time in milliseconds")
		}
		*at.t = time.UnixMilli(ms)
	}
	if before := q.Get("before"); before != "" { // the next page
		ms, err := strconv.ParseInt(before, 10, 64)
		if err != nil || ms < 0 || ms > 1<<45 {
			return f, invalid("before", "is no time in milliseconds")
		}
		f.to = minTime(f.to, time.UnixMilli(ms))
	}
	for _, v := range q {
		for _, s := range v {
			if len(s) > 500 {
				return f, invalid("filter", "is too long")
			}
		}
	}
	if s := q.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 200 {
			return f, invalid("limit", "is not between 1 and 200")
		}
		f.limit = n
	}
	return f, nil
}

func (f *filter) match(h *handoff.Handoff) bool {
	if f.agent != "" && h.LastAgent != f.agent && h.Agent != f.agent {
		return false
	}
	if f.text == "" {
		return true
	}
	for _, s := range []string{userName(h), h.ID.Conversation, h.Closing, string(h.Reason), h.Summary, strings.Join(h.Tags, " ")} {
		if strings.Contains(strings.ToLower(s), f.text) {
			return true
		}
	}
	if u := h.User; u != nil {
		return strings.Contains(strings.ToLower(u.ID+" "+u.Mail+" "+u.Phone), f.text)
	}
	return false
}

// eachPast calls yield with what is over, newest first, as far as an actor may
// see it, until it returns false. Stores list oldest first, so the range is
// read in slices from its end, each longer than the one before.
func (h *Handler) eachPast(ctx context.Context, a *Actor, f filter, yield func(*handoff.Handoff) bool) error {
	width := 6 * time.Hour
	for to := f.to; to.After(f.from); {
		from := to.Add(-width)
		if from.Before(f.from) {
			from = f.from
		}
		q := handoff.Query{
			States: []handoff.State{handoff.StateEnded, handoff.StateWrapup}, Queue: f.queue, Tag: f.tag, From: from, To: to, Limit: 1000,
		}
		if f.outcome != "" {
			q.Outcomes = []handoff.Outcome{f.outcome}
		}
		var list []handoff.Handoff
		for {
			page, err := h.engine.List(ctx, q)
			if err != nil {
				return err
			}
			list = append(list, page...)
			if len(page) < q.Limit {
				break
			}
			q.After = h.engine.After(page[len(page)-1], q)
		}
		for _, now := range slices.Backward(list) {
			// What the bot did alone is no case of anybody's.
			if now.Outcome == handoff.OutcomeContained && f.outcome == "" {
				continue
			}
			facts := factsOf(&now, h.public(now.Need.Queue))
			if a.may(Past, &facts) && f.match(&now) && !yield(&now) {
				return nil
			}
		}
		to = from
		width *= 2
	}
	return nil
}
