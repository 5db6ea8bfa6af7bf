package handoff

import (
	"math/bits"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// benchStaff are agents of one queue with 12 of 256 skills each, one in
// idle of them with a free seat.
func benchStaff(n, idle int) []sighting {
	rnd := rand.New(rand.NewPCG(1, 1))
	all := make([]sighting, n)
	for i := range all {
		a := Agent{ID: "agent-" + strconv.Itoa(i), Seats: 1, Queues: []string{"support"}, Skills: map[string]int{}}
		for len(a.Skills) < 12 {
			a.Skills["skill-"+strconv.Itoa(rnd.IntN(256))] = 1 + rnd.IntN(5)
		}
		all[i] = sighting{agent: a, online: true, since: time.UnixMilli(rnd.Int64N(1e6))}
		if rnd.IntN(idle) > 0 {
			all[i].units = 1
		}
	}
	return all
}

// plainAgent is an agent for the scan that the index is compared with: a bit
// for each skill and level.
type plainAgent struct {
	can   [256 * 5 / 64]uint64
	free  bool
	since int64
}

func (p *plainAgent) set(skill, level int) {
	for l := range level {
		p.can[(skill*5+l)/64] |= 1 << ((skill*5 + l) % 64)
	}
}

// BenchmarkGoalMatch finds, among ten thousand agents of whom one in ten is
// free, who has two skills at a level and is idle longest. It prints how many
// times as long a scan of bitsets takes.
func BenchmarkGoalMatch(b *testing.B) {
	staff := benchStaff(10_000, 10)
	r := newRoster()
	r.putCrew("support", staff, r.tick())
	plain := make([]plainAgent, len(staff))
	for i := range staff {
		for name, level := range staff[i].agent.Skills {
			skill, _ := strconv.Atoi(name[len("skill-"):])
			plain[i].set(skill, level)
		}
		plain[i].free, plain[i].since = staff[i].units == 0, staff[i].since.UnixMilli()
	}
	rnd := rand.New(rand.NewPCG(2, 2))
	needs, asked := make([]Need, 512), make([]plainAgent, 512)
	for i := range needs {
		for range 2 {
			skill, level := rnd.IntN(256), 1+rnd.IntN(5)
			needs[i].Skills = append(needs[i].Skills, Skill{Name: "skill-" + strconv.Itoa(skill), Level: level})
			asked[i].set(skill, level)
		}
	}
	pick := LongestIdle.(picker)
	h := &Handoff{}
	found := 0
	b.ReportAllocs()
	b.ResetTimer()
	start := time.Now()
	for i := range b.N {
		r.mu.Lock()
		if able := r.find("support", &needs[i%len(needs)]); len(able) > 0 {
			pick.pick(h, able)
			found++
		}
		r.mu.Unlock()
	}
	indexed := time.Since(start)
	b.StopTimer()

	rounds := min(b.N, 2_000)
	start = time.Now()
	for i := range rounds {
		found += scan(plain, &asked[i%len(asked)])
	}
	scanned := time.Since(start)
	b.ReportMetric(float64(scanned)/float64(rounds)/(float64(indexed)/float64(b.N)), "×scan")
	if found < 0 {
		b.Fatal("unreachable")
	}
}

// scan returns whether somebody can do it, after looking at everybody.
func scan(all []plainAgent, need *plainAgent) int {
	best, n := int64(1<<62), 0
	for i := range all {
		a := &all[i]
		if !a.free {
			continue
		}
		missing := uint64(0)
		for w, word := range need.can {
			missing |= word &^ a.can[w]
		}
		if bits.OnesCount64(missing) == 0 && a.since < best {
			best, n = a.since, 1
		}
	}
	return n
}
