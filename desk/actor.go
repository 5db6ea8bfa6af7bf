package desk

import (
	"slices"

	"github.com/seed-2a427302/handoff"
)

// An Actor is who is asking. The ID of somebody who takes handoffs is the ID
// that he has in the engine's Directory.
type Actor struct {
	ID       string // required
	Name     string // default ID
	Role     Role
	Queues   []string // nil: every queue
	Language string   // BCP 47; empty: Config.Language
}

// A Role says how much somebody may do. The zero value may see counts only.
type Role int

// The roles. Each may do what the one before it may.
const (
	Viewer Role = iota
	Agent
	Supervisor
	Admin
)

// String returns the role's name in the API.
func (r Role) String() string {
	if r < Viewer || r > Admin {
		return "unknown"
	}
	return [...]string{"viewer", "agent", "supervisor", "admin"}[r]
}

// A Permission names something that an actor may be allowed to do.
type Permission string

// The permissions.
const (
	Figures Permission = "figures" // counts, waits and statistics
	Rows    Permission = "rows"    // that a handoff exists, whose it is, since when
	Preview Permission = "preview" // read one that waits
	Read    Permission = "read"    // read one that an agent has
	Watch   Permission = "watch"   // read what users and the bot say to each other
	Answer  Permission = "answer"  // accept or decline
	Work    Permission = "work"    // speak to the user, hold, transfer, return, end
	Note    Permission = "note"    // notes and tags
	Whisper Permission = "whisper" // speak to the agent, not to the user
	Join    Permission = "join"    // speak to the user while somebody else has control
	Direct  Permission = "direct"  // take over, assign, requeue, and end in another's place
	Past    Permission = "past"    // read what is over
	Present Permission = "present" // say that one is there
	Team    Permission = "team"    // who serves the queues, and how busy they are
	Export  Permission = "export"  // take away what is over
	Manage  Permission = "manage"  // agents, their presence, prepared replies, automations, hours, settings
)

// A Scope says which handoffs a permission is about.
type Scope int

// The scopes, each wider than the one before it.
const (
	Nothing Scope = iota
	Own           // those that he has, had last, or is being offered, and what was left for his queues while nobody was there
	Queue         // and those of his queues
	Everything
)

// allowed is the table of who may do what: for each permission the scope of
// Viewer, Agent, Supervisor and Admin. An agent also reads what colleagues do
// in queues that are picked from a list (handoff.Pull).
var allowed = map[Permission][4]Scope{
	Figures: {Queue, Queue, Queue, Everything},
	Rows:    {Nothing, Queue, Queue, Everything},
	Preview: {Nothing, Queue, Queue, Everything},
	Read:    {Nothing, Own, Queue, Everything},
	Watch:   {Nothing, Nothing, Queue, Everything},
	Answer:  {Nothing, Queue, Queue, Queue},
	Work:    {Nothing, Own, Own, Own},
	Note:    {Nothing, Own, Queue, Everything},
	Whisper: {Nothing, Nothing, Queue, Everything},
	Join:    {Nothing, Nothing, Queue, Everything},
	Direct:  {Nothing, Nothing, Queue, Everything},
	Past:    {Nothing, Own, Queue, Everything},
	Present: {Nothing, Own, Own, Own},
	Team:    {Nothing, Queue, Queue, Everything},
	Export:  {Nothing, Nothing, Queue, Everything},
	Manage:  {Nothing, Nothing, Nothing, Everything},
}

// Permissions returns all permissions, sorted.
func Permissions() []Permission {
	var out []Permission
	for p := range allowed {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// Allowed returns how far a role's permission reaches.
func Allowed(p Permission, r Role) Scope {
	if r < Viewer || r > Admin {
		return Nothing
	}
	return allowed[p][r]
}

// facts is what permissions look at.
type facts struct {
	id       handoff.ID
	state    handoff.State
	queue    string
	agent    string
	last     string // who had it last, once it is over
	asked    []string
	public   bool // agents of the queue may read what others do
	left     bool // it is over, and nobody had it: a message was left for whoever serves the queue
	attended bool
}

func factsOf(h *handoff.Handoff, public bool) facts {
	f := facts{id: h.ID, state: h.State, queue: h.Need.Queue, agent: h.Agent, public: public, attended: h.Attended}
	f.left = h.LeftMessage && !h.Attended && h.State == handoff.StateEnded
	if h.Attended {
		f.last = h.LastAgent
		if h.Agent != "" {
			f.last = h.Agent
		}
	}
	for i := range h.Offers {
		f.asked = append(f.asked, h.Offers[i].Agent)
	}
	return f
}

// serves reports whether a queue is one of the actor's. What is in no queue
// belongs to whoever may direct.
func (a *Actor) serves(queue string) bool {
	if queue == "" {
		return a.Role >= Supervisor
	}
	return a.Queues == nil || slices.Contains(a.Queues, queue)
}

func (a *Actor) owns(f *facts) bool {
	if f.agent == a.ID || slices.Contains(f.asked, a.ID) {
		return true
	}
	over := f.state == handoff.StateEnded || f.state == handoff.StateWrapup
	return over && f.last == a.ID || f.left && a.serves(f.queue)
}

// may reports whether the actor has a permission for a handoff.
func (a *Actor) may(p Permission, f *facts) bool {
	switch Allowed(p, a.Role) {
	case Everything:
		return true
	case Queue:
		return a.owns(f) || a.serves(f.queue)
	case Own:
		return a.owns(f) || p == Read && f.public && a.serves(f.queue)
	case Nothing:
	}
	return false
}

// has reports whether the actor has a permission for anything at all.
func (a *Actor) has(p Permission) bool { return Allowed(p, a.Role) > Nothing }

// sees is the permission to know of a handoff in a state.
func sees(s handoff.State) Permission {
	switch s {
	case handoff.StateBot:
		return Watch
	case handoff.StateEnded, handoff.StateWrapup:
		return Past
	default:
		return Rows
	}
}

// reads is the permission to read a handoff in a state.
func reads(s handoff.State) Permission {
	switch s {
	case handoff.StateBot:
		return Watch
	case handoff.StateEnded, handoff.StateWrapup:
		return Past
	case handoff.StateActive, handoff.StateHeld:
		return Read
	default:
		return Preview
	}
}

func (a *Actor) sees(f *facts) bool  { return a.may(sees(f.state), f) }
func (a *Actor) reads(f *facts) bool { return a.may(reads(f.state), f) }
