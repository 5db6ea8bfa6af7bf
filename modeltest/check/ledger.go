package check

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Ledger is what the world around the engines has seen. Its methods may be
// called concurrently.
type Ledger struct {
	mu    sync.Mutex
	acked map[string][]string
	shown map[string][]Seen
	ids   map[string]bool
	asked map[handoff.ID]map[string][]string
	tried map[string]int // by what was to be shown
	got   map[handoff.ID]map[int64]bool
	wrong []Violation
}

// A Seen is something that a user saw, the first time.
type Seen struct {
	Number int64
	ID     string // the entry's
	Text   string
}

// NewLedger returns an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{
		acked: map[string][]string{}, shown: map[string][]Seen{}, ids: map[string]bool{}, asked: map[handoff.ID]map[string][]string{},
		tried: map[string]int{}, got: map[handoff.ID]map[int64]bool{},
	}
}

// Acknowledge notes that Receive took a message.
func (l *Ledger) Acknowledge(conversation, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.acked[conversation], id) {
		l.acked[conversation] = append(l.acked[conversation], id)
	}
}

// Acknowledged returns what Receive took.
func (l *Ledger) Acknowledged(conversation string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.acked[conversation])
}

// Remove notes that messages were erased, or removed with their handoff: they
// are not lost.
func (l *Ledger) Remove(conversation string, ids ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[conversation] = slices.DeleteFunc(l.acked[conversation], func(id string) bool { return slices.Contains(ids, id) })
}

// Show notes what a user saw; a repeat is passed over.
func (l *Ledger) Show(conversation string, m handoff.UserMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := conversation + "\x00" + m.ID
	if l.ids[key] {
		return
	}
	l.ids[key] = true
	l.shown[conversation] = append(l.shown[conversation], Seen{Number: m.Cursor.Number, ID: strings.TrimPrefix(m.ID, number(m.Cursor.Number)+"/"), Text: m.Text})
}

// Try notes an attempt to show something, whatever comes of it.
func (l *Ledger) Try(conversation string, m handoff.UserMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tried[conversation+"\x00"+m.ID]++
}

// Tried returns how often it was attempted to show an entry.
func (l *Ledger) Tried(id handoff.ID, entry string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tried[id.Conversation+"\x00"+number(id.Number)+"/"+entry]
}

// Handle notes that the staff's sink was given an entry.
func (l *Ledger) Handle(id handoff.ID, seq int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.got[id]
	if m == nil {
		m = map[int64]bool{}
		l.got[id] = m
	}
	for s := range m {
		if s > seq && !m[seq] {
			l.wrong = append(l.wrong, Violation{Rule: "a sink gets the order of the log (12)", ID: id, Text: "entry " + number(seq) + " after entry " + number(s)})
			break
		}
	}
	m[seq] = true
}

// Handled reports whether the staff's sink was given an entry.
func (l *Ledger) Handled(id handoff.ID, seq int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.got[id][seq]
}

func (l *Ledger) violations() []Violation {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.wrong
	l.wrong = nil
	return out
}

// Shown returns what a user saw after the first n.
func (l *Ledger) Shown(conversation string, n int) []Seen {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.shown[conversation][n:])
}

// Ask notes a turn that the bot was given.
func (l *Ledger) Ask(t handoff.Turn) {
	if !t.Open() || t.Unwatched {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := l.asked[t.ID()]
	if calls == nil {
		calls = map[string][]string{}
		l.asked[t.ID()] = calls
	}
	for _, m := range t.Messages {
		if !slices.Contains(calls[t.Call], m.ID) {
			calls[t.Call] = append(calls[t.Call], m.ID)
		}
	}
}

// Asked returns the messages that a call of the bot was to answer.
func (l *Ledger) Asked(id handoff.ID, call string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.asked[id][call])
}

// Mark makes a text that says which conversation it belongs to; Of tells it.
func Mark(conversation, text string) string { return "[" + conversation + "] " + text }

// Of returns the conversation of a marked text, or "".
func Of(text string) string {
	if rest, ok := strings.CutPrefix(text, "["); ok {
		if name, _, ok := strings.Cut(rest, "] "); ok {
			return name
		}
	}
	return ""
}

// A Staff remembers who could do what, and who was there, at which time. Its
// methods may be called concurrently.
type Staff struct {
	mu    sync.Mutex
	moves map[string][]move
}

type move struct {
	at     time.Time
	seats  int
	online bool
}

// NewStaff returns a staff of nobody.
func NewStaff() *Staff { return &Staff{moves: map[string][]move{}} }

// Set notes what holds of an agent from now on.
func (s *Staff) Set(at time.Time, agent string, seats int, online bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moves[agent] = append(s.moves[agent], move{at, seats, online})
}

// settle is how long a commit may be on its way that was decided before a
// capacity was lowered.
const settle = 40 * time.Second

// Most returns the most seats that a commit may have relied on.
func (s *Staff) Most(agent string, now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.moves[agent]
	most := 0
	for i, m := range list {
		if i+1 == len(list) || list[i+1].at.After(now.Add(-settle)) {
			most = max(most, m.seats)
		}
	}
	return most
}

// Online reports whether an agent was there at some time from one to another.
func (s *Staff) Online(agent string, from, to time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.moves[agent]
	for i, m := range list {
		if m.online && !m.at.After(to) && (i+1 == len(list) || !list[i+1].at.Before(from)) {
			return true
		}
	}
	return false
}

// Changed returns when something about an agent changed last.
func (s *Staff) Changed(agent string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if list := s.moves[agent]; len(list) > 0 {
		return list[len(list)-1].at
	}
	return time.Time{}
}

// Covers reports whether an agent can do what is needed.
func Covers(a *handoff.Agent, n *handoff.Need) bool {
	if slices.Contains(n.Exclude, a.ID) || n.Mode == handoff.ModeVideo && !a.Video {
		return false
	}
	if n.Language != "" && len(a.Languages) > 0 && !slices.Contains(a.Languages, n.Language) {
		return false
	}
	return !slices.ContainsFunc(n.Skills, func(s handoff.Skill) bool {
		level, ok := a.Skills[s.Name]
		return !ok || level < s.Level
	})
}
