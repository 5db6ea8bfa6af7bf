package waiting

import (
	"math"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff/bench/world"
	"github.com/seed-2a427302/handoff/estimate"
)

// A Score is the sum over people who were scored. Scores of several seeds add
// up.
type Score struct {
	People int
	Wait   float64 // minutes, sum
	// Sums of absolute errors at arrival, in minutes.
	Ours, Truth float64
	Others      []float64
	// Sums of pinball losses at arrival, in minutes.
	Pinball50, Pinball90 float64
	// At arrival and over all values shown: how many, and how many waits
	// stayed below the value.
	First, All Coverage
	// Updates after the first value; those that rose by more than 20 %
	// without a cause, and with one.
	Updates, Rises, Caused int
	// Unknown counts people who could not be told anything on arrival.
	Unknown int
	// Spent is the time of all refreshes, of which there were Refreshes.
	Spent     time.Duration
	Refreshes int
}

// Coverage counts values and the waits that stayed below them.
type Coverage struct{ N, P50, P90 int }

func (c *Coverage) add(s told, remaining float64) {
	c.N++
	if remaining <= s.p50 {
		c.P50++
	}
	if remaining <= s.p90 {
		c.P90++
	}
}

// At50 is the share of waits that stayed below p50.
func (c *Coverage) At50() float64 { return float64(c.P50) / float64(c.N) }

// At90 is the share of waits that stayed below p90.
func (c *Coverage) At90() float64 { return float64(c.P90) / float64(c.N) }

func (c *Coverage) merge(o Coverage) {
	c.N += o.N
	c.P50 += o.P50
	c.P90 += o.P90
}

// Add adds o to s.
func (s *Score) Add(o *Score) {
	s.People += o.People
	s.Wait += o.Wait
	s.Ours += o.Ours
	s.Truth += o.Truth
	if s.Others == nil {
		s.Others = make([]float64, len(o.Others))
	}
	for i := range o.Others {
		s.Others[i] += o.Others[i]
	}
	s.Pinball50 += o.Pinball50
	s.Pinball90 += o.Pinball90
	s.First.merge(o.First)
	s.All.merge(o.All)
	s.Updates += o.Updates
	s.Rises += o.Rises
	s.Caused += o.Caused
	s.Unknown += o.Unknown
	s.Spent += o.Spent
	s.Refreshes += o.Refreshes
}

// A Run says what to play and which arrivals to score.
type Run struct {
	Scenario world.Scenario
	Seed     uint64
	// People who arrive with numbers in [From, To) are scored.
	From, To int
	// Work, if positive, is about how many steps of simulation the estimates
	// of a run may take, for each path: where that is not enough for everybody,
	// some of those who would be scored are not. Whom it takes depends on the
	// scenario and the seed alone.
	Work float64
}

// tickEvery is how often an engine would look at what was shown, in minutes.
const tickEvery = 0.5

// Play plays the run and scores it. Scored are probes who had to wait: people
// whose wait is seen to its end even if they gave up before.
func Play(r Run) *Score {
	s := &scorer{run: r, share: r.share(), learner: newLearner(r.Scenario), score: &Score{Others: make([]float64, len(baselineNames()))}}
	s.open = make(map[*world.Person]*probe)
	world.Run(r.Scenario, r.Seed, r.To, tickEvery, s)
	return s.score
}

// told is a value somebody was shown, in minutes.
type told struct{ at, p50, p90 float64 }

// A probe is somebody who waits and is scored.
type probe struct {
	truth  float64
	others []float64
	shown  estimate.Shown
	told   []told
	cause  estimate.Cause // since the last refresh
	since  estimate.Cause // since the last value told, for the score
}

type scorer struct {
	run     Run
	share   float64 // of those who can be scored
	learner *learner
	base    baselines
	score   *Score
	open    map[*world.Person]*probe
}

func (s *scorer) Arrived(w *world.World, p *world.Person) {
	s.learner.staffed(w)
	s.learner.lines[p.Line].Arrived(clock(w.Now), p.Level)
	rank := slices.Index(w.Waiting, p)
	if rank < 0 {
		return
	}
	for _, later := range w.Waiting[rank+1:] {
		if o := s.open[later]; o != nil {
			o.cause |= estimate.Overtaken
		}
	}
	if p.Probe && p.Seq >= s.run.From && taken(p.Seq, s.share) {
		ahead := w.Ahead(p)
		s.open[p] = &probe{truth: truth(w, ahead), others: s.base.of(ahead)}
		s.refresh(w, []*world.Person{p}, nil)
	}
}

