// Package check holds what must be true of every system of engines at every
// moment, whatever failed before. The model test, the crash harness and the
// soak all call it. The numbers in the messages are those of the invariants
// in the project's reliability catalogue.
package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Snapshot is all that can be read of a system at one moment. A snapshot
// that is not Whole has only some conversations, but these completely.
type Snapshot struct {
	Now     time.Time
	Chats   []Chat
	Whole   bool
	Seats   map[string]int     // units in use, by agent; the agents of the snapshot's handoffs at least
	Lines   map[string][]Place // of a whole snapshot: who stands in each queue, in the order in which it is served
	Holders []handoff.Holding  // of a whole snapshot: who holds the keys that its records name
}

// A Chat is a conversation with its handoffs in the order of their numbers.
// One without handoffs was erased, or its handoffs were deleted.
type Chat struct {
	Conversation string
	Handoffs     []Stretch
}

// A Stretch is one handoff as the store and the engine show it.
type Stretch struct {
	Record  handoff.Record
	Handoff handoff.Handoff
	Log     []handoff.Entry // from some entry on, up to the end
}

// A Place is one who waits.
type Place struct {
	ID       handoff.ID
	Position int // as Engine.Place says
}

// A Violation is a rule that does not hold.
type Violation struct {
	Rule string
	ID   handoff.ID
	Text string
}

func (v Violation) String() string { return fmt.Sprintf("%s: %s: %s", v.ID, v.Rule, v.Text) }

// Rules is what the checker must know of the system's configuration.
type Rules struct {
	Queues    []handoff.Queue
	Unwatched bool
	Channel   bool
	Sinks     []string
	Ledger    *Ledger
	Staff     *Staff

	// Calm reports whether nothing has failed since a time; nil: nothing ever
	// does. What may be given up after failures must not be given up without.
	Calm func(since time.Time) bool
}

// A Checker compares snapshots with its rules and with the ones before.
type Checker struct {
	rules  Rules
	queues map[string]*handoff.Queue
	chats  map[string]*chat
	high   map[string]int // the most units that an agent may hold
	out    []Violation
	now    time.Time
}

// New returns a checker that has seen nothing yet.
func New(r Rules) *Checker {
	c := &Checker{rules: r, queues: map[string]*handoff.Queue{}, chats: map[string]*chat{}, high: map[string]int{}}
	for i := range r.Queues {
		c.queues[r.Queues[i].Name] = &r.Queues[i]
	}
	return c
}

// A chat is what is remembered of a conversation.
type chat struct {
	number   int64 // the highest that was seen
	epoch    int64 // the highest that was seen
	past     map[int64]*past
	messages map[string]*message // of the user, by id
	shown    int                 // how much of the ledger was looked at
	last     position            // of what was shown last
	erased   bool
}

// A message of the user.
type message struct {
	number, seq int64 // where it was stored first
	answered    answer
}

type answer struct {
	number int64
	call   string
}

// A past is what is remembered of a handoff.
type past struct {
	version, seq int64
	sum          uint64 // of the log
	ids          map[string]int64
	epoch        int64
	state        handoff.State // of the last entry
	held         handoff.Party // who had control
	outcome      handoff.Outcome
	enqueued     time.Time
	final        bool
	created      time.Time
	over         time.Time        // when it ended
	pending      map[string]int64 // the user's messages by id: their entries, until something settles them
	settled      map[string]string
	entries      map[int64]brief
	declined     map[string]time.Time // who declined or let lapse
}

// A brief is what is kept of an entry.
type brief struct {
	shown   string
	forUser bool
	past    bool
	from    handoff.Role
	text    string
	at      time.Time
}

// Next checks a snapshot against the rules and the snapshots before it.
func (c *Checker) Next(s *Snapshot) []Violation {
	c.out, c.now = c.rules.Ledger.violations(), s.Now
	for i := range s.Chats {
		c.chat(&s.Chats[i])
	}
	c.seats(s)
	if s.Whole {
		c.places(s)
		c.keys(s)
		c.lost(s)
	}
	return c.out
}

func (c *Checker) bad(id handoff.ID, rule, format string, args ...any) {
	c.out = append(c.out, Violation{Rule: rule, ID: id, Text: fmt.Sprintf(format, args...)})
}

