package handoff

import (
	"errors"
	"sync"
)

// errBound is what Run of a bound engine returns.
var errBound = errors.New("handoff: an engine that On returned does not run")

// On returns a copy of e whose verbs use s in place of the store: a view of
// the same store within a transaction of the host, such as pgstore's Tx. What
// the verbs do takes effect with that transaction, or not at all.
//
// Call committed after the transaction was committed. Only then do hooks,
// followers and the worker hear of what was done; without it they find it by
// themselves, later. After a roll-back there is nothing to call.
//
// The copy does not Run and is gone with the transaction. A verb that failed
// may have used up the transaction: roll it back, and begin again. Use one
// verb after the other, and none that waits (Follow, WhileTurn, Stream).
func (e *Engine) On(s Store) (bound *Engine, committed func()) {
	base := e
	if e.tx != nil {
		base = e.tx.base
	}
	b := &Engine{
		pace: e.pace, taught: e.taught, outlooks: newOutlooks(),
		cfg: e.cfg, rules: e.rules, store: s, providers: e.providers, log: e.log, hub: e.hub, skills: e.skills, roster: e.roster, begun: e.begun, stuck: e.stuck,
		reached: newRecent[receiver, int64](mostRecent),
		work:    newWork(), // takes no tasks
		tx:      &transaction{base: base},
	}
	b.early.Store(e.early.Load())
	return b, func() {
		if c, ok := unwrap[interface{ Committed() }](s); ok {
			c.Committed()
		}
		b.tx.release()
	}
}

// transaction holds back what follows from commits of a transaction that is open.
type transaction struct {
	base *Engine
	mu   sync.Mutex
	then []func(*Engine)
}

// after does what follows from a commit: at once or, in a transaction of the
// host, when that was committed. f uses the engine that it is given.
func (e *Engine) after(f func(base *Engine)) {
	if e.tx == nil {
		f(e)
		return
	}
	e.tx.mu.Lock()
	defer e.tx.mu.Unlock()
	e.tx.then = append(e.tx.then, f)
}

func (b *transaction) release() {
	b.mu.Lock()
	then := b.then
	b.then = nil
	b.mu.Unlock()
	for _, f := range then {
		f(b.base)
	}
}
