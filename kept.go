package handoff

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// Beside handoffs, engines keep a few things of their own in the store: what
// was learned about a queue, when an agent was asked, which numbers of an
// erased conversation are used up. Each is a chain of records under a name that
// no conversation can have. A record is never changed: the next one has the
// next number, which exactly one writer can insert.

// kept is what a record of such a chain holds, which is one of these.
type kept struct {
	By string `json:"by"` // names the writing, so that a writer who heard nothing finds whether it was stored

	models          // see lesson.go
	Asked  []asking `json:"asked,omitempty"`   // see allowance.go
	Number *numbers `json:"numbers,omitempty"` // see erase.go
}

// keptLinks is how many records of a chain stay in the store: its writers look
// for theirs among them.
const keptLinks = 4

// keptName returns the name of a chain. It is a hash, so that it does not tell
// what it is about.
func keptName(about string) string {
	sum := sha256.Sum256([]byte(about))
	return "learned:" + hex.EncodeToString(sum[:])
}

// recallKept returns the last record of a chain, or nil.
func (e *Engine) recallKept(ctx context.Context, name string) (h *Handoff, err error) {
	err = e.call(ctx, "latest", ID{Conversation: name}, func(ctx context.Context) error {
		r, err := e.store.Latest(ctx, name)
		if err == nil {
			h, err = r.decode()
		}
		return err
	})
	return h, ignore(err, ErrNotFound)
}

// keep adds to a chain what next makes of its last record, and tries again when
// somebody else was first. If next returns nil, nothing is added, and nil is
// returned.
func (e *Engine) keep(ctx context.Context, name string, next func(last *kept) *kept) (*Handoff, error) {
	by := newID()
	for try := 0; ; try++ {
		last, err := e.recallKept(ctx, name)
		if err != nil {
			return nil, err
		}
		h, before := newKept(name, last), &kept{}
		if last != nil && last.own.Kept != nil {
			before = last.own.Kept
		}
		if h.own.Kept = next(before); h.own.Kept == nil {
			return nil, nil //nolint:nilnil // nothing to add is no error
		}
		h.own.Kept.By = by
		if err = e.insertKept(ctx, h); err == nil {
			return h, nil
		}
		if !errors.Is(err, ErrConflict) || try >= tries {
			return nil, err
		}
		if err := backOff(ctx, err, try); err != nil {
			return nil, err
		}
	}
}

// newKept returns a record that follows last, which may be nil.
func newKept(name string, last *Handoff) *Handoff {
	at := now()
	h := &Handoff{ID: ID{Conversation: name, Number: 1}, Version: 1, Seq: 1, State: StateEnded, Created: at, Updated: at}
	if last != nil {
		h.ID.Number, h.unknown = last.ID.Number+1, last.unknown
	}
	h.own.Tombstone = true
	return h
}

func (e *Engine) insertKept(ctx context.Context, h *Handoff) error {
	rec := e.rules.record(h)
	rec.Version = 0
	en := &Entry{ID: h.own.Kept.By, Handoff: h.ID, Seq: 1, At: h.Created, Kind: KindTimer, State: h.State}
	err := e.call(ctx, "commit", h.ID, func(ctx context.Context) error {
		return e.store.Commit(ctx, rec, RecordEntry{ID: en.ID, Seq: en.Seq, At: en.At, Body: Body{value: en}})
	})
	if err != nil && !isAnswer(err) {
		// Unknown: it may have been stored.
		found, ferr := e.get(ctx, h.ID)
		if ferr == nil && found.own.Kept != nil && found.own.Kept.By == h.own.Kept.By {
			return nil
		}
	}
	return err
}

// shorten deletes the record of a chain that is no longer needed once h is
// stored.
func (e *Engine) shorten(ctx context.Context, h *Handoff) {
	old := ID{Conversation: h.ID.Conversation, Number: h.ID.Number - keptLinks}
	if old.Number < 1 {
		return
	}
	err := e.call(ctx, "delete", old, func(ctx context.Context) error { return e.store.Delete(ctx, old, 1) })
	if err != nil {
		e.log.WarnContext(ctx, "an old record stays", "error", err)
	}
}
