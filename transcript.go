package handoff

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
)

// An Entry is one line in a handoff's log: something said or something that
// happened. The log is transcript, event stream, outbox and audit trail.
type Entry struct {
	ID      string    `json:"id"` // unique in the log, stable across redelivery
	Handoff ID        `json:"-"`
	Seq     int64     `json:"seq"` // 1, 2, 3 … without gaps
	At      time.Time `json:"at"`
	Kind    Kind      `json:"kind"`
	From    Party     `json:"from"`

	Text    string            `json:"text,omitempty"`
	Files   []File            `json:"files,omitempty"`
	Payload json.RawMessage   `json:"payload,omitempty"` // the host's own, opaque
	Notice  string            `json:"notice,omitempty"`  // the key of the notice that Text says
	Reason  Reason            `json:"reason,omitempty"`
	Agent   string            `json:"agent,omitempty"` // the agent it is about
	Data    map[string]string `json:"data,omitempty"`
	Ask     *Question         `json:"ask,omitempty"` // the intake field that a notice asks

	State State `json:"state,omitempty"` // the state after it
	Epoch int64 `json:"epoch,omitempty"` // the epoch after it

	Message string `json:"message,omitempty"` // the host's id of a message
	Past    bool   `json:"past,omitempty"`    // imported or carried over: the user has seen it
	About   int64  `json:"about,omitempty"`   // the entry it is about
	Call    string `json:"call,omitempty"`    // the bot's call it belongs to
	Seen    int64  `json:"seen,omitempty"`    // the last entry the author had seen

	Withheld bool `json:"withheld,omitempty"` // Config.Redact let nothing of its content through

	unknown unknown
}

// A Kind says what an entry records. Readers ignore kinds they do not know;
// new ones may come with any release.
type Kind string

// What is said.
const (
	KindMessage Kind = "message" // of the user, the bot or an agent
	KindNotice  Kind = "notice"  // shown to the user by the engine
	KindNote    Kind = "note"    // internal
	KindWhisper Kind = "whisper" // internal, to the agent
)

// What happens. None of these is ever shown to the user.
const (
	KindOpened      Kind = "opened"  // watching began
	KindCarried     Kind = "carried" // the handoff before it was taken over
	KindRequested   Kind = "requested"
	KindImported    Kind = "imported" // the host's history is complete
	KindIntake      Kind = "intake"
	KindAnswered    Kind = "answered" // one intake field
	KindEnqueued    Kind = "enqueued"
	KindRelaxed     Kind = "relaxed"
	KindLadder      Kind = "ladder"
	KindOffered     Kind = "offered"
	KindDeclined    Kind = "declined"
	KindLapsed      Kind = "lapsed"
	KindWithdrawn   Kind = "withdrawn"
	KindJoined      Kind = "joined" // an agent has it: a human stretch begins
	KindAgentLeft   Kind = "agent_left"
	KindAgentAway   Kind = "agent_away"
	KindAgentBack   Kind = "agent_back"
	KindHeld        Kind = "held"
	KindResumed     Kind = "resumed"
	KindExtended    Kind = "extended"
	KindTransferred Kind = "transferred"
	KindTagged      Kind = "tagged"
	KindReturned    Kind = "returned"
	KindWrapup      Kind = "wrapup"
	KindEnded       Kind = "ended"
	KindRefused     Kind = "refused" // a request was refused at the door
	KindDone        Kind = "done"    // the bot had nothing to say
	KindCalled      Kind = "called"  // the bot is called with unanswered messages
	KindBotFailed   Kind = "bot_failed"
	KindUnanswered  Kind = "unanswered"
	KindRetracted   Kind = "retracted" // a streamed reply was broken off
	KindLeft        Kind = "left_message"
	KindTicket      Kind = "ticket" // a platform made one: Data has provider and reference
	KindMissed      Kind = "missed" // nobody helped; Reason says why
	KindRated       Kind = "rated"
	KindHanded      Kind = "handed"
	KindAttempt     Kind = "attempt" // a platform is about to be opened
	KindBound       Kind = "bound"
	KindPlatform    Kind = "platform" // something the platform reported
	KindClosed      Kind = "closed"   // closed at the vendor
	KindGaveUp      Kind = "gave_up"
	KindUndelivered Kind = "undelivered"
	KindTimer       Kind = "timer"
	KindNext        Kind = "next"        // the next handoff exists
	KindAlert       Kind = "alert"       // a user has had no answer for long
	KindEscalated   Kind = "escalated"   // triggers want a person; Data has what, detector and rule
	KindVideo       Kind = "video"       // a video session began; the room is in Handoff.Room
	KindVideoAsked  Kind = "video_asked" // the user would like one
	KindPriority    Kind = "priority"
	KindSummary     Kind = "summary" // Handoff.Summary was written
)

