package automate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
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
// that are kept, without what LeftOut lists.
func (a *Automations) List(ctx context.Context) ([]Rule, error) {
	kept, _, err := a.look(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Concat(a.rules, kept), nil
}

// A LeftOut is a kept rule that does not run here.
type LeftOut struct {
	Rule Rule

	// Why lists all that is in its way, each a *handoff.InvalidError that names
	// the field below "Rule".
	Why error
}

// LeftOut returns the kept rules that do not run here, and why: another build
// wrote what this one does not know, what they name is no longer in the Config,
// or one of the host's own has their name. Each is logged as a warning to
// Config.Logger when it is first found, by its name and the fields alone.
func (a *Automations) LeftOut(ctx context.Context) ([]LeftOut, error) {
	_, left, err := a.look(ctx)
	return slices.Clone(left), err
}

// look returns what is kept, as it was read a moment ago.
func (a *Automations) look(ctx context.Context) (kept []Rule, left []LeftOut, err error) {
	if a.opts.Keep == nil {
		return nil, nil, nil
	}
	a.mu.Lock()
	kept, left, read, edits := a.kept, a.left, a.read, a.edits
	a.mu.Unlock()
	now := time.Now()
	if !read.IsZero() && now.Sub(read) < fresh {
		return kept, left, nil
	}
	all, err := a.opts.Keep.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	known := left
	kept, left = nil, nil
	for _, r := range all {
		if why := a.refuses(&r); why != nil {
			left = append(left, LeftOut{Rule: r, Why: why})
		} else {
			kept = append(kept, r)
		}
	}
	a.mu.Lock()
	mine := a.edits == edits // else what was read is old already
	if mine {
		a.kept, a.left, a.read = kept, left, now
	}
	a.mu.Unlock()
	if mine {
		a.tell(ctx, known, left)
	}
	return kept, left, nil
}

// refuses says why a kept rule does not run here; nil if it does. One that is for
// several queues runs for those that there are.
func (a *Automations) refuses(r *Rule) error {
	if a.Fixed(r.Name) {
		return &handoff.InvalidError{Field: "Rule.Name", Why: "is that of one of the host's own"}
	}
	c := *r
	if w := a.around.Load(); w != nil {
		there := slices.DeleteFunc(slices.Clone(c.If.Queues), func(q string) bool { return !slices.Contains(w.queues, q) })
		if len(there) > 0 {
			c.If.Queues = there
		}
	}
	return a.Validate(c)
}

// tell logs what is left out and was not before.
func (a *Automations) tell(ctx context.Context, before, left []LeftOut) {
	w := a.around.Load()
	if w == nil {
		return
	}
	for i := range left {
		l := &left[i]
		if !slices.ContainsFunc(before, func(o LeftOut) bool { return o.Rule.Name == l.Rule.Name && o.Why.Error() == l.Why.Error() }) {
			w.log.WarnContext(ctx, "a rule that is kept does not run here", "rule", l.Rule.Name, "fields", fieldsOf(l.Why))
		}
	}
}

// fieldsOf names the fields that joined problems are about.
func fieldsOf(err error) (out []string) {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range list.Unwrap() {
			out = append(out, fieldsOf(one)...)
		}
		return out
	}
	var no *handoff.InvalidError
	if errors.As(err, &no) {
		out = append(out, no.Field)
	}
	return out
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
