package modeltest_test

import (
	"os"
	"runtime/debug"
	"testing"
)

// The worlds are small and make much that is soon garbage, which need not be
// collected often.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
