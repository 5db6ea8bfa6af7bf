package providertest

import (
	"errors"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff"
)

// The user who writes in a chat that has just ended there, while the event that
// tells so is lost or late.
const (
	ruleOver     = "a message for a chat that is over there is refused for good, or opens the chat again; no chat is left that nobody knows of"
	ruleOverLost = "what is written after a lost end is seen by the agents of a chat that goes on, or is the bot's to answer, or is said not to have arrived: it is not lost"
)

// overText is what he writes.
const overText = "are you still there?"

// checkOver calls Send for a chat that is over.
func checkOver(r *run) {
	for i, again := range []bool{false, true} {
		s := r.open([]string{"c1", "c2"}[i])
		r.v.Do(Act{Kind: Join, Chat: s.Reference, Agent: ann})
		if !r.v.Do(Act{Kind: End, Chat: s.Reference}) {
			r.fatalf("the platform's agents cannot end chats")
		}
		others := open(r.v.Chats())
		m := r.message("m1", overText)
		m.Again = again
		err := r.p.Send(r.ctx(), s, m)
		var pe *handoff.ProviderError
		switch {
		case err != nil && !errors.As(err, &pe):
			r.failf("Send returned a %T, want a *ProviderError", err)
		case err != nil && (pe.Retryable || pe.Ambiguous):
			r.failf("Send may be tried again: %v", err)
		}
		r.over(s, err == nil)
		if c := r.chat(s); c.Open {
			others++ // this one, again
		}
		if n := open(r.v.Chats()); n != others {
			r.failf("the platform has %d open chats, want %d", n, others)
		}
		r.ok("Close", r.p.Close(r.ctx(), s, handoff.ReasonWithdrawn))
		r.happened()
	}
}

// over checks that a chat which took a message goes on, or is said to be over.
func (r *run) over(s handoff.Session, took bool) {
	r.t.Helper()
	c := r.chat(s)
	if took && c.Open && !slices.Contains(c.after(), overText) {
		r.failf("Send succeeded, and the agents do not see the message")
	}
	reader, ok := r.p.(handoff.StateReader)
	if !ok {
		return // it streams, or has no state but what its agents do
	}
	st, _, err := reader.ReadState(r.ctx(), s)
	if goesOn := st == handoff.SessionActive || st == handoff.SessionQueued; err != nil || goesOn != c.Open {
		r.failf("the chat is open there: %t; its state is %q with %v", c.Open, st, err)
	}
}

// checkOverLost is the same with an engine.
func checkOverLost(l *live) {
	id, ref := l.asks("c")
	l.takes(id, ref, ann)
	l.act(Act{Kind: Say, Chat: ref, Text: "agent 1"})
	l.v.Do(Act{Kind: End, Chat: ref})
	l.v.Webhooks() // lost
	l.Says("c", overText)
	l.passes(5 * time.Minute)
	_, reads := l.p.(handoff.StateReader)
	_, streams := l.p.(handoff.Streamer)
	c := l.chatOf(ref)
	switch goesOn := c.Open; {
	case l.Now(id).State == handoff.StateEnded:
		if goesOn {
			l.failf("the handoff has ended, and the chat is open there")
		}
		calls := l.Bot.Calls(handoff.BotEnded)
		if len(calls) != 1 || len(calls[0].Turn.Messages) != 1 || calls[0].Turn.Messages[0].Text != overText {
			l.fatalf("the bot got %d calls, want one with the message", len(calls))
		}
	case !goesOn && (reads || streams):
		l.failf("the chat is over there, and the handoff is %s", l.Now(id).State)
	case !goesOn && !slices.Contains(c.after(), overText): // nothing tells of the end; the message is at least said not to have arrived
		if !l.undelivered(id, overText) {
			l.failf("the chat is over there, and the message is neither the bot's nor undelivered")
		}
	default:
		l.agentSaw(ref, overText)
	}
}
