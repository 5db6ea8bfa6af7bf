package handoff

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff/estimate"
)

// A Need says what a handoff asks for.
type Need struct {
	Queue      string        `json:"queue"`
	Also       []string      `json:"also,omitempty"` // queues whose agents may take it too; see Widen
	Skills     []Skill       `json:"skills,omitempty"`
	Language   string        `json:"language,omitempty"` // agents must speak it; empty: any
	Mode       Mode          `json:"mode,omitempty"`
	Priority   int           `json:"priority,omitempty"`    // higher is sooner
	Within     time.Duration `json:"within,omitempty"`      // in a queue with a Target: instead of it
	Preferred  string        `json:"preferred,omitempty"`   // an agent who is asked first if he is available
	Exclude    []string      `json:"exclude,omitempty"`     // agents who must not get it, by nobody's hand: conflicts of interest
	BotAnswers bool          `json:"bot_answers,omitempty"` // the bot goes on while the user waits
}

// A Skill is something an agent must be able to do, at least at a level.
type Skill struct {
	Name     string `json:"name"`
	Level    int    `json:"level,omitempty"`    // 0 is any level
	Optional bool   `json:"optional,omitempty"` // may be relaxed; see RelaxSkills
	Weight   int    `json:"weight,omitempty"`   // of an optional one: the lightest goes first
}

// A Mode is the kind of session.
type Mode string

// The modes.
const (
	ModeText  Mode = "" // the zero value
	ModeVideo Mode = "video"
)

// A Style says how agents get what waits in a queue.
type Style string

// The styles.
const (
	Push      Style = ""          // one agent is offered it at a time; the zero value
	Pull      Style = "pull"      // agents see a list; the first accept wins
	Broadcast Style = "broadcast" // several are offered it; the first accept wins
)

// A Queue is a line of people who wait for the same kind of help. Only Name
// is required. A duration of zero means the default, -1 means never.
type Queue struct {
	Name  string
	Style Style
	Route Router // nil means Config.Router
	Hours Hours  // nil means always open

	// Providers name the platforms that serve this queue, best first. Empty
	// means that our own agents do.
	Providers []string

	OfferTimeout  time.Duration // to answer an offer; default 30s
	Cooldown      time.Duration // until one who let lapse, or declined and nobody else is left, is asked again; default 5m
	FirstReply    time.Duration // for an agent's first message after accepting; default never
	IdleTimeout   time.Duration // without a message from either side; default 15m
	IdleWarning   time.Duration // before IdleTimeout the user is warned; default 2m
	HoldTimeout   time.Duration // default 30m
	Wrapup        time.Duration // to finish after the user has gone; default -1: no wrap-up
	AgentGrace    time.Duration // an agent may be away that long; default 1m
	ConnectTime   time.Duration // for a platform to be opened; default 1m
	IntakeTimeout time.Duration // for the user to answer; default 10m
	PlaceEvery    time.Duration // at most so often a waiting user is told a change; default 20s

	PlaceRepeat time.Duration // so often he is told again though nothing changed; default 5m

	// WaitAs is how a wait is put into words: estimate.Range (the default),
	// Approximate, LessThan or Precise.
	WaitAs estimate.Mode

	// Expect is what is believed of handle time and patience before anything
	// was seen. The zero value believes nothing: waits are unknown, with
	// ReasonNoData, until five handoffs have ended.
	Expect estimate.Prior

	// Ladder is what happens while nobody comes. Empty means: give up after
	// 10 minutes (Bot).
	Ladder []Rung

	// Ageing makes one step of priority worth this much waiting. Zero means
	// that priority always wins.
	Ageing time.Duration

	// Target is how soon a person should be there. A queue that has one
	// serves by deadline: first whose time is up first, where Need.Within
	// replaces Target. Zero means in the order of arrival.
	Target time.Duration

	// What refuses a request at the door. Divert names the queue that gets it
	// then, if that one takes it.
	MaxWaiting int           // at most this many wait; 0 is no limit
	MaxWait    time.Duration // half of those who come now would wait longer; 0 is no limit
	NeedAgents bool          // somebody who can help must be online
	Divert     string        // empty: the request is refused

	// The engines, all replicas together, offer an agent at most AgentMost
	// handoffs of this queue within AgentEvery (default 1h); 0 is no limit.
	// What somebody assigns or an agent picks is not held back.
	AgentMost  int
	AgentEvery time.Duration

	BotAnswers    bool // the bot goes on while users wait
	ReleaseOnHold bool // a held handoff gives its seat back
	BroadcastTo   int  // at most this many are asked at once; default 5
	VideoUnits    int  // seats a video session takes; default 1

	Intake *Form // asked before the queue or, with Form.WhileWaiting, in it; nil asks nothing

	Offline      Absence       // for whom nobody can help
	Closing      Closing       // for those inside when the hours end
	ClosingGrace time.Duration // for those who talk, with ClosingEnds; default 10m
	KeepCallback time.Duration // who wants to be called back keeps his place so long; default 24h

	Modes        []Mode        // how users may be served; empty: in every way. Who is led or moved here and asked for another gets the first
	Alias        string        // shown in place of the agents' names; empty: none
	Alert        time.Duration // a user who gets no answer for so long is an alert; default never
	AskRating    AskRating     // whether the user is asked how it was
	CloseReasons []string      // what Ending.Reason may be; empty: anything
	NeedReason   bool          // Ending.Reason is required

	// Who gets a user who writes again after his handoff was ended, within
	// ReopenFor (default 24h).
	Reopen    Reopen
	ReopenFor time.Duration

	// What follows End, also that of an agent on a platform. The bot is told in
	// any case; Quiet gives it the word only when a message is still unanswered,
	// and StayOut only after that time. The zero values give it the word at once.
	Quiet   bool
	StayOut time.Duration

	// Tickets is the provider that makes a ticket of a message that a user
	// left, and of what Engine.Ticket is called for. Empty: the first of Providers that can; none: the message is in
	// the log only.
	Tickets string
}

