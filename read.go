package handoff

import (
	"context"
	"errors"
	"iter"
)

// Get returns a handoff, or ErrNotFound.
func (e *Engine) Get(ctx context.Context, id ID) (Handoff, error) {
	if err := checkID(id); err != nil {
		return Handoff{}, err
	}
	h, err := e.get(ctx, id)
	if err != nil {
		return Handoff{}, err
	}
	return *h, nil
}

// Latest returns the latest handoff of a conversation, open or ended, or
// ErrNotFound.
func (e *Engine) Latest(ctx context.Context, conversation string) (Handoff, error) {
	if err := checkName("conversation", conversation); err != nil {
		return Handoff{}, err
	}
	h, err := e.latest(ctx, conversation)
	if err != nil {
		return Handoff{}, err
	}
	if h == nil {
		return Handoff{}, ErrNotFound
	}
	return *h, nil
}

// Open returns the open handoff of a conversation, or ErrNotFound.
func (e *Engine) Open(ctx context.Context, conversation string) (Handoff, error) {
	h, err := e.Latest(ctx, conversation)
	if err == nil && !h.IsOpen() {
		return Handoff{}, ErrNotFound
	}
	return h, err
}

// List returns the handoffs that match a query. Fewer than q.Limit means that
// there are no more. One that cannot be read is left out, and the log says so;
// Search names it, too.
func (e *Engine) List(ctx context.Context, q Query) ([]Handoff, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	most := q.Limit
	var out []Handoff
	for {
		recs, err := e.list(ctx, q)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = make([]Handoff, 0, len(recs))
		}
		for _, h := range e.readable(ctx, recs) {
			if !h.own.Tombstone { // what is left of an erased conversation
				out = append(out, *h)
			}
		}
		if len(out) == most || len(recs) < q.Limit || q.Limit == 0 {
			return out, nil
		}
		q.After, q.Limit = recs[len(recs)-1].Cursor(q), most-len(out)
	}
}

// After returns the place in the order of q behind h, to go on listing.
func (e *Engine) After(h Handoff, q Query) Cursor {
	r := e.rules.record(&h)
	return r.Cursor(q)
}

func (e *Engine) list(ctx context.Context, q Query) (out []Record, err error) {
	ctx, c, err := e.begin(ctx, "list", ID{})
	if err != nil {
		return nil, err
	}
	out, err = e.store.List(ctx, q)
	return out, c.done(err)
}

// readable decodes records. One that cannot be read holds up nobody else: it
// is left out, and the log says so.
func (e *Engine) readable(ctx context.Context, list []Record) []*Handoff {
	out := make([]*Handoff, 0, len(list))
	for i := range list {
		h, err := list[i].decode()
		if err != nil {
			e.unreadable(ctx, &list[i], err)
			continue
		}
		out = append(out, h)
	}
	return out
}

func (e *Engine) unreadable(ctx context.Context, r *Record, err error) {
	e.log.ErrorContext(ctx, "a handoff cannot be read", "queue", r.Queue, "number", r.ID.Number, "error", err)
}

// Count returns how many handoffs match a query, leaving After and Limit
// aside.
func (e *Engine) Count(ctx context.Context, q Query) (int, error) {
	if err := q.check(); err != nil {
		return 0, err
	}
	return e.count(ctx, q)
}

func (e *Engine) count(ctx context.Context, q Query) (n int, err error) {
	if c, ok := unwrap[Counter](e.store); ok {
		err = e.call(ctx, "count", ID{}, func(ctx context.Context) error {
			n, err = c.Count(ctx, q)
			return err
		})
		return n, err
	}
	q.After, q.Limit = Cursor{}, 500
	for {
		list, err := e.list(ctx, q)
		n += len(list)
		if err != nil || len(list) < q.Limit {
			return n, err
		}
		q.After = list[len(list)-1].Cursor(q)
	}
}

// Log returns up to limit entries of a handoff after a number, oldest first.
// It is staff side: it has notes.
func (e *Engine) Log(ctx context.Context, id ID, after int64, limit int) ([]Entry, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	if after < 0 || limit < 1 {
		return nil, &InvalidError{Field: "after/limit", Why: "is out of range"}
	}
	return e.page(ctx, id, after, limit)
}

func (e *Engine) page(ctx context.Context, id ID, after int64, limit int) (out []Entry, err error) {
	return e.entries(ctx, id, after, limit, nil)
}

