package handoff

import (
	"sync"
	"time"
)

// recent remembers what was used lately, where forgetting costs a look and
// nothing else. What was used within the last stay is there, unless more than
// most others were; what was not used for twice as long is gone. So what an
// engine keeps in memory follows the work of the moment, and not the history.
type recent[K comparable, V any] struct {
	most int // as many young ones make all others old
	stay time.Duration

	mu         sync.Mutex
	young, old map[K]V
	since      time.Time // when young was empty
}

const (
	forgetAfter = 2 * time.Minute
	mostRecent  = 20_000
)

func newRecent[K comparable, V any](most int) *recent[K, V] {
	return &recent[K, V]{most: most, stay: forgetAfter, young: map[K]V{}, since: now()}
}

// put remembers v.
func (r *recent[K, V]) put(k K, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.age()
	r.young[k] = v
	delete(r.old, k)
}

// get returns what is remembered, and remembers it for longer.
func (r *recent[K, V]) get(k K) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.age()
	if v, ok := r.young[k]; ok {
		return v, true
	}
	v, ok := r.old[k]
	if ok {
		r.young[k] = v
		delete(r.old, k)
	}
	return v, ok
}

// age makes young what is put from now on, when it is time.
func (r *recent[K, V]) age() {
	at := now()
	late := at.Sub(r.since) // below zero when the clock was set back
	if late >= 0 && late < r.stay && len(r.young) < r.most {
		return
	}
	r.old, r.young, r.since = r.young, map[K]V{}, at
	if late >= 2*r.stay {
		r.old = nil
	}
}

// drop forgets k.
func (r *recent[K, V]) drop(k K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.young, k)
	delete(r.old, k)
}

// clear forgets everything.
func (r *recent[K, V]) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.old, r.young, r.since = nil, map[K]V{}, now()
}
