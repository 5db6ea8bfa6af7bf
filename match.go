package handoff

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// match makes one pass over a queue, in the order in which it is served. It
// reports whether something was offered, so that another pass is needed, and
// whether somebody still waits; errAgain says that a commit lost a race.
func (e *Engine) match(ctx context.Context, q *Queue, c *comers) (made, waits bool, err error) {
	at := now()
	if q.Hours != nil {
		if open, next := q.Hours.At(at); !open {
			if !next.IsZero() {
				// Opening is an edge that nobody else sends.
				e.work.after(task{pool: poolDrain, do: "drain", name: q.Name}, next)
			}
			return false, false, nil
		}
	}
	start := e.roster.tick()
	query, list, waits, err := e.first(ctx, q, c, start, at)
	if err != nil || query.Limit == 0 {
		return false, waits, err
	}
	for {
		for some := range slices.Chunk(list, readAhead) {
			offered, err := e.offerAll(ctx, q, some, start, at)
			made = made || offered
			if err != nil {
				return made, true, err
			}
		}
		if len(list) < query.Limit || e.roster.idle(q.Name) == 0 {
			return made, waits, nil
		}
		// Who is passed over may be offered nothing just now.
		after := list[len(list)-1].Cursor(query)
		if len(query.Lines) == 0 { // and may be one of many whom nobody free can serve
			if query, _, err = e.next(ctx, q); err != nil || query.Limit == 0 {
				return made, true, err
			}
		}
		query.After, query.Limit = after, 100
		if list, err = e.list(ctx, query); err != nil {
			return made, true, err
		}
	}
}

// first reads who is to be served next. Those at the head of the queue are
// enough as long as somebody can serve each of them; else the lines are read
// before, so that nobody is read whom nobody free can serve. Whoever a hint
// told of is known to wait: the agent for him is read at the same time.
// Without a limit the query is for nobody; waits says whether somebody waits.
func (e *Engine) first(ctx context.Context, q *Queue, c *comers, start int64, at time.Time) (query Query, list []Record, waits bool, err error) {
	var g errgroup.Group
	if ids := e.foresee(ctx, q, c, start, at); len(ids) > 0 {
		g.Go(func() error {
			// Who could not be read is read again when he is chosen.
			_, _ = e.readAgents(ctx, ids...)
			return nil
		})
	}
	defer func() { _ = g.Wait() }()
	defer func() { e.meet(q, c, list) }()
	waits = true
	n := e.roster.idle(q.Name)
	if n == 0 || !e.roster.mixed(q.Name) {
		query = Query{Queue: q.Name, States: []State{StateWaiting}, Waiting: true, ByRank: true, Limit: min(max(n, 1), 100)}
	} else if query, waits, err = e.next(ctx, q); err != nil || query.Limit == 0 {
		return query, nil, waits, err
	}
	list, err = e.list(ctx, query)
	waits = waits && (len(list) > 0 || len(query.Lines) > 0)
	if n == 0 {
		query.Limit = 0
	}
	return query, list, waits, err
}

