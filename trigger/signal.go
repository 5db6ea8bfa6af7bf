package trigger

// Reason is a stable code for why a human may be needed. Codes are written to
// logs and analytics; they never change meaning.
type Reason string

// The fixed list of reasons. Host detectors use these too: a code outside the
// list has no default policy and is only acted on if Policy.Reasons names it.
const (
	ReasonUserRequest    Reason = "user_request"    // the user asked for a human in words
	ReasonButton         Reason = "button"          // the user pressed a "talk to a human" control
	ReasonFlowNode       Reason = "flow_node"       // the bot's author put a transfer here
	ReasonPhrase         Reason = "phrase"          // a phrase configured by the host was said
	ReasonFallbacks      Reason = "fallbacks"       // the bot failed several times
	ReasonRepetition     Reason = "repetition"      // the user or the bot goes in circles
	ReasonFrustration    Reason = "frustration"     // frustration added up over turns
	ReasonSensitiveTopic Reason = "sensitive_topic" // a topic a bot should not handle alone
	ReasonUnauthorised   Reason = "unauthorised"    // a topic the bot is not allowed to handle
	ReasonLowConfidence  Reason = "low_confidence"  // the bot itself was not sure
	ReasonBotError       Reason = "bot_error"       // error, time-out or empty answer
	ReasonBotTool        Reason = "bot_tool"        // the bot's model called the handoff tool
	ReasonBotPromise     Reason = "bot_promise"     // the bot told the user that it transfers
	ReasonTurnLimit      Reason = "turn_limit"      // too many turns without an end
	ReasonClassifier     Reason = "classifier"      // the host's own model said so
)

// Reasons returns the fixed list in the order of precedence: when two signals
// call for the same action, the earlier reason becomes Decision.Primary.
func Reasons() []Reason {
	return []Reason{
		ReasonButton, ReasonFlowNode, ReasonUserRequest, ReasonSensitiveTopic, ReasonUnauthorised,
		ReasonBotTool, ReasonPhrase, ReasonClassifier, ReasonBotPromise, ReasonBotError, ReasonFallbacks,
		ReasonRepetition, ReasonFrustration, ReasonLowConfidence, ReasonTurnLimit,
	}
}

// Soft reports whether the reason is inferred rather than stated: soft reasons
// are silenced by the cool-down, by a declined offer and while no agent is
// available. A reason outside the fixed list is soft.
func (r Reason) Soft() bool {
	switch r {
	case ReasonUserRequest, ReasonButton, ReasonFlowNode, ReasonPhrase, ReasonSensitiveTopic,
		ReasonUnauthorised, ReasonBotTool, ReasonBotPromise, ReasonBotError:
		return false
	default:
		return true
	}
}

// Explicit reports whether a person or the bot's author asked: explicit
// reasons do not count as automatic transfers in the loop guard.
func (r Reason) Explicit() bool {
	return r == ReasonUserRequest || r == ReasonButton || r == ReasonFlowNode
}

// Evidence says which rule fired and where. Start and End are byte offsets in
// the original, unnormalised Turn.Text, so Text[Start:End] is what was matched;
// both are 0 for a rule that does not read text.
type Evidence struct {
	Rule  string `json:"rule"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// Signal is one observation of one detector.
type Signal struct {
	Reason   Reason   `json:"reason"`
	Score    float32  `json:"score"`            // 0..1, compared with the policy's thresholds
	Lang     string   `json:"lang,omitempty"`   // pack that fired; empty when no text was read
	Guard    string   `json:"guard,omitempty"`  // why the detector itself takes the signal back; empty: it stands
	Detector string   `json:"detector"`         // who reports
	Detail   string   `json:"detail,omitempty"` // free text of a tool call or classifier; never from the user
	Evidence Evidence `json:"evidence"`
}

// Suppression is a signal that led to nothing, or to less than it asked for.
type Suppression struct {
	Signal Signal `json:"signal"`
	Why    string `json:"why"` // one of the Why constants, or "guard:" and the guard's name
}

// Reasons for a suppression.
const (
	WhyThreshold    = "below-threshold" // score under the policy's lowest threshold
	WhyOff          = "reason-off"      // the policy does not act on this reason
	WhyMinTurn      = "too-early"       // before the policy's MinTurn for this reason
	WhyCoolDown     = "cool-down"       // shortly after a return to the bot
	WhyDeclined     = "declined"        // the user turned an offer down
	WhyOffered      = "already-offered" // the same offer is open
	WhyPending      = "already-pending" // a transfer is under way
	WhyUnavailable  = "unavailable"     // no agent, and this reason was already raised
	WhyLoopGuard    = "loop-guard"      // too many automatic transfers: only offered
	WhyRateLimit    = "rate-limit"      // too many requests of this user: only offered
	WhyNoPack       = "no-pack"         // the turn's language has no pack
	WhyIntake       = "intake"          // the bot is filling a form: text rules are off
	WhyClassifier   = "classifier-error"
	WhyTimeout      = "classifier-timeout"
	WhyBusy         = "classifier-busy"
	WhyBadSignal    = "bad-signal" // a host detector reported a score or span that cannot be
	whyGuardPrefix  = "guard:"
	guardAnswerOpen = "no-open-offer"
)

// Action is what the policy asks the host to do. Actions are ordered.
type Action int

// Actions, weakest first. The zero value is None.
const (
	None        Action = iota // carry on with the bot
	Offer                     // ask the user whether a human should take over
	Transfer                  // start the handoff; intake may come first
	TransferNow               // start the handoff at once, without intake
)

// String returns the action's name in lower case.
func (a Action) String() string {
	switch a {
	case None:
		return "none"
	case Offer:
		return "offer"
	case Transfer:
		return "transfer"
	case TransferNow:
		return "transfer_now"
	}
	return "unknown"
}

// Decision is the outcome for one turn. The zero value means: nothing to do.
type Decision struct {
	Action     Action        `json:"action"`
	Primary    Signal        `json:"primary"`              // the signal that decided; zero when Action is None
	All        []Signal      `json:"all,omitempty"`        // every signal that stood
	Suppressed []Suppression `json:"suppressed,omitempty"` // every signal that did not, with the reason
	Cancel     bool          `json:"cancel,omitempty"`     // the user took back a transfer that is under way
	Declined   bool          `json:"declined,omitempty"`   // the user turned the open offer down
}
