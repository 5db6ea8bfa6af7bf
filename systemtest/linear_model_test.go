package systemtest

import (
	"fmt"

	"github.com/anishathalye/porcupine"

	"github.com/seed-2a427302/handoff"
)

// A chat is what the model knows of a conversation's handoff.
type chat struct {
	state  handoff.State
	agent  string // who has it, or is asked
	offer  int64  // the offer's number, while one is out
	offers int64  // how many there were
	said   string // all messages, in order
}

// ask makes an offer.
func (c *chat) ask(agent string) {
	c.offers++
	c.state, c.agent, c.offer = handoff.StateOffered, agent, c.offers
}

// seems reports whether c can be what was read.
func (c *chat) seems(read chat) bool {
	return c.state == read.state && c.agent == read.agent && c.offer == read.offer
}

// linearState is two conversations, so that agents with one seat are fought
// for.
type linearState [2]chat

// A linearOp is a call of an engine.
type linearOp struct {
	verb  string
	chat  int
	by    string
	to    string
	offer int64
	text  string
}

// What a call returned.
const (
	done    = "done"
	refused = "refused"
	unknown = "unknown"
)

type linearOut struct {
	word string
	why  string
	// later says that chat may be of any time since: the call found out that
	// it had succeeded before.
	later bool
	chat  chat // what was read or made; said is set by a read of the log alone
}

// free reports whether an agent has his only seat, or has it in that chat.
func (s linearState) free(agent string, chat int) bool {
	other := s[1-chat]
	return other.agent != agent || other.state == handoff.StateEnded || other.state == handoff.StateWaiting
}

// apply returns the state after a call, if the call is allowed.
func (s linearState) apply(op linearOp) (linearState, bool) {
	c := &s[op.chat]
	holds := c.state == handoff.StateActive && c.agent == op.by
	asked := c.state == handoff.StateOffered && c.agent == op.by && c.offer == op.offer
	ok := false
	switch op.verb {
	case "accept":
		pull := c.state == handoff.StateWaiting && op.offer == 0 && s.free(op.by, op.chat)
		ok = pull || asked
		c.state, c.agent = handoff.StateActive, op.by
	case "decline":
		ok = asked
		c.state, c.agent = handoff.StateWaiting, ""
	case "assign":
		ok = (c.state == handoff.StateWaiting || c.state == handoff.StateOffered || c.state == handoff.StateActive && c.agent != op.to) && s.free(op.to, op.chat)
		c.ask(op.to)
	case "transfer":
		ok = holds && op.to != op.by && s.free(op.to, op.chat)
		c.ask(op.to)
	case "send":
		ok = holds
		c.said += op.text + " "
	case "return":
		ok = holds
		c.state, c.agent = handoff.StateEnded, ""
	}
	if c.state != handoff.StateOffered {
		c.offer = 0
	}
	return s, ok
}

// linearModel is what a single engine on a single thread would do.
var linearModel = (&porcupine.NondeterministicModel{
	Init: func() []any {
		waiting := chat{state: handoff.StateWaiting}
		return []any{linearState{waiting, waiting}}
	},
	Step: func(state, input, output any) []any {
		s, op, out := state.(linearState), input.(linearOp), output.(linearOut) //nolint:forcetypeassert // they are
		return linearStep(s, op, out)
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
	DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
}).ToModel()

func linearStep(s linearState, op linearOp, out linearOut) []any {
	have := s[op.chat]
	switch op.verb {
	case "get":
		if have.seems(out.chat) {
			return []any{s}
		}
		return nil
	case "log":
		if have.said == out.chat.said {
			return []any{s}
		}
		return nil
	}
	next, allowed := s.apply(op)
	switch {
	case out.word == unknown && allowed:
		return []any{s, next}
	case out.word == unknown, out.word == refused && !allowed:
		return []any{s}
	case out.word == refused, !allowed:
		return nil
	case op.verb == "send", out.later:
		return []any{next}
	}
	if !next[op.chat].seems(out.chat) {
		return nil
	}
	return []any{next}
}