func (s *scorer) Started(w *world.World, p *world.Person) {
	s.learner.staffed(w)
	if p.Started > p.Arrived && !p.Ghost {
		s.learner.queue.Waited(clock(p.Arrived), clock(w.Now), false)
		s.base.started(p)
	}
	if o := s.open[p]; o != nil {
		delete(s.open, p)
		s.close(p, o)
	}
}

func (s *scorer) GaveUp(w *world.World, p *world.Person) {
	s.learner.staffed(w)
	s.learner.queue.Waited(clock(p.Arrived), clock(w.Now), true)
}

func (s *scorer) Finished(w *world.World, p *world.Person) {
	s.learner.staffed(w)
	s.learner.queue.Handled(clock(p.Started), clock(w.Now))
	s.base.finished(w, p)
}

func (s *scorer) Shifted(w *world.World, d *world.Desk) {
	s.learner.staffed(w)
	if d.There {
		return
	}
	for p, o := range s.open {
		if slices.Contains(d.Lines, p.Line) {
			o.cause |= estimate.SeatLost
		}
	}
}

func (s *scorer) Tick(w *world.World) {
	s.learner.staffed(w)
	var people []*world.Person
	for _, p := range w.Waiting {
		switch {
		case s.open[p] == nil:
		case p.Ghost:
			s.refresh(w, []*world.Person{p}, p)
		default:
			people = append(people, p)
		}
	}
	if len(people) > 0 {
		s.refresh(w, people, nil)
	}
}

// refresh estimates the waits of people and shows what is to be shown. A ghost
// is refreshed alone, because nobody else is to see it.
func (s *scorer) refresh(w *world.World, people []*world.Person, ghost *world.Person) {
	s.learner.learn(w)
	snap := s.learner.snapshot(w, ghost)
	begin := time.Now()
	waits := make([]estimate.Wait, len(people))
	if len(people) == 1 {
		waits[0] = snap.WaitOf(w.Ahead(people[0]))
	} else {
		all := snap.Waits()
		for i, p := range people {
			waits[i] = all[w.Ahead(p)]
		}
	}
	s.score.Spent += time.Since(begin)
	s.score.Refreshes++
	for i, p := range people {
		s.show(w, s.open[p], waits[i])
	}
}

func (s *scorer) show(w *world.World, o *probe, est estimate.Wait) {
	before := o.shown
	shown, push := estimate.Policy{}.Next(before, clock(w.Now), est, o.cause)
	o.since |= o.cause
	o.cause = 0
	o.shown = shown
	if !push || !shown.Wait.Known {
		return
	}
	if len(o.told) > 0 {
		s.score.Updates++
		if rose(before.Wait.P50, shown.Wait.P50) || rose(before.Wait.P90, shown.Wait.P90) {
			if o.since == 0 {
				s.score.Rises++
			} else {
				s.score.Caused++
			}
		}
	}
	o.since = 0
	o.told = append(o.told, told{w.Now, shown.Wait.P50.Minutes(), shown.Wait.P90.Minutes()})
}

func rose(before, after time.Duration) bool {
	return after.Seconds() > 1.2*before.Seconds()
}

func (s *scorer) close(p *world.Person, o *probe) {
	if len(o.told) == 0 || o.told[0].at > p.Arrived {
		s.score.Unknown++
		return
	}
	c := s.score
	wait := p.Started - p.Arrived
	first := o.told[0]
	c.People++
	c.Wait += wait
	c.Ours += math.Abs(wait - first.p50)
	c.Truth += math.Abs(wait - o.truth)
	for i, x := range o.others {
		c.Others[i] += math.Abs(wait - x)
	}
	c.Pinball50 += pinball(wait, first.p50, 0.5)
	c.Pinball90 += pinball(wait, first.p90, 0.9)
	c.First.add(first, wait)
	for _, t := range o.told {
		c.All.add(t, p.Started-t.at)
	}
}

func pinball(actual, quantile, p float64) float64 {
	if actual >= quantile {
		return p * (actual - quantile)
	}
	return (1 - p) * (quantile - actual)
}
