package handoff

import (
	"slices"
	"strconv"
)

// Relaxing asks for less, in the steps of a queue's ladder. What was dropped
// stays in the record and in the log: the agent who gets the user sees what he
// was not chosen for.

// relax lowers what is asked for, and records what was dropped.
func (x *change) relax(f func([]Skill) (keep, dropped []Skill)) {
	keep, dropped := f(x.h.Need.Skills)
	if len(dropped) == 0 {
		return
	}
	x.h.Need.Skills = keep
	x.h.Dropped = append(slices.Clip(x.h.Dropped), dropped...)
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
