package estimate

import (
	"strings"
	"time"
)

// A Cause says what happened to somebody's place that may make his wait longer.
// Causes combine with |. That a parameter was learned anew is not a cause: what
// was told then was a mistake of ours, not something that happened to him.
type Cause uint8

const (
	// Overtaken means somebody was ranked before him: an arrival of higher
	// priority, or a return to an earlier place.
	Overtaken Cause = 1 << iota
	// SeatLost means a seat that served him left, or was lowered.
	SeatLost
	// HoursChanged means the hours or the shifts of his queue changed.
	HoursChanged
	// Moved means he himself changed queue, need or priority.
	Moved
)

// String returns the causes as words joined by "+", "" for none.
func (c Cause) String() string {
	var words []string
	for _, w := range []struct {
		c Cause
		s string
	}{{Overtaken, "overtaken"}, {SeatLost, "seat_lost"}, {HoursChanged, "hours_changed"}, {Moved, "moved"}} {
		if c&w.c != 0 {
			words = append(words, w.s)
		}
	}
	return strings.Join(words, "+")
}

// Shown is what somebody was told last. Keep it with him and hand it to the
// next [Policy.Next]; it is a plain value, so any replica can go on from it.
// The zero value has told nothing.
type Shown struct {
	// Wait is the value told.
	Wait Wait `json:"wait"`
	// At is when. Zero means nothing was told yet.
	At time.Time `json:"at"`
	// Cause is why the value rose, when it did; 0 when it did not.
	Cause Cause `json:"cause,omitempty"`
	// Pending is what happened since and has not been told.
	Pending Cause `json:"pending,omitempty"`
}

// A Policy says when a new value is told. The zero value is a good policy.
type Policy struct {
	// Every is the least time between two updates. 0 means 15 seconds.
	Every time.Duration
	// Material is the relative change of P50 or P90 that is worth an update
	// of its own. 0 means 0.2.
	Material float64
	// Least is the absolute change below which nothing is material. 0 means
	// 15 seconds.
	Least time.Duration
	// Heartbeat is how long a value stands before it is told anew even if
	// little changed, so that nobody thinks he was forgotten. 0 means 2
	// minutes; negative means never.
	Heartbeat time.Duration
}

func (p Policy) withDefaults() Policy {
	if p.Every <= 0 {
		p.Every = 15 * time.Second
	}
	if !usable(p.Material) {
		p.Material = 0.2
	}
	if p.Least <= 0 {
		p.Least = 15 * time.Second
	}
	if p.Heartbeat == 0 {
		p.Heartbeat = 2 * time.Minute
	}
	return p
}

// Next decides whether est is told at now to somebody who was told last. It
// returns what to keep, and true when it is to be told. Keep the result even
// when it is false: it remembers cause.
//
// The first value is told at once. After that, at most one in p.Every, and
// only when it changed materially, became known or unknown, or has stood for
// p.Heartbeat. A value told is never higher than the one before unless
// something in cause, now or since the one before, explains it; a new estimate
// that is higher without a cause is cut to what was told. (A wait that was
// unknown in between has no value before it.) A now before last.At, from a
// clock that was put right, counts as p.Every later.
func (p Policy) Next(last Shown, now time.Time, est Wait, cause Cause) (Shown, bool) {
	p = p.withDefaults()
	if last.At.IsZero() {
		return Shown{Wait: est, At: now}, true
	}
	last.Pending |= cause
	since := now.Sub(last.At)
	if since < 0 {
		since = p.Every
	}
	if since < p.Every {
		return last, false
	}
	due := p.Heartbeat > 0 && since >= p.Heartbeat
	if !est.Known || !last.Wait.Known {
		changed := est.Known != last.Wait.Known || est.Reason != last.Wait.Reason
		if !changed && !due {
			return last, false
		}
		return Shown{Wait: est, At: now, Cause: last.Pending}, true
	}
	next := est
	if last.Pending == 0 {
		next.P50 = min(est.P50, last.Wait.P50)
		next.P90 = min(est.P90, last.Wait.P90)
		next.Mean = min(est.Mean, last.Wait.Mean)
	}
	if !due && !p.material(last.Wait.P50, next.P50) && !p.material(last.Wait.P90, next.P90) {
		return last, false
	}
	shown := Shown{Wait: next, At: now}
	if next.P50 > last.Wait.P50 || next.P90 > last.Wait.P90 {
		shown.Cause = last.Pending
	}
	return shown, true
}

func (p Policy) material(before, after time.Duration) bool {
	change := max(after-before, before-after)
	return change >= p.Least && change.Seconds() >= p.Material*before.Seconds()
}
