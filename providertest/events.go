package providertest

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

const (
	ruleEvents       = "what happens on the platform is told as an event of its kind, with the reference of the session"
	ruleAgentReturns = "where an agent can give a chat back to the bot, that is told as such and as nothing else, with whether it is still open there"
	ruleDeclared     = "a capability that is declared is one that the platform shows, and what is not declared is not told"
	ruleEventID      = "the same event has the same id each time it is told, and another one another"
)

// eventCases prove what a provider tells.
func eventCases() []callCase {
	return []callCase{
		{"events", "", ruleEvents, checkEvents},
		{"declared", "", ruleDeclared, checkDeclared},
		{"agent's texts", "", "what an agent writes is told as it is, in order", checkAgentTexts},
		{"echo", handoff.CustodyQueue, "what the provider sends itself is no event: echoes are dropped", checkEcho},
		{"note of an agent", "", "an agent's internal note is never told as a message", checkAgentNote},
		{"event ids", "", ruleEventID, checkEventIDs},
		{"forged", "", "Receive verifies the raw bytes before anything else, and refuses what the platform did not send", checkForged},
		{"garbage", "", ruleGarbage, checkGarbage},
		{"user's message", handoff.CustodyConversation, "what the user writes on the platform is told with the id of his message", checkUserMessage},
		{"control", handoff.CustodyConversation, "an agent who takes control without being asked is told with the host's conversation", checkControl},
		{"own notes", "", "a note is internal, and the same note again is no second one", checkNoter},
		{"typing", "", "telling the agent that the user is writing is a signal: it works at any time of an open chat", checkTypist},
		{"tickets", "", "a ticket has a reference, and the same one again is no second ticket", checkTicketer},
		{"agent returns", "", ruleAgentReturns, checkAgentReturns},
		{"return to bot", "", "ReturnToBot gives the conversation back; once more is no error", checkReturner},
	}
}

func checkEvents(r *run) {
	s := r.open("c1")
	r.happened()
	of := func(a Act, kind handoff.ProviderEventKind) (handoff.ProviderEvent, bool) {
		r.t.Helper()
		a.Chat = s.Reference
		events, ok := r.do(a)
		if !ok {
			return handoff.ProviderEvent{}, false
		}
		ev := r.one(events, kind)
		if ev.Reference != s.Reference {
			r.failf("the event %q has the reference %q, the session %q", kind, ev.Reference, s.Reference)
		}
		if r.info.Can.OneReference && ev.At.IsZero() && !r.info.Can.ReadsState {
			r.failf("references are used again, events have no time and the state cannot be read: nobody can tell which chat has ended")
		}
		return ev, true
	}
	if ev, ok := of(Act{Kind: Join, Agent: ann}, handoff.EventJoined); !ok {
		r.fatalf("the platform's agents cannot take chats")
	} else if ev.Agent.ID != r.id(ann) || ev.Agent.Name != ann.Name {
		r.failf("the agent is %q %q, want %q %q", ev.Agent.ID, ev.Agent.Name, r.id(ann), ann.Name)
	}
	if r.info.Can.TypingIn {
		of(Act{Kind: Type}, handoff.EventTyping)
	}
	if ev, ok := of(Act{Kind: Say, Text: "hello"}, handoff.EventMessage); ok && (ev.Agent.ID != r.id(ann) || ev.Text != "hello") {
		r.failf("the message is %q of %q with id %q", ev.Text, ev.Agent.ID, ev.MessageID)
	}
	of(Act{Kind: Leave}, handoff.EventLeft)
	r.do(Act{Kind: Join, Chat: s.Reference, Agent: ann})
	if events, ok := r.do(Act{Kind: Transfer, Chat: s.Reference, Agent: bob}); ok {
		if ev := r.one(events, handoff.EventJoined); ev.Agent.ID != r.id(bob) {
			r.failf("after a transfer %q has joined, want %q", ev.Agent.ID, r.id(bob))
		}
	}
	if _, ok := of(Act{Kind: End}, handoff.EventEnded); !ok {
		r.fatalf("the platform's agents cannot end chats")
	}
}

