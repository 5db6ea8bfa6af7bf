package handoff

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff/estimate"
	"github.com/seed-2a427302/handoff/trigger"
)

// An ID names a handoff: the conversation, and the handoff's number in it.
type ID struct {
	Conversation string `json:"conversation"`
	Number       int64  `json:"number"`
}

// String returns the conversation and the number, for people.
func (id ID) String() string { return fmt.Sprintf("%s#%d", id.Conversation, id.Number) }

// IsZero reports whether id names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// Compare orders ids by the bytes of the conversation, then by number.
func (id ID) Compare(other ID) int {
	return cmp.Or(cmp.Compare(id.Conversation, other.Conversation), cmp.Compare(id.Number, other.Number))
}

// A State says where a handoff is in its life. DESIGN.md has the table of
// what may follow what.
type State string

// The states of a handoff.
const (
	StateBot        State = "bot"        // the bot answers, the engine watches
	StateIntake     State = "intake"     // the user is being asked for details
	StateWaiting    State = "waiting"    // in the queue
	StateOffered    State = "offered"    // an agent is being asked
	StateConnecting State = "connecting" // a platform is being opened
	StateQueued     State = "queued"     // in the platform's own queue
	StateActive     State = "active"     // an agent answers
	StateHeld       State = "held"       // an agent has paused it
	StateWrapup     State = "wrapup"     // over for the user; the agent finishes
	StateEnded      State = "ended"      // over; Outcome says how
)

// States lists every state in the order of a handoff's life.
func States() []State {
	return []State{
		StateBot, StateIntake, StateWaiting, StateOffered, StateConnecting,
		StateQueued, StateActive, StateHeld, StateWrapup, StateEnded,
	}
}

// An Outcome says how a handoff ended. The set is closed.
type Outcome string

// The outcomes of a handoff.
const (
	OutcomeResolved    Outcome = "resolved"    // the agent finished
	OutcomeReturned    Outcome = "returned"    // the agent gave the user back to the bot
	OutcomeCancelled   Outcome = "cancelled"   // the user no longer wanted a person
	OutcomeAbandoned   Outcome = "abandoned"   // the user left
	OutcomeMissed      Outcome = "missed"      // nobody took it in time
	OutcomeUnavailable Outcome = "unavailable" // refused at the door
	OutcomeIdle        Outcome = "idle"        // it went quiet
	OutcomeFailed      Outcome = "failed"      // a platform or a step failed
	OutcomeContained   Outcome = "contained"   // the bot was enough
	OutcomeHanded      Outcome = "handed"      // given to another bot
)

// A Reason is a code that says why. Hosts may use their own.
type Reason string

// Reasons that the engine gives.
const (
	ReasonUser         Reason = "user_requested"
	ReasonBotFailed    Reason = "bot_failed" // error, timeout or no answer
	ReasonTakeOver     Reason = "take_over"  // an agent stepped in
	ReasonClosed       Reason = "closed"     // out of hours
	ReasonOffline      Reason = "offline"    // no agent is online
	ReasonFull         Reason = "full"       // too many wait
	ReasonDisabled     Reason = "disabled"   // human help is switched off
	ReasonTimeout      Reason = "timeout"
	ReasonAgentLost    Reason = "agent_lost"
	ReasonDeclined     Reason = "declined"
	ReasonLapsed       Reason = "lapsed"
	ReasonCouldNot     Reason = "could_not_accept"
	ReasonWithdrawn    Reason = "withdrawn"
	ReasonNoReply      Reason = "no_first_reply"
	ReasonProvider     Reason = "provider_failed"
	ReasonPlatformLost Reason = "platform_lost"
	ReasonTransferred  Reason = "transferred"
	ReasonRequeued     Reason = "requeued"
	ReasonUserLeft     Reason = "user_left"
	ReasonImportFailed Reason = "history_unavailable"
	ReasonCooldown     Reason = "cool_down"
	ReasonNoData       Reason = "no_data"  // nothing was learned yet
	ReasonReopened     Reason = "reopened" // the user wrote again after the end
	ReasonTooLong      Reason = "too_long" // the wait would be longer than the queue allows
)

// A Role says what kind of party somebody is.
type Role string

// The roles.
const (
	RoleUser       Role = "user"
	RoleBot        Role = "bot"
	RoleAgent      Role = "agent"
	RoleSupervisor Role = "supervisor"
	RoleEngine     Role = "engine"
)

// A Party is somebody in a conversation.
type Party struct {
	Role Role   `json:"role"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"` // as the user sees it
}

// An Actor is who calls a verb. Op names the call: calling a verb again with
// the same Op returns the first result. Without Op the engine derives one
// where the command itself is unique (accepting offer 3, ending epoch 7) and
// makes a new one otherwise.
type Actor struct {
	Role Role
	ID   string
	Op   string
}

