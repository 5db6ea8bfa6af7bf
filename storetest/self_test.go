package storetest

import (
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
)

// bare hides the optional abilities of a store.
type bare struct{ handoff.Store }

// wrapped hides them too, but says what it wraps.
type wrapped struct{ handoff.Store }

func (w wrapped) Unwrap() handoff.Store { return w.Store }

// TestUnwrap counts the checks that are skipped because an ability is missing.
func TestUnwrap(t *testing.T) {
	skips := func(s func() handoff.Store) (n int) {
		for _, c := range abilityChecks() {
			failures, skipped := play(c, s())
			for _, f := range failures {
				t.Errorf("%s: %s", c.name, f)
			}
			if skipped {
				n++
			}
		}
		return n
	}
	const searching = 2 // memstore leaves that to the engine
	if n := skips(func() handoff.Store { return memstore.New() }); n != searching {
		t.Errorf("%d checks of abilities are skipped for a store that has all but %d", n, searching)
	}
	if n := skips(func() handoff.Store { return wrapped{wrapped{memstore.New()}} }); n != searching {
		t.Errorf("%d checks of abilities are skipped for a store that wraps one that has all but %d", n, searching)
	}
	if n := skips(func() handoff.Store { return bare{memstore.New()} }); n != len(abilityChecks()) {
		t.Errorf("%d of %d checks of abilities are skipped for a store that has none", n, len(abilityChecks()))
	}
}

// TestBareStore runs the whole suite on a store without abilities.
func TestBareStore(t *testing.T) {
	Run(t, func(*testing.T) handoff.Store { return bare{memstore.New()} })
}

func BenchmarkMemstore(b *testing.B) {
	Bench(b, func(*testing.B) handoff.Store { return memstore.New() })
}
