package handoff

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff/trigger"
)

// The world of the state table: queues of every kind, three agents, two
// platforms, and every command with the guards that matter.

var tableStart = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// tableRules returns one set of rules for each way in which an engine as a
// whole can differ.
func tableRules() []*rules {
	ladder := []Rung{
		{After: time.Minute, Do: RelaxSkills},
		{After: 2 * time.Minute, Do: RelaxLevels},
		{After: 3 * time.Minute, Do: Tell, Notice: NoticeWaiting},
		{After: 4 * time.Minute, Do: AskMessage},
		{After: 5 * time.Minute, Do: NextProvider},
		{After: 6 * time.Minute, Do: Overflow, Queue: "pull"},
	}
	form := func(host bool, lapse Lapse) *Form {
		return &Form{Fields: []Field{{Name: "order"}, {Name: "mail", Kind: FieldMail}}, Host: host, OnLapse: lapse}
	}
	queues := []Queue{
		{Name: "push", Ladder: ladder, MaxWaiting: 9},
		{Name: "pull", Style: Pull, Wrapup: time.Minute, FirstReply: time.Minute, ReleaseOnHold: true},
		{Name: "broadcast", Style: Broadcast, StayOut: time.Hour, Quiet: true, BotAnswers: true},
		{Name: "form", Intake: form(false, LapseProceed)},
		{Name: "dialog", Intake: form(true, LapseCancel)},
		{Name: "asks", Intake: &Form{WhileWaiting: true, Fields: []Field{
			{Name: "topic", Queues: map[string]string{"x@example.com": "pull"}, Skills: map[string][]Skill{"text": {{Name: "tax"}}}}, {Name: "mail", Kind: FieldMail},
		}}},
		{Name: "dialog in line", Style: Pull, Intake: &Form{WhileWaiting: true, Host: true, Fields: []Field{
			{Name: "topic", Queues: map[string]string{"x@example.com": "relay"}},
		}}},
		{
			Name: "service", Hours: tableHours{}, Closing: ClosingEnds, Alert: time.Minute, AskRating: AskAtAnyEnd, Reopen: ReopenAgent,
			Offline: Absence{Tell: true, Form: &Form{Fields: []Field{{Name: "mail", Kind: FieldMail, Required: true}}}},
			Ladder:  []Rung{{After: 7 * time.Minute, Do: ToBot}},
		},
		{Name: "relay", Providers: []string{"relay", "spare"}, Ladder: ladder, BotAnswers: true},
		{Name: "platform", Providers: []string{"platform"}},
	}
	config := Config{Bot: BotFunc(nil), Channel: ChannelFunc(nil), Sinks: map[string]Sink{"archive": nil}, BotQueue: "push"}
	var out []*rules
	for _, change := range []func(*Config){
		func(*Config) {},
		func(c *Config) { c.History = HistoryFunc(nil) },
		func(c *Config) { c.Bot, c.Channel, c.Sinks, c.BotQueue = nil, nil, nil, "" },
	} {
		c := config
		c.Queues = queues
		change(&c)
		if len(out) > 0 {
			c.Queues = []Queue{queues[0], queues[1], queues[3], queues[5], queues[8]} // enough for what differs
		}
		c.resolve()
		r := c.rules()
		r.custody = map[string]Custody{"relay": CustodyQueue, "spare": CustodyQueue, "platform": CustodyConversation}
		out = append(out, r)
	}
	return out
}

// tableHours close after an hour, for an hour.
type tableHours struct{}

func (tableHours) At(t time.Time) (open bool, next time.Time) {
	return t.Hour()%2 == tableStart.Hour()%2, t.Truncate(time.Hour).Add(time.Hour)
}

func tableSeat(agent string) seat { return seat{Agent: agent, Units: 1, Max: 2} }

func tableAgent(agent string) candidate {
	return candidate{agent: agent, shown: agent, seat: tableSeat(agent), why: "free"}
}

// guarded is a command with the guard under which it is tried, at a time.
type guarded struct {
	command
	guard string
	at    time.Time
}

