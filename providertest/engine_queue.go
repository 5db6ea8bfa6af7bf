package providertest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

const ruleWhole = "the user and the agent see each other's messages, all of them, once and in order"

// queueCases are the main job.
func queueCases() []engineCase {
	q := handoff.CustodyQueue
	return []engineCase{
		{name: "conversation", custody: q, rule: ruleWhole, check: checkConversation},
		{name: "returned", rule: "an agent who returns the conversation gives the bot control, with what is unanswered", check: checkReturned},
		{name: "agent leaves", custody: q, rule: "a chat that an agent leaves waits again, and another one may take it", check: checkLeaves},
		{name: "cancelled", rule: "when the user no longer wants a person, the chat is closed on the platform", check: checkCancelled},
		{name: "hostile texts", custody: q, rule: ruleWhole, check: checkHostile},
		{name: "place", custody: q, rule: "the place comes from the platform or is unknown", check: checkPlace},
		{name: "many at once", custody: q, rule: "nothing gets into another conversation", check: checkMany},
		{name: "restart", custody: q, rule: "what is stored is all that is needed: another engine goes on", check: checkRestart},
		{name: "two replicas", custody: q, rule: ruleWhole, check: checkReplicas},
		{name: "webhooks again", custody: q, rule: "an event that is told again, late or out of order has no second effect", check: checkRepeats},
		{name: "late end", rule: "an end that belongs to an earlier chat never ends a later handoff", check: checkLateEnd},
		{name: "written after a lost end", custody: q, rule: ruleOverLost, check: checkOverLost},
		{name: "lost events", rule: "what a lost event would have told is found by reading the state, where that can be read", check: checkLost},
	}
}

func checkConversation(l *live) {
	turn := l.Says("c", "before "+canary)
	if _, err := l.Reply(l.t.Context(), turn, handoff.Message{Text: "bot before"}); err != nil {
		l.fatalf("Reply: %v", err)
	}
	h := l.Asks("c", func(r *handoff.Request) { r.Note, r.Flags = "internal remark", []string{"angry"} })
	id := h.ID
	l.settle()
	l.is(id, handoff.StateQueued, "")
	ref := l.last().Reference
	l.takes(id, ref, ann)
	if !slices.Contains(l.notices("c"), handoff.NoticeJoined) {
		l.failf("the user was not told that somebody joined")
	}
	for i := 1; i <= 3; i++ {
		if turn := l.Says("c", fmt.Sprintf("user %d", i)); turn.Open() {
			l.failf("the bot has a turn while an agent has the user")
		}
		l.act(Act{Kind: Say, Chat: ref, Text: fmt.Sprintf("agent %d", i)})
	}
	l.act(Act{Kind: Write, Chat: ref, Text: "he is lying"})
	l.Says("c", "user 4")
	l.agentSaw(ref, "user 1", "user 2", "user 3", "user 4")
	l.userSaw("c", "agent 1", "agent 2", "agent 3")

	l.rule = "the agent sees what was said before, once, and the reason"
	chat := l.chatOf(ref)
	seen := chat.texts() + strings.Join(chat.Internal, "\n")
	if strings.Count(seen, "before "+canary) != 1 || strings.Count(seen, "bot before") != 1 || !strings.Contains(seen, "angry") {
		l.failf("he sees %q", cut(seen))
	}
	l.rule = "notes stay inside"
	for _, text := range l.Users.Texts("c") {
		if strings.Contains(text, "lying") || strings.Contains(text, "remark") || strings.Contains(text, "angry") {
			l.failf("the user saw %q", text)
		}
	}
	l.rule = "after the end the bot goes on, and knows what was said and what is unanswered"
	l.act(Act{Kind: End, Chat: ref})
	calls := l.Bot.Calls(handoff.BotEnded)
	if len(calls) != 1 || len(calls[0].Human) != 7 || len(calls[0].Turn.Messages) != 1 || calls[0].Turn.Messages[0].Text != "user 4" {
		l.failf("the bot got %d calls", len(calls))
		for _, c := range calls {
			l.failf("one with %d messages of the human stretch, want 7, and %d unanswered, want 1", len(c.Human), len(c.Turn.Messages))
		}
	}
	l.botGoesOn(id, handoff.OutcomeResolved)
	if n := open(l.v.Chats()); n != 0 {
		l.failf("%d chats are open on the platform", n)
	}
}

