// Package rigtest says on which store the rigs of package handofftest run: in
// memory, unless the engine's own tests are run on another one, which module
// systemtest does.
package rigtest

import (
	"testing"

	"github.com/seed-2a427302/handoff"
)

// Open opens an empty store for a test that is in a bubble; nil: in memory.
var Open func(tb testing.TB) handoff.Store //nolint:gochecknoglobals // set before the first test begins, by those who run the engine's tests on it
