package sqlitestore

import (
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
)

// What a file may answer besides the answers of handoff.Store. They come from
// Open, Migrate, Check or the call, wrapped together with SQLite's own error.
var (
	// ErrReadOnly says that the file takes no writes.
	ErrReadOnly = errors.New("the file is read-only")

	// ErrNoFile says that the path names a database in memory or a nameless one,
	// which each connection would have for itself. A test without a file takes
	// memstore, or a file in its t.TempDir.
	ErrNoFile = errors.New("the path names no file")

	// ErrFull says that the disk is full, or the file as large as it may be.
	// Nothing was written.
	ErrFull = errors.New("the disk is full")

	// ErrDisk says that the disk failed to read, write or sync. Nothing of the
	// call is known to be stored.
	ErrDisk = errors.New("the disk failed")

	// ErrBusy says that another process has been writing for too long.
	ErrBusy = errors.New("another process is writing")

	// ErrDamaged says that the file is no SQLite database, or a damaged one.
	ErrDamaged = errors.New("the file is no SQLite database, or is damaged")

	// ErrMoved says that the file was deleted, moved or replaced while it was
	// open, or its write-ahead log was. What is written there now, nobody would
	// find again. Nothing was stored; a new Open uses what is there.
	ErrMoved = errors.New("the file was deleted, moved or replaced")

	// ErrNotDurable is what Check returns when commits that were acknowledged
	// may be lost with the power. The store works all the same; whether that is
	// good enough is for the host to say.
	ErrNotDurable = errors.New("commits may be lost with the power")
)

// Mistakes of the caller. They leave the store as it was.
var (
	errNoEntry = errors.New("a commit needs at least one entry")
	errGap     = errors.New("the entries do not continue the log up to the record's Seq")
	errLong    = errors.New("the log has more than 16777215 entries")
	errTwice   = errors.New("a key or a cursor occurs twice in one record")
)

// SQLite's primary result codes.
const (
	codeError    = 1 // in the statement: what it names is missing, or there already
	codeBusy     = 5
	codeReadOnly = 8
	codeIO       = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// wrap names the operation of an error, and its kind.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var kind error
	switch code(err) {
	case codeError:
		// A table or a column. Who has another file before him has none to migrate.
		if strings.Contains(err.Error(), "no such ") && !errors.Is(err, ErrMoved) {
			return fmt.Errorf("%w: %s: %w", &SchemaError{Have: -1, Need: Latest}, op, err)
		}
	case codeBusy:
		kind = ErrBusy
	case codeReadOnly:
		kind = ErrReadOnly
	case codeCorrupt, codeNotADB:
		kind = ErrDamaged
	case codeIO:
		kind = ErrDisk
	case codeFull:
		kind = ErrFull
	}
	if kind == nil || errors.Is(err, kind) || errors.Is(err, ErrMoved) {
		return fmt.Errorf("sqlitestore: %s: %w", op, err)
	}
	return fmt.Errorf("sqlitestore: %s: %w: %w", op, kind, err)
}
