package handoff

import (
	"context"
	"slices"
	"sync/atomic"
)

// An arrival is a handoff that is known to wait in a queue.
type arrival struct {
	id      ID // of another process; else zero
	version int64
	line    string // "" when it is not known
}

// comers are those who came since their queue was drained last.
type comers struct{ list []arrival }

// mostArrivals is how many arrivals of a queue are kept until it is drained.
const mostArrivals = 100

// arrive notes who came to a queue, which is drained next. It reports whether
// the drain will look at him.
func (w *work) arrive(queue string, a arrival) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.runs == 0 || len(w.come[queue]) >= mostArrivals {
		return false
	}
	w.come[queue] = append(w.come[queue], a)
	return true
}

// arrived returns who came to a queue since it was last asked.
func (w *work) arrived(queue string) []arrival {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.come[queue]
	delete(w.come, queue)
	return list
}

// listen turns the hints of other processes into work and signals. What ended is
// begun again at once; while that fails, polling finds what hints would have
// told, and it is tried no more often than that. The first failure is logged,
// and the first hint after it.
func (e *Engine) listen(ctx context.Context, l Listener) {
	const quick = 5
	var fails atomic.Int64 // since something was heard
	hear := func(h Hint) {
		if fails.Load() > 0 && fails.Swap(0) > 0 {
			e.log.InfoContext(ctx, "listening again")
		}
		e.hear(h)
	}
	for ctx.Err() == nil {
		err := l.Listen(ctx, hear)
		if ctx.Err() != nil {
			return
		}
		n := fails.Add(1)
		if n == 1 && err != nil {
			e.log.WarnContext(ctx, "listening failed", "error", err)
		}
		if n <= quick {
			_ = backOff(ctx, err, int(n))
			continue
		}
		sleep(ctx, e.cfg.Poll)
	}
}

// hear follows one hint. Who came to a queue is found when that is drained, and
// need not be read for himself.
func (e *Engine) hear(h Hint) {
	if h.ID.Conversation != "" {
		if h.Version > 0 && e.work.isMine(h.ID, h.Version) {
			return // it comes from here
		}
		e.hub.changed(h.ID.Conversation)
		q := e.rules.queues[h.Queue]
		if q == nil || !q.pushes() || !e.work.arrive(q.Name, arrival{id: h.ID, version: h.Version, line: h.Line}) {
			e.work.look(h.ID)
		}
	}
	if h.Queue != "" {
		e.work.drain(h.Queue)
	}
}

// meet learns of those who came from a list of who waits. Who is not in it, or
// older than the hint, is looked for.
func (e *Engine) meet(q *Queue, c *comers, list []Record) {
	for i := range c.list {
		a := &c.list[i]
		n := slices.IndexFunc(list, func(r Record) bool { return r.ID == a.id && r.Version >= a.version })
		if n < 0 {
			continue
		}
		if h, err := list[n].decode(); err == nil { // else who looks for him says so
			list[n].Body.value = h // it is decoded once
			a.id = ID{}
			e.learn(h, q.Name)
		}
	}
	e.lookFor(c)
}

// lookFor looks for those who came and were not met.
func (e *Engine) lookFor(c *comers) {
	for _, a := range c.list {
		if a.id.Conversation != "" {
			e.work.look(a.id)
		}
	}
	c.list = nil
}

// look finds the work that a commit of another process left.
func (e *Engine) look(ctx context.Context, id ID) error {
	h, err := e.get(ctx, id)
	if err != nil || h.own.Tombstone {
		return ignore(err, ErrNotFound)
	}
	e.learn(h, "")
	return nil
}

// learn does what a commit of another process asks for, once it was read. It
// may be read by the drain of a queue, which needs no further one then.
func (e *Engine) learn(h *Handoff, drained string) {
	if e.work.isMine(h.ID, h.Version) {
		return
	}
	e.warm.drop(h.ID)
	e.hub.feed.add(FeedEvent{ID: h.ID, State: h.State, Queue: h.Need.Queue, Agent: h.Agent, At: h.Updated})
	e.hub.changed(h.ID.Conversation)
	for _, a := range []string{h.Agent, h.LastAgent} {
		if a != "" && h.Provider == "" {
			e.work.reread(a)
		}
	}
	for _, o := range h.Offers {
		e.work.reread(o.Agent)
	}
	e.pace.heard(e.rules, h)
	e.schedule(nil, h, drained)
}