// By returns an agent as an actor.
func By(agent string) Actor { return Actor{Role: RoleAgent, ID: agent} }

// BySupervisor returns a supervisor as an actor. The engine checks facts, not
// rights: the host decides who is a supervisor.
func BySupervisor(id string) Actor { return Actor{Role: RoleSupervisor, ID: id} }

// Once returns a with an operation id.
func (a Actor) Once(op string) Actor { a.Op = op; return a }

func (a Actor) party() Party { return Party{Role: a.Role, ID: a.ID} }

// A Contact is what is known about the user.
type Contact struct {
	ID         string            `json:"id,omitempty"`
	Name       string            `json:"name,omitempty"`
	Mail       string            `json:"mail,omitempty"`
	Phone      string            `json:"phone,omitempty"`
	Verified   bool              `json:"verified,omitempty"` // the host knows that it is this person
	Attributes map[string]string `json:"attributes,omitempty"`
}

func (c *Contact) isZero() bool {
	return c.ID == "" && c.Name == "" && c.Mail == "" && c.Phone == "" && len(c.Attributes) == 0
}

// A Handoff is one stretch of a conversation under the engine. It is a plain
// value: only the engine's verbs change anything, and nobody may change the
// slices and maps of one he was given.
type Handoff struct {
	ID      ID    `json:"id"`
	Version int64 `json:"-"`   // raised by each commit
	Seq     int64 `json:"seq"` // number of the last log entry

	State   State   `json:"state"`
	Outcome Outcome `json:"outcome,omitempty"`
	Epoch   int64   `json:"epoch"` // raised at each change of controller, over all handoffs of the conversation

	User     *Contact          `json:"user,omitempty"`
	Language string            `json:"language,omitempty"` // BCP 47
	Channel  string            `json:"channel,omitempty"`  // the host's name for where the user is
	URL      string            `json:"url,omitempty"`      // the page the user is on
	Bot      string            `json:"bot,omitempty"`      // which bot has the user; see Handover
	Need     Need              `json:"need,omitzero"`
	Dropped  []Skill           `json:"dropped,omitempty"` // skills that were relaxed
	Reason   Reason            `json:"reason,omitempty"`  // why a person is needed
	Flags    []string          `json:"flags,omitempty"`
	Tags     []string          `json:"tags,omitempty"`
	Answers  map[string]string `json:"answers,omitempty"` // intake
	Summary  string            `json:"summary,omitempty"`
	Closing  string            `json:"closing,omitempty"` // close reason given by the agent
	Rating   *Rating           `json:"rating,omitempty"`
	Attended bool              `json:"attended,omitempty"` // an agent had it at least once

	Agent     string  `json:"agent,omitempty"`      // who holds it
	AgentName string  `json:"agent_name,omitempty"` // as the user sees it
	LastAgent string  `json:"last_agent,omitempty"` // who held it last, also in an earlier handoff
	Provider  string  `json:"provider,omitempty"`   // the platform that has it; empty: our own desk
	Offers    []Offer `json:"offers,omitempty"`     // who is being asked
	OfferNo   int64   `json:"offer_no,omitempty"`

	Created  time.Time `json:"created"`
	Enqueued time.Time `json:"enqueued,omitzero"` // first time in a queue; kept until the end
	Joined   time.Time `json:"joined,omitzero"`   // when the present agent took it
	Ended    time.Time `json:"ended,omitzero"`
	Updated  time.Time `json:"updated"`
	LastUser time.Time `json:"last_user,omitzero"`
	LastSaid time.Time `json:"last_said,omitzero"` // last message of the bot or an agent
	Stretch  Stretch   `json:"stretch,omitzero"`

	Pending   []Pending  `json:"pending,omitempty"` // the user's unanswered messages
	Deadlines []Deadline `json:"deadlines,omitempty"`
	StayOut   time.Time  `json:"stay_out,omitzero"` // the bot stays silent until then
	Place     *Told      `json:"place,omitempty"`   // what the user was last told about the wait

	LeftMessage bool      `json:"left_message,omitempty"` // the user left a message or wants a call back
	Callback    *Callback `json:"callback,omitempty"`     // he wants to be called, and keeps his place
	Refused     bool      `json:"refused,omitempty"`      // a request was refused at the door
	Missed      Reason    `json:"missed,omitempty"`       // why nobody helped: closed, offline, full, timeout, declined, …
	Room        *Room     `json:"room,omitempty"`         // of the video session
	Asked       bool      `json:"asked,omitempty"`        // the user was asked how it was

	own     bookkeeping
	unknown unknown
}

