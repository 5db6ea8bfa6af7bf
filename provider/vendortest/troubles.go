package vendortest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
)

// CheckTroubles proves what an adapter makes of an endpoint that fails in each
// way a platform can. on is the endpoint's pattern; call is something that asks
// it, and is no Repeatable call. Call it in a bubble. It returns how often what
// was asked for has been applied without an answer.
func CheckTroubles(t *testing.T, d *Double, on string, call func(ctx context.Context) error) (applied int) {
	t.Helper()
	const patience = 30 * time.Second
	for _, c := range []struct {
		trouble              Trouble
		code                 string
		retryable, ambiguous bool
		after                time.Duration
	}{
		{Trouble{Status: http.StatusUnauthorized}, "http_401", false, false, 0},
		{Trouble{Status: http.StatusNotFound}, "http_404", false, false, 0},
		{Trouble{Status: http.StatusConflict}, "http_409", false, false, 0},
		{Trouble{Status: http.StatusLocked, Times: 3}, "http_423", true, false, 0},
		{Trouble{Status: http.StatusTooManyRequests, Times: 3}, "http_429", true, false, 0},
		{Trouble{Status: http.StatusTooManyRequests, RetryAfter: "90"}, "http_429", true, false, 90 * time.Second},
		{Trouble{Status: http.StatusInternalServerError}, "http_500", true, true, 0},
		{Trouble{Cut: true, Apply: true}, "no_answer", true, true, 0},
		{Trouble{Slow: time.Minute, Apply: true}, "timeout", true, true, 0},
	} {
		c.trouble.On = on
		d.Next(c.trouble)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err := call(ctx)
		cancel()
		var pe *handoff.ProviderError
		if !errors.As(err, &pe) {
			t.Fatalf("%+v: the error is %v, want a *ProviderError", c.trouble, err)
		}
		if pe.Code != c.code || pe.Retryable != c.retryable || pe.Ambiguous != c.ambiguous || pe.RetryAfter != c.after {
			t.Errorf("%+v: code %q, retryable %t, ambiguous %t, after %s; want %q, %t, %t, %s", c.trouble,
				pe.Code, pe.Retryable, pe.Ambiguous, pe.RetryAfter, c.code, c.retryable, c.ambiguous, c.after)
		}
		if c.trouble.Apply {
			applied++
		}
		time.Sleep(2 * time.Minute) //nolint:forbidigo // in a bubble: what was asked to wait for has passed
	}
	if v := d.Violations(); len(v) > 0 {
		t.Errorf("the platform's document does not allow %q", v)
	}
	return applied
}

// CheckConfig proves that each change makes a good Config one that New refuses:
// with a *[handoff.InvalidError] that names the field under which the change
// stands, and without any of the secrets.
func CheckConfig[C, P any](t *testing.T, good func() C, newProvider func(c C) (P, error), changes map[string]func(c *C), secrets ...string) {
	t.Helper()
	if _, err := newProvider(good()); err != nil {
		t.Fatalf("the good Config is refused: %v", err)
	}
	for field, change := range changes {
		c := good()
		change(&c)
		_, err := newProvider(c)
		var bad *handoff.InvalidError
		if !errors.As(err, &bad) {
			t.Errorf("%s: the error is %v, want an *InvalidError", field, err)
			continue
		}
		if bad.Field != field {
			t.Errorf("the error names %s, want %s", bad.Field, field)
		}
		for _, s := range secrets {
			if strings.Contains(err.Error(), s) {
				t.Errorf("%s: the error holds a secret", field)
			}
		}
	}
}
