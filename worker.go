package handoff

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Run does the background work: timers, matching and deliveries. It returns
// nil soon after ctx ends, when everything it had begun is finished or given
// back. Any number of replicas may run; at least one must. A second Run of one
// engine shares the work of the first, and Config.Workers, and goes on when that
// ends: so a restart may overlap.
func (e *Engine) Run(ctx context.Context) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	if e.tx != nil {
		return errBound
	}
	pools := e.pools()
	e.work.start(pools, e.cfg.Workers)
	defer e.work.stop()
	var g errgroup.Group
	for _, name := range pools {
		g.Go(func() error { e.runPool(ctx, name); return nil })
	}
	g.Go(func() error { e.every(ctx, e.cfg.Poll, e.claim); return nil })
	g.Go(func() error { e.every(ctx, e.cfg.Sweep, e.sweep); return nil })
	if l, ok := unwrap[Listener](e.store); ok {
		g.Go(func() error { e.listen(ctx, l); return nil })
	}
	g.Go(func() error { e.runStreams(ctx); return nil })
	return g.Wait()
}

func (e *Engine) pools() []string {
	names := []string{poolTend, poolDrain, poolTell}
	return append(names, e.sinks()...)
}

// sinks names the receivers that this engine can deliver to.
func (e *Engine) sinks() []string {
	var names []string
	if e.cfg.Channel != nil {
		names = append(names, sinkChannel)
	}
	if e.cfg.Bot != nil {
		names = append(names, sinkBot, sinkPacket)
	}
	for name, p := range e.providers {
		names = append(names, sinkProvider+name)
		if _, ok := p.(Ticketer); ok {
			names = append(names, sinkTicket+name)
		}
	}
	for name := range e.cfg.Sinks {
		names = append(names, sinkNamed+name)
	}
	return names
}

// runPool does the tasks of a pool, a bounded number at once. A receiver that
// hangs holds up only its own pool.
func (e *Engine) runPool(ctx context.Context, name string) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		t, ok := e.work.next(ctx, name)
		if !ok {
			return
		}
		wg.Go(func() {
			defer func() { e.work.done(t, ctx.Err() != nil) }()
			e.task(ctx, t)
		})
	}
}

func (e *Engine) task(ctx context.Context, t task) {
	var err error
	switch t.do {
	case "tend":
		err = e.tend(ctx, t.id)
	case "look":
		err = e.look(ctx, t.id)
	case "send":
		err = e.send(ctx, t)
	case "drain":
		err = e.drain(ctx, t.name)
	case "tell":
		if !e.work.tellLater(t.name) {
			err = e.tell(ctx, t.name)
		}
	case "agent":
		err = e.agentFree(ctx, t.name)
	case "reread":
		// Who comes free by another's hand is an edge here, too: the read of all
		// agents that follows would find nothing new.
		var better bool
		if better, err = e.readAgents(ctx, t.name); better {
			for _, q := range e.rules.helped(e.roster.queues(t.name)) {
				e.work.drain(q)
			}
		}
	case "read":
		var better bool
		if better, err = e.readCrew(ctx, t.name); better {
			e.work.drain(t.name)
		}
	}
	if err != nil && ctx.Err() == nil {
		e.log.WarnContext(ctx, "task failed", "task", t.do, "number", t.id.Number, "error", err)
	}
}

// every calls f now and then about every d until ctx ends.
func (e *Engine) every(ctx context.Context, d time.Duration, f func(context.Context) error) {
	for ctx.Err() == nil {
		if err := f(ctx); err != nil && ctx.Err() == nil {
			e.log.WarnContext(ctx, "background work failed", "error", err)
		}
		sleep(ctx, d)
	}
}

// sleep waits about d, or until ctx ends. Jitter keeps replicas from asking all
// at once.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d - d/8 + time.Duration(rand.Int64N(int64(d/4)+1)))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// claim asks the store for due work until there is none.
func (e *Engine) claim(ctx context.Context) error {
	e.work.ripe(time.Now())
	const most = 100
	for ctx.Err() == nil {
		var got Claimed
		asked := now()
		err := e.call(ctx, "claim", ID{}, func(ctx context.Context) (err error) {
			got, err = e.store.Claim(ctx, Claim{
				Now: asked, Lease: e.cfg.Lease, Limit: most, Sinks: e.sinks(), Grace: e.cfg.Overdue,
			})
			return err
		})
		if err != nil {
			return err
		}
		if !got.Now.IsZero() {
			e.early.Store(int64(max(0, asked.Sub(got.Now))))
		}
		for i := range got.Due {
			e.work.tend(got.Due[i].ID)
		}
		for _, d := range got.Overdue {
			e.reached.drop(receiver{d.ID, d.Cursor}) // the store knows better
			e.work.send(d.ID, Owed{Sink: d.Sink, Cursor: d.Cursor})
		}
		if len(got.Due) < most {
			return nil
		}
	}
	return nil
}

