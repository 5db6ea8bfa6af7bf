package providertest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
)

// wholeCases are whole handoffs, and what platforms tell in every order.
func wholeCases() []engineCase {
	return []engineCase{
		{
			name: "whole handoff", custody: handoff.CustodyQueue, check: checkWhole,
			rule: "request, joined, messages and files both ways, transfer, a note that stays inside, end, and the bot goes on",
		},
		{
			name: "whole handoff within", custody: handoff.CustodyConversation, check: checkWholeWithin,
			rule: "request, joined, messages and files both ways, transfer, a note that stays inside, end, and the bot goes on and knows all of it",
		},
		{name: "every order", rule: ruleOrders, check: checkOrders},
	}
}

func checkWhole(l *live) {
	turn := l.Says("c", "before")
	if _, err := l.Reply(l.t.Context(), turn, handoff.Message{Text: "bot before"}); err != nil {
		l.fatalf("Reply: %v", err)
	}
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	bill := handoff.File{Name: "bill.pdf", Type: "application/pdf", URL: "https://example.org/bill.pdf", Size: 1234}
	for i := 1; i <= 3; i++ {
		in := handoff.Incoming{Conversation: "c", ID: fmt.Sprintf("whole-%d", i), Text: fmt.Sprintf("user %d", i)}
		out := Act{Kind: Say, Chat: ref, Text: fmt.Sprintf("agent %d", i)}
		if i == 2 {
			in.Files = []handoff.File{bill}
			if l.info.Can.Files {
				out.Files = []handoff.File{bill}
			}
		}
		if _, err := l.Receive(l.t.Context(), in); err != nil {
			l.fatalf("Receive: %v", err)
		}
		l.settle()
		l.act(out)
	}
	if moved := l.act(Act{Kind: Transfer, Chat: ref, Agent: bob}); moved {
		if h := l.Now(id); h.State != handoff.StateActive || h.AgentName != bob.Name {
			l.failf("after the transfer the handoff is %s with %q", h.State, h.AgentName)
		}
		l.act(Act{Kind: Say, Chat: ref, Text: "agent 4"})
		l.userSaw("c", "agent 1", "agent 2", "agent 3", "agent 4")
	}
	l.act(Act{Kind: Write, Chat: ref, Text: "he is lying"})
	l.Says("c", "user 4")
	l.settle()
	l.wholeFiles(ref, bill)
	l.userSaw("c", "agent 1", "agent 2", "agent 3")
	for _, text := range l.Users.Texts("c") {
		if strings.Contains(text, "lying") {
			l.failf("the user saw the note")
		}
	}
	l.act(Act{Kind: End, Chat: ref})
	l.botGoesOn(id, handoff.OutcomeResolved)
}

// wholeFiles checks what became of the texts and of the file in both directions.
func (l *live) wholeFiles(ref string, bill handoff.File) {
	l.t.Helper()
	c := l.chatOf(ref)
	texts, files := c.texts(), 0
	for _, m := range c.Messages {
		if m.From != handoff.RoleAgent {
			files += m.Files
		}
	}
	at := 0
	for i := 1; i <= 4; i++ {
		n := strings.Index(texts[at:], fmt.Sprintf("user %d", i))
		if n < 0 {
			l.fatalf("the agent does not see message %d, or not in order", i)
		}
		at += n
	}
	if !l.info.Can.Files {
		if !strings.Contains(texts, bill.URL) {
			l.failf("the agent sees no link to the file")
		}
		return
	}
	if files != 1 {
		l.failf("the agent sees %d files, want 1", files)
	}
	shown := 0
	for _, m := range l.Users.Saw("c") {
		shown += len(m.Files)
	}
	if shown != 1 {
		l.failf("the user saw %d files of the agent, want 1", shown)
	}
}

const ruleOrders = "webhooks in any order, each twice, lead to the same final state: ended, and every message that came before the end taken once"

// orderedEvents is how many webhooks are put into every order: 720 orders. Where
// the end is read, it comes after them.
const orderedEvents = 6

func checkOrders(l *live) {
	if _, ok := l.p.(handoff.Receiver); !ok {
		return
	}
	most := orderedEvents
	if testing.Short() || slowed {
		most = 4
	}
	round, count, seen := 0, most, map[string]bool{}
	for order := range permutations(most) {
		order = slices.DeleteFunc(order, func(i int) bool { return i >= count })
		key := fmt.Sprint(order)
		if seen[key] {
			continue // there are fewer webhooks, and they had this order
		}
		seen[key] = true
		if count = l.orderOnce(round, order); count < 2 || l.t.Failed() {
			return
		}
		round++
	}
}

