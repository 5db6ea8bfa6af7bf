package estimate

import (
	"encoding/binary"
	"time"
)

// A Scene is a [Snapshot] in terms of agents instead of seats: what an engine
// knows at one moment. It is a plain value. Indexes of lines are those of Lines.
type Scene struct {
	// Closed, Lines, Waiting, Flows, Ageing, Seed and Paths are as in a
	// Snapshot.
	Closed  bool
	Lines   []Line
	Agents  []Agent
	Waiting []Person
	Flows   []Flow
	Ageing  time.Duration
	Seed    uint64
	Paths   int
}

// An Agent serves several people at a time.
type Agent struct {
	// Lines are the indexes of the lines he serves.
	Lines []int
	// Seats is how many people he serves at once.
	Seats int
	// Serving are the people he serves now.
	Serving []Serving
	// Shifts are when he is there, in order, counted from now. None means
	// that he is not and will not be.
	Shifts []Shift
}

// A Serving is somebody being served.
type Serving struct {
	// Line is what he needed; one that Lines does not have counts as any that
	// the agent serves.
	Line int
	// Elapsed is how long he has been served.
	Elapsed time.Duration
}

// A Shift is a stretch of time, counted from now, in which an agent is there.
type Shift struct {
	// From is when he comes; 0 or less means that he is there.
	From time.Duration
	// To is when he takes nobody any more; 0 means that he stays.
	To time.Duration
}

// Snapshot spreads the agents over seats. Agents who serve the same lines are
// of one group.
func (s *Scene) Snapshot() *Snapshot {
	out := &Snapshot{
		Closed: s.Closed, Lines: s.Lines, Waiting: s.Waiting, Flows: s.Flows,
		Ageing: s.Ageing, Seed: s.Seed, Paths: s.Paths,
	}
	groups := map[string]int{}
	var key []byte
	for i := range s.Agents {
		a := &s.Agents[i]
		key = key[:0]
		for _, l := range a.Lines {
			key = binary.AppendVarint(key, int64(l))
		}
		group, ok := groups[string(key)]
		if !ok {
			group = len(out.Groups)
			groups[string(key)] = group
			out.Groups = append(out.Groups, Group{Lines: a.Lines})
		}
		for _, shift := range a.Shifts {
			if shift.To < 0 || shift.To > 0 && shift.To <= shift.From {
				continue
			}
			for k := range max(a.Seats, 0) {
				seat := Seat{Group: group, Joins: max(shift.From, 0), Leaves: shift.To}
				if k < len(a.Serving) && seat.Joins == 0 {
					seat.Busy, seat.Line, seat.Elapsed = true, a.Serving[k].Line, a.Serving[k].Elapsed
				}
				out.Seats = append(out.Seats, seat)
			}
		}
	}
	return out
}
