package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
)

// waitingBefore is how many records stand in the queue while Bench measures.
const waitingBefore = 1000

// Bench measures what an engine does most, on stores that open returns. Each
// benchmark opens one, and fills it with a thousand waiting records first. A
// lifecycle is five commits: request, offer, accept, message and end. Benchmarks
// whose names end in /parallel use GOMAXPROCS callers at once.
func Bench(b *testing.B, open func(b *testing.B) handoff.Store) {
	for _, m := range measures() {
		b.Run(m.name, func(b *testing.B) {
			k := newKit(benchTB{b}, open(b), "the benchmarks call methods as the contract allows")
			w := &workload{kit: k}
			for range waitingBefore {
				w.request()
			}
			b.ReportAllocs()
			b.ResetTimer()
			m.run(b, w)
		})
	}
}

// benchTB lets a kit run under a benchmark.
type benchTB struct{ *testing.B }

func (b benchTB) Context() context.Context { return b.B.Context() }

type measure struct {
	name string
	run  func(b *testing.B, w *workload)
}

func measures() []measure {
	each := func(f func(w *workload)) func(*testing.B, *workload) {
		return func(b *testing.B, w *workload) {
			for b.Loop() {
				f(w)
			}
		}
	}
	return []measure{
		{"request", each(func(w *workload) { w.request() })},
		{"lifecycle", func(b *testing.B, w *workload) {
			for b.Loop() {
				w.lifecycle()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lifecycles/s")
		}},
		{"lifecycle/parallel", func(b *testing.B, w *workload) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					w.lifecycle()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lifecycles/s")
		}},
		{"message", func(b *testing.B, w *workload) { // Wake stays, as in a chat
			r := w.request()
			for b.Loop() {
				if r.Seq == 500 {
					r = w.request() // a log of sensible length
				}
				r = w.save(r, fmt.Sprint("m", r.Seq))
			}
		}},
		{"conflict", func(b *testing.B, w *workload) {
			r := w.save(w.request(), "m")
			r.Version--
			list := entries(&r, "n")
			for b.Loop() {
				if err := w.store.Commit(w.ctx, r, list...); err == nil {
					b.Fatal("a commit of an old version succeeded")
				}
			}
		}},
		{"get", func(b *testing.B, w *workload) {
			r := w.request()
			for b.Loop() {
				w.get(r.ID)
			}
		}},
		{"latest", func(b *testing.B, w *workload) {
			r := w.request()
			for b.Loop() {
				_, err := w.store.Latest(w.ctx, r.ID.Conversation)
				w.okf(err, "Latest")
			}
		}},
		{"next of 8 lines", each(func(w *workload) {
			w.list(handoff.Query{Queue: "queue", Waiting: true, Lines: benchLines[:8], ByRank: true, Limit: 1})
		})},
		{"lines", each(func(w *workload) { w.lines("queue") })},
		{"place", func(b *testing.B, w *workload) {
			s := needs[handoff.AheadCounter](w.kit)
			r := w.request()
			for b.Loop() {
				_, err := s.Ahead(w.ctx, r, 100)
				w.okf(err, "Ahead")
			}
		}},
		{"lead and ack", func(b *testing.B, w *workload) {
			r := w.request()
			for b.Loop() {
				l := w.lead(r.ID, "user", w.now, time.Minute)
				w.ack(handoff.Ack{ID: r.ID, Cursor: "user", Seq: 1, Term: l.Term})
			}
		}},
		{"claim of nothing", each(func(w *workload) { w.claim(time.Minute, far, "user") })},
		{"claim of 100", func(b *testing.B, w *workload) {
			for b.Loop() {
				b.StopTimer()
				for range 100 {
					w.insert(w.name(), 1, w.waking(-far))
				}
				b.StartTimer()
				if got := w.claimSome(handoff.Claim{Lease: far, Limit: 100}); len(got.Due) != 100 {
					b.Fatalf("Claim of 100 gives %d", len(got.Due))
				}
			}
		}},
		{"batch of 100 offers", func(b *testing.B, w *workload) {
			s := needs[handoff.BatchCommitter](w.kit)
			for b.Loop() {
				b.StopTimer()
				items := make([]handoff.Item, 100)
				for i := range items {
					r := w.request()
					w.offer(&r)
					items[i] = item(r, "offer")
				}
				b.StartTimer()
				for _, err := range w.batch(s, items...) {
					w.okf(err, "CommitBatch")
				}
			}
		}},
	}
}

// A workload makes records like those of an engine.
type workload struct {
	*kit

	next atomic.Int64
}

var benchLines = func() (all [32]string) {
	for i := range all {
		all[i] = fmt.Sprintf("m=\x1el=en\x1es=skill%d\x1f1", i)
	}
	return all
}()

func (w *workload) name() string { return fmt.Sprint("conversation-", w.next.Add(1)) }

func (w *workload) save(r handoff.Record, ids ...string) handoff.Record {
	return w.commit(r, ids...)
}

// request inserts a record that waits.
func (w *workload) request() handoff.Record {
	n := w.next.Add(1)
	r := w.draft(fmt.Sprint("conversation-", n), 1)
	r.Queue, r.Line, r.State, r.User = "queue", benchLines[n%int64(len(benchLines))], handoff.StateWaiting, fmt.Sprint("user-", n)
	r.Since = w.now.Add(time.Duration(n) * time.Millisecond)
	r.Created, r.Updated, r.Wake = r.Since, r.Since, r.Since.Add(24*time.Hour)
	r.Keys = one("c:"+r.ID.Conversation, 1, 1)
	return w.save(r, "request", "enqueued")
}

func (w *workload) offer(r *handoff.Record) {
	agent := fmt.Sprint("agent-", w.next.Add(1)%1000)
	r.Line, r.Agent, r.State = "", agent, handoff.StateOffered
	r.Keys = append(one("c:"+r.ID.Conversation, 1, 1), handoff.Key{Name: "s:" + agent, Max: 1_000_000, Units: 1})
	r.Wake = r.Wake.Add(time.Second)
}

func (w *workload) lifecycle() {
	r := w.request()
	w.offer(&r)
	r = w.save(r, "offer")
	r.State = handoff.StateActive
	r = w.save(r, "accept")
	r = w.save(r, "message")
	r.State, r.Outcome, r.Agent, r.Keys, r.Wake = handoff.StateEnded, handoff.OutcomeResolved, "", nil, time.Time{}
	w.save(r, "end")
}
