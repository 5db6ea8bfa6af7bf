package providertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// failureCases prove how a provider fails.
func failureCases() []callCase {
	return []callCase{
		{"refused", "", "what the platform refuses for good is a *ProviderError that is neither Retryable nor Ambiguous", func(r *run) {
			r.failing(Refuses, func(what string, err error) {
				if pe := r.asProviderError(what, err); pe != nil && (pe.Retryable || pe.Ambiguous) {
					r.failf("%s: retryable %t, ambiguous %t", what, pe.Retryable, pe.Ambiguous)
				}
			})
		}},
		{"busy", "", "what the platform asks to try again is a *ProviderError that is Retryable, and not Ambiguous: nothing happened", func(r *run) {
			r.failing(Busy, func(what string, err error) {
				if pe := r.asProviderError(what, err); pe != nil && (!pe.Retryable || pe.Ambiguous) {
					r.failf("%s: retryable %t, ambiguous %t", what, pe.Retryable, pe.Ambiguous)
				}
			})
		}},
		{"answer lost", "", "what may have happened is Ambiguous", func(r *run) {
			r.failing(LosesAnswer, func(what string, err error) {
				var pe *handoff.ProviderError
				if err == nil {
					r.failf("%s succeeded without an answer", what)
				} else if errors.As(err, &pe) && !pe.Ambiguous {
					r.failf("%s: retryable %t, ambiguous %t", what, pe.Retryable, pe.Ambiguous)
				}
			})
		}},
		{"deadline", "", "a call ends with its context, and its failure is not for good", func(r *run) {
			start := time.Now()
			r.failing(Hangs, func(what string, err error) {
				var pe *handoff.ProviderError
				if err == nil {
					r.failf("%s succeeded without an answer", what)
				} else if errors.As(err, &pe) && !pe.Ambiguous && !pe.Retryable {
					r.failf("%s is said to have failed for good", what)
				}
				if took := time.Since(start); took > patience+time.Second {
					r.failf("%s took %s, its context %s", what, took, patience)
				}
				start = time.Now()
			})
		}},
		{"secrets", "", "errors hold no secrets and no content", checkSecrets},
		{"availability", "", "an availability is online, offline or unknown, and a check that fails is an error, never online", checkAvailability},
	}
}

const (
	patience = 5 * time.Second
	canary   = "CANARY-in-a-text"
)

// failing breaks the platform and calls everything that can fail.
func (r *run) failing(f Failure, check func(what string, err error)) {
	r.t.Helper()
	ctx := func() context.Context {
		ctx, cancel := context.WithTimeout(r.t.Context(), patience)
		r.t.Cleanup(cancel)
		return ctx
	}
	s := r.open("c1")
	r.v.Break(f)
	defer r.v.Break(Works)
	o := opening("c2", 1, 1)
	o.Note, o.Transcript[0].Text = canary, canary
	_, err := r.p.Open(ctx(), o)
	check("Open", err)
	if r.info.Custody == handoff.CustodyQueue {
		check("Send", r.p.Send(ctx(), s, r.message("m1", canary)))
	}
	if p, ok := r.p.(handoff.StateReader); ok {
		_, _, err := p.ReadState(ctx(), s)
		if f != LosesAnswer { // reading changes nothing
			check("ReadState", err)
		}
	}
	if p, ok := r.p.(handoff.Finder); ok && f != LosesAnswer {
		_, _, err := p.Find(ctx(), o.Attempt)
		check("Find", err)
	}
	if p, ok := r.p.(handoff.Noter); ok {
		check("Note", p.Note(ctx(), s, r.message("n1", canary)))
	}
	if p, ok := r.p.(handoff.Ticketer); ok {
		_, err := p.Ticket(ctx(), o.Handoff, canary, "t1")
		check("Ticket", err)
	}
	check("Close", r.p.Close(ctx(), s, handoff.ReasonWithdrawn))
}

func checkSecrets(r *run) {
	secret := func(what string, err error) {
		r.t.Helper()
		for _, text := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err), deep(err)} {
			for _, s := range append(r.v.Secrets(), canary) {
				if s != "" && strings.Contains(text, s) {
					r.fatalf("the error of %s holds a secret or content", what)
				}
			}
		}
	}
	for _, f := range []Failure{Refuses, Busy, LosesAnswer, Hangs} {
		r.failing(f, secret)
	}
	for _, bad := range []handoff.Session{{Reference: "unknown"}, {}} {
		secret("Send to an unknown chat", r.p.Send(r.ctx(), bad, r.message("m1", canary)))
		secret("Close of an unknown chat", r.p.Close(r.ctx(), bad, ""))
	}
	for _, w := range r.forged() {
		if rc, ok := r.p.(handoff.Receiver); ok {
			_, _, err := r.receive(rc, w)
			secret("Receive of a forged webhook", err)
		}
	}
}

// deep unwraps what an error hides behind its text.
func deep(err error) string {
	var b strings.Builder
	for ; err != nil; err = errors.Unwrap(err) {
		fmt.Fprintf(&b, "%s %+v\n", err, err)
	}
	return b.String()
}

func checkAvailability(r *run) {
	p, ok := r.p.(handoff.AvailabilityChecker)
	if !ok {
		return
	}
	need := handoff.Need{Queue: "support"}
	av, err := p.Available(r.ctx(), need)
	if err != nil || av != handoff.Online && av != handoff.Offline && av != handoff.Unknown {
		r.failf("Available returned %q and %v", av, err)
	}
	for _, f := range []Failure{Refuses, Busy, Hangs} {
		r.v.Break(f)
		ctx, cancel := context.WithTimeout(r.t.Context(), patience)
		if av, err := p.Available(ctx, need); err == nil || av == handoff.Online {
			r.failf("while the platform %s, Available returned %q and %v", f, av, err)
		}
		cancel()
	}
	r.v.Break(Works)
}