// A File is a reference; the host keeps the bytes.
type File struct {
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"` // media type
	URL  string `json:"url,omitempty"`
	Ref  string `json:"ref,omitempty"` // the host's own name for it
	Size int64  `json:"size,omitempty"`
}

// A Message is something to say.
type Message struct {
	// ID is the host's id of the message. Saying a message again under the
	// same id has no effect. Empty: the engine makes one, and a retry by the
	// caller says it twice.
	ID      string
	Text    string
	Files   []File
	Payload json.RawMessage

	// Fallback says that the bot did not understand, Confidence, above 0 up to
	// 1, how sure it is (0: not known). Config.Escalation reads them in Reply.
	Fallback   bool
	Confidence float32

	// Seen is the last entry that its author had seen; messages of the user
	// after it stay unanswered. Zero means all of them.
	Seen int64
}

// ForUser reports whether the user may see e.
func (e *Entry) ForUser() bool { return e.Kind == KindMessage || e.Kind == KindNotice }

// IsSaid reports whether e has words of somebody, rather than an event.
func (e *Entry) IsSaid() bool {
	switch e.Kind {
	case KindMessage, KindNotice, KindNote, KindWhisper, KindLeft:
		return true
	default:
		return false
	}
}

// Words returns what was said. A message that was left with the team has the
// fields of its form too, each in a line of its own.
func (e *Entry) Words() string {
	return e.words(func(name, value string) string { return name + ": " + value })
}

func (e *Entry) words(line func(name, value string) string) string {
	if e.Kind != KindLeft || len(e.Data) == 0 {
		return e.Text
	}
	lines := []string{e.Text}
	for _, k := range slices.Sorted(maps.Keys(e.Data)) {
		lines = append(lines, line(k, e.Data[k]))
	}
	return strings.TrimPrefix(strings.Join(lines, "\n"), "\n")
}

// A Transcript is what was said, in the order in which it was said: earlier
// history first, without events. Notes are in it when it was read for staff.
type Transcript []Entry

// Transcript returns what was said in a handoff, notes included: it is staff
// side. Messages that were imported or taken over from the handoff before
// stand at their own time.
func (e *Engine) Transcript(ctx context.Context, id ID) (Transcript, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	var out Transcript
	for after := int64(0); ; {
		page, err := e.page(ctx, id, after, 200)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			if page[i].IsSaid() {
				out = append(out, page[i])
			}
		}
		after = page[len(page)-1].Seq
	}
	slices.SortStableFunc(out, func(a, b Entry) int { return a.At.Compare(b.At) })
	return out, nil
}

// ForUser returns the part that the user has seen.
func (t Transcript) ForUser() Transcript {
	var out Transcript
	for i := range t {
		if t[i].ForUser() {
			out = append(out, t[i])
		}
	}
	return out
}

// Text renders a transcript for people: one line for each message, with the
// time in loc (nil: UTC) and who said it. Line breaks within a message are
// indented, so that nobody can write a line in somebody else's name; other
// control characters are replaced.
func (t Transcript) Text(loc *time.Location) string {
	if loc == nil {
		loc = time.UTC
	}
	var b strings.Builder
	for i := range t {
		e := &t[i]
		fmt.Fprintf(&b, "%s %s: ", e.At.In(loc).Format("15:04:05"), speaker(e))
		text := lineBreaks.Replace(e.Words())
		b.WriteString(printable(strings.TrimRight(text, " \n")))
		for _, f := range e.Files {
			fmt.Fprintf(&b, " [file %s]", shownName(f.Name))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

var lineBreaks = strings.NewReplacer("\r\n", "\n    ", "\n", "\n    ", "\r", "\n    ", "\u2028", "\n    ", "\u2029", "\n    ", "\v", "\n    ", "\f", "\n    ", "\u0085", "\n    ")

// printable replaces what a terminal or an editor would obey rather than show.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// shownName keeps to one line, and to its own direction of writing.
func shownName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
	return printable(strings.Join(strings.Fields(s), " "))
}

// speaker names who wrote an entry.
func speaker(e *Entry) string {
	who := string(e.From.Role)
	if shown := shownName(e.From.Name); shown != "" {
		who += " " + shown
	} else if e.From.ID != "" {
		who += " " + shownName(e.From.ID)
	}
	switch e.Kind {
	case KindNote, KindWhisper, KindLeft:
		who += " (" + strings.ReplaceAll(string(e.Kind), "_", " ") + ")"
	default: // said to the user
	}
	return who
}
