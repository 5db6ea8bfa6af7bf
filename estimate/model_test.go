package estimate

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var monday = time.Date(2025, 1, 6, 9, 0, 0, 0, time.UTC)

// A seen is one observation, so that a history can be told in any order.
type seen func(*Model)

// day returns a day of a queue with n conversations and everything else.
func day(rng *rand.Rand, n int, handle time.Duration) []seen {
	var all []seen
	for i := range n {
		at := monday.Add(time.Duration(rng.Int64N(int64(24 * time.Hour))))
		spent := time.Duration(rng.ExpFloat64() * float64(handle))
		waited := time.Duration(rng.ExpFloat64() * float64(time.Minute))
		all = append(all,
			func(m *Model) { m.Handled(at, at.Add(spent)) },
			func(m *Model) { m.Waited(at.Add(-waited), at, i%10 == 0) },
			func(m *Model) { m.Arrived(at.Add(-waited), i%5/4) },
			func(m *Model) { m.Staffed(at, at.Add(waited), 10, 8) })
	}
	return all
}

func saved(t *testing.T, m *Model) []byte {
	t.Helper()
	data, err := m.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func learn(all []seen) *Model {
	m := NewModel(Prior{})
	for _, s := range all {
		s(m)
	}
	return m
}

func TestReplicasAgreeWhateverTheOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	all := day(rng, 500, 5*time.Minute)
	want := saved(t, learn(all))
	for range 5 {
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		m := learn(all)
		if !bytes.Equal(saved(t, m), want) {
			t.Fatal("another order of the same observations gives another state")
		}
		now := monday.Add(25 * time.Hour)
		a, b := m.Params(now, Live{}), learn(all).Params(now, Live{})
		if a.Handle != b.Handle || a.Leave != b.Leave {
			t.Fatal("equal states give unequal params")
		}
	}
}

func TestMergeEqualsSeeingAll(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	all := day(rng, 300, 5*time.Minute)
	want := saved(t, learn(all))
	a, b := learn(all[:700]), learn(all[700:])
	a.Merge(b)
	if !bytes.Equal(saved(t, a), want) {
		t.Error("two halves merged differ from the whole")
	}
	empty := NewModel(Prior{})
	empty.Merge(learn(all))
	empty.Merge(nil)
	empty.Merge(NewModel(Prior{}))
	if !bytes.Equal(saved(t, empty), want) {
		t.Error("a whole merged into nothing differs from itself")
	}
}

func TestLearnsWhatHappens(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	m := NewModel(Prior{})
	at := monday
	for i := range 8000 {
		at = at.Add(10 * time.Second)
		m.Handled(at, at.Add(time.Duration(rng.ExpFloat64()*300e9)))
		stay, patience := rng.Float64()*200, rng.ExpFloat64()*600
		m.Waited(at, at.Add(time.Duration(min(stay, patience)*1e9)), patience < stay)
		m.Arrived(at, i%4/3)
		m.Staffed(at, at.Add(10*time.Second), 10, 7)
	}
	p := m.Params(at, Live{})
	near(t, "handle time", p.Handle.Mean(), 300, 0.05)
	near(t, "squared cv", p.Handle.SquaredCV(), 1, 0.15)
	near(t, "patience", 1/p.Leave, 600, 0.1)
	near(t, "yield", p.Yield, 0.7, 0.03)
	if len(p.Arrivals) != 2 || p.Arrivals[0].Level != 1 {
		t.Fatalf("arrivals: %+v", p.Arrivals)
	}
	near(t, "arrivals of level 1", p.Arrivals[0].Rate, 0.025, 0.1)
	near(t, "arrivals of level 0", p.Arrivals[1].Rate, 0.075, 0.1)
	if !p.Known || p.Handle.Evidence() < 1000 {
		t.Errorf("8 000 observations are worth %v", p.Handle.Evidence())
	}
}

// Fifteen minutes after opening only short conversations have ended. That must
// not look as if all were short.
func TestYoungQueueDoesNotBelieveInShortConversations(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	m := NewModel(Prior{})
	now := monday.Add(10 * time.Minute)
	var live Live
	short, n := 0.0, 0.0
	for range 400 {
		took := time.Duration(rng.ExpFloat64() * 1200e9)
		if end := monday.Add(took); end.Before(now) {
			m.Handled(monday, end)
			short += took.Seconds()
			n++
		} else {
			live.Busy = append(live.Busy, now.Sub(monday))
		}
	}
	p := m.Params(now, live)
	near(t, "handle time", p.Handle.Mean(), 1200, 0.15)
	if short/n > 400 {
		t.Errorf("the test is no test: finished conversations took %v s", short/n)
	}
}

