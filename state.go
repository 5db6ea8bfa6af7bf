package handoff

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// A command is something that somebody wants to happen to a handoff. Commands
// carry the facts that deciding needs: who is online, how many seats somebody
// has, whether a queue is open. Nothing else decides what may follow what.
type command interface {
	name() string
	apply(x *change) error
}

// allowed says in which states a command is accepted at all. Commands check
// the rest themselves.
var allowed = map[string][]State{
	"open":            {""},
	"refuse":          {StateBot},
	"receive":         {StateBot, StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued, StateActive, StateHeld},
	"reply":           {StateBot, StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued},
	"retract":         {StateBot, StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued, StateActive, StateHeld, StateWrapup, StateEnded},
	"done":            {StateBot, StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued},
	"say":             {StateBot, StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued},
	"handover":        {StateBot},
	"request":         {StateBot},
	"fail":            {StateBot},
	"call back":       {StateWaiting, StateOffered},
	"ask for video":   {StateActive, StateHeld},
	"import":          {StateIntake, StateWaiting, StateConnecting, StateQueued, StateActive},
	"answer":          {StateIntake, StateWaiting, StateOffered},
	"cancel":          {StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued, StateActive, StateHeld},
	"leave a message": {StateBot, StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued, StateWrapup, StateEnded},
	"rate":            {StateWrapup, StateEnded},

	"offer":     {StateWaiting},
	"accept":    {StateWaiting, StateOffered, StateActive, StateHeld},
	"decline":   {StateWaiting, StateOffered, StateActive, StateHeld},
	"send":      {StateActive},
	"join":      {StateBot, StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued, StateActive, StateHeld},
	"note":      States(),
	"whisper":   {StateBot, StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued, StateActive, StateHeld, StateWrapup},
	"tag":       States(),
	"hold":      {StateActive},
	"resume":    {StateHeld},
	"extend":    {StateOffered, StateActive, StateHeld, StateWrapup},
	"transfer":  {StateWaiting, StateOffered, StateQueued, StateActive, StateHeld},
	"take back": {StateActive, StateHeld},
	"requeue":   {StateOffered, StateActive, StateHeld},
	"return":    {StateActive, StateHeld},
	"end":       {StateActive, StateHeld, StateWrapup},
	"take over": {StateBot, StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued, StateActive, StateHeld},
	"assign":    {StateWaiting, StateOffered, StateActive, StateHeld},
	"video":     {StateActive},
	"priority":  {StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued},
	"notify":    {StateBot, StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued, StateActive, StateHeld},
	"summary":   States(),

	"fire":        States(),
	"tell":        {StateWaiting, StateOffered, StateQueued},
	"away":        {StateOffered, StateActive, StateHeld, StateWrapup},
	"back":        {StateActive, StateHeld, StateWrapup},
	"opened":      {StateWrapup, StateEnded},
	"undelivered": States(),
	"give up":     States(),
	"forget":      {StateBot},

	"attempt":     {StateConnecting, StateQueued, StateActive, StateHeld},
	"bound":       States(),
	"open failed": States(),
	"platform":    States(),
	"close":       States(),
	"ticket":      States(),
}

// A change is a command being decided: the handoff as it will be, and the
// entries that say so.
type change struct {
	rules   *rules
	queue   *Queue // of h.Need.Queue
	h       Handoff
	before  Party // who had control
	now     time.Time
	op      string
	entries []Entry
	made    int
	start   int64  // the log's end before this change
	rebind  bool   // the live binding's transcript ends with this change
	was     string // h.Need.Queue before
}

// decide returns what c makes of h at the time now, or why it must not
// happen. It is pure: it does no I/O, reads no clock and changes nothing that
// it was given. op names the command; the entries' ids are made of it.
func (r *rules) decide(h *Handoff, c command, op string, now time.Time) (*Handoff, []Entry, error) {
	now = now.Truncate(time.Millisecond)
	if !slices.Contains(allowed[c.name()], h.State) {
		return nil, nil, &StateError{ID: h.ID, State: h.State, Command: c.name()}
	}
	x := &change{rules: r, h: *h, now: now, op: op, start: h.Seq, queue: r.queue(h.Need.Queue), was: h.Need.Queue}
	if h.State != "" {
		x.before = h.Controller()
	}
	if err := c.apply(x); err != nil {
		return nil, nil, err
	}
	x.settleWaiting()
	if h := &x.h; h.own.Intake != nil && h.State != StateIntake && h.State != StateWaiting && h.State != StateOffered {
		h.own.Intake = nil // a person or a platform has him now, who can ask
	}
	x.finish()
	x.h.forget()
	return &x.h, x.entries, nil
}

