package desk

import (
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// pageOf is the key of a session's tabs in view.opened.
func pageOf(a *Actor, session string) string { return a.ID + "\x00" + session }

// look says that a tab has a handoff open, or that it no longer has any. The
// tab then gets its entries, and colleagues see who is looking.
func (v *view) look(a Actor, session, tab string, id handoff.ID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := pageOf(&a, session)
	tabs := v.opened[key]
	old, had := tabs[tab]
	from := v.next
	if had && old.id == id {
		from = old.from
	}
	if id.IsZero() {
		delete(tabs, tab)
	} else {
		if tabs == nil {
			tabs = map[string]opening{}
			v.opened[key] = tabs
		}
		tabs[tab] = opening{id: id, actor: a, from: from, until: time.Now().Add(openLease)}
	}
	if len(tabs) == 0 {
		delete(v.opened, key)
	}
	if had && old.id == id {
		return
	}
	if had {
		v.tellViewing(old.id)
	}
	if !id.IsZero() {
		v.tellViewing(id)
	}
}

// forget drops tabs that closed without saying so.
func (v *view) forget(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	changed := map[handoff.ID]bool{}
	for key, tabs := range v.opened {
		for tab, o := range tabs {
			if o.until.Before(now) {
				delete(tabs, tab)
				changed[o.id] = true
			}
		}
		if len(tabs) == 0 {
			delete(v.opened, key)
		}
	}
	for id := range changed {
		v.tellViewing(id)
	}
}

// A viewer is somebody who has a handoff open.
type viewer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	role Role
}

// viewers returns who has a handoff open, each once. v.mu is held.
func (v *view) viewers(id handoff.ID) []viewer {
	var out []viewer
	for _, tabs := range v.opened {
		for _, o := range tabs {
			if o.id == id && !slices.ContainsFunc(out, func(w viewer) bool { return w.ID == o.actor.ID }) {
				out = append(out, viewer{ID: o.actor.ID, Name: o.actor.Name, role: o.actor.Role})
			}
		}
	}
	slices.SortFunc(out, func(a, b viewer) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// others returns those whom an actor may know to be looking: watching is
// silent, so that only who may do it himself sees a supervisor.
func others(list []viewer, a *Actor) []viewer {
	out := []viewer{}
	for _, w := range list {
		if w.ID != a.ID && (w.role <= Agent || a.Role >= Supervisor) {
			out = append(out, w)
		}
	}
	return out
}

func (v *view) tellViewing(id handoff.ID) {
	list, tok := v.viewers(id), token(id)
	v.publish(&event{name: "viewing", id: id, say: func(a *Actor) any {
		return map[string]any{"id": tok, "viewers": others(list, a)}
	}})
}

// userTyping tells that a user is writing to whoever reads along.
func (v *view) userTyping(conversation string, on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id := range v.rows {
		if id.Conversation == conversation && v.anyOpen(id) {
			tok := token(id)
			v.publish(&event{name: "typing", id: id, say: func(*Actor) any {
				return map[string]any{"id": tok, "on": on}
			}})
		}
	}
}

// once runs f the first time that it is called for this view.
func (v *view) once(f func()) { v.warned.Do(f) }