func (c *Checker) chat(s *Chat) {
	ch := c.chats[s.Conversation]
	if ch == nil {
		ch = &chat{past: map[int64]*past{}, messages: map[string]*message{}}
		c.chats[s.Conversation] = ch
	}
	if len(s.Handoffs) == 0 {
		ch.past = map[int64]*past{}
		return
	}
	open := 0
	present := map[int64]bool{}
	for i := range s.Handoffs {
		st := &s.Handoffs[i]
		h := &st.Handoff
		present[h.ID.Number] = true
		if h.IsOpen() {
			open++
		}
		if h.ID.Number > ch.number && i > 0 && h.ID.Number != s.Handoffs[i-1].Handoff.ID.Number+1 {
			c.bad(h.ID, "handoffs are numbered 1, 2, 3 (R1)", "follows number %d", s.Handoffs[i-1].Handoff.ID.Number)
		}
		if h.ID.Number <= ch.number && ch.past[h.ID.Number] == nil {
			c.bad(h.ID, "a number is used once (R1)", "numbers up to %d were seen before", ch.number)
		}
		c.handoff(ch, st)
		c.record(st)
		ch.number = max(ch.number, h.ID.Number)
	}
	for n := range ch.past {
		if !present[n] {
			delete(ch.past, n)
		}
	}
	last := &s.Handoffs[len(s.Handoffs)-1].Handoff
	if open > 1 || open == 1 && !last.IsOpen() {
		c.bad(last.ID, "one open handoff for each conversation, the latest (10)", "%d are open", open)
	}
	c.chain(ch, s)
	c.shown(s.Conversation, ch)
}

// handoff follows one handoff.
func (c *Checker) handoff(ch *chat, st *Stretch) {
	h := &st.Handoff
	p := ch.past[h.ID.Number]
	if p == nil {
		p = &past{ids: map[string]int64{}, entries: map[int64]brief{}, pending: map[string]int64{}, settled: map[string]string{}, declined: map[string]time.Time{}, created: h.Created}
		ch.past[h.ID.Number] = p
		if h.Epoch <= ch.epoch && h.Seq == int64(len(st.Log)) && len(st.Log) > 0 && st.Log[0].Epoch <= ch.epoch {
			c.bad(h.ID, "the epoch rises from handoff to handoff (2)", "begins with %d after %d", st.Log[0].Epoch, ch.epoch)
		}
	} else {
		if h.Version < p.version {
			c.bad(h.ID, "versions rise", "%d after %d", h.Version, p.version)
		}
		if h.Version == p.version && h.Seq != p.seq {
			c.bad(h.ID, "each commit raises the version", "log went from %d to %d", p.seq, h.Seq)
		}
		by := h.Controller()
		if (by.Role != p.held.Role || by.ID != p.held.ID) && h.Epoch <= p.epoch {
			c.bad(h.ID, "the epoch rises at each change of control (2)", "%v to %v at %d", p.held, by, h.Epoch)
		}
		if h.Epoch < p.epoch {
			c.bad(h.ID, "the epoch never falls (2)", "%d after %d", h.Epoch, p.epoch)
		}
		if !p.enqueued.IsZero() && !h.Enqueued.Equal(p.enqueued) {
			c.bad(h.ID, "the place in time is kept (24)", "%v became %v", p.enqueued, h.Enqueued)
		}
		if p.outcome != "" && h.Outcome != p.outcome {
			c.bad(h.ID, "an outcome is final (9)", "%s became %s", p.outcome, h.Outcome)
		}
	}
	wasFinal := p.final
	for i := range st.Log {
		c.entry(ch, p, h, &st.Log[i], wasFinal)
	}
	if p.seq != h.Seq || st.Record.Seq != h.Seq {
		c.bad(h.ID, "the log is gap-free (17)", "log ends at %d, handoff says %d, record %d", p.seq, h.Seq, st.Record.Seq)
	}
	p.version, p.epoch, p.held, p.outcome = h.Version, h.Epoch, h.Controller(), h.Outcome
	p.enqueued = h.Enqueued
	p.final = h.State == handoff.StateEnded
	ch.epoch = max(ch.epoch, h.Epoch)
	c.pending(p, st)
}

