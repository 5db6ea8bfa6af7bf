package history

import (
	"context"
	"errors"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Scope says what to erase. User, Conversation or Before is required.
type Scope struct {
	// User erases every conversation that one of his handoffs belongs to.
	User string

	// Conversation erases one.
	Conversation string

	// Before erases conversations of which nothing was created, said or done at
	// that time or later: retention. Query narrows it to a queue, an outcome, a
	// tag; a conversation is erased whole as soon as one of its handoffs matches.
	Before time.Time
	Query  handoff.Query

	// Limit is the most conversations of one call; 0: all.
	Limit int
}

// A Report says what an Erase did.
type Report struct {
	Conversations int // erased
	Handoffs      int // in them

	// Kept is what could not be erased, and why: at most 1000 of KeptTotal.
	// Erase again when the reason is gone.
	Kept      []Kept
	KeptTotal int

	// Elsewhere is what was erased here and of which a platform has, or may
	// have, its own copy: at most 1000. It is not the engine's to erase.
	Elsewhere []Copy

	More bool // Limit was reached and there may be more
}

// mostReported bounds the lists of a Report.
const mostReported = 1000

// A Kept is a conversation that was not erased.
type Kept struct {
	Conversation string
	Why          Why
	Err          error // for WhyFailed
}

// A Why says why something was kept.
type Why string

// Why something was kept.
const (
	WhyOpen   Why = "open"   // a handoff is open, or something is owed: the next one, a close on a platform
	WhyRecent Why = "recent" // Scope.Before: something newer belongs to it
	WhyFailed Why = "failed" // the store failed, or what it has cannot be read
)

// A Copy is a chat on a platform.
type Copy struct {
	Conversation string
	Number       int64
	Provider     string
	Reference    string // the platform's name for the chat; empty: it may have been opened
}

// Erase removes conversations with their logs and deliveries. Of each, the
// hash of its name, its last number and hashes of message ids are kept, so
// that old turns stay stale and repeated messages stay known. What was shown to
// users, handed to sinks and platforms, exported or backed up before is not
// reached.
//
// Erasing twice is harmless; after an error or a crash, erase again.
func Erase(ctx context.Context, e *handoff.Engine, s Scope) (Report, error) {
	var r Report
	if err := s.check(); err != nil {
		return r, err
	}
	q := s.Query
	q.After, q.ByRank, q.Limit = handoff.Cursor{}, false, 100
	if s.User != "" {
		q.User = s.User
	}
	if s.Conversation != "" {
		q.Conversation = s.Conversation
	}
	if !s.Before.IsZero() && (q.To.IsZero() || s.Before.Before(q.To)) {
		q.To = s.Before
	}
	seen := map[string]bool{} // conversations that were kept: they come again
	for {
		found, err := e.Search(ctx, q, "")
		if err != nil {
			return r, err
		}
		for _, id := range found.Unreadable {
			if !seen[id.Conversation] {
				seen[id.Conversation] = true
				r.keep(Kept{Conversation: id.Conversation, Why: WhyFailed, Err: &handoff.UnreadableError{ID: id, Err: errUnreadable}})
			}
		}
		for i := range found.Handoffs {
			conversation := found.Handoffs[i].ID.Conversation
			if seen[conversation] {
				continue
			}
			if s.Limit > 0 && r.Conversations+r.KeptTotal >= s.Limit {
				r.More = true
				return r, nil
			}
			kept := r.KeptTotal
			if err := s.erase(ctx, e, conversation, &r); err != nil {
				return r, err
			}
			if r.KeptTotal > kept {
				seen[conversation] = true
			}
		}
		if found.Next.IsZero() {
			return r, nil
		}
		q.After = found.Next
	}
}

// errUnreadable is about what is kept because nobody can tell what it is.
var errUnreadable = errors.New("history: the record is damaged")

func (s *Scope) check() error {
	switch {
	case s.User == "" && s.Conversation == "" && s.Before.IsZero():
		return &handoff.InvalidError{Field: "Scope", Why: "names neither a user, a conversation nor a time"}
	case s.Limit < 0:
		return &handoff.InvalidError{Field: "Scope.Limit", Why: "is negative"}
	}
	return nil
}

// erase removes one conversation. An error is one that ends it all.
func (s *Scope) erase(ctx context.Context, e *handoff.Engine, conversation string, r *Report) error {
	list, err := e.List(ctx, handoff.Query{Conversation: conversation})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return nil // somebody else was faster
	}
	for i := range list {
		if h := &list[i]; s.isRecent(h.Created) || s.isRecent(h.Updated) {
			r.keep(Kept{Conversation: conversation, Why: WhyRecent})
			return nil
		}
	}
	switch err := e.Erase(ctx, conversation); {
	case err == nil:
	case errors.Is(err, handoff.ErrOpen):
		r.keep(Kept{Conversation: conversation, Why: WhyOpen})
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		r.keep(Kept{Conversation: conversation, Why: WhyFailed, Err: err})
		return nil
	}
	r.Conversations++
	r.Handoffs += len(list)
	for i := range list {
		for _, b := range list[i].Bindings() {
			if len(r.Elsewhere) < mostReported && (b.Session.Reference != "" || b.Unsure || b.Calling) {
				r.Elsewhere = append(r.Elsewhere, Copy{
					Conversation: conversation, Number: list[i].ID.Number, Provider: b.Provider, Reference: b.Session.Reference,
				})
			}
		}
	}
	return nil
}

func (s *Scope) isRecent(t time.Time) bool { return !s.Before.IsZero() && !t.Before(s.Before) }

func (r *Report) keep(k Kept) {
	r.KeptTotal++
	if len(r.Kept) < mostReported {
		r.Kept = append(r.Kept, k)
	}
}
