package modeltest_test

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/seed-2a427302/handoff"
)

// A tally counts what a run reached.
type tally struct {
	mu        sync.Mutex
	ops       int
	committed int
	verbs     map[string]*[2]int // by verb: how often, and how often something was committed
	moves     map[move]int
	errs      map[string]int
	outcomes  map[handoff.Outcome]int
	store     map[string]int // what the store refused
	worlds    int
	crashes   int
	commits   int
}

type move struct {
	command  string
	from, to handoff.State
}

func newTally() *tally {
	return &tally{verbs: map[string]*[2]int{}, moves: map[move]int{}, errs: map[string]int{}, outcomes: map[handoff.Outcome]int{}, store: map[string]int{}}
}

func (t *tally) changed(_ context.Context, c handoff.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.commits++
	t.moves[move{c.Command, c.From, c.To}]++
	if c.To == handoff.StateEnded && c.From != handoff.StateEnded {
		t.outcomes[c.Outcome]++
	}
}

// refused counts what the store refused.
func (t *tally) refused(call string, err error) {
	var held *handoff.HeldError
	name := ""
	switch {
	case errors.As(err, &held):
		kind, _, _ := strings.Cut(held.Key, "/")
		name = "HeldError: " + kind
	case errors.Is(err, handoff.ErrConflict):
		name = "ErrConflict"
	case errors.Is(err, handoff.ErrDuplicate):
		name = "ErrDuplicate"
	case errors.Is(err, handoff.ErrLeased):
		name = "ErrLeased"
	default:
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.store[call+": "+name]++
}

func (t *tally) done(verb string, committed bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ops++
	v := t.verbs[verb]
	if v == nil {
		v = new([2]int)
		t.verbs[verb] = v
	}
	v[0]++
	if committed {
		v[1]++
		t.committed++
	}
	for _, name := range kinds(err) {
		t.errs[name]++
	}
}

var sentinels = []struct {
	name string
	err  error
}{
	{"ErrNotFound", handoff.ErrNotFound},
	{"ErrStale", handoff.ErrStale},
	{"ErrState", handoff.ErrState},
	{"ErrWithdrawn", handoff.ErrWithdrawn},
	{"ErrExpired", handoff.ErrExpired},
	{"ErrFull", handoff.ErrFull},
	{"ErrNotHolder", handoff.ErrNotHolder},
	{"ErrOpen", handoff.ErrOpen},
	{"ErrUnknown", handoff.ErrUnknown},
	{"ErrUnavailable", handoff.ErrUnavailable},
	{"ErrInvalid", handoff.ErrInvalid},
}

func kinds(err error) []string {
	if err == nil {
		return nil
	}
	var out []string
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			out = append(out, s.name)
		}
	}
	var se *handoff.StoreError
	if errors.As(err, &se) {
		out = append(out, "StoreError")
	}
	var ue *handoff.UnavailableError
	if errors.As(err, &ue) {
		out = append(out, "unavailable: "+string(ue.Why))
	}
	for _, s := range []struct {
		name string
		err  error
	}{{"ErrConflict", handoff.ErrConflict}, {"ErrDuplicate", handoff.ErrDuplicate}, {"ErrLeased", handoff.ErrLeased}} {
		if errors.Is(err, s.err) {
			out = append(out, s.name)
		}
	}
	if len(out) == 0 {
		out = append(out, "other: "+err.Error())
	}
	return out
}

// String is the report of a run.
func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "%d operations in %d worlds, %d (%.1f %%) committed; %d commits of the engines, %d crashes\n",
		t.ops, t.worlds, t.committed, 100*float64(t.committed)/float64(max(1, t.ops)), t.commits, t.crashes)
	table(&b, "verbs (calls, committed)", t.verbs, func(k string, v *[2]int) string { return fmt.Sprintf("%-22s %7d %7d", k, v[0], v[1]) })
	table(&b, "transitions", t.moves, func(k move, v int) string {
		return fmt.Sprintf("%-16s %-10s -> %-10s %7d", k.command, k.from, k.to, v)
	})
	table(&b, "outcomes", t.outcomes, func(k handoff.Outcome, v int) string { return fmt.Sprintf("%-22s %7d", k, v) })
	table(&b, "refused by the store", t.store, func(k string, v int) string { return fmt.Sprintf("%-28s %7d", k, v) })
	changes := map[[2]handoff.State]int{}
	for m, n := range t.moves {
		if m.from != m.to {
			changes[[2]handoff.State{m.from, m.to}] += n
		}
	}
	table(&b, "changes of state", changes, func(k [2]handoff.State, v int) string { return fmt.Sprintf("%-10s -> %-10s %7d", k[0], k[1], v) })
	table(&b, "errors of verbs", t.errs, func(k string, v int) string { return fmt.Sprintf("%-22s %7d", k, v) })
	return b.String()
}

func table[K comparable, V any](b *strings.Builder, title string, m map[K]V, line func(K, V) string) {
	list := make([]string, 0, len(m))
	for k, v := range m {
		list = append(list, "  "+line(k, v))
	}
	sort.Strings(list)
	fmt.Fprintf(b, "%s:\n%s\n", title, strings.Join(list, "\n"))
}
