package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A view is what is open now, as rows, and the last events of it. It is a
// cache for lists and streams: permissions of routes are checked against what
// the engine says at that moment.
type view struct {
	public func(queue string) bool
	boot   string // of this process: cursors of another one mean nothing

	mu      sync.Mutex
	ready   bool
	rows    map[handoff.ID]*row
	ring    []*event
	next    int64
	changed chan struct{} // closed when something is published: for pages that poll
	streams map[*stream]struct{}
	rights  atomic.Int64                  // how often somebody's were said to have changed
	polled  time.Time                     // when a page that gets no stream has asked last
	opened  map[string]map[string]opening // session → tab → what it has open
	marks   map[reader]int64              // up to when somebody has read
	dirty   map[handoff.ID]bool
	reload  bool
	wake    chan struct{}
	counts  map[string]queueCount
	team    []member  // who serves the queues, as pages were told; it is never changed
	teamAt  time.Time // when the read of it began
	teamNew time.Time // when somebody was changed here: what was read before that is old
	warned  sync.Once
	alike   alike
}

// An opening is a tab that has a handoff open.
type opening struct {
	id    handoff.ID
	actor Actor
	from  int64 // the last event before it: the page reads what is older
	until time.Time
}

const (
	ringSize  = 8192
	rowsEvery = 100 * time.Millisecond // rows are told at most so often
	sweep     = 30 * time.Second       // the net under lost edges
	openLease = 3 * time.Minute        // a tab that is silent has closed
)

// An event is something to tell open pages, those that may know it.
type event struct {
	n    int64
	name string
	rows []rowChange     // of "rows"
	id   handoff.ID      // of "entry", "typing" and "viewing": what it is about
	data json.RawMessage // of all others
	only string          // for this actor alone
	need Permission      // for those who have it
	say  func(*Actor) any
}

// A rowChange is a row as it was and as it is.
type rowChange struct{ old, now *row }

func newView(public func(string) bool) *view {
	return &view{
		public: public, boot: newBoot(), rows: map[handoff.ID]*row{}, changed: make(chan struct{}), streams: map[*stream]struct{}{},
		opened: map[string]map[string]opening{}, marks: map[reader]int64{}, dirty: map[handoff.ID]bool{}, reload: true,
		wake: make(chan struct{}, 1), counts: map[string]queueCount{},
	}
}

// Run keeps what pages show up to date: it follows the engine's feed. It
// returns nil when ctx ends. A desk that does not Run answers 503.
func (h *Handler) Run(ctx context.Context) error {
	loops := []func(context.Context) error{h.follow, h.keepRows, h.keepFigures}
	err := together(ctx, len(loops), len(loops), func(ctx context.Context, i int) error { return loops[i](ctx) })
	h.view.stop()
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it ended because it was to end
	}
	return err
}

func (h *Handler) follow(ctx context.Context) error {
	for ev, err := range h.engine.Feed(ctx, "") {
		if err != nil {
			return err
		}
		h.view.touch(ev.ID, ev.Skipped)
	}
	return nil
}

