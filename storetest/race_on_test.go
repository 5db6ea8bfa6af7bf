//go:build race

package storetest

// underRace says that the race detector watches, which makes everything many
// times slower.
const underRace = true