// A shift is a history in which a conversation starts every step.
type shift struct {
	m    *Model
	rng  *rand.Rand
	now  time.Time
	busy [][2]time.Time
}

// play goes on for n steps with this mean handle time and returns Params.
func (s *shift) play(n int, step, handle time.Duration) Params {
	for range n {
		s.now = s.now.Add(step)
		took := time.Duration(s.rng.ExpFloat64() * float64(handle))
		s.busy = append(s.busy, [2]time.Time{s.now, s.now.Add(took)})
		s.busy = slices.DeleteFunc(s.busy, func(c [2]time.Time) bool {
			over := !c[1].After(s.now)
			if over {
				s.m.Handled(c[0], c[1])
			}
			return over
		})
	}
	var live Live
	for _, c := range s.busy {
		live.Busy = append(live.Busy, s.now.Sub(c[0]))
	}
	return s.m.Params(s.now, live)
}

func newShift(p Prior) *shift {
	return &shift{m: NewModel(p), rng: rand.New(rand.NewPCG(5, 5)), now: monday}
}

func TestFollowsAJumpAndKeepsASteadyPast(t *testing.T) {
	s := newShift(Prior{})
	p := s.play(5000, 20*time.Second, 5*time.Minute)
	near(t, "before", p.Handle.Mean(), 300, 0.05)
	if p.Handle.Evidence() < 500 {
		t.Errorf("a steady past of 5 000 is worth only %v", p.Handle.Evidence())
	}
	p = s.play(1000, 20*time.Second, 15*time.Minute)
	near(t, "after", p.Handle.Mean(), 900, 0.15)
}

// Handle times that do not vary lie inside of one age class. Their mean must not
// suffer from the width of it, wherever in it they lie.
func TestFixedHandleTimesKeepTheirMean(t *testing.T) {
	for took := 60.0; took < 1200; took *= 1.07 {
		m := NewModel(Prior{})
		at := monday
		for range 500 {
			at = at.Add(time.Minute)
			m.Handled(at, at.Add(time.Duration(took*1e9)))
		}
		// All are over at the end, so nothing is live.
		p := m.Params(at.Add(time.Duration(took*1e9)), Live{})
		near(t, "mean", p.Handle.Mean(), took, 0.05)
		if p.Handle.SquaredCV() > 0.2 {
			t.Errorf("%v s: squared cv %v", took, p.Handle.SquaredCV())
		}
	}
}

func TestUnknownUntilSomethingWasSeen(t *testing.T) {
	m := NewModel(Prior{})
	for i := range 5 {
		if p := m.Params(monday, Live{}); p.Known {
			t.Fatalf("known from %d handle times", i)
		}
		m.Handled(monday, monday.Add(time.Minute))
	}
	if p := m.Params(monday.Add(time.Hour), Live{}); !p.Known {
		t.Error("unknown after 5")
	}
	var zero Model
	if p := zero.Params(monday, Live{Busy: []time.Duration{time.Hour, -1}}); p.Known || p.Yield != 1 {
		t.Errorf("zero model: %+v", p.Known)
	}
}

func TestPriorYieldsToWhatIsSeen(t *testing.T) {
	m := NewModel(Prior{Handle: 20 * time.Minute, Patience: time.Hour})
	p := m.Params(monday, Live{})
	near(t, "prior handle time", p.Handle.Mean(), 1200, 0.001)
	near(t, "prior patience", 1/p.Leave, 3600, 0.001)
	if !p.Known {
		t.Fatal("a prior is knowledge")
	}
	p = newShift(m.prior).play(500, time.Minute, 3*time.Minute)
	near(t, "handle time after 500", p.Handle.Mean(), 180, 0.15)
}

func TestThoseWhoStillWaitCount(t *testing.T) {
	m := NewModel(Prior{})
	now := monday.Add(10 * time.Minute)
	var live Live
	for i := range 100 {
		if i < 10 {
			m.Waited(monday, monday.Add(5*time.Minute), true)
		} else {
			live.Waiting = append(live.Waiting, 10*time.Minute)
		}
	}
	p := m.Params(now, live)
	// 10 of 950 minutes waited; without those who still wait, 10 of 50.
	if p.Leave <= 0 || p.Leave > 10.0/(300*60) {
		t.Errorf("rate of giving up %v a second", p.Leave)
	}
}

