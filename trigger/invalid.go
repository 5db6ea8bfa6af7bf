package trigger

import "fmt"

// An InvalidError says what a part of a Config or a Pack cannot be. Errors of
// New, ParsePack and Pack.Check hold one for each problem.
type InvalidError struct {
	Field string // as in Go: `Packs["en"].Words["human"]`, "Policy.MaxAutomatic"
	Why   string
}

func (e *InvalidError) Error() string { return "trigger: " + e.Field + ": " + e.Why }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Why: fmt.Sprintf(format, args...)}
}
