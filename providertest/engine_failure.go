package providertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

const ruleDown = "when the platform cannot be reached the bot keeps control, the user is told, and no chat stays behind"

// failingCases are platforms that are down at the wrong moment.
func failingCases() []engineCase {
	q := handoff.CustodyQueue
	first := func(l *live, c *handoff.Config) {
		c.Providers = []handoff.Provider{dead{}, l.p}
		c.Queues[0].Providers = []string{"dead", l.info.Name}
	}
	return []engineCase{
		{name: "down from the start", rule: ruleDown, check: checkDown},
		{
			name: "answer to open lost", rule: "an attempt whose answer was lost is found again: there is one chat, where attempts can be found",
			check: checkOpenLost,
		},
		{
			name: "down in the middle", custody: q, rule: "while the platform is down nothing is lost, and afterwards it arrives in order",
			check: checkDownInTheMiddle,
		},
		{
			name: "refused in the middle", custody: q, rule: "what the platform refuses for good is noted as undelivered, and later messages go on",
			check: checkRefusedMessage,
		},
		{
			name: "next provider", custody: q, rule: "when a platform fails the next one of the queue gets the user, with everything that was said",
			check: checkNextProvider, change: first,
		},
		{
			name: "cancelled while connecting", rule: "a chat that may have been opened is closed, also when nobody wants it any more",
			check: checkCancelConnecting,
		},
		{name: "close fails", rule: "a close that fails is tried again until it succeeds", check: checkCloseFails},
		{
			name: "faster than our commit", custody: q, rule: "what happens before the opening is stored is not lost, where events name the attempt",
			check: checkEarly,
		},
		{
			name: "nobody there", rule: "a queue that needs agents refuses while the platform has none",
			check: checkNobody, change: func(_ *live, c *handoff.Config) { c.Queues[0].NeedAgents = true },
		},
	}
}

// dead is a platform that refuses everything.
type dead struct{}

func (dead) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{Name: "dead", Custody: handoff.CustodyQueue}
}

func (dead) gone(op string) error {
	return &handoff.ProviderError{Op: op, Status: 410, Code: "gone", Err: errors.New("this platform is dead")}
}

func (d dead) Open(context.Context, handoff.Opening) (handoff.Session, error) {
	return handoff.Session{}, d.gone("open")
}

func (d dead) Send(context.Context, handoff.Session, handoff.ProviderMessage) error {
	return d.gone("send")
}

func (d dead) Close(context.Context, handoff.Session, handoff.Reason) error { return d.gone("close") }

func (d dead) Receive(context.Context, handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return nil, handoff.WebhookReply{}, d.gone("receive")
}

func checkDown(l *live) {
	for i, f := range []Failure{Refuses, Busy, Hangs} {
		c := fmt.Sprintf("c%d", i)
		l.Says(c, "I want a person")
		l.v.Break(f)
		id := l.Asks(c).ID
		l.passes(3 * time.Minute)
		l.is(id, handoff.StateEnded, handoff.OutcomeFailed)
		if l.info.Custody == handoff.CustodyQueue && !slices.Contains(l.notices(c), handoff.NoticeFailed) {
			l.failf("while it %s the user was told %q", f, l.notices(c))
		}
		l.v.Break(Works)
		l.passes(10 * time.Minute)
		if n := open(l.v.Chats()); n != 0 && (l.info.Can.FindsAttempt || f != Hangs) {
			l.failf("%d chats are open on the platform", n)
		}
		l.botGoesOn(id, handoff.OutcomeFailed)
	}
}

func checkOpenLost(l *live) {
	if !l.info.Can.FindsAttempt {
		return
	}
	l.v.Break(LosesAnswer)
	id := l.Asks("c").ID
	l.Says("c", "user 1")
	l.v.Break(Works)
	l.v.Webhooks() // nothing of it came
	l.passes(30 * time.Second)
	l.settle()
	if n := len(l.v.Chats()); n != 1 {
		l.fatalf("the platform has %d chats, want 1", n)
	}
	ref := l.last().Reference
	l.takes(id, ref, ann)
	l.Says("c", "user 2")
	l.act(Act{Kind: Say, Chat: ref, Text: "agent 1"})
	if l.info.Custody == handoff.CustodyQueue {
		l.agentSaw(ref, "user 1", "user 2")
		l.userSaw("c", "agent 1")
	}
	l.act(Act{Kind: End, Chat: ref})
	l.botGoesOn(id, handoff.OutcomeResolved)
}

func checkDownInTheMiddle(l *live) {
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	var texts []string
	for i, f := range []Failure{Busy, Hangs, LosesAnswer} {
		l.v.Break(f)
		for n := range 3 {
			text := fmt.Sprintf("user %d.%d", i, n)
			texts = append(texts, text)
			l.Says("c", text)
			l.passes(20 * time.Second)
		}
		l.v.Break(Works)
		l.passes(10 * time.Minute)
		l.agentSaw(ref, texts...)
		l.is(id, handoff.StateActive, "")
	}
	l.act(Act{Kind: Say, Chat: ref, Text: "agent 1"})
	l.userSaw("c", "agent 1")
}

