package providertest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff"
)

const (
	ruleCustody = "where the platform carries the user's messages the engine neither relays nor shows anything"
	ruleControl = "an agent may take control without being asked: the bot falls silent, and gets the user back afterwards"
)

// custodyCases are platforms that carry the user's messages.
func custodyCases() []engineCase {
	c := handoff.CustodyConversation
	return []engineCase{
		{name: "platform's conversation", custody: c, rule: ruleCustody, check: checkCustody},
		{name: "control taken", custody: c, rule: ruleControl, check: checkControlTaken},
		{name: "control taken unwatched", custody: c, rule: ruleControl, check: checkControlUnwatched},
		{name: "control taken while waiting", custody: c, rule: ruleControl, check: checkControlWaiting, change: func(_ *live, cfg *handoff.Config) {
			cfg.Queues = append(cfg.Queues, handoff.Queue{Name: "own"})
		}},
	}
}

// untouched checks that the engine has shown and relayed nothing.
func (l *live) untouched(conversation, reference string, shown int) {
	l.t.Helper()
	if seen := l.Users.Saw(conversation); len(seen) != shown {
		l.failf("the engine showed %d messages or notices, the last one %q", len(seen)-shown, seen[len(seen)-1].Text)
	}
	chat := l.chatOf(reference)
	for _, m := range chat.Messages {
		if slices.Contains([]string{"user 1", "user 2"}, m.Text) {
			l.failf("the engine relayed %q", m.Text)
		}
	}
}

func checkCustody(l *live) {
	turn := l.Says("c", "I want a person")
	if !turn.Open() {
		l.fatalf("the bot has no turn")
	}
	id, ref := l.asks("c")
	l.Says("c", "user 1")
	l.act(Act{Kind: Queue, Chat: ref, Position: 2})
	l.takes(id, ref, ann)
	if len(l.Bot.Calls(handoff.BotStarted)) != 1 {
		l.failf("the bot was not told that a person has the user")
	}
	if turn := l.Says("c", "user 2"); turn.Open() {
		l.failf("the bot has a turn while an agent has the user")
	}
	l.act(Act{Kind: Say, Chat: ref, Text: "agent 1"})
	l.passes(time.Minute)
	l.untouched("c", ref, 0)

	l.rule = "a message that comes from the platform and from the host under one id is one message"
	l.act(Act{Kind: UserSays, Chat: ref, ID: "m1", Text: "I want a person"})
	seen := 0
	for _, en := range l.Entries(id) {
		if en.Kind == handoff.KindMessage && en.Text == "I want a person" {
			seen++
		}
	}
	if seen != 1 {
		l.failf("it is in the log %d times", seen)
	}

	l.rule = "after the end the bot goes on, and knows what was said"
	l.act(Act{Kind: End, Chat: ref})
	calls := l.Bot.Calls(handoff.BotEnded)
	said := 0
	for _, c := range calls {
		for _, en := range c.Human {
			if slices.Contains([]string{"user 1", "user 2", "agent 1"}, en.Text) {
				said++
			}
		}
	}
	if len(calls) != 1 || said != 3 {
		l.failf("the bot got %d calls, with %d messages of the human stretch, want 3", len(calls), said)
	}
	l.botGoesOn(id, handoff.OutcomeResolved)
}

