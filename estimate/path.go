package estimate

import (
	"math"
	"slices"
)

// play draws one future and leaves everybody's wait in sim.wait. Waits beyond
// the horizon are cut to it.
func (sim *simulation) play(path int) {
	sim.begin(path)
	for sim.steps = sim.s.budget(); sim.left > 0 && sim.steps > 0; sim.steps-- {
		arrive, flow := sim.nextArrival()
		seat, ok := sim.busy.peek()
		switch {
		case ok && seat.at <= arrive:
			sim.now = seat.at
			if sim.now >= horizon {
				return
			}
			if until, ok := sim.take(seat.seat); ok {
				sim.busy.replace(seatFree{until, seat.seat})
			} else {
				sim.busy.pop()
			}
		case flow >= 0:
			sim.now = arrive
			if sim.now >= horizon {
				return
			}
			sim.join(flow)
		default:
			return
		}
	}
}

func (sim *simulation) begin(path int) {
	sim.now = 0
	sim.left = sim.count
	sim.busy = sim.busy[:0]
	sim.idle = sim.idle[:0]
	for i := range sim.wait {
		sim.wait[i] = horizon
	}
	for l := range sim.lines {
		line := &sim.lines[l]
		line.head = 0
		line.factor = line.slower * doubt(2*l, path, line.doubt)
		line.haste = doubt(2*l+1, path, line.leaving)
	}
	for i := range sim.flows {
		f := &sim.flows[i]
		f.line, f.head = f.line[:0], 0
		f.rate = f.Rate
		if usable(f.Evidence) {
			f.rate *= doubt(2*len(sim.lines)+i, path, 1/math.Sqrt(f.Evidence+1))
		}
		f.next = sim.rng.ExpFloat64() / f.rate
	}
	late := unpunctual * (2*even(2*len(sim.lines)+len(sim.flows), path) - 1)
	for i := range sim.seats {
		seat := &sim.seats[i]
		free := seat.joins
		if free > 0 {
			free = max(free+late, 0)
		}
		if seat.line >= 0 {
			line := &sim.lines[seat.line]
			free = max(free, line.factor*line.handle.rest(sim.rng, seat.elapsed, seat.spent))
		}
		sim.busy.push(seatFree{free, i})
	}
}

// unpunctual is by how many seconds a shift begins earlier or later than planned,
// at most. Many waits end when a shift begins. Were that the same moment in all
// paths, a quantile would mostly be that moment, and whether a wait stayed below
// would be a matter of microseconds.
const unpunctual = 20.0

// even returns a number in (0, 1). Multiples of an irrational number spread over
// the paths more evenly than chance would, and differently for each kind of
// doubt.
func even(which, path int) float64 {
	_, u := math.Modf(0.5 + float64(path)*float64(which+1)*(math.Phi-1))
	return min(max(u, 1e-9), 1-1e-9)
}

// doubt returns a factor with mean 1 and the given relative standard error.
func doubt(which, path int, err float64) float64 {
	if err <= 0 {
		return 1
	}
	err = min(err, 1)
	return math.Exp(err*math.Sqrt2*math.Erfinv(2*even(which, path)-1) - err*err/2)
}

func (sim *simulation) nextArrival() (at float64, flow int) {
	at, flow = math.Inf(1), -1
	for i := range sim.flows {
		if f := &sim.flows[i]; f.next < at {
			at, flow = f.next, i
		}
	}
	return at, flow
}

// join lets the next person of a flow in: to an idle seat or into the line.
func (sim *simulation) join(flow int) {
	f := &sim.flows[flow]
	f.line = append(f.line, f.next)
	f.next += sim.rng.ExpFloat64() / f.rate
	for k, seat := range sim.idle {
		if slices.Contains(sim.served[sim.seats[seat].group], f.Line) {
			sim.idle = append(sim.idle[:k], sim.idle[k+1:]...)
			if until, ok := sim.take(seat); ok {
				sim.busy.push(seatFree{until, seat})
			}
			return
		}
	}
}

// take lets a free seat serve the first person it can and returns when it will
// be free again; false when it has left or stays idle. Somebody who gave up
// before is passed over, but this is the moment when it would have been his
// turn, so it is his wait.
func (sim *simulation) take(seat int) (until float64, ok bool) {
	if sim.now >= sim.seats[seat].leaves {
		return 0, false
	}
	for {
		l, flow := sim.first(sim.seats[seat].group)
		switch {
		case flow >= 0:
			f := &sim.flows[flow]
			at := f.line[f.head]
			f.head++
			l = f.Line
			if line := &sim.lines[l]; line.patience.over(sim.rng, 0, 0, sim.now-at, line.haste) {
				continue
			}
		case l >= 0:
			line := &sim.lines[l]
			i := line.people[line.head]
			line.head++
			sim.wait[i] = sim.now
			if sim.target[i] {
				sim.left--
			}
			if line.patience.over(sim.rng, sim.waited[i], sim.spent[i], sim.now, line.haste) {
				continue
			}
		default:
			sim.idle = append(sim.idle, seat)
			return 0, false
		}
		line := &sim.lines[l]
		return sim.now + line.factor*line.handle.draw(sim.rng), true
	}
}

// first returns who of the lines a group serves goes first: the head of a line,
// or, with flow >= 0, the head of a flow. Both are -1 when nobody waits.
func (sim *simulation) first(group int) (line, flow int) {
	line, flow = -1, -1
	person := -1
	for _, l := range sim.served[group] {
		if d := &sim.lines[l]; d.head < len(d.people) {
			if i := d.people[d.head]; person < 0 || i < person {
				person, line = i, l
			}
		}
	}
	if len(sim.flows) == 0 {
		return line, flow
	}
	key := math.Inf(1)
	if person >= 0 {
		key = sim.key[person]
	}
	for _, l := range sim.served[group] {
		for _, i := range sim.lines[l].flows {
			f := &sim.flows[i]
			if f.head == len(f.line) {
				continue
			}
			if k := sim.rank(f.line[f.head], f.Level); k < key {
				key, flow = k, i
			}
		}
	}
	return line, flow
}

// A seatFree is a seat and when it becomes free.
type seatFree struct {
	at   float64
	seat int
}

// A seatHeap has the seat that becomes free first on top. It is written out
// because container/heap boxes every element, which doubles the cost of a
// path.
type seatHeap []seatFree

func (h *seatHeap) peek() (seatFree, bool) {
	if len(*h) == 0 {
		return seatFree{}, false
	}
	return (*h)[0], true
}

func (h *seatHeap) push(s seatFree) {
	x := append(*h, s)
	i := len(x) - 1
	for i > 0 {
		up := (i - 1) / 2
		if x[up].at <= s.at {
			break
		}
		x[i] = x[up]
		i = up
	}
	x[i] = s
	*h = x
}

func (h *seatHeap) pop() {
	x := *h
	last := x[len(x)-1]
	*h = x[:len(x)-1]
	if len(*h) > 0 {
		h.replace(last)
	}
}

// replace puts s in the place of the top.
func (h *seatHeap) replace(s seatFree) {
	x := *h
	i := 0
	for {
		down := 2*i + 1
		if down >= len(x) {
			break
		}
		if down+1 < len(x) && x[down+1].at < x[down].at {
			down++
		}
		if x[down].at >= s.at {
			break
		}
		x[i] = x[down]
		i = down
	}
	x[i] = s
}
