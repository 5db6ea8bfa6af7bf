package pgstore_test

import (
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
	"github.com/seed-2a427302/handoff/presencetest"
)

func TestPresence(t *testing.T) {
	p := open(t, pgstore.Options{}).Presence()
	presencetest.Run(t, func(*testing.T) handoff.Sessions { return p })
}
