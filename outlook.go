package handoff

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff/estimate"
)

// An outlook is a queue as it was at one moment: who waits, who is there, and
// what was learned. Every wait is estimated from one.
type outlook struct {
	queue  *Queue
	at     time.Time
	closed bool
	crew   []member
	list   []*Handoff // who waits, in the order in which they are served
	scene  estimate.Scene
	lines  map[string]int   // index of a line in scene
	steady []estimate.Shift // of everybody who is online and has no plan
	needs  []*Handoff       // one handoff for each line
	params map[Mode]*estimate.Params
	snap   *estimate.Snapshot
	took   time.Duration
	stale  time.Time

	turns     time.Time // when the queue's hours change next; zero: not known
	replanned time.Time // when hours or shifts were last found to be others

	seats   []int // there now, by line
	mu      sync.Mutex
	counted map[string]int // the same of lines that scene does not have
}

// member is an agent of the queue and what he does.
type member struct {
	agent  Agent
	online bool
	used   int        // units of all queues, offers included
	inHand []*Handoff // of this queue, that take a seat
	asked  int        // units that offers of this queue take
	room   int        // further units that he can take in this queue
	shifts []estimate.Shift
	turns  time.Time // when his plan changes next; zero: never, or he has none
}

// mostListed is how many who wait are looked at one by one.
const mostListed = 300

// outlooks keeps the last outlook of each queue for a hundred times as long as
// it took to make, so that asking for places takes a hundredth of a processor at
// most. That is milliseconds for a team, and a second for ten thousand agents.
type outlooks struct {
	mu   sync.Mutex
	last map[string]*outlook
}

func newOutlooks() *outlooks { return &outlooks{last: map[string]*outlook{}} }

func (l *outlooks) get(queue string) *outlook {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o := l.last[queue]; o != nil && time.Now().Before(o.stale) {
		return o
	}
	return nil
}

func (l *outlooks) put(o *outlook) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last[o.queue.Name] = o
}

// latest returns the last outlook of a queue, however old; nil if there is none.
func (l *outlooks) latest(queue string) *outlook {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last[queue]
}

// isReplanned reports whether the queue's hours or an agent's shifts are others
// in next than they were when o was made. That time passes changes neither.
func (o *outlook) isReplanned(next *outlook) bool {
	moved := func(was, is time.Time) bool {
		return !was.Equal(is) && (was.IsZero() || was.After(next.at))
	}
	if moved(o.turns, next.turns) {
		return true
	}
	plans := map[string]time.Time{}
	for i := range o.crew {
		if m := &o.crew[i]; m.agent.Shifts != nil {
			plans[m.agent.ID] = m.turns
		}
	}
	for i := range next.crew {
		m := &next.crew[i]
		if was, ok := plans[m.agent.ID]; ok && moved(was, m.turns) {
			return true
		}
	}
	return false
}

// outlook returns a queue as it was a moment ago.
func (e *Engine) outlook(ctx context.Context, q *Queue) (*outlook, error) {
	if o := e.outlooks.get(q.Name); o != nil {
		return o, nil
	}
	return e.freshOutlook(ctx, q)
}

// freshOutlook looks at a queue, and at what some need who are not in it.
func (e *Engine) freshOutlook(ctx context.Context, q *Queue, also ...*Handoff) (*outlook, error) {
	begin := time.Now()
	o, err := e.readOutlook(ctx, q, also)
	if err != nil {
		return nil, err
	}
	done := time.Now()
	o.took = done.Sub(begin)
	o.stale = done.Add(100 * o.took)
	if old := e.outlooks.latest(q.Name); old != nil { // compared unlocked: a queue may have thousands of agents
		o.replanned = old.replanned
		if old.isReplanned(o) {
			o.replanned = o.at
		}
	}
	e.outlooks.put(o)
	return o, nil
}

