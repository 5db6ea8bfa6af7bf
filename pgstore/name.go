package pgstore

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed-2a427302/handoff"
)

// longest is how many bytes of a name PostgreSQL keeps. It cuts the rest off
// without an error, and two schemas would be one.
const longest = 63

// checkSchema finds a name that would lead to another schema than it says.
func checkSchema(name string) error {
	const field = "Options.Schema"
	switch {
	case len(name) > longest:
		return &handoff.InvalidError{Field: field, Why: "is longer than 63 bytes"}
	case !utf8.ValidString(name):
		return &handoff.InvalidError{Field: field, Why: "is not valid UTF-8"}
	case strings.ContainsRune(name, 0):
		return &handoff.InvalidError{Field: field, Why: "has a NUL"}
	}
	return nil
}

// refused is the database of a store whose schema has no name: every call
// fails.
type refused struct{ err error }

func (r refused) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, r.err
}

func (r refused) Query(context.Context, string, ...any) (pgx.Rows, error) { return nil, r.err }
func (r refused) QueryRow(context.Context, string, ...any) pgx.Row        { return refusedRow(r) }
func (r refused) Begin(context.Context) (pgx.Tx, error)                   { return nil, r.err }
func (r refused) SendBatch(context.Context, *pgx.Batch) pgx.BatchResults {
	return refusedBatch{err: r.err}
}

type refusedRow struct{ err error }

func (r refusedRow) Scan(...any) error { return r.err }

type refusedBatch struct {
	pgx.BatchResults // what nobody asks for

	err error
}

func (r refusedBatch) Exec() (pgconn.CommandTag, error) { return pgconn.CommandTag{}, r.err }
func (r refusedBatch) QueryRow() pgx.Row                { return refusedRow{r.err} }
func (r refusedBatch) Close() error                     { return nil }
