package handoff

import "time"

// An Absence says what a queue does for a user whom nobody can help: it is
// closed, full or without agents, or nobody came in time. The zero value leaves
// that to the bot.
type Absence struct {
	// Tell lets the engine say so, with NoticeOffline; the bot need not.
	Tell bool

	// Form is asked then. What the user answers is stored as a message for the
	// team, and the bot has the user again. Nil asks nothing.
	//
	// What he has answered before, in a form or to the bot, and a field of that
	// name takes, is not asked again and is a part of the message; where that is
	// all, it is the message. Who answers nothing that he is asked leaves none.
	Form *Form

	// Ticket makes Queue.Tickets make a ticket of a request that was missed or
	// refused, also when the user has left nothing.
	Ticket bool
}

// A Closing is a policy for those who are in a queue when its hours end.
type Closing string

// What happens at closing time. The schedule is asked at that time: one that
// was extended meanwhile holds.
const (
	ClosingServes   Closing = ""          // nothing, as long as agents are there
	ClosingTurnAway Closing = "turn_away" // who waits is missed, as Offline says; who talks goes on
	ClosingEnds     Closing = "end"       // who waits too; who talks is told, and ended after Queue.ClosingGrace
)

// An AskRating is a policy for asking users how it was, once for each human
// stretch, with NoticeRate. Rate stores the answer.
type AskRating string

// When users are asked.
const (
	AskNever    AskRating = ""
	AskAtEnd    AskRating = "end"    // when an agent ended or returned it
	AskAtAnyEnd AskRating = "always" // also when it ended by itself, being idle
)

// A Reopen is a policy for users who write again soon after an agent's handoff
// has ended.
type Reopen string

// Who gets such a user. The last two make a request of his message; if the
// queue cannot take him, the bot has him.
const (
	ReopenBot   Reopen = ""
	ReopenQueue Reopen = "queue"
	ReopenAgent Reopen = "agent" // the same queue; the same agent if he is available
)

// A Question is an intake field as it is shown to the user.
type Question struct {
	Field   Field    `json:"field"`
	Choices []string `json:"choices,omitempty"` // the words for Field.Choices in the user's language, in their order
	Skip    bool     `json:"skip,omitempty"`    // it may be skipped
	Back    bool     `json:"back,omitempty"`    // there is a question before it
}

// A Callback is a user's wish to be called.
type Callback struct {
	Phone string `json:"phone"`
	When  string `json:"when,omitempty"` // as the user says it

	At time.Time `json:"at,omitzero"` // when he said so; set by the engine
}

// serviceProblems returns what is wrong with the service around a queue.
func (q *Queue) serviceProblems(path string) []error {
	var out []error
	bad := func(field, why string) { out = append(out, &InvalidError{Field: path + field, Why: why}) }
	if f := q.Offline.Form; f != nil {
		out = append(out, f.problems(path+".Offline.Form")...)
		if f.Host || f.WhileWaiting || f.OnLapse != LapseProceed {
			bad(".Offline.Form", "is asked by the engine, and keeps what there is when it lapses")
		}
		if len(f.Fields) == 0 {
			bad(".Offline.Form.Fields", "is empty")
		}
		for i := range f.Fields {
			if len(f.Fields[i].Queues)+len(f.Fields[i].Skills) > 0 {
				bad(".Offline.Form", "leads to no queue")
			}
		}
	}
	switch q.Closing {
	case ClosingServes:
	case ClosingTurnAway, ClosingEnds:
		if q.Hours == nil {
			bad(".Closing", "needs Hours")
		}
	default:
		bad(".Closing", "is unknown")
	}
	switch q.AskRating {
	case AskNever, AskAtEnd, AskAtAnyEnd:
	default:
		bad(".AskRating", "is unknown")
	}
	switch q.Reopen {
	case ReopenBot, ReopenQueue, ReopenAgent:
	default:
		bad(".Reopen", "is unknown")
	}
	for _, m := range q.Modes {
		if m != ModeText && m != ModeVideo {
			bad(".Modes", "has one that is unknown")
		}
	}
	if err := checkNames(path+".CloseReasons", q.CloseReasons); err != nil {
		out = append(out, err)
	}
	if err := checkOptional(path+".Alias", q.Alias); err != nil {
		out = append(out, err)
	}
	return out
}
