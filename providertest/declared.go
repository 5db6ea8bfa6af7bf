package providertest

import (
	"time"

	"github.com/seed-2a427302/handoff"
)

// checkDeclared proves the capabilities that are events or answers; those that
// are calls have their own cases, and "abilities" proves that a call which is not
// declared cannot be made.
func checkDeclared(r *run) {
	can := r.info.Can
	s := r.open("c1")
	var told []handoff.ProviderEvent
	// shows lets something happen until an event tells of it.
	shows := func(declared bool, capability string, a Act, tells func(ev *handoff.ProviderEvent) bool) {
		r.t.Helper()
		a.Chat = s.Reference
		happened := r.v.Do(a)
		found := false
		for range 5 { // what is read comes with the next reading, or the one after it
			events := r.happened()
			told = append(told, events...)
			for i := range events {
				found = found || tells(&events[i])
			}
			if found || !happened {
				break
			}
		}
		switch {
		case declared && !happened:
			r.failf("%s is declared, and the platform has no %q", capability, a.Kind)
		case declared && !found:
			r.failf("%s is declared, and %q is not told", capability, a.Kind)
		}
	}
	queue := Act{Kind: Queue, Position: 3, Wait: 3 * time.Minute}
	place, wait := !can.Position, !can.WaitEstimate
	shows(can.Position || can.WaitEstimate, "Position, WaitEstimate or both", queue, func(ev *handoff.ProviderEvent) bool {
		place = place || ev.Kind == handoff.EventQueued && ev.Position == queue.Position
		wait = wait || ev.Kind == handoff.EventQueued && ev.Wait == queue.Wait
		return place && wait
	})
	r.v.Do(Act{Kind: Join, Chat: s.Reference, Agent: ann})
	told = append(told, r.happened()...)
	shows(can.TypingIn, "TypingIn", Act{Kind: Type}, func(ev *handoff.ProviderEvent) bool { return ev.Kind == handoff.EventTyping })
	file := handoff.File{Name: "bill.pdf", Type: "application/pdf", URL: "https://example.org/bill.pdf", Size: 1234}
	if can.Files {
		shows(true, "Files", Act{Kind: Say, Text: "see", Files: []handoff.File{file}}, func(ev *handoff.ProviderEvent) bool { return len(ev.Files) == 1 })
	}
	shows(can.Transfer, "Transfer", Act{Kind: Transfer, Agent: bob}, func(ev *handoff.ProviderEvent) bool {
		return ev.Kind == handoff.EventJoined && ev.Agent.ID == r.id(bob)
	})
	for i := range told {
		ev := &told[i]
		for what, wrong := range map[string]bool{
			"Position": !can.Position && ev.Position > 0, "WaitEstimate": !can.WaitEstimate && ev.Wait > 0,
			"TypingIn": !can.TypingIn && ev.Kind == handoff.EventTyping, "Transfer": !can.Transfer && ev.Kind == handoff.EventTransferred,
		} {
			if wrong {
				r.failf("%s is not declared, and told by %q", what, ev.Kind)
			}
		}
	}
	if p, ok := r.p.(handoff.AvailabilityChecker); ok {
		if av, err := p.Available(r.ctx(), handoff.Need{Queue: "support"}); av == handoff.Unknown && err == nil {
			r.failf("Availability is declared, and the platform does not say")
		}
	}
	r.checkReferences()
}

// checkReferences proves OneReference: whether a user's next chat has the name of
// the last.
func (r *run) checkReferences() {
	r.t.Helper()
	first := r.open("c2")
	r.ok("Close", r.p.Close(r.ctx(), first, handoff.ReasonWithdrawn))
	r.happened()
	next, err := r.p.Open(r.ctx(), opening("c2", 2, 1))
	r.ok("Open", err)
	if same := first.Reference == next.Reference; same != r.info.Can.OneReference {
		r.failf("OneReference is declared %t; the next chat has the same reference: %t", r.info.Can.OneReference, same)
	}
}
