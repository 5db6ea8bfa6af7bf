package provider

import (
	"crypto/hmac"
	"crypto/subtle"
	"errors"
	"hash"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Secrets are the secrets that sign webhooks now: more than one while they are
// being changed. An empty secret never fits.
type Secrets []string

// Fits reports whether fits holds for one of the secrets. It tries them all,
// so that the time it takes does not tell which.
func (s Secrets) Fits(fits func(secret string) bool) bool {
	found := false
	for _, secret := range s {
		if secret != "" && fits(secret) {
			found = true
		}
	}
	return found
}

// FitsMAC reports whether mac is the HMAC of the parts, one after the other,
// under one of the secrets, in constant time.
func (s Secrets) FitsMAC(h func() hash.Hash, mac []byte, parts ...[]byte) bool {
	return s.Fits(func(secret string) bool { return hmac.Equal(mac, MAC(h, secret, parts...)) })
}

// FitsBare reports whether got is one of the secrets, in constant time: for
// platforms that send the secret itself.
func (s Secrets) FitsBare(got string) bool {
	return s.Fits(func(secret string) bool { return subtle.ConstantTimeCompare([]byte(got), []byte(secret)) == 1 })
}

// MAC returns the HMAC of the parts, one after the other.
func MAC(h func() hash.Hash, secret string, parts ...[]byte) []byte {
	m := hmac.New(h, []byte(secret))
	for _, p := range parts {
		_, _ = m.Write(p)
	}
	return m.Sum(nil)
}

// Window is how far the signed time of a webhook may be from now, both ways:
// clocks differ, and a webhook that is older may be a replay.
const Window = 5 * time.Minute

// Fresh reports whether a signed time in seconds since 1970 is within [Window].
func Fresh(stamp string) bool {
	s, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return false
	}
	age := time.Since(time.Unix(s, 0))
	return age <= Window && age >= -Window
}

var errWebhook = errors.New("the webhook is not acceptable")

// Refuse is what Receive returns for a webhook that it does not take: 401 when
// it is not the platform's, 400 when it makes no sense. Platforms send again
// what got a status they do not know as final: refuse only what will never be
// right, and acknowledge what is merely of no interest.
func Refuse(status int, code string) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return nil, handoff.WebhookReply{Status: status}, &handoff.ProviderError{Op: "receive", Status: status, Code: code, Err: errWebhook}
}

// RefuseSignature refuses a webhook that its platform has not sent.
func RefuseSignature() ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return Refuse(http.StatusUnauthorized, "signature")
}

// RefuseBody refuses a webhook that makes no sense.
func RefuseBody() ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return Refuse(http.StatusBadRequest, "body")
}