func TestMoreBusyThanSeatsIsAllOfThem(t *testing.T) {
	m := NewModel(Prior{})
	m.Staffed(monday, monday.Add(24*time.Hour), 3, 9)
	if p := m.Params(monday.Add(24*time.Hour), Live{}); p.Yield != 1 {
		t.Errorf("yield %v", p.Yield)
	}
}

func TestLoadingKeepsThePrior(t *testing.T) {
	m := NewModel(Prior{Handle: time.Minute})
	if err := m.UnmarshalJSON(saved(t, NewModel(Prior{}))); err != nil {
		t.Fatal(err)
	}
	if p := m.Params(monday, Live{}); !p.Known {
		t.Error("the prior is gone")
	}
}

func TestIgnoresWhatCannotBe(t *testing.T) {
	m := NewModel(Prior{})
	m.Handled(monday, monday.Add(-time.Second))
	m.Handled(time.Time{}, monday)
	m.Waited(monday, monday.Add(30*24*time.Hour), true)
	m.Arrived(time.Time{}, 1)
	m.Staffed(monday, monday.Add(time.Hour), 0, 0)
	m.Staffed(monday, monday.Add(time.Hour), 3, -1)
	m.Staffed(monday, monday.Add(time.Hour), math.MaxInt, 1)
	if !m.Empty() {
		t.Errorf("kept something: %s", saved(t, m))
	}
}

// A clock that is wrong for a while and then put right must cost what it wrote,
// not what was known before or is seen after.
func TestClockThatJumpedAYearAheadAndBack(t *testing.T) {
	s := newShift(Prior{})
	s.play(3000, 30*time.Second, 5*time.Minute)
	for i := range 20 {
		wrong := s.now.Add(365*24*time.Hour + time.Duration(i)*time.Minute)
		s.m.Handled(wrong.Add(-90*time.Minute), wrong)
	}
	p := s.play(1, 30*time.Second, 5*time.Minute)
	near(t, "handle time", p.Handle.Mean(), 300, 0.1)
	p = s.play(1000, 30*time.Second, 5*time.Minute)
	near(t, "handle time later", p.Handle.Mean(), 300, 0.1)
	if !slices.ContainsFunc(s.m.keys(), func(k cellKey) bool { return k.level == 0 }) {
		t.Error("what is seen now is still filed under long ago")
	}
}

