package canned

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Replies keeps prepared replies. Its methods may be called concurrently. Who
// may change which is the console's to say.
type Replies interface {
	// List returns all of them.
	List(ctx context.Context) ([]Reply, error)

	// Put adds a reply, or replaces the one with its Name and Owner.
	Put(ctx context.Context, r Reply) error

	// Delete removes one. Removing one that is not there is no error.
	Delete(ctx context.Context, name, owner string) error
}

// Memory is Replies that are forgotten when the process ends. The zero value is
// empty and ready.
type Memory struct {
	mu  sync.Mutex
	all map[[2]string]Reply
}

var _ Replies = (*Memory)(nil)

// New returns Replies in memory. The error has all that is wrong with list.
func New(list ...Reply) (*Memory, error) {
	m := &Memory{}
	var out []error
	for i := range list {
		r := &list[i]
		key := [2]string{r.Name, r.Owner}
		err := r.Validate()
		if _, taken := m.all[key]; taken && err == nil {
			err = errors.New("its name occurs twice")
		}
		if err != nil {
			out = append(out, fmt.Errorf("canned: reply %d: %w", i, err))
			continue
		}
		m.put(*r)
	}
	if err := errors.Join(out...); err != nil {
		return nil, err
	}
	return m, nil
}

// List returns all replies, by category and name.
func (m *Memory) List(context.Context) ([]Reply, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Values(m.all), func(a, b Reply) int {
		return cmp.Or(strings.Compare(a.Category, b.Category), strings.Compare(a.Name, b.Name), strings.Compare(a.Owner, b.Owner))
	}), nil
}

// Put refuses what Validate does.
func (m *Memory) Put(_ context.Context, r Reply) error {
	if err := r.Validate(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(r)
	return nil
}

func (m *Memory) put(r Reply) {
	if m.all == nil {
		m.all = map[[2]string]Reply{}
	}
	m.all[[2]string{r.Name, r.Owner}] = r
}

// Delete removes a reply.
func (m *Memory) Delete(_ context.Context, name, owner string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, [2]string{name, owner})
	return nil
}
