package pgstore

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-2a427302/handoff"
)

// group lets commits that come together travel together. There is no timer:
// what queued up while a batch was on its way is the next batch, with what
// comes at once when that one is back. One batch is on its way at a time: two
// of half the size cost more.
type group struct {
	s       *Store
	mu      sync.Mutex
	queue   []*waiting
	running bool
	apart   atomic.Int64 // until when commits travel alone, in nanoseconds since 1970
}

type waiting struct {
	ctx  context.Context //nolint:containedctx // the caller's, who waits
	item handoff.Item
	done chan error
}

// most is how many commits travel together.
const most = 64

// commit hands an item in and waits for its own answer. A caller who gives up
// does not know whether his item was stored, and his context's error says so.
func (g *group) commit(ctx context.Context, item handoff.Item) error {
	w := &waiting{ctx: ctx, item: item, done: make(chan error, 1)}
	g.mu.Lock()
	g.queue = append(g.queue, w)
	if !g.running {
		g.running = true
		go g.run()
	}
	g.mu.Unlock()
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("pgstore: commit: given up: %w", ctx.Err())
	}
}

// run sends what has queued up, until nothing has.
func (g *group) run() {
	for {
		g.gather()
		batch := g.take()
		switch len(batch) {
		case 0:
			return
		case 1:
			g.alone(batch[0])
		default:
			g.send(batch)
		}
	}
}

// send sends a batch and waits for it.
func (g *group) send(batch []*waiting) {
	items := make([]handoff.Item, len(batch))
	var until time.Time // the latest of the callers' deadlines
	for i, w := range batch {
		items[i] = w.item
		if d, ok := w.ctx.Deadline(); ok && d.After(until) {
			until = d
		} else if !ok {
			until = time.Now().Add(time.Minute)
		}
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(batch[0].ctx), until)
	defer cancel()
	errs, stuck := g.s.commitBatch(ctx, items, patience.String())
	if stuck {
		g.part(batch)
		return
	}
	for i, w := range batch {
		w.done <- errs[i]
	}
}

// alone sends the only one of a batch, with a statement of its own, and waits for
// it as a batch waits: those who come meanwhile are the next one.
func (g *group) alone(w *waiting) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.one(w)
	}()
	stuck := time.NewTimer(patience)
	defer stuck.Stop()
	select {
	case <-done:
	case <-stuck.C:
		g.part(nil)
	}
}

func (g *group) one(w *waiting) { w.done <- g.s.commitOne(w.ctx, w.item.Record, w.item.Entries) }

// patience is how long a batch waits for a lock: far longer than a commit takes.
const patience = 250 * time.Millisecond

// apartFor is how long commits travel alone after one was stuck: it will be
// tried again, and others are not to wait for it.
const apartFor = time.Second

// part sends each of a batch on its own, and so what comes in the time after it.
func (g *group) part(batch []*waiting) {
	g.apart.Store(time.Now().Add(apartFor).UnixNano())
	for _, w := range batch {
		go g.one(w)
	}
}

// open reports whether commits may travel together.
func (g *group) open() bool { return g != nil && time.Now().UnixNano() >= g.apart.Load() }

// gather lets run who has something to commit: the callers of the last batch,
// who have just got their answers and go on, are many. The first of them is not
// sent off alone, with the others waiting for its return. In a busy process each
// turn takes a while, so there are few.
func (g *group) gather() {
	n := -1
	for range 4 {
		g.mu.Lock()
		now := len(g.queue)
		g.mu.Unlock()
		if now == n || now >= most {
			return
		}
		n = now
		runtime.Gosched()
	}
}

// take takes the next batch out of the queue: at most one commit of each
// record, and none whose caller is gone.
func (g *group) take() []*waiting {
	g.mu.Lock()
	defer g.mu.Unlock()
	var batch, rest []*waiting
	seen := map[handoff.ID]bool{}
	for _, w := range g.queue {
		switch id := w.item.Record.ID; {
		case w.ctx.Err() != nil:
		case len(batch) == most || seen[id]:
			rest = append(rest, w)
		default:
			seen[id] = true
			batch = append(batch, w)
		}
	}
	g.queue = rest
	g.running = len(batch) > 0
	return batch
}
