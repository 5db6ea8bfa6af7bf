package handoff

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"
)

// A Turn is the bot's right to answer. It comes from Receive or with a
// BotCall, and ends when control moves, when the bot calls Done, or when
// another call takes over its messages. It can be stored and used on another
// replica; Reply then needs a Message.ID.
type Turn struct {
	Conversation string  `json:"conversation"`
	Number       int64   `json:"number"` // the latest handoff; 0: none yet
	Epoch        int64   `json:"epoch"`
	Call         string  `json:"call,omitempty"` // empty: the bot may not answer
	State        State   `json:"state,omitempty"`
	Messages     []Asked `json:"messages,omitempty"` // what is to be answered, oldest first; of more than 200 the first 50 and the last 150
	Bot          string  `json:"bot,omitempty"`
	Unwatched    bool    `json:"unwatched,omitempty"`
	Blind        bool    `json:"blind,omitempty"` // the store is down: see StoreDownBot

	// Escalated says that a person is to be offered, or was to be called and
	// cannot be; nil: neither.
	Escalated *Escalated `json:"escalated,omitempty"`

	counter *counter // numbers the replies of this call
}

// An Asked is a message of the user that a turn is to answer.
type Asked struct {
	ID      string          `json:"id"`
	Text    string          `json:"text,omitempty"`
	Files   []File          `json:"files,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
	At      time.Time       `json:"at,omitzero"`
}

// Open reports whether the bot may answer. When it may not, the message is
// kept for whoever may; the host has nothing more to do.
func (t Turn) Open() bool { return t.Call != "" }

// ID returns the handoff that the turn belongs to.
func (t Turn) ID() ID { return ID{Conversation: t.Conversation, Number: t.Number} }

// counter numbers the replies of one call and lets one through at a time, so
// that an attempt of unknown outcome is repeated under its own number.
type counter struct {
	gate chan struct{}
	n    atomic.Int64
}

func newCounter() *counter { return &counter{gate: make(chan struct{}, 1)} }

// A Bot is called when the host's bot must know or do something that no
// message of the user triggers. Calls come in order for each handoff, at
// least once, on some replica that runs; they may overlap with Receive. An
// error means: try again later. Answers go through Reply or Done with the
// call's Turn, before or after Call returns.
type Bot interface {
	Call(ctx context.Context, c BotCall) error
}

// A BotFunc is a Bot.
type BotFunc func(ctx context.Context, c BotCall) error

// Call calls f.
func (f BotFunc) Call(ctx context.Context, c BotCall) error { return f(ctx, c) }

// A BotCallKind says why the bot is called.
type BotCallKind string

// The kinds of calls.
const (
	BotStarted BotCallKind = "started" // an agent has the user now
	BotEnded   BotCallKind = "ended"   // the handoff is over
	BotResume  BotCallKind = "resume"  // messages wait for an answer
)

// A BotCall tells the bot what happened and what to answer.
type BotCall struct {
	ID      string // stable: the same call again is a repeat
	Kind    BotCallKind
	Handoff Handoff // the one it is about
	Outcome Outcome // for BotEnded
	Note    string  // for BotEnded: what the agent wrote when he gave the user back
	Summary string  // for BotEnded: what happened, Note included, for the bot's memory
	Human   []Entry // for BotEnded: what was said since the bot last had control, without notes

	// Turn is the right to answer, with the messages that nobody has answered.
	// It is not open if the bot no longer has control.
	Turn Turn
}
