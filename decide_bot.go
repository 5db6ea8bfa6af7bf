package handoff

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"time"
)

// said is what a user wrote, as the engine stores it.
type said struct {
	id      string // the host's
	text    string
	files   []File
	payload []byte
	at      time.Time
}

// entryID returns the id of a user's message in a log.
func (s *said) entryID() string { return userEntry(s.id) }

func userEntry(message string) string { return "u/" + message }

func hash(s string) uint64 {
	sum := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint64(sum[:])
}

// about is what a host knows about a conversation; empty fields change
// nothing.
type about struct {
	user     *Contact
	language string
	channel  string
	url      string
}

func (x *change) learn(a about) {
	h := &x.h
	if a.user != nil && !a.user.isZero() {
		h.User = a.user
	}
	if a.language != "" {
		h.Language = a.language
	}
	if a.channel != "" {
		h.Channel = a.channel
	}
	if a.url != "" {
		h.URL = a.url
	}
}

// cOpen makes handoff n+1 of a conversation, taking over what handoff n left:
// its unanswered messages, in order and under their ids, and the packet for
// the bot. then is what opened it.
type cOpen struct {
	conversation string
	prev         *Handoff // nil for the first
	carried      []Entry  // prev's unanswered messages, in order
	then         []command
}

func (c cOpen) name() string { return "open" }

func (c cOpen) apply(x *change) error {
	h := &x.h
	h.ID = ID{Conversation: c.conversation, Number: 1}
	h.State, h.Created, h.own.Stands, h.Epoch = StateBot, x.now, x.now, 1
	kind := KindOpened
	if p := c.prev; p != nil {
		h.ID.Number = p.ID.Number + 1
		h.Epoch = p.Epoch + 1
		h.own.Known, h.User, h.Language, h.Channel, h.URL = p.own.Known, p.User, p.Language, p.Channel, p.URL
		h.LastAgent, h.Bot, h.LastUser, h.own.Failures = p.LastAgent, p.Bot, p.LastUser, p.own.Failures
		x.recall(p)
		if p.StayOut.After(x.now) {
			h.StayOut = p.StayOut
			x.setAt(dueStayOut, p.StayOut)
		}
		if p.own.NextOwed {
			kind = KindCarried
			h.own.Packet = &packet{Number: p.ID.Number, Outcome: p.Outcome, Human: p.Attended, Quiet: p.own.Quiet}
		}
	}
	e := x.event(kind)
	if h.own.Packet != nil {
		e.Data = map[string]string{"number": strconv.FormatInt(h.own.Packet.Number, 10), "outcome": string(h.own.Packet.Outcome)}
	}
	for i := range c.carried {
		x.carry(c.prev, &c.carried[i])
	}
	x.before = h.Controller()
	if h.own.Packet != nil && h.StayOut.IsZero() {
		x.handOut("packet")
	}
	x.set(dueIdle, x.rules.botIdle)
	for _, then := range c.then {
		if err := then.apply(x); err != nil {
			return err
		}
	}
	return nil
}

// carry takes over one unanswered message.
func (x *change) carry(prev *Handoff, old *Entry) {
	id := userEntry(old.Message)
	if slices.ContainsFunc(x.entries, func(e Entry) bool { return e.ID == id }) {
		return
	}
	e := x.addAs(id, KindMessage, old.From)
	e.Text, e.Files, e.Payload, e.Message, e.Past, e.At = old.Text, old.Files, old.Payload, old.Message, true, old.At
	p := Pending{Message: old.Message, Seq: e.Seq, At: old.At}
	for i := range prev.Pending {
		if prev.Pending[i].Message == old.Message {
			p.Resumes = prev.Pending[i].Resumes
		}
	}
	x.h.Pending = append(slices.Clip(x.h.Pending), p)
	x.dueAnswer()
}

// handOut owes the packet to the bot and gives it the messages that no call
// may answer yet.
func (x *change) handOut(call string) {
	if !x.rules.bot {
		return
	}
	p := *x.h.own.Packet
	p.Call = call
	x.h.own.Packet = &p
	x.owed(sinkPacket, sinkPacket, x.h.Seq)
	x.assign(call)
}

// assign gives every message that no call may answer to one call.
func (x *change) assign(callID string) {
	out := slices.Clone(x.h.Pending)
	for i := range out {
		if out[i].Call == "" {
			out[i].Call = callID
		}
		if out[i].Due.IsZero() && x.rules.botTimeout >= 0 {
			out[i].Due = x.now.Add(x.rules.botTimeout)
		}
	}
	x.h.Pending = out
	x.h.own.Calls = append(slices.Clip(x.h.own.Calls), call{ID: callID, At: x.now})
	x.trimCalls()
	x.dueAnswer()
}

// mostPending is how many unanswered messages of a user are kept for the bot.
const mostPending = 200

// trimPending forgets what is in the middle of a long series that nobody has
// answered, so that a record stays small whatever a user does: how it began and
// what came last tell a bot more, and the log has everything.
func (x *change) trimPending() {
	const keep = 50 // of the first
	if p := x.h.Pending; len(p) > mostPending {
		x.h.Pending = slices.Delete(slices.Clone(p), keep, keep+len(p)-mostPending)
	}
}

