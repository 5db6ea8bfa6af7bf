//go:build !race

package storetest

// underRace says that the race detector watches.
const underRace = false
