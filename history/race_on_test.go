//go:build race

package history_test

// underRace says whether the race detector watches.
const underRace = true
