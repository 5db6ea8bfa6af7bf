package world

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
)

// A Person is one who asks for an agent.
type Person struct {
	Seq     int // arrivals are counted from 0
	Line    int
	Level   int
	Arrived float64
	Probe   bool    // his wait is seen to its end, to be scored
	Started float64 // or, of a ghost, when it would have been his turn
	Ghost   bool    // gave up, and only waits on to see when that would be

	Desk  int // index of the desk he is served at
	left  float64
	since float64
	speed float64
	turn  int // of the finish event that counts
	rng   *rand.Rand
}

// A Desk is an agent at work.
type Desk struct {
	Agent
	There  bool
	Until  float64 // when There changes; +Inf when never
	People []*Person
	Idle   float64 // since when he has a free seat
}

// A Watcher is told what happens. Methods are called after the world changed.
type Watcher interface {
	Arrived(w *World, p *Person) // waits, or is served already
	Started(w *World, p *Person) // or a ghost's turn came
	GaveUp(w *World, p *Person)
	Finished(w *World, p *Person)
	Shifted(w *World, d *Desk)
	Tick(w *World)
}

// A World is a scenario being played.
type World struct {
	Scenario
	Now     float64
	Waiting []*Person // in the order in which they are popped, with ghosts
	Desks   []*Desk

	free   []*Desk
	seed   uint64
	rng    *rand.Rand // of who comes, and when
	events queue
	seq    int
	watch  Watcher
}

// Probes is the share of people whose waits are seen to the end. A probe gives
// up like anybody else and is then a ghost: nobody serves it or counts it, but
// it keeps its place to see when its turn would have come. Were it to stay in
// earnest, those who wait long would have more patience than others.
const Probes = 0.1

type kind int

const (
	arrive kind = iota
	finish
	giveUp
	shift
	tick
	poll
)

type event struct {
	at     float64
	order  int
	kind   kind
	person *Person
	desk   *Desk
	turn   int
}

// Run plays s until arrivals people have come, and tells watch. It ticks every
// tickEvery minutes. The same seed gives the same people at the same times, each
// with the same patience and the same conversation, whoever serves them: two
// ways to route differ by what they do and not by luck.
func Run(s Scenario, seed uint64, arrivals int, tickEvery float64, watch Watcher) {
	w := &World{Scenario: s, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), watch: watch}
	for _, a := range s.Agents {
		d := &Desk{Agent: a, There: true, Until: math.Inf(1)}
		if a.Shift != nil {
			d.There, d.Until = a.Shift(0)
			w.push(event{at: d.Until, kind: shift, desk: d})
		}
		w.Desks = append(w.Desks, d)
	}
	w.nextArrival()
	w.push(event{at: tickEvery, kind: tick})
	if w.Poll > 0 {
		w.push(event{at: w.Poll, kind: poll})
	}
	for w.seq < arrivals {
		e := heap.Pop(&w.events).(event)
		w.Now = e.at
		switch e.kind {
		case arrive:
			w.arrive()
			w.nextArrival()
		case finish:
			if e.turn == e.person.turn {
				w.finish(e.person)
			}
		case giveUp:
			if i := slices.Index(w.Waiting, e.person); i >= 0 {
				if !e.person.Probe {
					w.Waiting = slices.Delete(w.Waiting, i, i+1)
				}
				e.person.Ghost = true
				watch.GaveUp(w, e.person)
			}
		case shift:
			e.desk.There, e.desk.Until = e.desk.Shift(w.Now + 1e-9)
			w.push(event{at: e.desk.Until, kind: shift, desk: e.desk})
			watch.Shifted(w, e.desk)
			w.drain(e.desk)
		case tick:
			w.push(event{at: w.Now + tickEvery, kind: tick})
			watch.Tick(w)
		case poll:
			w.push(event{at: w.Now + w.Poll, kind: poll})
			w.serveHead()
		}
	}
}

func (w *World) push(e event) {
	e.order = w.events.next
	w.events.next++
	heap.Push(&w.events, e)
}

// nextArrival thins a stream at the peak rate.
func (w *World) nextArrival() {
	t := w.Now
	for {
		t += w.rng.ExpFloat64() / w.Peak
		if w.rng.Float64()*w.Peak < w.Rate(t) {
			break
		}
	}
	w.push(event{at: t, kind: arrive})
}

