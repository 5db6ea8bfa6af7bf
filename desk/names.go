package desk

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// names are what people are called who have no name in the log, such as a
// supervisor who whispers: those whom Auth has named, and others as the
// Directory has them. Pages know their own queues' agents only.
type names struct {
	mu   sync.Mutex
	list map[string]named
}

type named struct {
	name  string
	until time.Time // of the Directory's; zero: Auth said so
}

const (
	nameAge   = time.Minute
	mostNames = 4096

	// A page waits for no name that the Directory does not give soon, and asks
	// for it again after a while only: a log has many lines of the same people.
	nameWait  = time.Second
	nameRetry = 10 * time.Second
)

func (n *names) put(id string, x named) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.list == nil || len(n.list) >= mostNames {
		n.list = map[string]named{}
	}
	n.list[id] = x
}

func (n *names) get(id string) (string, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	x, ok := n.list[id]
	return x.name, ok && (x.until.IsZero() || time.Now().Before(x.until))
}

// nameOf returns what somebody is called, or nothing where nobody can say.
func (h *Handler) nameOf(ctx context.Context, id string) string {
	if name, ok := h.names.get(id); ok || id == "" {
		return name
	}
	soon, cancel := context.WithTimeout(ctx, nameWait)
	defer cancel()
	age := nameAge
	a, err := h.engine.Directory().Get(soon, id)
	switch {
	case err == nil, errors.Is(err, handoff.ErrNotFound):
	case ctx.Err() != nil:
		return "" // who asked has gone: that says nothing of the Directory
	default:
		age = nameRetry
	}
	h.names.put(id, named{a.Name, time.Now().Add(age)})
	return a.Name
}

// entriesOf is the log of a handoff as pages show it, with the names of all in it.
func (h *Handler) entriesOf(ctx context.Context, of *handoff.Handoff, log []handoff.Entry) []entry {
	labels := h.labelsOf(of.Need.Queue)
	out := make([]entry, len(log))
	for i := range log {
		e := newEntry(&log[i], labels)
		if e.Name == "" && (e.Role == handoff.RoleAgent || e.Role == handoff.RoleSupervisor) {
			e.Name = h.nameOf(ctx, e.From)
		}
		if e.Agent != "" && e.Agent != e.From {
			e.AgentName = h.nameOf(ctx, e.Agent)
		}
		out[i] = e
	}
	return out
}

// labelsOf is what the fields of forms are called in handoffs of a queue.
func (h *Handler) labelsOf(queue string) map[string]string {
	if l, ok := h.labels[queue]; ok {
		return l
	}
	return h.labels[""] // a queue that was taken out of the Config
}
