package memstore_test

import (
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
	"github.com/seed-2a427302/handoff/storetest"
)

func open(*testing.T) handoff.Store { return memstore.New() }

func TestStore(t *testing.T) { storetest.Run(t, open) }