func checkAgentReturns(r *run) {
	for i, note := range []string{"", "the order is paid"} {
		s := r.open("c" + strconv.Itoa(i))
		r.do(Act{Kind: Join, Chat: s.Reference, Agent: ann})
		r.happened()
		events, ok := r.do(Act{Kind: Return, Chat: s.Reference, Text: note})
		if ok != r.info.Can.AgentReturns {
			r.fatalf("AgentReturns is declared %t; an agent there can: %t", r.info.Can.AgentReturns, ok)
		}
		if !ok {
			return
		}
		ev := r.one(events, handoff.EventReturned)
		if ev.Reference != s.Reference || ev.Text != "" && ev.Text != note {
			r.failf("it is told of %q, with %q", ev.Reference, ev.Text)
		}
		if c := r.chat(s); c.Open != ev.StillOpen {
			r.failf("the chat is open there: %t; told: %t", c.Open, ev.StillOpen)
		}
		for _, ev := range events {
			if ev.Kind == handoff.EventMessage || ev.Kind == handoff.EventEnded {
				r.failf("it is told as %q, too, with %q", ev.Kind, ev.Text)
			}
		}
	}
}

func checkAgentTexts(r *run) {
	s := r.open("c1")
	r.v.Do(Act{Kind: Join, Chat: s.Reference, Agent: ann})
	r.happened()
	texts := hostileTexts(0)
	for _, text := range texts {
		r.v.Do(Act{Kind: Say, Chat: s.Reference, Text: text})
	}
	var got []string
	for _, ev := range r.happened() {
		if ev.Kind == handoff.EventMessage {
			got = append(got, ev.Text)
		}
	}
	for i := range texts {
		if i >= len(got) || got[i] != texts[i] {
			r.fatalf("message %d of %d is told as %q, want %q", i, len(texts), cut(strings.Join(got[min(i, len(got)):min(i+1, len(got))], "")), cut(texts[i]))
		}
	}
	if len(got) != len(texts) {
		r.failf("%d messages are told, want %d", len(got), len(texts))
	}
}

func checkEcho(r *run) {
	s := r.open("c1")
	r.v.Do(Act{Kind: Join, Chat: s.Reference, Agent: ann})
	r.happened()
	r.send(s, "m1", "hello")
	m := r.message("m2", "from the bot")
	m.From = handoff.Party{Role: handoff.RoleBot}
	r.ok("Send", r.p.Send(r.ctx(), s, m))
	for _, ev := range r.happened() {
		if ev.Kind == handoff.EventMessage || ev.Kind == handoff.EventUserMessage {
			r.failf("what was sent came back as %q", ev.Kind)
		}
	}
	// The same text of an agent is no echo.
	if events, ok := r.do(Act{Kind: Say, Chat: s.Reference, Text: "hello"}); ok {
		r.one(events, handoff.EventMessage)
	}
}

func checkAgentNote(r *run) {
	s := r.open("c1")
	r.v.Do(Act{Kind: Join, Chat: s.Reference, Agent: ann})
	r.happened()
	events, _ := r.do(Act{Kind: Write, Chat: s.Reference, Text: "he is lying"})
	for _, ev := range events {
		if ev.Kind != handoff.EventNote && strings.Contains(ev.Text, "lying") {
			r.failf("the note is told as %q", ev.Kind)
		}
	}
}

