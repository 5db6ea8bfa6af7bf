package pgstore

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed-2a427302/handoff"
)

// clean reports whether PostgreSQL can keep a name. One that it cannot is
// nobody's.
func clean(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// A name is what something is called, and the field that says so.
type name struct {
	field string
	value string
	index bool // it is in an index, where there is less room than in a table
}

// names yields what a record and its entries are called.
func names(r *handoff.Record, entries []handoff.RecordEntry) iter.Seq[name] {
	return func(yield func(name) bool) {
		for _, n := range [...]name{
			{"conversation", r.ID.Conversation, true},
			{"queue", r.Queue, true},
			{"state", string(r.State), true},
			{"outcome", string(r.Outcome), false},
			{"agent", r.Agent, true},
			{"user", r.User, true},
			{"line", r.Line, true},
		} {
			if !yield(n) {
				return
			}
		}
		for i := range r.Tags {
			if !yield(name{"tag", r.Tags[i], false}) {
				return
			}
		}
		for i := range r.Keys {
			if !yield(name{"key", r.Keys[i].Name, true}) {
				return
			}
		}
		for i := range r.Owed {
			if !yield(name{"sink", r.Owed[i].Sink, false}) || !yield(name{"cursor", r.Owed[i].Cursor, true}) {
				return
			}
		}
		for i := range entries {
			if !yield(name{"entry", entries[i].ID, true}) {
				return
			}
		}
	}
}

// cursors yields what a cursor is called.
func cursors(id handoff.ID, cursor string) iter.Seq[name] {
	return slices.Values([]name{{"conversation", id.Conversation, true}, {"cursor", cursor, true}})
}

// checkNames finds what PostgreSQL could not keep. It would say so itself, but
// in words for nobody in particular, and at the cost of the transaction.
func checkNames(r *handoff.Record, entries []handoff.RecordEntry) error {
	for n := range names(r, entries) {
		if !clean(n.value) {
			return unclean(n.field)
		}
	}
	return nil
}

func unclean(field string) error {
	return &handoff.InvalidError{Field: field, Why: "is not valid UTF-8 without NUL"}
}

// room is how many bytes of names every index has room for, with what stands
// beside them: a third of a page. Whether more fit depends on how far the server
// can compress them, which only it can say.
const room = 2600

// narrow reports whether names may be too long for an index.
func narrow(all iter.Seq[name]) bool {
	sum := 0
	for n := range all {
		if n.index {
			sum += len(n.value)
		}
	}
	return sum > room
}

// tooLong makes an *InvalidError of what the server says when a name does not
// fit. It is the longest.
func tooLong(err error, all iter.Seq[name]) error {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) || pe.Code != "54000" { // program_limit_exceeded
		return err
	}
	longest := name{}
	for n := range all {
		if n.index && len(n.value) > len(longest.value) {
			longest = n
		}
	}
	if longest.field == "" {
		return err
	}
	return &handoff.InvalidError{Field: longest.field, Why: "is too long for an index of the database"}
}

// guarded calls f with the database. What the server may refuse in a transaction
// of the caller is undone there by itself, and leaves the rest of it usable.
func (s *Store) guarded(ctx context.Context, all iter.Seq[name], f func(db) error) error {
	tx, ok := s.db.(pgx.Tx)
	if !ok || !narrow(all) {
		return tooLong(f(s.db), all)
	}
	return tooLong(apiece(ctx, tx, f), all)
}

// apiece calls f within a savepoint.
func apiece(ctx context.Context, tx pgx.Tx, f func(db) error) error {
	return pgx.BeginFunc(ctx, tx, func(inner pgx.Tx) error { return f(inner) })
}
