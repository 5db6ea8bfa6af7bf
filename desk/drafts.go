package desk

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Draft is what somebody has written in a conversation and not sent. An empty
// text says that he has sent or cleared it.
type Draft struct {
	Mode string `json:"mode"` // reply, note, whisper or join
	Text string `json:"text"`
	At   int64  `json:"at"` // when it was kept, in milliseconds since 1970
}

// Drafts keeps drafts, so that they are there on the other devices of whoever
// wrote them; a browser keeps its own besides. Its methods may be called
// concurrently.
type Drafts interface {
	// List returns the drafts of an actor in a handoff.
	List(ctx context.Context, actor string, id handoff.ID) ([]Draft, error)

	// Put replaces the one with the draft's Mode.
	Put(ctx context.Context, actor string, id handoff.ID, d Draft) error

	// Forget removes all drafts of a handoff: it has ended or was erased.
	Forget(ctx context.Context, id handoff.ID) error
}

// NewDrafts returns Drafts in memory, of the 10,000 handoffs at most that were
// written in last or nearly last.
func NewDrafts() Drafts { return &memDrafts{} }

type draftKey struct{ actor, mode string }

// memDrafts has two generations: when the young one is full, the old one goes.
type memDrafts struct {
	mu         sync.Mutex
	young, old map[handoff.ID]map[draftKey]Draft
}

const draftGeneration = 5_000

func (m *memDrafts) of(id handoff.ID) map[draftKey]Draft {
	if d := m.young[id]; d != nil {
		return d
	}
	return m.old[id]
}

func (m *memDrafts) List(ctx context.Context, actor string, id handoff.ID) ([]Draft, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Draft
	for _, mode := range modes {
		if d, ok := m.of(id)[draftKey{actor, mode}]; ok {
			out = append(out, d)
		}
	}
	return out, ctx.Err()
}

func (m *memDrafts) Put(ctx context.Context, actor string, id handoff.ID, d Draft) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.of(id)
	if all == nil {
		all = map[draftKey]Draft{}
	}
	all[draftKey{actor, d.Mode}] = d
	delete(m.old, id)
	if m.young == nil || len(m.young) >= draftGeneration {
		m.old, m.young = m.young, map[handoff.ID]map[draftKey]Draft{}
	}
	m.young[id] = all
	return nil
}

func (m *memDrafts) Forget(ctx context.Context, id handoff.ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.young, id)
	delete(m.old, id)
	return ctx.Err()
}

// modes are the kinds of what can be written; each has its own draft.
var modes = []string{"reply", "note", "whisper", "join"}

const maxDraft = 64 << 10

// draft keeps a draft and tells the actor's other devices.
func (h *Handler) draft(c *call) (any, error) {
	var in struct {
		Mode    string `json:"mode"`
		Text    string `json:"text"`
		Session string `json:"session"`
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	switch {
	case !slices.Contains(modes, in.Mode):
		return nil, invalid("mode", "is not a kind of message")
	case len(in.Text) > maxDraft:
		return nil, invalid("text", "is too long")
	case len(in.Session) > 64:
		return nil, invalid("session", "is no name")
	}
	d := Draft{Mode: in.Mode, Text: in.Text, At: time.Now().UnixMilli()}
	if err := h.cfg.Drafts.Put(c.ctx(), c.actor.ID, c.h.ID, d); err != nil {
		return nil, err
	}
	tok := token(c.h.ID)
	h.view.mu.Lock()
	defer h.view.mu.Unlock()
	if h.view.anyOpen(c.h.ID) {
		h.view.publish(&event{name: "draft", only: c.actor.ID, id: c.h.ID, say: func(*Actor) any {
			return map[string]any{"id": tok, "draft": d, "session": in.Session}
		}})
	}
	return map[string]int64{"at": d.At}, nil
}

// drafts are an actor's own. That they cannot be read keeps nobody from reading
// the handoff.
func (h *Handler) drafts(c *call) []Draft {
	list, err := h.cfg.Drafts.List(c.ctx(), c.actor.ID, c.h.ID)
	if err != nil {
		h.log.WarnContext(c.ctx(), "the desk cannot read drafts", "error", err)
	}
	return list
}

func (h *Handler) forgetDrafts(ctx context.Context, id handoff.ID) {
	if err := h.cfg.Drafts.Forget(ctx, id); err != nil && ctx.Err() == nil {
		h.log.WarnContext(ctx, "the desk cannot remove drafts", "error", err)
	}
}
