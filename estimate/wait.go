package estimate

import (
	"math"
	"time"
)

// A Reason says why a wait is not known. The empty Reason belongs to a known
// wait.
type Reason string

const (
	// NoAgents means nobody is there who could serve, now or, as far as the
	// plan goes, later.
	NoAgents Reason = "no_agents"
	// Closed means the queue is outside its hours.
	Closed Reason = "closed"
	// NoData means too little has been seen yet and the host gave no prior.
	NoData Reason = "no_data"
)

// A Method names how a wait was worked out.
type Method string

const (
	// Immediate means a seat is free for this person now.
	Immediate Method = "immediate"
	// ClosedForm means [QueueLength].
	ClosedForm Method = "queue_length"
	// MonteCarlo means [Snapshot.Simulate].
	MonteCarlo Method = "monte_carlo"
)

// A Wait is the time until it is somebody's turn, counted from the moment of
// the estimate, for somebody who stays. The zero value is an unknown wait
// without a reason; everything this package returns is either Known or has a
// Reason. A Wait is a plain value.
type Wait struct {
	// Known tells whether P50, P90 and Mean mean anything.
	Known bool `json:"known"`
	// Reason says why not. Empty when Known.
	Reason Reason `json:"reason,omitempty"`
	// P50 is the time that half of such waits stay below. It is the value to
	// show when one number is shown: it has the least mean absolute error.
	P50 time.Duration `json:"p50"`
	// P90 is the time that nine in ten of such waits stay below. Never less
	// than P50.
	P90 time.Duration `json:"p90"`
	// Mean is the expected wait.
	Mean time.Duration `json:"mean"`
	// Method says how it was worked out. Empty when unknown.
	Method Method `json:"method,omitempty"`
}

// Unknown returns the unknown wait with its reason.
func Unknown(why Reason) Wait { return Wait{Reason: why} }

// maxWait bounds every duration this package returns. A year is far beyond
// any use and far from overflow, so that sums of waits stay valid too.
const maxWait = 365 * 24 * time.Hour

// seconds turns seconds into a duration in [0, maxWait]. NaN becomes maxWait:
// what cannot be computed must not look short.
func seconds(s float64) time.Duration {
	switch {
	case s <= 0:
		return 0
	case s >= maxWait.Seconds() || math.IsNaN(s):
		return maxWait
	}
	return time.Duration(s * float64(time.Second))
}

// known builds a Wait from seconds.
func known(how Method, p50, p90, mean float64) Wait {
	w := Wait{Known: true, P50: seconds(p50), P90: seconds(p90), Mean: seconds(mean), Method: how}
	w.P90 = max(w.P90, w.P50)
	return w
}

// usable reports whether x can serve as a rate or a length: positive and
// finite.
func usable(x float64) bool { return x > 0 && !math.IsInf(x, 1) }
