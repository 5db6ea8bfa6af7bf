package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed-2a427302/handoff"
)

// What a server may answer besides the answers of handoff.Store. They come from
// Migrate, Check or the call, wrapped together with the server's own error.
var (
	// ErrReadOnly says that the server takes no writes: it is a standby, or was
	// made read-only.
	ErrReadOnly = errors.New("the server is read-only")

	// ErrFull says that the server's disk is full. Nothing was stored.
	ErrFull = errors.New("the server's disk is full")

	// ErrDenied says that the server does not know the credentials, or that the
	// role may not do what was asked.
	ErrDenied = errors.New("the server denies access")

	// ErrNoConnection says that the call got no connection: its time was over
	// before, or the server is starting, stopping, or has as many as it lets in.
	// Nothing was sent.
	ErrNoConnection = errors.New("no connection: those of the pool or of the server are in use, or the server does not answer")

	// ErrNoDatabase says that the server has no database of that name.
	ErrNoDatabase = errors.New("the server has no such database")

	// ErrNoMemory says that the server is out of memory, or of room for locks.
	// Nothing of the call was stored.
	ErrNoMemory = errors.New("the server is out of memory")

	// ErrIsolation says that the transaction is REPEATABLE READ or SERIALIZABLE.
	// A commit has to see what others committed while it waited for a lock, so
	// only READ COMMITTED will do.
	ErrIsolation = errors.New("the transaction's isolation is not READ COMMITTED")

	// ErrNotDurable is part of what Check returns when the server may lose commits
	// that it has acknowledged. The store works with such a server; whether that
	// is good enough is for the host to say.
	ErrNotDurable = errors.New("commits may be lost with the power")
)

// kinds are the server's codes that have a name here.
var kinds = map[string]error{
	"25006": ErrReadOnly,
	"53100": ErrFull,
	"53200": ErrNoMemory,
	"3D000": ErrNoDatabase,
	"53300": ErrNoConnection, "57P03": ErrNoConnection,
	"28000": ErrDenied, "28P01": ErrDenied, "42501": ErrDenied,
}

// unfit is the error of a call that did not find what it needs in the schema.
func unfit(op string, err error) error {
	return fmt.Errorf("%w: %s: %w", &SchemaError{Have: -1, Need: Latest}, op, err)
}

// wrap names the operation of an error, and its kind if it has one.
func wrap(op string, err error) error {
	var invalid *handoff.InvalidError
	if err == nil || errors.As(err, &invalid) && invalid == err { //nolint:errorlint // what says all by itself
		return err
	}
	if err == context.DeadlineExceeded { //nolint:errorlint // as the pool returns it; what a query meets comes wrapped
		return fmt.Errorf("pgstore: %s: %w: %w", op, ErrNoConnection, err)
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		switch pe.Code {
		case "3F000", "42P01", "42703", "42883": // no such schema, table, column, function
			return unfit(op, err)
		case "XX000": // what the call had found is gone: somebody migrates
			if strings.HasPrefix(pe.Message, "cache lookup failed for ") || strings.HasPrefix(pe.Message, "could not open relation with OID") {
				return unfit(op, err)
			}
		}
		if kind := kinds[pe.Code]; kind != nil {
			return fmt.Errorf("pgstore: %s: %w: %w", op, kind, err)
		}
	}
	return fmt.Errorf("pgstore: %s: %w", op, err)
}
