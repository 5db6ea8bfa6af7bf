package provider

import (
	"time"

	"github.com/seed-2a427302/handoff"
)

// Lately is what was told last of one chat, for a platform that tells the same again
// and again on a [Socket]: each place that is told is a commit, and somebody who is
// writing is looked up. Typing of one person has one id. Its zero value is ready to
// use, by one goroutine at a time.
type Lately struct {
	place  int
	wait   time.Duration
	typist handoff.ProviderEvent // who writes; without an id: nobody
	at     time.Time             // when he was told
}

// typesFor is how long somebody is known to write who was told to.
const typesFor = 4 * time.Second

// IsNew reports whether an event says what was not told, and remembers it. A wait
// is another one when it has other minutes.
func (l *Lately) IsNew(ev *handoff.ProviderEvent) bool {
	same := l.typist.ID != "" && l.typist.ID == ev.ID
	switch {
	case ev.Kind == handoff.EventQueued:
		if l.place == ev.Position && l.wait.Truncate(time.Minute) == ev.Wait.Truncate(time.Minute) && (l.wait > 0) == (ev.Wait > 0) {
			return false
		}
		l.place, l.wait = ev.Position, ev.Wait
	case ev.Kind != handoff.EventTyping:
	case ev.Stopped:
		if same {
			l.typist = handoff.ProviderEvent{}
		}
		return same
	case same && time.Since(l.at) < typesFor:
		return false
	default:
		l.typist, l.at = *ev, time.Now()
	}
	return true
}

// Stopped returns that whoever writes no longer does, for when nobody would tell;
// false: nobody writes.
func (l *Lately) Stopped() (handoff.ProviderEvent, bool) {
	ev := l.typist
	l.typist = handoff.ProviderEvent{}
	ev.Stopped = true
	return ev, ev.ID != ""
}