// bookkeeping is what only the engine needs. It is stored, and not part of the
// JSON that anybody else gets: sessions are secret.
type bookkeeping struct {
	Calls      []call     `json:"calls,omitempty"`
	Known      known      `json:"known,omitempty"`
	Owed       []Owed     `json:"owed,omitempty"`
	Seat       *seat      `json:"seat,omitempty"`
	Intake     *intake    `json:"intake,omitempty"`
	Declined   []declined `json:"declined,omitempty"`
	Bindings   []Binding  `json:"bindings,omitempty"`
	Packet     *packet    `json:"packet,omitempty"`
	Rung       int        `json:"rung,omitempty"`
	LadderFrom time.Time  `json:"ladder_from,omitzero"`
	NextBind   int64      `json:"next_bind,omitempty"` // number of the last binding
	Route      int        `json:"route,omitempty"`     // index of the platform in the queue's list
	QueueMax   int        `json:"queue_max,omitempty"`
	Units      int        `json:"units,omitempty"` // seats it takes; 0 is 1
	Quiet      bool       `json:"quiet,omitempty"`
	NextOwed   bool       `json:"next_owed,omitempty"`
	Importing  bool       `json:"importing,omitempty"` // history is still being read
	AwaySince  time.Time  `json:"away_since,omitzero"`
	IdleFrom   time.Time  `json:"idle_from,omitzero"` // extended by the agent
	Warned     bool       `json:"warned,omitempty"`
	Failures   int        `json:"failures,omitempty"`  // bot failures in a row; ends a loop
	Stands     time.Time  `json:"stands,omitzero"`     // start of the present state
	Attended   time.Time  `json:"attended,omitzero"`   // when the first agent came
	Tombstone  bool       `json:"tombstone,omitempty"` // no handoff, but something the engine keeps
	Lined      time.Time  `json:"lined,omitzero"`      // when it last joined a line
	Moved      bool       `json:"moved,omitempty"`     // the user was last told about another line
	Kept       *kept      `json:"kept,omitempty"`      // of a tombstone that is one

	Trigger *trigger.State `json:"trigger,omitempty"`
	Offer   bool           `json:"offer,omitempty"`   // a person is to be offered after the bot's next reply
	Reopen  *reopen        `json:"reopen,omitempty"`  // where the user's next message goes
	Closing bool           `json:"closing,omitempty"` // the user was told that the queue closes
	Rooms   int            `json:"rooms,omitempty"`   // video rooms that were made
}

// A Stretch holds how long each part of a handoff took. Wait is the time in
// queues, Human the time with an agent; both grow with each requeue. They are
// complete when the handoff has ended.
type Stretch struct {
	Bot        time.Duration `json:"bot,omitempty"`
	Intake     time.Duration `json:"intake,omitempty"`
	Wait       time.Duration `json:"wait,omitempty"`
	FirstWait  time.Duration `json:"first_wait,omitempty"`  // of Wait, what lies before the first accept
	FirstReply time.Duration `json:"first_reply,omitempty"` // from the first accept to the agent's first message
	Human      time.Duration `json:"human,omitempty"`
	Held       time.Duration `json:"held,omitempty"`
	Wrapup     time.Duration `json:"wrapup,omitempty"`
	Transfers  int           `json:"transfers,omitempty"`
	Requeues   int           `json:"requeues,omitempty"`
}

// An Offer is a question to an agent, with a deadline. While it is out, an
// ordinary or warm offer takes the agent's seat; a broadcast takes one at
// accept.
type Offer struct {
	Number    int64     `json:"number"`
	Agent     string    `json:"agent"`
	Deadline  time.Time `json:"deadline"`
	Warm      bool      `json:"warm,omitempty"`      // a transfer that waits for acceptance
	Broadcast bool      `json:"broadcast,omitempty"` // several are asked at once
	Why       string    `json:"why,omitempty"`       // why this agent
	Seat      seat      `json:"seat"`
}

// A Pending is a message of the user that nobody has answered yet. At most
// one call of the bot may answer it. Of a series of more than 200 a record names
// the first 50 and the last 150; the log has all.
type Pending struct {
	Message string    `json:"message"` // the message's id
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Call    string    `json:"call,omitempty"`
	Due     time.Time `json:"due,omitzero"` // when that call has had its time
	Resumes int       `json:"resumes,omitempty"`
}

// A Rating is what the user thought of the human stretch.
type Rating struct {
	Score   int       `json:"score"` // 1 to 5
	Comment string    `json:"comment,omitempty"`
	At      time.Time `json:"at"`
}

// A Told is what a waiting user was last told.
type Told struct {
	Position int            `json:"position"`      // 1 is next; 0 is unknown
	Known    bool           `json:"known"`         // whether the wait was known
	Why      Reason         `json:"why,omitempty"` // why it was not
	P50      time.Duration  `json:"p50,omitempty"` // as in Place
	P90      time.Duration  `json:"p90,omitempty"`
	At       time.Time      `json:"at"`
	Seats    int            `json:"seats,omitempty"` // that served him
	Cause    estimate.Cause `json:"cause,omitempty"` // why the wait rose, if it did
}