// tableCommands returns every command that could be tried on h, with every
// guard that the record allows: who asks, which turn, which offer, which
// chat, before or after a deadline.
func tableCommands(r *rules, h *Handoff) []guarded {
	now := h.Updated.Add(time.Second)
	if h.State == "" {
		now = tableStart
	}
	var out []guarded
	at := func(when time.Time, guard string, c command) {
		out = append(out, guarded{command: c, guard: guard, at: when})
	}
	add := func(guard string, c command) { at(now, guard, c) }
	if h.State == "" {
		add("first message", cOpen{conversation: "c", then: []command{cReceive{said: said{id: "m0", text: "hello"}}}})
		add("asked by the host", cOpen{conversation: "c", then: []command{tableRequest(nil, "push")}})
	}
	tableUser(h, add)
	tableBot(r, h, add)
	tablePeople(h, add)
	tableOffers(h, now, at)
	tablePlatforms(h, now, add)
	tableTimers(h, now, at)
	return out
}

func tableRequest(turn *Turn, queue string) cRequest {
	return cRequest{
		who: Party{Role: RoleBot}, turn: turn, reason: ReasonUser, units: 1, note: "note",
		need: Need{Queue: queue, Skills: []Skill{{Name: "a", Level: 2}, {Name: "b", Optional: true}}},
		past: []Past{{ID: "old", From: Party{Role: RoleUser}, Text: "before"}},
	}
}

func tableHeard(queue string) heard {
	return heard{
		state: &trigger.State{Pending: true}, action: trigger.Transfer, reason: "user_request",
		data: map[string]string{"rule": "r"}, then: tableRequest(nil, queue), op: "escalate/m",
	}
}

func tableUser(h *Handoff, add func(string, command)) {
	add("", cReceive{said: said{id: fmt.Sprint("m", h.Seq), text: "text"}, about: about{user: &Contact{ID: "u"}}})
	add("triggers want a person", cReceive{said: said{id: fmt.Sprint("w", h.Seq), text: "a person"}, heard: tableHeard("push")})
	add("triggers offer a person", cReceive{
		said:  said{id: fmt.Sprint("o", h.Seq), text: "hm"},
		heard: heard{state: &trigger.State{}, action: trigger.Offer, reason: "frustration"},
	})
	add("the answer is valid", cReceive{said: said{id: fmt.Sprint("v", h.Seq), text: "x@example.com"}})
	if h.Need.Queue == "service" { // elsewhere it is the same
		add("", cCallback{want: Callback{Phone: "123"}})
	}
	add("", cAskVideo{})
	add("the queue is closed", cAnswer{value: "x@example.com", facts: door{
		"form": {Queue: "form", Why: ReasonClosed}, "pull": {Queue: "pull", Why: ReasonClosed},
	}})
	add("", cCancel{who: Party{Role: RoleUser}})
	add("left", cCancel{who: Party{Role: RoleUser}, left: true})
	add("", cLeave{who: Party{Role: RoleUser}, text: "call me"})
	add("", cRate{score: 5})
	add("valid", cAnswer{value: "x@example.com"})
	add("not valid", cAnswer{field: "mail", value: "x"})
	add("unknown field", cAnswer{field: "color", value: "x"})
	add("back", cAnswer{back: true})
	add("skip", cAnswer{skip: true})
	add("skip all", cAnswer{all: true})
	add("", cImport{past: []Past{{ID: "h1", From: Party{Role: RoleBot}, Text: "before"}}})
	add("failed", cImport{failed: true})
}

