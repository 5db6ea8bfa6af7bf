// Package storetest proves that a [handoff.Store] keeps its contract.
//
// A store's own test is one line:
//
//	func TestStore(t *testing.T) { storetest.Run(t, open) }
//
// Each failure quotes the sentence of the contract that was broken. The suite
// is itself tested with stores that break one sentence each.
package storetest

import (
	"slices"
	"testing"

	"github.com/seed-2a427302/handoff"
)

// Run tests the store that open returns. It calls open once for each check,
// and open returns an empty store each time; it may use t.Cleanup to close it.
//
// Run uses real time and works over a network. It expects that the store's
// clock, if it has one, is right to within a quarter of an hour. Optional
// abilities are tested if the store, or one that it wraps, has them.
func Run(t *testing.T, open func(t *testing.T) handoff.Store) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) { c.run(newKit(t, open(t), c.rule)) })
	}
}

// checks returns the whole suite.
func checks() []check {
	return slices.Concat(
		commitChecks(), keyChecks(), atomicChecks(), readChecks(), nameChecks(),
		listChecks(), claimChecks(), deliveryChecks(), cursorChecks(),
		eraseChecks(), raceChecks(), contextChecks(), abilityChecks(),
	)
}
