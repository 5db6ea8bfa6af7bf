package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff"
)

// pages reads q page by page.
func (k *kit) pages(q handoff.Query, size int, between func()) []handoff.Record {
	k.Helper()
	var out []handoff.Record
	for q.Limit = size; ; {
		page := k.list(q)
		if len(page) > size {
			k.says(ruleLimit)
			k.fatalf("List(%s) has %d records", show(q), len(page))
		}
		if len(page) == 0 {
			return out
		}
		out = append(out, page...)
		if len(out) > 10_000 {
			k.fatalf("reading page by page does not end: List(%s)", show(q))
		}
		q.After = page[len(page)-1].Cursor(q)
		between()
	}
}

func checkCursors(k *kit) {
	all := k.world(90)
	queries := append([]handoff.Query{{}, {Waiting: true, Queue: "sales"}, {Waiting: true, Queue: "sales", Lines: []string{"l1", "l3"}}}, k.filters()...)
	for _, q := range queries {
		for _, q.ByRank = range []bool{false, true} {
			want := ids(sorted(all, q))
			for _, size := range []int{1, 2, 7} {
				if size > 1 || len(want) < 20 {
					k.sameIDsf(k.pages(q, size, func() {}), want, "List(%s) in pages of %d", show(q), size)
				}
			}
		}
	}
	// From any place, whether or not a record is there.
	for _, q := range []handoff.Query{{}, {Queue: "billing", Waiting: true}} {
		for i := range all {
			q := q
			for _, q.ByRank = range []bool{false, true} {
				q.After = all[i].Cursor(q)
				k.sameIDsf(k.list(q), ids(sorted(all, q)), "List(%s)", show(q))
				q.After.ID.Number = 0
				k.sameIDsf(k.list(q), ids(sorted(all, q)), "List(%s)", show(q))
				q.After.At = q.After.At.Add(time.Millisecond)
				k.sameIDsf(k.list(q), ids(sorted(all, q)), "List(%s)", show(q))
			}
		}
	}
}

// saveAll commits many records in a few goroutines, in batches if the store can.
func (k *kit) saveAll(records []handoff.Record) {
	k.Helper()
	parts := slices.Collect(slices.Chunk(records, 50))
	k.together(workers, func(i int) error {
		for j := i; j < len(parts); j += workers {
			items := make([]handoff.Item, len(parts[j]))
			for n := range items {
				items[n] = item(parts[j][n], fmt.Sprint("entry ", parts[j][n].Version))
			}
			if s, ok := ability[handoff.BatchCommitter](k.store); ok {
				if err := errors.Join(s.CommitBatch(k.ctx, items)...); err != nil {
					return err
				}
			} else {
				for _, it := range items {
					if err := k.store.Commit(k.ctx, it.Record, it.Entries...); err != nil {
						return err
					}
				}
			}
			for n := range parts[j] {
				parts[j][n].Version++
				parts[j][n].Seq++
			}
		}
		return nil
	})
}

// checkMany has more records than a store may think is enough, and than fit
// into one page of an index.
func checkMany(k *kit) {
	const n = 1100
	rnd := rand.New(rand.NewPCG(11, 11))
	all := make([]handoff.Record, n)
	for i := range all {
		r := k.draft(fmt.Sprint("c", i), 1)
		r.Queue, r.Line, r.Priority = "q", pick(rnd, "l", "m", "n"), rnd.IntN(3)
		r.Since, r.Created = k.now.Add(time.Duration(rnd.IntN(n))*time.Second), k.now.Add(time.Duration(rnd.IntN(n))*time.Second)
		all[i] = r
	}
	k.saveAll(all)
	same := func() {
		k.Helper()
		for _, q := range []handoff.Query{
			{},
			{Queue: "q", Waiting: true},
			{Queue: "q", Lines: []string{"l", "n"}, Waiting: true},
			{Queue: "q", Waiting: true, Limit: len(all) - 1},
			{Limit: len(all) - 1},
		} {
			k.agree(all, q)
		}
		standing := sorted(all, handoff.Query{Queue: "q", Waiting: true, ByRank: true})
		if s, ok := ability[handoff.AheadCounter](k.store); ok {
			for i := 0; i < len(standing); i += 1 + len(standing)/100 {
				got, err := s.Ahead(k.ctx, standing[i], 0)
				k.okf(err, "Ahead")
				if got != i {
					k.says(ruleAhead)
					k.fatalf("Ahead of number %d of %d in the order of List gives %d", i+1, len(standing), got)
				}
			}
		}
		q := handoff.Query{Queue: "q", ByRank: true, Waiting: true}
		k.sameIDsf(k.pages(q, 300, func() {}), ids(standing), "List(%s) in pages of 300", show(q))
	}
	same()

	// Many leave and move, here and there and all at one end.
	k.says(ruleStands)
	rank := sorted(all, handoff.Query{ByRank: true})
	var moved []handoff.Record
	for i := range rank {
		r := rank[i]
		switch {
		case i < 400 || i%3 == 0:
			r.Line = ""
		case i%7 == 0:
			r.Priority, r.Since = 9, k.now.Add(-time.Duration(i)*time.Second)
		case i%11 == 0:
			k.okf(k.store.Delete(k.ctx, r.ID, r.Version), "Delete")
			continue
		}
		moved = append(moved, r)
	}
	all = moved
	k.saveAll(all)
	same()
	for i := range all {
		all[i].Line = "l"
	}
	k.saveAll(all)
	same()
}

// checkCursorsUnderChange reads page by page while records come and go. Those
// that stay are all seen, once, in order.
func checkCursorsUnderChange(k *kit) {
	var stay []handoff.ID
	var leave []handoff.Record
	for i := range 30 {
		// Three of each have equal times.
		at := k.now.Add(time.Duration(i/3) * time.Millisecond)
		r := k.insert(fmt.Sprintf("c%02d", i), 1, func(r *handoff.Record) {
			r.Queue, r.Line, r.Created, r.Since = "q", "l", at, at
		})
		if i%5 == 4 {
			leave = append(leave, r)
		} else {
			stay = append(stay, r.ID)
		}
	}
	for _, byRank := range []bool{false, true} {
		n := 0
		got := k.pages(handoff.Query{Queue: "q", ByRank: byRank, Waiting: byRank}, 4, func() {
			n++
			if byRank && len(leave) > 0 {
				r := leave[0]
				leave = leave[1:]
				if n%2 == 0 {
					k.okf(k.store.Delete(k.ctx, r.ID, r.Version), "Delete")
				} else {
					r.Line = ""
					k.commit(r)
				}
			}
			k.insert(fmt.Sprintf("new %v %d", byRank, n), 1, func(r *handoff.Record) {
				r.Queue, r.Line, r.Created, r.Since = "q", "l", k.now.Add(-time.Second), k.now.Add(-time.Second)
			})
		})
		var seen []handoff.ID
		for i := range got {
			if slices.Contains(stay, got[i].ID) {
				seen = append(seen, got[i].ID)
			}
		}
		if !slices.Equal(seen, stay) {
			k.fatalf("page by page, ByRank %v, while others come and go: saw %q, want %q", byRank, seen, stay)
		}
	}
}