// committed does what follows from a commit of this engine.
func (e *Engine) committed(ctx context.Context, old, h *Handoff, entries []Entry, c command) {
	e.work.mine(h.ID, h.Version)
	e.keepWarm(h)
	kinds := make([]Kind, len(entries))
	for i := range entries {
		kinds[i] = entries[i].Kind
	}
	e.hub.feed.add(FeedEvent{ID: h.ID, State: h.State, Queue: h.Need.Queue, Agent: h.Agent, At: h.Updated, Kinds: kinds})
	e.hub.changed(h.ID.Conversation) // after the feed has it, or its readers would wait for the next poll
	if e.cfg.Hooks.Changed != nil {
		e.cfg.Hooks.Changed(ctx, Change{
			ID: h.ID, Command: c.name(), From: old.State, To: h.State, Outcome: h.Outcome,
			Queue: h.Need.Queue, Entries: kinds, Before: old.Stretch, Stretch: h.Stretch, First: h.Attended && !old.Attended, At: h.Updated,
		})
	}
	e.log.DebugContext(ctx, "committed", "number", h.ID.Number, "command", c.name(),
		"from", string(old.State), "to", string(h.State), "version", h.Version)
	e.pace.note(e.rules, old, h)
	e.taught.note(e.rules, old, h)
	if e.work.running() {
		e.schedule(old, h, "")
	}
}

// schedule adds the tasks that a change from old to h asks for; old is nil
// when it is not known. A queue that is being drained is not drained for h again.
func (e *Engine) schedule(old, h *Handoff, drained string) {
	bound := old == nil
	if b := h.live(); b != nil && b.Status == BindOpen && !bound {
		was := old.live()
		bound = was == nil || was.Status != BindOpen
	}
	for _, o := range h.own.Owed {
		if bound || o.Seq > old.owedSeq(o.Cursor) {
			e.work.send(h.ID, o)
		}
	}
	if h.isDue(e.storeNow()) {
		e.work.tend(h.ID)
	}
	if h.State == StateWaiting && h.Need.Queue != drained {
		e.work.arrive(h.Need.Queue, arrival{line: h.Need.line()})
		e.work.drain(h.Need.Queue)
	}
	// An offer moves nobody's place; joining and leaving the line does.
	moved := old == nil && h.State != StateOffered || old != nil && (h.inLine() != old.inLine() || h.inLine() && h.Need.Queue != old.Need.Queue)
	if moved {
		e.work.tell(h.Need.Queue)
		if h.Need.Queue != drained {
			e.work.drain(h.Need.Queue)
		}
	}
	if moved && old != nil && old.Need.Queue != h.Need.Queue {
		e.work.tell(old.Need.Queue)
		e.work.drain(old.Need.Queue)
	}
	if old != nil {
		for _, a := range freed(old, h) {
			e.work.agent(a)
		}
	}
}

// inLine reports whether h has a place in its queue.
func (h *Handoff) inLine() bool { return h.State == StateWaiting || h.State == StateOffered }

func (h *Handoff) owedSeq(cursor string) int64 {
	for _, o := range h.own.Owed {
		if o.Cursor == cursor {
			return o.Seq
		}
	}
	return 0
}

// freed names the agents who got capacity back.
func freed(old, h *Handoff) []string {
	var out []string
	held := map[string]bool{}
	if h.own.Seat != nil {
		held[h.own.Seat.Agent] = true
	}
	for i := range h.Offers {
		held[h.Offers[i].Agent] = true
	}
	if old.own.Seat != nil && !held[old.own.Seat.Agent] {
		out = append(out, old.own.Seat.Agent)
	}
	for i := range old.Offers {
		if a := old.Offers[i].Agent; !held[a] {
			out = append(out, a)
		}
	}
	return out
}

func ignore(err error, targets ...error) error {
	for _, t := range targets {
		if errors.Is(err, t) {
			return nil
		}
	}
	return err
}