// add appends an entry and returns it for more fields. It stays valid until
// the next add.
func (x *change) add(kind Kind, from Party) *Entry {
	id := x.op
	if x.made > 0 {
		id += "/" + strconv.Itoa(x.made)
	}
	x.made++
	return x.addAs(id, kind, from)
}

func (x *change) addAs(id string, kind Kind, from Party) *Entry {
	x.h.Seq++
	x.entries = append(x.entries, Entry{
		ID: id, Handoff: x.h.ID, Seq: x.h.Seq, At: x.now, Kind: kind, From: from,
	})
	return &x.entries[len(x.entries)-1]
}

// event appends an entry of the engine.
func (x *change) event(kind Kind) *Entry { return x.add(kind, Party{Role: RoleEngine}) }

// notice appends words for the user, if there are any. A platform that
// carries the user's messages itself speaks for itself.
func (x *change) notice(key string, data map[string]string) {
	if x.rules.custody[x.h.Provider] == CustodyConversation && x.h.Provider != "" {
		return
	}
	text := x.rules.notices.Text(Notice{Key: key, Language: x.h.Language, Queue: x.h.Need.Queue, Channel: x.h.Channel, Data: data})
	if text == "" {
		return
	}
	e := x.event(KindNotice)
	e.Notice, e.Text, e.Data = key, text, data
}

func (x *change) noticeAgent(key string) { x.notice(key, map[string]string{"agent": x.h.AgentName}) }

// to moves to a state: the time in the old one is booked, and its deadlines
// are gone.
func (x *change) to(s State) {
	x.book()
	was := x.h.inLine()
	x.h.State, x.h.own.Stands = s, x.now
	if !was && x.h.inLine() {
		x.h.own.Lined = x.now
	}
	x.drop(stateDeadlines...)
}

// book adds the time in the present state to the stretches.
func (x *change) book() {
	if x.h.own.Stands.IsZero() {
		return
	}
	d, t := max(0, x.now.Sub(x.h.own.Stands)), &x.h.Stretch
	switch x.h.State {
	case StateBot:
		t.Bot += d
	case StateIntake:
		t.Intake += d
	case StateWaiting, StateOffered, StateConnecting, StateQueued:
		t.Wait += d
	case StateActive:
		t.Human += d
	case StateHeld:
		t.Held += d
	case StateWrapup:
		t.Wrapup += d
	case StateEnded:
	}
}

// settleWaiting sees to one who came back to wait where none of our own agents
// serves: a queue of platforms goes to a platform, and where there is no queue
// at all the bot goes on.
func (x *change) settleWaiting() {
	switch {
	case x.h.State != StateWaiting:
	case x.h.Need.Queue == "":
		x.over(OutcomeMissed, NoticeMissed)
	case len(x.queue.Providers) > 0:
		x.connect("")
	}
}

// finish settles what follows from the change as a whole.
func (x *change) finish() {
	h := &x.h
	h.Updated = x.now
	x.control()
	x.armService()
	live := h.live()
	if x.rebind && live != nil {
		x.binding(live.Number).From = h.Seq
	}
	if live == nil || live.Status != BindOpening {
		x.drop(dueOpen)
	}
	if live == nil {
		x.drop(dueRead)
	}
	if h.own.Intake == nil {
		x.drop(dueIntake)
	}
	for i := range x.entries {
		e := &x.entries[i]
		e.State, e.Epoch = h.State, h.Epoch
		x.owe(e)
	}
}

// control raises the epoch when somebody else answers the user now: the calls
// of before are over.
func (x *change) control() {
	h, after := &x.h, x.h.Controller()
	if x.before.Role == "" || after.Role == x.before.Role && after.ID == x.before.ID {
		return
	}
	x.before = after
	h.Epoch++
	h.own.Calls = nil
	if after.Role != RoleBot {
		x.unassign()
	}
}

// owe notes who has to get an entry.
func (x *change) owe(e *Entry) {
	switch {
	case e.ForUser() && !e.Past && e.From.Role != RoleUser && x.rules.channel:
		x.owed(sinkChannel, sinkChannel, e.Seq)
	case (e.Kind == KindJoined || e.Kind == KindCalled) && x.rules.bot:
		x.owed(sinkBot, sinkBot, e.Seq)
	}
	if b := x.h.live(); b != nil && e.Seq > b.From && x.rules.relays(b.Provider, e) {
		x.owed(sinkProvider+b.Provider, b.cursor(), e.Seq)
	}
	if p := x.queue.Tickets; p != "" && e.wantsTicket() {
		x.owed(sinkTicket+p, sinkTicket+p, e.Seq)
	}
	if e.Kind == KindTimer {
		return // says nothing to anybody
	}
	for _, s := range x.rules.sinks {
		x.owed(sinkNamed+s, sinkNamed+s, e.Seq)
	}
	for _, o := range x.h.own.Owed {
		// A sink of another replica, or of one that is gone: the audit tells.
		if name, ok := strings.CutPrefix(o.Sink, sinkNamed); ok && !slices.Contains(x.rules.sinks, name) {
			x.owed(o.Sink, o.Cursor, e.Seq)
		}
	}
}