// A clock that is put forward for good, or a queue that was closed for months,
// leaves what was known as it was.
// What was learned since the clock was put right counts, however far it had been
// ahead, also when it is merged with what was stored by the wrong clock.
func TestClockThatWasAheadIsForgotten(t *testing.T) {
	for _, ahead := range []time.Duration{25 * time.Hour, 30 * time.Hour, 60 * time.Hour, 20 * 24 * time.Hour, 400 * 24 * time.Hour} {
		wrong, right := NewModel(Prior{}), NewModel(Prior{})
		for i := range 10 {
			at := monday.Add(ahead).Add(time.Duration(i) * time.Hour / 2)
			wrong.Handled(at, at.Add(time.Hour/2))
		}
		now := monday
		for range 10 {
			right.Handled(now, now.Add(5*time.Minute))
			now = now.Add(5 * time.Minute)
			m := NewModel(Prior{})
			m.Merge(wrong)
			m.Merge(right)
			p := m.Params(now, Live{})
			if n := now.Sub(monday) / (5 * time.Minute); n >= 5 && (!p.Known || p.Handle.Mean() > 1500) {
				t.Fatalf("%v ahead, %d real conversations of 5 minutes: %v, %.0f s", ahead, n, p.Known, p.Handle.Mean())
			}
			data, err := m.MarshalJSON()
			if err == nil {
				err = NewModel(Prior{}).UnmarshalJSON(data)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestLongSilenceKeepsWhatWasKnown(t *testing.T) {
	s := newShift(Prior{})
	s.play(3000, 30*time.Second, 5*time.Minute)
	s.busy, s.now = nil, s.now.Add(200*24*time.Hour)
	p := s.play(1, time.Second, time.Minute)
	near(t, "handle time", p.Handle.Mean(), 300, 0.1)
}

func TestParamsSurviveAnyNow(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for _, now := range []time.Time{{}, monday.Add(-1000 * time.Hour), monday.Add(24 * 1000 * time.Hour), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		m := learn(day(rng, 50, time.Minute))
		p := m.Params(now, Live{Busy: []time.Duration{time.Minute, -time.Minute, 1 << 62}, Waiting: []time.Duration{time.Second}})
		for _, x := range []float64{p.Handle.Mean(), p.Handle.SquaredCV(), p.Leave, p.Yield, p.Handle.Evidence()} {
			if math.IsNaN(x) || math.IsInf(x, 0) || x < 0 {
				t.Errorf("now %v: %v", now, x)
			}
		}
	}
}

func TestModelStaysSmall(t *testing.T) {
	m := NewModel(Prior{})
	rng := rand.New(rand.NewPCG(7, 7))
	at := monday
	for range 50_000 {
		at = at.Add(5 * time.Minute)
		m.Handled(at.Add(-time.Duration(rng.ExpFloat64()*300e9)), at)
		m.Waited(at.Add(-time.Minute), at, false)
	}
	if n := len(m.cells); n > 60 {
		t.Errorf("%d cells after half a year", n)
	}
	if n := len(saved(t, m)); n > 20_000 {
		t.Errorf("%d bytes saved", n)
	}
}

func TestSavedModelGoesOn(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	all := day(rng, 200, 5*time.Minute)
	m := learn(all[:400])
	back := NewModel(Prior{})
	if err := json.Unmarshal(saved(t, m), back); err != nil {
		t.Fatal(err)
	}
	for _, s := range all[400:] {
		s(m)
		s(back)
	}
	if !bytes.Equal(saved(t, back), saved(t, m)) {
		t.Error("a restart changed what is learned")
	}
}

func FuzzUnmarshalRefusesOrWorks(f *testing.F) {
	rng := rand.New(rand.NewPCG(9, 9))
	data, _ := learn(day(rng, 20, time.Minute)).MarshalJSON()
	f.Add(data)
	f.Add([]byte(`{"v":1,"newest":5,"first":0,"cells":[{"l":0,"i":5,"he":[1],"ht":[1000]}]}`))
	f.Add([]byte(`{"v":2}`))
	f.Add([]byte(`{"v":1,"newest":9223372036854775807,"first":-9223372036854775808}`))
	f.Add([]byte(`{"v":1,"newest":5,"first":0,"cells":[{"l":13,"i":0,"he":[9223372036854775807],"ht":[9223372036854775807]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := learn(day(rand.New(rand.NewPCG(1, 2)), 3, time.Minute))
		before := saved(t, m)
		if err := m.UnmarshalJSON(data); err != nil {
			if !bytes.Equal(saved(t, m), before) {
				t.Fatal("refused, yet changed")
			}
			return
		}
		m.Handled(monday, monday.Add(time.Minute))
		m.Merge(learn(day(rand.New(rand.NewPCG(1, 2)), 3, time.Minute)))
		p := m.Params(monday.Add(time.Hour), Live{Busy: []time.Duration{time.Minute}})
		if x := p.Handle.Mean(); math.IsNaN(x) || x < 0 {
			t.Fatalf("mean %v from %s", x, data)
		}
	})
}

func TestUnmarshalRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"no JSON":           `{`,
		"later version":     `{"v":2}`,
		"no version":        `{}`,
		"negative sum":      `{"v":1,"newest":5,"first":0,"cells":[{"l":0,"i":5,"he":[-1],"ht":[1]}]}`,
		"unequal lengths":   `{"v":1,"newest":5,"first":0,"cells":[{"l":0,"i":5,"he":[1],"ht":[]}]}`,
		"cell in future":    `{"v":1,"newest":5,"first":0,"cells":[{"l":0,"i":6}]}`,
		"cell too narrow":   `{"v":1,"newest":500,"first":0,"cells":[{"l":0,"i":1}]}`,
		"cell twice":        `{"v":1,"newest":5,"first":0,"cells":[{"l":0,"i":5},{"l":0,"i":5}]}`,
		"level below zero":  `{"v":1,"newest":5,"first":0,"cells":[{"l":-1,"i":5}]}`,
		"level beyond last": `{"v":1,"newest":5,"first":0,"cells":[{"l":14,"i":0}]}`,
		"far times":         `{"v":1,"newest":9223372036854775807,"first":0}`,
	} {
		if err := NewModel(Prior{}).UnmarshalJSON([]byte(data)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
