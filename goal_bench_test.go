package handoff_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
)

// The benchmarks named Goal measure what bench/cmd/goals-waiting holds against
// the bounds of waiting.

func skill(i int) string { return "skill-" + strconv.Itoa(i) }

// BenchmarkGoalNext finds the next handoff for an agent who came free, with
// 100,000 waiting in the lines of 256 skills at five levels, of which he can
// serve one in a hundred.
func BenchmarkGoalNext(b *testing.B) {
	const waiting = 100_000
	ctx := context.Background()
	if goalNext.Engine == nil {
		goalNext.Engine, goalNext.suitable = crowd(b, waiting)
		runtime.GC()
	}
	e := goalNext.Engine
	e.Read(b, "ann")
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if list, err := e.Next(ctx, "support"); err != nil || len(list) != 1 {
			b.Fatal(len(list), err)
		}
	}
	b.ReportMetric(100*float64(goalNext.suitable)/waiting, "%suitable")
}

// goalNext is what BenchmarkGoalNext reads, in all its runs.
var goalNext struct {
	*handoff.Engine
	suitable int
}

// crowd returns an engine with many who wait and one free agent, and how many
// of them he can serve.
func crowd(b *testing.B, waiting int) (e *handoff.Engine, suitable int) {
	b.Helper()
	able := map[string]int{}
	for i := range 4 {
		able[skill(64*i)] = 2 + i%3 // of five: 60 % on average
	}
	crew := handoff.Staff{{ID: "ann", Queues: []string{"support"}, Seats: 1, Skills: able}}
	for i := range 256 {
		crew = append(crew, handoff.Agent{ID: "nobody-" + strconv.Itoa(i), Skills: map[string]int{skill(i): 1}})
	}
	e, err := handoff.New(handoff.Config{
		Store: memstore.New(), Directory: crew, Notices: silence{},
		Queues: []handoff.Queue{{Name: "support", PlaceEvery: handoff.Never}},
	})
	if err != nil {
		b.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range waiting {
		s := handoff.Skill{Name: skill(rnd.IntN(256)), Level: 1 + rnd.IntN(5)}
		if able[s.Name] >= s.Level {
			suitable++
		}
		r := handoff.Request{Conversation: "c" + strconv.Itoa(i), Queue: "support", Skills: []handoff.Skill{s}}
		if _, err := e.Request(context.Background(), r); err != nil {
			b.Fatal(err)
		}
	}
	return e, suitable
}

// BenchmarkGoalFreed runs an engine with ten thousand agents and a thousand
// verbs each second, and prints how long after an agent's seat came free he
// is offered the next handoff.
func BenchmarkGoalFreed(b *testing.B) {
	const agents, skills, lasts, each = 10_000, 64, 4 * time.Second, 4 * time.Millisecond
	var staff handoff.Staff
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range agents {
		a := handoff.Agent{ID: "a" + strconv.Itoa(i), Queues: []string{"support"}, Seats: 1, Skills: map[string]int{}}
		for range 12 {
			a.Skills[skill(rnd.IntN(skills))] = 1 + rnd.IntN(3)
		}
		staff = append(staff, a)
	}
	var mu sync.Mutex
	type offer struct {
		id handoff.ID
		at time.Time
	}
	asked := make(chan offer, 1000)
	e, err := handoff.New(handoff.Config{
		Store: memstore.New(), Directory: handoff.Indexed(staff), Notices: silence{},
		Queues: []handoff.Queue{{
			Name: "support", PlaceEvery: handoff.Never, OfferTimeout: time.Hour,
			Ladder: []handoff.Rung{{After: time.Hour, Do: handoff.ToBot}},
		}},
		Hooks: handoff.Hooks{Changed: func(_ context.Context, c handoff.Change) {
			if c.Command == "offer" {
				asked <- offer{c.ID, time.Now()}
			}
		}},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	freed := map[string]time.Time{}
	holds := map[string]handoff.ID{}
	var took []time.Duration
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for o := range asked {
			h, err := e.Get(ctx, o.id)
			if err != nil || len(h.Offers) == 0 {
				continue
			}
			agent := h.Offers[0].Agent
			mu.Lock()
			if since, ok := freed[agent]; ok {
				took = append(took, o.at.Sub(since))
				delete(freed, agent)
			}
			mu.Unlock()
			if _, err := e.Accept(ctx, o.id, handoff.By(agent), h.OfferNo); err == nil {
				mu.Lock()
				holds[agent] = o.id
				mu.Unlock()
			}
		}
	}()
	next := 0
	ask := func() {
		s := handoff.Skill{Name: skill(rnd.IntN(skills)), Level: 1 + rnd.IntN(3)}
		_, err := e.Request(ctx, handoff.Request{Conversation: "c" + strconv.Itoa(next), Queue: "support", Skills: []handoff.Skill{s}})
		if err != nil {
			b.Error(err)
		}
		next++
	}
	held := func() int { mu.Lock(); defer mu.Unlock(); return len(holds) }
	for next < agents+2000 {
		ask()
	}
	for last := -1; last != held(); {
		last = held()
		time.Sleep(300 * time.Millisecond) //nolint:forbidigo // a benchmark runs in real time
	}
	b.ReportMetric(float64(held()), "busy")
	tick := time.NewTicker(each)
	defer tick.Stop()
	b.ResetTimer()
	for start := time.Now(); time.Since(start) < lasts; <-tick.C {
		// Four verbs: a request, an end, an accept and a message.
		ask()
		mu.Lock()
		for agent, id := range holds {
			delete(holds, agent)
			freed[agent] = time.Now()
			mu.Unlock()
			if _, err := e.Send(ctx, id, handoff.By(agent), handoff.Message{Text: "Bye"}); err != nil {
				b.Error(err)
			}
			mu.Lock()
			freed[agent] = time.Now()
			mu.Unlock()
			if _, err := e.End(ctx, id, handoff.By(agent), handoff.Ending{}); err != nil {
				b.Error(err)
			}
			mu.Lock()
			break
		}
		mu.Unlock()
	}
	b.StopTimer()
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	close(asked)
	<-accepted
	slices.Sort(took)
	if len(took) < 100 {
		b.Fatalf("only %d agents got somebody", len(took))
	}
	b.ReportMetric(float64(took[len(took)/2])/1e6, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100])/1e6, "p99-ms")
	b.ReportMetric(float64(len(took)), "offers")
}
