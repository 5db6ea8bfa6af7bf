//go:build race

package memstore

// underRace says that the race detector watches, which makes everything many
// times slower.
const underRace = true
