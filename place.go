package handoff

import (
	"context"
	"time"

	"github.com/seed-2a427302/handoff/estimate"
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
// that is served, and how long it will take from now. Unknown is an answer.
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
		if b := h.live(); b != nil {
			p.Position, p.Ahead = b.Position, max(b.Position-1, 0)
			p.Known, p.P50, p.P90 = b.Wait > 0, b.Wait, b.Wait
		}
		return p, nil
	}
	if !h.inLine() {
		return Place{}, &StateError{ID: h.ID, State: h.State, Command: "place"}
	}
	ahead, err := e.ahead(ctx, h)
	if err != nil {
		return Place{}, err
	}
	p := Place{Position: ahead + 1, Ahead: ahead, More: ahead >= countAhead}
	q := e.rules.queue(h.Need.Queue)
	o, err := e.outlook(ctx, q)
	if err != nil {
		return Place{}, err
	}
	w, ok := o.wait(h, ahead)
	if !ok {
		if o, err = e.freshOutlook(ctx, q, h); err != nil {
			return Place{}, err
		}
		w, _ = o.wait(h, ahead)
	}
	p.set(o, h, w)
	return p, nil
}

func (e *Engine) ahead(ctx context.Context, h *Handoff) (n int, err error) {
	r := e.rules.record(h)
	if c, ok := unwrap[AheadCounter](e.store); ok {
		ctx, call, err := e.begin(ctx, "ahead", h.ID)
		if err != nil {
			return 0, err
		}
		n, err = c.Ahead(ctx, r, countAhead)
		return n, call.done(err)
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

// set fills in an estimate of the wait.
func (p *Place) set(o *outlook, h *Handoff, w estimate.Wait) {
	p.Known, p.P50, p.P90 = w.Known, w.P50.Round(time.Second), w.P90.Round(time.Second)
	switch w.Reason {
	case estimate.Closed:
		p.Why = ReasonClosed
	case estimate.NoData:
		p.Why = ReasonNoData
	case estimate.NoAgents:
		p.Why = ReasonOffline
		if o.count(&Handoff{Need: h.Need}) > 0 {
			p.Why = ReasonCooldown // those who are there were asked
		}
	}
}

func isOpen(hours Hours, at time.Time) bool {
	open, _ := hours.At(at)
	return open
}

// tell tells waiting users what has changed about their places, the first ones
// of a queue and each at most as often as the queue allows.
func (e *Engine) tell(ctx context.Context, queue string) error {
	q := e.rules.queues[queue]
	if q == nil || len(q.Providers) > 0 {
		return nil
	}
	const large = 5 * time.Millisecond
	if o := e.outlooks.get(queue); o != nil && o.took > large && time.Since(o.stale) < -80*o.took {
		// A large queue was looked at a moment ago.
		e.work.after(task{pool: poolTell, do: "tell", name: queue}, o.stale)
		return nil
	}
	o, err := e.freshOutlook(ctx, q)
	if err != nil || len(o.list) == 0 {
		return err
	}
	e.staffed(o)
	if q.PlaceEvery < 0 {
		return nil
	}
	var due []int
	for i, h := range o.list[:min(len(o.list), mostTold)] {
		switch {
		case h.State != StateWaiting || h.own.Importing:
		case h.own.Intake != nil: // what he reads last is the question
		case h.Place != nil && o.at.Sub(h.Place.At) < q.PlaceEvery:
			e.work.after(task{pool: poolTell, do: "tell", name: queue}, h.Place.At.Add(q.PlaceEvery))
		default:
			due = append(due, i)
		}
	}
	for k, w := range o.waits(due) {
		i := due[k]
		h := o.list[i]
		told, ok := o.tell(i, w)
		if !ok {
			continue
		}
		n := h.OfferNo
		if h.Place != nil {
			n = h.Place.At.UnixMilli()
		}
		_, err := e.apply(ctx, h, cTell{told: told}, "tell/"+itoa(n)+"/"+itoa(h.Version))
		if ignore(err, ErrConflict, ErrDuplicate, ErrState, ErrNotFound) != nil {
			return err
		}
	}
	return nil
}

// mostTold is how many of a queue are told their places without asking.
const mostTold = 100

// staffed learns from how the queue is staffed while somebody waits.
func (e *Engine) staffed(o *outlook) {
	c := seatCount{at: o.at, waiting: !o.closed}
	c.seats, c.busy = o.working()
	e.taught.staffed(o.queue, c)
}

// tell decides what the one who is i-th in the list is told, if anything.
func (o *outlook) tell(i int, w estimate.Wait) (Told, bool) {
	h := o.list[i]
	p := Place{Position: i + 1}
	p.set(o, h, w)
	told := Told{Position: p.Position, Known: p.Known, Why: p.Why, P50: p.P50, P90: p.P90}
	told.Seats = o.count(h)
	last := h.Place
	if last == nil {
		if h.own.Moved {
			told.Cause = estimate.Moved
		}
		return told, true
	}
	again := o.queue.PlaceRepeat > 0 && o.at.Sub(last.At) >= o.queue.PlaceRepeat
	policy := estimate.Policy{Every: o.queue.PlaceEvery, Heartbeat: -1}
	if last.Position != told.Position || again {
		policy.Heartbeat = 1 // his place moved, or he may think he was forgotten
	}
	shown, ok := policy.Next(last.shown(), o.at, told.shown().Wait, o.cause(i, told.Seats))
	told.P50, told.P90 = shown.Wait.P50, shown.Wait.P90
	if told.Known && last.Known {
		told.Cause = shown.Cause
	}
	if ok && !again && last.Position == told.Position && last.words(o.queue.WaitAs) == told.words(o.queue.WaitAs) {
		ok = false // the words would be the same
	}
	return told, ok
}

// cause says what has happened since the i-th was last told that may make him
// wait longer.
func (o *outlook) cause(i, seats int) (c estimate.Cause) {
	last := o.list[i].Place
	for _, h := range o.list[:i] {
		if h.own.Lined.After(last.At) {
			c |= estimate.Overtaken
		}
	}
	if seats < last.Seats {
		c |= estimate.SeatLost
	}
	if o.replanned.After(last.At) {
		c |= estimate.HoursChanged
	}
	return c
}

// shown is what was told, as the estimate sees it.
func (t *Told) shown() estimate.Shown {
	w := estimate.Wait{Known: t.Known, P50: t.P50, P90: t.P90, Mean: t.P50}
	if !t.Known {
		w.Reason = estimate.Reason(t.Why)
	}
	return estimate.Shown{Wait: w, At: t.At, Cause: t.Cause}
}

func (t *Told) words(mode estimate.Mode) estimate.Rendered {
	return estimate.Render(t.shown().Wait, mode)
}