func (w *World) arrive() {
	p := &Person{Seq: w.seq, Arrived: w.Now, Probe: w.rng.Float64() < Probes, rng: rand.New(rand.NewPCG(w.seed, uint64(w.seq)+1<<32))}
	w.seq++
	for u := w.rng.Float64(); p.Line < len(w.Shares)-1 && u >= w.Shares[p.Line]; p.Line++ {
		u -= w.Shares[p.Line]
	}
	if w.rng.Float64() < w.High {
		p.Level = 1
	}
	limit := math.Inf(1)
	if w.Patience != nil {
		limit = w.Patience(w.rng)
	}
	if d := w.pick(p); d != nil && w.Poll == 0 {
		w.watch.Arrived(w, p)
		w.start(d, p)
		return
	}
	i := len(w.Waiting)
	for i > 0 && w.before(p, w.Waiting[i-1]) {
		i--
	}
	w.Waiting = slices.Insert(w.Waiting, i, p)
	if !math.IsInf(limit, 1) {
		w.push(event{at: w.Now + limit, kind: giveUp, person: p})
	}
	w.watch.Arrived(w, p)
}

// before reports whether p, who came later, goes before o.
func (w *World) before(p, o *Person) bool {
	if w.Ageing > 0 {
		return p.Arrived-float64(p.Level)*w.Ageing < o.Arrived-float64(o.Level)*w.Ageing
	}
	return p.Level > o.Level
}

// pick returns the desk that serves p now, or nil.
func (w *World) pick(p *Person) *Desk {
	w.free = w.free[:0]
	for _, d := range w.Desks {
		if d.There && len(d.People) < d.Seats && slices.Contains(d.Lines, p.Line) {
			w.free = append(w.free, d)
		}
	}
	if len(w.free) == 0 {
		return nil
	}
	if w.Pick != nil {
		return w.Pick(w, p, w.free)
	}
	best := w.free[0]
	for _, d := range w.free[1:] {
		if len(d.People) < len(best.People) ||
			len(d.People) == len(best.People) && (len(d.Lines) < len(best.Lines) ||
				len(d.Lines) == len(best.Lines) && d.Idle < best.Idle) {
			best = d
		}
	}
	return best
}

// serveHead serves the first who waits, if somebody can.
func (w *World) serveHead() {
	for len(w.Waiting) > 0 {
		p := w.Waiting[0]
		if p.Ghost {
			w.Waiting = slices.Delete(w.Waiting, 0, 1)
			p.Started = w.Now
			w.watch.Started(w, p)
			continue
		}
		if d := w.pick(p); d != nil {
			w.Waiting = slices.Delete(w.Waiting, 0, 1)
			w.start(d, p)
		}
		return
	}
}

// drain gives a desk's free seats to those who wait.
func (w *World) drain(d *Desk) {
	for w.Poll == 0 && d.There && len(d.People) < d.Seats {
		i := slices.IndexFunc(w.Waiting, func(p *Person) bool { return slices.Contains(d.Lines, p.Line) })
		if i < 0 {
			return
		}
		p := w.Waiting[i]
		w.Waiting = slices.Delete(w.Waiting, i, i+1)
		if p.Ghost {
			p.Started = w.Now
			w.watch.Started(w, p)
			continue
		}
		w.start(d, p)
	}
}

// Ahead returns how many people, without ghosts, rank before p.
func (w *World) Ahead(p *Person) int {
	n := 0
	for _, o := range w.Waiting {
		if o == p {
			break
		}
		if !o.Ghost {
			n++
		}
	}
	return n
}

func (w *World) start(d *Desk, p *Person) {
	p.Started = w.Now
	p.left = w.Handle(p.rng, w.Now)
	p.since = w.Now
	d.People = append(d.People, p)
	p.Desk = slices.Index(w.Desks, d)
	w.pace(d)
	w.watch.Started(w, p)
}

func (w *World) finish(p *Person) {
	d := w.Desks[p.Desk]
	d.People = slices.DeleteFunc(d.People, func(o *Person) bool { return o == p })
	d.Idle = w.Now
	w.pace(d)
	w.watch.Finished(w, p)
	w.drain(d)
}

// pace applies how fast a desk works with as many people as it has now.
func (w *World) pace(d *Desk) {
	speed := 1 / (1 + w.Slow*float64(max(len(d.People)-1, 0)))
	for _, p := range d.People {
		if p.speed == speed {
			continue
		}
		p.left -= (w.Now - p.since) * p.speed
		p.since, p.speed = w.Now, speed
		p.turn++
		w.push(event{at: w.Now + math.Max(p.left, 0)/speed, kind: finish, person: p, turn: p.turn})
	}
}

// queue is a heap of events by time, then by the order they were pushed.
type queue struct {
	events []event
	next   int
}

func (q *queue) Len() int { return len(q.events) }
func (q *queue) Less(i, j int) bool {
	a, b := &q.events[i], &q.events[j]
	return a.at < b.at || a.at == b.at && a.order < b.order
}
func (q *queue) Swap(i, j int) { q.events[i], q.events[j] = q.events[j], q.events[i] }
func (q *queue) Push(x any)    { q.events = append(q.events, x.(event)) }
func (q *queue) Pop() any {
	n := len(q.events) - 1
	e := q.events[n]
	q.events = q.events[:n]
	return e
}
