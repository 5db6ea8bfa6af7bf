package estimate_test

import (
	"fmt"
	"time"

	"github.com/seed-2a427302/handoff/estimate"
)

// The third in line, four agents, six minutes each.
func ExampleQueueLength() {
	params := estimate.Fixed(6*time.Minute, 15*time.Minute)
	wait := estimate.QueueLength(estimate.Place{Ahead: 2, Seats: 4}, params)
	fmt.Println(wait.Mean.Round(time.Second), wait.P50.Round(time.Second), wait.P90.Round(time.Second))

	fmt.Println(estimate.QueueLength(estimate.Place{Ahead: 2}, params).Reason)
	// Output:
	// 4m7s 3m40s 7m17s
	// no_agents
}

func ExampleRender() {
	wait := estimate.Wait{Known: true, P50: 4*time.Minute + 20*time.Second, P90: 11 * time.Minute}
	for _, mode := range []estimate.Mode{estimate.Approximate, estimate.Range, estimate.LessThan} {
		r := estimate.Render(wait, mode)
		fmt.Println(r.Mode, r.Low, r.High)
	}
	// Output:
	// approximate 4 4
	// range 4 15
	// less_than 0 15
}

// A queue with a shift that ends and people of higher priority on their way.
func ExampleSnapshot_Waits() {
	params := estimate.Fixed(5*time.Minute, 0)
	s := estimate.Snapshot{
		Lines:  []estimate.Line{{Params: &params}},
		Groups: []estimate.Group{{Lines: []int{0}}},
		Seats: []estimate.Seat{
			{Busy: true, Elapsed: 2 * time.Minute},
			{Busy: true, Elapsed: time.Minute, Leaves: 10 * time.Minute},
		},
		Waiting: []estimate.Person{{Level: 1}, {}, {}},
		Flows:   []estimate.Flow{{Level: 1, Rate: 1.0 / 600}},
	}
	for _, w := range s.Waits() {
		fmt.Println(w.Method, w.P50 < w.P90)
	}
	// Output:
	// monte_carlo true
	// monte_carlo true
	// monte_carlo true
}

func ExamplePolicy_Next() {
	var policy estimate.Policy
	wait := func(minutes int) estimate.Wait {
		d := time.Duration(minutes) * time.Minute
		return estimate.Wait{Known: true, P50: d, P90: 2 * d}
	}
	now := time.Date(2025, 1, 6, 9, 0, 0, 0, time.UTC)
	shown, _ := policy.Next(estimate.Shown{}, now, wait(5), 0)

	// A new estimate is higher, but nothing happened: the old value stands.
	shown, told := policy.Next(shown, now.Add(time.Minute), wait(8), 0)
	fmt.Println(shown.Wait.P50, told)

	// An agent left: it rises, and says why.
	shown, told = policy.Next(shown, now.Add(time.Minute), wait(8), estimate.SeatLost)
	fmt.Println(shown.Wait.P50, told, shown.Cause)
	// Output:
	// 5m0s false
	// 8m0s true seat_lost
}

func ExampleModel() {
	m := estimate.NewModel(estimate.Prior{})
	at := time.Date(2025, 1, 6, 9, 0, 0, 0, time.UTC)
	for i := range 100 {
		start := at.Add(time.Duration(i) * time.Minute)
		m.Handled(start, start.Add(time.Duration(2+i%3)*time.Minute))
	}
	p := m.Params(at.Add(104*time.Minute), estimate.Live{})
	fmt.Println(p.Known, time.Duration(p.Handle.Mean()*float64(time.Second)).Round(time.Minute))
	// Output:
	// true 3m0s
}
