package rocketchat

import (
	"context"
	"strconv"
	"sync"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// live is a Provider with a socket.
type live struct{ *Provider }

var _ handoff.Typist = live{}

// Typing implements [handoff.Typist]. It is said on the socket of the room, which the
// replica has that runs its Stream; without one it is lost. It waits for nothing.
func (p live) Typing(_ context.Context, s handoff.Session, on bool) error {
	st, err := stateOf("typing", s)
	if err == nil {
		p.mouths.of(s.Reference).types(s.Reference, st, on)
	}
	return err
}

// mouths say something on the sockets of rooms.
type mouths struct {
	mu sync.Mutex
	by map[string]*mouth
}

// open returns that of a room whose socket is kept from now on.
func (m *mouths) open(room string) *mouth {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by == nil {
		m.by = map[string]*mouth{}
	}
	m.by[room] = &mouth{next: make(chan any, 1)}
	return m.by[room]
}

// close forgets one, if there is no later one.
func (m *mouths) close(room string, it *mouth) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by[room] == it {
		delete(m.by, room)
	}
}

// of returns that of a room, or nil.
func (m *mouths) of(room string) *mouth {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.by[room]
}

// mouth is what is to be said on one socket.
type mouth struct {
	mu     sync.Mutex
	up     bool // there is a connection that takes it
	lately provider.Lately
	calls  int
	next   chan any // what was not said yet: the last alone
}

// connected says whether there is a connection. What one did not take, the next one
// must not: it is no longer so.
func (m *mouth) connected(up bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.up = up
	m.drop()
}

func (m *mouth) drop() {
	select {
	case <-m.next:
	default:
	}
}

// types says whether the visitor writes, in place of what was said of it before and is
// not sent yet.
func (m *mouth) types(room string, st state, on bool) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.up || !m.lately.IsNew(&handoff.ProviderEvent{Kind: handoff.EventTyping, ID: room, Stopped: !on}) {
		return
	}
	m.drop()
	m.calls++
	select {
	case m.next <- typing(m.calls, room, st, on):
	default: // there is room: all that fill it hold mu
	}
}

// typing is the call with which a visitor says that he writes, or no longer does.
func typing(call int, room string, st state, on bool) word {
	activities := []string{}
	if on {
		activities = append(activities, isTyping)
	}
	return word{
		Msg: "method", Method: ofRoom, ID: quoted(strconv.Itoa(call)),
		Params: []any{room + "/user-activity", st.name(), activities, map[string]string{"token": st.Token}},
	}
}
