package handoff

import (
	"context"
	"math"
	"time"
)

// A Place is where somebody stands in a queue.
type Place struct {
	Position int // 1 is next; 0 is unknown
	Ahead    int
	More     bool // at least Ahead are ahead; nobody counted further

	Known    bool          // whether the wait means anything
	Why      Reason        // why it does not
	P50, P90 time.Duration // half, and nine in ten, wait at most this long
}

// Place says where a handoff stands in its queue: its rank in the very list
// that is served, and how long it will take. Unknown is an answer.
func (e *Engine) Place(ctx context.Context, id ID) (Place, error) {
	if err := checkID(id); err != nil {
		return Place{}, err
	}
	h, err := e.get(ctx, id)
	if err != nil {
		return Place{}, err
	}
	return e.place(ctx, h)
}

// countAhead is how far a place is counted.
const countAhead = 1000

func (e *Engine) place(ctx context.Context, h *Handoff) (Place, error) {
	if h.State == StateQueued || h.State == StateConnecting {
		p := Place{Why: ReasonProvider}
		if b := h.live(); b != nil && b.Position > 0 {
			p.Position, p.Ahead = b.Position, b.Position-1
			p.Known, p.P50, p.P90 = b.Wait > 0, b.Wait, b.Wait
		}
		return p, nil
	}
	if h.State != StateWaiting && h.State != StateOffered {
		return Place{}, &StateError{ID: h.ID, State: h.State, Command: "place"}
	}
	ahead, err := e.ahead(ctx, h)
	if err != nil {
		return Place{}, err
	}
	p := Place{Position: ahead + 1, Ahead: ahead, More: ahead >= countAhead}
	return p, e.estimate(ctx, h, &p)
}

func (e *Engine) ahead(ctx context.Context, h *Handoff) (n int, err error) {
	r := e.rules.record(h)
	if c, ok := unwrap[AheadCounter](e.store); ok {
		err = e.call(ctx, "ahead", h.ID, func(ctx context.Context) error {
			n, err = c.Ahead(ctx, r, countAhead)
			return err
		})
		return n, err
	}
	q := Query{Queue: r.Queue, Waiting: true, ByRank: true, Limit: countAhead}
	list, err := e.list(ctx, q)
	mine := r.Cursor(q)
	for i := range list {
		if list[i].Cursor(q).Compare(mine) < 0 {
			n++
		}
	}
	return n, err
}

// estimate says how long somebody at a place will wait: the people ahead and
// himself, each of whom needs a seat to come free.
func (e *Engine) estimate(ctx context.Context, h *Handoff, p *Place) error {
	q := e.rules.queue(h.Need.Queue)
	at := now()
	if q.Hours != nil && !isOpen(q.Hours, at) {
		p.Why = ReasonClosed
		return nil
	}
	_, online, err := e.candidates(ctx, q, at)
	if err != nil {
		return err
	}
	seats := 0
	for i := range online {
		if online[i].covers(&h.Need) {
			seats += online[i].Seats
		}
	}
	mean, known := e.pace.handle(h.Need.Queue)
	switch {
	case seats == 0:
		p.Why = ReasonOffline
	case !known:
		p.Why = ReasonNoData
	default:
		// Served one by one at the rate of all seats together. The spread of
		// a sum of n exponential times is mean/√n, and 1.28 of it is the 90 %
		// point of a normal distribution.
		n := float64(p.Position)
		m := float64(mean) * n / float64(seats)
		p.Known = true
		p.P50 = time.Duration(m).Round(time.Second)
		p.P90 = time.Duration(m * (1 + 1.28/math.Sqrt(n))).Round(time.Second)
	}
	return nil
}

func isOpen(hours Hours, at time.Time) bool {
	open, _ := hours.At(at)
	return open
}

// tell tells waiting users what has changed about their places, the first ones
// of a queue and each at most as often as the queue allows.
func (e *Engine) tell(ctx context.Context, queue string) error {
	q := e.rules.queues[queue]
	if q == nil || q.PlaceEvery < 0 {
		return nil
	}
	const most = 100
	query := Query{Queue: queue, Waiting: true, ByRank: true, Limit: most}
	list, err := e.list(ctx, query)
	if err != nil || len(list) == 0 {
		return err
	}
	at := now()
	for i := range list {
		h, err := list[i].decode()
		if err != nil {
			return err
		}
		if h.State != StateWaiting || h.own.Importing {
			continue
		}
		if h.Place != nil && at.Sub(h.Place.At) < q.PlaceEvery {
			e.work.after(task{pool: poolDrain, do: "tell", name: queue}, h.Place.At.Add(q.PlaceEvery))
			continue
		}
		p := Place{Position: i + 1, Ahead: i}
		if err := e.estimate(ctx, h, &p); err != nil {
			return err
		}
		if !h.Place.differs(p) {
			continue
		}
		n := h.OfferNo
		if h.Place != nil {
			n = h.Place.At.UnixMilli()
		}
		_, err = e.apply(ctx, h, cTell{place: p}, "tell/"+itoa(n)+"/"+itoa(h.Version))
		if ignore(err, ErrConflict, ErrDuplicate, ErrState, ErrNotFound) != nil {
			return err
		}
	}
	return nil
}

// differs reports whether a user should be told p: a new position, or a wait
// that became known, unknown or quite another one.
func (t *Told) differs(p Place) bool {
	switch {
	case t == nil || t.Position != p.Position || t.Known != p.Known:
		return true
	case !p.Known || minutes(p.P90) == minutes(t.Wait):
		return false // the words would be the same
	}
	return p.P90 < t.Wait*3/4 || p.P90 > t.Wait*5/4
}
