package redisstore_test

import (
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/daytest"
	"github.com/seed-2a427302/handoff/redisstore"
)

// History and analytics are the same here as on every store.
func TestDay(t *testing.T) {
	daytest.Run(t, func(t *testing.T) handoff.Store { return open(t, redisstore.Options{}) })
}
