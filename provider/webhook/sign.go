package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// The headers of Standard Webhooks.
const (
	headerID        = "Webhook-Id"
	headerTime      = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// keys are the secrets, decoded.
type keys []string

// parseSecrets decodes secrets: base64 with or without the prefix whsec_, of 24
// to 64 bytes.
func parseSecrets(secrets []string) (keys, error) {
	const prefix, least, most = "whsec_", 24, 64
	var out keys
	for _, s := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, prefix))
		if err != nil || len(key) < least || len(key) > most {
			return nil, &handoff.InvalidError{Field: "Config.Secrets", Why: "must be base64 of 24 to 64 bytes"}
		}
		out = append(out, string(key))
	}
	if len(out) == 0 {
		return nil, &handoff.InvalidError{Field: "Config.Secrets", Why: "is empty"}
	}
	return out, nil
}

// sign puts the headers of a webhook on h, with a signature of each key, so that a
// console may know either while they are being changed.
func (k keys) sign(h http.Header, id string, at time.Time, body []byte) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	list := make([]string, len(k))
	for i, key := range k {
		list[i] = "v1," + base64.StdEncoding.EncodeToString(mac(key, id, stamp, body))
	}
	h.Set(headerID, id)
	h.Set(headerTime, stamp)
	h.Set(headerSignature, strings.Join(list, " "))
}

func mac(key, id, stamp string, body []byte) []byte {
	return provider.MAC(sha256.New, key, []byte(id+"."+stamp+"."), body)
}

// verify reports whether one of the signatures of a webhook is ours. Those of
// other versions are passed over.
func (k keys) verify(h http.Header, body []byte) bool {
	id, stamp := h.Get(headerID), h.Get(headerTime)
	if id == "" || !provider.Fresh(stamp) {
		return false
	}
	const most = 16 // signatures that are looked at
	found := false
	for i, s := range strings.Fields(h.Get(headerSignature)) {
		text, ok := strings.CutPrefix(s, "v1,")
		got, err := base64.StdEncoding.Strict().DecodeString(text)
		if !ok || err != nil || i >= most {
			continue
		}
		if provider.Secrets(k).Fits(func(key string) bool { return hmac.Equal(got, mac(key, id, stamp, body)) }) {
			found = true
		}
	}
	return found
}