// A Deadline says when the engine must look at a handoff, and why.
type Deadline struct {
	Kind string    `json:"kind"`
	At   time.Time `json:"at"`
}

// A call is one entitlement of the bot to answer.
type call struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Replied bool      `json:"replied,omitempty"`
}

// A seat is a share of an agent's capacity.
type seat struct {
	Agent    string `json:"agent"`
	Units    int    `json:"units"`
	Max      int    `json:"max"`
	Queue    string `json:"queue,omitempty"` // with a limit of its own
	QueueMax int    `json:"queue_max,omitempty"`

	Channel    string `json:"channel,omitempty"` // with a limit of its own
	ChannelMax int    `json:"channel_max,omitempty"`

	Since time.Time `json:"since,omitzero"` // when it was taken for good, not by an offer
}

// reopen says where a user goes who writes again.
type reopen struct {
	Need  Need      `json:"need"`
	Units int       `json:"units,omitempty"`
	Until time.Time `json:"until"`
}

// declined remembers who must not be asked again before a time.
type declined struct {
	Agent string    `json:"agent"`
	Until time.Time `json:"until"`
	Why   Reason    `json:"why"`

	Refused bool `json:"refused,omitempty"` // he said no or gave it back, now or before
}

// A packet is what the bot is told about the handoff before this one.
type packet struct {
	Number  int64   `json:"number"`
	Outcome Outcome `json:"outcome"`
	Human   bool    `json:"human,omitempty"` // an agent had the user
	Quiet   bool    `json:"quiet,omitempty"` // the bot speaks only if something is unanswered
	Call    string  `json:"call,omitempty"`  // the call that hands out the messages
}

// Controller returns who answers the user now: the bot, the agent, or the
// engine when nobody does and messages are held.
func (h *Handoff) Controller() Party {
	switch h.State {
	case StateBot:
		if h.StayOut.IsZero() {
			return Party{Role: RoleBot, ID: h.Bot}
		}
	case StateIntake, StateWaiting, StateOffered, StateConnecting, StateQueued:
		// What the user writes to the engine's form is not for the bot.
		if in := h.own.Intake; in != nil && in.Host || in == nil && h.Need.BotAnswers && h.State != StateIntake {
			return Party{Role: RoleBot, ID: h.Bot}
		}
	case StateActive, StateHeld:
		return Party{Role: RoleAgent, ID: h.Agent, Name: h.AgentName}
	case StateWrapup, StateEnded:
	}
	return Party{Role: RoleEngine}
}

// IsOpen reports whether the handoff occupies its conversation: it has not
// ended and is not in wrap-up.
func (h *Handoff) IsOpen() bool { return h.State != StateWrapup && h.State != StateEnded }

// Importing reports whether the host's history is still being read. Nobody can
// accept before.
func (h *Handoff) Importing() bool { return h.own.Importing }

// NextOwed reports whether the handoff after this one is still to be opened.
func (h *Handoff) NextOwed() bool { return h.own.NextOwed }

// AwaySince returns since when the agent who holds it has not been there; zero
// if he is.
func (h *Handoff) AwaySince() time.Time { return h.own.AwaySince }

// QuietUntil returns when it ends by itself because nobody writes, once its user
// was warned of that (Queue.IdleWarning); zero before, and after somebody wrote.
func (h *Handoff) QuietUntil() time.Time {
	if h.State != StateActive || !h.own.Warned {
		return time.Time{}
	}
	at, _ := h.deadline(dueIdle)
	return at
}

// Capacity returns the seats that it takes of its agent.
func (h *Handoff) Capacity() int { return max(1, h.own.Units) }

// Bindings returns the chats on platforms that were tried, oldest first,
// without the state of their sessions, which is secret.
func (h *Handoff) Bindings() []Binding {
	out := slices.Clone(h.own.Bindings)
	for i := range out {
		out[i].Session.State = nil
	}
	return out
}

// Form returns the intake fields that are asked, before the queue or in it, and
// which is next.
func (h *Handoff) Form() (fields []Field, next int) {
	if h.own.Intake == nil {
		return nil, 0
	}
	for i := range h.own.Intake.Fields {
		if i == h.own.Intake.Next {
			next = len(fields)
		}
		if q := &h.own.Intake.Fields[i]; !q.Given {
			fields = append(fields, q.Field)
		}
	}
	if h.own.Intake.Next >= len(h.own.Intake.Fields) {
		next = len(fields)
	}
	return fields, next
}

// Offer returns the offer made to agent.
func (h *Handoff) Offer(agent string) (Offer, bool) {
	for _, o := range h.Offers {
		if o.Agent == agent {
			return o, true
		}
	}
	return Offer{}, false
}
