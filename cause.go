package handoff

import (
	"strconv"
	"strings"
	"time"
)

// A Cause is a reason why a handoff is where it is, or why an agent does not get
// it. Programs have words of their own for its code; String has English ones.
type Cause struct {
	Code  CauseCode
	What  string    // the platform, outcome, skill or language that it is about; of CauseCooling the outcome of the offer before
	Level int       // of CauseLevel: the agent's
	Until time.Time // of CausePaced and CauseCooling
}

// A CauseCode names a kind of Cause.
type CauseCode string

// Why a handoff is where it is.
const (
	CauseOffered   CauseCode = "offered"
	CauseOpening   CauseCode = "opening"
	CausePlatform  CauseCode = "platform"
	CauseIntake    CauseCode = "intake"
	CauseAgent     CauseCode = "agent"
	CauseOver      CauseCode = "over"
	CauseBot       CauseCode = "bot"
	CauseImporting CauseCode = "importing"
	CauseClosed    CauseCode = "closed"
	CauseNobody    CauseCode = "nobody"
	CauseNoneCan   CauseCode = "none_can"
	CausePull      CauseCode = "pull"
	CauseOthers    CauseCode = "others"
	CauseSoon      CauseCode = "soon"
)

// Why an agent does not get it now.
const (
	CauseOffline     CauseCode = "offline"
	CauseExcluded    CauseCode = "excluded"
	CauseQueue       CauseCode = "queue"
	CauseSeats       CauseCode = "seats"
	CauseChannelSeat CauseCode = "channel_seats"
	CausePaced       CauseCode = "paced"
	CauseCooling     CauseCode = "cooling"
	CauseRefused     CauseCode = "refused"
	CauseSkill       CauseCode = "skill"
	CauseLevel       CauseCode = "level"
	CauseLanguage    CauseCode = "language"
	CauseVideo       CauseCode = "video"
)

// String says it in English.
func (c Cause) String() string {
	switch c.Code {
	case CauseOffered:
		return "an agent is being asked"
	case CauseOpening:
		return "the platform " + c.What + " is being opened"
	case CausePlatform:
		return "in the queue of the platform " + c.What
	case CauseIntake:
		return "the user is being asked for details"
	case CauseAgent:
		return "with an agent"
	case CauseOver:
		return "over: " + c.What
	case CauseBot:
		return "with the bot"
	case CauseImporting:
		return "the history is still being read"
	case CauseClosed:
		return "the queue is closed"
	case CauseNobody:
		return "nobody serves this queue"
	case CauseNoneCan:
		return "nobody can take it now"
	case CausePull:
		return "waits to be picked from the list"
	case CauseOthers:
		return "others are served first"
	case CauseSoon:
		return "an offer is about to be made"
	case CauseOffline:
		return "not online"
	case CauseExcluded:
		return "excluded"
	case CauseQueue:
		return "does not serve the queue"
	case CauseSeats:
		return "no free seat"
	case CauseChannelSeat:
		return "no free seat for the channel"
	case CausePaced:
		return "had as many as he may get before " + c.Until.UTC().Format(time.RFC3339)
	case CauseCooling:
		return "not again before " + c.Until.UTC().Format(time.RFC3339) + ": " + c.What
	case CauseRefused:
		return "refused before, and others are left"
	case CauseSkill:
		return "lacks " + c.What
	case CauseLevel:
		return c.What + " only at " + strconv.Itoa(c.Level)
	case CauseLanguage:
		return "does not speak " + c.What
	case CauseVideo:
		return "takes no video"
	}
	return string(c.Code)
}

// Causes are all reasons at once; none is no reason.
type Causes []Cause

// String says them in English, one after the other.
func (c Causes) String() string {
	said := make([]string, len(c))
	for i := range c {
		said[i] = c[i].String()
	}
	return strings.Join(said, ", ")
}

func because(code CauseCode) Causes { return Causes{{Code: code}} }