// records returns the violations of a record by itself: what a store keeps is
// a function of the handoff.
func (c *Checker) record(st *Stretch) {
	r, h := &st.Record, &st.Handoff
	if r.Version != h.Version || r.State != h.State || r.Outcome != h.Outcome || r.Queue != h.Need.Queue || r.ID != h.ID {
		c.bad(h.ID, "a record is a function of the handoff (20)", "%+v", *r)
	}
	c.wake(r, h)
	c.shape(r, h)
	want := map[string]int{}
	if h.IsOpen() {
		want["conversation/"+h.ID.Conversation] = 1
	}
	seats := map[string]int{}
	for i := range h.Offers {
		if !h.Offers[i].Broadcast {
			seats[h.Offers[i].Agent] += h.Capacity()
		}
	}
	mayHold := ""
	if h.Provider == "" && h.Agent != "" {
		switch h.State {
		case handoff.StateActive, handoff.StateWrapup:
			seats[h.Agent] += h.Capacity()
		case handoff.StateHeld:
			if q := c.queues[h.Need.Queue]; q == nil || !q.ReleaseOnHold {
				mayHold = h.Agent
			} else if seats[h.Agent] == 0 {
				mayHold = h.Agent
			}
		}
	}
	for _, k := range r.Keys {
		kind, rest := cut(k.Name)
		switch kind {
		case "seat":
			if rest == mayHold {
				continue
			}
			// A wrap-up may begin while the seat was given back by a hold.
			if seats[rest] != k.Units {
				c.bad(h.ID, "keys are a function of the record (20)", "%s: holds %d units of %s, not %d", h.State, k.Units, k.Name, seats[rest])
			}
			delete(seats, rest)
		case "conversation":
			if want[k.Name] != k.Units {
				c.bad(h.ID, "keys are a function of the record (20)", "%s: holds %s", h.State, k.Name)
			}
			delete(want, k.Name)
		case "queue":
			if h.State != handoff.StateWaiting && h.State != handoff.StateOffered {
				c.bad(h.ID, "keys are a function of the record (20)", "%s: holds %s", h.State, k.Name)
			}
		case "provider":
			if h.State == handoff.StateEnded || h.State == handoff.StateWrapup {
				c.bad(h.ID, "keys are a function of the record (20)", "%s: holds %s", h.State, k.Name)
			}
		}
	}
	for name := range want {
		c.bad(h.ID, "keys are a function of the record (20)", "%s: does not hold %s", h.State, name)
	}
	for agent, n := range seats {
		if h.State == handoff.StateWrapup || n == 0 {
			continue // after a hold that gave the seat back
		}
		c.bad(h.ID, "keys are a function of the record (20)", "%s: does not hold the seat of %s", h.State, agent)
	}
}

func cut(key string) (kind, rest string) {
	for i := range len(key) {
		if key[i] == '/' {
			return key[:i], key[i+1:]
		}
	}
	return key, ""
}

func (c *Checker) wake(r *handoff.Record, h *handoff.Handoff) {
	if h.State != handoff.StateEnded && r.Wake.IsZero() {
		c.bad(h.ID, "every state but the last has a due time (31)", "%s has none", h.State)
	}
	for _, d := range h.Deadlines {
		if r.Wake.IsZero() || d.At.Before(r.Wake) {
			c.bad(h.ID, "Wake is never later than a deadline (R11)", "%s at %v, Wake %v", d.Kind, d.At, r.Wake)
		}
	}
}

// due is what a state must have armed, so that somebody acts.
var due = map[handoff.State][]string{
	handoff.StateOffered:    {"offer"},
	handoff.StateConnecting: {"open", "connect", "import"},
	handoff.StateQueued:     {"read", "open"}, // "open" when the platform told of the chat before its answer came
	handoff.StateWrapup:     {"wrapup"},
}

