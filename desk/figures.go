package desk

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// queueCount is what everybody may know about a queue.
type queueCount struct {
	Name    string `json:"name"`
	Waiting int    `json:"waiting"`
	Longest int64  `json:"longest,omitempty"` // since when the one waits who waits longest
	Active  int    `json:"active"`
}

// count counts the rows of each queue. v.mu is held.
func (v *view) count() map[string]queueCount {
	out := map[string]queueCount{}
	for _, r := range v.rows {
		c := out[r.Queue]
		c.Name = r.Queue
		switch {
		case r.waits():
			c.Waiting++
			if at := since(r); c.Longest == 0 || at < c.Longest {
				c.Longest = at
			}
		case r.State == handoff.StateActive || r.State == handoff.StateHeld:
			c.Active++
		}
		out[r.Queue] = c
	}
	return out
}

// tellCounts tells counts that changed. v.mu is held.
func (v *view) tellCounts() {
	now := v.count()
	if maps.Equal(now, v.counts) {
		return
	}
	v.counts = now
	v.publish(&event{name: "queues", need: Figures, say: func(a *Actor) any {
		return map[string]any{"queues": countsOf(now, a)}
	}})
}

func countsOf(counts map[string]queueCount, a *Actor) []queueCount {
	out := []queueCount{}
	for name, c := range counts {
		if a.may(Figures, &facts{queue: name}) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b queueCount) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// countsFor returns the counts that an actor may know. v.mu is held.
func (v *view) countsFor(a *Actor) []queueCount { return countsOf(v.count(), a) }

// keepFigures tells pages who comes and goes, and forgets tabs that closed.
func (h *Handler) keepFigures(ctx context.Context) error {
	for {
		if err := pause(ctx, 2*time.Second); err != nil {
			return err
		}
		h.view.forget(time.Now())
		h.view.mu.Lock()
		listening := len(h.view.streams) > 0 || time.Since(h.view.polled) < 2*pollWait
		h.view.mu.Unlock()
		if listening {
			_, _ = h.crew(ctx, 0) // where it cannot be read, the next look will tell
		}
	}
}

// teamAge is how old what a page begins with may be: many come at once after a
// restart, and are told what changes from then on.
const teamAge = 100 * time.Millisecond

// crew returns who serves the queues, read no longer than age ago. Whoever reads
// it anew tells pages what has changed since it was read before, so that what a
// page begins with and what it is told after that are never at odds.
func (h *Handler) crew(ctx context.Context, age time.Duration) ([]member, error) {
	v := h.view
	from := time.Now()
	v.mu.Lock()
	was, at, changed := v.team, v.teamAt, v.teamNew
	v.mu.Unlock()
	if was != nil && from.Sub(at) < age && at.After(changed) {
		return was, nil
	}
	now, err := h.members(ctx)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.teamAt.After(from) { // somebody has read it later than this, and told it
		return v.team, nil
	}
	if changed := changes(v.team, now); v.team != nil && len(changed) > 0 {
		for _, c := range changed {
			if c.old == nil || c.now == nil || !c.now.like(c.old) {
				v.recheck(c.id()) // what he may do may have changed with it
			}
		}
		v.publish(&event{name: "team", need: Team, say: func(a *Actor) any { return changedFor(changed, a) }})
	}
	v.team, v.teamAt = now, from
	return now, nil
}

// A memberChange is an agent as he was and as he is; nil is nobody.
type memberChange struct{ old, now *member }

func (c memberChange) id() string {
	if c.now != nil {
		return c.now.ID
	}
	return c.old.ID
}

// like reports whether the Directory says the same of two.
func (m *member) like(o *member) bool {
	return m.Name == o.Name && m.Alias == o.Alias && m.Seats == o.Seats && m.Video == o.Video && slices.Equal(m.Queues, o.Queues) &&
		maps.Equal(m.Skills, o.Skills) && slices.Equal(m.Speaks, o.Speaks)
}

// changes returns those who are new, not as they were, or no longer there.
func changes(was, now []member) []memberChange {
	old := make(map[string]*member, len(was))
	for i := range was {
		old[was[i].ID] = &was[i]
	}
	var out []memberChange
	for i := range now {
		m := &now[i]
		o := old[m.ID]
		if o == nil || o.There != m.There || o.Load != m.Load || o.Activity != m.Activity || !m.like(o) {
			out = append(out, memberChange{o, m})
		}
		delete(old, m.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(old)) {
		out = append(out, memberChange{old: old[id]})
	}
	return out
}

// changedFor is what an actor is told of changes: those whom he sees, and those
// whom he saw.
func changedFor(changed []memberChange, a *Actor) any {
	team, gone := []*member{}, []string(nil)
	for _, c := range changed {
		switch {
		case c.now != nil && c.now.seenBy(a):
			team = append(team, c.now)
		case c.old != nil && c.old.seenBy(a):
			gone = append(gone, c.old.ID)
		}
	}
	if len(team)+len(gone) == 0 {
		return nil
	}
	return map[string]any{"team": team, "gone": gone}
}

// agentChanged tells the engine, and lets the next page read the team anew.
func (h *Handler) agentChanged(c *call, agent string) error {
	h.view.mu.Lock()
	h.view.teamNew = time.Now()
	h.view.mu.Unlock()
	return h.engine.AgentChanged(c.ctx(), agent)
}

// agentPut tells that somebody serves other queues by now, or is otherwise
// another: his own pages at once, before anything else.
func (h *Handler) agentPut(c *call) error {
	h.view.mu.Lock()
	h.view.recheck(c.name)
	h.view.mu.Unlock()
	if err := h.agentChanged(c, c.name); err != nil {
		return err
	}
	_, _ = h.crew(c.ctx(), 0) // where it cannot be read, the next look will tell
	return nil
}

// A profile is what pages show of an agent that stands in the Directory.
type profile struct {
	ID     string         `json:"id"`
	Name   string         `json:"name"`
	Alias  string         `json:"alias,omitempty"`
	Queues []string       `json:"queues"`
	Skills map[string]int `json:"skills,omitempty"`
	Speaks []string       `json:"languages,omitempty"`
	Seats  int            `json:"seats"`
	Video  bool           `json:"video,omitempty"`
}

func profileOf(a *handoff.Agent) *profile {
	p := &profile{ID: a.ID, Name: cmp.Or(a.Name, a.ID), Alias: a.Alias, Queues: a.Queues, Skills: a.Skills, Speaks: a.Languages, Seats: a.Seats, Video: a.Video}
	if p.Queues == nil {
		p.Queues = []string{}
	}
	return p
}

// A member is an agent as pages show him.
type member struct {
	profile
	Load     int    `json:"load"`
	There    string `json:"there"` // online, offline, or empty for unknown
	Activity string `json:"activity,omitempty"`
	Since    int64  `json:"since,omitempty"`
}

func (h *Handler) members(ctx context.Context) ([]member, error) {
	all, err := h.engine.Team(ctx, "")
	if err != nil {
		return nil, err
	}
	out := make([]member, len(all))
	for i := range all {
		m := &all[i]
		out[i] = member{
			profile: *profileOf(&m.Agent), Load: m.Load, There: string(m.Status.Availability), Activity: m.Status.Activity, Since: millis(m.Status.Since),
		}
	}
	return out, nil
}

// seenBy reports whether an agent shares a queue with an actor, or is he.
func (m *member) seenBy(a *Actor) bool {
	return m.ID == a.ID || a.Role == Admin || slices.ContainsFunc(m.Queues, a.serves)
}

// membersFor returns those of a team whom an actor sees.
func membersFor(all []member, a *Actor) any {
	out := []member{}
	for _, m := range all {
		if m.seenBy(a) {
			out = append(out, m)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return map[string]any{"team": out}
}

func (h *Handler) team(c *call) (any, error) {
	all, err := h.crew(c.ctx(), teamAge)
	if err != nil {
		return nil, err
	}
	if out := membersFor(all, &c.actor); out != nil {
		return out, nil
	}
	return map[string]any{"team": []member{}}, nil
}

// board is the supervisor's view of the queues.
func (h *Handler) board(c *call) (any, error) {
	h.view.mu.Lock()
	counts := h.view.count()
	h.view.mu.Unlock()
	type line struct {
		queueCount
		Style string `json:"style"`
		Open  bool   `json:"open"`
		Next  int64  `json:"next,omitempty"`
		There string `json:"there"`
		Team  int    `json:"team"`
		Free  int    `json:"free"`
		P50   int64  `json:"p50"` // how long the one who came last will wait
		P90   int64  `json:"p90"`
		Known bool   `json:"known"`
		Most  int    `json:"most,omitempty"` // that many may wait; more are refused
	}
	out := []line{}
	for _, q := range h.engine.Queues() {
		if !c.actor.may(Figures, &facts{queue: q.Name}) {
			continue
		}
		l := line{queueCount: counts[q.Name], Style: string(q.Style)}
		l.Name, l.Most = q.Name, q.MaxWaiting
		a, err := h.engine.Availability(c.ctx(), handoff.Need{Queue: q.Name})
		if err != nil {
			return nil, err
		}
		l.Open, l.Next, l.There, l.Team, l.Free = a.Open, millis(a.Next), string(a.Availability), a.Online, a.Free
		if id, ok := h.view.lastWaiting(q.Name); ok {
			if p, err := h.engine.Place(c.ctx(), id); err == nil && p.Known {
				l.Known, l.P50, l.P90 = true, p.P50.Milliseconds(), p.P90.Milliseconds()
			}
		}
		out = append(out, l)
	}
	return map[string]any{"queues": out, "now": serverTime()}, nil
}

// lastWaiting returns who is last in a queue.
func (v *view) lastWaiting(queue string) (handoff.ID, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var last *row
	for _, r := range v.rows {
		if r.Queue == queue && r.waits() && (last == nil || served.compare(r, last) > 0) {
			last = r
		}
	}
	if last == nil {
		return handoff.ID{}, false
	}
	return last.facts.id, true
}
