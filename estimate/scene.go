package estimate

import (
	"slices"
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
	for i := range s.Agents {
		a := &s.Agents[i]
		group := slices.IndexFunc(out.Groups, func(g Group) bool { return slices.Equal(g.Lines, a.Lines) })
		if group < 0 {
			group = len(out.Groups)
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