// legible is page for receivers. In the place of an entry that cannot be read
// is one that none of them wants: it would else hold up for ever what comes
// after it.
func (e *Engine) legible(ctx context.Context, id ID, after int64, limit int) ([]Entry, error) {
	return e.entries(ctx, id, after, limit, func(r *RecordEntry, err error) *Entry {
		e.log.ErrorContext(ctx, "an entry cannot be read", "number", id.Number, "seq", r.Seq, "error", err)
		return &Entry{ID: r.ID, Handoff: id, Seq: r.Seq, At: r.At, Kind: KindTimer, From: Party{Role: RoleEngine}}
	})
}

// entries reads a part of a log. What cannot be read is an error, or what
// instead makes of it.
func (e *Engine) entries(ctx context.Context, id ID, after int64, limit int, instead func(*RecordEntry, error) *Entry) (out []Entry, err error) {
	err = e.call(ctx, "log", id, func(ctx context.Context) error {
		list, err := e.store.Log(ctx, id, after, limit)
		if err != nil {
			return err
		}
		out = make([]Entry, 0, len(list))
		for i := range list {
			en, err := list[i].decode(id)
			if err != nil && instead != nil {
				en, err = instead(&list[i], err), nil
			}
			if err != nil {
				return err
			}
			out = append(out, *en)
		}
		return nil
	})
	return out, err
}

// Follow yields a handoff's entries after a number and then each new one,
// until ctx ends. It never drops one: to resume, pass the last Seq you saw. It
// is staff side. The last pair has the error that ended it.
func (e *Engine) Follow(ctx context.Context, id ID, after int64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := checkID(id); err != nil {
			yield(Entry{}, err)
			return
		}
		changed, stop := e.hub.subscribe(id.Conversation)
		defer stop()
		at := after
		for {
			page, err := e.page(ctx, id, at, 100)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for i := range page {
				at = page[i].Seq
				if !yield(page[i], nil) {
					return
				}
			}
			if len(page) > 0 {
				continue
			}
			if err := wait(ctx, changed, e.cfg.Poll); err != nil {
				yield(Entry{}, err)
				return
			}
		}
	}
}

// FollowUser yields what the user may see of a conversation after a cursor,
// his own messages included, and then each new message, until ctx ends. It is
// for hosts whose users pull: a page that was loaded again sees the same.
func (e *Engine) FollowUser(ctx context.Context, conversation string, after UserCursor) iter.Seq2[UserMessage, error] {
	return func(yield func(UserMessage, error) bool) {
		if err := checkName("conversation", conversation); err != nil {
			yield(UserMessage{}, err)
			return
		}
		changed, stop := e.hub.subscribe(conversation)
		defer stop()
		at := after
		at.Number = max(at.Number, 1)
		for {
			more, err := e.userPage(ctx, conversation, &at, yield)
			if errors.Is(err, errStop) {
				return
			}
			if err != nil {
				yield(UserMessage{}, err)
				return
			}
			if more {
				continue
			}
			if err := wait(ctx, changed, e.cfg.Poll); err != nil {
				yield(UserMessage{}, err)
				return
			}
		}
	}
}

// errStop says that whoever ranges has broken off.
var errStop = errors.New("stop")

// userPage yields one page. It reports whether there may be more at once.
func (e *Engine) userPage(ctx context.Context, conversation string, at *UserCursor, yield func(UserMessage, error) bool) (bool, error) {
	id := ID{Conversation: conversation, Number: at.Number}
	// The latest handoff is read before the page: what comes between the two
	// only means another round.
	latest, err := e.latest(ctx, conversation)
	if err != nil || latest == nil {
		return false, err
	}
	page, err := e.legible(ctx, id, at.Seq, 100)
	if err != nil {
		return false, err
	}
	for i := range page {
		en := &page[i]
		at.Seq = en.Seq
		if !en.ForUser() || en.Past {
			continue
		}
		m := userMessage(en)
		m.ID = itoa(en.Handoff.Number) + "/" + m.ID
		if !yield(m, nil) {
			return false, errStop
		}
	}
	if len(page) == 0 && latest.ID.Number > at.Number {
		at.Number, at.Seq = at.Number+1, 0
		return true, nil
	}
	return len(page) > 0, nil
}
