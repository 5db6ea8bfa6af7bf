package systemtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/modeltest/check"
)

// An outside is everything around engines that are killed, and survives them:
// users with their screens, agents, and a platform that honours ids. Processes
// tell it over a socket what happens to it and wait for its answer.
type outside struct {
	socket string
	ledger *check.Ledger

	mu     sync.Mutex
	n      int
	open   map[string]string          // by conversation: a message that nobody has acknowledged
	sent   map[string]map[string]bool // by conversation: what agents said and was acknowledged
	shown  map[string]bool            // conversation and message
	left   map[handoff.ID]fact        // what was said in handoffs that are erased or removed, or were about to be
	events []handoff.ProviderEvent    // of the platform, not acknowledged
	chats  []*vendorChat
	wrong  []string
	facts  int // that were told

	rests chan chan struct{} // who is to be stopped, and goes on when his channel is closed
}

// A vendorChat is one on the platform.
type vendorChat struct {
	ref, attempt string
	handoff      handoff.ID
	state        handoff.SessionState
	ids          []string          // of messages, in the order in which they came
	texts        map[string]string // of messages, by text: the id
}

// A fact is what a process tells, and an answer what it gets.
type fact struct {
	Kind         string
	Conversation string                 `json:",omitempty"`
	ID           string                 `json:",omitempty"`
	Text         string                 `json:",omitempty"`
	Number, Seq  int64                  `json:",omitempty"`
	Said, Heard  []string               `json:",omitempty"`
	Message      *handoff.UserMessage   `json:",omitempty"`
	Turn         *handoff.Turn          `json:",omitempty"`
	Event        *handoff.ProviderEvent `json:",omitempty"`
}

func newOutside(t *testing.T) *outside {
	t.Helper()
	o := &outside{
		socket: filepath.Join(t.TempDir(), "o"), ledger: check.NewLedger(),
		rests: make(chan chan struct{}),
		open:  map[string]string{}, sent: map[string]map[string]bool{}, shown: map[string]bool{}, left: map[handoff.ID]fact{},
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "unix", o.socket)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go o.serve(conn)
		}
	}()
	return o
}

func (o *outside) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewScanner(conn)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var f fact
		if json.Unmarshal(in.Bytes(), &f) != nil {
			return // a process died in the middle of a word
		}
		if f.Kind == "rest" {
			goesOn := make(chan struct{})
			o.rests <- goesOn
			<-goesOn
		}
		b, err := json.Marshal(o.note(f))
		if err != nil {
			return
		}
		if _, err := conn.Write(append(b, '\n')); err != nil {
			return
		}
	}
}

func (o *outside) id(prefix string) string {
	o.n++
	return prefix + strconv.Itoa(o.n)
}

// note does what a process says.
func (o *outside) note(f fact) fact {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.facts++
	switch f.Kind {
	case "write": // what the user of a conversation writes next: again, until it is acknowledged
		if o.open[f.Conversation] == "" {
			o.open[f.Conversation] = o.id("u")
		}
		return fact{ID: o.open[f.Conversation]}
	case "received":
		delete(o.open, f.Conversation)
		o.ledger.Acknowledge(f.Conversation, f.ID)
	case "new":
		return fact{ID: o.id("x")}
	case "said": // an agent's message was acknowledged
		if o.sent[f.Conversation] == nil {
			o.sent[f.Conversation] = map[string]bool{}
		}
		o.sent[f.Conversation][f.ID] = true
	case "leave":
		o.left[handoff.ID{Conversation: f.Conversation, Number: f.Number}] = f
	case "ask":
		o.ledger.Ask(*f.Turn)
	case "try":
		o.ledger.Try(f.Conversation, *f.Message)
	case "show":
		o.ledger.Show(f.Conversation, *f.Message)
		o.shown[f.Conversation+" "+f.Message.ID] = true
	case "handle":
		o.ledger.Handle(handoff.ID{Conversation: f.Conversation, Number: f.Number}, f.Seq)
	case "event":
		if len(o.events) > 0 {
			ev := o.events[o.n%len(o.events)] // a copy: it is written to the wire without the lock
			return fact{Event: &ev}
		}
	case "told":
		o.events = slices.DeleteFunc(o.events, func(e handoff.ProviderEvent) bool { return e.ID == f.ID })
	default:
		return o.platform(f)
	}
	return fact{}
}

