package handoff

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// see reads who of some agents is there, and what they have to do.
func (e *Engine) see(ctx context.Context, agents []Agent, at time.Time) ([]sighting, error) {
	ids := make([]string, len(agents))
	for i := range agents {
		ids[i] = agents[i].ID
	}
	out := make([]sighting, len(agents))
	keys := make([]string, 0, len(agents))
	for i, st := range e.status(ctx, ids, at) {
		giveWay(i)
		out[i] = sighting{agent: agents[i], online: st.Availability == Online}
		if !out[i].online {
			continue
		}
		out[i].since, out[i].asked = e.pace.idleSince(ids[i], st.Since), e.pace.asked(ids[i])
		keys = append(keys, seatKey(ids[i]))
		for q := range agents[i].QueueSeats {
			keys = append(keys, queueSeatKey(ids[i], q))
		}
		for channel := range agents[i].ChannelSeats {
			keys = append(keys, channelSeatKey(ids[i], channel))
		}
	}
	if len(keys) == 0 {
		return out, nil
	}
	load, err := e.load(ctx, keys)
	if err != nil {
		return nil, err
	}
	for i := range out {
		giveWay(i)
		f := &out[i]
		f.units = load[seatKey(ids[i])]
		for q := range f.agent.QueueSeats {
			if n := load[queueSeatKey(ids[i], q)]; n > 0 {
				if f.used == nil {
					f.used = map[string]int{}
				}
				f.used[q] = n
			}
		}
		for channel, most := range f.agent.ChannelSeats {
			if load[channelSeatKey(ids[i], channel)] >= most {
				f.full = append(f.full, channel)
			}
		}
	}
	return out, nil
}

// readAgents reads some agents anew. It reports whether one of them can take
// something that he could not before.
func (e *Engine) readAgents(ctx context.Context, ids ...string) (better bool, err error) {
	read := e.roster.tick()
	list := make([]Agent, len(ids))
	get := func(i int) (err error) {
		dctx, cancel := context.WithTimeout(ctx, e.cfg.StoreTimeout)
		defer cancel()
		if list[i], err = e.cfg.Directory.Get(dctx, ids[i]); errors.Is(err, ErrNotFound) {
			list[i].ID = ""
			e.roster.drop(ids[i], read)
			return nil
		}
		return err
	}
	if len(ids) == 0 {
		return false, nil
	}
	var g errgroup.Group
	g.SetLimit(readAhead)
	for i := range ids[1:] {
		g.Go(func() error { return get(i + 1) })
	}
	if err := errors.Join(get(0), g.Wait()); err != nil {
		return false, err
	}
	agents := slices.DeleteFunc(list, func(a Agent) bool { return a.ID == "" })
	all, err := e.see(ctx, agents, now())
	for i := range all {
		better = e.roster.put(&all[i], read) || better
	}
	return better, err
}

// readCrew reads all agents of a queue.
func (e *Engine) readCrew(ctx context.Context, queue string) (better bool, err error) {
	start, read := time.Now(), e.roster.begin(queue)
	agents, err := e.group(ctx, e.rules.queue(queue))
	if err != nil {
		return false, err
	}
	all, err := e.see(ctx, agents, now())
	if err != nil {
		return false, err
	}
	better = e.roster.putCrew(queue, all, read)
	// At most a fiftieth of the time goes into reading everybody.
	e.roster.rest(queue, min(50*time.Since(start), e.cfg.Sweep))
	return better, nil
}

// readSoon lets all agents of a queue be read, at once unless they were a
// moment ago.
func (e *Engine) readSoon(queue string) {
	if in, ok := e.roster.due(queue); ok {
		if in <= 0 {
			e.work.read(queue)
		} else {
			time.AfterFunc(in, func() { e.work.read(queue) })
		}
	}
}

// begin numbers a read of a queue's agents.
func (r *roster) begin(queue string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.crew(queue).waiting = false
	r.clock++
	return r.clock
}

// rest keeps a queue's agents from being read for a while.
func (r *roster) rest(queue string, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.crew(queue).next = time.Now().Add(d)
}

// due returns when a queue's agents may be read again, to the first who asks.
func (r *roster) due(queue string) (in time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.crew(queue)
	ok = !c.waiting
	c.waiting = true
	return time.Until(c.next), ok
}
