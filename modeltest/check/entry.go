package check

import (
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A position is an entry's place in a conversation.
type position struct{ number, seq int64 }

// sum extends the digest of a log by an entry.
func sum(before uint64, e *handoff.Entry) uint64 {
	h := fnv.New64a()
	for _, s := range []string{
		strconv.FormatUint(before, 36), e.ID, string(e.Kind), string(e.From.Role), e.From.ID, e.Text, e.Notice, string(e.State),
		strconv.FormatInt(e.Seq, 36), strconv.FormatInt(e.Epoch, 36), e.Call, e.Message,
	} {
		_, _ = h.Write([]byte(s))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

// Replay is a log from its start: the checker compares it with what it saw
// before, entry by entry.
func (c *Checker) Replay(id handoff.ID, log []handoff.Entry) []Violation {
	c.out = nil
	ch := c.chats[id.Conversation]
	if ch == nil || ch.past[id.Number] == nil {
		return nil
	}
	p := ch.past[id.Number]
	digest := uint64(0)
	for i := range log {
		if log[i].Seq > p.seq {
			break
		}
		digest = sum(digest, &log[i])
	}
	if digest != p.sum {
		c.bad(id, "the log is append-only (17)", "its first %d entries have changed", p.seq)
	}
	return c.out
}

// botMay says in which states text of the bot may reach the user.
var botMay = []handoff.State{
	handoff.StateBot, handoff.StateIntake, handoff.StateWaiting, handoff.StateOffered, handoff.StateConnecting, handoff.StateQueued,
}

// afterEnd is what a handoff that is over still takes.
var afterEnd = []handoff.Kind{
	handoff.KindNote, handoff.KindTagged, handoff.KindRated, handoff.KindLeft, handoff.KindUndelivered, handoff.KindGaveUp,
	handoff.KindClosed, handoff.KindBound, handoff.KindTimer, handoff.KindNext, handoff.KindRetracted,
}

// shownAs is the id under which users see an entry: it names no agent.
func shownAs(e *handoff.Entry) string {
	if e.From.Role == handoff.RoleBot || e.From.Role == handoff.RoleUser {
		return e.ID
	}
	return "n/" + strconv.FormatInt(e.Seq, 10) + "-" + strconv.FormatInt(e.At.UnixMilli(), 36)
}

// entry follows a log by one entry. Entries that were seen before are passed
// over.
func (c *Checker) entry(ch *chat, p *past, h *handoff.Handoff, e *handoff.Entry, wasFinal bool) {
	if e.Seq <= p.seq {
		return
	}
	id := h.ID
	if e.Seq != p.seq+1 || e.Handoff != id {
		c.bad(id, "the log is gap-free (17)", "entry %d of %v after %d", e.Seq, e.Handoff, p.seq)
	}
	if at, ok := p.ids[e.ID]; ok {
		c.bad(id, "entry ids are unique (18)", "%s at %d and %d", e.ID, at, e.Seq)
	}
	p.ids[e.ID], p.ids[shownAs(e)] = e.Seq, e.Seq
	p.seq, p.sum = e.Seq, sum(p.sum, e)
	p.entries[e.Seq] = brief{shown: shownAs(e), forUser: e.ForUser(), past: e.Past, from: e.From.Role, text: e.Text, at: e.At}
	if e.Kind == handoff.KindEnded {
		p.over = e.At
	}
	if e.Epoch < p.epoch {
		c.bad(id, "the epoch never falls (2)", "entry %d has %d after %d", e.Seq, e.Epoch, p.epoch)
	}
	if p.state != "" && human(p.state) != human(e.State) && e.Epoch <= p.epoch {
		c.bad(id, "the epoch rises at each change of control (2)", "entry %d: %s to %s at %d", e.Seq, p.state, e.State, e.Epoch)
	}
	if (p.state == handoff.StateEnded || p.state == handoff.StateWrapup) && e.State != p.state && e.State != handoff.StateEnded {
		c.bad(id, "what is over stays over (9)", "entry %d: %s to %s", e.Seq, p.state, e.State)
	}
	thanks := e.Kind == handoff.KindNotice && e.Notice == handoff.NoticeThanks
	if wasFinal && !slices.Contains(afterEnd, e.Kind) && !thanks {
		c.bad(id, "an ended handoff takes only notes, tags, ratings, messages left and the engine's own (9)", "entry %d is %s", e.Seq, e.Kind)
	}
	p.epoch, p.state = e.Epoch, e.State
	switch {
	case e.Kind == handoff.KindMessage && e.From.Role == handoff.RoleUser:
		c.userMessage(ch, p, h, e)
	case e.Kind == handoff.KindMessage && e.From.Role == handoff.RoleBot && !e.Past:
		if !slices.Contains(botMay, e.State) {
			c.bad(id, "the bot speaks in its turn only (3)", "entry %d while %s", e.Seq, e.State)
		}
		c.answers(ch, p, id, e)
	case e.Kind == handoff.KindDone:
		c.answers(ch, p, id, e)
	case e.Kind == handoff.KindMessage && (e.From.Role == handoff.RoleAgent || e.From.Role == handoff.RoleSupervisor) && e.Seen > 0:
		for m, seq := range p.pending {
			if seq <= e.Seen {
				p.settle(m, "agent at "+strconv.FormatInt(e.Seq, 10))
			}
		}
	case e.Kind == handoff.KindUnanswered, e.Kind == handoff.KindAnswered && e.About > 0:
		for m, seq := range p.pending {
			if seq == e.About {
				p.settle(m, string(e.Kind))
			}
		}
	case e.Kind == handoff.KindUndelivered && e.Data["sink"] == "channel" && e.Data["code"] != "reply_window":
		if about := p.entries[e.About]; c.rules.Ledger.Tried(id, about.shown) == 0 && (c.rules.Calm == nil || c.rules.Calm(about.at)) {
			c.bad(id, "what was given up was tried (R26)", "entry %d says that entry %d was not delivered", e.Seq, e.About)
		}
	case e.Kind == handoff.KindOffered:
		c.offered(p, h, e)
	case e.Kind == handoff.KindDeclined, e.Kind == handoff.KindLapsed && e.Reason == handoff.ReasonLapsed:
		p.declined[e.Agent] = e.At
	case e.Kind == handoff.KindTransferred, e.Kind == handoff.KindRequested:
		clear(p.declined)
	}
}

func human(s handoff.State) bool { return s == handoff.StateActive || s == handoff.StateHeld }

func (p *past) settle(message, how string) {
	p.settled[message] = how
	delete(p.pending, message)
}

// userMessage follows a message of the user: new, taken over from the handoff
// before, or history.
func (c *Checker) userMessage(ch *chat, p *past, h *handoff.Handoff, e *handoff.Entry) {
	if e.ID != "u/"+e.Message {
		return
	}
	m := ch.messages[e.Message]
	if !e.Past {
		if m != nil {
			c.bad(h.ID, "the same message is stored once (18)", "%s at %d was at %d of number %d", e.Message, e.Seq, m.seq, m.number)
		}
		if m == nil {
			ch.messages[e.Message] = &message{number: h.ID.Number, seq: e.Seq}
		}
		p.pending[e.Message] = e.Seq
		return
	}
	if prev := ch.past[h.ID.Number-1]; prev != nil {
		if _, ok := prev.pending[e.Message]; ok {
			p.pending[e.Message] = e.Seq
			if e.Seq > 2 && !p.entries[e.Seq-1].past {
				c.bad(h.ID, "what was unanswered comes before anything new (13)", "%s is at %d", e.Message, e.Seq)
			}
			return
		}
	}
	if m == nil {
		ch.messages[e.Message] = &message{number: h.ID.Number, seq: e.Seq} // history of the host
	}
}

// answers notes which messages an answer of the bot was for.
func (c *Checker) answers(ch *chat, p *past, id handoff.ID, e *handoff.Entry) {
	if e.Call == "" {
		return
	}
	for _, m := range c.rules.Ledger.Asked(id, e.Call) {
		p.settle(m, "bot by "+e.Call)
		msg := ch.messages[m]
		if msg == nil {
			continue // of an erased conversation
		}
		a := answer{id.Number, e.Call}
		if msg.answered.call != "" && msg.answered != a {
			c.bad(id, "no message is answered twice (R14)", "%s by %s and %s", m, msg.answered.call, e.Call)
		}
		msg.answered = a
	}
}

// pending compares what a handoff says is unanswered with its log.
func (c *Checker) pending(p *past, st *Stretch) {
	h := &st.Handoff
	left := map[string]bool{}
	for i := range h.Pending {
		m := h.Pending[i].Message
		left[m] = true
		if _, ok := p.pending[m]; !ok {
			c.bad(h.ID, "what was answered is not unanswered (11)", "%s, settled %q", m, p.settled[m])
		}
	}
	for m, seq := range p.pending {
		if !left[m] {
			c.bad(h.ID, "no message is lost (11)", "%s at %d is neither unanswered nor answered", m, seq)
			delete(p.pending, m)
		}
	}
}

// chain checks that each handoff hands on what it left.
func (c *Checker) chain(ch *chat, s *Chat) {
	for i := range s.Handoffs {
		h := &s.Handoffs[i].Handoff
		if h.IsOpen() || len(h.Pending) == 0 {
			continue
		}
		if i+1 == len(s.Handoffs) {
			if !h.NextOwed() || !slices.ContainsFunc(h.Deadlines, func(d handoff.Deadline) bool { return d.Kind == "next" }) {
				c.bad(h.ID, "whoever is left is handed on (R13)", "%s with %d unanswered messages and nobody who must act", h.State, len(h.Pending))
			}
			continue
		}
		next := ch.past[h.ID.Number+1]
		for j := range h.Pending {
			if _, ok := next.ids["u/"+h.Pending[j].Message]; !ok {
				c.bad(h.ID, "whoever is left is handed on (R13)", "%s is not in the next handoff", h.Pending[j].Message)
			}
		}
	}
}

// offered checks that an agent who was asked could take it.
func (c *Checker) offered(p *past, h *handoff.Handoff, e *handoff.Entry) {
	if e.From.Role != handoff.RoleEngine {
		return
	}
	const slack = 25 * time.Second // between reading who is there and the commit
	if !c.rules.Staff.Online(e.Agent, e.At.Add(-slack), e.At.Add(time.Millisecond)) {
		c.bad(h.ID, "only who is online is asked (22)", "%s at entry %d", e.Agent, e.Seq)
	}
	if slices.Contains(h.Need.Exclude, e.Agent) {
		c.bad(h.ID, "who is excluded is not asked (22)", "%s at entry %d", e.Agent, e.Seq)
	}
	q := c.queues[h.Need.Queue]
	if at, ok := p.declined[e.Agent]; ok && q != nil && e.At.Before(at.Add(q.Cooldown)) {
		c.bad(h.ID, "who declined is not asked again at once (a9)", "%s at entry %d", e.Agent, e.Seq)
	}
}

// shown checks what a user has seen: what the log says that he may see, in its
// order, of this conversation only.
func (c *Checker) shown(conversation string, ch *chat) {
	list := c.rules.Ledger.Shown(conversation, ch.shown)
	for i := range list {
		c.one(conversation, ch, &list[i])
	}
	ch.shown += len(list)
}

func (c *Checker) one(conversation string, ch *chat, s *Seen) {
	id := handoff.ID{Conversation: conversation, Number: s.Number}
	if t := Of(s.Text); t != "" && t != conversation {
		c.bad(id, "nothing of one conversation is shown in another (16)", "%q", s.Text)
	}
	p := ch.past[s.Number]
	if p == nil {
		if !c.rules.Unwatched && s.Number > ch.number {
			c.bad(id, "only the log is shown (3)", "%s of a handoff that does not exist", s.ID)
		}
		return
	}
	seq, ok := p.ids[s.ID]
	if !ok {
		if !c.rules.Unwatched {
			c.bad(id, "only the log is shown (3)", "%s is in no log", s.ID)
		}
		return
	}
	b := p.entries[seq]
	if !b.forUser || b.past || b.from == handoff.RoleUser {
		c.bad(id, "internal entries are never shown (15)", "entry %d", seq)
	}
	if b.text != s.Text {
		c.bad(id, "what is shown is what is in the log (15)", "entry %d", seq)
	}
	at := position{s.Number, seq}
	if compare(at, ch.last) < 0 {
		if s.Number == ch.last.number || !c.after(ch, at) {
			c.bad(id, "the user sees the order of the log (12)", "entry %d was shown after entry %d of number %d", seq, ch.last.seq, ch.last.number)
		}
		return
	}
	ch.last = at
}

// commitTime is how long a commit may be on its way: the default of
// Config.StoreTimeout.
const commitTime = 10 * time.Second

// after reports whether an entry of an older handoff was written after the
// newer one began: then either order is right. A log has the times at which
// entries were made, and what is added to a handoff that has ended (a message
// that was left) can reach the store after the next one, though it was made
// before. What ends a handoff cannot.
func (c *Checker) after(ch *chat, at position) bool {
	next := ch.past[at.number+1]
	if next == nil {
		return true
	}
	p := ch.past[at.number]
	made := p.entries[at.seq].at
	if !p.over.IsZero() && made.After(p.over) {
		made = made.Add(commitTime)
	}
	return !made.Before(next.created)
}