// unassign takes every message from its call: the bot lost control.
func (x *change) unassign() {
	out := slices.Clone(x.h.Pending)
	for i := range out {
		out[i].Call, out[i].Due = "", time.Time{}
	}
	x.h.Pending = out
	x.drop(dueAnswer)
}

// dueAnswer arms the bot timeout for the message that is due first. A message
// that waits for no call is due too, so that nothing waits for ever.
func (x *change) dueAnswer() {
	if x.rules.botTimeout < 0 || x.h.Controller().Role != RoleBot {
		return
	}
	at, armed := x.h.deadline(dueAnswer)
	for i := range x.h.Pending {
		due := x.h.Pending[i].Due
		if due.IsZero() {
			if x.h.State != StateBot {
				continue // a person will come
			}
			due = x.now.Add(x.rules.botTimeout)
		}
		if !armed || due.Before(at) {
			at, armed = due, true
			x.setAt(dueAnswer, at)
		}
	}
}

// trimCalls forgets the oldest calls that have answered; the bot may add to
// the last few.
func (x *change) trimCalls() {
	const most = 32
	for i := 0; len(x.h.own.Calls) > most && i < len(x.h.own.Calls); {
		if x.h.own.Calls[i].Replied {
			x.h.own.Calls = slices.Delete(slices.Clone(x.h.own.Calls), i, i+1)
			continue
		}
		i++
	}
}

// settle removes the messages up to and including seq from the unanswered.
func (x *change) settle(keep func(Pending) bool) {
	if len(x.h.Pending) > 0 {
		x.h.Pending = slices.DeleteFunc(slices.Clone(x.h.Pending), func(p Pending) bool { return !keep(p) })
	}
}

// cReceive is a message of the user.
type cReceive struct {
	said  said
	about about
	heard heard
	door  door // of the queue that a form leads to with this answer
}

func (c cReceive) name() string { return "receive" }

func (c cReceive) apply(x *change) error {
	h := &x.h
	x.learn(c.about)
	e := x.addAs(c.said.entryID(), KindMessage, Party{Role: RoleUser})
	if h.User != nil {
		e.From.ID, e.From.Name = h.User.ID, h.User.Name
	}
	e.Text, e.Files, e.Payload, e.Message = c.said.text, c.said.files, c.said.payload, c.said.id
	if c.said.at.Before(x.now) && !c.said.at.IsZero() {
		e.At = c.said.at.Truncate(time.Millisecond)
	}
	h.own.Known = h.own.Known.add(hash(c.said.id), x.now)
	h.LastUser = x.now
	h.own.Warned = false
	h.Pending = append(slices.Clip(h.Pending), Pending{Message: c.said.id, Seq: e.Seq, At: e.At})
	if h.Controller().Role == RoleBot {
		x.assign(receiveCall(c.said.id))
	} else {
		x.trimPending()
	}
	// Who waits and is asked may still say that he wants nobody.
	if h.State == StateIntake || h.own.Intake != nil && c.heard.then == nil {
		x.answerBy(c.said.text, c.door)
		return nil
	}
	return x.hear(c.heard)
}

func receiveCall(message string) string { return "m/" + message }

// cReply is an answer of the bot.
type cReply struct {
	turn  Turn
	msg   Message
	heard heard
}

func (c cReply) name() string { return "reply" }

// current checks that a turn still holds.
func (x *change) current(t *Turn) error {
	if t.Number != x.h.ID.Number || t.Epoch != x.h.Epoch || x.h.Controller().Role != RoleBot {
		return ErrStale
	}
	if !slices.ContainsFunc(x.h.own.Calls, func(c call) bool { return c.ID == t.Call }) {
		return ErrStale
	}
	return nil
}

func (c cReply) apply(x *change) error {
	if err := x.current(&c.turn); err != nil {
		return err
	}
	x.says(c.msg, c.turn.Call)
	x.answered(c.turn.Call, false)
	x.h.own.Failures = 0
	if err := x.hear(c.heard); err != nil {
		return err
	}
	x.offerPerson()
	return nil
}

func (x *change) says(m Message, call string) {
	e := x.add(KindMessage, Party{Role: RoleBot, ID: x.h.Bot})
	e.Text, e.Files, e.Payload, e.Message, e.Call = m.Text, m.Files, m.Payload, m.ID, call
	x.h.LastSaid = x.now
}

// answered settles the messages of a call. A call that is done cannot answer
// any more.
func (x *change) answered(id string, done bool) {
	x.settle(func(p Pending) bool { return p.Call != id })
	out := slices.Clone(x.h.own.Calls)
	for i := range out {
		if out[i].ID == id {
			out[i].Replied = true
		}
	}
	if done {
		out = slices.DeleteFunc(out, func(c call) bool { return c.ID == id })
	}
	x.h.own.Calls = out
}

// cRetract records that a streamed reply was broken off.
type cRetract struct{ id string }

func (c cRetract) name() string { return "retract" }

