package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Judge says what an answer means by its status: 2xx is success. 408, 423, 425,
// 429 and 503 did nothing and may be tried again, after Retry-After where it is
// given. Any other 5xx but 501 may have been applied. The rest is refused for
// good.
//
// A platform that says more (a code in the body, ok:false with 200) has a Judge
// of its own, which calls this one first.
func Judge(a Answer) *handoff.ProviderError {
	pe := &handoff.ProviderError{Status: a.Status, Code: "http_" + strconv.Itoa(a.Status), Err: errRefused}
	switch {
	case a.Status >= 200 && a.Status < 300:
		return nil
	case a.Status == http.StatusRequestTimeout, a.Status == http.StatusLocked, a.Status == http.StatusTooEarly,
		a.Status == http.StatusTooManyRequests, a.Status == http.StatusServiceUnavailable:
		pe.Retryable, pe.RetryAfter = true, RetryAfter(a.Header)
	case a.Status >= 500 && a.Status != http.StatusNotImplemented:
		pe.Retryable, pe.Ambiguous, pe.RetryAfter = true, true, RetryAfter(a.Header)
	}
	return pe
}

// mostRetryAfter is the longest wait that is believed.
const mostRetryAfter = time.Hour

// RetryAfter reads how long a platform wants to be left alone: Retry-After in
// seconds or as a date, or the time at which a limit is lifted in
// X-RateLimit-Reset or RateLimit-Reset (seconds, or seconds since 1970). It is
// 0 if nothing is said, and at most an hour.
func RetryAfter(h http.Header) time.Duration {
	if v := strings.TrimSpace(h.Get("Retry-After")); v != "" {
		if s, err := strconv.ParseFloat(v, 64); err == nil {
			return wait(s)
		}
		if at, err := http.ParseTime(v); err == nil {
			return wait(time.Until(at).Seconds())
		}
	}
	if h.Get("X-Ratelimit-Remaining") != "" && h.Get("X-Ratelimit-Remaining") != "0" {
		return 0
	}
	for _, name := range []string{"X-Ratelimit-Reset", "Ratelimit-Reset"} {
		s, err := strconv.ParseFloat(strings.TrimSpace(h.Get(name)), 64)
		switch {
		case err != nil:
		case s > 1e8:
			return wait(s - float64(time.Now().UnixMilli())/1000)
		default:
			return wait(s)
		}
	}
	return 0
}

func wait(seconds float64) time.Duration {
	if math.IsNaN(seconds) || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, mostRetryAfter.Seconds()) * float64(time.Second))
}

// Code makes a platform's own error code fit for errors and logs: letters,
// digits and ._-, at most 64 of them. Anything else is a text and no code, and
// gives "": a platform may quote the request in it.
func Code(s string) string {
	const most = 64
	s = strings.TrimSpace(s)
	if len(s) > most || strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	}) {
		return ""
	}
	return s
}

// transportError is a request without a whole answer. Only one that cannot
// have left this machine is known not to have been applied. The cause is left
// out: it names the address, which may hold a key.
func transportError(ctx context.Context, err error) *handoff.ProviderError {
	pe := &handoff.ProviderError{Code: "no_answer", Retryable: true, Ambiguous: true, Err: errNoAnswer}
	var (
		op      *net.OpError
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		blocked *BlockedError
	)
	switch {
	case errors.As(err, &blocked):
		pe.Code, pe.Retryable, pe.Ambiguous, pe.Err = "blocked", false, false, blocked
	case errors.As(err, &cert):
		pe.Code, pe.Ambiguous, pe.Err = "certificate", false, errUnreached
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		pe.Code, pe.Ambiguous, pe.Err = "unreachable", false, errUnreached
	case ctx.Err() != nil:
		pe.Code, pe.Err = "cancelled", ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		pe.Code, pe.Err = "timeout", context.DeadlineExceeded
	}
	return pe
}

// credentials is a request that could not be signed. Whoever signs may have
// called the platform to get a token: his own *ProviderError stands.
func credentials(err error) *handoff.ProviderError {
	var pe *handoff.ProviderError
	if errors.As(err, &pe) {
		cp := *pe
		cp.Ambiguous = false // the call itself was not made
		return &cp
	}
	return &handoff.ProviderError{Code: "credentials", Err: errMade}
}
