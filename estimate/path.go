package estimate

import "math"

// play draws one future and leaves everybody's wait in sim.wait. Waits beyond
// the horizon are cut to it.
func (sim *simulation) play(path int) {
	sim.begin(path)
	for sim.steps = sim.s.budget(); sim.left > 0 && sim.steps > 0; sim.steps-- {
		arrive, flow := sim.nextArrival()
		seat, ok := sim.seats.peek()
		switch {
		case ok && seat.at <= arrive:
			sim.seats.pop()
			sim.now = seat.at
			if sim.now >= horizon {
				return
			}
			sim.take(seat.seat)
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
	sim.seats = sim.seats[:0]
	sim.idle = sim.idle[:0]
	for i := range sim.wait {
		sim.wait[i] = horizon
	}
	for l := range sim.head {
		sim.head[l] = 0
		if sim.params[l] == nil {
			continue
		}
		sim.factor[l] = sim.speed[l] * sim.doubt(2*l, path, sim.doubts[l])
		sim.patience[l] = sim.doubt(2*l+1, path, math.Sqrt(sim.params[l].leaveDoubt()))
	}
	for i := range sim.flows {
		f := &sim.flows[i]
		f.line, f.head = f.line[:0], 0
		f.rate = f.Rate
		if usable(f.Evidence) {
			f.rate *= math.Exp(sim.rng.NormFloat64() / math.Sqrt(f.Evidence+1))
		}
		f.next = sim.rng.ExpFloat64() / f.rate
	}
	for i, seat := range sim.s.Seats {
		if seat.Group < 0 || seat.Group >= len(sim.served) {
			continue
		}
		free := math.Max(seat.Joins.Seconds(), 0)
		if seat.Busy {
			free = math.Max(free, sim.rest(seat))
		}
		sim.seats.push(seatFree{free, i})
	}
}

// doubt returns a factor with mean about 1 and the given relative standard
// error. Multiples of an irrational number spread over the paths more evenly
// than chance would, and differently for each kind of doubt.
func (sim *simulation) doubt(which, path int, err float64) float64 {
	if err <= 0 {
		return 1
	}
	err = math.Min(err, 1)
	_, u := math.Modf(0.5 + float64(path)*float64(which+1)*(math.Phi-1))
	u = math.Min(math.Max(u, 1e-9), 1-1e-9)
	return math.Exp(err*math.Sqrt2*math.Erfinv(2*u-1) - err*err/2)
}

// rest draws how much longer a busy seat takes.
func (sim *simulation) rest(seat Seat) float64 {
	if seat.Line < 0 || seat.Line >= len(sim.params) || sim.params[seat.Line] == nil {
		// Serving something nothing is known about: as long as any other.
		for l := range sim.params {
			if sim.params[l] != nil {
				return sim.handle(l)
			}
		}
		return 0
	}
	h := &sim.params[seat.Line].Handle
	factor := sim.factor[seat.Line]
	// Time runs factor times slower, so the elapsed part is that much less.
	elapsed := math.Min(math.Max(seat.Elapsed.Seconds(), 0)/factor, longest.Seconds())
	return factor * (h.reach(h.spent(elapsed)+sim.rng.ExpFloat64()) - elapsed)
}

// handle draws a handle time.
func (sim *simulation) handle(line int) float64 {
	return sim.factor[line] * sim.params[line].Handle.reach(sim.rng.ExpFloat64())
}

// quits draws when somebody who has waited this long gives up, from now.
func (sim *simulation) quits(line int, waited float64) float64 {
	p := &sim.params[line].Patience
	if !p.ends() {
		return math.Inf(1)
	}
	f := sim.patience[line]
	waited = math.Min(waited/f, longest.Seconds())
	return f * (p.reach(p.spent(waited)+sim.rng.ExpFloat64()) - waited)
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
	at := f.next
	f.next += sim.rng.ExpFloat64() / f.rate
	f.line = append(f.line, at)
	for k, seat := range sim.idle {
		if sim.s.serves(sim.s.Seats[seat].Group, f.Line) {
			sim.idle = append(sim.idle[:k], sim.idle[k+1:]...)
			sim.take(seat)
			return
		}
	}
}

// take lets a free seat serve the first person it can. Somebody who gave up
// before is passed over, but this is the moment when it would have been his
// turn, so it is his wait.
func (sim *simulation) take(seat int) {
	if leaves := sim.s.Seats[seat].Leaves.Seconds(); leaves > 0 && sim.now >= leaves {
		return
	}
	for {
		line, flow := sim.first(sim.s.Seats[seat].Group)
		switch {
		case flow >= 0:
			f := &sim.flows[flow]
			at := f.line[f.head]
			f.head++
			if at+sim.quits(f.Line, 0) < sim.now {
				continue
			}
			line = f.Line
		case line >= 0:
			i := sim.people[line][sim.head[line]]
			sim.head[line]++
			sim.wait[i] = sim.now
			if sim.target[i] {
				sim.left--
			}
			if sim.quits(line, math.Max(sim.s.Waiting[i].Waited.Seconds(), 0)) < sim.now {
				continue
			}
		default:
			sim.idle = append(sim.idle, seat)
			return
		}
		sim.seats.push(seatFree{sim.now + sim.handle(line), seat})
		return
	}
}

// first returns who of the lines a group serves goes first: the head of a line,
// or, with flow >= 0, the head of a flow.
func (sim *simulation) first(group int) (line, flow int) {
	line, flow = -1, -1
	person, key := -1, math.Inf(1)
	for _, l := range sim.served[group] {
		if sim.head[l] < len(sim.people[l]) {
			if i := sim.people[l][sim.head[l]]; person < 0 || i < person {
				person, line = i, l
			}
		}
	}
	if person >= 0 {
		key = sim.key[person]
	}
	for _, l := range sim.served[group] {
		for _, i := range sim.feeds[l] {
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

func (h seatHeap) peek() (seatFree, bool) {
	if len(h) == 0 {
		return seatFree{}, false
	}
	return h[0], true
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
	s := x[len(x)-1]
	x = x[:len(x)-1]
	*h = x
	if len(x) == 0 {
		return
	}
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
