package trigger

import "time"

// Role says who produced a turn. The zero value is RoleUser.
type Role int

// Roles. Text rules read user turns; bot turns are read for outcome and
// promises; agent and system turns are never read.
const (
	RoleUser Role = iota
	RoleBot
	RoleAgent
	RoleSystem
)

// Turn is one message or event. Only the fields that apply to its Role are
// read. The zero value is an empty user message and causes nothing.
type Turn struct {
	Role Role
	Text string    // as received; offsets in evidence refer to it
	Lang string    // BCP 47 tag of the session ("pt-BR"); empty: every pack is tried
	At   time.Time // when it happened; zero means that time-based rules do not apply

	// User turns.

	Host   Reason // ReasonButton or ReasonFlowNode when the host itself asks; other values are ignored
	Intake bool   // the text answers a form question: only configured phrases apply

	// Bot turns.

	Fallback   bool    // the bot did not understand
	Scored     bool    // Confidence is meaningful
	Confidence float32 // 0..1, best intent or answer; read only if Scored
	Margin     float32 // 0..1, best minus second best; 0 means not known
	Err        error   // error or time-out of the bot; only its presence is used
	NoAnswer   bool    // the user got nothing at all for this turn
	ToolCall   string  // name of the tool the bot's model called; empty means none
	ToolReason string  // reason given with the call, copied to Signal.Detail
}

// empty reports whether a bot turn carries neither text nor a tool call.
func (t *Turn) empty() bool {
	if t.ToolCall != "" {
		return false
	}
	for i := range len(t.Text) {
		switch t.Text[i] {
		case ' ', '\t', '\n', '\r':
		default:
			return false
		}
	}
	return true
}
