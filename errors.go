package handoff

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Answers of a store and of verbs. Compare with errors.Is.
var (
	ErrNotFound  = errors.New("handoff: not found")
	ErrConflict  = errors.New("handoff: changed by someone else")
	ErrDuplicate = errors.New("handoff: entry id is taken")
	ErrLeased    = errors.New("handoff: led by someone else")

	// ErrStale is returned for a turn whose time is over: control moved, or
	// another call has taken over its messages. Nothing was shown.
	ErrStale = errors.New("handoff: the turn is over")

	// ErrState is what every *StateError is.
	ErrState = errors.New("handoff: not allowed in this state")

	// ErrWithdrawn is returned for an offer that is gone: answered, lapsed,
	// taken by someone else, or replaced by a newer one.
	ErrWithdrawn = errors.New("handoff: the offer was withdrawn")

	// ErrExpired is returned for an offer whose deadline has passed.
	ErrExpired = errors.New("handoff: the offer has expired")

	// ErrFull is returned when an agent has no free seat.
	ErrFull = errors.New("handoff: no free seat")

	// ErrNotHolder is returned to an agent who does not hold the handoff.
	ErrNotHolder = errors.New("handoff: held by someone else")

	// ErrOpen is returned by Erase while a handoff is open or something is
	// still owed to somebody.
	ErrOpen = errors.New("handoff: still open")

	// ErrUnknown is returned when the store could not say whether a command
	// was stored. Calling again with the same ids is safe and gives the answer.
	ErrUnknown = errors.New("handoff: outcome unknown")

	// ErrUnavailable is what every *UnavailableError is.
	ErrUnavailable = errors.New("handoff: nobody is available")

	// ErrInvalid is what every *InvalidError is.
	ErrInvalid = errors.New("handoff: invalid")
)

// A StateError says that a command is not allowed now.
type StateError struct {
	ID      ID
	State   State  // the current state
	Command string // the command that was refused
}

func (e *StateError) Error() string {
	return fmt.Sprintf("handoff: %s is not allowed while %s", e.Command, e.State)
}

// Is reports that a *StateError is an ErrState.
func (e *StateError) Is(target error) bool { return target == ErrState }

// A HeldError says that a commit would take more of a key than its maximum.
type HeldError struct {
	Key     string
	Holders []Holding // who holds it; may be shortened
}

func (e *HeldError) Error() string { return "handoff: a key is held by someone else" }

// An UnreadableError says that what the store has of a handoff, its record or
// an entry of its log, cannot be read: it was damaged, or something else wrote it.
type UnreadableError struct {
	ID  ID
	Err error
}

func (e *UnreadableError) Error() string { return fmt.Sprintf("handoff: unreadable: %v", e.Err) }

// Unwrap returns the cause.
func (e *UnreadableError) Unwrap() error { return e.Err }

// An UnavailableError says that nobody can help now. It is not an error of the
// caller: the bot goes on, and may tell the user why.
type UnavailableError struct {
	Queue  string
	Why    Reason    // closed, offline, full, …
	Opens  time.Time // when the queue opens next; zero when that is unknown
	Record ID        // where the refused request was recorded; zero if it was not
}

func (e *UnavailableError) Error() string {
	if e.Opens.IsZero() {
		return fmt.Sprintf("handoff: queue %q is %s", e.Queue, e.Why)
	}
	return fmt.Sprintf("handoff: queue %q is %s until %s", e.Queue, e.Why, e.Opens.Format(time.RFC3339))
}

// Is reports that an *UnavailableError is an ErrUnavailable.
func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }

// An InvalidError names a field that cannot be accepted. It never holds the
// field's value.
type InvalidError struct {
	Field string
	Why   string
}

func (e *InvalidError) Error() string { return "handoff: " + e.Field + ": " + e.Why }

// Is reports that an *InvalidError is an ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// A ConfigError lists everything that is wrong with a Config.
type ConfigError struct{ Problems []error }

func (e *ConfigError) Error() string {
	var b strings.Builder
	b.WriteString("handoff: config:")
	for _, p := range e.Problems {
		b.WriteString("\n\t" + strings.TrimPrefix(p.Error(), "handoff: "))
	}
	return b.String()
}

// Unwrap returns the problems.
func (e *ConfigError) Unwrap() []error { return e.Problems }