func checkEventIDs(r *run) {
	s := r.open("c1")
	r.v.Do(Act{Kind: Join, Chat: s.Reference, Agent: ann})
	for i := range 3 {
		_ = i
		r.v.Do(Act{Kind: Say, Chat: s.Reference, Text: "the same"})
	}
	r.v.Do(Act{Kind: End, Chat: s.Reference})
	seen := map[string]bool{}
	check := func(events []handoff.ProviderEvent) {
		for _, ev := range events {
			if ev.ID == "" {
				r.fatalf("the event %q has no id", ev.Kind)
			}
			if seen[ev.ID] {
				r.fatalf("two events have one id, %q and another", ev.Kind)
			}
			seen[ev.ID] = true
		}
	}
	hooks := r.v.Webhooks()
	for _, w := range hooks {
		first := r.decode(w)
		check(first)
		if again := r.decode(w); !slices.EqualFunc(first, again, func(a, b handoff.ProviderEvent) bool { return a.ID == b.ID }) {
			r.failf("a webhook that came twice has other event ids the second time")
		}
	}
	if len(hooks) > 0 {
		return
	}
	first := r.happened()
	check(first)
	r.read(s)
	again := r.happened()
	for _, ev := range again {
		if ev.Kind == handoff.EventMessage && !seen[ev.ID] {
			r.failf("a message that is read twice has another id the second time")
		}
	}
}

// forged returns webhooks that must be refused: of the vendor, and genuine ones
// without their headers where the secret is in those.
func (r *run) forged() []handoff.Webhook {
	if f, ok := r.v.(Forger); ok {
		return f.Forged()
	}
	return nil
}

func checkForged(r *run) {
	rc, ok := r.p.(handoff.Receiver)
	if !ok {
		return
	}
	s := r.open("c1")
	r.v.Do(Act{Kind: Join, Chat: s.Reference, Agent: ann})
	forged := r.forged()
	for _, w := range r.v.Webhooks() {
		// Neither the headers nor the body of a genuine one are enough, unless
		// the platform puts its secret into the body.
		forged = append(forged, handoff.Webhook{Method: w.Method, Path: w.Path, Query: w.Query, Header: w.Header, Body: nil})
		if !slices.ContainsFunc(r.v.Secrets(), func(s string) bool { return s != "" && bytes.Contains(w.Body, []byte(s)) }) {
			forged = append(forged, handoff.Webhook{Method: w.Method, Path: w.Path, Body: bytes.ReplaceAll(w.Body, []byte(ann.Name), []byte("Eve"))})
		}
	}
	for i, w := range forged {
		events, reply, err := r.receive(rc, w)
		if len(events) > 0 {
			r.failf("forged webhook %d is taken as %q", i, kindsOf(events))
		}
		if err == nil && reply.Status < 300 && i < len(r.forged()) {
			r.failf("forged webhook %d is acknowledged", i)
		}
	}
}

func checkGarbage(r *run) {
	rc, ok := r.p.(handoff.Receiver)
	if !ok {
		return
	}
	r.open("c1")
	var hooks []handoff.Webhook
	for _, body := range []string{"", "{}", "[]", "null", "{", "\x00\xff", `{"id":1}`, `"x"`, strings.Repeat("[", 10_000), strings.Repeat("x", 1<<20)} {
		hooks = append(hooks, handoff.Webhook{Method: "POST", Path: "/", Body: []byte(body)})
		for _, w := range r.v.Webhooks() {
			cut := w
			cut.Body = w.Body[:len(w.Body)/2]
			w.Body = []byte(body)
			h := maps.Clone(w.Header)
			for k := range h {
				h[k] = nil
			}
			hooks = append(hooks, w, cut, handoff.Webhook{Header: h, Body: w.Body})
		}
	}
	for i, w := range hooks {
		if events, _, _ := r.receive(rc, w); len(events) > 0 {
			r.failf("garbage %d is taken as %q", i, kindsOf(events))
		}
	}
}

const ruleGarbage = "Receive of garbage is an error or nothing, never a panic"

