//go:build unix

package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// ownCPU is what this process has used so far.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// otherCPU is what another process of this machine has used so far, where
// Linux tells.
func otherCPU(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		return 0
	}
	var nanos int64
	_, _ = fmt.Sscan(string(b), &nanos)
	return time.Duration(nanos)
}
