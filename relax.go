package handoff

import (
	"slices"
	"strconv"
)

// Relaxing asks for less, in the steps of a queue's ladder. What was dropped
// stays in the record and in the log: the agent who gets the user sees what he
// was not chosen for.

// eased is a rung that has lowered what is asked for.
type eased struct {
	Do Action `json:"do"`
	By int    `json:"by,omitempty"`
}

// apply returns what is left of skills.
func (s eased) apply(skills []Skill) (keep, dropped []Skill) {
	if s.Do == RelaxLevels {
		return lower(s.By)(skills)
	}
	return lightest(skills)
}

// ease takes off skills what time has taken off since the form began. So what is
// asked for depends on the answers and on the time waited, not on which of
// them came first, and the heaviest of all stays longest.
func (in *intake) ease(skills []Skill) (keep, dropped []Skill) {
	for _, s := range in.Eased {
		var more []Skill
		skills, more = s.apply(skills)
		dropped = append(dropped, more...)
	}
	return skills, dropped
}

// relax lowers what is asked for, and records what was dropped. A form that is
// being asked remembers the step, for what its answers still ask for.
func (x *change) relax(s eased) {
	if in := x.h.own.Intake; in != nil && in.From != nil {
		c := *in
		c.Eased = append(slices.Clip(c.Eased), s)
		x.h.own.Intake = &c
	}
	keep, dropped := s.apply(x.h.Need.Skills)
	if len(dropped) == 0 {
		return
	}
	x.h.Need.Skills = keep
	x.h.Dropped = append(slices.Clip(x.h.Dropped), dropped...)
	x.relaxed(dropped)
}

// relaxed records what is no longer asked for.
func (x *change) relaxed(dropped []Skill) {
	e := x.event(KindRelaxed)
	e.Data = map[string]string{}
	for _, s := range dropped {
		e.Data[s.Name] = strconv.Itoa(s.Level)
	}
}

// lightest drops the optional skill of the lowest weight, the last of equals.
func lightest(skills []Skill) (keep, dropped []Skill) {
	drop := -1
	for i, s := range skills {
		if s.Optional && (drop < 0 || s.Weight <= skills[drop].Weight) {
			drop = i
		}
	}
	if drop < 0 {
		return skills, nil
	}
	return slices.Delete(slices.Clone(skills), drop, drop+1), skills[drop : drop+1]
}

// lower takes by levels off each skill; with 0 any level will do.
func lower(by int) func([]Skill) (keep, dropped []Skill) {
	return func(skills []Skill) (keep, dropped []Skill) {
		keep = slices.Clone(skills)
		for i := range keep {
			if keep[i].Level == 0 {
				continue
			}
			dropped = append(dropped, skills[i])
			if keep[i].Level -= by; by == 0 || keep[i].Level < 0 {
				keep[i].Level = 0
			}
		}
		return keep, dropped
	}
}

// widen lets the agents of another queue take it, too.
func (x *change) widen(queue string) {
	if slices.Contains(x.h.Need.Also, queue) {
		return
	}
	x.h.Need.Also = append(slices.Clip(x.h.Need.Also), queue)
	x.event(KindRelaxed).Data = map[string]string{"action": string(Widen), "queue": queue}
}
