package estimate

import (
	"testing"
	"time"
)

// A million equals wait at one agent, or at none: an answer comes at once, and
// nobody's is shorter than that of somebody before him.
func TestAMillionEquals(t *testing.T) {
	p := Fixed(5*time.Minute, 0)
	people := make([]Person, 1_000_000)
	for i := range people {
		people[i] = Person{Level: 5, Waited: time.Hour}
	}
	s := Scene{Lines: []Line{{&p}}, Waiting: people, Agents: []Agent{{Lines: []int{0}, Seats: 1, Shifts: []Shift{{}}}}}
	var last Wait
	for i, w := range s.Snapshot().Waits() {
		if !w.Known || w.P50 < last.P50 || w.P90 < last.P90 || w.P90 > maxWait {
			t.Fatalf("%d: %+v after %+v", i, w, last)
		}
		last = w
	}
	s.Agents = nil
	for i, w := range s.Snapshot().WaitsOf([]int{0, len(people) - 1}) {
		if w != Unknown(NoAgents) {
			t.Fatalf("%d: %+v", i, w)
		}
	}
}
