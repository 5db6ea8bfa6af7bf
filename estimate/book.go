package estimate

import (
	"sync"
	"time"
)

// A Key names what is learned about apart: handle times of text and video
// differ, and so do those of two queues.
type Key struct {
	Queue, Mode string
}

// A Book keeps a [Model] per queue and mode. It is safe for concurrent use. The
// zero value is an empty book without priors.
type Book struct {
	// Prior returns what the host believes of a queue and mode before
	// anything was seen. nil means nothing. It is called once per key, must
	// not call the book, and must not be changed while the book is used.
	Prior func(Key) Prior

	mu     sync.Mutex
	models map[Key]*Model
}

// Handled is [Model.Handled] of k.
func (b *Book) Handled(k Key, start, end time.Time) {
	b.with(k, func(m *Model) { m.Handled(start, end) })
}

// Waited is [Model.Waited] of k.
func (b *Book) Waited(k Key, start, end time.Time, gaveUp bool) {
	b.with(k, func(m *Model) { m.Waited(start, end, gaveUp) })
}

// Arrived is [Model.Arrived] of k.
func (b *Book) Arrived(k Key, at time.Time, level int) {
	b.with(k, func(m *Model) { m.Arrived(at, level) })
}

// Staffed is [Model.Staffed] of k.
func (b *Book) Staffed(k Key, start, end time.Time, seats, busy int) {
	b.with(k, func(m *Model) { m.Staffed(start, end, seats, busy) })
}

// Params is [Model.Params] of k.
func (b *Book) Params(k Key, now time.Time, live Live) Params {
	var p Params
	b.with(k, func(m *Model) { p = m.Params(now, live) })
	return p
}

// Keys returns the keys about which something was asked or observed, in no
// order.
func (b *Book) Keys() []Key {
	b.mu.Lock()
	defer b.mu.Unlock()
	keys := make([]Key, 0, len(b.models))
	for k := range b.models {
		keys = append(keys, k)
	}
	return keys
}

// Save returns the observations of k for [Book.Load], on this replica or
// another. See [Model.MarshalJSON].
func (b *Book) Save(k Key) ([]byte, error) {
	var data []byte
	var err error
	b.with(k, func(m *Model) { data, err = m.MarshalJSON() })
	return data, err
}

// Load replaces the observations of k by saved ones; the prior stays. On error
// nothing changes.
func (b *Book) Load(k Key, data []byte) error {
	var err error
	b.with(k, func(m *Model) { err = m.UnmarshalJSON(data) })
	return err
}

func (b *Book) with(k Key, f func(*Model)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.models[k]
	if m == nil {
		var prior Prior
		if b.Prior != nil {
			prior = b.Prior(k)
		}
		m = NewModel(prior)
		if b.models == nil {
			b.models = make(map[Key]*Model)
		}
		b.models[k] = m
	}
	f(m)
}
