package estimate

import (
	"reflect"
	"testing"
	"time"
)

func TestSceneSpreadsAgentsOverSeats(t *testing.T) {
	p := Fixed(5*time.Minute, 0)
	s := Scene{
		Lines: []Line{{&p}, {&p}}, Waiting: []Person{{Line: 1}}, Ageing: time.Minute, Seed: 7,
		Agents: []Agent{
			{Lines: []int{0, 1}, Seats: 2, Serving: []Serving{{Line: 1, Elapsed: time.Minute}}, Shifts: []Shift{{To: time.Hour}, {From: 2 * time.Hour}}},
			{Lines: []int{0}, Seats: 1, Shifts: []Shift{{}}},
			{Lines: []int{0, 1}, Seats: 1, Shifts: []Shift{{}}},
			{Lines: []int{0}, Seats: 3},                                             // not there
			{Lines: []int{0}, Seats: -1, Shifts: []Shift{{}}},                       // no sense
			{Lines: []int{0}, Seats: 1, Shifts: []Shift{{From: time.Hour, To: 60}}}, // reversed
		},
	}
	got := s.Snapshot()
	want := []Seat{
		{Group: 0, Busy: true, Line: 1, Elapsed: time.Minute, Leaves: time.Hour},
		{Group: 0, Leaves: time.Hour},
		{Group: 0, Joins: 2 * time.Hour},
		{Group: 0, Joins: 2 * time.Hour},
		{Group: 1},
		{Group: 0},
	}
	if !reflect.DeepEqual(got.Seats, want) {
		t.Errorf("seats\n%+v, want\n%+v", got.Seats, want)
	}
	if len(got.Groups) != 2 || got.Ageing != time.Minute || got.Seed != 7 || len(got.Waiting) != 1 || len(got.Lines) != 2 {
		t.Errorf("%+v", got)
	}
}
