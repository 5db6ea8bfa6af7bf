package analytics_test

import (
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/daytest"
	"github.com/seed-2a427302/handoff/memstore"
)

// A day of 20 handoffs against what was computed by hand.
func TestDay(t *testing.T) {
	daytest.Run(t, func(*testing.T) handoff.Store { return memstore.New() })
}
