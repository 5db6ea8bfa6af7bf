package provider_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// A step is a platform with a chat that Ann has, and what is asked of it.
type step struct {
	d double
	p handoff.Provider
	s handoff.Session

	at    time.Time // when it is asked first
	whole bool      // nothing says that something is not there
}

const (
	stepText   = "what is said once"
	stepNote   = "what is noted once"
	stepTicket = "what is left once"
)

func stepOpening(at time.Time) handoff.Opening {
	return handoff.Opening{
		Attempt: "step.1.1", Note: stepNote,
		Handoff: handoff.Handoff{
			ID: handoff.ID{Conversation: "step", Number: 1}, Need: handoff.Need{Queue: "support", Priority: 2}, Flags: []string{"angry"}, Created: at,
			User: &handoff.Contact{ID: "u-step", Name: "U", Mail: "step@example.org"},
		},
		Transcript: []handoff.Entry{{
			ID: "e1", Seq: 1, Kind: handoff.KindMessage, From: handoff.Party{Role: handoff.RoleUser}, Text: stepText, At: at,
		}},
	}
}

// stepCalls are what can be asked, each with what the platform has afterwards.
// again: an earlier call may have done it.
var stepCalls = map[string]struct {
	call  func(ctx context.Context, x *step, again bool) error
	check func(t *testing.T, x *step)
}{
	"Open": {
		call: func(ctx context.Context, x *step, _ bool) error {
			s, err := x.p.Open(ctx, stepOpening(x.at))
			if err == nil && s.Reference == "" {
				return errors.New("the session has no reference")
			}
			return err
		},
		check: func(t *testing.T, x *step) {
			t.Helper()
			open := 0
			for _, c := range x.d.Chats() {
				if seen := strings.Join(c.Internal, "\n") + saidBy(c, handoff.RoleUser); c.Open && strings.Contains(seen, stepNote) {
					open++
					n := strings.Count(seen, stepNote)
					assert.True(t, n == 1 || n > 1 && !x.p.Info().Can.FindsAttempt, "the note is there %d times", n)
				}
			}
			if x.p.Info().Can.FindsAttempt {
				assert.Equal(t, 1, open, "open chats")
			}
			assert.Positive(t, open)
		},
	},
	"Send": {
		call: func(ctx context.Context, x *step, again bool) error {
			if x.p.Info().Custody != handoff.CustodyQueue {
				return nil
			}
			return x.p.Send(ctx, x.s, handoff.ProviderMessage{
				ID: "m1", Text: stepText, From: handoff.Party{Role: handoff.RoleUser}, At: x.at, Again: again,
				Files: []handoff.File{{Name: "bill.pdf", Type: "application/pdf", URL: "https://files.example/bill.pdf"}},
			})
		},
		check: func(t *testing.T, x *step) {
			t.Helper()
			if x.p.Info().Custody != handoff.CustodyQueue {
				return
			}
			for _, c := range x.d.Chats() {
				if c.Reference == x.s.Reference {
					n := strings.Count(saidBy(c, handoff.RoleUser), stepText)
					assert.True(t, n == 1 || n > 1 && !x.p.Info().Can.SendsOnce, "the message is there %d times", n)
				}
			}
		},
	},
	"Note": {
		call: func(ctx context.Context, x *step, again bool) error {
			n, ok := x.p.(handoff.Noter)
			if !ok {
				return nil
			}
			return n.Note(ctx, x.s, handoff.ProviderMessage{
				ID: "n1", Text: stepTicket, From: handoff.Party{Role: handoff.RoleSupervisor, ID: "s", Name: "Sue"}, At: x.at, Again: again,
			})
		},
		check: func(t *testing.T, x *step) {
			t.Helper()
			if _, ok := x.p.(handoff.Noter); !ok {
				return
			}
			for _, c := range x.d.Chats() {
				if c.Reference == x.s.Reference {
					assert.Equal(t, 1, strings.Count(strings.Join(c.Internal, "\n"), stepTicket), "the note")
				}
			}
		},
	},
	"Close": {
		call: func(ctx context.Context, x *step, _ bool) error { return x.p.Close(ctx, x.s, handoff.ReasonWithdrawn) },
		check: func(t *testing.T, x *step) {
			t.Helper()
			for _, c := range x.d.Chats() {
				assert.False(t, c.Open, "the chat is open")
			}
		},
	},
	"ReturnToBot": {call: func(ctx context.Context, x *step, _ bool) error {
		if r, ok := x.p.(handoff.BotReturner); ok {
			return r.ReturnToBot(ctx, x.s)
		}
		return nil
	}},
	"Typing": {call: func(ctx context.Context, x *step, _ bool) error {
		if y, ok := x.p.(handoff.Typist); ok {
			return y.Typing(ctx, x.s, true)
		}
		return nil
	}},
	"Ticket": {call: func(ctx context.Context, x *step, _ bool) error {
		k, ok := x.p.(handoff.Ticketer)
		if !ok {
			return nil
		}
		ref, err := k.Ticket(ctx, stepOpening(x.at).Handoff, stepTicket, "t1")
		if err == nil && ref == "" {
			return errors.New("the ticket has no reference")
		}
		return err
	}},
	"Find": {call: func(ctx context.Context, x *step, _ bool) error {
		f, ok := x.p.(handoff.Finder)
		if !ok {
			return nil
		}
		s, found, err := f.Find(ctx, "have.1.1")
		if err == nil && found && s.Reference != x.s.Reference || err == nil && !found && x.whole {
			return fmt.Errorf("what is there is found: %t, as %q", found, s.Reference)
		}
		return err
	}},
	"ReadState": {call: func(ctx context.Context, x *step, _ bool) error {
		r, ok := x.p.(handoff.StateReader)
		if !ok {
			return nil
		}
		st, _, err := r.ReadState(ctx, x.s)
		if err == nil && x.whole && st != handoff.SessionActive && st != handoff.SessionUnknown {
			return fmt.Errorf("a chat that Ann has is %q", st)
		}
		return err
	}},
	"Available": {call: func(ctx context.Context, x *step, _ bool) error {
		a, ok := x.p.(handoff.AvailabilityChecker)
		if !ok {
			return nil
		}
		av, err := a.Available(ctx, handoff.Need{Queue: "support"})
		if err == nil && av == handoff.Offline && x.whole {
			return errors.New("somebody is there, and it is told as offline")
		}
		return err
	}},
}

