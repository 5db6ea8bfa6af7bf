//go:build unix

package memstore

import (
	"syscall"
	"time"
)

// cpu returns the processor time that this process has used. On a machine
// that is shared with others it says more than the clock on the wall.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
