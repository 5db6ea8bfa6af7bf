package vendortest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Scheme is how a platform proves that a webhook is its own.
type Scheme struct {
	// New returns the adapter with these secrets; none is a mistake of the host.
	New func(secrets ...string) handoff.Receiver

	// Vectors were made by somebody else than the adapter and its double: by
	// the platform's documentation, its SDK, a standard. At least one.
	Vectors []Vector

	// Sign returns a webhook that the platform signed at a time.
	Sign func(secret string, at time.Time) handoff.Webhook

	// Header has the signature. Empty: it is in the body.
	Header string

	// Timed says that the time is signed, so that old webhooks are refused.
	Timed bool

	// Bare says that the secret itself is sent, and nothing about the body.
	Bare bool
}

// A Vector is a webhook with the secret that it was signed with.
type Vector struct {
	Source  string // where it was published
	Secret  string
	At      time.Time // when it was signed; zero where no time is signed
	Webhook handoff.Webhook
}

// Check proves that the adapter knows what the platform signed from all else.
func (s Scheme) Check(t *testing.T) {
	t.Helper()
	if len(s.Vectors) == 0 {
		t.Error("there is no vector that somebody else has made")
	}
	for _, v := range s.Vectors {
		t.Run("vector", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { s.checkVector(t, v) })
		})
	}
	t.Run("own", func(t *testing.T) { synctest.Test(t, s.checkOwn) })
}

// refused reports whether a webhook is refused as not signed by the platform.
func refused(t *testing.T, rc handoff.Receiver, w handoff.Webhook) bool {
	t.Helper()
	events, reply, err := rc.Receive(t.Context(), w)
	var pe *handoff.ProviderError
	if errors.As(err, &pe) && (pe.Status == http.StatusUnauthorized || pe.Status == http.StatusForbidden) {
		if len(events) > 0 || reply.Status < http.StatusBadRequest {
			t.Errorf("a refused webhook has %d events and status %d", len(events), reply.Status)
		}
		return true
	}
	return false
}

func (s Scheme) checkVector(t *testing.T, v Vector) {
	if !v.At.IsZero() {
		time.Sleep(time.Until(v.At)) //nolint:forbidigo // in a bubble: the clock is turned to when it was signed
	}
	if refused(t, s.New(v.Secret), v.Webhook) {
		t.Errorf("a genuine webhook is refused: %s", v.Source)
	}
	if !refused(t, s.New(v.Secret+"x"), v.Webhook) {
		t.Errorf("a webhook is taken with another secret: %s", v.Source)
	}
	if !s.Bare {
		w := v.Webhook
		w.Body = append(bytes.Clone(w.Body), ' ')
		if !refused(t, s.New(v.Secret), w) {
			t.Errorf("a changed body is taken: %s", v.Source)
		}
	}
}

func (s Scheme) checkOwn(t *testing.T) {
	const secret, other = "s3cr3t-of-the-platform", "another-s3cr3t-here"
	w := s.Sign(secret, time.Now())
	is := func(want bool, rc handoff.Receiver, w handoff.Webhook, what string) {
		t.Helper()
		if refused(t, rc, w) == want {
			t.Errorf("%s: taken is %t, want %t", what, !want, want)
		}
	}
	is(true, s.New(secret), w, "genuine")
	is(true, s.New(other, secret), w, "the new secret of two")
	is(true, s.New(secret, other), w, "the old secret of two")
	is(false, s.New(other), w, "another secret")
	is(false, s.New(""), s.Sign("", time.Now()), "an empty secret")
	if !s.Bare {
		changed := w
		changed.Body = append(bytes.Clone(w.Body), '\n')
		is(false, s.New(secret), changed, "a changed body")
		changed.Body = nil
		is(false, s.New(secret), changed, "no body")
	}
	if s.Timed {
		past, future := time.Now().Add(-provider.Window-2*time.Second), time.Now().Add(provider.Window+2*time.Second)
		is(false, s.New(secret), s.Sign(secret, past), "an old time")
		is(false, s.New(secret), s.Sign(secret, future), "a time to come")
		is(true, s.New(secret), s.Sign(secret, time.Now().Add(-provider.Window/2)), "a clock that is somewhat late")
		is(true, s.New(secret), s.Sign(secret, time.Now().Add(provider.Window/2)), "a clock that is somewhat early")
	}
	if s.Header == "" {
		return
	}
	genuine := http.Header(w.Header).Get(s.Header)
	for _, value := range otherEncodings(genuine) {
		changed := w
		changed.Header = maps.Clone(w.Header)
		changed.Header[http.CanonicalHeaderKey(s.Header)] = []string{value}
		is(false, s.New(secret), changed, "the signature "+value)
	}
	without := w
	without.Header = maps.Clone(w.Header)
	delete(without.Header, http.CanonicalHeaderKey(s.Header))
	is(false, s.New(secret), without, "no signature")
}

// otherEncodings are a signature as it must not be: cut, doubled, in another
// encoding.
func otherEncodings(genuine string) []string {
	prefix, value := "", genuine
	if i := strings.LastIndexAny(genuine, "=,"); i >= 0 && i < len(genuine)-2 {
		prefix, value = genuine[:i+1], genuine[i+1:]
	}
	list := []string{
		"", prefix, prefix + "0", prefix + value[:len(value)-1], prefix + value[1:], prefix + strings.Repeat("0", len(value)),
		prefix + value + value, strings.Repeat("A", 1<<16), "\x00", prefix + "é",
	}
	if raw, err := hex.DecodeString(value); err == nil {
		list = append(list, prefix+base64.StdEncoding.EncodeToString(raw), prefix+string(raw))
	} else if raw, err := base64.StdEncoding.DecodeString(value); err == nil {
		list = append(list, prefix+hex.EncodeToString(raw), prefix+string(raw))
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == genuine })
}
