package pgstore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed-2a427302/handoff"
)

// CommitBatch is handoff.BatchCommitter's: one transaction and one round trip.
// All conversations are locked before all keys, each in one order, so that
// batches do not wait for each other in a circle.
func (s *Store) CommitBatch(ctx context.Context, items []handoff.Item) []error {
	errs := s.commitBatch(ctx, items)
	for i := range items {
		if errs[i] == nil {
			s.hints.add(items[i].Record)
		}
	}
	return errs
}

// commitBatch commits items together or, if that fails for a reason that lies
// in one of them, one by one.
func (s *Store) commitBatch(ctx context.Context, items []handoff.Item) []error {
	errs := make([]error, len(items))
	good := make([]int, 0, len(items))
	for i := range items {
		if errs[i] = check(items[i].Record, items[i].Entries); errs[i] == nil {
			good = append(good, i)
		}
	}
	if len(good) == 0 {
		return errs
	}
	answers, err := s.sendBatch(ctx, items, good)
	for n, i := range good {
		switch {
		case err == nil:
			errs[i] = s.answer(ctx, answers[n][0], answers[n][1])
		case poisoned(err) && len(good) > 1:
			errs[i] = s.commitOne(ctx, items[i].Record, items[i].Entries)
		default:
			errs[i] = wrap("commit batch", err)
		}
	}
	return errs
}

// sendBatch sends the good ones of items as one implicit transaction.
func (s *Store) sendBatch(ctx context.Context, items []handoff.Item, good []int) ([][2]string, error) {
	var conversations, keys []string
	for _, i := range good {
		conversations = append(conversations, items[i].Record.ID.Conversation)
		for _, k := range items[i].Record.Keys {
			keys = append(keys, k.Name)
		}
	}
	var b pgx.Batch
	b.Queue(s.sql.lock, sorted(conversations), sorted(keys))
	for _, i := range good {
		b.Queue(s.sql.commit, commitArgs(items[i].Record, items[i].Entries)...)
	}
	answers := make([][2]string, len(good))
	res := s.db.SendBatch(ctx, &b)
	_, err := res.Exec()
	for n := range good {
		if err == nil {
			err = res.QueryRow().Scan(&answers[n][0], &answers[n][1])
		}
	}
	return answers, errors.Join(err, res.Close())
}

// sorted returns each name once, in the order of handoff_lock; never NULL.
func sorted(list []string) []string {
	slices.Sort(list)
	return texts(slices.Compact(list))
}

// poisoned reports whether the server refused a batch because of what is in
// it. Then nothing was stored. After any other error something may have been,
// and to try again would answer "conflict" to who has won.
func poisoned(err error) bool {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) || pe.Severity != "ERROR" && pe.SeverityUnlocalized != "ERROR" || len(pe.Code) != 5 {
		return false
	}
	switch pe.Code[:2] {
	case "22", "23", "54": // data, constraints, limits
		return true
	}
	return false
}

// group lets commits that come together travel together. There is no timer:
// what queued up while a batch was on its way is the next batch. One batch is
// on its way at a time; more gain nothing, since the server writes its log in
// groups as well.
type group struct {
	s       *Store
	mu      sync.Mutex
	queue   []*waiting
	running bool
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
		return wrap("commit", ctx.Err())
	}
}

// run sends what has queued up, until nothing has.
func (g *group) run() {
	for {
		batch := g.take()
		if len(batch) == 0 {
			return
		}
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
		errs := g.s.commitBatch(ctx, items)
		cancel()
		for i, w := range batch {
			w.done <- errs[i]
		}
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