func (e *Engine) readOutlook(ctx context.Context, q *Queue, also []*Handoff) (*outlook, error) {
	e.recall(ctx, q)
	o := &outlook{queue: q, at: now(), lines: map[string]int{}, params: map[Mode]*estimate.Params{}, counted: map[string]int{}}
	if q.Hours != nil {
		var open bool
		open, o.turns = q.Hours.At(o.at)
		o.closed = !open
	}
	waiting, err := e.handoffs(ctx, Query{Queue: q.Name, Waiting: true, ByRank: true, Limit: mostListed})
	if err != nil {
		return nil, err
	}
	o.list = waiting
	served, err := e.handoffs(ctx, Query{Queue: q.Name, States: []State{StateActive, StateHeld, StateWrapup}, Limit: 5000})
	if err != nil {
		return nil, err
	}
	if err := e.muster(ctx, o, served); err != nil {
		return nil, err
	}
	for _, h := range also {
		o.line(h)
	}
	o.paint(e.taught)
	return o, nil
}

func (e *Engine) handoffs(ctx context.Context, q Query) ([]*Handoff, error) {
	list, err := e.list(ctx, q)
	if err != nil {
		return nil, err
	}
	return e.readable(ctx, list), nil
}

// muster reads who is there and what he has.
func (e *Engine) muster(ctx context.Context, o *outlook, served []*Handoff) error {
	all, err := e.group(ctx, o.queue)
	if err != nil || len(all) == 0 {
		return err
	}
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	o.crew = make([]member, len(all))
	index := make(map[string]*member, len(all))
	var keys []string
	for i, st := range e.status(ctx, ids, o.at) {
		giveWay(i)
		m := &o.crew[i]
		m.agent, m.online = all[i], st.Availability == Online
		m.shifts = o.shifts(m)
		if m.agent.Shifts != nil {
			_, m.turns = m.agent.Shifts.At(o.at)
		}
		index[ids[i]] = m
		if m.online {
			keys = append(keys, seatKey(ids[i]))
		}
	}
	load, err := e.load(ctx, keys)
	if err != nil {
		return err
	}
	for i, h := range served {
		giveWay(i)
		if m := index[h.Agent]; m != nil && h.own.Seat != nil {
			m.inHand = append(m.inHand, h)
		}
	}
	for _, h := range o.list {
		for i := range h.Offers {
			if m := index[h.Offers[i].Agent]; m != nil && !h.Offers[i].Broadcast {
				m.asked += h.Offers[i].Seat.Units
			}
		}
	}
	for i := range o.crew {
		giveWay(i)
		m := &o.crew[i]
		m.used = load[seatKey(m.agent.ID)]
		m.room = m.agent.Seats - m.used
		if most, ok := m.agent.QueueSeats[o.queue.Name]; ok {
			m.room = min(m.room, most-len(m.inHand)-m.asked)
		}
		m.room = max(m.room, 0)
	}
	return nil
}

// foresight is how far ahead shifts and hours are looked at.
const foresight = 12 * time.Hour

// shifts says when a member is there to take somebody, as far as is known.
func (o *outlook) shifts(m *member) []estimate.Shift {
	if m.agent.Shifts == nil {
		if !m.online {
			return nil
		}
		if o.steady == nil {
			o.steady = o.walk(m)
		}
		return o.steady
	}
	return o.walk(m)
}

func (o *outlook) walk(m *member) []estimate.Shift {
	out := []estimate.Shift{}
	for t, end := o.at, o.at.Add(foresight); t.Before(end); {
		here, until := o.there(m, t)
		if here {
			s := estimate.Shift{From: t.Sub(o.at)}
			if !until.IsZero() {
				s.To = until.Sub(o.at)
			}
			if n := len(out); n > 0 && out[n-1].To == s.From {
				out[n-1].To = s.To
			} else {
				out = append(out, s)
			}
		}
		if until.IsZero() {
			break
		}
		t = until
	}
	return out
}

// there reports whether a member is to take somebody at t, and when that may
// change.
func (o *outlook) there(m *member, t time.Time) (here bool, until time.Time) {
	here = m.online
	if plan := m.agent.Shifts; plan != nil {
		on, next := plan.At(t)
		until = next
		// Presence is what is, the plan what will be: somebody who is online
		// out of his hours stays until they begin, somebody who is not there
		// within them is not counted on before the next time they do.
		here = on
		if t.Equal(o.at) {
			here = m.online
		}
	}
	if o.queue.Hours != nil {
		open, next := o.queue.Hours.At(t)
		here = here && open
		if until.IsZero() || !next.IsZero() && next.Before(until) {
			until = next
		}
	}
	return here, until
}

