package estimate

import (
	"math"
	"slices"
	"time"
)

// Live is what goes on now and has not ended yet, all of it: what ended lately
// is only half of what went on, the shorter half. Left out, handle times seem
// shorter than they are, much so in a young queue or after a change.
type Live struct {
	// Busy is how long each busy seat has been busy.
	Busy []time.Duration
	// Waiting is how long each person in the queue has waited.
	Waiting []time.Duration
}

// Params returns what is known at now.
//
// Handle time and patience are rates per age: ends divided by time spent at
// that age, each seen in the calendar time it happened. How fast old sums lose
// weight is learned too: half-lives from half an hour to never are run side by
// side over what was seen (the gamma-Poisson model of Harvey and Fernandes,
// 1989) and weighted by how well each foretold it. A steady queue is so known
// from all it ever saw and a changing one from its recent past.
//
// now should be the time of the live state. Should the newest observation lie
// more than a day after it, the clock is held to have been put right and what
// was written ahead of now is forgotten. It takes tens of microseconds; call it
// once per refresh of a queue, not once per person.
func (m *Model) Params(now time.Time, live Live) Params {
	m.heal(now)
	p := Params{Yield: 1}
	g := m.grid(now, live)

	handle := g.table(func(c *cell) *tally { return &c.handle })
	g.pending(handle, live.Busy)
	p.Handle, _ = handle.lifetime(g.age, m.prior.Handle, m.prior.weight())
	p.Known = p.Handle.ends() && (m.prior.Handle > 0 || handle.events() >= m.prior.minSeen())

	wait := g.table(func(c *cell) *tally { return &c.wait })
	g.pending(wait, live.Waiting)
	p.Patience, p.Leave = wait.lifetime(g.age, m.prior.Patience, m.prior.weight())
	p.LeaveEvidence = p.Patience.n

	p.Arrivals = g.arrivals()
	p.Yield = g.yield()
	return p
}

// A grid lays the cells of a model out in time, oldest first, with the empty
// ones between them: that nothing ended for an hour says something too.
type grid struct {
	m      *Model
	now    int64
	newest int64
	keys   []cellKey
	index  map[cellKey]int
	age    []float64 // seconds from the middle of each cell to now
	open   []float64 // seconds of each cell between first and now
}

func (m *Model) grid(now time.Time, live Live) *grid {
	g := &grid{m: m, now: now.UnixMilli(), newest: m.newest, index: make(map[cellKey]int)}
	from := m.first
	if len(m.cells) == 0 {
		g.newest, from = base(g.now), g.now
	}
	for _, spans := range [][]time.Duration{live.Busy, live.Waiting} {
		for _, d := range spans {
			if d > 0 && d <= longest {
				from = min(from, g.now-d.Milliseconds())
			}
		}
	}
	_, end := cellKey{index: g.newest}.span(g.newest)
	if old := (cellKey{level: levels}); m.cells[old] != nil {
		_, start := old.span(g.newest)
		from = min(from, start-1)
	}
	for at := min(from, end-1); at < end; {
		k := place(at, g.newest)
		lo, hi := k.span(g.newest)
		g.index[k] = len(g.keys)
		g.keys = append(g.keys, k)
		g.age = append(g.age, math.Max(float64(g.now-(lo+hi)/2)/1000, 0))
		upto := min(hi, g.now)
		if k.index == g.newest && k.level == 0 {
			upto = max(g.now, lo)
		}
		g.open = append(g.open, math.Max(float64(upto-max(lo, from))/1000, 0))
		at = hi
	}
	return g
}

// A table holds ends and seconds spent, by cell of the grid and age class.
type table struct {
	ends, spent [][ages]float64
}

func (g *grid) table(of func(*cell) *tally) *table {
	t := &table{ends: make([][ages]float64, len(g.keys)), spent: make([][ages]float64, len(g.keys))}
	for i, k := range g.keys {
		c := g.m.cells[k]
		if c == nil {
			continue
		}
		sums := of(c)
		for class := range min(len(sums.ends), ages) {
			t.ends[i][class] = float64(sums.ends[class])
			t.spent[i][class] = float64(sums.millis[class]) / 1000
		}
	}
	return t
}

// pending adds the time spent by what has not ended.
func (g *grid) pending(t *table, spans []time.Duration) {
	for _, d := range spans {
		if d <= 0 || d > longest {
			continue
		}
		cut(g.now-d.Milliseconds(), g.now, g.newest, func(k cellKey, class int, millis int64) {
			if i, ok := g.index[k]; ok {
				t.spent[i][class] += float64(millis) / 1000
			}
		})
	}
}

func (t *table) events() float64 {
	n := 0.0
	for i := range t.ends {
		n += sum(t.ends[i][:])
	}
	return n
}

