package handoff

import (
	"context"
	"fmt"
	"time"
)

// A Provider is a platform where agents work. The engine relays to it; it has
// no offers and no seats of ours. Prove yours with providertest.Run.
//
// Methods may be called concurrently for different sessions. Errors are
// *ProviderError where the platform answered.
//
// A provider must implement Receiver, Streamer or both: something has to tell
// what the agents do.
type Provider interface {
	// Info describes the platform. It does no I/O and always says the same.
	Info() ProviderInfo

	// Open starts a chat on the platform. o.Attempt is stable when the call is
	// repeated: where the platform can look chats up by it, a repeated Open
	// returns the chat that is there (Finder does so before Open is called).
	Open(ctx context.Context, o Opening) (Session, error)

	// Send delivers one message of the user, or a message of the bot that the
	// agent should see. m.ID is stable across repeats, and m.Again tells that
	// it may be one: a platform that cannot tell repeats is asked first
	// whether it has the message.
	Send(ctx context.Context, s Session, m ProviderMessage) error

	// Close ends the chat on the platform. Closing one that is closed or
	// unknown is no error.
	Close(ctx context.Context, s Session, why Reason) error
}

// A Custody says who carries the user's messages.
type Custody string

// The custodies.
const (
	// CustodyQueue: the platform queues and picks; we relay between the user
	// and the agent.
	CustodyQueue Custody = "queue"
	// CustodyConversation: the platform also carries the user's messages. The
	// engine neither relays nor shows notices, and control may move there
	// without an event.
	CustodyConversation Custody = "conversation"
)

// A ProviderInfo describes a platform.
type ProviderInfo struct {
	Name     string
	Custody  Custody
	Can      Capabilities
	MaxBytes int // longest message text; 0 is no limit; longer ones are cut into several
}

// Capabilities say what a platform can do, so that the engine degrades
// instead of failing.
type Capabilities struct {
	Availability  bool `json:"availability"`
	Position      bool `json:"position"`
	WaitEstimate  bool `json:"wait_estimate"`
	TypingIn      bool `json:"typing_in"`  // agent → user
	TypingOut     bool `json:"typing_out"` // user → agent
	Files         bool `json:"files"`
	Transfer      bool `json:"transfer"`
	Notes         bool `json:"notes"`
	ReturnToBot   bool `json:"return_to_bot"` // the platform has a bot's control, which the engine can give back
	AgentReturns  bool `json:"agent_returns"` // an agent can give the conversation back to the bot there
	Ticket        bool `json:"ticket"`
	FindsAttempt  bool `json:"finds_attempt"`  // a chat can be found by our attempt id
	SendsOnce     bool `json:"sends_once"`     // a message under its id is there once, also after repeats
	ReadsState    bool `json:"reads_state"`    // a session's state can be read
	OneReference  bool `json:"one_reference"`  // reuses one reference for a user's chats
	NativeHistory bool `json:"native_history"` // replays a transcript as messages
	NamesOnly     bool `json:"names_only"`     // tells agents by name: an agent's id is his name
}

// An Opening is what a platform gets to know when a chat is opened.
type Opening struct {
	Handoff    Handoff
	Attempt    string  // our id of this attempt
	Transcript []Entry // what was said so far, up to and including Binding.From, without notes to us
	Note       string  // a short text for the agent: reason, flags, answers
}

// A Session is a chat on a platform. State is the adapter's own, opaque and
// secret: it is stored, and never logged.
type Session struct {
	Reference string `json:"reference"` // the platform's name for the chat; webhooks are routed by it
	State     []byte `json:"state,omitempty"`

	// Expires is when State has to be renewed; zero is never. The engine calls
	// Refresh before that.
	Expires time.Time `json:"expires,omitzero"`

	// Partial says that Find has found a chat whose opening was interrupted:
	// Open is called to finish it.
	Partial bool `json:"-"`
}

// A ProviderMessage is a message, or a note, for the agent on a platform.
type ProviderMessage struct {
	ID    string
	From  Party
	Text  string
	Files []File
	At    time.Time
	Again bool // an earlier call may have delivered it; false is certain
}

// A Binding ties a handoff to one chat on a platform. A handoff has one for
// each attempt to open a chat; only the last can be live.
type Binding struct {
	Number   int64         `json:"number"`
	Provider string        `json:"provider"`
	Attempt  string        `json:"attempt"`
	Session  Session       `json:"session,omitzero"`
	From     int64         `json:"from"`         // last entry of the transcript given to Open
	To       int64         `json:"to,omitempty"` // last entry it gets; 0 while it is live
	Status   BindStatus    `json:"status"`
	Tries    int           `json:"tries,omitempty"`
	Calling  bool          `json:"calling,omitempty"` // Open was called and has not answered yet
	Unsure   bool          `json:"unsure,omitempty"`  // an earlier call may have opened a chat
	At       time.Time     `json:"at"`                // of the attempt
	Bound    time.Time     `json:"bound,omitzero"`    // since when it is open
	Closing  time.Time     `json:"closing,omitzero"`  // since when it is owed a close
	Position int           `json:"position,omitempty"`
	Wait     time.Duration `json:"wait,omitempty"`
}

// A BindStatus says where a binding is in its life.
type BindStatus string

// The statuses of a binding.
const (
	BindOpening BindStatus = "opening" // Open may have been called
	BindOpen    BindStatus = "open"
	BindOwed    BindStatus = "owed"   // over; the chat was or may have been opened and is still to be closed
	BindClosed  BindStatus = "closed" // closed, or never opened
	BindGivenUp BindStatus = "given_up"
)

