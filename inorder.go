package handoff

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A conversation is shown to its user in order, across handoffs too: what the
// bot says in one comes after the last notice of the one before.

// begun remembers the handoffs before which nothing is left to show. Losing it
// costs a look.
type begun struct {
	mu  sync.Mutex
	ids map[ID]struct{}
}

func newBegun() *begun { return &begun{ids: map[ID]struct{}{}} }

func (b *begun) has(id ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.ids[id]
	return ok
}

func (b *begun) add(id ID) {
	const most = 10_000
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ids) > most {
		clear(b.ids)
	}
	b.ids[id] = struct{}{}
}

// shownBefore reports whether the channel has shown all of the handoffs before
// id. What nobody else is showing, it shows.
func (e *Engine) shownBefore(ctx context.Context, id ID) (bool, error) {
	const most = 10 // handoffs back, of those that had nothing to show
	if e.begun.has(id) {
		return true, nil
	}
	prev := id
	for range most {
		if prev.Number--; prev.Number < 1 {
			break
		}
		h, err := e.get(ctx, prev)
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return false, err
		}
		if h.owedSeq(sinkChannel) == 0 {
			continue
		}
		// To look would cost a lead, and so a try: what is owed is sent at once.
		done, err := e.sendAll(ctx, task{pool: sinkChannel, do: "send", id: prev, name: sinkChannel})
		if err != nil || !done {
			return false, err
		}
		break
	}
	e.begun.add(id)
	return true, nil
}

// soon is when a delivery that waits for another one looks again, if nothing
// tells it to.
func soon() time.Time { return now().Add(100 * time.Millisecond) }

// reached remembers how far cursors were seen to be. A cursor never goes back,
// so what was reached once needs no second look, which would cost a lead and
// be counted as a try.
type reached struct {
	mu sync.Mutex
	at map[receiver]int64
}

type receiver struct {
	id     ID
	cursor string
}

func newReached() *reached { return &reached{at: map[receiver]int64{}} }

func (r *reached) note(id ID, cursor string, seq int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	const most = 20_000
	if len(r.at) >= most {
		clear(r.at) // only costs looks
	}
	r.at[receiver{id, cursor}] = seq
}

func (r *reached) has(id ID, cursor string, seq int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.at[receiver{id, cursor}]
	return ok && at >= seq
}
