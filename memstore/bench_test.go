package memstore

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
)

// start is some time; the benchmarks do not depend on the clock.
var start = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// body stands for what the engine keeps in a record.
var body = handoff.BodyOf([]byte(`{"state":"waiting"}`))

// lines are the signatures of the benchmarks.
var lines = func() (all [64]string) {
	for i := range all {
		all[i] = "m=\x1el=en\x1es=skill" + strconv.Itoa(i) + "\x1f1"
	}
	return all
}()

func request(i int) (handoff.Record, []handoff.RecordEntry) {
	conversation := "conversation-" + strconv.Itoa(i)
	now := start.Add(time.Duration(i) * time.Millisecond)
	r := handoff.Record{
		ID:    handoff.ID{Conversation: conversation, Number: 1},
		Queue: "support", State: handoff.StateWaiting, User: "user-" + strconv.Itoa(i),
		Line: lines[i%len(lines)], Since: now, Created: now, Updated: now, Wake: now.Add(time.Minute),
		Keys: []handoff.Key{{Name: "c:" + conversation, Max: 1, Units: 1}},
		Seq:  2, Body: body,
	}
	return r, []handoff.RecordEntry{{ID: "request", Seq: 1, At: now, Body: body}, {ID: "enqueued", Seq: 2, At: now, Body: body}}
}

// A committer is what the lifecycle runs on: the store, or the floor.
type committer interface {
	Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error
	Delete(ctx context.Context, id handoff.ID, version int64) error
}

// lifecycle is request, offer, accept, message and end: five commits.
func lifecycle(b *testing.B, s committer, i int) handoff.ID {
	ctx := context.Background()
	r, entries := request(i)
	conversation := r.Keys
	commit := func(entries ...handoff.RecordEntry) {
		if err := s.Commit(ctx, r, entries...); err != nil {
			b.Fatal(err)
		}
		r.Version++
	}
	commit(entries...)
	step := func(id string, state handoff.State) {
		r.Seq++
		r.State = state
		r.Updated = r.Updated.Add(time.Second)
		r.Wake = r.Wake.Add(time.Second)
		commit(handoff.RecordEntry{ID: id, Seq: r.Seq, At: r.Updated, Body: body})
	}
	r.Line, r.Agent = "", agents[i%len(agents)]
	r.Keys = []handoff.Key{conversation[0], {Name: seats[i%len(seats)], Max: 3, Units: 1}}
	step("offer", handoff.StateOffered)
	step("accept", handoff.StateActive)
	step("message", handoff.StateActive)
	r.Keys, r.Agent, r.Wake = nil, "", time.Time{}
	step("end", handoff.StateEnded)
	return r.ID
}

var agents, seats = func() (a, s [50]string) {
	for i := range a {
		a[i] = "agent-" + strconv.Itoa(i)
		s[i] = "s:" + a[i]
	}
	return a, s
}()

// A floor is the least that could be called a store: a map of records and a
// heap of those who wait, without log, keys, indexes, order statistics, locks
// or cursors. The benchmarks say how much more the store costs.
type floor struct {
	records map[handoff.ID]handoff.Record
	waiting []handoff.Record
}

func (f *floor) Commit(_ context.Context, r handoff.Record, _ ...handoff.RecordEntry) error {
	old := f.records[r.ID]
	if old.Version != r.Version {
		return handoff.ErrConflict
	}
	switch {
	case r.Line != "":
		f.push(r)
	case old.Line != "":
		f.pop()
	}
	r.Version++
	f.records[r.ID] = r
	return nil
}

func (f *floor) Delete(_ context.Context, id handoff.ID, _ int64) error {
	delete(f.records, id)
	return nil
}

func (f *floor) less(i, j int) bool {
	a, b := &f.waiting[i], &f.waiting[j]
	if a.Priority != b.Priority {
		return a.Priority > b.Priority
	}
	return a.Since.Before(b.Since)
}

func (f *floor) push(r handoff.Record) {
	f.waiting = append(f.waiting, r)
	for i := len(f.waiting) - 1; i > 0 && f.less(i, (i-1)/2); i = (i - 1) / 2 {
		f.waiting[i], f.waiting[(i-1)/2] = f.waiting[(i-1)/2], f.waiting[i]
	}
}

