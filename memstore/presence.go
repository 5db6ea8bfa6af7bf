package memstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/seed-2a427302/handoff"
)

// A Presence is a [handoff.Sessions] in memory. Make one with [NewPresence].
// Like the Store it decides by the times that callers pass, and never reads a
// clock. Its methods may be called concurrently; one whose context has ended
// does nothing and returns the context's error.
//
// Expiry needs no write: an agent whose last session has run out is offline
// for every later question, since the moment when it ran out.
type Presence struct {
	mu     sync.Mutex
	agents map[string]*attendance
}

var _ handoff.Sessions = (*Presence)(nil)

// NewPresence returns a presence that never heard of anybody.
func NewPresence() *Presence { return &Presence{agents: map[string]*attendance{}} }

// attendance is what is known about one agent. online and since are as of the
// last write; settle brings them up to a time.
type attendance struct {
	wants    bool
	activity string
	sessions map[string]time.Time // live ones, with their expiry
	used     map[[16]byte]bool    // ids of all sessions, so that none comes back
	online   bool
	since    time.Time
}

// settled returns whether the agent is there at a time, and since when that
// holds, without a write.
func (a *attendance) settled(now time.Time) (bool, time.Time) {
	if !a.online {
		return false, a.since
	}
	last := a.last()
	if last.After(now) {
		return true, a.since
	}
	return false, last
}

// last returns when the session that lives longest expires.
func (a *attendance) last() time.Time {
	var last time.Time
	for _, expires := range a.sessions {
		if expires.After(last) {
			last = expires
		}
	}
	return last
}

// change applies f to the agent as he is at a time, and notes whether that
// makes him come or go.
func (a *attendance) change(now time.Time, f func() error) error {
	a.online, a.since = a.settled(now)
	for id, expires := range a.sessions {
		if !expires.After(now) {
			delete(a.sessions, id) // a heartbeat will not find it any more
		}
	}
	err := f()
	if online := a.wants && a.last().After(now); online != a.online {
		a.online, a.since = online, now
	}
	return err
}

// Want stores what the agent wants.
func (p *Presence) Want(ctx context.Context, agent string, online bool, activity string, now time.Time) error {
	if !utf8.ValidString(activity) {
		return &handoff.InvalidError{Field: "activity", Why: "is not valid UTF-8"}
	}
	return p.write(ctx, agent, true, now, func(a *attendance) error {
		a.wants, a.activity = online, activity
		return nil
	})
}

// Begin starts a session.
func (p *Presence) Begin(ctx context.Context, agent, session string, now, expires time.Time) error {
	if err := checkWord("session", session); err != nil {
		return err
	}
	return p.write(ctx, agent, true, now, func(a *attendance) error {
		id := sha256.Sum256([]byte(session))
		if key := [16]byte(id[:]); !a.used[key] {
			a.used[key], a.sessions[session] = true, expires
			return nil
		}
		return handoff.ErrDuplicate
	})
}

// Beat extends a live session.
func (p *Presence) Beat(ctx context.Context, agent, session string, now, expires time.Time) error {
	return p.write(ctx, agent, false, now, func(a *attendance) error {
		old, ok := a.sessions[session]
		if !ok {
			return handoff.ErrNotFound
		}
		if expires.After(old) {
			a.sessions[session] = expires
		}
		return nil
	})
}

// End ends a session.
func (p *Presence) End(ctx context.Context, agent, session string, now time.Time) error {
	err := p.write(ctx, agent, false, now, func(a *attendance) error {
		delete(a.sessions, session)
		return nil
	})
	if errors.Is(err, handoff.ErrNotFound) {
		return nil
	}
	return err
}

// write changes an agent, who becomes known by it if create is set; otherwise
// an agent nobody heard of is ErrNotFound.
func (p *Presence) write(ctx context.Context, agent string, create bool, now time.Time, f func(*attendance) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkWord("agent", agent); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.agents[agent]
	if a == nil {
		if !create {
			return handoff.ErrNotFound
		}
		a = &attendance{sessions: map[string]time.Time{}, used: map[[16]byte]bool{}, since: now}
		p.agents[agent] = a
	}
	return a.change(now, func() error { return f(a) })
}

// Agents says who is there.
func (p *Presence) Agents(ctx context.Context, ids []string, now time.Time) ([]handoff.Status, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := make([]handoff.Status, len(ids))
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, id := range ids {
		out[i].Agent = id
		a := p.agents[id]
		if a == nil {
			continue
		}
		online, since := a.settled(now)
		out[i].Availability, out[i].Since, out[i].Activity = handoff.Offline, since, a.activity
		if online {
			out[i].Availability = handoff.Online
		}
	}
	return out, nil
}

// checkWord checks an id: what no map and no database could mix up.
func checkWord(field, s string) error {
	switch {
	case s == "":
		return &handoff.InvalidError{Field: field, Why: "is empty"}
	case !utf8.ValidString(s):
		return &handoff.InvalidError{Field: field, Why: "is not valid UTF-8"}
	case strings.ContainsRune(s, 0):
		return &handoff.InvalidError{Field: field, Why: "has a NUL"}
	}
	return nil
}
