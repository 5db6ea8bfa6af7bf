package estimate

import (
	"math"
	"time"
)

// What was observed is kept as sums per cell of calendar time. Cells are
// aligned to the Unix epoch, 5 minutes wide near the newest observation and
// twice as wide each time one looks back further than perLevel cells, so two
// months take about thirty cells. What is older shares one cell.
//
// Which cell a moment belongs to depends only on the moment and on the newest
// observation, and two moments of one cell stay together when the newest moves
// on. Together with sums of integers that makes the state a function of the
// set of observations: neither their order nor the replica matters.
const (
	cellMillis = 5 * 60 * 1000
	perLevel   = 4
	levels     = 13
)

// A cellKey names a cell: index counts cells of width cellMillis<<level from
// the epoch. Level "levels" has the single cell for everything older.
type cellKey struct {
	level int
	index int64
}

// base returns the index of the narrowest cell that holds a moment. It rounds
// down, also before 1970.
func base(millis int64) int64 {
	q := millis / cellMillis
	if millis%cellMillis < 0 {
		q--
	}
	return q
}

// place returns the cell of moment at, in Unix milliseconds, when newest is
// the base index of the newest observation. A moment after that cell belongs
// to no cell yet; place answers as if it were in the newest one.
func place(at, newest int64) cellKey {
	return settle(cellKey{index: min(base(at), newest)}, newest)
}

// settle returns the cell that cell k is part of.
func settle(k cellKey, newest int64) cellKey {
	for ; k.level < levels; k.level++ {
		if (newest>>k.level)-k.index < perLevel {
			return k
		}
		k.index >>= 1
	}
	return cellKey{level: levels}
}

// span returns the moments [start, end) of cell k, without those that narrower
// cells took. The oldest cell has no start; it is given the width of a cell of
// its level.
func (k cellKey) span(newest int64) (start, end int64) {
	if k.level == levels {
		end = ((newest >> (levels - 1)) - perLevel + 1) * (cellMillis << (levels - 1))
		return end - (cellMillis << levels), end
	}
	start = k.index * (cellMillis << k.level)
	end = start + (cellMillis << k.level)
	if k.level > 0 {
		finer := ((newest >> (k.level - 1)) - perLevel + 1) * (cellMillis << (k.level - 1))
		end = min(end, finer)
	}
	return start, end
}

// longest is the longest handle time or wait that is believed. What is longer
// is a forgotten conversation or a clock that jumped.
const longest = 7 * 24 * time.Hour

// believable reports whether [start, end] can be the span of one conversation:
// real times, not reversed, not absurdly long.
func believable(start, end time.Time) bool {
	if start.IsZero() || end.IsZero() || end.Before(start) {
		return false
	}
	// Within these years Unix milliseconds and their sums cannot overflow.
	if start.Year() < 1900 || end.Year() > 2500 {
		return false
	}
	return end.Sub(start) <= longest
}

// cut calls f for each piece of the span [start, end) that lies in one cell
// and one age class; the age at start is zero.
func cut(start, end, newest int64, f func(k cellKey, class int, millis int64)) {
	class, older := 0, classEnd(0, start)
	for at := start; at < end; {
		for at >= older {
			class++
			older = classEnd(class, start)
		}
		k := place(at, newest)
		_, stop := k.span(newest)
		if at >= stop { // only in the newest cell, for moments after it
			stop = end
		}
		stop = min(stop, older, end)
		f(k, class, stop-at)
		at = stop
	}
}

// classEnd is the moment at which what began at start leaves an age class.
func classEnd(class int, start int64) int64 {
	if class == ages-1 {
		return math.MaxInt64
	}
	return start + int64(math.Ceil(ageEdge(class+1)*1000))
}
