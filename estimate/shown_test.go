package estimate

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"
)

// about is a known wait with this median and twice that as p90.
func about(m float64) Wait {
	return Wait{Known: true, P50: minutes(m), P90: minutes(2 * m), Mean: minutes(1.2 * m), Method: ClosedForm}
}

// W-25: an announcement that is never made, because the first place equals
// the initial value.
func TestW25FirstValueIsToldAtOnce(t *testing.T) {
	for _, w := range []Wait{about(5), {Known: true}, Unknown(NoAgents), {}} {
		if s, push := (Policy{}).Next(Shown{}, monday, w, 0); !push || s.Wait != w || !s.At.Equal(monday) {
			t.Errorf("%+v: %+v, %v", w, s, push)
		}
	}
}

// W-24: an estimate shown once and never again.
func TestW24ValueIsToldAgain(t *testing.T) {
	s, _ := Policy{}.Next(Shown{}, monday, about(10), 0)
	for sec := 1; sec < 120; sec++ {
		var push bool
		if s, push = (Policy{}).Next(s, monday.Add(time.Duration(sec)*time.Second), about(10), 0); push {
			t.Fatalf("nothing changed, yet told after %d s", sec)
		}
	}
	if _, push := (Policy{}).Next(s, monday.Add(2*time.Minute), about(10), 0); !push {
		t.Error("no heartbeat after 2 minutes")
	}
	if _, push := (Policy{Heartbeat: -1}).Next(s, monday.Add(2*time.Hour), about(10), 0); push {
		t.Error("heartbeat though there is to be none")
	}
	if _, push := (Policy{}).Next(s, monday.Add(20*time.Second), about(7), 0); !push {
		t.Error("a third less is material")
	}
	if _, push := (Policy{}).Next(s, monday.Add(14*time.Second), about(1), 0); push {
		t.Error("told twice within 15 seconds")
	}
}

func TestRisesOnlyWithACause(t *testing.T) {
	s, _ := Policy{}.Next(Shown{}, monday, about(5), 0)
	at := monday.Add(3 * time.Minute)
	got, push := Policy{}.Next(s, at, about(9), 0)
	if !push || got.Wait.P50 != minutes(5) || got.Wait.P90 != minutes(10) || got.Cause != 0 {
		t.Errorf("rose without a cause: %+v", got)
	}
	got, push = Policy{}.Next(s, at, about(9), Overtaken|SeatLost)
	if !push || got.Wait.P50 != minutes(9) || got.Cause != Overtaken|SeatLost || got.Pending != 0 {
		t.Errorf("did not rise with a cause: %+v", got)
	}
	got, _ = Policy{}.Next(s, at, about(4), Overtaken)
	if got.Cause != 0 {
		t.Errorf("fell, and gives a cause for rising: %+v", got)
	}
}

func TestCauseIsRememberedUntilItCanBeTold(t *testing.T) {
	s, _ := Policy{}.Next(Shown{}, monday, about(5), 0)
	s, push := Policy{}.Next(s, monday.Add(5*time.Second), about(9), SeatLost)
	if push || s.Pending != SeatLost {
		t.Fatalf("%+v, %v", s, push)
	}
	data, err := json.Marshal(s) // and another replica goes on
	if err != nil {
		t.Fatal(err)
	}
	var back Shown
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	back, push = Policy{}.Next(back, monday.Add(16*time.Second), about(9), 0)
	if !push || back.Wait.P50 != minutes(9) || back.Cause != SeatLost {
		t.Errorf("%+v, %v", back, push)
	}
	if got, _ := (Policy{}).Next(back, monday.Add(5*time.Minute), about(12), 0); got.Wait.P50 != minutes(9) {
		t.Errorf("one cause explained two rises: %+v", got)
	}
}

func TestUnknownIsToldAndEndsTheComparison(t *testing.T) {
	s, _ := Policy{}.Next(Shown{}, monday, about(5), 0)
	s, push := Policy{}.Next(s, monday.Add(time.Minute), Unknown(NoAgents), SeatLost)
	if !push || s.Wait.Known {
		t.Fatalf("%+v, %v", s, push)
	}
	if _, push := (Policy{}).Next(s, monday.Add(90*time.Second), Unknown(NoAgents), 0); push {
		t.Error("told the same reason again at once")
	}
	if _, push := (Policy{}).Next(s, monday.Add(90*time.Second), Unknown(Closed), 0); !push {
		t.Error("another reason is news")
	}
	if s, push = (Policy{}).Next(s, monday.Add(2*time.Minute), about(20), 0); !push || s.Wait.P50 != minutes(20) {
		t.Errorf("known again: %+v, %v", s, push)
	}
}

// Whatever comes in, in whatever order and with whatever clock.
func TestShownNeverRisesWithoutACauseWhateverComes(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 12))
	for range 300 {
		p := Policy{Every: time.Duration(rng.IntN(60)) * time.Second, Material: rng.Float64(), Heartbeat: time.Duration(rng.IntN(200)-20) * time.Second}
		var s Shown
		var told []time.Time
		cause := Cause(0)
		now := monday
		for range 200 {
			now = now.Add(time.Duration(rng.IntN(20000)-2000) * time.Millisecond)
			est := about(20 * rng.Float64())
			if rng.IntN(20) == 0 {
				est = Unknown(NoAgents)
			}
			c := Cause(0)
			if rng.IntN(15) == 0 {
				c = Cause(1 << rng.IntN(4))
			}
			cause |= c
			next, push := p.Next(s, now, est, c)
			if push {
				if s.Wait.Known && next.Wait.Known && cause == 0 && (next.Wait.P50 > s.Wait.P50 || next.Wait.P90 > s.Wait.P90) {
					t.Fatalf("rose from %+v to %+v", s, next)
				}
				if next.Wait.Known && next.Wait.P90 < next.Wait.P50 {
					t.Fatalf("p90 below p50: %+v", next)
				}
				if n := len(told); n > 0 && !now.Before(told[n-1]) && now.Sub(told[n-1]) < p.withDefaults().Every {
					t.Fatalf("told at %v and %v", told[n-1], now)
				}
				told = append(told, now)
				cause = 0
			} else if next.Wait != s.Wait || !next.At.Equal(s.At) {
				t.Fatalf("changed without telling: %+v to %+v", s, next)
			}
			s = next
		}
		if len(told) < 2 {
			t.Fatalf("%+v told nothing", p)
		}
	}
}

func TestCauseInWords(t *testing.T) {
	for c, want := range map[Cause]string{0: "", Overtaken: "overtaken", SeatLost | Moved: "seat_lost+moved", HoursChanged: "hours_changed"} {
		if c.String() != want {
			t.Errorf("%d: %q", c, c.String())
		}
	}
}
