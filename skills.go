package handoff

import (
	"context"
	"slices"
	"sync"
)

// skillSet remembers skills that somebody in the directory has had, so that
// only an unknown one costs a look.
type skillSet struct {
	mu    sync.Mutex
	known map[string]bool
}

func newSkillSet() *skillSet { return &skillSet{known: map[string]bool{}} }

func (s *skillSet) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[name]
}

func (s *skillSet) learn(all []Agent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range all {
		for name := range all[i].Skills {
			s.known[name] = true
		}
	}
}

// checkSkills refuses a skill that is asked for and that nobody in the
// directory has: most likely it is misspelt, and the user would wait for
// nobody. A skill that may be relaxed is not looked at, nor is any for a queue
// of platforms, which have skills of their own, or while the directory is
// empty or cannot be read.
func (e *Engine) checkSkills(ctx context.Context, field string, q *Queue, skills []Skill) error {
	unknown := func(s Skill) bool { return !s.Optional && !e.skills.has(s.Name) }
	if len(q.Providers) > 0 || !slices.ContainsFunc(skills, unknown) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.StoreTimeout)
	defer cancel()
	all, err := e.cfg.Directory.List(ctx, "")
	if err != nil {
		e.log.WarnContext(ctx, "the directory cannot be read", "error", err)
		return nil
	}
	e.skills.learn(all)
	if len(all) > 0 && slices.ContainsFunc(skills, unknown) {
		return &InvalidError{Field: field, Why: "has a skill that nobody in the directory has"}
	}
	return nil
}