// checkWholeWithin is checkWhole where the platform has the conversation: what was
// said is in the log, and none of it was relayed.
func checkWholeWithin(l *live) {
	turn := l.Says("c", "before")
	if _, err := l.Reply(l.t.Context(), turn, handoff.Message{Text: "bot before"}); err != nil {
		l.fatalf("Reply: %v", err)
	}
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	shown := len(l.Users.Saw("c"))
	var want []string
	there := map[string]int{} // what the user said on the platform
	for i := 1; i <= 3; i++ {
		in, out := fmt.Sprintf("user %d", i), Act{Kind: Say, Chat: ref, Text: fmt.Sprintf("agent %d", i)}
		if i == 2 && l.info.Can.Files {
			out.Files = []handoff.File{{Name: "bill.pdf", Type: "application/pdf", URL: "https://example.org/bill.pdf", Size: 1234}}
		}
		if l.act(Act{Kind: UserSays, Chat: ref, ID: fmt.Sprintf("whole-%d", i), Text: in}) {
			there[in]++
		} else {
			l.Says("c", in)
		}
		l.act(out)
		want = append(want, in, out.Text)
	}
	if moved := l.act(Act{Kind: Transfer, Chat: ref, Agent: bob}); moved {
		if h := l.Now(id); h.State != handoff.StateActive || h.AgentName != bob.Name {
			l.failf("after the transfer the handoff is %s with %q", h.State, h.AgentName)
		}
		l.act(Act{Kind: Say, Chat: ref, Text: "agent 4"})
		want = append(want, "agent 4")
	}
	l.act(Act{Kind: Write, Chat: ref, Text: "he is lying"})
	l.act(Act{Kind: End, Chat: ref})
	if seen := l.Users.Saw("c"); len(seen) != shown {
		l.failf("the engine showed %d messages or notices", len(seen)-shown)
	}
	chat := l.chatOf(ref)
	for _, m := range chat.Messages {
		if m.From != handoff.RoleAgent {
			there[m.Text]--
		}
	}
	for text, n := range there {
		if slices.Contains(want, text) && n < 0 {
			l.failf("the engine relayed %q", text)
		}
	}
	calls := l.Bot.Calls(handoff.BotEnded)
	if len(calls) != 1 {
		l.fatalf("the bot got %d calls, want 1", len(calls))
	}
	var got []string
	files := 0
	for _, en := range calls[0].Human {
		if en.Kind == handoff.KindMessage {
			got, files = append(got, en.Text), files+len(en.Files)
		}
	}
	if !slices.Equal(got, want) {
		l.failf("the bot is told %q, want %q", got, want)
	}
	if l.info.Can.Files && files != 1 {
		l.failf("the bot is told of %d files, want 1", files)
	}
	l.botGoesOn(id, handoff.OutcomeResolved)
}

func checkControlTaken(l *live) {
	turn := l.Says("c", "hello")
	if !l.act(Act{Kind: TakeControl, Conversation: "c", Agent: ann}) {
		return
	}
	h := l.Last("c")
	if h.State != handoff.StateActive || h.AgentName != ann.Name {
		l.skipStreams()
		l.fatalf("the handoff is %s with %q", h.State, h.AgentName)
	}
	if _, err := l.Reply(l.t.Context(), turn, handoff.Message{Text: "too late"}); !errors.Is(err, handoff.ErrStale) {
		l.failf("the bot's Reply returned %v", err)
	}
	if turn := l.Says("c", "user 1"); turn.Open() {
		l.failf("the bot has a turn while an agent has the user")
	}
	ref := l.last().Reference
	l.act(Act{Kind: Say, Chat: ref, Text: "agent 1"})
	l.untouched("c", ref, 0)
	l.act(Act{Kind: End, Chat: ref})
	calls := l.Bot.Calls(handoff.BotEnded)
	if len(calls) != 1 || len(calls[0].Human) == 0 {
		l.failf("the bot got %d calls", len(calls))
	}
	l.botGoesOn(h.ID, handoff.OutcomeResolved)
}

// skipStreams ends the case where only known sessions are read.
func (l *live) skipStreams() {
	if _, ok := l.p.(handoff.Streamer); ok {
		l.t.SkipNow()
	}
}

func checkControlUnwatched(l *live) {
	for _, c := range []string{"fresh", "quiet"} {
		if c == "quiet" {
			turn := l.Says(c, "hello")
			if err := l.Done(l.t.Context(), turn); err != nil {
				l.fatalf("Done: %v", err)
			}
			l.Sleep(2 * time.Hour)
			l.is(turn.ID(), handoff.StateEnded, handoff.OutcomeContained)
		}
		if !l.act(Act{Kind: TakeControl, Conversation: c, Agent: ann}) {
			return
		}
		h, err := l.Latest(l.t.Context(), c)
		if err != nil || h.State != handoff.StateActive {
			l.skipStreams()
			l.fatalf("the handoff is %s, and %v", h.State, err)
		}
		if turn := l.Says(c, "user 1"); turn.Open() {
			l.failf("the bot has a turn while an agent has the user")
		}
		l.act(Act{Kind: End, Chat: l.last().Reference})
		l.botGoesOn(h.ID, handoff.OutcomeResolved)
	}
}

func checkControlWaiting(l *live) {
	out, err := l.Request(l.t.Context(), handoff.Request{Conversation: "c", Queue: "own"})
	if err != nil {
		l.fatalf("Request: %v", err)
	}
	l.Wait()
	if !l.act(Act{Kind: TakeControl, Conversation: "c", Agent: ann}) {
		return
	}
	if h := l.Now(out.Handoff.ID); h.State != handoff.StateActive || h.AgentName != ann.Name {
		l.skipStreams()
		l.fatalf("the handoff is %s with %q", h.State, h.AgentName)
	}
	l.act(Act{Kind: End, Chat: l.last().Reference})
	l.botGoesOn(out.Handoff.ID, handoff.OutcomeResolved)
}
