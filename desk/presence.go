package desk

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// leases knows which session of the presence belongs to which browser. An agent
// is there while he wants to be and a page of his answers: not while a socket
// is open, since a page that is frozen or asleep keeps its socket.
type leases struct {
	lease time.Duration
	mu    sync.Mutex
	begun map[string]string // actor and browser → session of the presence
}

func newLeases(lease time.Duration) *leases {
	return &leases{lease: lease, begun: map[string]string{}}
}

// beat extends the lease of a browser. A session that ran out never comes back,
// so a new one begins.
func (l *leases) beat(ctx context.Context, p handoff.Sessions, agent, browser string, lease time.Duration) error {
	key := agent + "\x00" + browser
	l.mu.Lock()
	session := l.begun[key]
	l.mu.Unlock()
	now := time.Now()
	if session != "" {
		err := p.Beat(ctx, agent, session, now, now.Add(lease))
		if err == nil || !errors.Is(err, handoff.ErrNotFound) {
			return err
		}
	}
	session = "desk-" + rand.Text()
	if err := p.Begin(ctx, agent, session, now, now.Add(lease)); err != nil {
		return err
	}
	l.mu.Lock()
	if len(l.begun) > 100_000 { // browsers come and go for ever
		clear(l.begun)
	}
	l.begun[key] = session
	l.mu.Unlock()
	return nil
}

// drop ends the session of a browser after a moment in which it may come back:
// a page that is loaded anew leaves first.
func (l *leases) drop(ctx context.Context, p handoff.Sessions, agent, browser string) error {
	key := agent + "\x00" + browser
	l.mu.Lock()
	session := l.begun[key]
	delete(l.begun, key)
	l.mu.Unlock()
	if session == "" {
		return nil
	}
	// What stays is a short session that nobody extends. It begins before the
	// other ends: a page that is loaded anew is never away.
	now := time.Now()
	if err := p.Begin(ctx, agent, "desk-"+rand.Text(), now, now.Add(leaveGrace)); err != nil {
		return err
	}
	return p.End(ctx, agent, session, now)
}

const leaveGrace = 10 * time.Second

type presenceBody struct {
	Session  string `json:"session"`
	Online   bool   `json:"online"`
	Activity string `json:"activity"`
	Alone    string `json:"alone"` // the tab, where those of a browser cannot share a stream
}

func (h *Handler) sessions() (handoff.Sessions, *problem) {
	s, ok := h.engine.Presence().(handoff.Sessions)
	if !ok {
		return nil, &problem{Status: http.StatusConflict, Code: "presence_elsewhere"}
	}
	return s, nil
}

func (c *call) presence() (presenceBody, *problem) {
	var in presenceBody
	if p := c.decode(&in); p != nil {
		return in, p
	}
	if len(in.Session) > 64 || in.Session == "" || !plain(in.Session) {
		return in, invalid("session", "is no name of letters, digits, - and _")
	}
	if len(in.Activity) > 100 {
		return in, invalid("activity", "is longer than 100 bytes")
	}
	return in, nil
}

// wants stores whether an agent wants to be given anything.
func (h *Handler) wants(c *call) (any, error) {
	in, p := c.presence()
	if p != nil {
		return nil, p
	}
	s, p := h.sessions()
	if p != nil {
		return nil, p
	}
	if err := h.lease.beat(c.ctx(), s, c.actor.ID, in.Session, h.cfg.Lease); err != nil {
		return nil, err
	}
	if err := s.Want(c.ctx(), c.actor.ID, in.Online, in.Activity, time.Now()); err != nil {
		return nil, err
	}
	return h.present(c)
}

// beat says that a page of the agent is alive.
func (h *Handler) beat(c *call) (any, error) {
	in, p := c.presence()
	if p != nil {
		return nil, p
	}
	s, p := h.sessions()
	if p != nil {
		return h.status(c)
	}
	before := h.there(c.ctx(), c.actor.ID)
	if err := h.lease.beat(c.ctx(), s, c.actor.ID, in.Session, h.cfg.Lease); err != nil {
		return nil, err
	}
	if h.there(c.ctx(), c.actor.ID) != before {
		return h.present(c)
	}
	return h.status(c)
}

// leave is a page that is being closed. Where tabs cannot share a stream, each
// says so, and those that stay are the same browser.
func (h *Handler) leave(c *call) (any, error) {
	in, p := c.presence()
	if p != nil {
		return nil, p
	}
	s, p := h.sessions()
	if p != nil {
		return nil, p
	}
	if in.Alone != "" && h.view.stays(pageOf(&c.actor, in.Session), in.Alone) {
		return nil, nil //nolint:nilnil // nothing is to be said
	}
	return nil, h.lease.drop(c.ctx(), s, c.actor.ID, in.Session)
}

func (h *Handler) there(ctx context.Context, agent string) handoff.Availability {
	st, err := h.engine.Presence().Agents(ctx, []string{agent}, time.Now())
	if err != nil || len(st) != 1 {
		return handoff.Unknown
	}
	return st[0].Availability
}

// present tells the engine that somebody came or went.
func (h *Handler) present(c *call) (any, error) {
	if err := h.agentChanged(c, c.actor.ID); err != nil {
		return nil, err
	}
	return h.status(c)
}

// status is how the engine sees the actor.
func (h *Handler) status(c *call) (any, error) {
	st, err := h.engine.Presence().Agents(c.ctx(), []string{c.actor.ID}, time.Now())
	if err != nil || len(st) != 1 {
		return nil, &problem{Status: http.StatusServiceUnavailable, Code: "unknown", cause: err}
	}
	return map[string]any{"there": st[0].Availability, "activity": st[0].Activity, "since": millis(st[0].Since)}, nil
}

// setPresence is a supervisor who sends somebody away, or has him back.
func (h *Handler) setPresence(c *call) (any, error) {
	var in presenceBody
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	s, p := h.sessions()
	if p != nil {
		return nil, p
	}
	agent, err := h.engine.Directory().Get(c.ctx(), c.name)
	if err != nil {
		return nil, err
	}
	if c.actor.Role != Admin && !slices.ContainsFunc(agent.Queues, c.actor.serves) {
		return nil, errNotFound
	}
	if err := s.Want(c.ctx(), c.name, in.Online, clip(in.Activity, 100), time.Now()); err != nil {
		return nil, err
	}
	h.audit(c.ctx(), c.actor, "agent.presence", c.name)
	return nil, h.agentChanged(c, c.name)
}
