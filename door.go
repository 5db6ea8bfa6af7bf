package handoff

import (
	"context"
	"slices"
	"time"
)

// door says why a queue cannot take a request now; nil if it can.
func (e *Engine) door(ctx context.Context, q *Queue, n *Need) (*UnavailableError, error) {
	at, need := now(), *n
	n, need.Queue = &need, q.Name
	if q.Hours != nil {
		if open, next := q.Hours.At(at); !open {
			return &UnavailableError{Queue: q.Name, Why: ReasonClosed, Opens: next}, nil
		}
	}
	if q.NeedAgents {
		a, err := e.availability(ctx, q, n, at)
		if err != nil {
			return nil, err
		}
		if a.Online == 0 && a.Availability != Online {
			return &UnavailableError{Queue: q.Name, Why: ReasonOffline}, nil
		}
	}
	if q.MaxWait > 0 && len(q.Providers) == 0 {
		w, err := e.expected(ctx, n, at)
		if err != nil {
			return nil, err
		}
		if w.Known && w.P50 > q.MaxWait {
			return &UnavailableError{Queue: q.Name, Why: ReasonTooLong}, nil
		}
	}
	return nil, nil //nolint:nilnil // nothing speaks against it
}

// expected returns the wait of somebody who would come now.
func (e *Engine) expected(ctx context.Context, n *Need, at time.Time) (Place, error) {
	// His name is the highest, so that he stands behind his equals.
	h := &Handoff{ID: ID{Conversation: "\U0010FFFF", Number: 1}, State: StateWaiting, Need: *n, Enqueued: at, own: bookkeeping{Lined: at}}
	return e.place(ctx, h)
}

// path lists where a request for q may go, in order: q, and where it diverts to.
func (r *rules) path(q *Queue) []*Queue {
	out := []*Queue{q}
	for q.Divert != "" {
		if q = r.queue(q.Divert); slices.Contains(out, q) {
			break
		}
		out = append(out, q)
	}
	return out
}

// A way is where a request can go: a queue, with the skills that are asked for
// there. from is where it came in, if its answers lead elsewhere.
type way struct {
	queue  *Queue
	skills []Skill
	from   *target
}

// ways lists where a request for q may go, in order: where its answers lead, and
// where that diverts to. An answer that q's form does not take is an
// *InvalidError; a queue that q diverts to asks again.
func (e *Engine) ways(r *Request, q *Queue) ([]way, error) {
	var out []way
	for i, to := range e.rules.path(q) {
		came := target{Queue: to.Name, Skills: slices.Clone(r.Skills)}
		t, err := to.Intake.brought(came, r.Answers, r.NoForm)
		if err != nil && i == 0 {
			return nil, err
		}
		if t.Queue == came.Queue && slices.Equal(t.Skills, came.Skills) {
			out = append(out, way{queue: to, skills: t.Skills})
			continue
		}
		if t.Queue == came.Queue {
			out = append(out, way{queue: to, skills: t.Skills, from: &came})
			continue
		}
		for _, there := range e.rules.path(e.rules.queue(t.Queue)) {
			out = append(out, way{queue: there, skills: t.Skills, from: &came})
		}
		break
	}
	return out, nil
}

// take makes it a request that goes w, asked for in a mode.
func (c *cRequest) take(w way, asked Mode) {
	c.need.Queue, c.need.Skills, c.from, c.asked = w.queue.Name, w.skills, w.from, asked
	c.need.Mode, c.units = w.queue.session(asked)
}

// An AvailabilityReport says whether help can be had in a queue.
type AvailabilityReport struct {
	Queue        string
	Open         bool      // by its hours
	Next         time.Time // when Open changes; zero: not soon
	Availability Availability
	Online       int // agents of ours who are there
	Free         int // of these, with a free seat
	Seats        int // of the agents who are there
	FreeSeats    int // of these, seats of agents who could take somebody from this queue now
	Waiting      int // how many wait; -1 if they were not counted

	// Divert is the queue that would take it instead; empty: Queue itself or,
	// if Availability is not Online, none. Online and Free are of that queue.
	Divert string
}

// Availability says whether help can be had in a queue now, or in one that it
// diverts to, for a bot that wants to know before it offers a person. A check
// that failed counts as offline.
func (e *Engine) Availability(ctx context.Context, need Need) (AvailabilityReport, error) {
	if err := first(checkContext(ctx), need.check("Need")); err != nil {
		return AvailabilityReport{}, err
	}
	q, ok := e.rules.queues[need.Queue]
	if !ok {
		return AvailabilityReport{}, &InvalidError{Field: "Need.Queue", Why: "is not a queue of this Config"}
	}
	at := now()
	a, err := e.availability(ctx, q, &need, at)
	if err != nil {
		return a, err
	}
	for _, to := range e.rules.path(q)[1:] {
		if a.Availability == Online {
			break
		}
		b, err := e.availability(ctx, to, &need, at)
		if err != nil {
			return a, err
		}
		if b.Availability == Online {
			a.Availability, a.Online, a.Free, a.Divert = Online, b.Online, b.Free, to.Name
		}
	}
	if a.Waiting, err = e.count(ctx, Query{Queue: q.Name, Waiting: true}); err != nil {
		a.Waiting = -1
	}
	return a, nil
}

func (e *Engine) availability(ctx context.Context, q *Queue, n *Need, at time.Time) (AvailabilityReport, error) {
	a := AvailabilityReport{Queue: q.Name, Open: true, Availability: Offline}
	if q.Hours != nil {
		a.Open, a.Next = q.Hours.At(at)
	}
	for _, name := range q.Providers {
		c, ok := e.providers[name].(AvailabilityChecker)
		if !ok {
			a.Availability = Unknown
			continue
		}
		av := Offline
		err := e.ask(ctx, "availability", ID{}, func(ctx context.Context) (err error) {
			av, err = c.Available(ctx, *n)
			return err
		})
		if err == nil && av == Online {
			a.Availability = Online
			break
		}
	}
	if len(q.Providers) > 0 {
		return a, nil
	}
	free, online, err := e.candidates(ctx, q, at)
	if err != nil {
		return a, err
	}
	for i := range online {
		if online[i].serves(q.Name) && online[i].covers(n) {
			a.Online, a.Seats = a.Online+1, a.Seats+online[i].Seats
		}
	}
	for i := range free {
		if free[i].Agent.serves(q.Name) && free[i].Agent.covers(n) {
			a.Free, a.FreeSeats = a.Free+1, a.FreeSeats+free[i].Free
		}
	}
	if a.Online > 0 && a.Open {
		a.Availability = Online
	}
	return a, nil
}