func checkReturned(l *live) {
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	l.Says("c", "user 1")
	said := len(l.said("c"))
	if !l.act(Act{Kind: Return, Chat: ref}) {
		return
	}
	l.is(id, handoff.StateEnded, handoff.OutcomeReturned)
	if now := l.said("c"); len(now) != said {
		l.failf("the user was shown %q", now[said:])
	}
	l.passes(30 * time.Second)
	if l.chatOf(ref).Open {
		l.failf("the agents still have the chat")
	}
	calls := l.Bot.Calls(handoff.BotEnded)
	if len(calls) != 1 || len(calls[0].Turn.Messages) != 1 {
		l.fatalf("the bot got %d calls", len(calls))
	}
	l.botGoesOn(id, handoff.OutcomeReturned)
}

// said are the messages that a user was shown, without notices.
func (l *live) said(conversation string) (out []string) {
	for _, m := range l.Users.Saw(conversation) {
		if m.Notice == "" {
			out = append(out, m.Text)
		}
	}
	return out
}

func checkLeaves(l *live) {
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	l.Says("c", "user 1")
	if !l.act(Act{Kind: Leave, Chat: ref}) {
		return
	}
	l.is(id, handoff.StateQueued, "")
	l.Says("c", "user 2")
	l.takes(id, ref, bob)
	l.act(Act{Kind: Say, Chat: ref, Text: "agent 1"})
	l.agentSaw(ref, "user 1", "user 2")
	l.userSaw("c", "agent 1")
}

func checkCancelled(l *live) {
	for i, join := range []bool{false, true} {
		conversation := fmt.Sprintf("c%d", i)
		id, ref := l.asks(conversation)
		if join {
			l.takes(id, ref, ann)
		}
		if _, err := l.Cancel(l.t.Context(), conversation, false); err != nil {
			l.fatalf("Cancel: %v", err)
		}
		l.passes(time.Minute)
		if n := open(l.v.Chats()); n != 0 {
			l.failf("%d chats are open on the platform", n)
		}
		l.botGoesOn(id, handoff.OutcomeCancelled)
	}
}

func checkHostile(l *live) {
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	texts := hostileTexts(l.info.MaxBytes)
	for i, text := range texts {
		l.Says("c", text)
		l.v.Do(Act{Kind: Say, Chat: ref, Text: "re: " + text})
		l.settle()
		texts[i] = text
	}
	l.agentSaw(ref, texts...)
	for i := range texts {
		texts[i] = "re: " + texts[i]
	}
	l.userSaw("c", texts...)
	l.rule = "a text that is longer than MaxBytes comes in several parts, and nothing of it is lost"
	long := strings.Repeat("0123456789abcdef", 1000)
	l.Says("c", long)
	l.passes(time.Minute)
	chat := l.chatOf(ref)
	if all := strings.Join(chat.after(), ""); !strings.Contains(all, long) {
		l.failf("the agent does not see all of %d bytes", len(long))
	}
	l.is(id, handoff.StateActive, "")
}

func checkPlace(l *live) {
	id, ref := l.asks("c")
	p, err := l.Engine.Place(l.t.Context(), id)
	if err != nil || p.Known && p.Position == 0 {
		l.failf("Place before anything is known returned %+v and %v", p, err)
	}
	if !l.info.Can.Position || !l.act(Act{Kind: Queue, Chat: ref, Position: 3}) {
		return
	}
	if p, err := l.Engine.Place(l.t.Context(), id); err != nil || p.Position != 3 {
		l.failf("Place returned %d and %v, want 3", p.Position, err)
	}
	l.v.Do(Act{Kind: Queue, Chat: ref, Position: 2})
	late := l.v.Webhooks()
	l.takes(id, ref, ann)
	before := len(l.notices("c"))
	l.deliver(late...)
	if now := l.notices("c"); len(now) > before {
		l.failf("whom an agent has was told %q", now[before:])
	}
}

func checkMany(l *live) {
	const n = 5
	ids, refs := make([]handoff.ID, n), make([]string, n)
	for i := range n {
		ids[i], refs[i] = l.asks(fmt.Sprintf("c%d", i))
	}
	for i := range n {
		l.v.Do(Act{Kind: Join, Chat: refs[i], Agent: ann})
	}
	for range 3 {
		for i := range n {
			l.Says(fmt.Sprintf("c%d", i), fmt.Sprintf("of user %d", i))
			l.v.Do(Act{Kind: Say, Chat: refs[i], Text: fmt.Sprintf("to user %d", i)})
		}
	}
	l.settle()
	for i := range n {
		text := fmt.Sprintf("of user %d", i)
		chat := l.chatOf(refs[i])
		if got := chat.after(); !slices.Equal(got, []string{text, text, text}) {
			l.failf("the agent of chat %d saw %q", i, got)
		}
		for _, seen := range l.Users.Texts(fmt.Sprintf("c%d", i)) {
			if strings.HasPrefix(seen, "to user") && seen != fmt.Sprintf("to user %d", i) {
				l.failf("user %d saw %q", i, seen)
			}
		}
		text = fmt.Sprintf("to user %d", i)
		if got := l.saw(fmt.Sprintf("c%d", i), text); len(got) != 3 {
			l.failf("user %d saw %d messages, want 3", i, len(got))
		}
	}
}

