package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A load makes records like those of an engine: fields of the same length, a
// body of 400 bytes, one or two entries a commit.
type load struct {
	s    handoff.Store
	size effort
	name string // begins all names
	next atomic.Int64
}

func newLoad(s handoff.Store, size effort, name string) *load {
	return &load{s: s, size: size, name: name}
}

var body = handoff.BodyOf(make([]byte, 400))

// add appends entries to a record that is about to be committed.
func add(r *handoff.Record, ids ...string) []handoff.RecordEntry {
	out := make([]handoff.RecordEntry, len(ids))
	for i, id := range ids {
		r.Seq++
		out[i] = handoff.RecordEntry{ID: id, Seq: r.Seq, At: r.Updated, Body: body}
	}
	return out
}

func (l *load) named(what string, n int64) string { return l.name + what + strconv.FormatInt(n, 10) }

// line is one of 32 kinds of need.
func line(n int64) string { return "m=\x1es=skill" + strconv.FormatInt(n%32, 10) + "\x1f1" }

// request is somebody who begins to wait.
func (l *load) request() handoff.Item {
	n := l.next.Add(1)
	now := time.Now().UTC().Truncate(time.Millisecond)
	r := handoff.Record{
		ID: handoff.ID{Conversation: l.named("conversation", n), Number: 1}, Queue: "queue", State: handoff.StateWaiting,
		Line: line(n), User: l.named("user", n), Since: now, Created: now, Updated: now, Wake: now.Add(24 * time.Hour),
		Keys: []handoff.Key{{Name: l.named("conversation/", n), Max: 1, Units: 1}}, Body: body,
	}
	return handoff.Item{Entries: add(&r, "request", "enqueued"), Record: r}
}

// offer is what follows: an agent is asked, whose seat is taken.
func (l *load) offer(r handoff.Record) handoff.Item {
	agent := l.named("agent", l.next.Add(1)/3)
	r.Line, r.Agent, r.State = "", agent, handoff.StateOffered
	r.Keys = append(r.Keys[:1:1], handoff.Key{Name: "seat/" + agent, Max: 3, Units: 1})
	r.Wake = r.Updated.Add(30 * time.Second)
	return handoff.Item{Entries: add(&r, "offer"), Record: r}
}

// lifecycle makes five commits: request, offer, accept, message, end.
func (l *load) lifecycle(ctx context.Context, s handoff.Store) error {
	item := l.request()
	for step := range commits {
		if err := s.Commit(ctx, item.Record, item.Entries...); err != nil {
			return err
		}
		r := item.Record
		r.Version++
		switch step {
		case 0:
			item = l.offer(r)
		case 1:
			item = accepted(r)
		case 2:
			item = written(r)
		case 3:
			item = ended(r)
		}
	}
	return nil
}

func accepted(r handoff.Record) handoff.Item {
	r.State, r.Wake = handoff.StateActive, r.Updated.Add(15*time.Minute)
	return handoff.Item{Entries: add(&r, "accept"), Record: r}
}

// written is a message, which moves nothing.
func written(r handoff.Record) handoff.Item {
	return handoff.Item{Entries: add(&r, "message"), Record: r}
}

func ended(r handoff.Record) handoff.Item {
	r.State, r.Outcome, r.Keys, r.Wake = handoff.StateEnded, handoff.OutcomeResolved, nil, time.Time{}
	return handoff.Item{Entries: add(&r, "end"), Record: r}
}

const commits = 5 // of a lifecycle

// requests is how many a second callers at once commit.
func (l *load) requests(callers int) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		return during(ctx, l.size.window, callers, func(ctx context.Context, _ int) error {
			item := l.request()
			return l.s.Commit(ctx, item.Record, item.Entries...)
		})
	}
}

// lifecycles is how many commits a second callers at once make, who share the
// handles of the store.
func (l *load) lifecycles(callers int, handles ...handoff.Store) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		n, err := during(ctx, l.size.window, callers, func(ctx context.Context, caller int) error {
			return l.lifecycle(ctx, handles[caller%len(handles)])
		})
		return n * commits, err
	}
}

// batch commits items by the hundred, by callers at once.
func (l *load) batch(ctx context.Context, callers int, items []handoff.Item) (float64, error) {
	batcher, ok := l.s.(handoff.BatchCommitter)
	if !ok {
		return 0, fmt.Errorf("%T has no batches", l.s)
	}
	return byTheHundred(ctx, callers, items, func(ctx context.Context, part []handoff.Item) error {
		return errors.Join(batcher.CommitBatch(ctx, part)...)
	})
}

// byTheHundred is how many items a second callers at once get done.
func byTheHundred(ctx context.Context, callers int, items []handoff.Item, f func(context.Context, []handoff.Item) error) (float64, error) {
	parts := slices.Collect(slices.Chunk(items, 100))
	n, err := over(ctx, callers, parts, f)
	return n * float64(len(items)) / float64(len(parts)), err
}

// fill makes records that wait, each changed by alter.
func (l *load) fill(ctx context.Context, n int, alter func(i int, r *handoff.Record)) ([]handoff.Record, error) {
	items, records := make([]handoff.Item, n), make([]handoff.Record, n)
	for i := range items {
		items[i] = l.request()
		alter(i, &items[i].Record)
		records[i] = items[i].Record
		records[i].Version = 1
	}
	_, err := l.batch(ctx, 4, items)
	return records, err
}

// waiting makes offers of new records.
func (l *load) waiting(ctx context.Context, n int) ([]handoff.Item, error) {
	records, err := l.fill(ctx, n, func(int, *handoff.Record) {})
	items := make([]handoff.Item, len(records))
	for i := range records {
		items[i] = l.offer(records[i])
	}
	return items, err
}

// offers is how many a second callers at once commit one by one.
func (l *load) offers(callers int) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		items, err := l.waiting(ctx, l.size.items)
		if err != nil {
			return 0, err
		}
		return over(ctx, callers, items, func(ctx context.Context, i handoff.Item) error {
			return l.s.Commit(ctx, i.Record, i.Entries...)
		})
	}
}

// batches is how many a second they commit by the hundred.
func (l *load) batches(callers int) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		items, err := l.waiting(ctx, l.size.items)
		if err != nil {
			return 0, err
		}
		return l.batch(ctx, callers, items)
	}
}