// A Rung is one step of a queue's ladder. After counts from entering the
// queue, and rungs come in the order of their times.
type Rung struct {
	After  time.Duration
	Do     Action
	By     int    // for RelaxLevels: levels to lower; 0 is to any
	Queue  string // for Overflow and Widen
	Notice string // for Tell: the key of a notice; Config.Notices has its words in each language
}

// An Action is what a rung does.
type Action string

// The actions of a ladder.
const (
	RelaxSkills  Action = "relax"         // drop one optional skill: the lightest, the last of equals
	RelaxLevels  Action = "relax_levels"  // lower the level of every skill
	Widen        Action = "widen"         // agents of Queue may take it, too; the place is kept
	Overflow     Action = "overflow"      // move to Queue, keeping the place in time
	NextProvider Action = "next_provider" // try the next platform of the queue
	Tell         Action = "tell"          // show a notice
	AskMessage   Action = "ask_message"   // invite to leave a message; the place is kept
	ToBot        Action = "bot"           // give up: missed, back to the bot
)

// A Form is what the user is asked before a person comes.
type Form struct {
	Fields   []Field
	Host     bool // the host's own dialog asks and calls Answer; the bot keeps control
	OnLapse  Lapse
	Required bool // cannot be skipped as a whole

	// WhileWaiting asks those who are in the queue already, so that the form
	// costs nobody his place. Who is accepted meanwhile is asked no more, and
	// who has not answered within Queue.IntakeTimeout waits on without. A
	// choice that leads elsewhere does so at once, with the place in time;
	// places are told when the form is over. It is for queues of our own
	// agents: a platform is told what was answered before it was opened.
	WhileWaiting bool
}

// A Field is one question.
type Field struct {
	Name     string    `json:"name"`
	Label    string    `json:"label,omitempty"` // shown to the user; NoticeQuestion can have it in other languages
	Kind     FieldKind `json:"kind,omitempty"`
	Required bool      `json:"required,omitempty"`
	Choices  []string  `json:"choices,omitempty"`
	Pattern  string    `json:"pattern,omitempty"` // a regular expression that the whole answer matches
	Max      int       `json:"max,omitempty"`     // longest answer in bytes; default 1000

	// What a choice leads to: another queue, more skills.
	Queues map[string]string  `json:"queues,omitempty"`
	Skills map[string][]Skill `json:"skills,omitempty"`
}

// A FieldKind says what answers are valid.
type FieldKind string

