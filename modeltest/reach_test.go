package modeltest_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/seed-2a427302/handoff"
)

// reached is how often a full run must have seen each of these.
const reached = 100

// The short names make the table below readable.
const (
	none       = handoff.State("")
	withBot    = handoff.StateBot
	intake     = handoff.StateIntake
	waiting    = handoff.StateWaiting
	offered    = handoff.StateOffered
	connecting = handoff.StateConnecting
	queued     = handoff.StateQueued
	active     = handoff.StateActive
	held       = handoff.StateHeld
	wrapup     = handoff.StateWrapup
	ended      = handoff.StateEnded
)

// transitions are the changes of state that there are.
var transitions = map[handoff.State][]handoff.State{
	none:       {withBot, intake, waiting, connecting, active},
	withBot:    {intake, waiting, connecting, active, ended},
	intake:     {waiting, active, ended},
	waiting:    {offered, connecting, active, ended},
	offered:    {waiting, connecting, active, ended},
	connecting: {queued, active, ended},
	queued:     {waiting, offered, connecting, active, ended},
	active:     {waiting, offered, connecting, queued, held, wrapup, ended},
	held:       {waiting, offered, connecting, active, wrapup, ended},
	wrapup:     {ended},
}

var commands = []string{
	"open", "refuse", "receive", "reply", "retract", "done", "say", "handover", "request", "import", "answer", "cancel",
	"leave a message", "rate", "offer", "accept", "decline", "send", "join", "note", "whisper", "tag", "hold", "resume", "extend",
	"transfer", "take back", "requeue", "return", "end", "take over", "assign", "fire", "tell", "away", "back", "opened", "undelivered", "forget",
	"attempt", "bound", "open failed", "platform", "close",
}

var refusals = []string{
	"ErrNotFound", "ErrStale", "ErrState", "ErrWithdrawn", "ErrExpired", "ErrFull", "ErrNotHolder", "ErrOpen", "ErrUnknown", "ErrUnavailable",
	"ErrInvalid", "StoreError", "unavailable: closed", "unavailable: full", "unavailable: offline",
}

var storeRefusals = []string{"commit: ErrConflict", "commit: ErrDuplicate", "commit: HeldError: seat", "commit: HeldError: queue", "lead: ErrLeased"}

// checkReach fails unless a full run has reached everything often enough, and
// half of the operations committed.
func checkReach(t *testing.T, sum *tally) {
	t.Helper()
	for _, m := range missed(sum) {
		t.Error(m)
	}
	sum.mu.Lock()
	defer sum.mu.Unlock()
	for m := range sum.moves {
		if m.from != m.to && !slices.Contains(transitions[m.from], m.to) {
			t.Errorf("%s -> %s is not in the table of this test", m.from, m.to)
		}
	}
	if 2*sum.committed < sum.ops {
		t.Errorf("%d of %d operations committed, not half of them", sum.committed, sum.ops)
	}
}

// missed says what was not reached often enough.
func missed(sum *tally) (out []string) {
	sum.mu.Lock()
	defer sum.mu.Unlock()
	changes, byCommand := map[move]int{}, map[string]int{}
	for m, n := range sum.moves {
		changes[move{from: m.from, to: m.to}] += n
		byCommand[m.command] += n
	}
	least := func(what string, n int) {
		if n < reached {
			out = append(out, fmt.Sprintf("%s was reached %d times, not %d", what, n, reached))
		}
	}
	for _, from := range slices.Sorted(maps.Keys(transitions)) {
		for _, to := range transitions[from] {
			least(fmt.Sprintf("%s -> %s", from, to), changes[move{from: from, to: to}])
		}
	}
	for _, c := range commands {
		least(c, byCommand[c])
	}
	for _, name := range refusals {
		least(name, sum.errs[name])
	}
	for _, name := range storeRefusals {
		least(name, sum.store[name])
	}
	for _, o := range []handoff.Outcome{
		handoff.OutcomeResolved, handoff.OutcomeReturned, handoff.OutcomeCancelled, handoff.OutcomeAbandoned, handoff.OutcomeMissed,
		handoff.OutcomeUnavailable, handoff.OutcomeIdle, handoff.OutcomeFailed, handoff.OutcomeContained, handoff.OutcomeHanded,
	} {
		least(string(o), sum.outcomes[o])
	}
	return out
}
