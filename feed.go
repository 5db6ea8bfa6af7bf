package handoff

import (
	"context"
	"iter"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A FeedEvent says that a handoff changed: something for a console or a
// wallboard to redraw. It has no content; read what you show.
type FeedEvent struct {
	Cursor string // resumes the feed behind this event
	ID     ID
	State  State
	Queue  string
	Agent  string
	At     time.Time
	Kinds  []Kind // of the entries; empty for what the store told of, such as changes made by other replicas

	// Skipped says that events were lost before this one, at the start of a
	// feed that cannot be resumed or after a pause: list again what you show.
	Skipped bool
}

// Feed yields the changes of all handoffs that this engine hears of, after a
// cursor, until ctx ends. "" begins with what comes now. A slow reader loses
// events and is told so; he never holds up anybody.
func (e *Engine) Feed(ctx context.Context, after string) iter.Seq2[FeedEvent, error] {
	return func(yield func(FeedEvent, error) bool) {
		changed, stop := e.hub.subscribe("")
		defer stop()
		at, known := e.hub.feed.parse(after)
		if after != "" && !known && !yield(FeedEvent{Cursor: e.hub.feed.cursor(at), Skipped: true}, nil) {
			return
		}
		for {
			list, next, skipped := e.hub.feed.after(at)
			if skipped && !yield(FeedEvent{Cursor: e.hub.feed.cursor(next - int64(len(list))), Skipped: true}, nil) {
				return
			}
			for i := range list {
				if !list[i].ID.IsZero() && !yield(list[i], nil) {
					return
				}
			}
			at = next
			if len(list) > 0 {
				continue
			}
			if err := wait(ctx, changed, e.cfg.Poll); err != nil {
				yield(FeedEvent{}, err)
				return
			}
		}
	}
}

// ring keeps the last events of an engine.
type ring struct {
	mu   sync.Mutex
	name string // of this engine's life: cursors of another one mean nothing
	list []FeedEvent
	next int64
}

const ringSize = 4096

func newRing() *ring { return &ring{name: newID()} }

func (r *ring) add(ev FeedEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	ev.Cursor = r.cursor(r.next)
	if len(r.list) < ringSize {
		r.list = append(r.list, ev)
		return
	}
	r.list[(r.next-1)%ringSize] = ev
}

// forget leaves nothing of a conversation but that there were events.
func (r *ring) forget(conversation string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.list {
		if r.list[i].ID.Conversation == conversation {
			r.list[i] = FeedEvent{Cursor: r.list[i].Cursor}
		}
	}
}

func (r *ring) cursor(n int64) string { return r.name + "." + strconv.FormatInt(n, 10) }

// parse returns where a cursor stands, or the present end.
func (r *ring) parse(cursor string) (int64, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name, n, _ := strings.Cut(cursor, ".")
	at, err := strconv.ParseInt(n, 10, 64)
	if name != r.name || err != nil || at < 0 || at > r.next {
		return r.next, false
	}
	return at, true
}

// after returns the events behind at that are still there.
func (r *ring) after(at int64) (list []FeedEvent, next int64, skipped bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.next - int64(len(r.list))
	if at < first {
		at, skipped = first, true
	}
	for n := at; n < r.next; n++ {
		list = append(list, r.list[n%ringSize])
	}
	return list, r.next, skipped
}
