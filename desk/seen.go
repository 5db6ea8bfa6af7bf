package desk

import (
	"time"

	"github.com/seed-2a427302/handoff"
)

// A reader is an actor and a handoff: up to when he has read it is kept in
// memory, for his other devices, for as long as it is open. Each browser keeps
// it besides, so that a process that ends loses nothing that anybody has seen.
type reader struct {
	actor string
	id    handoff.ID
}

// seen says that an actor has read what the user wrote until a time.
func (h *Handler) seen(c *call) (any, error) {
	var in struct {
		At int64 `json:"at"` // in milliseconds since 1970
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	if in.At < 0 {
		return nil, invalid("at", "is no time")
	}
	h.view.read(c.actor.ID, c.h.ID, min(in.At, time.Now().UnixMilli()))
	return nil, nil //nolint:nilnil // there is nothing to answer
}

// read keeps up to when something was read, and tells the actor's other pages.
// What is not open is not kept.
func (v *view) read(actor string, id handoff.ID, at int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	of := reader{actor, id}
	if v.rows[id] == nil || at <= v.marks[of] {
		return
	}
	v.marks[of] = at
	tok := token(id)
	v.publish(&event{name: "seen", only: actor, say: func(*Actor) any {
		return map[string]any{"id": tok, "at": at}
	}})
}

// readBy returns up to when an actor has read what. v.mu is held.
func (v *view) readBy(actor string) map[string]int64 {
	out := map[string]int64{}
	for of, at := range v.marks {
		if of.actor == actor {
			out[token(of.id)] = at
		}
	}
	return out
}

// unread forgets who has read what is no longer open. v.mu is held.
func (v *view) unread(id handoff.ID) {
	for of := range v.marks {
		if of.id == id {
			delete(v.marks, of)
		}
	}
}