// The kinds of fields.
const (
	FieldText   FieldKind = ""
	FieldChoice FieldKind = "choice"
	FieldMail   FieldKind = "mail"
	FieldPhone  FieldKind = "phone"
	FieldNumber FieldKind = "number"
	FieldDate   FieldKind = "date" // 2006-01-02
)

// A Lapse says what happens when the user does not finish a form in time.
type Lapse string

// What a lapsed form leads to.
const (
	LapseProceed Lapse = ""       // on to the queue with what there is
	LapseCancel  Lapse = "cancel" // back to the bot
)

// intake is the progress of a form.
type intake struct {
	Fields   []question `json:"fields"` // in the order of the form
	Next     int        `json:"next"`   // which one is asked now
	Host     bool       `json:"host,omitempty"`
	Required bool       `json:"required,omitempty"`
	OnLapse  Lapse      `json:"on_lapse,omitempty"`
	Asked    Mode       `json:"asked,omitempty"` // the mode that was asked for; a queue may serve in another one only
	Ends     Outcome    `json:"ends,omitempty"`  // asked because nobody was there: it ends so

	// Of the question that is asked: the words for its choices, as they were shown.
	Shown []string `json:"shown,omitempty"`

	// Where the form began, if it is asked while the user waits: what choices
	// lead to is added to this, and what time has taken off is taken off again.
	From  *target `json:"from,omitempty"`
	Eased []eased `json:"eased,omitempty"`
}

// question is a field of a form that somebody fills in.
type question struct {
	Field
	Given bool `json:"given,omitempty"` // not asked: answered before the form began, or before its turn
	Done  bool `json:"done,omitempty"`  // answered in this form

	// Where the answer leads. Its words are no guide later: a Redactor may have
	// kept them out of the store.
	Leads target `json:"leads,omitzero"`
}

// target is where answers lead.
type target struct {
	Queue  string  `json:"queue,omitempty"`
	Skills []Skill `json:"skills,omitempty"`
}

// line returns the signature of a need: two needs with the same line can be
// served by the same agents, leaving exclusions aside. It is never empty.
func (n *Need) line() string {
	parts := make([]string, 0, len(n.Skills)+2)
	parts = append(parts, "m="+string(n.Mode), "l="+n.Language)
	for _, s := range n.Skills {
		parts = append(parts, "s="+s.Name+"\x1f"+strconv.Itoa(s.Level))
	}
	for _, q := range n.Also {
		parts = append(parts, "q="+q)
	}
	slices.Sort(parts[2:])
	return strings.Join(parts, "\x1e")
}

// parseLine is the inverse of line, as far as matching needs it.
func parseLine(line string) (n Need) {
	for p := range strings.SplitSeq(line, "\x1e") {
		switch {
		case strings.HasPrefix(p, "m="):
			n.Mode = Mode(p[2:])
		case strings.HasPrefix(p, "l="):
			n.Language = p[2:]
		case strings.HasPrefix(p, "q="):
			n.Also = append(n.Also, p[2:])
		case strings.HasPrefix(p, "s="):
			name, level, _ := strings.Cut(p[2:], "\x1f")
			lv, _ := strconv.Atoi(level)
			n.Skills = append(n.Skills, Skill{Name: name, Level: lv})
		}
	}
	return n
}

// since returns the priority and the time by which a need is ordered in its
// queue: a target is a time to wait on top, and with ageing priority is a head
// start. Both are fixed when it is enqueued, so that nothing is ever re-sorted.
func (q *Queue) since(n *Need, enqueued time.Time) (int, time.Time) {
	priority, at := n.Priority, enqueued
	if q == nil {
		return priority, at
	}
	if q.Target > 0 {
		at = at.Add(cmp.Or(n.Within, q.Target))
	}
	if q.Ageing > 0 {
		at = at.Add(-headStart(priority, q.Ageing))
		priority = 0
	}
	return priority, at
}

// headStart is a priority in time, within a century: more means nothing, and
// would overflow.
func headStart(priority int, ageing time.Duration) time.Duration {
	const century = 100 * 365 * 24 * time.Hour
	most := int(century / ageing)
	return time.Duration(min(max(priority, -most), most)) * ageing
}