func tableBot(r *rules, h *Handoff, add func(string, command)) {
	turns := map[string]Turn{
		"number of another handoff": {Conversation: "c", Number: h.ID.Number + 1, Epoch: h.Epoch, Call: "m/m0"},
		"epoch before":              {Conversation: "c", Number: h.ID.Number, Epoch: h.Epoch - 1, Call: "m/m0"},
		"unknown call":              {Conversation: "c", Number: h.ID.Number, Epoch: h.Epoch, Call: "m/unknown"},
	}
	for _, c := range h.own.Calls {
		turns["current"] = Turn{Conversation: "c", Number: h.ID.Number, Epoch: h.Epoch, Call: c.ID}
	}
	for _, guard := range []string{"current", "number of another handoff", "epoch before", "unknown call"} {
		t, ok := turns[guard]
		if !ok {
			continue
		}
		add(guard, cReply{turn: t, msg: Message{Text: "text"}})
		add(guard+", triggers", cReply{turn: t, msg: Message{Text: "text"}, heard: tableHeard("push")})
		add(guard, cFail{turn: t, code: "x"})
		add(guard+", triggers", cFail{turn: t, code: "x", heard: tableHeard("push")})
		add(guard, cRefuse{request: tableRequest(&t, "service"), why: &UnavailableError{Queue: "service", Why: ReasonClosed}})
		add(guard, cDone{turn: t})
		add(guard, cHandover{turn: t, bot: "other"})
		add(guard, cRefuse{request: tableRequest(&t, "push"), why: &UnavailableError{Queue: "push", Why: ReasonClosed}})
		for _, q := range slices.Sorted(maps.Keys(r.queues)) {
			add(guard, tableRequest(&t, q))
		}
	}
	add("no turn", tableRequest(nil, "push"))
	add("", cSay{msg: Message{Text: "text"}})
	add("", cRetract{id: "s"})
	add("", cForget{})
	add("", cOpened{})
	add("", cTicket{who: Party{Role: RoleEngine}, entry: 1, provider: "platform", reference: "t"})
	add("", cUndelivered{sink: sinkChannel, entry: 1, code: "gone"})
	add("nothing", cGiveUp{again: look})
	add("a receiver", cGiveUp{cursors: []string{sinkNamed + "archive"}, again: Never})
	add("", cTell{told: Told{Position: 2}})
	add("", cNotify{key: NoticeWaiting})
	add("no words", cNotify{key: "no such key"})
	add("", cSummary{text: "text"})
}

// tablePeople tries the agents' verbs as the holder, as somebody else and as a
// supervisor.
func tablePeople(h *Handoff, add func(string, command)) {
	holder := h.Agent
	if holder == "" {
		holder = "ann"
	}
	for _, a := range []Actor{By(holder), By("zoe"), BySupervisor("sue")} {
		guard := a.ID
		add(guard, cVideo{who: a, units: 1, seat: tableSeat(a.ID), room: Room{User: "u", Agent: "a"}})
		add(guard, cPriority{who: a, n: 3})
		add(guard, cSend{who: a, msg: Message{Text: "text"}})
		add(guard, cSend{who: a, msg: Message{Text: "text", Seen: 1}})
		add(guard, cJoin{who: a, shown: a.ID, msg: Message{Text: "text"}})
		add(guard, cNote{who: a, text: "text", kind: KindNote})
		add(guard, cNote{who: a, text: "text", kind: KindWhisper})
		add(guard, cTag{who: a, add: []string{"vip"}, remove: []string{"new"}})
		add(guard, cHold{who: a})
		add(guard, cResume{who: a, seat: tableSeat(a.ID)})
		add(guard, cExtend{who: a, by: time.Minute})
		for _, o := range append([]Offer{{Number: 999}}, h.Offers...) {
			add(guard, cTakeBack{who: a, offer: o.Number})
		}
		add(guard, cRequeue{who: a, note: "note"})
		add(guard, cReturn{who: a, note: "note"})
		add(guard, cEnd{who: a, outcome: OutcomeResolved, reason: "done", stayOut: -1})
		add(guard, cEnd{who: a, outcome: OutcomeResolved, stayOut: time.Hour})
		add(guard, cTakeOver{who: a, cand: tableAgent(a.ID), queue: "push"})
		bob, ann := tableAgent("bob"), tableAgent(holder)
		add(guard+", cold", cTransfer{who: a, agent: &bob, note: "note"})
		add(guard+", warm", cTransfer{who: a, agent: &bob, warm: true})
		add(guard+", to the holder", cTransfer{who: a, agent: &ann})
		for _, q := range []string{"push", "pull", "relay"} {
			add(guard+", to a queue", cTransfer{who: a, need: &Need{Queue: q}})
		}
	}
	add("", cAssign{who: BySupervisor("sue"), cand: tableAgent("bob")})
	add("to the holder", cAssign{who: BySupervisor("sue"), cand: tableAgent(holder)})
	for _, agent := range []string{holder, "bob", "zoe"} {
		add(agent, cAway{agent: agent, since: h.Updated})
		add(agent, cBack{agent: agent})
	}
}

