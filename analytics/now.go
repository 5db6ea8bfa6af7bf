package analytics

import (
	"context"
	"errors"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Live is how a queue is at this moment.
type Live struct {
	Queue string `json:"queue"`
	Open  bool   `json:"open"` // by its hours

	Waiting int           `json:"waiting"` // depth: in the queue, offered ones included; on a platform, in its queue
	Longest time.Duration `json:"longest"` // since the one who waits longest came, in nanoseconds
	Intake  int           `json:"intake"`  // answering the form
	Active  int           `json:"active"`  // with an agent
	Held    int           `json:"held"`
	Wrapup  int           `json:"wrapup"`

	Online    int     `json:"online"`     // agents of ours who are there
	Free      int     `json:"free"`       // of these, with a free seat
	Seats     int     `json:"seats"`      // of those who are there
	FreeSeats int     `json:"free_seats"` // of these, free for this queue
	Occupancy float64 `json:"occupancy"`  // seats that are not free, of all; 0 without seats
}

// Now looks at queues, in the order given. The figures are read one
// after the other, so they may be a moment apart. A queue that fails is left
// out, and its error is among those that come back.
func Now(ctx context.Context, e *handoff.Engine, queues ...string) ([]Live, error) {
	out := make([]Live, 0, len(queues))
	var errs []error
	for _, q := range queues {
		l, err := one(ctx, e, q)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, l)
	}
	return out, errors.Join(errs...)
}

func one(ctx context.Context, e *handoff.Engine, queue string) (Live, error) {
	a, err := e.Availability(ctx, handoff.Need{Queue: queue})
	if err != nil {
		return Live{}, err
	}
	l := Live{Queue: queue, Open: a.Open, Online: a.Online, Free: a.Free, Seats: a.Seats, FreeSeats: a.FreeSeats}
	if a.Seats > 0 {
		l.Occupancy = 1 - float64(a.FreeSeats)/float64(a.Seats)
	}
	waits := []handoff.State{handoff.StateWaiting, handoff.StateOffered, handoff.StateConnecting, handoff.StateQueued}
	for _, c := range []struct {
		n      *int
		states []handoff.State
	}{
		{&l.Waiting, waits},
		{&l.Intake, []handoff.State{handoff.StateIntake}},
		{&l.Active, []handoff.State{handoff.StateActive}},
		{&l.Held, []handoff.State{handoff.StateHeld}},
		{&l.Wrapup, []handoff.State{handoff.StateWrapup}},
	} {
		n, err := e.Count(ctx, handoff.Query{Queue: queue, States: c.states})
		if err != nil {
			return Live{}, err
		}
		*c.n = n
	}
	l.Longest, err = longest(ctx, e, handoff.Query{Queue: queue, States: waits, Limit: 500})
	return l, err
}

// longest returns the longest wait. Nobody is enqueued before he was created,
// so the search ends at the first page that cannot hold a longer one.
func longest(ctx context.Context, e *handoff.Engine, q handoff.Query) (time.Duration, error) {
	var first time.Time
	for {
		list, err := e.List(ctx, q)
		if err != nil {
			return 0, err
		}
		for i := range list {
			if t := list[i].Enqueued; first.IsZero() || !t.IsZero() && t.Before(first) {
				first = t
			}
			if !first.IsZero() && list[i].Created.After(first) {
				return time.Since(first), nil
			}
		}
		if len(list) < q.Limit {
			break
		}
		q.After = e.After(list[len(list)-1], q)
	}
	if first.IsZero() {
		return 0, nil
	}
	return time.Since(first), nil
}
