package pgstore_test

import (
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
	"github.com/seed-2a427302/handoff/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) handoff.Store { return open(t, pgstore.Options{}) })
}
