package estimate

import (
	"slices"
	"time"
)

// A Prior is what the host believes before anything was seen. The zero value
// believes nothing: waits are unknown for [NoData] until MinSeen handle times
// were observed.
type Prior struct {
	// Handle is the expected handle time. 0 means no belief.
	Handle time.Duration
	// Patience is the expected time until somebody who waits gives up. 0
	// means no belief: nobody gives up until somebody does.
	Patience time.Duration
	// Weight is how many observations each belief is worth. 0 means 5.
	Weight float64
	// MinSeen is how many handle times must be seen before an estimate is
	// given without a Handle belief. 0 means 5.
	MinSeen int
}

func (p Prior) weight() float64 {
	if !usable(p.Weight) {
		return 5
	}
	return p.Weight
}

func (p Prior) minSeen() float64 {
	if p.MinSeen <= 0 {
		return 5
	}
	return float64(p.MinSeen)
}

// A Model learns one queue and mode from what happens in it: how long
// conversations take, how long people have patience, how often they come, how
// many of the seats really work.
//
// It keeps integer sums per stretch of calendar time, so its state depends on
// the set of observations and not on their order: replicas that saw the same
// have the same state, and [Model.Merge] of models that saw different things
// equals one model that saw all. It does not recognise a repeated observation;
// whoever feeds it must give each once. Old observations lose resolution in
// time and then weight, see [Model.Params].
//
// Create it with [NewModel] or take the zero value, which has no prior. A
// Model is not safe for concurrent use; a [Book] is.
type Model struct {
	prior  Prior
	newest int64 // base cell index of the newest observation
	first  int64 // Unix milliseconds of the oldest observation
	cells  map[cellKey]*cell
}

// NewModel returns an empty model with the given prior.
func NewModel(p Prior) *Model { return &Model{prior: p} }

// A cell holds the sums of one stretch of calendar time. All are integers so
// that adding them up in any order gives the same.
type cell struct {
	handle, wait tally
	arrivals     map[int]int64 // people by level
	seats, busy  int64         // seat milliseconds, while somebody waited
}

// A tally counts, by age class, ends and the milliseconds spent at that age.
type tally struct {
	ends, millis []int64
}

func (t *tally) add(class int, ends, millis int64) {
	if class >= len(t.ends) {
		t.ends = append(t.ends, make([]int64, class+1-len(t.ends))...)
		t.millis = append(t.millis, make([]int64, class+1-len(t.millis))...)
	}
	t.ends[class] += ends
	t.millis[class] += millis
}

func (t *tally) merge(o tally) {
	for class := range o.ends {
		t.add(class, o.ends[class], o.millis[class])
	}
}

func (c *cell) merge(o *cell) {
	c.handle.merge(o.handle)
	c.wait.merge(o.wait)
	c.seats += o.seats
	c.busy += o.busy
	for level, n := range o.arrivals {
		c.arrive(level, n)
	}
}

func (c *cell) arrive(level int, n int64) {
	if c.arrivals == nil {
		c.arrivals = make(map[int]int64)
	}
	c.arrivals[level] += n
}

// Handled records a conversation that kept a seat from start to end. Spans
// that cannot be real (reversed by a clock jump, longer than a week, a zero
// time) are ignored, here and in the other methods.
func (m *Model) Handled(start, end time.Time) {
	m.lived(start, end, true, func(c *cell) *tally { return &c.handle })
}

// Waited records a wait that ended: by giving up, or else by being served or
// diverted. Both kinds are needed: patience is what was lost per time waited.
func (m *Model) Waited(start, end time.Time, gaveUp bool) {
	m.lived(start, end, gaveUp, func(c *cell) *tally { return &c.wait })
}

func (m *Model) lived(start, end time.Time, ended bool, of func(*cell) *tally) {
	if !believable(start, end) {
		return
	}
	s, e := start.UnixMilli(), end.UnixMilli()
	m.stretch(s, e)
	cut(s, e, m.newest, func(k cellKey, class int, millis int64) {
		of(m.cell(k)).add(class, 0, millis)
	})
	if ended {
		of(m.cell(place(e, m.newest))).add(ageClass(float64(e-s)/1000), 1, 0)
	}
}