// foresee names the agents whom those who came would be offered to by what the
// roster has. A router of the host is not asked for that.
func (e *Engine) foresee(ctx context.Context, q *Queue, c *comers, start int64, at time.Time) (ids []string) {
	p, ok := q.Route.(picker)
	if !ok || !p.pure() || e.tx != nil {
		return nil
	}
	for i, a := range c.list[:min(len(c.list), fewFree)] {
		if a.line == "" || slices.ContainsFunc(c.list[:i], func(b arrival) bool { return b.line == a.line }) {
			continue
		}
		h := &Handoff{Need: parseLine(a.line)}
		h.Need.Queue = q.Name
		_, old := e.pick(ctx, q, h, start, at)
		for _, id := range old {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// next returns the query for those who are to be served next: as many as there
// are free agents, from the lines that these can serve. Without a limit it is
// for nobody; waits says whether somebody waits all the same.
func (e *Engine) next(ctx context.Context, q *Queue) (query Query, waits bool, err error) {
	lines, err := e.waitingLines(ctx, q.Name)
	if err != nil {
		return query, false, err
	}
	can := e.roster.covered(q.Name, lines)
	if len(can) == 0 {
		return query, len(lines) > 0, nil
	}
	return Query{
		Queue: q.Name, States: []State{StateWaiting}, Lines: can, Waiting: true, ByRank: true,
		Limit: min(max(e.roster.idle(q.Name), 1), 100),
	}, true, nil
}

// waitingLines returns the lines of a queue.
func (e *Engine) waitingLines(ctx context.Context, queue string) (lines []string, err error) {
	ctx, c, err := e.begin(ctx, "lines", ID{})
	if err != nil {
		return nil, err
	}
	lines, err = e.store.Lines(ctx, queue)
	return lines, c.done(err)
}

// readAhead is how many handoffs of a list have their agents read at once.
const readAhead = 8

// offerAll offers some of a list, in its order.
func (e *Engine) offerAll(ctx context.Context, q *Queue, list []Record, start int64, at time.Time) (made bool, err error) {
	some := e.readable(ctx, list)
	if ids := e.chosen(q, some, start, at); len(ids) > 1 {
		// Who could not be read is read again when he is chosen.
		_, _ = e.readAgents(ctx, ids...)
	}
	for _, h := range some {
		offered, err := e.offerTo(ctx, q, h, start, at)
		if err != nil {
			return made, err
		}
		made = made || offered
	}
	return made, nil
}

// chosen names the agents whom handoffs would be offered to, one after the
// other, by what the roster has, and who were not read since start. A router of
// the host is not asked for that.
func (e *Engine) chosen(q *Queue, list []*Handoff, start int64, at time.Time) (ids []string) {
	p, ok := q.Route.(picker)
	if !ok || !p.pure() || q.Style == Broadcast || len(list) < 2 {
		return nil
	}
	r := e.roster
	r.mu.Lock()
	defer r.mu.Unlock()
	was := map[*Candidate]Candidate{}
	defer func() {
		for c, old := range was {
			*c = old
			n := r.ids[c.Agent.ID]
			r.free.put(n, r.seats[n].online && c.Free > 0)
		}
	}()
	for _, h := range list {
		able := e.able(q, h, at)
		if h.own.Importing || len(able) == 0 {
			continue
		}
		c := preferred(h, able)
		if c == nil {
			c, _ = p.pick(h, able)
		}
		n := r.ids[c.Agent.ID]
		if _, ok := was[c]; !ok {
			was[c] = *c
			if r.seats[n].read <= start {
				ids = append(ids, c.Agent.ID)
			}
		}
		r.give(n, max(1, h.own.Units), at)
	}
	return ids
}

// able returns who could be offered a handoff, with the roster locked.
func (e *Engine) able(q *Queue, h *Handoff, at time.Time) []*Candidate {
	able := e.roster.find(q.Name, &h.Need)
	able = slices.DeleteFunc(able, func(c *Candidate) bool { return e.whyNotNow(h, c, at).Code != "" })
	return e.roster.willing(q.Name, h, able, at)
}

// offerTo offers one handoff. errAgain says that what was read is no longer
// true.
func (e *Engine) offerTo(ctx context.Context, q *Queue, h *Handoff, start int64, at time.Time) (offered bool, err error) {
	if h.own.Importing {
		return false, nil
	}
	var to []candidate
	for len(to) == 0 {
		if to, err = e.choose(ctx, q, h, start, at); err != nil || len(to) == 0 {
			return false, err
		}
		if to, err = e.allowed(ctx, q, h, to); err != nil {
			return false, err
		}
	}
	c, op := cOffer{to: to, broadcast: q.Style == Broadcast}, "offer/"+itoa(h.OfferNo+1)
	began := e.roster.tick()
	_, err = e.apply(ctx, h, c, op)
	switch {
	case err == nil:
		if !c.broadcast && e.roster.took(to[0].agent, max(1, h.own.Units), at, began) {
			e.work.reread(to[0].agent)
		}
		return true, nil
	case errors.Is(err, ErrConflict), errors.Is(err, ErrFull), errors.Is(err, ErrDuplicate), errors.Is(err, ErrState):
		if q.AgentMost > 0 && !c.broadcast {
			if err := e.refund(ctx, q, h, to[0].agent, op); err != nil {
				return false, err
			}
		}
		return false, errAgain
	}
	return false, err
}

// choose returns who is to be offered a handoff. The roster names them, and
// whoever was not read since the pass began is read before he is believed.
func (e *Engine) choose(ctx context.Context, q *Queue, h *Handoff, start int64, at time.Time) ([]candidate, error) {
	for try := 0; ; try++ {
		to, old := e.pick(ctx, q, h, start, at)
		if len(old) == 0 {
			return to, nil
		}
		var err error
		if try < 8 {
			_, err = e.readAgents(ctx, old...)
		} else {
			// The roster is all wrong: one read for everybody is cheaper.
			_, err = e.readCrew(ctx, q.Name)
		}
		if err != nil || ctx.Err() != nil {
			return nil, errors.Join(err, ctx.Err())
		}
	}
}

// pick chooses by what the roster has, and names those who were not read since
// start.
func (e *Engine) pick(ctx context.Context, q *Queue, h *Handoff, start int64, at time.Time) (to []candidate, old []string) {
	r := e.roster
	r.mu.Lock()
	defer r.mu.Unlock()
	able := e.able(q, h, at)
	add := func(c *Candidate, why string) {
		if r.seats[r.ids[c.Agent.ID]].read <= start {
			old = append(old, c.Agent.ID)
		}
		to = append(to, candidate{agent: c.Agent.ID, shown: c.Agent.shown(), seat: e.seat(&c.Agent, h, q.Name), why: why})
	}
	switch {
	case len(able) == 0:
	case q.Style == Broadcast:
		slices.SortFunc(able, func(a, b *Candidate) int { return compare(a.Agent.ID, b.Agent.ID) })
		for _, c := range able[:min(len(able), q.BroadcastTo)] {
			add(c, "broadcast")
		}
	default:
		c, why := preferred(h, able), "preferred"
		if c == nil {
			c, why = e.route(ctx, q, h, able)
		}
		if c != nil { // else the router leaves it waiting
			add(c, why)
		}
	}
	return to, old
}

// willing leaves out who refused before, as long as somebody else who is online
// could still take it, now or when he has a seat.
func (r *roster) willing(queue string, h *Handoff, able []*Candidate, at time.Time) []*Candidate {
	if len(h.own.Declined) == 0 {
		return able
	}
	refused := func(c *Candidate) bool { return h.refused(c.Agent.ID) }
	if !slices.ContainsFunc(able, refused) {
		return able
	}
	for n := range r.crew(queue).who.all {
		if m := r.seats[n]; m.online && h.leftFor(&m.Agent, at) {
			return slices.DeleteFunc(able, refused)
		}
	}
	return able
}

func preferred(h *Handoff, able []*Candidate) *Candidate {
	for _, c := range able {
		if c.Agent.ID == h.Need.Preferred {
			return c
		}
	}
	return nil
}

// route asks the queue's router, with the roster locked. A router of the host
// gets copies, and the roster is unlocked while it thinks.
func (e *Engine) route(ctx context.Context, q *Queue, h *Handoff, able []*Candidate) (*Candidate, string) {
	if p, ok := q.Route.(picker); ok && p.pure() {
		return p.pick(h, able)
	}
	free := make([]Candidate, len(able))
	for i, c := range able {
		free[i] = *c
	}
	slices.SortFunc(free, func(a, b Candidate) int { return compare(a.Agent.ID, b.Agent.ID) })
	e.roster.mu.Unlock()
	id, why := q.Route.Route(ctx, h, free)
	e.roster.mu.Lock()
	if !slices.ContainsFunc(free, func(c Candidate) bool { return c.Agent.ID == id }) {
		return nil, ""
	}
	if n, ok := e.roster.ids[id]; ok {
		return &e.roster.seats[n].Candidate, why
	}
	return nil, "" // he is gone: the next edge asks again
}

// whyNot says why an agent cannot get a handoff now; none: he can.
func (e *Engine) whyNot(h *Handoff, c *Candidate, at time.Time) Causes {
	switch {
	case slices.Contains(h.Need.Exclude, c.Agent.ID):
		return because(CauseExcluded)
	case !c.Agent.reaches(h.Need.Queue, &h.Need):
		return because(CauseQueue)
	case !c.Agent.covers(&h.Need):
		return missing(&c.Agent, &h.Need)
	}
	if not := e.whyNotNow(h, c, at); not.Code != "" {
		return Causes{not}
	}
	return nil
}

// whyNotNow says why an agent who can do what a handoff needs cannot get it now;
// its Code is empty when he can.
func (e *Engine) whyNotNow(h *Handoff, c *Candidate, at time.Time) Cause {
	switch {
	case slices.Contains(h.Need.Exclude, c.Agent.ID):
		return Cause{Code: CauseExcluded}
	case c.Free < max(1, h.own.Units):
		return Cause{Code: CauseSeats}
	case slices.Contains(c.full, h.Channel):
		return Cause{Code: CauseChannelSeat}
	}
	if until := e.pace.again(c.Agent.ID, e.rules.queue(h.Need.Queue), at); until.After(at) {
		e.work.after(task{pool: poolDrain, do: "drain", name: h.Need.Queue}, until)
		return Cause{Code: CausePaced, Until: until}
	}
	if d, ok := h.cooling(c.Agent.ID, at); ok {
		return Cause{Code: CauseCooling, Until: d.Until, What: string(d.Why)}
	}
	return Cause{}
}

func missing(a *Agent, n *Need) Causes {
	var out Causes
	for _, s := range n.Skills {
		switch level, ok := a.Skills[s.Name]; {
		case !ok:
			out = append(out, Cause{Code: CauseSkill, What: s.Name})
		case level < s.Level:
			out = append(out, Cause{Code: CauseLevel, What: s.Name, Level: level})
		}
	}
	if n.Language != "" && len(a.Languages) > 0 && !slices.Contains(a.Languages, n.Language) {
		out = append(out, Cause{Code: CauseLanguage, What: n.Language})
	}
	if n.Mode == ModeVideo && !a.Video {
		out = append(out, Cause{Code: CauseVideo})
	}
	return out
}
