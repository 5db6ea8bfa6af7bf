package history

import (
	"context"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Page is a part of a list.
type Page struct {
	Handoffs []handoff.Handoff
	// Next goes on behind the last one; empty: there are no more. A page of a
	// rare text may have few or none and still a Next, since one call reads a
	// bounded number of handoffs.
	Next string
}

// Limits of List.
const (
	mostPage  = 500
	mostLooks = 64              // searches, and
	mostTime  = 3 * time.Second // time, after which a call begins no other window
	ofWindow  = 16              // searches of one window
)

// List returns up to limit (0: 50, at most 500) of the handoffs that match f,
// newest first, behind a cursor.
func List(ctx context.Context, e *handoff.Engine, f Filter, after string, limit int) (Page, error) {
	at, err := parse(after)
	if err != nil {
		return Page{}, err
	}
	if err := f.check(); err != nil {
		return Page{}, err
	}
	switch {
	case limit < 0:
		return Page{}, &handoff.InvalidError{Field: "limit", Why: "is negative"}
	case limit == 0:
		limit = 50
	}
	l := lister{e: e, f: &f, most: min(limit, mostPage), window: time.Hour}
	return l.page(ctx, at)
}

// A lister walks back in time by windows, since stores list old handoffs
// first. A window that has too many is read again, smaller: more that match than
// a page can have, or more to look at than a few searches do. The next one is
// larger if one search was enough.
type lister struct {
	e      *handoff.Engine
	f      *Filter
	most   int
	window time.Duration
	looks  int // searches so far
	out    []handoff.Handoff
	cut    bool // the last handoffs of a window did not fit
}

func (l *lister) page(ctx context.Context, before handoff.Cursor) (Page, error) {
	q := l.f.query()
	q.Limit = 1
	oldest, err := l.e.List(ctx, q) // newer ones only: a walk back needs an end
	if err != nil || len(oldest) == 0 {
		return Page{}, err
	}
	start := oldest[0].Created
	end, err := l.end(ctx, &q, before)
	if err != nil {
		return Page{}, err
	}
	began, first := time.Now(), end
	for end.After(start) && len(l.out) < l.most {
		if end.Before(first) && (l.looks >= mostLooks || time.Since(began) > mostTime) {
			return Page{Handoffs: l.out, Next: format(handoff.Cursor{At: end})}, nil
		}
		from := end.Add(-l.window)
		if from.Before(start) {
			from = start
		}
		looked := l.looks
		whole, err := l.look(ctx, from, end, before)
		if err != nil {
			return Page{}, err
		}
		if whole {
			end = from
			if l.looks == looked+1 {
				l.window *= 4
			}
		}
	}
	p := Page{Handoffs: l.out}
	if n := len(l.out); n > 0 && (l.cut || end.After(start)) {
		p.Next = After(&l.out[n-1])
	}
	return p, nil
}

// end returns the time before which everything lies that the page can have.
func (l *lister) end(ctx context.Context, q *handoff.Query, before handoff.Cursor) (time.Time, error) {
	end := q.To
	if !before.IsZero() && (end.IsZero() || before.At.Before(end)) {
		end = before.At
		if before.ID.Conversation != "" {
			end = end.Add(time.Millisecond) // others of that moment stand before it
		}
	}
	if !end.IsZero() {
		return end, nil
	}
	// Another replica's clock may be ahead.
	end = time.Now().Truncate(time.Millisecond).Add(time.Minute)
	for {
		later := *q
		later.From, later.To = end, time.Time{}
		list, err := l.e.List(ctx, later)
		if err != nil || len(list) == 0 {
			return end, err
		}
		end = list[0].Created.Add(24 * time.Hour)
	}
}

// look reads one window and keeps what fits. It reports false if the window
// has to be made smaller first.
func (l *lister) look(ctx context.Context, from, to time.Time, before handoff.Cursor) (bool, error) {
	q := l.f.query()
	q.From, q.To, q.Limit = from, to, mostPage
	var got []handoff.Handoff
	for n := 1; ; n++ {
		found, err := l.e.Search(ctx, q, l.f.Text)
		if err != nil {
			return false, err
		}
		l.looks++
		for i := range found.Handoffs {
			h := &found.Handoffs[i]
			if l.f.matches(h) && (before.IsZero() || (handoff.Cursor{At: h.Created, ID: h.ID}).Compare(before) < 0) {
				got = append(got, *h)
			}
		}
		if found.Next.IsZero() {
			break
		}
		if small := to.Sub(from) <= time.Millisecond; !small && (len(got) >= l.most || n == ofWindow) {
			l.window = max(to.Sub(from)/8, time.Millisecond)
			return false, nil
		}
		q.After = found.Next
	}
	for _, h := range slices.Backward(got) {
		if len(l.out) == l.most {
			l.cut = true
			break
		}
		l.out = append(l.out, h)
	}
	return true, nil
}
