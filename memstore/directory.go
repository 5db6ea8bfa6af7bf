package memstore

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/seed-2a427302/handoff"
)

// A Directory is a [handoff.DirectoryWriter] in memory. Make one with
// [NewDirectory]. Its methods may be called concurrently; one whose context
// has ended does nothing and returns the context's error. What goes in and
// what comes out is copied: changing it afterwards changes nothing here.
type Directory struct {
	mu     sync.RWMutex
	agents map[string]handoff.Agent
}

var _ handoff.DirectoryWriter = (*Directory)(nil)

// NewDirectory returns a directory of these agents. Of several with one ID the
// last one counts, and one without an ID is left out: nobody could ask for
// him.
func NewDirectory(agents ...handoff.Agent) *Directory {
	d := &Directory{agents: make(map[string]handoff.Agent, len(agents))}
	for i := range agents {
		if agents[i].ID != "" {
			d.agents[agents[i].ID] = cloneAgent(agents[i])
		}
	}
	return d
}

// Get returns an agent, or [handoff.ErrNotFound].
func (d *Directory) Get(ctx context.Context, id string) (handoff.Agent, error) {
	if err := ctx.Err(); err != nil {
		return handoff.Agent{}, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	a, ok := d.agents[id]
	if !ok {
		return handoff.Agent{}, handoff.ErrNotFound
	}
	return cloneAgent(a), nil
}

// List returns the agents of a queue, or all of them for "", sorted by ID.
func (d *Directory) List(ctx context.Context, queue string) ([]handoff.Agent, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	var out []handoff.Agent
	for _, a := range d.agents {
		if queue == "" || slices.Contains(a.Queues, queue) {
			out = append(out, cloneAgent(a))
		}
	}
	slices.SortFunc(out, func(a, b handoff.Agent) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// Put adds an agent, or replaces the one with his ID.
func (d *Directory) Put(ctx context.Context, a handoff.Agent) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkWord("Agent.ID", a.ID); err != nil {
		return err
	}
	if a.Seats < 0 {
		return &handoff.InvalidError{Field: "Agent.Seats", Why: "is negative"}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.agents[a.ID] = cloneAgent(a)
	return nil
}

// Delete removes an agent. Removing one who is not there is no error.
func (d *Directory) Delete(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.agents, id)
	return nil
}

func cloneAgent(a handoff.Agent) handoff.Agent {
	a.Queues, a.Languages = slices.Clone(a.Queues), slices.Clone(a.Languages)
	a.Skills, a.QueueSeats = maps.Clone(a.Skills), maps.Clone(a.QueueSeats)
	return a
}
