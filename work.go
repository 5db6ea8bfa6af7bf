package handoff

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// A task is something for the worker. Tasks are hints: each of them reads the
// store again and finds out what there is to do.
type task struct {
	pool string // tasks of one pool share its limit
	do   string
	id   ID
	name string // a cursor, a queue or an agent
}

// work holds the tasks of an engine that runs. Equal tasks are done once; a
// task that comes while its equal is being done is done again afterwards.
type work struct {
	mu    sync.Mutex
	runs  int
	pools map[string]*pool
	later map[task]time.Time
	tells map[string]bool    // queues whose users are to be told their places
	late  map[string]bool    // those of which that was put off
	own   *recent[ID, int64] // versions committed here, whose hints tell nothing new
	come  map[string][]arrival
}

type pool struct {
	ready  []task
	state  map[task]int
	signal chan struct{} // something is ready
	room   chan struct{} // full when as much is being done as may be at once
}

const (
	taskQueued = iota + 1
	taskRunning
	taskAgain
)

func newWork() *work {
	return &work{
		pools: map[string]*pool{}, later: map[task]time.Time{}, tells: map[string]bool{}, late: map[string]bool{},
		own: newRecent[ID, int64](mostRecent), come: map[string][]arrival{},
	}
}

// start lets the pools take tasks, of which most are done at once; stop empties
// them when nobody else does them.
func (w *work) start(names []string, most int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs++
	for _, name := range names {
		if w.pools[name] == nil {
			w.pools[name] = &pool{state: map[task]int{}, signal: make(chan struct{}, 1), room: make(chan struct{}, most)}
		}
	}
}

func (w *work) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.runs--; w.runs == 0 {
		clear(w.pools)
		clear(w.later)
		clear(w.tells)
		clear(w.late)
		clear(w.come)
		w.own.clear()
	}
}

func (w *work) running() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runs > 0
}

// add schedules t. Without Run in this process it does nothing: another
// replica finds the work in the store.
func (w *work) add(t task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.put(t)
}

func (w *work) put(t task) {
	p := w.pools[t.pool]
	if w.runs == 0 || p == nil {
		return
	}
	switch p.state[t] {
	case taskRunning:
		p.state[t] = taskAgain
	case 0:
		p.push(t)
	}
}

func (p *pool) push(t task) {
	p.state[t] = taskQueued
	p.ready = append(p.ready, t)
	p.wake()
}

// wake wakes one who waits, if something is ready. Whoever takes something
// wakes the next one, and so does who was woken and goes away.
func (p *pool) wake() {
	if len(p.ready) == 0 {
		return
	}
	select {
	case p.signal <- struct{}{}:
	default:
	}
}

// next returns a task of a pool, waiting for one, and for room to do it, until
// ctx ends.
func (w *work) next(ctx context.Context, name string) (task, bool) {
	w.mu.Lock()
	p := w.pools[name]
	w.mu.Unlock()
	if p == nil {
		return task{}, false
	}
	select {
	case p.room <- struct{}{}:
	case <-ctx.Done():
		return task{}, false
	}
	for ctx.Err() == nil {
		if t, ok := w.take(p); ok {
			return t, true
		}
		select {
		case <-p.signal:
		case <-ctx.Done():
		}
	}
	<-p.room
	w.mu.Lock()
	defer w.mu.Unlock()
	p.wake()
	return task{}, false
}

func (w *work) take(p *pool) (task, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(p.ready) == 0 {
		return task{}, false
	}
	t := p.ready[0]
	p.ready = p.ready[1:]
	p.state[t] = taskRunning
	p.wake()
	return t, true
}

// done ends a task, or queues it again: when it came again meanwhile, or was
// broken off while another Run goes on.
func (w *work) done(t task, broken bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.pools[t.pool]
	if p == nil {
		return
	}
	<-p.room
	if t.do == "drain" && w.tells[t.name] {
		delete(w.tells, t.name)
		w.put(task{pool: poolTell, do: "tell", name: t.name})
	}
	if p.state[t] == taskAgain || broken && w.runs > 1 {
		p.push(t)
		return
	}
	delete(p.state, t)
}

// steady is a time on the clock that nobody sets: what is to wait for five
// seconds waits no longer when the other clock is set back.
func steady(at time.Time) time.Time { return time.Now().Add(time.Until(at)) }

// after schedules t for a later time; the claim loop looks.
func (w *work) after(t task, at time.Time) {
	at = steady(at)
	w.mu.Lock()
	defer w.mu.Unlock()
	if old, ok := w.later[t]; w.runs > 0 && (!ok || at.Before(old)) {
		w.later[t] = at
	}
}

// ripe schedules what was put off until now.
func (w *work) ripe(at time.Time) {
	w.mu.Lock()
	var list []task
	for t, due := range w.later {
		if !due.After(at) {
			list = append(list, t)
			delete(w.later, t)
		}
	}
	w.mu.Unlock()
	for _, t := range list {
		w.add(t)
	}
}

// mine notes a commit made here, so that its own hint is not looked into.
func (w *work) mine(id ID, version int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.runs == 0 {
		return
	}
	w.own.put(id, version)
}

// isMine reports whether this engine made a version, or a later one.
func (w *work) isMine(id ID, version int64) bool {
	v, ok := w.own.get(id)
	return ok && v >= version
}

// giveWay lets others go first, now and then in a loop over thousands of
// agents. Who has a seat to fill would else wait for milliseconds where all
// processors are busy with such loops.
func giveWay(i int) {
	if i%16 == 15 {
		runtime.Gosched()
	}
}

// The pools: timers, matching, telling places, and one for each receiver.
const (
	poolTend  = "tend"
	poolDrain = "drain"
	poolTell  = "place"
)

func (w *work) tend(id ID) { w.add(task{pool: poolTend, do: "tend", id: id}) }

func (w *work) look(id ID) { w.add(task{pool: poolTend, do: "look", id: id}) }

func (w *work) send(id ID, o Owed) { w.add(task{pool: o.Sink, do: "send", id: id, name: o.Cursor}) }

func (w *work) drain(queue string) { w.add(task{pool: poolDrain, do: "drain", name: queue}) }

// tell lets the users of a queue be told their places when it was drained: who
// is offered to somebody at once needs no place.
func (w *work) tell(queue string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.runs > 0 {
		w.tells[queue] = true
	}
}

// tellLater reports whether the users of a queue are better told after a drain that is
// still to end, which may offer somebody at once what has just come, and sees to
// that. It does so once, since in a busy queue a drain is always to end.
func (w *work) tellLater(queue string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.pools[poolDrain]; w.late[queue] || p == nil || p.state[task{pool: poolDrain, do: "drain", name: queue}] == 0 {
		delete(w.late, queue)
		return false
	}
	w.late[queue], w.tells[queue] = true, true
	return true
}

func (w *work) agent(id string) { w.add(task{pool: poolDrain, do: "agent", name: id}) }

// read lets all agents of a queue be read, and reread one.
func (w *work) read(queue string) { w.add(task{pool: poolDrain, do: "read", name: queue}) }

func (w *work) reread(id string) { w.add(task{pool: poolDrain, do: "reread", name: id}) }
