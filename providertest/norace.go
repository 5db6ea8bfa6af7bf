//go:build !race

package providertest

// slowed says that the race detector makes everything take ten times as long.
const slowed = false