func checkRefusedMessage(l *live) {
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	l.Says("c", "user 1")
	l.v.Break(Refuses)
	l.Says("c", "user 2")
	l.Sleep(30 * time.Second)
	l.v.Break(Works)
	l.Says("c", "user 3")
	l.passes(time.Minute)
	l.agentSaw(ref, "user 1", "user 3")
	if !l.undelivered(id, "user 2") {
		l.failf("the log does not say that the message is undelivered")
	}
	l.is(id, handoff.StateActive, "")
}

func checkNextProvider(l *live) {
	l.Says("c", "I want a person")
	id := l.Asks("c").ID
	l.Says("c", "user 1")
	l.passes(30 * time.Second)
	l.settle()
	if h := l.Now(id); h.State != handoff.StateQueued || h.Provider != l.info.Name {
		l.fatalf("the handoff is %s at %q", h.State, h.Provider)
	}
	ref := l.last().Reference
	l.takes(id, ref, ann)
	l.Says("c", "user 2")
	l.act(Act{Kind: Say, Chat: ref, Text: "agent 1"})
	l.userSaw("c", "agent 1")
	chat := l.chatOf(ref)
	seen := chat.texts() + strings.Join(chat.Internal, "\n")
	for _, text := range []string{"I want a person", "user 1", "user 2"} {
		if n := strings.Count(seen, text); n != 1 {
			l.failf("the agent saw %q %d times", text, n)
		}
	}
	if slices.Contains(l.notices("c"), handoff.NoticeFailed) {
		l.failf("the user was told that nobody can be reached")
	}
}

func checkCancelConnecting(l *live) {
	if !l.info.Can.FindsAttempt {
		return
	}
	for i, f := range []Failure{LosesAnswer, Hangs, Busy} {
		c := fmt.Sprintf("c%d", i)
		l.v.Break(f)
		id := l.Asks(c).ID
		l.Sleep(time.Second)
		if _, err := l.Cancel(l.t.Context(), c, false); err != nil {
			l.fatalf("Cancel: %v", err)
		}
		l.v.Webhooks()
		l.passes(time.Minute)
		l.v.Break(Works)
		l.passes(10 * time.Minute)
		if n := open(l.v.Chats()); n != 0 {
			l.failf("%d chats are open on a platform that %s", n, f)
		}
		l.botGoesOn(id, handoff.OutcomeCancelled)
	}
}

func checkCloseFails(l *live) {
	for i, f := range []Failure{Busy, Hangs, LosesAnswer} {
		c := fmt.Sprintf("c%d", i)
		id, ref := l.asks(c)
		l.takes(id, ref, ann)
		l.v.Break(f)
		if _, err := l.Cancel(l.t.Context(), c, false); err != nil {
			l.fatalf("Cancel: %v", err)
		}
		l.passes(time.Minute)
		l.v.Break(Works)
		l.passes(10 * time.Minute)
		if n := open(l.v.Chats()); n != 0 {
			l.failf("%d chats are open on a platform that %s", n, f)
		}
		l.botGoesOn(id, handoff.OutcomeCancelled)
	}
}

func checkEarly(l *live) {
	l.v.Break(LosesAnswer)
	id := l.Asks("c").ID
	chats := l.v.Chats()
	if len(chats) != 1 {
		return // it opens chats in steps
	}
	ref := chats[0].Reference
	l.v.Do(Act{Kind: Join, Chat: ref, Agent: ann})
	l.v.Do(Act{Kind: Say, Chat: ref, Text: "early"})
	hooks := l.v.Webhooks()
	named := len(hooks) > 0 && l.info.Can.FindsAttempt
	for _, w := range hooks {
		for _, ev := range l.decode(w) {
			named = named && ev.Attempt != ""
		}
	}
	if !named {
		l.v.Break(Works)
		return
	}
	l.deliver(hooks...)
	l.Says("c", "user 1")
	l.Sleep(20 * time.Second)
	l.v.Break(Works)
	l.passes(2 * time.Minute)
	l.is(id, handoff.StateActive, "")
	l.Says("c", "user 2")
	l.act(Act{Kind: Say, Chat: ref, Text: "late"})
	l.userSaw("c", "early", "late")
	l.agentSaw(ref, "user 1", "user 2")
	if n := len(l.v.Chats()); n != 1 {
		l.failf("the platform has %d chats, want 1", n)
	}
	l.act(Act{Kind: End, Chat: ref})
	l.botGoesOn(id, handoff.OutcomeResolved)
}

func checkNobody(l *live) {
	if !l.info.Can.Availability {
		return
	}
	l.v.Break(Refuses)
	turn := l.Says("c", "I want a person")
	_, err := l.Request(l.t.Context(), handoff.Request{Turn: turn, Queue: "support"})
	var no *handoff.UnavailableError
	if !errors.As(err, &no) || no.Why != handoff.ReasonOffline {
		l.fatalf("Request returned %v", err)
	}
	if _, err := l.Reply(l.t.Context(), turn, handoff.Message{Text: "nobody is there"}); err != nil {
		l.failf("the bot's turn is gone: %v", err)
	}
	l.v.Break(Works)
	if _, err := l.Request(l.t.Context(), handoff.Request{Turn: turn, Queue: "support"}); err != nil {
		l.failf("once somebody is there Request returned %v", err)
	}
}
