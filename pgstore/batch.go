package pgstore

import (
	"context"
	"errors"

	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/seed-2a427302/handoff"
)

// CommitBatch is handoff.BatchCommitter's: one transaction and one round trip.
// All records are locked before all keys, each in one order, so that batches
// do not wait for each other in a circle.
func (s *Store) CommitBatch(ctx context.Context, items []handoff.Item) []error {
	errs := s.commitBatch(ctx, items)
	for i := range items {
		if errs[i] == nil {
			s.hints.add(items[i].Record)
		}
	}
	return errs
}

func (s *Store) commitBatch(ctx context.Context, items []handoff.Item) []error {
	errs := make([]error, len(items))
	answers := make([][2]string, len(items))
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		var b pgx.Batch
		b.Queue("SELECT "+s.sql.schema+".handoff_lock(kind, name) FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS l(kind, name, n) ORDER BY n",
			locks(items)...)
		for i := range items {
			b.Queue(s.sql.commit, commitArgs(items[i].Record, items[i].Entries)...)
		}
		res := tx.SendBatch(ctx, &b)
		defer res.Close()
		if _, err := res.Exec(); err != nil {
			return err
		}
		for i := range items {
			if err := res.QueryRow().Scan(&answers[i][0], &answers[i][1]); err != nil {
				return err
			}
		}
		return res.Close()
	})
	for i := range items {
		if err != nil {
			errs[i] = wrap("commit batch", err)
		} else {
			errs[i] = s.answer(ctx, s.db, answers[i][0], answers[i][1])
		}
	}
	return errs
}

// locks names what a batch has to lock, in the order of handoff_commit: the
// records, then the keys.
func locks(items []handoff.Item) []any {
	var records, keys []string
	for i := range items {
		id := items[i].Record.ID
		records = append(records, recordLock(id.Conversation, id.Number))
		for _, k := range items[i].Record.Keys {
			keys = append(keys, k.Name)
		}
	}
	slices.Sort(records)
	slices.Sort(keys)
	records, keys = slices.Compact(records), slices.Compact(keys)
	kinds := append(slices.Repeat([]string{"record"}, len(records)), slices.Repeat([]string{"key"}, len(keys))...)
	return []any{kinds, append(records, keys...)}
}

func (s *Store) inTx(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.db, f)
}

// group lets commits that come together travel together. There is no timer:
// what queued up while the last batch was on its way is the next batch.
type group struct {
	s      *Store
	queue  chan *waiting
	leader chan struct{} // has a token while nobody collects
}

type waiting struct {
	item handoff.Item
	done chan error
}

func newGroup(s *Store) *group {
	g := &group{s: s, queue: make(chan *waiting, 1024), leader: make(chan struct{}, 1)}
	g.leader <- struct{}{}
	return g
}

// commit hands an item in and waits for its own answer. A caller who gives up
// does not know whether his item was stored; his context's error says so.
func (g *group) commit(ctx context.Context, item handoff.Item) error {
	w := &waiting{item: item, done: make(chan error, 1)}
	select {
	case g.queue <- w:
	case <-ctx.Done():
		return ctx.Err() // not handed in
	}
	for {
		select {
		case err := <-w.done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-g.leader:
			g.collect(context.WithoutCancel(ctx))
			g.leader <- struct{}{}
		}
	}
}

// collect commits what has queued up.
func (g *group) collect(ctx context.Context) {
	const most = 64
	var batch []*waiting
	seen := map[handoff.ID]bool{}
	var again []*waiting
	for len(batch) < most {
		select {
		case w := <-g.queue:
			if seen[w.item.Record.ID] {
				again = append(again, w) // one commit of a record in a batch
				continue
			}
			seen[w.item.Record.ID] = true
			batch = append(batch, w)
			continue
		default:
		}
		break
	}
	if len(batch) == 0 {
		return
	}
	items := make([]handoff.Item, len(batch))
	for i := range batch {
		items[i] = batch[i].item
	}
	for i, err := range g.s.commitBatch(ctx, items) {
		if err != nil && !isAnswer(err) {
			// One bad item fails all: each is tried by itself.
			err = g.s.commitOne(ctx, g.s.db, items[i].Record, items[i].Entries)
		}
		batch[i].done <- err
	}
	for _, w := range again {
		w.done <- g.s.commitOne(ctx, g.s.db, w.item.Record, w.item.Entries)
	}
}

func isAnswer(err error) bool {
	var held *handoff.HeldError
	return errors.Is(err, handoff.ErrConflict) || errors.Is(err, handoff.ErrDuplicate) || errors.As(err, &held)
}