func (c cRetract) apply(x *change) error {
	e := x.event(KindRetracted)
	e.Message = c.id
	return nil
}

// cDone says that the bot has nothing (more) to say.
type cDone struct{ turn Turn }

func (c cDone) name() string { return "done" }

func (c cDone) apply(x *change) error {
	if err := x.current(&c.turn); err != nil {
		return err
	}
	e := x.add(KindDone, Party{Role: RoleBot, ID: x.h.Bot})
	e.Call = c.turn.Call
	x.answered(c.turn.Call, true)
	return nil
}

// cSay is a message of the bot that answers nobody.
type cSay struct{ msg Message }

func (c cSay) name() string { return "say" }

func (c cSay) apply(x *change) error {
	if x.h.Controller().Role != RoleBot {
		return ErrStale
	}
	x.says(c.msg, "")
	return nil
}

// cHandover gives the user to another bot.
type cHandover struct {
	turn Turn
	bot  string
	note string
}

func (c cHandover) name() string { return "handover" }

func (c cHandover) apply(x *change) error {
	if err := x.current(&c.turn); err != nil {
		return err
	}
	x.h.Bot = c.bot
	e := x.event(KindHanded)
	e.Text, e.Data = c.note, map[string]string{"bot": c.bot}
	x.over(OutcomeHanded, "")
	return nil
}

// cForget ends an idle bot record so that its conversation can be erased.
type cForget struct{}

func (c cForget) name() string { return "forget" }

func (c cForget) apply(x *change) error {
	if len(x.h.Pending) > 0 {
		return ErrOpen
	}
	x.contain()
	return nil
}

// contain ends a stretch in which the bot was enough.
func (x *change) contain() {
	x.to(StateEnded)
	x.h.Outcome, x.h.Ended = OutcomeContained, x.now
	if x.h.Refused {
		x.h.Outcome = OutcomeUnavailable
	}
	keep := x.rules.keepIdle
	if x.h.Refused || x.h.LeftMessage {
		keep = x.rules.keepEnded
	}
	x.event(KindEnded).Data = map[string]string{"outcome": string(x.h.Outcome)}
	x.drop(dueAnswer, dueIdle, dueStayOut)
	x.keep(keep)
}

// keep arms what an ended handoff still has to be looked at for.
func (x *change) keep(d time.Duration) {
	if len(x.h.own.Owed) > 0 {
		x.set(dueAudit, look)
	}
	x.drop(dueKeep)
	if d >= 0 {
		x.set(dueKeep, max(d, look+time.Hour))
	}
}

// cImport appends the history that the host keeps.
type cImport struct {
	past   []Past
	failed bool
}

func (c cImport) name() string { return "import" }

func (c cImport) apply(x *change) error {
	if !x.h.own.Importing {
		return ErrStale
	}
	x.drop(dueImport)
	x.h.own.Importing = false
	e := x.event(KindImported)
	if c.failed {
		e.Reason = ReasonImportFailed
	}
	x.past(c.past)
	if b := x.h.live(); b != nil && b.Status == BindOpening && b.Tries == 0 {
		x.from()
	}
	return nil
}

// past appends earlier messages under the host's ids. Those that the log has
// already are left out by the caller.
func (x *change) past(list []Past) {
	for _, p := range list {
		if p.From.Role == "" {
			p.From.Role = RoleUser
		}
		id := userEntry(p.ID)
		if p.From.Role != RoleUser {
			id = "h/" + p.ID
		}
		if slices.ContainsFunc(x.entries, func(e Entry) bool { return e.ID == id }) {
			continue
		}
		e := x.addAs(id, KindMessage, p.From)
		e.Text, e.Files, e.Message, e.Past = p.Text, p.Files, p.ID, true
		if !p.At.IsZero() {
			e.At = p.At.Truncate(time.Millisecond)
		}
		if p.From.Role == RoleUser {
			x.h.own.Known = x.h.own.Known.add(hash(p.ID), x.now)
		}
	}
}

// cLeave is a message for a team that is not there.
type cLeave struct {
	who  Party
	text string
	data map[string]string
}

func (c cLeave) name() string { return "leave a message" }

func (c cLeave) apply(x *change) error {
	e := x.add(KindLeft, c.who)
	e.Text, e.Data = c.text, c.data
	x.h.LeftMessage = true
	x.notice(NoticeThanks, nil)
	if x.h.Outcome == OutcomeContained {
		x.keep(x.rules.keepEnded)
	}
	return nil
}

// cRate is the user's opinion, once.
type cRate struct {
	score   int
	comment string
}

func (c cRate) name() string { return "rate" }

func (c cRate) apply(x *change) error {
	if x.h.Rating != nil || !x.h.Attended {
		return &StateError{ID: x.h.ID, State: x.h.State, Command: c.name()}
	}
	x.h.Rating = &Rating{Score: c.score, Comment: c.comment, At: x.now}
	e := x.add(KindRated, Party{Role: RoleUser})
	e.Text, e.Data = c.comment, map[string]string{"score": strconv.Itoa(c.score)}
	return nil
}
