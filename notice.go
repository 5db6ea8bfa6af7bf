package handoff

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Notices turns the key of a notice into words for a user. It returns "" to
// say nothing. It is called while a commit is prepared: it must be fast, do no
// I/O and always give the same answer.
type Notices interface {
	Text(language, key string, data map[string]string) string
}

// The keys of the notices, with the data they come with.
const (
	NoticeWaiting    = "waiting"     // a person was asked for
	NoticePlace      = "place"       // position, ahead, wait_low, wait_high (minutes); known only when set
	NoticeConnecting = "connecting"  // a platform is being opened
	NoticeJoined     = "joined"      // agent
	NoticeTakeOver   = "take_over"   // agent
	NoticeTransfer   = "transferred" // agent or queue, where known
	NoticeRequeued   = "requeued"    // the agent had to leave; the place is kept
	NoticeHeld       = "held"        // agent
	NoticeResumed    = "resumed"     // agent
	NoticeIdle       = "idle_warning"
	NoticeReturned   = "returned" // the bot is back
	NoticeEnded      = "ended"
	NoticeMissed     = "missed" // nobody came in time
	NoticeCancelled  = "cancelled"
	NoticeFailed     = "failed" // a platform failed; the bot is back
	NoticeMessage    = "ask_message"
	NoticeThanks     = "message_left"
	NoticeUnanswered = "unanswered" // the bot failed and nobody else can help
	NoticeQuestion   = "question"   // an intake field: label
)

// English is the default Notices. Other languages are written the same way.
type English struct{}

// Text returns the English words for a notice, whatever the language.
func (English) Text(_, key string, data map[string]string) string {
	agent := data["agent"]
	if agent == "" {
		agent = "A colleague"
	}
	switch key {
	case NoticeWaiting:
		return "I am getting a person for you."
	case NoticePlace:
		return englishPlace(data)
	case NoticeConnecting:
		return "I am connecting you."
	case NoticeJoined:
		return agent + " has joined the conversation."
	case NoticeTakeOver:
		return agent + " is taking over from here."
	case NoticeTransfer:
		return "You are being transferred."
	case NoticeRequeued:
		return "Your agent had to leave. You keep your place and somebody else will be with you."
	case NoticeHeld:
		return agent + " will be back in a moment."
	case NoticeResumed:
		return agent + " is back."
	case NoticeIdle:
		return "Are you still there? This conversation will be closed soon."
	case NoticeReturned:
		return "You are talking to the assistant again."
	case NoticeEnded:
		return "The conversation with our team has ended."
	case NoticeMissed:
		return "Nobody could take your request in time. The assistant goes on."
	case NoticeCancelled:
		return "Your request for a person was cancelled."
	case NoticeFailed:
		return "Our team cannot be reached right now. The assistant goes on."
	case NoticeMessage:
		return "It takes longer than usual. You can leave a message and keep your place."
	case NoticeThanks:
		return "Thank you, your message was passed on."
	case NoticeUnanswered:
		return "Sorry, I could not answer that. Please try again later."
	case NoticeQuestion:
		return data["label"]
	}
	return ""
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
	switch low, high := data["wait_low"], data["wait_high"]; {
	case high == "":
		b.WriteString(" I cannot say yet how long it will take.")
	case low == high && high == "1":
		b.WriteString(" It will take about a minute.")
	case low == high:
		b.WriteString(" It will take about " + high + " minutes.")
	default:
		b.WriteString(" It will take between " + low + " and " + high + " minutes.")
	}
	return b.String()
}

// placeData returns the data of NoticePlace.
func placeData(p Place) map[string]string {
	data := map[string]string{}
	if p.Position > 0 {
		data["position"] = strconv.Itoa(p.Position)
		data["ahead"] = strconv.Itoa(p.Position - 1)
	}
	if p.Known {
		data["wait_low"] = minutes(p.P50)
		data["wait_high"] = minutes(p.P90)
	}
	return data
}

// minutes rounds up, since nobody minds being served early.
func minutes(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Minute-1)/time.Minute)))
}
