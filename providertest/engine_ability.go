package providertest

import (
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// abilityCases are what the engine does with the optional abilities.
func abilityCases() []engineCase {
	return []engineCase{
		{
			name: "own notes", check: checkOurNotes,
			rule: "a note of ours is seen by the platform's agents, once, and by no user; what they wrote themselves is not told to the platform again",
		},
		{name: "user types", custody: handoff.CustodyQueue, rule: "while the user writes the agents see it, where TypingOut says so", check: checkUserTypes},
		{name: "message left", rule: "a message that a user left becomes a ticket, once, and the log has its name", check: checkLeft},
		{name: "refresh", rule: "a session is renewed before it ends", check: checkRefresh},
	}
}

func checkOurNotes(l *live) {
	h := l.Asks("c", func(r *handoff.Request) { r.Note = "he called before" })
	l.settle()
	id, ref := h.ID, l.last().Reference
	if inside := strings.Join(l.last().Internal, "\n"); !strings.Contains(inside, "he called before") {
		l.failf("the agents do not see the note of the request")
	}
	if _, ok := l.p.(handoff.Noter); !ok {
		return
	}
	l.takes(id, ref, ann)
	note := func(a handoff.Actor, text string) {
		l.t.Helper()
		if _, err := l.Note(l.t.Context(), id, a, text); err != nil {
			l.failf("Note: %v", err)
		}
		l.settle()
	}
	note(handoff.BySupervisor("sue"), "be kind to him")
	l.v.Break(LosesAnswer)
	note(handoff.BySupervisor("sue"), "offer him a discount")
	l.v.Break(Works)
	l.passes(time.Minute)
	l.act(Act{Kind: Write, Chat: ref, Text: "he is lying"})
	l.passes(time.Minute)
	c := l.chatOf(ref)
	inside := strings.Join(c.Internal, "\n")
	for _, text := range []string{"be kind to him", "offer him a discount", "he is lying"} {
		if n := strings.Count(inside, text); n != 1 {
			l.failf("the agents see the note %q %d times", text, n)
		}
		if strings.Contains(c.texts(), text) || slices.ContainsFunc(l.Users.Texts("c"), func(s string) bool { return strings.Contains(s, text) }) {
			l.failf("the note %q is among the messages", text)
		}
	}
}

func checkUserTypes(l *live) {
	_, ok := l.p.(handoff.Typist)
	if err := l.UserTyping(l.t.Context(), "c", true); err != nil {
		l.failf("UserTyping in an unknown conversation returned %v", err)
	}
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	for _, on := range []bool{true, false} {
		if err := l.UserTyping(l.t.Context(), "c", on); err != nil {
			l.failf("UserTyping returned %v", err)
		}
		l.Wait()
		if !on {
			l.settle()
			l.Sleep(forgets)
		}
		if c := l.chatOf(ref); ok && c.UserTypes != on {
			l.failf("the user types: %t; the agents see: %t", on, c.UserTypes)
		}
	}
	l.v.Break(Refuses)
	if err := l.UserTyping(l.t.Context(), "c", true); err != nil {
		l.failf("a signal that is lost returned %v", err)
	}
	l.v.Break(Works)
}

func checkLeft(l *live) {
	if _, ok := l.p.(handoff.Ticketer); !ok {
		return
	}
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	l.act(Act{Kind: End, Chat: ref})
	l.v.Break(LosesAnswer)
	if _, err := l.LeaveMessage(l.t.Context(), id, "please call me", map[string]string{"phone": "+30 1"}); err != nil {
		l.failf("LeaveMessage: %v", err)
	}
	l.passes(20 * time.Second)
	l.v.Break(Works)
	l.passes(2 * time.Minute)
	log, err := l.Log(l.t.Context(), id, 0, 1000)
	if err != nil {
		l.fatalf("Log: %v", err)
	}
	var tickets []handoff.Entry
	for _, en := range log {
		if en.Kind == handoff.KindTicket {
			tickets = append(tickets, en)
		}
	}
	if len(tickets) != 1 || tickets[0].Data["reference"] == "" || tickets[0].Data["provider"] != l.info.Name {
		l.failf("the log has %d tickets", len(tickets))
	}
}

func checkRefresh(l *live) {
	if _, ok := l.p.(handoff.Refresher); !ok || l.info.Custody != handoff.CustodyQueue {
		return
	}
	s, err := l.p.Open(l.ctx(), opening("other", 1, 1))
	l.ok("Open", err)
	if s.Expires.IsZero() {
		return
	}
	life := time.Until(s.Expires)
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	l.passes(3 * life)
	l.Says("c", "after a while")
	l.passes(10 * time.Second)
	l.agentSaw(ref, "after a while")
}
