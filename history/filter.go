package history

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"iter"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Filter selects handoffs. All fields that are set must match.
type Filter struct {
	// Query selects by state, outcome, agent, queue, user, conversation, tag and
	// the time of creation. Its After, Limit and ByRank are not used.
	Query handoff.Query

	// Class leaves only handoffs that were completed, or missed.
	Class Class

	// Text must stand in what was said, noted or answered. See
	// handoff.Engine.Search.
	Text string

	// Match is a further condition, such as who may read what; nil: none.
	Match func(*handoff.Handoff) bool
}

// A Class says what became of a wish for a person.
type Class string

// The classes. The zero value is everything.
const (
	Everything Class = ""
	// Completed: it is over for the user, and an agent had it.
	Completed Class = "completed"
	// Missed: a person was asked for, and it is over without one. A user who
	// took it back himself was not missed.
	Missed Class = "missed"
)

// ClassOf returns the class of a handoff; Everything for one that is neither.
func ClassOf(h *handoff.Handoff) Class {
	switch {
	case h.Outcome == "":
		return Everything
	case h.Attended:
		return Completed
	case h.Reason == "":
		return Everything // nobody was asked for
	}
	switch h.Outcome {
	case handoff.OutcomeCancelled, handoff.OutcomeContained, handoff.OutcomeHanded:
		return Everything
	default:
		return Missed
	}
}

// query returns what the store can select by.
func (f *Filter) query() handoff.Query {
	q := f.Query
	q.After, q.Limit, q.ByRank = handoff.Cursor{}, 0, false
	if f.Class == Missed && len(q.Outcomes) == 0 {
		q.Outcomes = []handoff.Outcome{
			handoff.OutcomeMissed, handoff.OutcomeUnavailable, handoff.OutcomeAbandoned, handoff.OutcomeFailed,
			handoff.OutcomeIdle, handoff.OutcomeReturned, handoff.OutcomeResolved, // a platform may end what nobody has joined
		}
	}
	return q
}

func (f *Filter) matches(h *handoff.Handoff) bool {
	return (f.Class == Everything || ClassOf(h) == f.Class) && (f.Match == nil || f.Match(h))
}

func (f *Filter) check() error {
	switch f.Class {
	case Everything, Completed, Missed:
		return nil
	default:
		return &handoff.InvalidError{Field: "Filter.Class", Why: "is unknown"}
	}
}

// All yields the handoffs that match f, oldest first, behind a cursor; "" is
// the beginning. The last pair has the error that ended it. What is created
// meanwhile comes last; of what was created within the last seconds, something
// may still be on its way: set Query.To to a minute ago to be sure that a later
// call goes on without a gap.
func All(ctx context.Context, e *handoff.Engine, f Filter, after string) iter.Seq2[handoff.Handoff, error] {
	return func(yield func(handoff.Handoff, error) bool) {
		q := f.query()
		at, err := parse(after)
		if err == nil {
			err = f.check()
		}
		if err != nil {
			yield(handoff.Handoff{}, err)
			return
		}
		for q.After, q.Limit = at, 100; ; {
			found, err := e.Search(ctx, q, f.Text)
			if err != nil {
				yield(handoff.Handoff{}, err)
				return
			}
			for i := range found.Handoffs {
				if f.matches(&found.Handoffs[i]) && !yield(found.Handoffs[i], nil) {
					return
				}
			}
			if found.Next.IsZero() {
				return
			}
			q.After = found.Next
		}
	}
}

// After returns the cursor behind h: All goes on with what comes after it, List
// with what comes before it.
func After(h *handoff.Handoff) string { return format(handoff.Cursor{At: h.Created, ID: h.ID}) }

// mark is what a cursor holds.
type mark struct {
	At           int64  `json:"t"`
	Conversation string `json:"c,omitempty"`
	Number       int64  `json:"n,omitempty"`
}

func format(c handoff.Cursor) string {
	b, err := json.Marshal(mark{At: c.At.UnixMilli(), Conversation: c.ID.Conversation, Number: c.ID.Number})
	if err != nil {
		return "" // three plain fields
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// parse reads a cursor. Cursors go through browsers: nothing in one is trusted.
func parse(s string) (handoff.Cursor, error) {
	if s == "" {
		return handoff.Cursor{}, nil
	}
	broken := &handoff.InvalidError{Field: "cursor", Why: "is broken"}
	if len(s) > 2048 {
		return handoff.Cursor{}, broken
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return handoff.Cursor{}, broken
	}
	var m mark
	if json.Unmarshal(b, &m) != nil || m.Number < 0 {
		return handoff.Cursor{}, broken
	}
	c := handoff.Cursor{At: time.UnixMilli(m.At).UTC(), ID: handoff.ID{Conversation: m.Conversation, Number: m.Number}}
	if y := c.At.Year(); y < 1 || y > 9999 {
		return handoff.Cursor{}, broken
	}
	return c, nil
}
