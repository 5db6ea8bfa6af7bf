package handoff

// Known reports whether k is a kind that this build writes. A reader passes
// over others; a rule that waits for one would wait for ever.
func (k Kind) Known() bool {
	switch k {
	case KindMessage, KindNotice, KindNote, KindWhisper,
		KindOpened, KindCarried, KindRequested, KindImported, KindIntake, KindAnswered, KindEnqueued, KindRelaxed, KindLadder,
		KindOffered, KindDeclined, KindLapsed, KindWithdrawn, KindJoined, KindAgentLeft, KindAgentAway, KindAgentBack,
		KindHeld, KindResumed, KindExtended, KindTransferred, KindTagged, KindReturned, KindWrapup, KindEnded,
		KindRefused, KindDone, KindCalled, KindBotFailed, KindUnanswered, KindRetracted, KindLeft, KindTicket, KindMissed, KindRated, KindHanded,
		KindAttempt, KindBound, KindPlatform, KindClosed, KindGaveUp, KindUndelivered, KindTimer, KindNext, KindAlert, KindEscalated,
		KindVideo, KindVideoAsked, KindPriority, KindSummary:
		return true
	}
	return false
}

// Known reports whether o is an outcome; "" is none.
func (o Outcome) Known() bool {
	switch o {
	case OutcomeResolved, OutcomeReturned, OutcomeCancelled, OutcomeAbandoned, OutcomeMissed, OutcomeUnavailable,
		OutcomeIdle, OutcomeFailed, OutcomeContained, OutcomeHanded:
		return true
	}
	return false
}

// Known reports whether r is a role; "" is none.
func (r Role) Known() bool {
	switch r {
	case RoleUser, RoleBot, RoleAgent, RoleSupervisor, RoleEngine:
		return true
	}
	return false
}
