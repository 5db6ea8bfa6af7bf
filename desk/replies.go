package desk

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/seed-2a427302/handoff"
)

// A Reply is a prepared text. Placeholders in its text, {user}, {agent} and
// {queue}, are filled in by the page.
type Reply struct {
	Name     string `json:"name"` // what is typed after "/"
	Category string `json:"category,omitempty"`
	Text     string `json:"text"`
	Queue    string `json:"queue,omitempty"` // for agents of this queue; empty: of every queue
	Owner    string `json:"owner,omitempty"` // for this agent alone; empty: for all
}

// Replies keeps prepared texts. Its methods may be called concurrently.
type Replies interface {
	// List returns all of them.
	List(ctx context.Context) ([]Reply, error)

	// Put adds a reply, or replaces the one with its Name and Owner.
	Put(ctx context.Context, r Reply) error

	// Delete removes one. Removing one that is not there is no error.
	Delete(ctx context.Context, name, owner string) error
}

// NewReplies returns Replies in memory.
func NewReplies(list ...Reply) Replies {
	m := &memReplies{all: map[[2]string]Reply{}}
	for _, r := range list {
		m.all[[2]string{r.Name, r.Owner}] = r
	}
	return m
}

type memReplies struct {
	mu  sync.Mutex
	all map[[2]string]Reply
}

func (m *memReplies) List(context.Context) ([]Reply, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Values(m.all), func(a, b Reply) int {
		return cmp.Or(strings.Compare(a.Category, b.Category), strings.Compare(a.Name, b.Name), strings.Compare(a.Owner, b.Owner))
	}), nil
}

func (m *memReplies) Put(_ context.Context, r Reply) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all[[2]string{r.Name, r.Owner}] = r
	return nil
}

func (m *memReplies) Delete(_ context.Context, name, owner string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, [2]string{name, owner})
	return nil
}

func (h *Handler) replies(c *call) (any, error) {
	all, err := h.cfg.Replies.List(c.ctx())
	if err != nil {
		return nil, err
	}
	out := []Reply{}
	for _, r := range all {
		mine := r.Owner == "" || r.Owner == c.actor.ID
		if mine && (r.Queue == "" || c.actor.serves(r.Queue)) {
			out = append(out, r)
		}
	}
	return map[string]any{"replies": out}, nil
}

// putReply keeps a reply: one's own, or, for those who manage, everybody's.
func (h *Handler) putReply(c *call) (any, error) {
	var in Reply
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	in.Name = c.name
	switch {
	case in.Owner != "" && in.Owner != c.actor.ID, in.Owner == "" && !c.actor.has(Manage):
		return nil, errForbidden
	case len(in.Name) > 64 || strings.ContainsAny(in.Name, " /\t\r\n"):
		return nil, invalid("name", "has a space or slash, or more than 64 bytes")
	case strings.TrimSpace(in.Text) == "" || len(in.Text) > 16<<10:
		return nil, invalid("text", "is empty or too long")
	case len(in.Category) > 100:
		return nil, invalid("category", "is longer than 100 bytes")
	case in.Queue != "" && h.queues[in.Queue].Name == "":
		return nil, invalid("queue", "is not a queue")
	}
	h.audit(c.ctx(), c.actor, "reply.put", in.Name)
	return in, h.cfg.Replies.Put(c.ctx(), in)
}

func (h *Handler) deleteReply(c *call) (any, error) {
	owner := c.r.URL.Query().Get("owner")
	if owner != "" && owner != c.actor.ID || owner == "" && !c.actor.has(Manage) {
		return nil, errForbidden
	}
	h.audit(c.ctx(), c.actor, "reply.delete", c.name)
	return nil, h.cfg.Replies.Delete(c.ctx(), c.name, owner)
}

// agents is who exists, for those who manage.
func (h *Handler) agents(c *call) (any, error) {
	list, err := h.members(c.ctx())
	if err != nil {
		return nil, err
	}
	_, writable := h.engine.Directory().(handoff.DirectoryWriter)
	_, presence := h.sessions()
	return map[string]any{"agents": list, "writable": writable, "presence": presence == nil}, nil
}

