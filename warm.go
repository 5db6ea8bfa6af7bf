package handoff

import "time"

// A command on a handoff that this engine committed a moment ago begins with
// what it committed, and not with a read: a bot's turn is three commands, and
// so is an agent who accepts and says hello. That is safe because a commit
// fails unless its version is the newest, and because nothing but a commit is
// believed: what a command is refused for is decided again after reading.
const (
	// warmFor is shorter than a store needs to fail over. One that lost its last
	// commits counts their versions again, for other contents.
	warmFor  = 5 * time.Second
	mostWarm = 1000
)

func newWarm() *recent[ID, *Handoff] {
	r := newRecent[ID, *Handoff](mostWarm)
	r.stay = warmFor
	return r
}

// warmed returns what this engine committed last of a handoff, if that was a
// moment ago; nil otherwise. It is nil in a transaction of the host, too, which
// a lost commit may end.
func (e *Engine) warmed(id ID) *Handoff {
	if e.tx != nil {
		return nil
	}
	h, _ := e.warm.get(id)
	return h
}

// keepWarm keeps h for warmed. What has ended is not asked for much, and may be
// erased.
func (e *Engine) keepWarm(h *Handoff) {
	if h.IsOpen() {
		e.warm.put(h.ID, h)
	} else {
		e.warm.drop(h.ID)
	}
}

// doubt forgets what was seen of the store, which has failed: when it answers
// again, it may be another one that lost the last commits, and counts versions
// and entries anew.
func (e *Engine) doubt() {
	if e.tx != nil {
		return // it was the host's transaction
	}
	e.warm.clear()
	e.work.own.clear()
	e.reached.clear()
	e.begun.clear()
}
