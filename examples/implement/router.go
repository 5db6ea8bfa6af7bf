package implement

import (
	"context"

	"github.com/seed-2a427302/handoff"
)

// Training gives easy things to the newest colleagues and hard ones to nobody
// but seniors. Skills["years"] says how long somebody is there.
type Training struct {
	Hard   map[handoff.Reason]bool
	Senior int // years
}

// Route picks one of the free agents and says why, or nobody: then the handoff
// waits for somebody else.
func (t Training) Route(_ context.Context, h *handoff.Handoff, free []handoff.Candidate) (agent, why string) {
	best := -1
	for i := range free {
		years := free[i].Agent.Skills["years"]
		switch {
		case t.Hard[h.Reason] && years < t.Senior:
		case best < 0 || years < free[best].Agent.Skills["years"]:
			best = i
		}
	}
	switch {
	case best < 0:
		return "", ""
	case t.Hard[h.Reason]:
		return free[best].Agent.ID, "hard, and the newest of the seniors"
	}
	return free[best].Agent.ID, "easy, and the newest"
}
