package implement_test

import (
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/examples/implement"
	"github.com/seed-2a427302/handoff/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) handoff.Store { return implement.NewStore() })
}