func checkRestart(l *live) {
	if l.h.Again != nil {
		l.Config.Providers = []handoff.Provider{l.h.Again()}
	}
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	l.Says("c", "user 1")
	l.Restart()
	l.Says("c", "user 2")
	l.act(Act{Kind: Say, Chat: ref, Text: "agent 1"})
	l.agentSaw(ref, "user 1", "user 2")
	l.userSaw("c", "agent 1")
	l.act(Act{Kind: End, Chat: ref})
	l.botGoesOn(id, handoff.OutcomeResolved)
}

func checkReplicas(l *live) {
	other := l.Replica()
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	var users, agents []string
	for i := range 4 {
		users, agents = append(users, fmt.Sprintf("user %d", i)), append(agents, fmt.Sprintf("agent %d", i))
		l.Says("c", users[i])
		l.v.Do(Act{Kind: Say, Chat: ref, Text: agents[i]})
		hooks := l.v.Webhooks()
		for _, w := range hooks {
			if _, err := other.Webhook(l.t.Context(), l.info.Name, w); err != nil {
				l.failf("the other replica did not take a webhook: %v", err)
			}
		}
		l.deliver(hooks...)
		l.settle()
	}
	l.agentSaw(ref, users...)
	l.userSaw("c", agents...)
}

func checkRepeats(l *live) {
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	var texts []string
	for i := range 4 {
		texts = append(texts, fmt.Sprintf("agent %d", i))
		l.v.Do(Act{Kind: Say, Chat: ref, Text: texts[i]})
	}
	l.v.Do(Act{Kind: Join, Chat: ref, Agent: ann})
	hooks := l.v.Webhooks()
	if len(hooks) == 0 {
		return // it is read
	}
	slices.Reverse(hooks)
	l.deliver(append(slices.Clone(hooks), hooks...)...)
	slices.Sort(texts)
	got := l.saw("c", texts...)
	slices.Sort(got)
	if !slices.Equal(got, texts) {
		l.failf("the user saw %q, want each once", got)
	}
	l.act(Act{Kind: End, Chat: ref})
	l.is(id, handoff.StateEnded, handoff.OutcomeResolved)
	before := len(l.Users.Saw("c"))
	l.deliver(hooks...)
	id2, ref2 := l.asks("c")
	l.takes(id2, ref2, bob)
	after := len(l.Users.Saw("c"))
	l.deliver(hooks...)
	l.is(id2, handoff.StateActive, "")
	if got := l.saw("c", texts...); len(got) != len(texts) || len(l.Users.Saw("c")) != after {
		l.failf("late webhooks of an earlier chat were shown: %d texts before, %d after", before, len(l.Users.Saw("c")))
	}
	if h := l.Now(id2); h.AgentName != bob.Name {
		l.failf("a late webhook gave the user to %q", h.AgentName)
	}
}

func checkLateEnd(l *live) {
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	if _, err := l.Cancel(l.t.Context(), "c", false); err != nil {
		l.fatalf("Cancel: %v", err)
	}
	l.v.Do(Act{Kind: End, Chat: ref})
	l.Sleep(30 * time.Second)
	late := l.v.Webhooks() // of the close, or of the agent's own end
	l.Sleep(2 * time.Minute)
	id2, ref2 := l.asks("c")
	l.deliver(late...)
	l.is(id2, handoff.StateQueued, "")
	l.takes(id2, ref2, bob)
	l.deliver(late...)
	l.is(id2, handoff.StateActive, "")
	l.passes(5 * time.Minute)
	l.is(id2, handoff.StateActive, "")
	if chat := l.chatOf(ref2); !chat.Open {
		l.failf("the later chat was closed on the platform")
	}
}

func checkLost(l *live) {
	if !l.info.Can.ReadsState {
		return
	}
	lose := func(a Act) {
		l.v.Do(a)
		l.v.Webhooks()
		l.passes(3 * time.Minute)
	}
	id, ref := l.asks("c")
	lose(Act{Kind: Join, Chat: ref, Agent: ann})
	if h := l.Now(id); h.State != handoff.StateActive || h.AgentName != ann.Name {
		l.failf("after a lost join the handoff is %s with %q", h.State, h.AgentName)
	}
	lose(Act{Kind: End, Chat: ref})
	l.botGoesOn(id, handoff.OutcomeResolved)
}
