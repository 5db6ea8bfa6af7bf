package trigger

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Threshold says from which score a reason leads to which action. In each
// field 0 means the default of that reason and -1 means never.
type Threshold struct {
	Offer    float32 // default 0.5
	Transfer float32 // default 0.8
	Now      float32 // default never; 0.85 for ReasonSensitiveTopic
	// MinTurn is the first user turn at which the reason counts; explicit
	// reasons (Reason.Explicit) ignore it.
	MinTurn int
}

// Policy turns signals into a decision. The zero value is the default policy;
// in every number 0 means the default given and -1 means never or no limit.
type Policy struct {
	// Reasons overrides thresholds. A reason outside the fixed list is acted
	// on only if it is here.
	Reasons map[Reason]Threshold

	// After a return to the bot soft reasons are silent until both have passed.
	CoolDownTurns int           // user turns: 2
	CoolDown      time.Duration // 60 s; needs Turn.At

	// QuietTurns is how many user turns soft reasons stay silent after the user
	// declined an offer or took a transfer back: 5.
	QuietTurns int

	// MaxAutomatic is how many transfers nobody asked for (Reason.Explicit is
	// false) are started per conversation and hour, at most 8: 3. Further ones
	// are only offered.
	MaxAutomatic int

	// MaxRequests is how many transfers the user can start per conversation and
	// hour: 10. Further ones are only offered.
	MaxRequests int
}

type compiledPolicy struct {
	Policy
	at map[Reason]Threshold
}

const never = 2 // above every score

// compile fills in the defaults.
func (p Policy) compile() (compiledPolicy, error) {
	var errs []error
	set := func(v *int, def int, name string) {
		if *v < -1 {
			errs = append(errs, invalid("Policy."+name, "is %d; -1 means never", *v))
		}
		switch *v {
		case 0:
			*v = def
		case -1:
			*v = 0
		}
	}
	set(&p.CoolDownTurns, 2, "CoolDownTurns")
	set(&p.QuietTurns, 5, "QuietTurns")
	if p.CoolDown == 0 {
		p.CoolDown = time.Minute
	}
	if p.MaxAutomatic == 0 {
		p.MaxAutomatic = 3
	}
	if p.MaxRequests == 0 {
		p.MaxRequests = 10
	}
	if p.MaxAutomatic < -1 || p.MaxAutomatic > maxLoops {
		errs = append(errs, invalid("Policy.MaxAutomatic", "is %d; allowed are -1 and 1..%d", p.MaxAutomatic, maxLoops))
	}
	if p.MaxRequests < -1 {
		errs = append(errs, invalid("Policy.MaxRequests", "is %d; -1 means no limit", p.MaxRequests))
	}
	at := make(map[Reason]Threshold, len(p.Reasons)+16)
	for _, r := range Reasons() {
		at[r] = Threshold{}
	}
	maps.Copy(at, p.Reasons)
	for r, t := range at {
		now := float32(-1)
		if r == ReasonSensitiveTopic {
			now = 0.85
		}
		for _, f := range []struct {
			v   *float32
			def float32
		}{{&t.Offer, 0.5}, {&t.Transfer, 0.8}, {&t.Now, now}} {
			if *f.v == 0 {
				*f.v = f.def
			}
			if *f.v == -1 {
				*f.v = never
			} else if !(*f.v > 0 && *f.v <= 1) {
				errs = append(errs, invalid(fmt.Sprintf("Policy.Reasons[%.40q]", r), "threshold %v is outside 0..1", *f.v))
			}
		}
		if t.MinTurn < 0 {
			errs = append(errs, invalid(fmt.Sprintf("Policy.Reasons[%.40q]", r), "MinTurn is negative"))
		}
		at[r] = t
	}
	p.Reasons = nil // the caller's map is not ours
	return compiledPolicy{Policy: p, at: at}, errors.Join(errs...)
}

// action is what a score would lead to if nothing else were the case.
func (p *compiledPolicy) action(s *Signal) Action {
	t, ok := p.at[s.Reason]
	switch {
	case !ok:
		return None
	case s.Score >= t.Now:
		return TransferNow
	case s.Score >= t.Transfer:
		return Transfer
	case s.Score >= t.Offer:
		return Offer
	}
	return None
}

// decided reports whether some signal already reaches a transfer.
func (p *compiledPolicy) decided(sig []Signal) bool {
	return slices.ContainsFunc(sig, func(s Signal) bool { return s.Guard == "" && p.action(&s) >= Transfer })
}

// rank orders reasons for Decision.Primary.
func rank(r Reason) int {
	if i := slices.Index(Reasons(), r); i >= 0 {
		return i
	}
	return 1 << 10
}