// writer is the Directory where the desk may edit it.
func (h *Handler) writer() (handoff.DirectoryWriter, *problem) {
	w, ok := h.engine.Directory().(handoff.DirectoryWriter)
	if !ok {
		return nil, &problem{Status: http.StatusConflict, Code: "directory_elsewhere"}
	}
	return w, nil
}

func (h *Handler) putAgent(c *call) (any, error) {
	var in handoff.Agent
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	w, p := h.writer()
	if p != nil {
		return nil, p
	}
	in.ID = c.name
	switch {
	case in.Seats < 0 || in.Seats > 100:
		return nil, invalid("seats", "is not between 0 and 100")
	case len(in.ID) > 200 || len(in.Name) > 200 || len(in.Alias) > 200 || len(in.Queues) > 100 || len(in.Skills) > 100:
		return nil, invalid("agent", "is too long")
	}
	for _, q := range in.Queues {
		if _, ok := h.queues[q]; !ok {
			return nil, invalid("queues", "has one that does not exist")
		}
	}
	if old, err := w.Get(c.ctx(), c.name); err == nil && in.QueueSeats == nil {
		in.QueueSeats = old.QueueSeats // a page does not show them
	}
	if err := w.Put(c.ctx(), in); err != nil {
		return nil, err
	}
	h.audit(c.ctx(), c.actor, "agent.put", c.name)
	return in, h.engine.AgentChanged(c.ctx(), c.name)
}

func (h *Handler) deleteAgent(c *call) (any, error) {
	w, p := h.writer()
	if p != nil {
		return nil, p
	}
	if err := w.Delete(c.ctx(), c.name); err != nil {
		return nil, err
	}
	h.audit(c.ctx(), c.actor, "agent.delete", c.name)
	return nil, h.engine.AgentChanged(c.ctx(), c.name)
}

// queueSettings is how the engine treats each queue, as it does now.
func (h *Handler) queueSettings(c *call) (any, error) {
	type rung struct {
		After int64  `json:"after"`
		Do    string `json:"do"`
		Queue string `json:"queue,omitempty"`
	}
	type settings struct {
		Name      string   `json:"name"`
		Style     string   `json:"style"`
		Providers []string `json:"providers,omitempty"`
		Open      bool     `json:"open"`
		Hours     bool     `json:"hours"`
		Next      int64    `json:"next,omitempty"`
		Offer     int64    `json:"offer"`
		Idle      int64    `json:"idle"`
		Warning   int64    `json:"warning"`
		Hold      int64    `json:"hold"`
		Wrapup    int64    `json:"wrapup"`
		Grace     int64    `json:"grace"`
		Most      int      `json:"most"`
		Intake    int      `json:"intake"`
		Ladder    []rung   `json:"ladder"`
	}
	out := []settings{}
	for _, q := range h.engine.Queues() {
		if !c.actor.serves(q.Name) && c.actor.Role != Admin {
			continue
		}
		s := settings{
			Name: q.Name, Style: string(q.Style), Providers: q.Providers, Open: true, Hours: q.Hours != nil, Offer: q.OfferTimeout.Milliseconds(),
			Idle: q.IdleTimeout.Milliseconds(), Warning: q.IdleWarning.Milliseconds(), Hold: q.HoldTimeout.Milliseconds(), Wrapup: q.Wrapup.Milliseconds(),
			Grace: q.AgentGrace.Milliseconds(), Most: q.MaxWaiting, Ladder: []rung{},
		}
		a, err := h.engine.Availability(c.ctx(), handoff.Need{Queue: q.Name})
		if err != nil {
			return nil, err
		}
		s.Open, s.Next = a.Open, millis(a.Next)
		if q.Intake != nil {
			s.Intake = len(q.Intake.Fields)
		}
		for _, r := range q.Ladder {
			s.Ladder = append(s.Ladder, rung{r.After.Milliseconds(), string(r.Do), r.Queue})
		}
		out = append(out, s)
	}
	return map[string]any{"queues": out}, nil
}
