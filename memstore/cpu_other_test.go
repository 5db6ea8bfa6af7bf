//go:build !unix

package memstore

import "time"

var started = time.Now()

// cpu returns the time on the wall, for want of a better one.
func cpu() time.Duration { return time.Since(started) }
