package sqlitestore

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/seed-2a427302/handoff"
)

// Commit is handoff.Store's. Commits that come while another one is written
// are written together.
func (s *Store) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	if err := check(&r, entries); err != nil {
		return wrap("commit", err)
	}
	item := handoff.Item{Record: r, Entries: entries}
	if s.group == nil {
		return s.commitAll(ctx, s.change, []handoff.Item{item})[0]
	}
	return s.group.commit(ctx, item)
}

// CommitBatch is handoff.BatchCommitter's: one transaction.
func (s *Store) CommitBatch(ctx context.Context, items []handoff.Item) []error {
	errs := make([]error, len(items))
	var good []int
	var list []handoff.Item
	for i := range items {
		if err := check(&items[i].Record, items[i].Entries); err != nil {
			errs[i] = wrap("commit", err)
			continue
		}
		good, list = append(good, i), append(list, items[i])
	}
	if len(good) > 0 {
		for n, err := range s.commitAll(ctx, s.change, list) {
			errs[good[n]] = err
		}
	}
	return errs
}

// transact is Store.change, or writer.transact for who has the token.
type transact func(ctx context.Context, k kind, f func(ctx context.Context, w runner) error) error

// commitAll commits items in one transaction, each judged against the store
// and the items before it. What fails together for a reason that may lie in
// one of them is tried again one by one.
func (s *Store) commitAll(ctx context.Context, in transact, items []handoff.Item) []error {
	answers := make([]error, len(items))
	err := in(ctx, durable, func(ctx context.Context, w runner) (err error) {
		for i := range items {
			if answers[i], err = s.commit(ctx, w, &items[i].Record, items[i].Entries); err != nil {
				return &itemError{err}
			}
		}
		return nil
	})
	var early *itemError
	switch {
	case err == nil:
		for i := range answers {
			if !isAnswer(answers[i]) {
				answers[i] = wrap("commit", answers[i])
			}
		}
	case len(items) > 1 && errors.As(err, &early):
		// Nothing was stored.
		for i := range items {
			answers[i] = s.commitAll(ctx, in, items[i:i+1])[0]
		}
	default:
		for i := range answers {
			answers[i] = wrap("commit", err)
		}
	}
	return answers
}

// itemError is an error from before the end of the transaction.
type itemError struct{ error }

func (e *itemError) Unwrap() error { return e.error }

func isAnswer(err error) bool {
	var held *handoff.HeldError
	return err == nil || errors.Is(err, handoff.ErrConflict) || errors.Is(err, handoff.ErrDuplicate) || errors.As(err, &held)
}

// group lets commits that come together travel together. There is no timer and
// no goroutine: who gets the writer's token takes along what has queued up
// while the one before him waited for the disk.
type group struct {
	s     *Store
	mu    sync.Mutex
	queue []*waiting
}

type waiting struct {
	item handoff.Item
	done chan error
}

// most is how many commits travel together.
const most = 128

// commit hands an item in and waits for its own answer. A caller who gives up
// does not know whether his item was stored, and his context's error says so.
func (g *group) commit(ctx context.Context, item handoff.Item) error {
	if err := ctx.Err(); err != nil {
		return wrap("commit", err)
	}
	w := &waiting{item: item, done: make(chan error, 1)}
	g.mu.Lock()
	g.queue = append(g.queue, w)
	g.mu.Unlock()
	writer := g.s.write
	for {
		select {
		case err := <-w.done:
			return err
		case <-ctx.Done():
			g.leave(w)
			return wrap("commit", ctx.Err())
		case writer.token <- struct{}{}:
			g.travel(ctx)
			writer.release()
		}
	}
}

// travel commits what is first in the queue. Who calls has the token. Others
// travel along, so that the caller cannot call it off.
func (g *group) travel(ctx context.Context) {
	g.mu.Lock()
	n := min(len(g.queue), most)
	batch := g.queue[:n:n]
	g.queue = g.queue[n:]
	g.mu.Unlock()
	if n == 0 {
		return
	}
	items := make([]handoff.Item, n)
	for i, w := range batch {
		items[i] = w.item
	}
	if n > 1 {
		ctx = context.WithoutCancel(ctx)
	}
	errs := g.s.commitAll(ctx, g.s.write.transact, items)
	for i, w := range batch {
		w.done <- errs[i]
	}
}

// leave takes out an item that is not on its way yet.
func (g *group) leave(w *waiting) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.queue = slices.DeleteFunc(g.queue, func(x *waiting) bool { return x == w })
}