const stepCanary = "CANARY-of-a-platform"

// stepTroubles are how one request of a call may fail. fails: when its call is
// repeated, it may fail again.
func stepTroubles() map[string]vendortest.Trouble {
	quote := `{"ok":false,"error":"` + stepCanary + `","code":"` + stepCanary + ` x","message":"` + stepCanary + `"}`
	return map[string]vendortest.Trouble{
		"401":                 {Status: http.StatusUnauthorized, Body: quote},
		"404":                 {Status: http.StatusNotFound, Body: quote},
		"409":                 {Status: http.StatusConflict, Body: quote},
		"423":                 {Status: http.StatusLocked, Times: 10},
		"429":                 {Status: http.StatusTooManyRequests, Times: 10},
		"429 and when":        {Status: http.StatusTooManyRequests, RetryAfter: "90"},
		"500":                 {Status: http.StatusInternalServerError, Body: quote, Times: 10},
		"502, and applied":    {Status: http.StatusBadGateway, Apply: true},
		"slow":                {Slow: time.Minute, Apply: true},
		"cut, and applied":    {Cut: true, Apply: true},
		"a page with 200":     {Status: http.StatusOK, Body: "<!DOCTYPE html><title>" + stepCanary + "</title>"},
		"something deep":      {Status: http.StatusOK, Body: strings.Repeat(`{"a":[`, 20_000) + stepCanary},
		"something else":      {Status: http.StatusOK, Body: `[null,{"` + stepCanary + `":1}]`},
		"nothing in it":       {Status: http.StatusOK, Body: "{}"},
		"null":                {Status: http.StatusOK, Body: "null"},
		"more than one reads": {Status: http.StatusOK, Body: `{"x":"` + strings.Repeat(stepCanary, 1<<18) + `"}`},
	}
}