// paint makes the scene.
func (o *outlook) paint(t *teaching) {
	s := &o.scene
	s.Closed, s.Ageing, s.Seed = o.closed, o.queue.Ageing, hash(o.queue.Name)
	live := map[Mode]*estimate.Live{}
	of := func(mode Mode) *estimate.Live {
		if live[mode] == nil {
			live[mode] = &estimate.Live{}
		}
		return live[mode]
	}
	for _, h := range o.list {
		of(h.Need.Mode).Waiting = append(of(h.Need.Mode).Waiting, o.at.Sub(h.own.Lined))
		s.Waiting = append(s.Waiting, o.person(h, o.line(h)))
	}
	for i := range o.crew {
		for _, h := range o.crew[i].inHand {
			of(h.Need.Mode).Busy = append(of(h.Need.Mode).Busy, o.at.Sub(h.own.Seat.Since))
			if len(o.needs) > 0 && o.lineOf(h) < 0 {
				o.line(h) // what nobody waits for takes as long as its like does
			}
		}
	}
	for _, mode := range []Mode{ModeText, ModeVideo} {
		of(mode)
	}
	for mode := range live {
		p := t.params(o.queue, mode, o.at, *live[mode])
		o.params[mode] = &p
	}
	for line, arrivals := range t.arrivals(o.queue, o.at) {
		n := parseLine(line)
		l := o.line(&Handoff{Need: n})
		for _, a := range arrivals {
			s.Flows = append(s.Flows, estimate.Flow{Line: l, Level: a.Level, Rate: a.Rate, Evidence: a.Evidence})
		}
	}
	slices.SortFunc(s.Flows, func(a, b estimate.Flow) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return b.Level - a.Level
	})
	s.Lines, o.seats = make([]estimate.Line, len(o.needs)), make([]int, len(o.needs))
	for l, h := range o.needs {
		s.Lines[l].Params = o.params[h.Need.Mode]
	}
	for i := range o.crew {
		giveWay(i)
		a := o.agent(&o.crew[i])
		s.Agents = append(s.Agents, a)
		if o.crew[i].online {
			for _, l := range a.Lines {
				o.seats[l] += o.crew[i].agent.Seats
			}
		}
	}
	o.snap = s.Snapshot()
}

// line returns the index of the line in which h stands.
func (o *outlook) line(h *Handoff) int {
	key := o.lineKey(h)
	l, ok := o.lines[key]
	if !ok {
		l = len(o.needs)
		o.lines[key] = l
		o.needs = append(o.needs, h)
	}
	return l
}

// lineOf returns the index of a line whose handle times are those of h, its own
// if it has one; -1 if there is none.
func (o *outlook) lineOf(h *Handoff) int {
	if l, ok := o.lines[h.Need.line()]; ok {
		return l
	}
	return slices.IndexFunc(o.needs, func(n *Handoff) bool { return n.Need.Mode == h.Need.Mode })
}

// lineKey names what h needs, and who must not get it now.
func (o *outlook) lineKey(h *Handoff) string {
	key := h.Need.line()
	if len(h.Need.Exclude)+len(h.own.Declined) > 0 {
		out := slices.Clone(h.Need.Exclude)
		others := o.othersLeft(h)
		for _, d := range h.own.Declined {
			if others || d.Until.After(o.at) {
				out = append(out, d.Agent)
			}
		}
		slices.Sort(out)
		key += "\x1d" + strings.Join(slices.Compact(out), "\x1d")
	}
	return key
}

// othersLeft reports whether somebody is there who has not refused h.
func (o *outlook) othersLeft(h *Handoff) bool {
	if len(h.own.Declined) == 0 {
		return true
	}
	var online []Agent
	for i := range o.crew {
		if o.crew[i].online {
			online = append(online, o.crew[i].agent)
		}
	}
	return h.othersLeft(online, o.at)
}

// may reports whether a member could serve h, now or when he has a seat.
func (o *outlook) may(m *member, h *Handoff) bool {
	if slices.Contains(h.Need.Exclude, m.agent.ID) || !m.agent.reaches(o.queue.Name, &h.Need) || !m.agent.covers(&h.Need) {
		return false
	}
	_, cooling := h.cooling(m.agent.ID, o.at)
	return !cooling && (!h.refused(m.agent.ID) || !o.othersLeft(h))
}