// together calls f(0), f(1), … f(n-1), at most limit at once, and returns the
// first error, which ends the others' context.
func together(ctx context.Context, limit, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	var next atomic.Int64
	var once sync.Once
	var failed error
	for range min(limit, n) {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := f(ctx, i); err != nil {
					once.Do(func() { failed = err })
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	return failed
}

// touch says that a handoff changed, or that nobody knows which did.
func (v *view) touch(id handoff.ID, all bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if all {
		v.reload = true
	} else {
		v.dirty[id] = true
	}
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// keepRows reads what changed and tells it: entries at once, rows in batches.
func (h *Handler) keepRows(ctx context.Context) error {
	v := h.view
	tick := time.NewTicker(sweep)
	defer tick.Stop()
	rest := time.NewTimer(0)
	defer rest.Stop()
	held := map[handoff.ID]rowChange{}
	tell := func() {
		v.publishRows(held)
		held = map[handoff.ID]rowChange{} // a map that is cleared keeps the room that it took
		rest.Reset(rowsEvery)
	}
	for {
		v.mu.Lock()
		dirty, reload := v.dirty, v.reload
		v.dirty, v.reload = map[handoff.ID]bool{}, false
		v.mu.Unlock()
		var err error
		if reload {
			err = h.readAll(ctx, held)
		} else if len(dirty) > 0 {
			err = h.readSome(ctx, slices.Collect(maps.Keys(dirty)), held)
		}
		if err != nil && ctx.Err() == nil {
			h.log.WarnContext(ctx, "the desk cannot read the store", "error", err)
			v.mu.Lock()
			v.reload = true
			v.mu.Unlock()
			if err := pause(ctx, time.Second); err != nil {
				return err
			}
			continue
		}
		select {
		case <-rest.C:
			tell()
		default:
		}
		var later <-chan time.Time
		if len(held) > 0 {
			later = rest.C
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-v.wake:
		case <-tick.C:
			v.touch(handoff.ID{}, true)
		case <-later:
			tell()
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// open is every state in which a handoff stands in a list of the desk.
var open = slices.DeleteFunc(handoff.States(), func(s handoff.State) bool { return s == handoff.StateEnded })

// readAll reads everything that is open, and forgets what no longer is.
func (h *Handler) readAll(ctx context.Context, held map[handoff.ID]rowChange) error {
	found := map[handoff.ID]bool{}
	var stale []handoff.ID
	q := handoff.Query{States: open, Limit: 500}
	for {
		page, err := h.engine.List(ctx, q)
		if err != nil {
			return err
		}
		h.view.mu.Lock()
		for i := range page {
			p := &page[i]
			found[p.ID] = true
			switch old := h.view.rows[p.ID]; {
			case old == nil:
				// What was said last is read when somebody looks.
				h.view.set(newRow(p, h.style(p.Need.Queue), nil), held)
			case old.Version != p.Version:
				stale = append(stale, p.ID)
			}
		}
		h.view.mu.Unlock()
		if len(page) < q.Limit {
			break
		}
		q.After = h.engine.After(page[len(page)-1], q)
	}
	h.view.mu.Lock()
	for id := range h.view.rows {
		if !found[id] {
			stale = append(stale, id)
		}
	}
	h.view.ready = true
	h.view.mu.Unlock()
	return h.readSome(ctx, stale, held)
}

// readSome reads some handoffs, and tells what was said in those that somebody
// has open.
func (h *Handler) readSome(ctx context.Context, ids []handoff.ID, held map[handoff.ID]rowChange) error {
	v := h.view
	return together(ctx, 4, len(ids), func(ctx context.Context, i int) error {
		id := ids[i]
		if id.IsZero() {
			return nil
		}
		got, log, err := h.readOne(ctx, id)
		v.mu.Lock()
		open := v.anyOpen(id) // who opens it after this reads all of it
		v.mu.Unlock()
		var lines []entry
		if open {
			lines = h.entriesOf(ctx, &got, log)
		}
		var bad *handoff.UnreadableError
		if errors.As(err, &bad) { // what was read of it last stays, and nobody else waits for it
			h.log.WarnContext(ctx, "the desk cannot read a handoff", "number", id.Number, "error", err)
			return nil
		}
		if err != nil && !errors.Is(err, handoff.ErrNotFound) {
			return err
		}
		if err != nil || got.State == handoff.StateEnded {
			h.forgetDrafts(ctx, id)
		}
		v.mu.Lock() // held is guarded by it too
		defer v.mu.Unlock()
		old := v.rows[id]
		if err != nil { // erased
			if old != nil {
				delete(v.rows, id)
				v.unread(id)
				held[id] = rowChange{old: first(held[id].old, old)}
			}
			return nil
		}
		if old != nil && old.Version >= got.Version {
			return nil
		}
		last := lastSaid(log, h.labelsOf(got.Need.Queue))
		if last == nil && old != nil {
			last = old.Last
		}
		v.set(newRow(&got, h.style(got.Need.Queue), last), held)
		v.tellEntries(id, lines)
		return nil
	})
}

func (h *Handler) readOne(ctx context.Context, id handoff.ID) (handoff.Handoff, []handoff.Entry, error) {
	got, err := h.engine.Get(ctx, id)
	if err != nil {
		return got, nil, err
	}
	h.view.mu.Lock()
	after := max(0, got.Seq-30)
	if old := h.view.rows[id]; old != nil && old.Last != nil {
		after = max(after, old.Seq)
	}
	h.view.mu.Unlock()
	log, err := h.engine.Log(ctx, id, after, 200)
	// The log may be read later than the record; what is newer comes again.
	for len(log) > 0 && log[len(log)-1].Seq > got.Seq {
		log = log[:len(log)-1]
	}
	return got, log, err
}

func first(a, b *row) *row {
	if a != nil {
		return a
	}
	return b
}

// set puts a row in its place and keeps what is to be told. v.mu is held.
func (v *view) set(now *row, held map[handoff.ID]rowChange) {
	id := now.facts.id
	old := v.rows[id]
	if now.State == handoff.StateEnded {
		delete(v.rows, id)
		v.unread(id)
	} else {
		v.rows[id] = now
	}
	held[id] = rowChange{old: first(held[id].old, old), now: now}
}

// publishRows tells rows, and what follows from them.
func (v *view) publishRows(held map[handoff.ID]rowChange) {
	if len(held) == 0 {
		return
	}
	changes := slices.SortedFunc(maps.Values(held), func(a, b rowChange) int {
		return cmp.Compare(first(a.now, a.old).Updated, first(b.now, b.old).Updated)
	})
	v.mu.Lock()
	defer v.mu.Unlock()
	v.publish(&event{name: "rows", rows: changes})
	for _, s := range v.opened {
		for tab, o := range s {
			for _, c := range changes {
				if c.now != nil && c.now.facts.id == o.id && !o.actor.reads(&c.now.facts) {
					delete(s, tab) // his right to read it has ended
				}
			}
		}
	}
	v.tellCounts()
}

// publish adds an event to the ring. v.mu is held.
func (v *view) publish(e *event) {
	v.next++
	e.n = v.next
	if len(v.ring) < ringSize {
		v.ring = append(v.ring, e)
	} else {
		v.ring[(e.n-1)%ringSize] = e
	}
	close(v.changed)
	v.changed = make(chan struct{})
	v.stir(e)
}

// cursor names a place in the ring, and the rights with which somebody was told
// what is before it.
func (v *view) cursor(mark string, n int64) string {
	return v.boot + "-" + mark + "." + strconv.FormatInt(n, 10)
}

// parse returns where a cursor stands in the ring. Whoever has other rights by
// now begins anew: what is behind it does not take away what he may no longer
// know, nor give him what he may know since.
func (v *view) parse(mark, cursor string) (int64, bool) {
	from, s, _ := strings.Cut(cursor, ".")
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && from == v.boot+"-"+mark && n >= 0
}

// after returns the events behind n, and what is closed when there are more.
// Events that are no longer there are false. v.mu is held.
func (v *view) after(n int64) (list []*event, more <-chan struct{}, ok bool) {
	if n > v.next || n < v.next-int64(len(v.ring)) {
		return nil, nil, false
	}
	for i := n; i < v.next; i++ {
		list = append(list, v.ring[i%ringSize])
	}
	return list, v.changed, true
}

func (v *view) stop() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ready = false
	for s := range v.streams {
		s.end("stopping")
	}
}

// kick ends the streams of an actor.
func (v *view) kick(actor string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for s := range v.streams {
		if s.actor.ID == actor {
			s.end("kicked")
		}
	}
}
