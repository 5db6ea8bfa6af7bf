package handoff

import (
	"context"
	"errors"
	"slices"
	"time"
)

// load returns the units in use of keys. Thousands are read some at a time, so
// that no store keeps others waiting for all of them.
func (e *Engine) load(ctx context.Context, keys []string) (map[string]int, error) {
	const atOnce = 1000
	out := make(map[string]int, len(keys))
	for some := range slices.Chunk(keys, atOnce) {
		err := e.call(ctx, "holders", ID{}, func(ctx context.Context) error {
			list, err := e.store.Holders(ctx, some...)
			for _, h := range list {
				out[h.Key] += h.Units
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// candidates reads who is online in a queue, and who of them has a free seat.
// It is never cached: an edge is only as good as what is read for it.
func (e *Engine) candidates(ctx context.Context, q *Queue, at time.Time) (free []Candidate, online []Agent, err error) {
	all, err := e.group(ctx, q)
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
		for channel := range all[i].ChannelSeats {
			keys = append(keys, channelSeatKey(ids[i], channel))
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
		c := Candidate{Agent: *a, Load: used, Free: a.Seats - used, IdleSince: e.pace.idleSince(a.ID, since[i]), Asked: e.pace.asked(a.ID)}
		for channel, most := range a.ChannelSeats {
			if load[channelSeatKey(a.ID, channel)] >= most {
				c.full = append(c.full, channel)
			}
		}
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

// group lists the agents of a queue, and those of queues that may help out.
func (e *Engine) group(ctx context.Context, q *Queue) ([]Agent, error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.StoreTimeout)
	defer cancel()
	all, err := e.cfg.Directory.List(ctx, q.Name)
	for _, other := range q.helpers() {
		if err != nil {
			return nil, err
		}
		var more []Agent
		more, err = e.cfg.Directory.List(ctx, other)
		for i := range more {
			if !more[i].serves(q.Name) && !slices.ContainsFunc(all, func(a Agent) bool { return a.ID == more[i].ID }) {
				all = append(slices.Clip(all), more[i])
			}
		}
	}
	return all, err
}

// drain matches a queue until a fresh read finds no pair. Whatever went wrong
// on the way, the sweep comes again.
func (e *Engine) drain(ctx context.Context, queue string) error {
	q := e.rules.queues[queue]
	if q == nil || !q.pushes() {
		return nil
	}
	if !e.roster.has(queue) {
		if _, err := e.readCrew(ctx, queue); err != nil {
			return err
		}
	}
	c := &comers{list: e.work.arrived(queue)}
	defer e.lookFor(c)
	waits, err := e.matchAll(ctx, q, c)
	if err != nil || !waits {
		return err
	}
	// What the roster has may be too old to find somebody in.
	if e.work.running() {
		e.readSoon(queue)
		return nil
	}
	better, err := e.readCrew(ctx, queue)
	if err == nil && better {
		_, err = e.matchAll(ctx, q, c)
	}
	return err
}

// pushes reports whether the engine offers what waits to agents of ours.
func (q *Queue) pushes() bool { return q.Style != Pull && len(q.Providers) == 0 }

// matchAll makes passes over a queue until one offers nothing. It reports
// whether somebody still waits.
func (e *Engine) matchAll(ctx context.Context, q *Queue, c *comers) (waits bool, err error) {
	for lost := 0; ctx.Err() == nil; {
		var made bool
		made, waits, err = e.match(ctx, q, c)
		switch {
		case errors.Is(err, errAgain) && lost < tries:
			err = backOff(ctx, ErrConflict, lost)
			lost++
		case err == nil:
			lost = 0
			if !made {
				return waits, nil
			}
		}
		if err != nil {
			return waits, err
		}
	}
	return waits, nil
}

// errAgain says that what a match was made from is no longer true.
var errAgain = errors.New("handoff: lost a race")

// sweep is the net under the edges: it looks at every queue and at everybody
// who holds something, whether or not anything was heard of.
func (e *Engine) sweep(ctx context.Context) error {
	for name, q := range e.rules.queues {
		if q.pushes() {
			e.work.read(name)
		}
		e.work.tell(name)
		e.work.drain(name)
	}
	e.keepLessons(ctx, lessonEvery)
	return e.sweepHeld(ctx)
}

// holding are the states in which an agent has something, or is asked.
func holding() []State { return []State{StateOffered, StateActive, StateHeld, StateWrapup} }

// sweepHeld looks for handoffs of agents who have gone, or came back. Losing
// an agent is no commit, so nothing else would notice.
func (e *Engine) sweepHeld(ctx context.Context) error {
	return e.checkAll(ctx, Query{States: holding(), Limit: 200}, "")
}

// checkAll looks at the handoffs of a query; of one agent, or of all for "".
func (e *Engine) checkAll(ctx context.Context, q Query, agent string) error {
	for {
		list, err := e.list(ctx, q)
		if err != nil {
			return err
		}
		held := map[string][]*Handoff{}
		for _, h := range e.readable(ctx, list) {
			h.heldBy(held)
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

// heldBy notes who has h or is asked.
func (h *Handoff) heldBy(held map[string][]*Handoff) {
	if h.Agent != "" && h.Provider == "" {
		held[h.Agent] = append(held[h.Agent], h)
	}
	for _, o := range h.Offers {
		held[o.Agent] = append(held[o.Agent], h)
	}
}

// checkAgent looks at what one agent has or is asked. A warm offer is found by
// its seat, and one to several by its queue.
func (e *Engine) checkAgent(ctx context.Context, agent string, queues []string) error {
	if err := e.checkAll(ctx, Query{Agent: agent, States: holding(), Limit: 200}, agent); err != nil {
		return err
	}
	var seats []Holding
	err := e.call(ctx, "holders", ID{}, func(ctx context.Context) (err error) {
		seats, err = e.store.Holders(ctx, seatKey(agent))
		return err
	})
	if err != nil {
		return err
	}
	held := map[string][]*Handoff{}
	for _, s := range seats {
		switch h, err := e.get(ctx, s.ID); {
		case err != nil:
			if !errors.Is(err, ErrNotFound) {
				return err
			}
		case h.Agent != agent:
			h.heldBy(held)
		}
	}
	if err := e.checkHeld(ctx, held, agent); err != nil {
		return err
	}
	for _, q := range queues {
		if e.rules.queue(q).Style == Broadcast {
			if err := e.checkAll(ctx, Query{Queue: q, States: []State{StateOffered}, Limit: 200}, agent); err != nil {
				return err
			}
		}
	}
	return nil
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
				since := st.Since.Truncate(time.Millisecond)
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
	a, err := e.cfg.Directory.Get(ctx, agent)
	if ignore(err, ErrNotFound) != nil {
		return err
	}
	if err := e.checkAgent(ctx, agent, a.Queues); err != nil {
		return err
	}
	return e.agentFree(ctx, agent)
}

// agentFree finds something for an agent who came, or got a seat back.
func (e *Engine) agentFree(ctx context.Context, agent string) error {
	if _, err := e.readAgents(ctx, agent); err != nil {
		return err
	}
	for _, q := range e.rules.helped(e.roster.queues(agent)) {
		if e.work.running() {
			e.work.drain(q)
		} else if err := e.drain(ctx, q); err != nil {
			return err
		}
	}
	return nil
}
