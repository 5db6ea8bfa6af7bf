package acme

import (
	"context"
	"slices"
	"sync"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

// A wire carries who is writing, both ways: from agents to the pages of users,
// as the engine's Channel, and from users to the agents' desk. Nothing of it is
// kept. Replicas share one, since users and agents may be on different ones:
// where each is a process of its own, this is a topic of the host's own bus.
type wire struct {
	desk *desk.Handler

	mu    sync.Mutex
	pages map[string][]chan string // by conversation; each is told who writes, or nobody
}

// Show has nothing to do: users pull what is said.
func (*wire) Show(context.Context, string, handoff.UserMessage) error { return nil }

// ShowTyping tells the user's pages. One that is slow misses it.
func (w *wire) ShowTyping(_ context.Context, conversation string, from handoff.Party, on bool) error {
	name := ""
	if on {
		name = from.Name
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, page := range w.pages[conversation] {
		select {
		case page <- name:
		default:
		}
	}
	return nil
}

// enter is a page of a user's that listens until it leaves.
func (w *wire) enter(conversation string) (page chan string, leave func()) {
	page = make(chan string, 4)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[conversation] = append(w.pages[conversation], page)
	return page, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		left := slices.DeleteFunc(w.pages[conversation], func(p chan string) bool { return p == page })
		if w.pages[conversation] = left; len(left) == 0 {
			delete(w.pages, conversation)
		}
	}
}
