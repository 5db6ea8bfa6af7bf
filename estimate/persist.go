package estimate

import (
	"encoding/json"
	"errors"
	"fmt"
)

// savedVersion is the layout of savedModel. A later one must still read it.
const savedVersion = 1

type savedModel struct {
	Version int         `json:"v"`
	Newest  int64       `json:"newest"`
	First   int64       `json:"first"`
	Cells   []savedCell `json:"cells"`
}

type savedCell struct {
	Level      int           `json:"l"`
	Index      int64         `json:"i"`
	HandleEnds []int64       `json:"he,omitempty"`
	HandleTime []int64       `json:"ht,omitempty"`
	WaitEnds   []int64       `json:"we,omitempty"`
	WaitTime   []int64       `json:"wt,omitempty"`
	Arrivals   map[int]int64 `json:"a,omitempty"`
	Seats      int64         `json:"s,omitempty"`
	Busy       int64         `json:"b,omitempty"`
}

// MarshalJSON returns the observations, without the prior. Models that saw the
// same give the same bytes.
func (m *Model) MarshalJSON() ([]byte, error) {
	out := savedModel{Version: savedVersion, Newest: m.newest, First: m.first, Cells: []savedCell{}}
	for _, k := range m.keys() {
		c := m.cells[k]
		out.Cells = append(out.Cells, savedCell{
			Level: k.level, Index: k.index,
			HandleEnds: c.handle.ends, HandleTime: c.handle.millis,
			WaitEnds: c.wait.ends, WaitTime: c.wait.millis,
			Arrivals: c.arrivals, Seats: c.seats, Busy: c.busy,
		})
	}
	return json.Marshal(out)
}

// UnmarshalJSON replaces the observations by those of data; the prior stays. On
// error the model is as before: data that is not from MarshalJSON, or from a
// later version of this package, is refused.
func (m *Model) UnmarshalJSON(data []byte) error {
	var in savedModel
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("estimate: saved model: %w", err)
	}
	if in.Version != savedVersion {
		return fmt.Errorf("estimate: saved model has version %d, want %d", in.Version, savedVersion)
	}
	fresh := Model{prior: m.prior, newest: in.Newest, first: in.First}
	// Bounds of believable times, so that sums of them cannot overflow.
	const span = 1 << 46
	if in.Newest < -span/cellMillis || in.Newest > span/cellMillis || in.First < -span || in.First > span ||
		base(in.First) > in.Newest {
		return errors.New("estimate: saved model: times out of range")
	}
	for i, s := range in.Cells {
		k := cellKey{level: s.Level, index: s.Index}
		if k.level < 0 || k.level > levels || k.level == levels && k.index != 0 ||
			k.level < levels && k.index > in.Newest>>k.level || settle(k, in.Newest) != k || fresh.cells[k] != nil {
			return fmt.Errorf("estimate: saved model: cell %d is out of place", i)
		}
		c, err := s.cell()
		if err != nil {
			return fmt.Errorf("estimate: saved model: cell %d: %w", i, err)
		}
		if fresh.cells == nil {
			fresh.cells = make(map[cellKey]*cell)
		}
		fresh.cells[k] = c
	}
	*m = fresh
	return nil
}

func (s savedCell) cell() (*cell, error) {
	c := &cell{seats: s.Seats, busy: s.Busy}
	if len(s.HandleEnds) > ages || len(s.HandleEnds) != len(s.HandleTime) ||
		len(s.WaitEnds) > ages || len(s.WaitEnds) != len(s.WaitTime) {
		return nil, errors.New("age classes do not match")
	}
	negative := s.Seats < 0 || s.Busy < 0
	for _, sums := range [][]int64{s.HandleEnds, s.HandleTime, s.WaitEnds, s.WaitTime} {
		for _, n := range sums {
			negative = negative || n < 0
		}
	}
	for level, n := range s.Arrivals {
		negative = negative || n < 0
		c.arrive(level, n)
	}
	if negative {
		return nil, errors.New("negative sum")
	}
	c.handle = tally{ends: s.HandleEnds, millis: s.HandleTime}
	c.wait = tally{ends: s.WaitEnds, millis: s.WaitTime}
	return c, nil
}
