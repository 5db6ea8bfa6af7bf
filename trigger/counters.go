package trigger

import "math/bits"

const (
	detHost        = "host"
	detFailures    = "failures"
	detRepetition  = "repetition"
	detFrustration = "frustration"
	detConfidence  = "confidence"
	detBot         = "bot"
	detTurns       = "turns"
	detAnswer      = "answer"
)

// Scores of counted signals: one step above the default threshold they aim at.
const (
	scoreHint     = 0.3 // noted, below every default threshold
	scoreOffer    = 0.6
	scoreTransfer = 0.9
)

// count turns the state, which already holds this turn, into signals.
func (e *Engine) count(t *Turn, st *State, rd *reading, dst []Signal) []Signal {
	if t.Role == RoleUser {
		return e.countUser(t, st, rd, dst)
	}
	return e.countBot(t, st, dst)
}

func (e *Engine) countUser(t *Turn, st *State, rd *reading, dst []Signal) []Signal {
	if t.Host == ReasonButton || t.Host == ReasonFlowNode {
		dst = append(dst, Signal{Reason: t.Host, Score: 1, Detector: detHost, Evidence: Evidence{Rule: "host/" + string(t.Host)}})
	}
	if rd.yes && !rd.request {
		s := Signal{Reason: ReasonUserRequest, Score: 1, Detector: detAnswer, Evidence: Evidence{Rule: "answer/yes", End: len(t.Text)}}
		if st.Offered == "" || rd.no { // an offer lapses with the next user turn
			s.Guard = guardAnswerOpen
		}
		dst = append(dst, s)
	}
	if rd.weight > 0 {
		// Frustration offers; it transfers only together with a failure of the
		// bot or in the second frustrated turn running.
		score := float32(scoreHint)
		if st.Frustration >= 3 {
			score = scoreTransfer
			if st.FailRow == 0 && st.FrustrationRow < 2 {
				score = scoreOffer
			}
		} else if st.Frustration >= 1.5 && st.FrustrationRow >= 2 {
			score = scoreOffer
		}
		dst = append(dst, Signal{Reason: ReasonFrustration, Score: score, Lang: rd.weightLang, Detector: detFrustration, Evidence: rd.weightSpan})
	}
	if n := again(&st.UserSeen); e.cfg.Repetition > 0 && n >= e.cfg.Repetition {
		dst = append(dst, Signal{Reason: ReasonRepetition, Score: scoreOffer, Detector: detRepetition, Evidence: Evidence{Rule: "repetition/user", End: len(t.Text)}})
	}
	if e.cfg.TurnLimit > 0 && st.Turns >= e.cfg.TurnLimit {
		dst = append(dst, Signal{Reason: ReasonTurnLimit, Score: scoreOffer, Detector: detTurns, Evidence: Evidence{Rule: "turns/limit"}})
	}
	return dst
}

func (e *Engine) countBot(t *Turn, st *State, dst []Signal) []Signal {
	f := &e.cfg.Failures
	if t.ToolCall != "" {
		dst = append(dst, Signal{Reason: ReasonBotTool, Score: 1, Detector: detBot, Detail: t.ToolReason, Evidence: Evidence{Rule: "bot/tool"}})
	}
	switch {
	case t.NoAnswer:
		dst = append(dst, Signal{Reason: ReasonBotError, Score: scoreTransfer, Detector: detBot, Evidence: Evidence{Rule: "bot/no-answer"}})
	case t.errored():
		s := Signal{Reason: ReasonBotError, Score: scoreHint, Detector: detBot, Evidence: Evidence{Rule: "bot/error"}}
		if t.Err == nil {
			s.Evidence.Rule = "bot/empty"
		}
		if f.ErrorRow > 0 && st.ErrorRow >= f.ErrorRow {
			s.Score = scoreTransfer
		}
		dst = append(dst, s)
	}
	if t.unsure(&e.cfg) {
		rule := "confidence/low"
		if t.Confidence >= f.MinConfidence {
			rule = "confidence/margin"
		}
		dst = append(dst, Signal{Reason: ReasonLowConfidence, Score: scoreHint, Detector: detConfidence, Evidence: Evidence{Rule: rule}})
	}
	if t.failed(&e.cfg) {
		row := Signal{Reason: ReasonFallbacks, Score: scoreHint, Detector: detFailures, Evidence: Evidence{Rule: "failures/row"}}
		switch {
		case f.TransferRow > 0 && st.FailRow >= f.TransferRow:
			row.Score = scoreTransfer
		case f.OfferRow > 0 && st.FailRow >= f.OfferRow:
			row.Score = scoreOffer
		case f.Window > 0 && f.OfferWindow > 0 && bits.OnesCount16(st.FailWindow&(1<<f.Window-1)) >= f.OfferWindow:
			row.Score, row.Evidence.Rule = scoreOffer, "failures/window"
		}
		dst = append(dst, row)
	}
	if n := again(&st.BotSeen); e.cfg.Repetition > 0 && n >= e.cfg.Repetition {
		dst = append(dst, Signal{Reason: ReasonRepetition, Score: scoreOffer, Detector: detRepetition, Evidence: Evidence{Rule: "repetition/bot", End: len(t.Text)}})
	}
	return dst
}

// again counts how often the newest message is among the last ones, itself
// included.
func again(seen *[maxSeen]uint32) int {
	n := 0
	for _, h := range seen {
		if h != 0 && h == seen[0] {
			n++
		}
	}
	if seen[0] == 0 {
		return 0
	}
	return n
}
