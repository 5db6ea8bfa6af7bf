package handoff

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/seed-2a427302/handoff/estimate"
)

// A Notice is something that the engine tells a user, before it is words.
type Notice struct {
	Key      string            // NoticeWaiting, …, or the key of a Tell rung
	Language string            // of the user, BCP 47; empty: not known
	Queue    string            // empty: none
	Channel  string            // Handoff.Channel
	Data     map[string]string // what the words may name; see the keys
}

// Notices turns notices into words for users. Text returns "" to say nothing.
// It is called while a commit is prepared: it must be fast, do no I/O and
// always give the same answer. Package notices has them in several languages,
// as data that a host can change.
type Notices interface {
	Text(n Notice) string
}

// The keys of the notices, with the data they come with. The audience of each
// is the user; what is for agents is an entry of the log.
const (
	NoticeWaiting    = "waiting"     // a person was asked for: mode (text or video)
	NoticePlace      = "place"       // position, ahead, wait (see estimate.Rendered), wait_low, wait_high, why, cause
	NoticeConnecting = "connecting"  // a platform is being opened
	NoticeJoined     = "joined"      // agent
	NoticeTakeOver   = "take_over"   // agent
	NoticeVideo      = "video"       // agent, link: a video session begins
	NoticeTransfer   = "transferred" // agent or queue, where known
	NoticeRequeued   = "requeued"    // the agent had to leave; the place is kept
	NoticeHeld       = "held"        // agent
	NoticeResumed    = "resumed"     // agent
	NoticeIdle       = "idle_warning"
	NoticeReturned   = "returned" // the bot is back
	NoticeEnded      = "ended"
	NoticeMissed     = "missed" // nobody came in time
	NoticeCancelled  = "cancelled"
	NoticeFailed     = "failed"  // a platform failed; the bot is back
	NoticeOffline    = "offline" // nobody is there: why (closed, offline, full), opens (RFC 3339) where known
	NoticeClosing    = "closing" // the queue closes while the user waits or talks: opens, where known
	NoticeOffer      = "offer"   // would the user rather talk to a person?
	NoticeMessage    = "ask_message"
	NoticeThanks     = "message_left"
	NoticeCallback   = "callback"   // the place is kept; somebody will call: phone
	NoticeUnanswered = "unanswered" // the bot failed and nobody else can help
	NoticeQuestion   = "question"   // an intake field: its name (field) and label
	NoticeChoice     = "choice"     // the words for a choice, shown with its question: field, choice, number (1 is the first)
	NoticeInvalid    = "invalid"    // the answer is not one: field, label, kind of the field, why (required, long, characters, pattern, choice, mail, phone, number, date)
	NoticeRate       = "rate"       // how was it? agent
)

// English is the default Notices.
type English struct{}

// Text returns the English words for a notice, whatever the language. Values
// are put in without line breaks, control characters and marks of direction.
func (English) Text(n Notice) string {
	agent := plain(n.Data["agent"])
	if agent == "" {
		agent = "A colleague"
	}
	switch n.Key {
	case NoticeJoined:
		return agent + " has joined the conversation."
	case NoticeTakeOver:
		return agent + " is taking over from here."
	case NoticeVideo:
		return agent + " is waiting for you in the video call: " + plain(n.Data["link"])
	case NoticeHeld:
		return agent + " will be back in a moment."
	case NoticeResumed:
		return agent + " is back."
	case NoticePlace:
		return englishPlace(n.Data)
	case NoticeOffline:
		return englishOffline(n.Data)
	case NoticeClosing:
		return "Our team is closing now." + englishOpens(n.Data)
	case NoticeInvalid:
		return englishInvalid(n.Data["why"])
	case NoticeCallback:
		return "You keep your place. We will call you at " + plain(n.Data["phone"]) + "."
	case NoticeQuestion:
		return plain(n.Data["label"])
	case NoticeChoice:
		return plain(n.Data["choice"])
	case NoticeWaiting:
		if n.Data["mode"] == string(ModeVideo) {
			return "I am getting a person for a video call."
		}
	}
	return english[n.Key]
}

// plain makes a value part of a line.
func plain(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s))
}

