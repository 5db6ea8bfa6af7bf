package trigger

import "time"

const (
	maxSeen   = 4  // messages remembered for repetition
	maxWindow = 16 // answers remembered for failures in a window
	maxLoops  = 8  // automatic transfers remembered for the loop guard
)

// State is the memory of one conversation: counters and hashes, no text. It is
// a plain value that is copied by assignment and survives JSON; the zero value
// is a fresh conversation. One conversation's turns must be evaluated one after
// the other.
type State struct {
	Turns int `json:"turns"` // user turns since the bot took over

	FailRow    int    `json:"fail_row,omitempty"`    // failed answers in a row
	FailWindow uint16 `json:"fail_window,omitempty"` // one bit per answer, the newest lowest
	Answers    int    `json:"answers,omitempty"`     // answers in FailWindow, at most 16
	ErrorRow   int    `json:"error_row,omitempty"`

	UserSeen [maxSeen]uint32 `json:"user_seen"` // hashes of the last user messages, newest first
	BotSeen  [maxSeen]uint32 `json:"bot_seen"`

	Frustration    float32 `json:"frustration,omitempty"`     // decays by half per user turn
	FrustrationRow int     `json:"frustration_row,omitempty"` // frustrated user turns in a row

	Offered   Reason `json:"offered,omitempty"`    // reason of the open offer
	OfferTurn int    `json:"offer_turn,omitempty"` // Turns when it was made
	Quiet     int    `json:"quiet,omitempty"`      // user turns during which soft reasons stay silent

	Pending     bool      `json:"pending,omitempty"` // a transfer was decided and has not ended
	ReturnedAt  time.Time `json:"returned_at,omitzero"`
	SinceReturn int       `json:"since_return,omitempty"` // user turns since the return
	WasReturned bool      `json:"was_returned,omitempty"`

	Unavailable bool     `json:"unavailable,omitempty"` // no agent can take the conversation
	Raised      []Reason `json:"raised,omitempty"`      // soft reasons raised while unavailable

	Automatic [maxLoops]time.Time `json:"automatic"` // recent transfers nobody asked for
	AutoCount int                 `json:"auto_count,omitempty"`
	Requests  int                 `json:"requests,omitempty"` // explicit transfers in the hour that began at RequestHour
	ReqHour   time.Time           `json:"req_hour,omitzero"`
}

// Returned tells the state that the conversation came back to the bot at now:
// counters start afresh and the cool-down begins. What the loop guard and the
// request limit remember stays.
func (s State) Returned(now time.Time) State {
	return State{
		ReturnedAt: now, WasReturned: true,
		Unavailable: s.Unavailable, Raised: s.Raised,
		Automatic: s.Automatic, AutoCount: s.AutoCount, Requests: s.Requests, ReqHour: s.ReqHour,
	}
}

// Cancelled tells the state that a decided transfer did not take place, because
// the user took it back or it failed. Counters stay.
func (s State) Cancelled() State {
	s.Pending = false
	return s
}

// Available tells the state whether an agent can take the conversation. While
// none can, each soft reason is raised only once.
func (s State) Available(yes bool) State {
	if s.Unavailable == yes {
		s.Raised = nil
	}
	s.Unavailable = !yes
	return s
}

// repair brings a state that was damaged in storage back into its ranges.
func (s *State) repair() {
	for _, p := range []*int{&s.Turns, &s.FailRow, &s.ErrorRow, &s.FrustrationRow, &s.OfferTurn, &s.Quiet, &s.SinceReturn, &s.AutoCount, &s.Requests} {
		*p = min(max(*p, 0), 1<<30)
	}
	s.Answers = min(max(s.Answers, 0), maxWindow)
	if !(s.Frustration >= 0 && s.Frustration <= 4) {
		s.Frustration = 0
	}
	if len(s.Raised) > 64 {
		s.Raised = s.Raised[:64]
	}
}

// advance counts one turn.
func (s *State) advance(t *Turn, rd *reading, cfg *Config) {
	switch t.Role { //nolint:exhaustive // agents and notices count for nothing
	case RoleUser:
		s.Turns++
		s.SinceReturn++
		if s.Quiet > 0 {
			s.Quiet--
		}
		s.Frustration = s.Frustration/2 + rd.weight
		if rd.weight > 0 {
			s.FrustrationRow++
		} else {
			s.FrustrationRow = 0
		}
		// An answer of a word or two is often repeated in good faith.
		if rd.words > 2 {
			s.UserSeen = pushSeen(s.UserSeen, rd.hash)
		} else if rd.words > 0 {
			s.UserSeen = pushSeen(s.UserSeen, 0)
		}
	case RoleBot:
		if t.failed(cfg) {
			s.FailRow++
			s.FailWindow = s.FailWindow<<1 | 1
		} else {
			s.FailRow = 0
			s.FailWindow <<= 1
		}
		s.Answers = min(s.Answers+1, maxWindow)
		if t.errored() {
			s.ErrorRow++
		} else {
			s.ErrorRow = 0
		}
		s.BotSeen = pushSeen(s.BotSeen, rd.hash)
	}
}

func pushSeen(seen [maxSeen]uint32, h uint32) [maxSeen]uint32 {
	copy(seen[1:], seen[:maxSeen-1])
	seen[0] = h
	return seen
}

// errored covers error, time-out and empty answer.
func (t *Turn) errored() bool {
	return t.Err != nil || t.NoAnswer || t.empty()
}

// unsure reports low confidence or two answers that are nearly as good.
func (t *Turn) unsure(cfg *Config) bool {
	return t.Scored && (t.Confidence < cfg.Failures.MinConfidence || t.Margin > 0 && t.Margin < cfg.Failures.MinMargin)
}

func (t *Turn) failed(cfg *Config) bool {
	return t.Fallback || t.errored() || t.unsure(cfg)
}