func (f *floor) pop() {
	last := len(f.waiting) - 1
	f.waiting[0] = f.waiting[last]
	f.waiting = f.waiting[:last]
	for i := 0; 2*i+1 < last; {
		kid := 2*i + 1
		if kid+1 < last && f.less(kid+1, kid) {
			kid++
		}
		if !f.less(kid, i) {
			return
		}
		f.waiting[i], f.waiting[kid] = f.waiting[kid], f.waiting[i]
		i = kid
	}
}

func fill(b *testing.B, s committer, n int) {
	b.Helper()
	for i := range n {
		r, entries := request(i)
		if err := s.Commit(context.Background(), r, entries...); err != nil {
			b.Fatal(err)
		}
	}
}

// kept is how many ended records stay before they are deleted, off the clock,
// so that the benchmark's memory does not depend on how long it runs.
const kept = 1000

// runLifecycles returns the processor time that n lifecycles took.
func runLifecycles(b *testing.B, s committer, waiting, n int) (took time.Duration) {
	ended := make([]handoff.ID, 0, kept)
	for i := 0; i < n; i += kept {
		begin := cpu()
		for j := i; j < min(n, i+kept); j++ {
			ended = append(ended, lifecycle(b, s, waiting+j))
		}
		took += cpu() - begin
		b.StopTimer()
		for _, id := range ended {
			if err := s.Delete(context.Background(), id, 5); err != nil {
				b.Fatal(err)
			}
		}
		ended = ended[:0]
		b.StartTimer()
	}
	return took
}

// sizes are how many wait; -short leaves out the large ones.
func sizes() []int {
	if testing.Short() {
		return []int{1_000}
	}
	return []int{1_000, 100_000, 1_000_000}
}

// BenchmarkLifecycle reports lifecycles per second of processor time while
// others wait, and how many times as much as on the floor one takes. Run it
// with GOMAXPROCS=1 to know what one core does.
func BenchmarkLifecycle(b *testing.B) {
	for _, waiting := range sizes() {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			f := &floor{records: make(map[handoff.ID]handoff.Record)}
			fill(b, f, waiting)
			runtime.GC()
			least := runLifecycles(b, f, waiting, b.N)
			*f = floor{}

			s := New()
			fill(b, s, waiting)
			runtime.GC()
			b.ReportAllocs()
			b.ResetTimer()
			took := runLifecycles(b, s, waiting, b.N)
			b.StopTimer()
			b.ReportMetric(float64(b.N)/took.Seconds(), "lifecycles/cpu-s")
			b.ReportMetric(float64(took)/float64(least), "×floor")
		})
	}
}

// full keeps the last filled store for the next run of a benchmark that only
// reads.
var full *Store

func filled(b *testing.B, waiting int) *Store {
	b.Helper()
	if full == nil || full.created.len() != waiting {
		full = New()
		fill(b, full, waiting)
	}
	return full
}

// BenchmarkAhead asks for places all over a queue.
func BenchmarkAhead(b *testing.B) {
	for _, waiting := range sizes() {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			s := filled(b, waiting)
			probes := make([]handoff.Record, 1009)
			for i := range probes {
				probes[i], _ = request(i * 7919 % waiting)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if _, err := s.Ahead(context.Background(), probes[i%len(probes)], 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNext finds the best of eight lines.
func BenchmarkNext(b *testing.B) {
	for _, waiting := range sizes() {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			s := filled(b, waiting)
			q := handoff.Query{Queue: "support", Waiting: true, Lines: lines[:8], ByRank: true, Limit: 1}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if got, err := s.List(context.Background(), q); err != nil || len(got) != 1 {
					b.Fatal(got, err)
				}
			}
		})
	}
}

// BenchmarkMemory reports the bytes that a waiting record keeps, with its
// indexes and without its log.
func BenchmarkMemory(b *testing.B) {
	const n = 200_000
	var with, logs uint64
	for range b.N {
		before := heap()
		s := New()
		fill(b, s, n)
		with = heap() - before
		for _, slots := range s.conversations.m {
			slots[0].history = history{}
		}
		logs = with - (heap() - before)
		runtime.KeepAlive(s)
	}
	b.ReportMetric(float64(with-logs)/n, "B/record")
	b.ReportMetric(float64(logs)/n, "B/log")
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