func tableOffers(h *Handoff, now time.Time, at func(time.Time, string, command)) {
	at(now, "to one", cOffer{to: []candidate{tableAgent("ann")}})
	at(now, "to several", cOffer{to: []candidate{tableAgent("ann"), tableAgent("bob")}, broadcast: true})
	at(now, "from the list", cAccept{who: tableAgent("ann")})
	at(now, "unknown number", cAccept{who: tableAgent("ann"), offer: 999})
	at(now, "unknown number", cDecline{agent: "ann", offer: 999})
	for _, o := range h.Offers {
		at(now, "in time", cAccept{who: tableAgent(o.Agent), offer: o.Number})
		at(o.Deadline, "too late", cAccept{who: tableAgent(o.Agent), offer: o.Number})
		at(now, "of another agent", cAccept{who: tableAgent("zoe"), offer: o.Number})
		at(now, "", cDecline{agent: o.Agent, offer: o.Number, why: "lunch"})
	}
}

func tablePlatforms(h *Handoff, now time.Time, add func(string, command)) {
	numbers := []int64{h.own.NextBind, 99}
	if h.own.NextBind > 1 {
		numbers[1] = h.own.NextBind - 1
	}
	session := Session{Reference: "r1"}
	mia := Party{ID: "mia", Name: "Mia"}
	for i, n := range numbers {
		guard := []string{"live chat", "other chat"}[i]
		add(guard, cAttempt{binding: n, again: time.Minute})
		add(guard, cBound{binding: n, session: session})
		add(guard+", for now", cOpenFailed{binding: n, code: "busy", again: time.Minute})
		add(guard+", for good", cOpenFailed{binding: n, code: "gone", permanent: true})
		add(guard+", unclear", cOpenFailed{binding: n, code: "?", permanent: true, ambiguous: true})
		add(guard+", timeout", cOpenFailed{binding: n, code: "timeout", permanent: true, ambiguous: true, timeout: true})
		kinds := []ProviderEventKind{
			EventQueued, EventJoined, EventLeft, EventMessage, EventUserMessage, EventNote, EventTransferred,
			EventEnded, EventReturned, EventFailed, "unheard of",
		}
		if i > 0 {
			kinds = kinds[7:8] // all are refused alike
		}
		for _, k := range kinds {
			ev := ProviderEvent{ID: "e", Kind: k, Agent: mia, Text: "text", MessageID: fmt.Sprint("p", h.Seq), Position: 2}
			add(guard+", "+string(k), cEvent{binding: n, ev: ev})
		}
		old := ProviderEvent{ID: "e", Kind: EventEnded, Agent: mia, At: now.AddDate(-1, 0, 0)}
		add(guard+", older than the chat", cEvent{binding: n, ev: old})
		for _, s := range []SessionState{SessionUnknown, SessionQueued, SessionActive, SessionEnded, SessionBot} {
			add(guard+", state "+string(s), cState{binding: n, state: s, agent: mia, again: time.Minute, version: h.Version})
		}
		add(guard+", done", cClose{binding: n, done: true})
		add(guard+", found", cClose{binding: n, session: session, again: time.Minute})
		add(guard+", given up", cClose{binding: n, gaveUp: true, code: "gone"})
	}
	for _, k := range []ProviderEventKind{EventJoined, EventMessage} {
		add("by the platform", cControl{provider: "platform", session: session, ev: ProviderEvent{ID: "e", Kind: k, Agent: mia, Text: "text"}})
	}
}

// tableTimers fires every deadline when it has come, and before.
func tableTimers(h *Handoff, now time.Time, at func(time.Time, string, command)) {
	for _, d := range h.Deadlines {
		when := now
		if d.At.After(now) {
			at(now, "too early", cFire{kind: d.Kind})
			when = d.At
		}
		long := when.Add(-time.Hour)
		for _, f := range []struct {
			guard string
			facts facts
		}{
			{"", facts{seat: tableSeat(h.Agent), awaySince: long}},
			{"agent is there", facts{online: true, seat: tableSeat(h.Agent)}},
			{"agent was there", facts{awaySince: when, seat: tableSeat(h.Agent)}},
			{"no seat", facts{full: true, awaySince: long}},
			{"could not accept", facts{couldNot: map[string]bool{"ann": true}, awaySince: long, seat: tableSeat(h.Agent)}},
			{"packet is owed", facts{packetOwed: true, awaySince: long, seat: tableSeat(h.Agent)}},
			{"nobody is there", facts{closed: true, awaySince: long, seat: tableSeat(h.Agent)}},
		} {
			at(when, d.Kind+", "+f.guard, cFire{kind: d.Kind, facts: f.facts})
		}
	}
	at(now, "not armed", cFire{kind: "unheard of"})
}