// platform is the interface of the platform.
func (o *outside) platform(f fact) fact {
	find := func(fits func(c *vendorChat) bool) *vendorChat {
		if i := slices.IndexFunc(o.chats, fits); i >= 0 {
			return o.chats[i]
		}
		return nil
	}
	c := find(func(c *vendorChat) bool { return c.ref == f.ID })
	switch f.Kind {
	case "open": // of an attempt
		if c = find(func(c *vendorChat) bool { return c.attempt == f.ID }); c == nil {
			c = &vendorChat{
				ref: o.id("chat"), attempt: f.ID, handoff: handoff.ID{Conversation: f.Conversation, Number: f.Number},
				state: handoff.SessionQueued, texts: map[string]string{},
			}
			// The user has one chat at a time: a second one is what the attempt's
			// id is there to prevent, even if both are closed one day.
			if other := find(func(o *vendorChat) bool { return o.handoff == c.handoff && o.state != handoff.SessionEnded }); other != nil {
				o.wrong = append(o.wrong, fmt.Sprintf("%v has a second chat: %s (%s) beside %s (%s)", c.handoff, c.ref, c.attempt, other.ref, other.attempt))
			}
			o.chats = append(o.chats, c)
		}
		return fact{ID: c.ref}
	case "find":
		if c = find(func(c *vendorChat) bool { return c.attempt == f.ID }); c != nil {
			return fact{ID: c.ref}
		}
	case "send":
		switch {
		case c == nil:
			o.wrong = append(o.wrong, "a message for a chat that the platform does not have")
		case slices.Contains(c.ids, f.Text): // a repeat, which the platform knows by its id
		default:
			// The text is said once: under another id it is there twice.
			if before := c.texts[f.Conversation]; before != "" {
				o.wrong = append(o.wrong, fmt.Sprintf("%s got %q as %s and as %s", c.ref, f.Conversation, before, f.Text))
			}
			c.ids, c.texts[f.Conversation] = append(c.ids, f.Text), f.Text
		}
	case "close":
		if c != nil {
			c.state = handoff.SessionEnded
		}
	case "state":
		if c != nil {
			return fact{ID: string(c.state)}
		}
		return fact{ID: string(handoff.SessionEnded)}
	case "act": // the platform's agents do something with a chat
		if c != nil && c.state != handoff.SessionEnded {
			ev := handoff.ProviderEvent{ID: o.id("e"), Reference: c.ref, At: time.Now(), Agent: handoff.Party{Role: handoff.RoleAgent, ID: "zoe", Name: "Zoe"}}
			switch {
			case c.state == handoff.SessionQueued:
				ev.Kind, c.state = handoff.EventJoined, handoff.SessionActive
			case o.n%3 == 0 || f.Text == "end":
				ev.Kind, c.state = handoff.EventEnded, handoff.SessionEnded
			default:
				ev.Kind, ev.MessageID, ev.Text = handoff.EventMessage, ev.ID, ev.ID
			}
			o.events = append(o.events, ev)
		}
	}
	return fact{}
}

// A wire is one process's line to what is outside.
type wire struct {
	mu   sync.Mutex
	conn net.Conn
	in   *bufio.Scanner
}

func dialOutside(ctx context.Context, socket string) (*wire, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	l := &wire{conn: conn, in: bufio.NewScanner(conn)}
	l.in.Buffer(nil, 1<<20)
	return l, nil
}

func (l *wire) tell(f fact) (answer fact, err error) {
	b, err := json.Marshal(f)
	if err != nil {
		return fact{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.conn.Write(append(b, '\n')); err != nil {
		return fact{}, err
	}
	if !l.in.Scan() {
		return fact{}, fmt.Errorf("nobody is there any more: %w", l.in.Err())
	}
	return answer, json.Unmarshal(l.in.Bytes(), &answer)
}