// wantsTicket reports whether a queue that makes tickets makes one of e.
func (e *Entry) wantsTicket() bool {
	return e.Kind == KindLeft || e.Kind == KindMissed && e.Data["ticket"] != ""
}

// relays reports whether a platform gets e: as a message what the user says,
// and what the bot says while the platform has the conversation; as a note,
// where it takes notes, what its own agents did not write.
func (r *rules) relays(provider string, e *Entry) bool {
	switch e.Kind {
	case KindMessage:
		return (e.From.Role == RoleUser || e.From.Role == RoleBot) && !e.Past && r.custody[provider] != CustodyConversation
	case KindNote, KindWhisper:
		return r.noters[provider] && !strings.HasPrefix(e.From.ID, provider+":")
	default:
		return false
	}
}

func (x *change) owed(sink, cursor string, seq int64) {
	out := slices.Clone(x.h.own.Owed)
	i := slices.IndexFunc(out, func(o Owed) bool { return o.Cursor == cursor })
	if i < 0 {
		out = append(out, Owed{Sink: sink, Cursor: cursor, Seq: seq})
	} else {
		out[i].Seq = max(out[i].Seq, seq)
	}
	x.h.own.Owed = out
}

// The names of the receivers.
const (
	sinkChannel  = "channel"
	sinkBot      = "bot"
	sinkPacket   = "packet"
	sinkProvider = "provider/"
	sinkTicket   = "ticket/"
	sinkNamed    = "sink/"
)

func (b *Binding) cursor() string {
	return sinkProvider + b.Provider + "/" + strconv.FormatInt(b.Number, 10)
}

// set arms a deadline, replacing one of its kind. Never disarms it.
func (x *change) set(kind string, after time.Duration) {
	if after < 0 {
		x.drop(kind)
		return
	}
	x.setAt(kind, x.now.Add(after))
}

func (x *change) setAt(kind string, at time.Time) {
	out := slices.DeleteFunc(slices.Clone(x.h.Deadlines), func(d Deadline) bool { return d.Kind == kind })
	out = append(out, Deadline{Kind: kind, At: at.Truncate(time.Millisecond)})
	x.h.Deadlines = out
}

func (x *change) drop(kinds ...string) {
	if slices.ContainsFunc(x.h.Deadlines, func(d Deadline) bool { return slices.Contains(kinds, d.Kind) }) {
		x.h.Deadlines = slices.DeleteFunc(slices.Clone(x.h.Deadlines), func(d Deadline) bool {
			return slices.Contains(kinds, d.Kind)
		})
	}
}

func (h *Handoff) deadline(kind string) (time.Time, bool) {
	for _, d := range h.Deadlines {
		if d.Kind == kind {
			return d.At, true
		}
	}
	return time.Time{}, false
}

// The kinds of deadlines.
const (
	dueOffer      = "offer"      // an offer lapses
	dueLadder     = "ladder"     // the next rung
	dueIntake     = "intake"     // the form lapses
	dueImport     = "import"     // history is to be read
	dueOpen       = "open"       // a platform is to be opened
	dueConnect    = "connect"    // a platform had its time
	dueRead       = "read"       // a platform's state is to be read
	dueFirstReply = "firstreply" // the agent's first message
	dueAnswer     = "answer"     // the bot's answer
	dueIdle       = "idle"
	dueHold       = "hold"
	dueWrapup     = "wrapup"
	dueGrace      = "grace"    // an agent is away
	dueStayOut    = "stayout"  // the bot may speak again
	dueCooldown   = "cooldown" // somebody may be asked again
	dueNext       = "next"     // the next handoff is to be opened
	dueClose      = "close"    // a vendor's chat is to be closed
	dueAudit      = "audit"    // receivers that nobody serves are given up
	dueKeep       = "keep"     // the record may go
	dueClosing    = "closing"  // the queue closes
	dueAlert      = "alert"    // a user has had no answer for long
	dueSummary    = "summary"  // a model is to sum up
)

// stateDeadlines end with the state they were set in.
var stateDeadlines = []string{
	dueOffer, dueLadder, dueConnect, dueFirstReply,
	dueIdle, dueHold, dueWrapup, dueGrace, dueCooldown,
}
