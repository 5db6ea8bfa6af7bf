package handoff_test

import (
	"container/heap"
	"context"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
)

// benchEngine returns an engine that does not run, with n people waiting and
// one agent. Edges are then matched in the caller.
func benchEngine(b *testing.B, n int) *handoff.Engine {
	b.Helper()
	e, err := handoff.New(handoff.Config{
		Store:     memstore.New(),
		Queues:    []handoff.Queue{{Name: "support", PlaceEvery: handoff.Never}},
		Directory: handoff.Staff{{ID: "ann", Queues: []string{"support"}, Seats: 1}},
		Notices:   silence{},
	})
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		request(b, e, i)
	}
	return e
}

// silence says nothing: the benchmarks count the engine's own entries.
type silence struct{}

func (silence) Text(handoff.Notice) string { return "" }

func request(b *testing.B, e *handoff.Engine, i int) handoff.ID {
	b.Helper()
	r, err := e.Request(context.Background(), handoff.Request{Conversation: "conversation-" + strconv.Itoa(i), Queue: "support"})
	if err != nil {
		b.Fatal(err)
	}
	return r.Handoff.ID
}

var sizes = []struct {
	name string
	n    int
}{{"1k", 1_000}, {"100k", 100_000}, {"1M", 1_000_000}}

// BenchmarkLifecycle measures request, offer, accept, message and end, with a
// number of others waiting, and prints how much that is of a bare map and
// heap in the same run.
func BenchmarkLifecycle(b *testing.B) {
	for _, size := range sizes {
		if testing.Short() && size.n > 1_000 {
			continue
		}
		b.Run("waiting="+size.name, func(b *testing.B) {
			ctx := context.Background()
			e := benchEngine(b, size.n)
			ann := handoff.By("ann")
			floor := newFloor(size.n)
			b.ReportAllocs()
			b.ResetTimer()
			start := time.Now()
			for i := range b.N {
				request(b, e, size.n+i)
				if err := e.AgentChanged(ctx, "ann"); err != nil {
					b.Fatal(err)
				}
				list, err := e.List(ctx, handoff.Query{Agent: "ann", States: []handoff.State{handoff.StateOffered}})
				if err != nil || len(list) != 1 {
					b.Fatalf("offered: %d, %v", len(list), err)
				}
				h := list[0]
				if _, err = e.Accept(ctx, h.ID, ann, h.OfferNo); err != nil {
					b.Fatal(err)
				}
				if _, err = e.Send(ctx, h.ID, ann, handoff.Message{ID: "1", Text: "Hello"}); err != nil {
					b.Fatal(err)
				}
				if _, err = e.End(ctx, h.ID, ann, handoff.Ending{}); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			engine := time.Since(start)
			bare := floor.run(size.n, b.N)
			b.ReportMetric(float64(bare)/float64(engine), "floor-ratio")
			b.ReportMetric(float64(b.N)/engine.Seconds(), "lifecycles/s")
		})
	}
}

// BenchmarkPlace measures a place at the end of a queue.
func BenchmarkPlace(b *testing.B) {
	for _, size := range sizes {
		if testing.Short() && size.n > 1_000 {
			continue
		}
		b.Run("waiting="+size.name, func(b *testing.B) {
			e := benchEngine(b, size.n)
			id := handoff.ID{Conversation: "conversation-" + strconv.Itoa(size.n-1), Number: 1}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if _, err := e.Place(context.Background(), id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMemory prints the bytes that a waiting handoff keeps resident, with
// its first entries.
func BenchmarkMemory(b *testing.B) {
	const n = 10_000
	for range b.N {
		before := heapInUse()
		e := benchEngine(b, n)
		b.ReportMetric(float64(heapInUse()-before)/n, "B/handoff")
		runtime.KeepAlive(e)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// floor is the least that could be called a queue: a map of values and a heap
// of those who wait.
type floor struct {
	records map[string]*floorRecord
	line    floorHeap
}

type floorRecord struct {
	id, state string
	at, seq   int
	log       []string
}

type floorHeap []*floorRecord

func (h floorHeap) Len() int           { return len(h) }
func (h floorHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h floorHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *floorHeap) Push(x any)        { *h = append(*h, x.(*floorRecord)) }
func (h *floorHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

func newFloor(n int) *floor {
	f := &floor{records: map[string]*floorRecord{}}
	for i := range n {
		f.request(i)
	}
	return f
}

func (f *floor) request(i int) {
	r := &floorRecord{id: fmt.Sprintf("conversation-%d", i), state: "waiting", at: i, log: []string{"requested", "enqueued"}}
	f.records[r.id] = r
	heap.Push(&f.line, r)
}

func (f *floor) run(from, n int) time.Duration {
	start := time.Now()
	for i := range n {
		f.request(from + i)
		r := heap.Pop(&f.line).(*floorRecord)
		for _, s := range []string{"offered", "active", "message", "ended"} {
			c := *f.records[r.id]
			c.state, c.seq = s, c.seq+1
			c.log = append(c.log, s)
			f.records[r.id] = &c
		}
	}
	return time.Since(start)
}