// stepEmpty is where an answer without a field may be one of the platform's.
var stepEmpty = map[string]bool{
	"genesys/Find": true, // what its search answers when it finds nothing was not seen; Open does not depend on it
}

// Every request of every call fails in every way a platform can: the error says
// what it was, holds nothing of the answer, and once the platform works the same
// call does what was asked for, once.
func TestEveryStep(t *testing.T) {
	for where, list := range map[string]map[string]opener{"outside": platforms, "within": within} {
		for name, open := range list {
			if testing.Short() && !slices.Contains([]string{"chatwoot", "slack", "webhook"}, name) {
				continue // the race detector makes it slow
			}
			for what, c := range stepCalls {
				t.Run(where+"/"+name+"/"+what, func(t *testing.T) {
					for trouble, tr := range stepTroubles() {
						if trouble == "nothing in it" && stepEmpty[name+"/"+what] {
							continue
						}
						for n := 0; n < 20 && !t.Failed(); n++ {
							hit := false
							synctest.Test(t, func(t *testing.T) { hit = checkStep(t, open, trouble, tr, n, c.call, c.check) })
							if !hit {
								break // the call has no such step
							}
						}
					}
				})
			}
		}
	}
}

func checkStep(
	t *testing.T, open opener, trouble string, tr vendortest.Trouble, n int,
	call func(ctx context.Context, x *step, again bool) error, check func(t *testing.T, x *step),
) (hit bool) {
	t.Helper()
	d, in, p, err := open(t)
	require.NoError(t, err)
	x := &step{d: d, p: p, at: time.Now(), whole: trouble != "404"}
	x.s, err = p.Open(t.Context(), handoff.Opening{Attempt: "have.1.1", Note: "n", Handoff: handoff.Handoff{
		ID: handoff.ID{Conversation: "have", Number: 1}, Need: handoff.Need{Queue: "support"}, Created: time.Now(),
		User: &handoff.Contact{ID: "u-have", Name: "U", Mail: "have@example.org"},
	}})
	require.NoError(t, err)
	d.Do(providertest.Act{Kind: providertest.Join, Chat: x.s.Reference, Agent: ann})
	before := len(in.Requests())
	tr.After = n
	d.Next(tr)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	err = call(ctx, x, false)
	cancel()
	if len(in.Requests())-before <= n {
		return false
	}
	at := fmt.Sprintf("%s at request %d, %s", trouble, n+1, in.Requests()[before+n].Pattern)
	var pe *handoff.ProviderError
	if err != nil {
		if !errors.As(err, &pe) {
			t.Errorf("%s: the error is %v", at, err)
			return true
		}
		said := fmt.Sprintf("%v %+v %#v %v", err, err, pe, pe.Err)
		assert.NotContains(t, said, stepCanary, at)
		switch trouble {
		case "401", "404", "409":
			assert.False(t, pe.Ambiguous, "%s: %v", at, err)
		case "423", "429":
			assert.True(t, pe.Retryable && !pe.Ambiguous, "%s: %v", at, err)
		case "429 and when":
			assert.True(t, pe.Retryable && !pe.Ambiguous && pe.RetryAfter == 90*time.Second, "%s: %v after %s", at, err, pe.RetryAfter)
		case "500", "502, and applied", "slow", "cut, and applied":
			assert.True(t, pe.Retryable, "%s: %v", at, err)
		}
	}
	time.Sleep(3 * time.Minute) //nolint:forbidigo // in a bubble
	const page = "a page with 200"
	x.whole = true
	believed := err == nil && (trouble == "404" || trouble == "409") // that it is gone, or done
	for try := 0; err != nil && try < 12; try++ {                    // until the trouble is over
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err = call(ctx, x, true)
		cancel()
		time.Sleep(3 * time.Minute) //nolint:forbidigo // in a bubble
	}
	if err != nil {
		t.Errorf("%s: once it works: %v", at, err)
	} else if check != nil && !believed && (tr.Status != http.StatusOK || trouble == page) { // then nobody can know that nothing was done
		check(t, x)
	}
	if t.Failed() {
		t.Logf("%s", at)
	}
	return true
}