// pull is how many observations the overall rate is worth in each age class.
// It fills classes where little was seen.
const pull = 0.1

// lifetime learns the distribution and the overall rate per second over the
// ages that occur. A prior mean counts as weight observations of an
// exponential lifetime.
func (t *table) lifetime(age []float64, prior time.Duration, weight float64) (Lifetime, float64) {
	ends, spent := make([]float64, len(age)), make([]float64, len(age))
	var all, each [ages]float64
	for i := range age {
		for c := range ages {
			all[c] += t.ends[i][c]
			each[c] += t.spent[i][c]
		}
	}
	if sum(all[:]) == 0 || sum(each[:]) == 0 {
		// Nothing ended: a prior has to do, shrunk by the time in which
		// nothing happened.
		if prior <= 0 {
			return Lifetime{}, 0
		}
		rate := weight / (weight*prior.Seconds() + sum(each[:]))
		l := Exponential(seconds(1 / rate))
		l.n = weight
		return l, rate
	}

	// What each cell should have seen if the long-run rates held in it.
	usual := hazards(all, each, sum(all[:])/sum(each[:]))
	for i := range age {
		ends[i] = sum(t.ends[i][:])
		for c := range ages {
			spent[i] += usual[c] * t.spent[i][c]
		}
	}
	weights, n := blend(age, ends, spent)

	all, each = [ages]float64{}, [ages]float64{}
	for i, w := range weights {
		for c := range ages {
			all[c] += w * t.ends[i][c]
			each[c] += w * t.spent[i][c]
		}
	}
	// Weights are shares; scaled so that they sum to what they are worth.
	scale := n / math.Max(sum(all[:]), math.SmallestNonzeroFloat32)
	for c := range ages {
		all[c] *= scale
		each[c] *= scale
	}
	rate := sum(all[:]) / sum(each[:])
	if prior > 0 {
		mean := prior.Seconds()
		for c := range ages {
			share := math.Exp(-ageEdge(c) / mean)
			if c < ages-1 {
				share -= math.Exp(-ageEdge(c+1) / mean)
			}
			all[c] += weight * share
			each[c] += weight * share * mean
		}
		n += weight
		rate = sum(all[:]) / sum(each[:])
	}
	return newLifetime(hazards(all, each, rate), n), rate
}

// hazards divides ends by time spent, class by class, drawn to rate, or to the
// hazard of the class before where that is higher: behind a class in which
// almost everything ends little is ever seen, and what is left of it must not
// be taken to last as long as anything else.
func hazards(ends, spent [ages]float64, rate float64) (h [ages]float64) {
	usual := rate
	for c := range h {
		h[c] = (ends[c] + pull) / (spent[c] + pull/usual)
		usual = math.Max(rate, h[c])
	}
	return h
}

// arrivals learns the rate of people joining, level by level, highest first.
func (g *grid) arrivals() []Arrival {
	counts := make(map[int][]float64)
	for i, k := range g.keys {
		c := g.m.cells[k]
		if c == nil {
			continue
		}
		for level, n := range c.arrivals {
			if counts[level] == nil {
				counts[level] = make([]float64, len(g.keys))
			}
			counts[level][i] = float64(n)
		}
	}
	var out []Arrival
	for level, ends := range counts {
		usual := sum(ends) / sum(g.open)
		if !usable(usual) {
			continue
		}
		expect := make([]float64, len(g.open))
		for i, s := range g.open {
			expect[i] = s * usual
		}
		weights, n := blend(g.age, ends, expect)
		num, den := 0.0, 0.0
		for i, w := range weights {
			num += w * ends[i]
			den += w * g.open[i]
		}
		if rate := num / den; usable(rate) {
			out = append(out, Arrival{Level: level, Rate: rate, Evidence: n})
		}
	}
	slices.SortFunc(out, func(a, b Arrival) int { return b.Level - a.Level })
	return out
}

// Yield is a share, not a rate of events, so it is not foretold like one. It
// moves with how people work, over days, and starts at 1.
const (
	yieldHalfLife = 9 * 3600.0 // seconds
	yieldPrior    = 2 * 3600.0 // seat seconds
)

func (g *grid) yield() float64 {
	seats, busy := yieldPrior, yieldPrior
	for i, k := range g.keys {
		if c := g.m.cells[k]; c != nil && c.seats > 0 {
			w := math.Exp2(-g.age[i]/yieldHalfLife) / 1000
			seats += w * float64(c.seats)
			busy += w * float64(c.busy)
		}
	}
	// A queue none of whose seats ever work is better called slow than
	// endless.
	return math.Max(busy/seats, 0.01)
}

func sum(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s
}
