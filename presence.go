package handoff

import (
	"context"
	"slices"
	"time"
)

// An Agent is a person who can take handoffs.
type Agent struct {
	ID        string         `json:"id"`
	Name      string         `json:"name,omitempty"`
	Alias     string         `json:"alias,omitempty"` // shown to users in place of Name
	Queues    []string       `json:"queues,omitempty"`
	Skills    map[string]int `json:"skills,omitempty"`    // with levels; higher is better
	Languages []string       `json:"languages,omitempty"` // BCP 47; empty: any
	Seats     int            `json:"seats,omitempty"`     // handoffs at once; 0 takes none
	Video     bool           `json:"video,omitempty"`     // takes video sessions
	Role      Role           `json:"role,omitempty"`      // RoleAgent (also when empty) or RoleSupervisor; the host says what each may do

	// Further limits. The smallest that applies holds; 0 takes none.
	QueueSeats   map[string]int `json:"queue_seats,omitempty"`
	ChannelSeats map[string]int `json:"channel_seats,omitempty"` // by Handoff.Channel

	// Shifts are the hours he plans to work. They say nothing about who may be
	// offered something, which presence does; waits are estimated with them.
	Shifts *Weekly `json:"shifts,omitempty"`
}

func (a *Agent) shown() string {
	if a.Alias != "" {
		return a.Alias
	}
	if a.Name != "" {
		return a.Name
	}
	return a.ID
}

// serves reports whether a belongs to a queue.
func (a *Agent) serves(queue string) bool { return slices.Contains(a.Queues, queue) }

// reaches reports whether a belongs to the queue or to one that may help out.
func (a *Agent) reaches(queue string, n *Need) bool {
	return a.serves(queue) || slices.ContainsFunc(n.Also, a.serves)
}

// covers reports whether a can do what a need asks for. It looks neither at
// the queue, nor at presence, nor at exclusions.
func (a *Agent) covers(n *Need) bool {
	if n.Mode == ModeVideo && !a.Video {
		return false
	}
	if n.Language != "" && len(a.Languages) > 0 && !slices.Contains(a.Languages, n.Language) {
		return false
	}
	for _, s := range n.Skills {
		if level, ok := a.Skills[s.Name]; !ok || level < s.Level {
			return false
		}
	}
	return true
}

// A Directory knows who exists. Its methods may be called concurrently. One
// that can be edited is a DirectoryWriter too.
type Directory interface {
	// Get returns an agent, or ErrNotFound.
	Get(ctx context.Context, id string) (Agent, error)

	// List returns the agents of a queue, or all of them for "", sorted by ID.
	List(ctx context.Context, queue string) ([]Agent, error)
}

// A DirectoryWriter is a Directory that can be edited. Tell the engines of a
// change with Engine.AgentChanged.
type DirectoryWriter interface {
	Directory

	// Put adds an agent, or replaces the one with his ID, whole.
	Put(ctx context.Context, a Agent) error

	// Delete removes an agent. Removing one who is not there is no error.
	Delete(ctx context.Context, id string) error
}

// An Availability says whether somebody is there. Only Online is eligible for
// anything; a check that failed counts as offline.
type Availability string

// The availabilities. The zero value is Unknown.
const (
	Unknown Availability = ""
	Online  Availability = "online"
	Offline Availability = "offline"
)

// A Status is what a Presence knows about an agent.
type Status struct {
	Agent        string
	Availability Availability
	Since        time.Time // since when Availability holds; zero if that is unknown
	Activity     string    // the agent's own word for it: break, training, …
}

// A Presence knows who is there. An agent is online when he wants to work and
// has a live session, never by one of the two alone. Presence decides nothing.
// Prove yours with presencetest.Run.
//
// Agents returns one status for each id, in the order of ids; an id that the
// presence never heard of is Unknown. Call Engine.AgentChanged when an agent
// comes or goes; without it the engines notice within their sweep interval.
type Presence interface {
	Agents(ctx context.Context, ids []string, now time.Time) ([]Status, error)
}

// Sessions is a Presence that is kept alive by heartbeats. An agent is online
// while he wants to be and at least one of his sessions has not expired. A
// session belongs to its agent: another agent may use the same session id.
//
// A heartbeat never revives a session that has ended or expired: Beat then
// returns ErrNotFound, and the console has to begin a new one. Beginning a
// session never changes what the agent wants.
type Sessions interface {
	Presence

	// Want stores what the agent wants, with his word for it. A new agent
	// wants to be offline.
	Want(ctx context.Context, agent string, online bool, activity string, now time.Time) error

	// Begin starts a session that lives until expires. A session id that was
	// used before is ErrDuplicate.
	Begin(ctx context.Context, agent, session string, now, expires time.Time) error

	// Beat extends a live session. An earlier expiry than the stored one
	// changes nothing.
	Beat(ctx context.Context, agent, session string, now, expires time.Time) error

	// End ends a session. Ending one that is not there is no error.
	End(ctx context.Context, agent, session string, now time.Time) error
}

// Staff is a fixed Directory whose agents are always online: enough for tests
// and for teams of one. It must not be changed while an engine uses it.
type Staff []Agent

// Get returns the agent, or ErrNotFound.
func (s Staff) Get(_ context.Context, id string) (Agent, error) {
	for i := range s {
		if s[i].ID == id {
			return s[i], nil
		}
	}
	return Agent{}, ErrNotFound
}

// List returns the agents of a queue, or all of them.
func (s Staff) List(_ context.Context, queue string) ([]Agent, error) {
	var out []Agent
	for i := range s {
		if queue == "" || s[i].serves(queue) {
			out = append(out, s[i])
		}
	}
	slices.SortFunc(out, func(a, b Agent) int { return compare(a.ID, b.ID) })
	return out, nil
}

// Agents says that everybody on the staff is online.
func (s Staff) Agents(ctx context.Context, ids []string, _ time.Time) ([]Status, error) {
	out := make([]Status, len(ids))
	for i, id := range ids {
		out[i].Agent = id
		if _, err := s.Get(ctx, id); err == nil {
			out[i].Availability = Online
		}
	}
	return out, nil
}