func (c *Checker) shape(r *handoff.Record, h *handoff.Handoff) {
	if kinds := due[h.State]; kinds != nil && !slices.ContainsFunc(h.Deadlines, func(d handoff.Deadline) bool { return slices.Contains(kinds, d.Kind) }) {
		c.bad(h.ID, "every state has a due time and somebody who must act (31)", "%s has none of %v", h.State, kinds)
	}
	waits := h.State == handoff.StateWaiting || h.State == handoff.StateOffered
	if (r.Line != "") != waits {
		c.bad(h.ID, "who waits stands in a line, and nobody else (20)", "%s in line %q", h.State, r.Line)
	}
	if waits && h.Enqueued.IsZero() {
		c.bad(h.ID, "who waits has a place in time (24)", "%s", h.State)
	}
	single, broadcast := 0, 0
	for i := range h.Offers {
		o := &h.Offers[i]
		switch {
		case o.Broadcast:
			broadcast++
		default:
			single++
		}
		if h.State != handoff.StateOffered && !o.Warm {
			c.bad(h.ID, "offers end with their state (23)", "%s with offer %d", h.State, o.Number)
		}
		if o.Number > h.OfferNo {
			c.bad(h.ID, "offers are numbered (R22)", "offer %d of %d", o.Number, h.OfferNo)
		}
	}
	if single > 1 || single == 1 && broadcast > 0 {
		c.bad(h.ID, "at most one live offer (23)", "%s with %d and %d to several", h.State, single, broadcast)
	}
	if len(h.Offers) == 0 && h.State == handoff.StateOffered {
		c.bad(h.ID, "an offered handoff has an offer (23)", "none")
	}
	switch h.State {
	case handoff.StateActive, handoff.StateHeld:
		if h.Agent == "" {
			c.bad(h.ID, "an agent has control of an active handoff (1)", "nobody has")
		}
	case handoff.StateWaiting, handoff.StateOffered, handoff.StateConnecting, handoff.StateQueued, handoff.StateBot, handoff.StateIntake:
		if h.Agent != "" {
			c.bad(h.ID, "nobody holds what waits (1)", "%s is held by %s", h.State, h.Agent)
		}
	}
	over := h.State == handoff.StateWrapup || h.State == handoff.StateEnded
	if over != (h.Outcome != "") {
		c.bad(h.ID, "what is over has an outcome, and nothing else has (8)", "%s with outcome %q", h.State, h.Outcome)
	}
	if h.Outcome != "" && !slices.Contains(outcomes, h.Outcome) {
		c.bad(h.ID, "outcomes are a closed set (8)", "%q", h.Outcome)
	}
	seen := map[string]bool{}
	for i := range h.Pending {
		if p := &h.Pending[i]; seen[p.Message] || p.Seq > h.Seq || i > 0 && p.Seq <= h.Pending[i-1].Seq {
			c.bad(h.ID, "unanswered messages stand once, in order (12)", "%s at %d", p.Message, p.Seq)
		}
		seen[h.Pending[i].Message] = true
	}
}

var outcomes = []handoff.Outcome{
	handoff.OutcomeResolved, handoff.OutcomeReturned, handoff.OutcomeCancelled, handoff.OutcomeAbandoned, handoff.OutcomeMissed,
	handoff.OutcomeUnavailable, handoff.OutcomeIdle, handoff.OutcomeFailed, handoff.OutcomeContained, handoff.OutcomeHanded,
}

// keys compares the keys of all records with who the store says holds them.
func (c *Checker) keys(s *Snapshot) {
	want := map[handoff.Holding]bool{}
	for i := range s.Chats {
		for j := range s.Chats[i].Handoffs {
			r := &s.Chats[i].Handoffs[j].Record
			for _, k := range r.Keys {
				want[handoff.Holding{Key: k.Name, ID: r.ID, Units: k.Units}] = true
			}
		}
	}
	for _, h := range s.Holders {
		if !want[h] && !strings.HasPrefix(h.ID.Conversation, "erased:") { // of erasures the numbers stay used up
			c.bad(h.ID, "holders are a function of the records (20)", "holds %d of %s", h.Units, h.Key)
		}
		delete(want, h)
	}
	for h := range want {
		c.bad(h.ID, "holders are a function of the records (20)", "does not hold %d of %s", h.Units, h.Key)
	}
}

// places checks that the places of a queue are 1 to n.
func (c *Checker) places(s *Snapshot) {
	for queue, list := range s.Lines {
		for i, p := range list {
			if p.Position != i+1 {
				c.bad(p.ID, "places are a permutation, in the order of service (26)", "place %d in queue %s is told as %d", i+1, queue, p.Position)
			}
		}
	}
}

// seats checks that nobody has more than he can take. Who had more before his
// capacity was lowered keeps what he had.
func (c *Checker) seats(s *Snapshot) {
	for agent, load := range s.Seats {
		most, high := c.rules.Staff.Most(agent, c.now), c.high[agent]
		if load > max(most, high) {
			c.bad(handoff.ID{}, "nobody has more than his seats (19, 21)", "%s holds %d of %d", agent, load, max(most, high))
		}
		c.high[agent] = max(most, min(load, max(most, high)))
	}
}

// lost checks that what was acknowledged is there.
func (c *Checker) lost(s *Snapshot) {
	if c.rules.Unwatched {
		return
	}
	for i := range s.Chats {
		name := s.Chats[i].Conversation
		ch := c.chats[name]
		for _, id := range c.rules.Ledger.Acknowledged(name) {
			if ch.messages[id] == nil {
				c.bad(handoff.ID{Conversation: name}, "no acknowledged message is lost (11)", "%s is in no log", id)
			}
		}
	}
}

func compare(a, b position) int {
	return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.seq, b.seq))
}
