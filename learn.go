package handoff

import (
	"sync"
	"time"

	"github.com/seed-2a427302/handoff/estimate"
)

// models are apart where times are: by mode, and for arrivals by line.
type models struct {
	Modes map[Mode]*estimate.Model   `json:"modes,omitempty"`
	Lines map[string]*estimate.Model `json:"lines,omitempty"`
}

func newModels() models {
	return models{Modes: map[Mode]*estimate.Model{}, Lines: map[string]*estimate.Model{}}
}

// mostLines bounds the lines whose arrivals are told apart. What comes in
// others counts for the queue alone.
const mostLines = 32

// teaching is what an engine knows of all queues.
type teaching struct {
	mu     sync.Mutex
	queues map[string]*taught
}

// taught is what an engine knows of one queue.
type taught struct {
	prior  estimate.Prior
	number int64     // of the stored lesson
	read   time.Time // when it was last looked for
	known  models    // what is stored, with what is fresh
	fresh  models    // what is not stored yet
	news   time.Time // since when something is not; zero: all is
	seats  seatCount
}

// seatCount is how a queue was staffed when it was last looked at.
type seatCount struct {
	at          time.Time
	seats, busy int
	waiting     bool
}

func newTeaching() *teaching { return &teaching{queues: map[string]*taught{}} }

func (t *teaching) of(q *Queue) *taught {
	k := t.queues[q.Name]
	if k == nil {
		k = &taught{prior: q.Expect, known: newModels(), fresh: newModels()}
		t.queues[q.Name] = k
	}
	return k
}

// mode teaches the models of a mode: the one in use, and the one that is still
// to be stored.
func (k *taught) mode(mode Mode, f func(*estimate.Model)) {
	k.noted()
	teach(k.known.Modes, mode, k.prior, f)
	teach(k.fresh.Modes, mode, k.prior, f)
}

// line teaches the models of a line.
func (k *taught) line(line string, f func(*estimate.Model)) {
	if k.known.Lines[line] == nil && len(k.known.Lines) >= mostLines {
		return
	}
	k.noted()
	teach(k.known.Lines, line, estimate.Prior{}, f)
	teach(k.fresh.Lines, line, estimate.Prior{}, f)
}

func (k *taught) noted() {
	if k.news.IsZero() {
		k.news = now()
	}
}

func teach[K comparable](all map[K]*estimate.Model, key K, prior estimate.Prior, f func(*estimate.Model)) {
	m := all[key]
	if m == nil {
		m = estimate.NewModel(prior)
		all[key] = m
	}
	f(m)
}

// note learns from a commit of this engine.
func (t *teaching) note(r *rules, old, h *Handoff) {
	seat, inLine := old.own.Seat, old.inLine()
	moved := h.Need.Queue != old.Need.Queue
	freed := seat != nil && (h.own.Seat == nil || h.own.Seat.Agent != seat.Agent || !h.own.Seat.Since.Equal(seat.Since))
	left := inLine && (!h.inLine() || moved)
	joined := h.inLine() && (!inLine || moved)
	if !freed && !left && !joined {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if freed || left {
		gaveUp := h.Outcome == OutcomeCancelled || h.Outcome == OutcomeAbandoned
		t.of(r.queue(old.Need.Queue)).mode(old.Need.Mode, func(m *estimate.Model) {
			if freed {
				m.Handled(seat.Since, h.Updated)
			}
			if left {
				m.Waited(old.own.Lined, h.Updated, gaveUp)
			}
		})
	}
	if joined {
		k := t.of(r.queue(h.Need.Queue))
		arrived := func(m *estimate.Model) { m.Arrived(h.Updated, h.Need.Priority) }
		k.mode(h.Need.Mode, arrived)
		k.line(h.Need.line(), arrived)
	}
}

// staffed learns how many of the seats worked since the queue was last looked
// at, if somebody waited all the time.
func (t *teaching) staffed(q *Queue, now seatCount) {
	const longest = time.Minute // between two looks; nobody knows what was in between
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.of(q)
	last := k.seats
	if d := now.at.Sub(last.at); last.waiting && d < time.Second && d >= 0 {
		return
	}
	k.seats = now
	if d := now.at.Sub(last.at); last.waiting && now.waiting && d > 0 && d <= longest {
		for mode := range k.known.Modes {
			k.mode(mode, func(m *estimate.Model) { m.Staffed(last.at, now.at, last.seats, last.busy) })
		}
	}
}

// params returns what is known of a queue and mode.
func (t *teaching) params(q *Queue, mode Mode, at time.Time, live estimate.Live) estimate.Params {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.of(q).known.Modes[mode]
	if m == nil {
		m = estimate.NewModel(q.Expect)
	}
	return m.Params(at, live)
}

// arrivals returns how often people come, by line; nothing unless some come
// with another priority than others.
func (t *teaching) arrivals(q *Queue, at time.Time) map[string][]estimate.Arrival {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.of(q)
	levels := map[int]bool{}
	for _, m := range k.known.Modes {
		for _, a := range m.Params(at, estimate.Live{}).Arrivals {
			levels[a.Level] = true
		}
	}
	if len(levels) < 2 {
		return nil
	}
	out := map[string][]estimate.Arrival{}
	for line, m := range k.known.Lines {
		out[line] = m.Params(at, estimate.Live{}).Arrivals
	}
	return out
}
