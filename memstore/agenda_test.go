package memstore

import (
	"math/rand/v2"
	"testing"
)

// An agenda gives every mark at the time of its last put or earlier, never
// twice, and in order.
func TestAgendaLikeNaive(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var a agenda
	marks := make([]mark, 300)
	want := make(map[*mark]int64) // when each was put
	now := int64(0)
	for step := range 100_000 {
		m := &marks[rnd.IntN(len(marks))]
		switch rnd.IntN(4) {
		case 0:
			at := now + rnd.Int64N(200)
			if m.in != nil {
				at = min(at, want[m]) // later is the business of who takes it out
			}
			a.put(m, at)
			want[m] = at
		case 1:
			m.drop()
			delete(want, m)
		case 2:
			a.put(m, now+300) // does not put off
			if _, ok := want[m]; !ok {
				want[m] = now + 300
			}
		default:
			now += rnd.Int64N(5)
			least := int64(1 << 62)
			for _, at := range want {
				least = min(least, at)
			}
			got := a.next(now)
			switch {
			case got == nil && least <= now:
				t.Fatalf("step %d: nothing, although %d has come by %d", step, least, now)
			case got != nil && want[got] != least:
				t.Fatalf("step %d: one of %d, want one of %d", step, want[got], least)
			}
			delete(want, got)
		}
		if len(a.entries) > 2*len(marks)+64 {
			t.Fatalf("step %d: %d entries for %d marks", step, len(a.entries), len(marks))
		}
	}
}