// receive calls Receive with what may be garbage.
func (r *run) receive(rc handoff.Receiver, w handoff.Webhook) (events []handoff.ProviderEvent, reply handoff.WebhookReply, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.rule, err = ruleGarbage, errors.New("panic")
			r.failf("Receive of %q panicked", cut(string(w.Body)))
		}
	}()
	return rc.Receive(r.ctx(), w)
}

func checkUserMessage(r *run) {
	s := r.open("c1")
	r.v.Do(Act{Kind: Join, Chat: s.Reference, Agent: ann})
	r.happened()
	if events, ok := r.do(Act{Kind: UserSays, Chat: s.Reference, ID: "u-1", Text: "hello"}); ok {
		if ev := r.one(events, handoff.EventUserMessage); ev.Text != "hello" || ev.MessageID != "u-1" {
			r.failf("the user's message is told as %q with id %q", ev.Text, ev.MessageID)
		}
	}
}

func checkControl(r *run) {
	if !r.v.Do(Act{Kind: TakeControl, Conversation: "c 1/é", Agent: ann}) {
		return
	}
	hooks := r.v.Webhooks()
	if len(hooks) == 0 {
		return // only sessions that the engine knows are read
	}
	var told bool
	for _, w := range hooks {
		for _, ev := range r.decode(w) {
			told = told || ev.Kind == handoff.EventJoined && ev.Conversation == "c 1/é" && ev.Agent.ID == r.id(ann) && ev.Reference != ""
		}
	}
	if !told {
		r.failf("no event tells that the agent has joined the conversation")
	}
}

func checkNoter(r *run) {
	p, ok := r.p.(handoff.Noter)
	if !ok {
		return
	}
	s := r.open("c1")
	n := r.message("n1", "he called before")
	n.From = handoff.Party{Role: handoff.RoleSupervisor, ID: "s", Name: "Sue"}
	r.ok("Note", p.Note(r.ctx(), s, n))
	n.Again = true
	r.ok("Note again", p.Note(r.ctx(), s, n))
	c := r.chat(s)
	if n := strings.Count(strings.Join(c.Internal, "\n"), "he called before"); n != 1 {
		r.failf("the agents see the note %d times", n)
	}
	if strings.Contains(c.texts(), "he called before") {
		r.failf("the note is among the messages")
	}
}

// forgets is after how long a platform that is not told so knows that the user
// no longer writes.
const forgets = 15 * time.Second

func checkTypist(r *run) {
	if p, ok := r.p.(handoff.Typist); ok {
		s := r.open("c1")
		r.ok("Typing", p.Typing(r.ctx(), s, true))
		r.ok("Typing", p.Typing(r.ctx(), s, false))
		time.Sleep(forgets) //nolint:forbidigo // in a bubble
		if c := r.chat(s); c.UserTypes {
			r.failf("the agents still see the user writing")
		}
	}
}

func checkTicketer(r *run) {
	p, ok := r.p.(handoff.Ticketer)
	if !ok {
		return
	}
	h := opening("c1", 1, 1).Handoff
	a, err := p.Ticket(r.ctx(), h, "please call me", "t1")
	r.ok("Ticket", err)
	b, err := p.Ticket(r.ctx(), h, "please call me", "t1")
	r.ok("the repeated Ticket", err)
	c, err := p.Ticket(r.ctx(), h, "another matter", "t2")
	r.ok("another Ticket", err)
	if a == "" || a != b || a == c {
		r.failf("the references are %q, %q again, and %q for another", a, b, c)
	}
}

func checkReturner(r *run) {
	p, ok := r.p.(handoff.BotReturner)
	if !ok {
		return
	}
	s := r.open("c1")
	r.v.Do(Act{Kind: Join, Chat: s.Reference, Agent: ann})
	r.ok("ReturnToBot", p.ReturnToBot(r.ctx(), s))
	r.ok("ReturnToBot again", p.ReturnToBot(r.ctx(), s))
	if c := r.chat(s); c.Open {
		r.failf("the agents still have the chat")
	}
}