var english = map[string]string{ //nolint:gochecknoglobals // constant
	NoticeWaiting:    "I am getting a person for you.",
	NoticeConnecting: "I am connecting you.",
	NoticeTransfer:   "You are being transferred.",
	NoticeRequeued:   "Your agent had to leave. You keep your place and somebody else will be with you.",
	NoticeIdle:       "Are you still there? This conversation will be closed soon.",
	NoticeReturned:   "You are talking to the assistant again.",
	NoticeEnded:      "The conversation with our team has ended.",
	NoticeMissed:     "Nobody could take your request in time. The assistant goes on.",
	NoticeCancelled:  "Your request for a person was cancelled.",
	NoticeFailed:     "Our team cannot be reached right now. The assistant goes on.",
	NoticeOffer:      "Would you like to talk to a person?",
	NoticeMessage:    "It takes longer than usual. You can leave a message and keep your place.",
	NoticeThanks:     "Thank you, your message was passed on.",
	NoticeUnanswered: "Sorry, I could not answer that. Please try again later.",
	NoticeRate:       "How was the conversation with our team? Please give it 1 to 5.",
}

func englishOffline(data map[string]string) string {
	switch Reason(data["why"]) {
	case ReasonClosed:
		return "Our team is closed." + englishOpens(data)
	case ReasonFull:
		return "Too many people are waiting for our team right now."
	default:
		return "Nobody of our team is available right now." + englishOpens(data)
	}
}

func englishOpens(data map[string]string) string {
	at, err := time.Parse(time.RFC3339, data["opens"])
	if err != nil {
		return ""
	}
	return at.Format(" We open again on Monday at 15:04.")
}

func englishInvalid(why string) string {
	switch why {
	case "required":
		return "I need an answer to this."
	case "long":
		return "That is too long. Could you say it shorter?"
	case "pattern":
		return "That is not in the form that I need."
	case "choice":
		return "Please choose one of the answers."
	case "mail":
		return "That is not a mail address."
	case "phone":
		return "That is not a phone number."
	case "number":
		return "That is not a number."
	case "date":
		return "Please write the date like 2006-01-02."
	}
	return "I cannot accept that answer."
}

func englishPlace(data map[string]string) string {
	var b strings.Builder
	switch n, _ := strconv.Atoi(data["ahead"]); {
	case data["ahead"] == "":
		b.WriteString("You are in the queue.")
	case n == 0:
		b.WriteString("You are next.")
	case n == 1:
		b.WriteString("One person is ahead of you.")
	default:
		fmt.Fprintf(&b, "%d people are ahead of you.", n)
	}
	b.WriteString(" " + englishWait(data))
	switch cause := data["cause"]; {
	case strings.Contains(cause, estimate.Overtaken.String()):
		b.WriteString(" Somebody whose case cannot wait was put before you.")
	case strings.Contains(cause, estimate.SeatLost.String()):
		b.WriteString(" Fewer colleagues are there than before.")
	case strings.Contains(cause, estimate.HoursChanged.String()):
		b.WriteString(" The hours of our team have changed.")
	case strings.Contains(cause, estimate.Moved.String()):
		b.WriteString(" You are waiting for other colleagues now.")
	}
	return b.String()
}

func englishWait(data map[string]string) string {
	low, high := data["wait_low"], data["wait_high"]
	unit := func(n string) string {
		if n == "1" {
			return "a minute."
		}
		return n + " minutes."
	}
	switch estimate.Mode(data["wait"]) {
	case estimate.Soon:
		return "It will be your turn any moment now."
	case estimate.Range:
		return "It will take between " + low + " and " + unit(high)
	case estimate.LessThan:
		return "It will take less than " + unit(high)
	case estimate.MoreThan:
		return "It will take more than " + unit(low)
	case estimate.Approximate, estimate.Precise:
		return "It will take about " + unit(high)
	case estimate.Undetermined:
	}
	switch data["why"] {
	case string(ReasonOffline):
		return "Nobody is there right now."
	case string(ReasonClosed):
		return "We are closed right now."
	}
	return "I cannot say yet how long it will take."
}

// data returns the data of NoticePlace.
func (t *Told) data(mode estimate.Mode) map[string]string {
	data := map[string]string{}
	if t.Position > 0 {
		data["position"] = strconv.Itoa(t.Position)
		data["ahead"] = strconv.Itoa(t.Position - 1)
	}
	r := t.words(mode)
	data["wait"] = string(r.Mode)
	if r.Low > 0 {
		data["wait_low"] = strconv.Itoa(r.Low)
	}
	if r.High > 0 {
		data["wait_high"] = strconv.Itoa(r.High)
	}
	if r.Reason != "" {
		data["why"] = string(t.Why)
	}
	if t.Cause != 0 {
		data["cause"] = t.Cause.String()
	}
	return data
}
