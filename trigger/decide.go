package trigger

import (
	"slices"
	"time"
)

// decide is a pure function of its arguments and the policy; it writes the
// consequences into st.
func (p *compiledPolicy) decide(st *State, t *Turn, sig []Signal, rd *reading) Decision {
	var d Decision
	if t.Role == RoleUser {
		p.answer(&d, st, rd)
	}
	best := None
	for i := range sig {
		s := &sig[i]
		act, why := p.judge(st, t, s, d.Cancel || d.Declined)
		if why != "" {
			d.Suppressed = append(d.Suppressed, Suppression{Signal: *s, Why: why})
		}
		if s.Guard != "" {
			continue
		}
		if act == None {
			continue
		}
		d.All = append(d.All, *s)
		if act > best || act == best && rank(s.Reason) < rank(d.Primary.Reason) {
			best, d.Primary = act, *s
		}
	}
	d.Action = best
	p.apply(st, t, &d)
	return d
}

// answer handles what the user said about an open offer or a transfer under way.
func (p *compiledPolicy) answer(d *Decision, st *State, rd *reading) {
	if rd.request {
		return
	}
	switch {
	case st.Pending && rd.negated:
		d.Cancel, st.Pending = true, false
		st.Quiet = max(st.Quiet, p.QuietTurns)
	case st.Offered != "" && (rd.no && !rd.yes || rd.negated):
		d.Declined, st.Offered = true, ""
		st.Quiet = max(st.Quiet, p.QuietTurns)
	}
}

// judge returns the action for one signal and, if that is less than its score
// asks for, why.
func (p *compiledPolicy) judge(st *State, t *Turn, s *Signal, refused bool) (Action, string) {
	if s.Guard != "" {
		switch s.Guard {
		case WhyIntake, WhyNoPack, WhyBadSignal, WhyTimeout, WhyClassifier, WhyBusy:
			return None, s.Guard
		}
		return None, whyGuardPrefix + s.Guard
	}
	th, known := p.at[s.Reason]
	if !known {
		return None, WhyOff
	}
	act := p.action(s)
	switch {
	case act == None:
		return None, WhyThreshold
	case st.Pending:
		return None, WhyPending
	case !s.Reason.Explicit() && st.Turns < th.MinTurn:
		return None, WhyMinTurn
	}
	if s.Reason.Soft() {
		switch {
		case p.cooling(st, t.At):
			return None, WhyCoolDown
		case refused || st.Quiet > 0:
			return None, WhyDeclined
		case st.Unavailable && slices.Contains(st.Raised, s.Reason):
			return None, WhyUnavailable
		}
	}
	if act == Offer && st.Offered != "" && t.Role == RoleBot {
		return None, WhyOffered
	}
	if act >= Transfer {
		switch {
		case s.Reason.Explicit():
			if p.MaxRequests > 0 && st.Requests >= p.MaxRequests && within(st.ReqHour, t.At) {
				return Offer, WhyRateLimit
			}
		case p.MaxAutomatic > 0 && st.automatic(t.At) >= p.MaxAutomatic:
			return Offer, WhyLoopGuard
		}
	}
	return act, ""
}

// cooling reports whether the conversation came back a short while ago.
func (p *compiledPolicy) cooling(st *State, now time.Time) bool {
	if !st.WasReturned {
		return false
	}
	if st.SinceReturn <= p.CoolDownTurns && p.CoolDownTurns > 0 {
		return true
	}
	return p.CoolDown > 0 && !now.IsZero() && !st.ReturnedAt.IsZero() && now.Sub(st.ReturnedAt) < p.CoolDown
}

// apply writes the decision into the state.
func (p *compiledPolicy) apply(st *State, t *Turn, d *Decision) {
	if t.Role == RoleUser && st.Offered != "" && st.Turns > st.OfferTurn {
		// The offer was passed over: it lapses, and is not repeated at once.
		st.Offered = ""
		if d.Action == None {
			st.Quiet = max(st.Quiet, 2)
		}
	}
	if d.Action == None {
		return
	}
	if st.Unavailable && d.Primary.Reason.Soft() && !slices.Contains(st.Raised, d.Primary.Reason) {
		st.Raised = append(slices.Clip(st.Raised), d.Primary.Reason)
	}
	if d.Action == Offer {
		st.Offered, st.OfferTurn = d.Primary.Reason, st.Turns
		return
	}
	st.Pending, st.Offered = true, ""
	if d.Primary.Reason.Explicit() {
		if st.Requests == 0 || !within(st.ReqHour, t.At) {
			st.Requests, st.ReqHour = 0, t.At
		}
		st.Requests++
		return
	}
	copy(st.Automatic[1:], st.Automatic[:maxLoops-1])
	st.Automatic[0] = t.At
	st.AutoCount = min(st.AutoCount+1, maxLoops)
}

// automatic counts transfers nobody asked for in the hour before now. Without a
// clock every one that is remembered counts.
func (s *State) automatic(now time.Time) int {
	n := 0
	for _, at := range s.Automatic[:min(s.AutoCount, maxLoops)] {
		if within(at, now) {
			n++
		}
	}
	return n
}

func within(at, now time.Time) bool {
	return at.IsZero() || now.IsZero() || now.Sub(at) < time.Hour
}
