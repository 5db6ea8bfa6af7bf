package handoff

import (
	"context"
	"slices"
)

// An Explanation says why a handoff is where it is.
type Explanation struct {
	Handoff Handoff
	Place   Place
	Why     Causes        // one
	Agents  []AgentAnswer // for one that waits: everybody in the queue
	Offers  []Entry       // what was offered to whom, why, and what came of it
	Relaxed []Skill       // skills that are no longer asked for
	Asking  string        // what a form asks the user now, before the queue or in it; empty: nothing
}

// An AgentAnswer says why an agent does not get a handoff now. Why is empty for
// one who can.
type AgentAnswer struct {
	Agent        string
	Availability Availability
	Could        bool // serves the queue, has the skills and is not excluded
	Why          Causes
}

// Explain says why a handoff still waits, and why an agent got it.
func (e *Engine) Explain(ctx context.Context, id ID) (Explanation, error) {
	if err := checkID(id); err != nil {
		return Explanation{}, err
	}
	h, err := e.get(ctx, id)
	if err != nil {
		return Explanation{}, err
	}
	out := Explanation{Handoff: *h, Relaxed: h.Dropped}
	if fields, next := h.Form(); next < len(fields) {
		out.Asking = fields[next].label()
	}
	kinds := []Kind{KindOffered, KindDeclined, KindLapsed, KindWithdrawn, KindJoined, KindAgentLeft, KindRelaxed}
	for after := int64(0); ; {
		page, err := e.page(ctx, id, after, 200)
		if err != nil {
			return out, err
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			if slices.Contains(kinds, page[i].Kind) {
				out.Offers = append(out.Offers, page[i])
			}
		}
		after = page[len(page)-1].Seq
	}
	switch h.State {
	case StateWaiting:
		return out, e.explainWaiting(ctx, h, &out)
	case StateOffered:
		out.Why = because(CauseOffered)
	case StateConnecting:
		out.Why = Causes{{Code: CauseOpening, What: h.Provider}}
	case StateQueued:
		out.Why = Causes{{Code: CausePlatform, What: h.Provider}}
	case StateIntake:
		out.Why = because(CauseIntake)
	case StateActive, StateHeld, StateWrapup:
		out.Why = because(CauseAgent)
	case StateEnded:
		out.Why = Causes{{Code: CauseOver, What: string(h.Outcome)}}
	case StateBot:
		out.Why = because(CauseBot)
	}
	return out, nil
}

func (e *Engine) explainWaiting(ctx context.Context, h *Handoff, out *Explanation) error {
	q := e.rules.queue(h.Need.Queue)
	at := now()
	var err error
	if out.Place, err = e.place(ctx, h); err != nil {
		return err
	}
	free, online, err := e.candidates(ctx, q, at)
	if err != nil {
		return err
	}
	all, err := e.group(ctx, q)
	if err != nil {
		return err
	}
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	able := 0
	for i, st := range e.status(ctx, ids, at) {
		a := AgentAnswer{Agent: st.Agent, Availability: st.Availability}
		a.Could = all[i].reaches(h.Need.Queue, &h.Need) && all[i].covers(&h.Need) && !slices.Contains(h.Need.Exclude, st.Agent)
		switch j := slices.IndexFunc(free, func(c Candidate) bool { return c.Agent.ID == st.Agent }); {
		case st.Availability != Online:
			a.Why = because(CauseOffline)
		case j < 0 && !a.Could:
			a.Why = e.whyNot(h, &Candidate{Agent: all[i]}, at)
		case j < 0:
			a.Why = because(CauseSeats)
		default:
			if a.Why = e.whyNot(h, &free[j], at); len(a.Why) == 0 && h.refused(st.Agent) && h.othersLeft(online, at) {
				a.Why = because(CauseRefused)
			}
		}
		if len(a.Why) == 0 {
			able++
		}
		out.Agents = append(out.Agents, a)
	}
	switch {
	case h.own.Importing:
		out.Why = because(CauseImporting)
	case q.Hours != nil && !isOpen(q.Hours, at):
		out.Why = because(CauseClosed)
	case len(all) == 0:
		out.Why = because(CauseNobody)
	case able == 0:
		out.Why = because(CauseNoneCan)
	case q.Style == Pull:
		out.Why = because(CausePull)
	case out.Place.Position > 1:
		out.Why = because(CauseOthers)
	default:
		out.Why = because(CauseSoon)
	}
	return nil
}
