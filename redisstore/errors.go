package redisstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// What a server or a client may lack. An error of this package that matches
// one of these says more in its text.
var (
	// ErrReadOnly says that the server takes no writes: it is a replica, or
	// cannot write to its disk and refuses writes for that.
	ErrReadOnly = errors.New("the server is read-only")

	// ErrNoMemory says that the server has reached maxmemory. Nothing of the
	// call was stored; reading still works.
	ErrNoMemory = errors.New("the server is out of memory")

	// ErrDenied says that the server does not know the client's credentials, or
	// does not let them do what was asked.
	ErrDenied = errors.New("the server denies access")

	// ErrBusy says that the server runs somebody's script that does not end, or
	// is still loading its data. Nothing of the call was stored.
	ErrBusy = errors.New("the server is busy")

	// ErrForeign says that something of another origin has one of the store's
	// names. Two programs use one prefix.
	ErrForeign = errors.New("a value is not this library's")

	// ErrEvicts is part of what Check returns when the server deletes data to
	// make room. Handoffs would vanish. Set maxmemory-policy to noeviction.
	ErrEvicts = errors.New("the server may delete data")

	// ErrNotDurable is part of what Check returns when the server may lose
	// commits that it has acknowledged. The store works with such a server;
	// whether that is good enough is for the host to say.
	ErrNotDurable = errors.New("commits may be lost")

	// ErrClient is part of what Check returns when the client's options break
	// the contract of a store.
	ErrClient = errors.New("the client's options do not fit")
)

// codes are the first words of the server's errors that have a name here.
var codes = map[string]error{
	"READONLY": ErrReadOnly, "MISCONF": ErrReadOnly, "NOREPLICAS": ErrReadOnly,
	"OOM":    ErrNoMemory,
	"NOAUTH": ErrDenied, "WRONGPASS": ErrDenied, "NOPERM": ErrDenied,
	"BUSY": ErrBusy, "LOADING": ErrBusy, "MASTERDOWN": ErrBusy,
	"WRONGTYPE": ErrForeign,
}

// wrap names the operation of an error, and its kind if it has one.
func wrap(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	// The client gives the context's deadline to the connection, which may
	// notice it first.
	if until, ok := ctx.Deadline(); ok && errors.Is(err, os.ErrDeadlineExceeded) && !time.Now().Before(until) {
		return fmt.Errorf("redisstore: %s: %w: %w", op, context.DeadlineExceeded, err)
	}
	var re redis.Error
	if errors.As(err, &re) {
		code, rest, _ := strings.Cut(re.Error(), " ")
		kind, ok := codes[code]
		if !ok && strings.Contains(rest, "unauthenticated") { // too long a command for a stranger
			kind, ok = ErrDenied, true
		}
		if ok {
			return fmt.Errorf("redisstore: %s: %w: %w", op, kind, err)
		}
	}
	return fmt.Errorf("redisstore: %s: %w", op, err)
}
