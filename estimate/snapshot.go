package estimate

import (
	"slices"
	"time"
)

// A Snapshot is the live state of the seats and the people who wait for them:
// one queue, or several that share agents. It is a plain value; nothing in it
// is changed. Lengths and times that make no sense (negative, reversed) count
// as zero.
type Snapshot struct {
	// Closed says the queue is outside its hours.
	Closed bool
	// Lines are the kinds of need. People of one line are served by the
	// same seats. A queue without skills has one line. Seats, people and
	// flows name a line by its index; those that name none are left out.
	Lines []Line
	// Groups are the kinds of seat, by what they serve.
	Groups []Group
	// Seats are the seats that serve now or will later.
	Seats []Seat
	// Waiting are the people who wait, in the order in which the router
	// pops them.
	Waiting []Person
	// Flows are people yet to come who may rank before some of those who
	// wait. People who come later and rank last change nothing for them.
	Flows []Flow
	// Ageing is how much waiting time one priority level is worth. 0 means
	// that a higher level always goes first.
	Ageing time.Duration
	// Seed chooses the random numbers; replicas that use the same see the
	// same. Using one seed from refresh to refresh keeps values calm.
	Seed uint64
	// Paths is how many times the future is played. 0 means 200.
	Paths int
}

// A Line is one kind of need.
type Line struct {
	// Params is what was learned about it. They may be the same for all.
	Params *Params
}

// A Group is one kind of seat.
type Group struct {
	// Lines are the indexes of the lines it serves.
	Lines []int
}

// A Seat serves one person at a time.
type Seat struct {
	// Group is the index of its kind.
	Group int
	// Busy says somebody is being served; the seat is free otherwise.
	Busy bool
	// Line is the line of the person being served.
	Line int
	// Elapsed is how long he has been.
	Elapsed time.Duration
	// Joins is when the seat begins to serve, counted from now. 0 means it
	// serves already.
	Joins time.Duration
	// Leaves is when the seat stops taking people, counted from now; who is
	// being served then is served to the end. 0 means it stays. A seat that
	// takes nobody any more is left out of the snapshot.
	Leaves time.Duration
}

// A Person waits.
type Person struct {
	// Line is what he needs.
	Line int
	// Level is his priority, higher is sooner.
	Level int
	// Waited is how long he has, from the moment that ranks him.
	Waited time.Duration
}

// A Flow is people to come.
type Flow struct {
	// Line and Level are as for a person.
	Line, Level int
	// Rate is people per second.
	Rate float64
	// Evidence is how many people Rate was learned from. 0 means certain.
	Evidence float64
}

// Waits returns the wait of everybody in s.Waiting, in the same order. It uses
// the closed form where that says all there is to say and simulates where
// priorities, shifts or several skills play a part.
func (s *Snapshot) Waits() []Wait { return s.of(nil) }

// WaitOf returns the wait of s.Waiting[i], like [Snapshot.Waits] for one. An i
// out of range has no place, so it gives an unknown wait for NoData.
func (s *Snapshot) WaitOf(i int) Wait {
	if i < 0 || i >= len(s.Waiting) {
		return Unknown(NoData)
	}
	return s.of([]int{i})[0]
}

// WaitsOf returns the waits of the people with these indexes in s.Waiting, in
// the same order, like [Snapshot.Waits] for some. Indexes out of range give an
// unknown wait for NoData.
func (s *Snapshot) WaitsOf(targets []int) []Wait {
	out := make([]Wait, len(targets))
	valid, at := make([]int, 0, len(targets)), make([]int, 0, len(targets))
	for k, i := range targets {
		if i < 0 || i >= len(s.Waiting) {
			out[k] = Unknown(NoData)
			continue
		}
		valid, at = append(valid, i), append(at, k)
	}
	if len(valid) > 0 {
		for j, w := range s.of(valid) {
			out[at[j]] = w
		}
	}
	return out
}

// of returns the waits of the targets; nil means all.
func (s *Snapshot) of(targets []int) []Wait {
	if p, plain := s.plain(); plain {
		return s.closedForm(targets, p)
	}
	return s.Simulate(targets)
}

// reach is how many times the last person's p90 a shift may be away to be of
// no account.
const reach = 2

// Where the squared coefficient of variation of handle times lies outside of
// these, it matters how long each busy seat has been busy, which the closed form
// does not look at; unless there are so many seats that they even out.
const (
	regular = 0.8
	erratic = 1.25
	few     = 100
)

// plain reports whether the closed form will do, and with which Params.
func (s *Snapshot) plain() (*Params, bool) {
	if len(s.Lines) != 1 || s.Lines[0].Params == nil {
		return nil, false
	}
	for _, f := range s.Flows {
		if usable(f.Rate) && s.overtakes(f) {
			return nil, false
		}
	}
	for _, w := range s.Waiting {
		if w.Line != 0 {
			return nil, false
		}
	}
	p := s.Lines[0].Params
	if cv2 := p.Handle.SquaredCV(); p.Known && len(s.Seats) <= few && (cv2 < regular || cv2 > erratic) {
		return nil, false
	}
	last := QueueLength(s.place(len(s.Waiting)-1), *p)
	for _, seat := range s.Seats {
		if !s.serves(seat.Group, 0) {
			return nil, false
		}
		for _, change := range []time.Duration{seat.Joins, seat.Leaves} {
			if change > 0 && (!last.Known || change < reach*last.P90) {
				return nil, false
			}
		}
	}
	return p, true
}

// overtakes reports whether people of f can rank before somebody who waits.
func (s *Snapshot) overtakes(f Flow) bool {
	for _, w := range s.Waiting {
		if f.Level > w.Level {
			return true
		}
	}
	return false
}

func (s *Snapshot) serves(group, line int) bool {
	if group < 0 || group >= len(s.Groups) {
		return false
	}
	return slices.Contains(s.Groups[group].Lines, line)
}

// place is the place of person i when everybody is in one line.
func (s *Snapshot) place(i int) Place {
	at := Place{Ahead: i, Closed: s.Closed}
	for _, seat := range s.Seats {
		if seat.Joins > 0 {
			continue
		}
		at.Seats++
		if !seat.Busy {
			at.Free++
		}
	}
	return at
}

// closedForm returns the waits of the targets by queueLength. The rate at which
// those ahead give up is that of their own ages until their own turns, because
// people who have waited long may be more or less patient than others.
func (s *Snapshot) closedForm(targets []int, p *Params) []Wait {
	last := len(s.Waiting) - 1
	if targets != nil {
		last = slices.Max(targets)
	}
	at := s.place(0)
	all := make([]Wait, last+1)
	lost, risk := 0.0, 0.0
	for i := range all {
		leave := p.Leave
		if risk > 0 {
			leave = lost / risk
		}
		at.Ahead = i
		all[i] = queueLength(at, p, leave)
		if age, stay := s.waited(i), all[i].Mean.Seconds(); p.Patience.ends() && all[i].Known && stay > 0 {
			lost += p.Patience.spent(age+stay) - p.Patience.spent(age)
			risk += stay
		}
	}
	if targets == nil {
		return all
	}
	out := make([]Wait, len(targets))
	for k, i := range targets {
		out[k] = all[i]
	}
	return out
}

// waited is how long person i has waited, in seconds.
func (s *Snapshot) waited(i int) float64 {
	return min(max(s.Waiting[i].Waited, 0), longest).Seconds()
}
