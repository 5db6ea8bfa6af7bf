//go:build !race

package memstore

// underRace says that the race detector watches.
const underRace = false
