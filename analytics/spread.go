package analytics

import (
	"encoding/json"
	"math/bits"
	"time"
)

// A Spread is a set of durations in bounded memory: count, sum, least and most
// are exact, quantiles are right to within 1 %. The zero value is empty.
type Spread struct {
	Count    int
	Sum      time.Duration
	Min, Max time.Duration

	// Counts by cell. A cell is a millisecond at first, and later 1/64 of the
	// power of two that it lies in.
	cells map[uint16]uint32
}

const (
	fine      = 128 // cells of one millisecond
	perOctave = 64
)

func cellOf(d time.Duration) uint16 {
	v := uint64(max(0, d.Milliseconds()))
	if v < fine {
		return uint16(v)
	}
	shift := bits.Len64(v) - 7
	return uint16(fine + (shift-1)*perOctave + int(v>>shift) - perOctave)
}

// middle returns the middle of a cell.
func middle(cell uint16) time.Duration {
	if cell < fine {
		return time.Duration(cell) * time.Millisecond
	}
	shift := int(cell-fine)/perOctave + 1
	low := uint64(int(cell-fine)%perOctave+perOctave) << shift
	return time.Duration(low+uint64(1)<<shift/2) * time.Millisecond
}

func (s *Spread) add(d time.Duration) {
	if s.Count == 0 || d < s.Min {
		s.Min = d
	}
	s.Count, s.Sum, s.Max = s.Count+1, s.Sum+d, max(s.Max, d)
	if s.cells == nil {
		s.cells = map[uint16]uint32{}
	}
	s.cells[cellOf(d)]++
}

func (s *Spread) merge(o *Spread) {
	if o.Count == 0 {
		return
	}
	if s.Count == 0 || o.Min < s.Min {
		s.Min = o.Min
	}
	s.Count, s.Sum, s.Max = s.Count+o.Count, s.Sum+o.Sum, max(s.Max, o.Max)
	if s.cells == nil {
		s.cells = make(map[uint16]uint32, len(o.cells))
	}
	for c, n := range o.cells {
		s.cells[c] += n
	}
}

// Mean returns the mean; zero of an empty set.
func (s *Spread) Mean() time.Duration {
	if s.Count == 0 {
		return 0
	}
	return s.Sum / time.Duration(s.Count)
}

// Quantile returns the duration that a share p of the set does not exceed:
// 0.5 is the median. It is zero for an empty set.
func (s *Spread) Quantile(p float64) time.Duration {
	if s.Count == 0 {
		return 0
	}
	rank := min(max(int(p*float64(s.Count)+0.999999), 1), s.Count)
	seen := 0
	for c := range uint16(fine + 58*perOctave) {
		seen += int(s.cells[c])
		if seen >= rank {
			return min(max(middle(c), s.Min), s.Max)
		}
	}
	return s.Max
}

// MarshalJSON encodes count, and in seconds mean, least, most and quantiles.
func (s Spread) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Count int     `json:"count"`
		Mean  float64 `json:"mean_s"`
		Min   float64 `json:"min_s"`
		P50   float64 `json:"p50_s"`
		P90   float64 `json:"p90_s"`
		P95   float64 `json:"p95_s"`
		Max   float64 `json:"max_s"`
	}{s.Count, s.Mean().Seconds(), s.Min.Seconds(), s.Quantile(.5).Seconds(), s.Quantile(.9).Seconds(), s.Quantile(.95).Seconds(), s.Max.Seconds()})
}