// agent is a member as the estimate sees him. An offer that is out is as good
// as a free seat: who is asked about still stands in the line.
func (o *outlook) agent(m *member) estimate.Agent {
	a := estimate.Agent{Shifts: m.shifts}
	for l, h := range o.needs {
		if o.may(m, h) {
			a.Lines = append(a.Lines, l)
		}
	}
	units := 0
	for _, h := range m.inHand {
		s := estimate.Serving{Line: o.lineOf(h), Elapsed: o.at.Sub(h.own.Seat.Since)}
		for range h.own.Seat.Units {
			a.Serving = append(a.Serving, s)
			units++
		}
	}
	// What he does for other queues keeps seats, too.
	for range max(m.used-units-m.asked, 0) {
		a.Serving = append(a.Serving, estimate.Serving{Line: -1})
	}
	a.Seats = m.agent.Seats
	if most, ok := m.agent.QueueSeats[o.queue.Name]; ok {
		a.Seats = min(a.Seats, len(a.Serving)+m.asked+m.room, units+max(most-len(m.inHand), 0))
	}
	return a
}

// working says how many seats there are now for those who wait, and how many of
// them serve somebody of this queue. Whoever can serve none of those who wait
// has nothing to do with how fast the others work.
func (o *outlook) working() (seats, busy int) {
	waits := make([]bool, len(o.needs))
	for i := range o.scene.Waiting {
		waits[o.scene.Waiting[i].Line] = true
	}
	for i := range o.crew {
		giveWay(i)
		m := &o.crew[i]
		if !m.online || !slices.ContainsFunc(o.scene.Agents[i].Lines, func(l int) bool { return waits[l] }) {
			continue
		}
		seats += m.agent.Seats
		for _, h := range m.inHand {
			busy += h.own.Seat.Units
		}
	}
	return seats, busy
}

// count says how many seats there are now for the line of h.
func (o *outlook) count(h *Handoff) int {
	key := o.lineKey(h)
	if l, ok := o.lines[key]; ok {
		return o.seats[l]
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	n, ok := o.counted[key]
	if !ok {
		for i := range o.crew {
			giveWay(i)
			if m := &o.crew[i]; m.online && o.may(m, h) {
				n += m.agent.Seats
			}
		}
		o.counted[key] = n
	}
	return n
}

// waits returns the waits of those with these places in the list.
func (o *outlook) waits(places []int) []estimate.Wait {
	if o.queue.Style != Pull {
		return o.snap.WaitsOf(places)
	}
	out := make([]estimate.Wait, len(places))
	for k, i := range places {
		out[k] = o.steps(o.list[i], i)
	}
	return out
}

// wait returns the wait of somebody with that many ahead. It reports false when
// he came after the outlook was made and needs what nobody in it does.
func (o *outlook) wait(h *Handoff, ahead int) (estimate.Wait, bool) {
	if i := slices.IndexFunc(o.list, func(l *Handoff) bool { return l.ID == h.ID }); i >= 0 {
		return o.waits([]int{i})[0], true
	}
	l, ok := o.lines[o.lineKey(h)]
	switch {
	case ahead >= mostListed || o.queue.Style == Pull:
		return o.steps(h, ahead), true
	case !ok && o.took > time.Millisecond:
		// So many agents are not read for everybody who asks for something new.
		return o.steps(h, ahead), true
	case !ok:
		return estimate.Wait{}, false
	}
	snap, i := *o.snap, min(ahead, len(o.list))
	snap.Waiting = slices.Insert(slices.Clone(snap.Waiting), i, o.person(h, l))
	return snap.WaitOf(i), true
}

func (o *outlook) person(h *Handoff, line int) estimate.Person {
	return estimate.Person{Line: line, Level: h.Need.Priority, Waited: o.at.Sub(h.Enqueued)}
}

// steps returns the wait of somebody with that many ahead by the pace at which
// those who serve him took people lately. Behind the list no more is known; and
// where agents pick, a free seat does not mean that it is his turn.
func (o *outlook) steps(h *Handoff, ahead int) estimate.Wait {
	seats := o.count(h)
	p := o.params[h.Need.Mode]
	if p == nil {
		return estimate.Unknown(estimate.NoData)
	}
	return estimate.QueueLength(estimate.Place{Ahead: ahead, Seats: float64(seats), Closed: o.closed}, *p)
}
