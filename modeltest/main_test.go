package modeltest_test

import (
	"os"
	"runtime/debug"
	"testing"
)

// The worlds are small and make much that is soon garbage: to collect it four
// times less often takes a quarter off the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