// Arrived records somebody who joined the queue at a priority level, whether
// he had to wait or not.
func (m *Model) Arrived(at time.Time, level int) {
	if !believable(at, at) {
		return
	}
	ms := at.UnixMilli()
	m.stretch(ms, ms)
	m.cell(place(ms, m.newest)).arrive(level, 1)
}

// Staffed records that from start to end, while somebody waited all the time,
// the queue had seats that can serve one of those, and busy of them served the
// queue. Nothing is recorded unless
// 0 <= busy and 0 < seats; busy above seats counts as seats.
func (m *Model) Staffed(start, end time.Time, seats, busy int) {
	if !believable(start, end) || seats <= 0 || seats > 1<<20 || busy < 0 {
		return
	}
	s, e := start.UnixMilli(), end.UnixMilli()
	m.stretch(s, e)
	busy = min(busy, seats)
	cut(s, e, m.newest, func(k cellKey, _ int, millis int64) {
		c := m.cell(k)
		c.seats += millis * int64(seats)
		c.busy += millis * int64(busy)
	})
}

// Merge adds what o observed. Observations in both are counted twice. The
// prior stays m's.
func (m *Model) Merge(o *Model) {
	if o == nil || len(o.cells) == 0 {
		return
	}
	start := o.first
	_, end := cellKey{index: o.newest}.span(o.newest)
	m.stretch(start, end-1)
	for _, k := range o.keys() {
		m.cell(settle(k, m.newest)).merge(o.cells[k])
	}
}

// Empty reports whether nothing was observed.
func (m *Model) Empty() bool { return len(m.cells) == 0 }

// stretch makes the model cover [start, end], moving cells that are no longer
// recent into wider ones.
func (m *Model) stretch(start, end int64) {
	index := base(end)
	if len(m.cells) == 0 {
		m.cells = make(map[cellKey]*cell)
		m.first, m.newest = start, index
		return
	}
	m.first = min(m.first, start)
	if index <= m.newest {
		return
	}
	m.newest = index
	for _, k := range m.keys() {
		if to := settle(k, m.newest); to != k {
			c := m.cells[k]
			delete(m.cells, k)
			m.cell(to).merge(c)
		}
	}
}

func (m *Model) cell(k cellKey) *cell {
	c := m.cells[k]
	if c == nil {
		c = &cell{}
		m.cells[k] = c
	}
	return c
}

// keys returns the cells, oldest first.
func (m *Model) keys() []cellKey {
	keys := make([]cellKey, 0, len(m.cells))
	for k := range m.cells {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b cellKey) int {
		if a.level != b.level {
			return b.level - a.level
		}
		switch {
		case a.index < b.index:
			return -1
		case a.index > b.index:
			return 1
		}
		return 0
	})
	return keys
}

// ahead is how far the newest observation may lie after now before the clock
// is held to have jumped back.
const ahead = 24 * time.Hour

// heal forgets what was observed more than a day after now: times that were
// written by a clock which has since been put right. Without it such times
// would stay "the newest" for as long as the clock was wrong, and everything
// real would be filed under long ago.
func (m *Model) heal(now time.Time) {
	if len(m.cells) == 0 || now.Year() < 1900 || now.Year() > 2500 {
		return
	}
	limit := base(now.Add(ahead).UnixMilli())
	if m.newest <= limit {
		return
	}
	for _, k := range m.keys() {
		if start, _ := k.span(m.newest); k.level < levels && base(start) > limit {
			delete(m.cells, k)
		}
	}
	m.newest = base(now.UnixMilli())
	m.first = min(m.first, now.UnixMilli())
	// What is left was filed by its distance to the wrong newest, so in cells
	// too wide, and when it was cannot be told any more. It is taken to be of
	// the end of its cell, or of now: were it older, the conversations of now
	// would stand alone with nothing that ended beside them.
	old := m.cells
	m.cells = make(map[cellKey]*cell)
	for k, c := range old {
		last := m.newest
		if k.level < levels {
			last = min((k.index+1)<<k.level-1, last)
		}
		k = cellKey{index: last}
		m.cell(settle(k, m.newest)).merge(c)
	}
}
