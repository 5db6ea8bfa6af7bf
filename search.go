package handoff

import (
	"context"
	"errors"
	"strings"
)

// How much one Search reads where the store cannot search.
const (
	searchRecords = 500
	searchEntries = 20_000
)

// A Found is what a Search found.
type Found struct {
	Handoffs []Handoff
	// Next is where to go on: pass it as Query.After. It is zero when everything
	// was looked at. There may be more although nothing was found so far.
	Next Cursor
	// Unreadable are those that may belong to Handoffs, too: what the store has
	// of them cannot be read. The log says why.
	Unreadable []ID
}

// Search returns handoffs that match q and in which text was said, noted or
// given in a form, or stands in what is known of the user. It is staff side.
//
// A store that is a Searcher looks itself. Else the engine reads records and
// logs, a few hundred at a time, and compares without regard to case: go on
// with Found.Next until it is zero. An empty text matches everything.
func (e *Engine) Search(ctx context.Context, q Query, text string) (Found, error) {
	if err := first(checkContext(ctx), q.check(), checkText("text", text)); err != nil {
		return Found{}, err
	}
	if q.Limit == 0 || q.Limit > searchRecords {
		q.Limit = searchRecords
	}
	if s, ok := unwrap[Searcher](e.store); ok && text != "" {
		return e.searchStore(ctx, s, q, text)
	}
	return e.scan(ctx, q, strings.ToLower(text))
}

func (e *Engine) searchStore(ctx context.Context, s Searcher, q Query, text string) (Found, error) {
	var recs []Record
	err := e.call(ctx, "search", ID{}, func(ctx context.Context) (err error) {
		recs, err = s.Search(ctx, q, text)
		return err
	})
	if err != nil {
		return Found{}, err
	}
	var out Found
	for i := range recs {
		h, err := recs[i].decode()
		if err != nil {
			out.Unreadable = append(out.Unreadable, recs[i].ID)
			e.unreadable(ctx, &recs[i], err)
		} else if !h.own.Tombstone {
			out.Handoffs = append(out.Handoffs, *h)
		}
	}
	if len(recs) == q.Limit {
		out.Next = recs[len(recs)-1].Cursor(q)
	}
	return out, nil
}

// scan looks into every record, up to the bounds.
func (e *Engine) scan(ctx context.Context, q Query, text string) (Found, error) {
	var out Found
	most, entries := q.Limit, 0
	q.Limit = 100
	for looked := 0; ; {
		recs, err := e.list(ctx, q)
		if err != nil {
			return out, err
		}
		for i := range recs {
			q.After = recs[i].Cursor(q)
			looked++
			found, n, err := e.mentions(ctx, &recs[i], text)
			var bad *UnreadableError
			if errors.As(err, &bad) {
				out.Unreadable = append(out.Unreadable, recs[i].ID)
				e.unreadable(ctx, &recs[i], err)
			} else if err != nil {
				return out, err
			}
			if entries += n; found != nil {
				out.Handoffs = append(out.Handoffs, *found)
			}
			if len(out.Handoffs) >= most || looked >= searchRecords || entries >= searchEntries {
				out.Next = q.After
				return out, nil
			}
		}
		if len(recs) < q.Limit {
			return out, nil
		}
	}
}

// mentions returns a handoff in which text stands, else nil, and how many
// entries it read to tell.
func (e *Engine) mentions(ctx context.Context, r *Record, text string) (found *Handoff, read int, err error) {
	h, err := r.decode()
	if err != nil || h.own.Tombstone {
		return nil, 0, err
	}
	if text == "" || h.mentions(text) {
		return h, 0, nil
	}
	for after := int64(0); after < h.Seq; {
		page, err := e.page(ctx, h.ID, after, 200)
		if err != nil || len(page) == 0 {
			return nil, read, err
		}
		read += len(page)
		for i := range page {
			if en := &page[i]; en.IsSaid() && strings.Contains(strings.ToLower(en.Text), text) {
				return h, read, nil
			}
		}
		after = page[len(page)-1].Seq
	}
	return nil, read, nil
}

func (h *Handoff) mentions(text string) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	if u := h.User; u != nil && (has(u.ID) || has(u.Name) || has(u.Mail) || has(u.Phone)) {
		return true
	}
	for _, s := range h.Answers {
		if has(s) {
			return true
		}
	}
	return has(h.Summary) || has(h.Closing) || h.Rating != nil && has(h.Rating.Comment)
}
