package handoff

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// pace remembers when agents last got or gave back something, as far as this
// engine saw it. It orders candidates and decides nothing.
type pace struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func newPace() *pace { return &pace{last: map[string]time.Time{}} }

func (p *pace) note(old, h *Handoff) {
	if old.Agent == h.Agent && len(old.Offers) == len(h.Offers) && (old.own.Seat == nil) == (h.own.Seat == nil) {
		return
	}
	agents := freed(old, h)
	if h.Agent != "" && h.Agent != old.Agent {
		agents = append(agents, h.Agent)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range agents {
		p.last[a] = h.Updated
	}
}

func (p *pace) idleSince(agent string, online time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.last[agent]; t.After(online) {
		return t
	}
	return online
}

// load returns the units in use of keys.
func (e *Engine) load(ctx context.Context, keys []string) (map[string]int, error) {
	out := make(map[string]int, len(keys))
	err := e.call(ctx, "holders", ID{}, func(ctx context.Context) error {
		list, err := e.store.Holders(ctx, keys...)
		for _, h := range list {
			out[h.Key] += h.Units
		}
		return err
	})
	return out, err
}

// candidates reads who is online in a queue, and who of them has a free seat.
// It is never cached: an edge is only as good as what is read for it.
func (e *Engine) candidates(ctx context.Context, q *Queue, at time.Time) (free []Candidate, online []Agent, err error) {
	dctx, cancel := context.WithTimeout(ctx, e.cfg.StoreTimeout)
	all, err := e.cfg.Directory.List(dctx, q.Name)
	cancel()
	if err != nil || len(all) == 0 {
		return nil, nil, err
	}
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	var keys []string
	var since []time.Time
	for i, st := range e.status(ctx, ids, at) {
		if st.Availability != Online {
			continue
		}
		online = append(online, all[i])
		since = append(since, st.Since)
		keys = append(keys, seatKey(ids[i]))
		if _, ok := all[i].QueueSeats[q.Name]; ok {
			keys = append(keys, queueSeatKey(ids[i], q.Name))
		}
	}
	if len(online) == 0 {
		return nil, nil, nil
	}
	load, err := e.load(ctx, keys)
	if err != nil {
		return nil, online, err
	}
	for i := range online {
		a := &online[i]
		used := load[seatKey(a.ID)]
		c := Candidate{Agent: *a, Load: used, Free: a.Seats - used, IdleSince: e.pace.idleSince(a.ID, since[i])}
		if most, ok := a.QueueSeats[q.Name]; ok {
			if load[queueSeatKey(a.ID, q.Name)] >= most {
				continue
			}
		}
		if c.Free > 0 {
			free = append(free, c)
		}
	}
	return free, online, nil
}

// drain matches a queue until a fresh read finds no pair. Whatever went wrong
// on the way, the sweep comes again.
func (e *Engine) drain(ctx context.Context, queue string) error {
	q := e.rules.queues[queue]
	if q == nil || q.Style == Pull || len(q.Providers) > 0 {
		return nil
	}
	for lost := 0; ctx.Err() == nil; {
		more, err := e.match(ctx, q)
		switch {
		case errors.Is(err, errAgain) && lost < tries:
			// The first race lost is mostly to this engine itself, which tells
			// the user his place at the same moment: reading again is enough.
			if lost++; lost > 1 {
				err = backOff(ctx, lost-2)
			} else {
				err = nil
			}
		case err == nil:
			lost = 0
			if !more {
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errAgain says that what a match was made from is no longer true.
var errAgain = errors.New("handoff: lost a race")

// match makes one pass over a queue, in the order in which it is served. It
// reports whether another pass is needed because something was offered;
// errAgain says that a commit lost a race.
func (e *Engine) match(ctx context.Context, q *Queue) (bool, error) {
	at := now()
	if q.Hours != nil {
		if open, next := q.Hours.At(at); !open {
			if !next.IsZero() {
				// Opening is an edge that nobody else sends.
				e.work.after(task{pool: poolDrain, do: "drain", name: q.Name}, next)
			}
			return false, nil
		}
	}
	free, _, err := e.candidates(ctx, q, at)
	if err != nil || len(free) == 0 {
		return false, err
	}
	lines, err := e.coveredLines(ctx, q.Name, free)
	if err != nil || len(lines) == 0 {
		return false, err
	}
	// One page for each free seat, and a few more for those whom nobody may be
	// offered just now.
	units := 4
	for i := range free {
		units += free[i].Free
	}
	query := Query{Queue: q.Name, States: []State{StateWaiting}, Lines: lines, Waiting: true, ByRank: true, Limit: min(units, 100)}
	made := false
	for {
		list, err := e.list(ctx, query)
		if err != nil {
			return made, err
		}
		for i := range list {
			h, err := list[i].decode()
			if err != nil {
				return made, err
			}
			offered, err := e.offerTo(ctx, q, h, free, at)
			if err != nil {
				return made, err
			}
			made = made || offered
		}
		if len(list) < query.Limit || !slices.ContainsFunc(free, func(c Candidate) bool { return c.Free > 0 }) {
			return made, nil
		}
		query.After = list[len(list)-1].Cursor(query)
	}
}

// coveredLines returns the lines in which somebody of free can serve.
func (e *Engine) coveredLines(ctx context.Context, queue string, free []Candidate) (out []string, err error) {
	var lines []string
	err = e.call(ctx, "lines", ID{}, func(ctx context.Context) error {
		lines, err = e.store.Lines(ctx, queue)
		return err
	})
	for _, l := range lines {
		n := parseLine(l)
		if slices.ContainsFunc(free, func(c Candidate) bool { return c.Agent.covers(&n) }) {
			out = append(out, l)
		}
	}
	return out, err
}

// offerTo offers one handoff. errAgain says that what was read is no longer
// true.
func (e *Engine) offerTo(ctx context.Context, q *Queue, h *Handoff, free []Candidate, at time.Time) (offered bool, err error) {
	if h.own.Importing {
		return false, nil
	}
	able := make([]Candidate, 0, len(free))
	for i := range free {
		if e.whyNot(h, &free[i], at) == "" {
			able = append(able, free[i])
		}
	}
	if len(able) == 0 {
		return false, nil
	}
	c := cOffer{broadcast: q.Style == Broadcast}
	if c.broadcast {
		for i := range able[:min(len(able), q.BroadcastTo)] {
			c.to = append(c.to, candidate{agent: able[i].Agent.ID, shown: able[i].Agent.shown(), seat: e.seat(&able[i].Agent, h, q.Name), why: "broadcast"})
		}
	} else {
		id, why := e.route(ctx, q, h, able)
		i := slices.IndexFunc(able, func(c Candidate) bool { return c.Agent.ID == id })
		if i < 0 {
			return false, nil // the router leaves it waiting
		}
		c.to = []candidate{{agent: id, shown: able[i].Agent.shown(), seat: e.seat(&able[i].Agent, h, q.Name), why: why}}
	}
	_, err = e.apply(ctx, h, c, "offer/"+itoa(h.OfferNo+1))
	switch {
	case err == nil:
		for i := range free {
			if !c.broadcast && free[i].Agent.ID == c.to[0].agent {
				free[i].Free -= max(1, h.own.Units)
				free[i].Load += max(1, h.own.Units)
				free[i].IdleSince = at
			}
		}
		return true, nil
	case errors.Is(err, ErrConflict), errors.Is(err, ErrFull), errors.Is(err, ErrDuplicate), errors.Is(err, ErrState):
		return false, errAgain
	}
	return false, err
}

// route asks for the preferred agent first, then the router.
func (e *Engine) route(ctx context.Context, q *Queue, h *Handoff, able []Candidate) (string, string) {
	for i := range able {
		if able[i].Agent.ID == h.Need.Preferred {
			return h.Need.Preferred, "preferred"
		}
	}
	return q.Route.Route(ctx, h, able)
}

// whyNot says why an agent cannot get a handoff now, or "".
func (e *Engine) whyNot(h *Handoff, c *Candidate, at time.Time) string {
	switch {
	case slices.Contains(h.Need.Exclude, c.Agent.ID):
		return "excluded"
	case !c.Agent.covers(&h.Need):
		return missing(&c.Agent, &h.Need)
	case c.Free < max(1, h.own.Units):
		return "no free seat"
	}
	if d, ok := h.cooling(c.Agent.ID, at); ok {
		return "not again before " + d.Until.UTC().Format(time.RFC3339) + ": " + string(d.Why)
	}
	return ""
}

func missing(a *Agent, n *Need) string {
	var out []string
	for _, s := range n.Skills {
		switch level, ok := a.Skills[s.Name]; {
		case !ok:
			out = append(out, "lacks "+s.Name)
		case level < s.Level:
			out = append(out, s.Name+" only at "+itoa(int64(level)))
		}
	}
	if n.Language != "" && len(a.Languages) > 0 && !slices.Contains(a.Languages, n.Language) {
		out = append(out, "does not speak "+n.Language)
	}
	if n.Mode == ModeVideo && !a.Video {
		out = append(out, "takes no video")
	}
	return strings.Join(out, ", ")
}

// sweep is the net under the edges: it looks at every queue and at everybody
// who holds something, whether or not anything was heard of.
func (e *Engine) sweep(ctx context.Context) error {
	for name := range e.rules.queues {
		e.work.drain(name)
		e.work.tell(name)
	}
	e.keepLessons(ctx, lessonEvery)
	return e.sweepHeld(ctx, "")
}

// sweepHeld looks for handoffs of agents who have gone, or came back. Losing
// an agent is no commit, so nothing else would notice.
func (e *Engine) sweepHeld(ctx context.Context, agent string) error {
	q := Query{States: []State{StateOffered, StateActive, StateHeld, StateWrapup}, Limit: 200}
	for {
		list, err := e.list(ctx, q)
		if err != nil {
			return err
		}
		held := map[string][]*Handoff{}
		for i := range list {
			h, err := list[i].decode()
			if err != nil {
				return err
			}
			if h.Agent != "" && h.Provider == "" {
				held[h.Agent] = append(held[h.Agent], h)
			}
			for _, o := range h.Offers {
				held[o.Agent] = append(held[o.Agent], h)
			}
		}
		if err := e.checkHeld(ctx, held, agent); err != nil {
			return err
		}
		if len(list) < q.Limit {
			return nil
		}
		q.After = list[len(list)-1].Cursor(q)
	}
}

func (e *Engine) checkHeld(ctx context.Context, held map[string][]*Handoff, only string) error {
	var ids []string
	for id := range held {
		if only == "" || id == only {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	at := now()
	for _, st := range e.status(ctx, ids, at) {
		for _, h := range held[st.Agent] {
			var c command
			switch {
			// A presence that cannot be read takes no chat from anybody.
			case st.Availability == Offline && (h.own.AwaySince.IsZero() || h.Agent != st.Agent):
				since := st.Since
				if since.IsZero() || since.After(at) {
					since = at
				}
				c = cAway{agent: st.Agent, since: since}
			case st.Availability == Online && h.Agent == st.Agent && !h.own.AwaySince.IsZero():
				c = cBack{agent: st.Agent}
			default:
				continue
			}
			op := c.name() + "/" + st.Agent + "/" + itoa(h.Version)
			_, err := e.do(ctx, h.ID, op, func(*Handoff) (command, error) { return c, nil })
			if ignore(err, ErrStale, ErrState, ErrNotFound, ErrConflict) != nil {
				return err
			}
		}
	}
	return nil
}

// AgentChanged says that an agent came, went, or can do more or less than
// before. Engines notice by themselves within Config.Sweep; this is sooner.
func (e *Engine) AgentChanged(ctx context.Context, agent string) error {
	if err := checkName("agent", agent); err != nil {
		return err
	}
	return e.agentChanged(ctx, agent)
}

func (e *Engine) agentChanged(ctx context.Context, agent string) error {
	if err := e.sweepHeld(ctx, agent); err != nil {
		return err
	}
	dctx, cancel := context.WithTimeout(ctx, e.cfg.StoreTimeout)
	a, err := e.cfg.Directory.Get(dctx, agent)
	cancel()
	if err != nil {
		return ignore(err, ErrNotFound)
	}
	for _, q := range a.Queues {
		if e.work.running() {
			e.work.drain(q)
		} else if err := e.drain(ctx, q); err != nil {
			return err
		}
	}
	return nil
}