// A ProviderEvent is something that happened on a platform. Events may come
// late, doubled and in any order.
type ProviderEvent struct {
	ID           string // the platform's id of the event; the same id again has no effect
	Reference    string // of the session
	Conversation string // the host's, where the platform knows it
	Attempt      string // our attempt id, where the platform returns it
	At           time.Time
	Kind         ProviderEventKind
	Agent        Party // who, where it is an agent
	MessageID    string
	Text         string
	Files        []File
	Position     int           // for EventQueued: 1 is next, 0 unknown
	Wait         time.Duration // for EventQueued: 0 unknown
	Code         string        // for EventFailed
	Stopped      bool          // for EventTyping: the agent no longer is
	StillOpen    bool          // for EventReturned: the chat is still open there, and the engine closes it
	Control      bool          // it came from the platform without an actor (CustodyConversation)
}

// A ProviderEventKind says what happened.
type ProviderEventKind string

// The kinds of events.
const (
	EventQueued      ProviderEventKind = "queued"
	EventJoined      ProviderEventKind = "joined"
	EventLeft        ProviderEventKind = "left"
	EventMessage     ProviderEventKind = "message"      // of an agent
	EventUserMessage ProviderEventKind = "user_message" // CustodyConversation only: elsewhere it is an echo, and dropped
	EventNote        ProviderEventKind = "note"
	EventTyping      ProviderEventKind = "typing"
	EventTransferred ProviderEventKind = "transferred"
	EventEnded       ProviderEventKind = "ended"
	EventReturned    ProviderEventKind = "returned" // an agent gave it back to the bot; Text is what he tells the bot
	EventFailed      ProviderEventKind = "failed"
)

// A SessionState is what a platform says about a session now.
type SessionState string

// The states of a session.
const (
	SessionUnknown SessionState = ""
	SessionQueued  SessionState = "queued"
	SessionActive  SessionState = "active"
	SessionEnded   SessionState = "ended"
	SessionBot     SessionState = "bot" // the platform gave control to the bot
)

// Abilities of a Provider, found by type assertion. One of the first two is
// required.
type (
	// A Receiver decodes what the platform pushes. header and body are raw; it
	// verifies signatures before anything else. The reply goes back to the
	// platform after the events are stored.
	Receiver interface {
		Receive(ctx context.Context, w Webhook) ([]ProviderEvent, WebhookReply, error)
	}

	// A Streamer reads what happens in a session: by polling, events or a
	// socket. It calls emit in order and returns when ctx ends, when emit
	// fails, or when the session is over.
	Streamer interface {
		Stream(ctx context.Context, s Session, emit func(ProviderEvent) error) error
	}

	// A Finder looks for a chat that an earlier attempt has opened.
	Finder interface {
		Find(ctx context.Context, attempt string) (Session, bool, error)
	}

	// A StateReader reads the state of a session: when it was opened, about once
	// a minute, and at once after a message that the platform refused.
	StateReader interface {
		ReadState(ctx context.Context, s Session) (SessionState, Party, error)
	}

	// An AvailabilityChecker tells whether the platform has somebody.
	AvailabilityChecker interface {
		Available(ctx context.Context, n Need) (Availability, error)
	}

	// A Typist tells the agent that the user is writing.
	Typist interface {
		Typing(ctx context.Context, s Session, on bool) error
	}

	// A Noter adds an internal note. As with Send, n.ID is stable across
	// repeats, and n.Again tells that it may be one.
	Noter interface {
		Note(ctx context.Context, s Session, n ProviderMessage) error
	}

	// A Ticketer creates a ticket from what a user left.
	Ticketer interface {
		Ticket(ctx context.Context, h Handoff, text string, id string) (reference string, err error)
	}

	// A BotReturner gives the conversation back to the bot on the platform.
	// With CustodyConversation the engine calls it in place of Close.
	BotReturner interface {
		ReturnToBot(ctx context.Context, s Session) error
	}

	// A Refresher renews what a session needs: tokens, cookies. A call whose answer
	// was lost is repeated with the session before it.
	Refresher interface {
		Refresh(ctx context.Context, s Session) (Session, error)
	}
)

// A Webhook is what a platform sent to a webhook.
type Webhook struct {
	Method string
	Path   string
	Header map[string][]string
	Query  map[string][]string
	Body   []byte
}

// A WebhookReply is what the platform wants to read. The zero value is 200.
type WebhookReply struct {
	Status int
	Type   string
	Body   []byte
}

// A ProviderError is what went wrong at a platform. Err and Code hold no
// content and no secrets.
type ProviderError struct {
	Op         string // open, send, close, …
	Status     int    // HTTP status, 0 if there is none
	Code       string // the platform's own
	Retryable  bool
	RetryAfter time.Duration
	Ambiguous  bool // it may have been applied
	Err        error
}

func (e *ProviderError) Error() string {
	return fmt.Sprintf("handoff: provider: %s: status %d %s: %v", e.Op, e.Status, e.Code, e.Err)
}

// Unwrap returns the cause.
func (e *ProviderError) Unwrap() error { return e.Err }

// live returns the binding that is being opened or open.
func (h *Handoff) live() *Binding {
	if n := len(h.own.Bindings); n > 0 {
		if b := &h.own.Bindings[n-1]; b.Status == BindOpening || b.Status == BindOpen {
			return b
		}
	}
	return nil
}
