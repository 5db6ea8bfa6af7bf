package automate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// Rules keeps rules that people edit while engines run, for all replicas. Its
// methods may be called concurrently.
type Rules interface {
	// List returns all rules, in the order in which they run.
	List(ctx context.Context) ([]Rule, error)

	// Put adds a rule, or replaces the one with its Name, whole.
	Put(ctx context.Context, r Rule) error

	// Delete removes one. Removing one that is not there is no error.
	Delete(ctx context.Context, name string) error
}

// NewRules returns Rules in memory, ordered by name.
func NewRules(list ...Rule) Rules {
	m := &memRules{}
	for i := range list {
		m.put(list[i])
	}
	return m
}

type memRules struct {
	mu   sync.Mutex
	list []Rule
}

func (m *memRules) List(ctx context.Context) ([]Rule, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.list), ctx.Err()
}

func (m *memRules) Put(ctx context.Context, r Rule) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.put(r)
	return nil
}

func (m *memRules) put(r Rule) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, found := slices.BinarySearchFunc(m.list, r.Name, byName)
	if found {
		m.list[at] = r
		return
	}
	m.list = slices.Insert(m.list, at, r)
}

func (m *memRules) Delete(ctx context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, found := slices.BinarySearchFunc(m.list, name, byName); found && ctx.Err() == nil {
		m.list = slices.Delete(m.list, at, at+1)
	}
	return ctx.Err()
}

func byName(r Rule, name string) int { return strings.Compare(r.Name, name) }

// ErrFixed says that a rule is the host's own, given to New, or that nothing
// keeps rules: it cannot be edited.
var ErrFixed = errors.New("automate: the rule cannot be edited")

// fresh is how long rules are used before they are read again: a change on
// another replica is in force after that time.
const fresh = 2 * time.Second

// List returns the rules that run, in their order: the host's own, then those
// that are kept.
func (a *Automations) List(ctx context.Context) ([]Rule, error) {
	if a.opts.Keep == nil {
		return slices.Clone(a.rules), nil
	}
	a.mu.Lock()
	kept, read, edits := a.kept, a.read, a.edits
	a.mu.Unlock()
	if now := time.Now(); read.IsZero() || now.Sub(read) >= fresh {
		var err error
		if kept, err = a.opts.Keep.List(ctx); err != nil {
			return nil, err
		}
		// A rule that another build wrote and this one cannot run is left out,
		// and one that the host's own has taken the name of.
		kept = slices.DeleteFunc(slices.Clone(kept), func(r Rule) bool { return len(r.problems("", &a.opts)) > 0 || a.Fixed(r.Name) })
		a.mu.Lock()
		if a.edits == edits { // else what was read is old already
			a.kept, a.read = kept, now
		}
		a.mu.Unlock()
	}
	return slices.Concat(a.rules, kept), nil
}

// Editable reports whether rules can be added.
func (a *Automations) Editable() bool { return a.opts.Keep != nil }

// Fixed reports whether a rule is the host's own, given to New.
func (a *Automations) Fixed(name string) bool {
	return slices.ContainsFunc(a.rules, func(r Rule) bool { return r.Name == name })
}

// Validate returns everything that is wrong with a rule, joined, each as a
// *handoff.InvalidError that names the field below "Rule". Once an engine was
// made of the Config, what the rule names must be there.
func (a *Automations) Validate(r Rule) error {
	problems := r.problems("Rule", &a.opts)
	if w := a.around.Load(); w != nil {
		problems = append(problems, w.problems("Rule", &r)...)
	}
	return errors.Join(problems...)
}

// Put keeps a rule, or replaces the one with its name. Each thing that is wrong
// with it is a *handoff.InvalidError, joined, and nothing is kept.
func (a *Automations) Put(ctx context.Context, r Rule) error {
	if a.opts.Keep == nil || a.Fixed(r.Name) {
		return ErrFixed
	}
	if err := a.Validate(r); err != nil {
		return err
	}
	return a.edited(a.opts.Keep.Put(ctx, r))
}

// Delete removes a rule that is kept. Removing one that is not there is no
// error.
func (a *Automations) Delete(ctx context.Context, name string) error {
	if a.opts.Keep == nil || a.Fixed(name) {
		return ErrFixed
	}
	return a.edited(a.opts.Keep.Delete(ctx, name))
}

// edited makes the next look read the rules.
func (a *Automations) edited(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.read = time.Time{}
	a.edits++
	return err
}
