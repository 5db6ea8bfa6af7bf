package storetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
)

func contextChecks() []check {
	return []check{{"Context", ruleContext, checkContext}}
}

// A call is one of a store's methods with arguments that would find or change
// something.
type call struct {
	name string
	do   func(ctx context.Context) error
}

func checkContext(k *kit) {
	ended, cancel := context.WithCancel(k.ctx)
	cancel()
	names := k.calls(k.draft("none", 1))
	for i := range names {
		conversation := strconv.Itoa(i)
		r := k.insert(conversation, 1, func(r *handoff.Record) {
			r.Queue, r.Line, r.Keys, r.Wake = "queue "+conversation, "line", one("seat "+conversation, 1, 1), k.now.Add(-time.Minute)
			r.Owed = []handoff.Owed{{Cursor: "cursor", Sink: "sink", Seq: 1}}
		})
		c := k.calls(r)[i]
		err := c.do(ended)
		if err == nil {
			continue // it did what it was asked for
		}
		if !errors.Is(err, context.Canceled) {
			k.errorf("%s with a context that has ended: got error %q, want %q", c.name, err, context.Canceled)
		}
		k.samef(k.get(r.ID), r, "Get after %s, which failed since its context had ended", c.name)
		if n := len(k.log(r.ID)); n != 1 {
			k.errorf("after %s, which failed since its context had ended, the log has %d entries, want 1", c.name, n)
		}
		due := k.claimSome(handoff.Claim{Now: k.now, Lease: time.Minute, Limit: len(names)}).Due
		if !slices.Contains(ids(due), r.ID) {
			k.errorf("after %s, which failed since its context had ended, the record is not claimed", c.name)
		}
		if l := k.lead(r.ID, "cursor", k.now, time.Minute); l.Seq != 0 || l.Tries != 1 {
			k.errorf("after %s, which failed since its context had ended, the cursor stands at %d and was tried %d times, want 0 and 1", c.name, l.Seq, l.Tries)
		}
	}
}

// calls returns all methods that return at once.
func (k *kit) calls(r handoff.Record) []call {
	next := item(r, "new entry")
	next.Record.Queue, next.Record.Keys = "new queue", one("new seat", 1, 1)
	claim := handoff.Claim{Now: k.now, Lease: time.Minute, Limit: 100}
	all, s := handoff.Query{}, k.store
	out := []call{
		{"Commit", func(ctx context.Context) error { return s.Commit(ctx, next.Record, next.Entries...) }},
		{"Get", func(ctx context.Context) error { _, err := s.Get(ctx, r.ID); return err }},
		{"Latest", func(ctx context.Context) error { _, err := s.Latest(ctx, r.ID.Conversation); return err }},
		{"Holders", func(ctx context.Context) error { _, err := s.Holders(ctx, "seat"); return err }},
		{"List", func(ctx context.Context) error { _, err := s.List(ctx, all); return err }},
		{"Lines", func(ctx context.Context) error { _, err := s.Lines(ctx, r.Queue); return err }},
		{"Log", func(ctx context.Context) error { _, err := s.Log(ctx, r.ID, 0, 10); return err }},
		{"Entry", func(ctx context.Context) error { _, err := s.Entry(ctx, r.ID, "entry of version 1"); return err }},
		{"Claim", func(ctx context.Context) error {
			_, err := s.Claim(ctx, claim)
			return err
		}},
		{"Lead", func(ctx context.Context) error {
			_, err := s.Lead(ctx, r.ID, "cursor", k.now, time.Minute)
			return err
		}},
		{"Ack", func(ctx context.Context) error { return s.Ack(ctx, handoff.Ack{ID: r.ID, Cursor: "cursor", Seq: 1}) }},
		{"Erase", func(ctx context.Context) error { return s.Erase(ctx, r.ID.Conversation, k.tomb(r, "tomb")) }},
		{"Delete", func(ctx context.Context) error { return s.Delete(ctx, r.ID, r.Version) }},
	}
	if s, ok := ability[handoff.BatchCommitter](k.store); ok {
		out = append(out, call{"CommitBatch", func(ctx context.Context) error { return errors.Join(s.CommitBatch(ctx, []handoff.Item{next})...) }})
	}
	if s, ok := ability[handoff.AheadCounter](k.store); ok {
		out = append(out, call{"Ahead", func(ctx context.Context) error { _, err := s.Ahead(ctx, r, 0); return err }})
	}
	if s, ok := ability[handoff.Counter](k.store); ok {
		out = append(out, call{"Count", func(ctx context.Context) error { _, err := s.Count(ctx, all); return err }})
	}
	if s, ok := ability[handoff.Searcher](k.store); ok {
		out = append(out, call{"Search", func(ctx context.Context) error { _, err := s.Search(ctx, all, "c"); return err }})
	}
	return out
}