// orderOnce plays one conversation whose webhooks come in an order. It returns
// how many there are: with fewer than two there is nothing to put into order.
func (l *live) orderOnce(round int, order []int) int {
	l.t.Helper()
	conversation := fmt.Sprintf("o%d", round)
	id := l.Asks(conversation).ID
	l.settle()
	if open(l.v.Chats()) == 0 {
		l.passes(10 * time.Second) // an adapter may limit its rate
	}
	ref := l.last().Reference
	texts := []string{"first " + conversation, "second " + conversation}
	for _, a := range []Act{
		{Kind: Join, Agent: ann},
		{Kind: Say, Text: texts[0]},
		{Kind: Write, Text: "inside " + conversation},
		{Kind: Transfer, Agent: bob},
		{Kind: Say, Text: texts[1]},
	} {
		a.Chat = ref
		l.v.Do(a)
	}
	if _, read := l.p.(handoff.Streamer); read { // its webhooks may tell messages only
		for len(texts) < len(order) {
			texts = append(texts, fmt.Sprintf("message %d %s", len(texts)+1, conversation))
			l.v.Do(Act{Kind: Say, Chat: ref, Text: texts[len(texts)-1]})
		}
	}
	l.v.Do(Act{Kind: End, Chat: ref})
	hooks, ends := l.telling(len(order))
	if len(hooks) < 2 {
		return len(hooks)
	}
	order = slices.DeleteFunc(slices.Clone(order), func(i int) bool { return i >= len(hooks) })
	var before []string // that must have been shown
	for _, i := range order {
		l.deliver(hooks[i].w, hooks[i].w)
		if i == ends {
			break
		}
		before = append(before, hooks[i].texts...)
	}
	attended := len(before) > 0
	for _, i := range order {
		if i == ends {
			attended = attended || hooks[i].attended
			break
		}
		attended = attended || hooks[i].attended
	}
	if ends < 0 {
		l.settle() // the end is read
	}
	for _, i := range order { // those behind the end, and all of them once more
		l.deliver(hooks[i].w)
	}
	h := l.Now(id)
	want := handoff.OutcomeResolved
	if !attended {
		want = handoff.OutcomeMissed
	}
	if h.State != handoff.StateEnded || h.Outcome != want {
		l.fatalf("in the order %v the handoff is %s %s, want ended %s", order, h.State, h.Outcome, want)
	}
	got := l.saw(conversation, texts...)
	if l.info.Custody == handoff.CustodyConversation { // the user sees it there: the log says how often it was taken
		for _, en := range l.Entries(id) {
			if en.Kind == handoff.KindMessage && slices.Contains(texts, en.Text) {
				got = append(got, en.Text)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(before)
	if !slices.Equal(got, before) {
		l.fatalf("in the order %v what was taken is %q, want %q", order, got, before)
	}
	return len(hooks)
}

// A telling is a webhook, and what it tells.
type telling struct {
	w        handoff.Webhook
	texts    []string
	attended bool // that somebody had the chat
	ended    bool
}

// telling takes the webhooks that tell something, at most so many: the last
// always, and those in front as far as there is room. The last is the end,
// unless the platform has the end read: then ends is -1.
func (l *live) telling(most int) (out []telling, ends int) {
	l.t.Helper()
	for _, w := range l.v.Webhooks() {
		t := telling{w: w}
		events := l.decode(w)
		for i := range events {
			ev := &events[i]
			if ev.Kind == handoff.EventMessage {
				t.texts = append(t.texts, ev.Text)
			}
			t.attended = t.attended || ev.Kind == handoff.EventJoined || ev.Kind == handoff.EventMessage ||
				ev.Kind == handoff.EventEnded && ev.Agent.ID != ""
			t.ended = t.ended || ev.Kind == handoff.EventEnded
		}
		if len(events) > 0 {
			out = append(out, t)
		}
	}
	if len(out) > most {
		out = append(out[:most-1], out[len(out)-1])
	}
	ends = len(out) - 1
	if _, read := l.p.(handoff.Streamer); read && ends >= 0 && !out[ends].ended {
		ends = -1
	}
	return out, ends
}

// permutations yields all orders of 0…n-1.
func permutations(n int) func(yield func([]int) bool) {
	return func(yield func([]int) bool) {
		p := make([]int, n)
		for i := range p {
			p[i] = i
		}
		var rest func(k int) bool
		rest = func(k int) bool {
			if k == n {
				return yield(slices.Clone(p))
			}
			for i := k; i < n; i++ {
				p[k], p[i] = p[i], p[k]
				if !rest(k + 1) {
					return false
				}
				p[k], p[i] = p[i], p[k]
			}
			return true
		}
		rest(0)
	}
}
