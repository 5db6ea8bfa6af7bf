package automate

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff"
)

// around is what rules can name of a Config.
type around struct {
	queues  []string // the empty one included: no queue
	tickets []string // the queues for which somebody makes tickets
	words   handoff.Notices
	log     *slog.Logger
}

// CheckConfig says what the rules given to New name that c does not have: queues,
// notices without words, tickets where nobody makes them. handoff.New asks it;
// from then on Put refuses such rules. It does not look at those that are kept:
// what people or another build wrote keeps no engine from starting. See LeftOut.
func (a *Automations) CheckConfig(c *handoff.Config) error {
	w := newAround(c)
	a.around.Store(w)
	a.mu.Lock()
	a.read, a.left = time.Time{}, nil // judged anew, by what c has
	a.edits++
	a.mu.Unlock()
	var out []error
	for i := range a.rules {
		out = append(out, w.problems(fmt.Sprintf("Rules[%d]", i), &a.rules[i])...)
	}
	return errors.Join(out...)
}

func newAround(c *handoff.Config) *around {
	w := &around{queues: []string{""}, words: handoff.English{}, log: c.Logger}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if c.Notices != nil {
		w.words = c.Notices
	}
	makers := map[string]bool{}
	for _, p := range c.Providers {
		if _, ok := p.(handoff.Ticketer); ok {
			makers[p.Info().Name] = true
		}
	}
	for i := range c.Queues {
		q := &c.Queues[i]
		w.queues = append(w.queues, q.Name)
		if makers[q.Tickets] || slices.ContainsFunc(q.Providers, func(p string) bool { return makers[p] }) {
			w.tickets = append(w.tickets, q.Name)
		}
	}
	return w
}

// problems returns what a rule names that is not there.
func (w *around) problems(at string, r *Rule) []error {
	var out []error
	bad := func(field, why string) { out = append(out, &handoff.InvalidError{Field: at + field, Why: why}) }
	makes := func(q string) bool { return slices.Contains(w.tickets, q) }
	for j, q := range r.If.Queues {
		if !slices.Contains(w.queues, q) {
			bad(fmt.Sprintf(".If.Queues[%d]", j), "is not a queue of this Config")
		}
	}
	for j := range r.Do {
		act := &r.Do[j]
		if act.Notice != "" && w.silent(act.Notice) {
			bad(fmt.Sprintf(".Do[%d].Notice", j), "has no words in Notices")
		}
		if act.Transfer != nil && !slices.Contains(w.queues, act.Transfer.Queue) {
			bad(fmt.Sprintf(".Do[%d].Transfer", j), "Queue is not a queue of this Config")
		}
		if act.Ticket != "" && (len(w.tickets) == 0 || len(r.If.Queues) > 0 && !slices.ContainsFunc(r.If.Queues, makes)) {
			bad(fmt.Sprintf(".Do[%d].Ticket", j), "nobody makes tickets for these queues: see Queue.Tickets")
		}
	}
	return out
}

// silent reports whether a notice has no words anywhere.
func (w *around) silent(key string) bool {
	return !slices.ContainsFunc(w.queues, func(q string) bool { return w.words.Text(handoff.Notice{Key: key, Queue: q}) != "" })
}
