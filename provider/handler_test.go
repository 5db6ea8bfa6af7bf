package provider_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

type fakeEngine struct {
	got   []handoff.Webhook
	reply handoff.WebhookReply
	err   error
}

func (f *fakeEngine) Webhook(_ context.Context, name string, w handoff.Webhook) (handoff.WebhookReply, error) {
	w.Path = name + w.Path
	f.got = append(f.got, w)
	return f.reply, f.err
}

func post(e *fakeEngine, body string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/hook?challenge=1", strings.NewReader(body))
	r.Header.Set("X-Signature", "s")
	provider.Handler(e, "desk").ServeHTTP(rec, r)
	return rec
}

func TestHandlerPassesTheRawWebhookAndTheReply(t *testing.T) {
	e := &fakeEngine{reply: handoff.WebhookReply{Status: http.StatusCreated, Type: "text/plain", Body: []byte("challenge")}}
	rec := post(e, " {raw}\n")
	assert.Equal(t, http.StatusCreated, rec.Code)
	assert.Equal(t, "challenge", rec.Body.String())
	assert.Equal(t, "text/plain", rec.Header().Get("Content-Type"))
	w := e.got[0]
	assert.Equal(t, " {raw}\n", string(w.Body), "signatures are over the raw bytes")
	assert.Equal(t, []string{"s"}, w.Header["X-Signature"])
	assert.Equal(t, []string{"1"}, w.Query["challenge"])
	assert.Equal(t, "desk/hook", w.Path)
	assert.Equal(t, http.MethodPost, w.Method)
	assert.Equal(t, http.StatusOK, post(&fakeEngine{}, "").Code)
}

func TestHandlerDoesNotAcknowledgeWhatIsNotStored(t *testing.T) {
	rec := post(&fakeEngine{reply: handoff.WebhookReply{Status: http.StatusOK, Body: []byte("ok")}, err: errors.New("the store is down: secret")}, "{}")
	assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
	assert.Empty(t, rec.Body.String(), "the sender learns nothing")
	refused := &fakeEngine{reply: handoff.WebhookReply{Status: http.StatusUnauthorized}, err: errors.New("bad signature")}
	assert.Equal(t, http.StatusUnauthorized, post(refused, "{}").Code)
}

func TestHandlerLimitsTheBody(t *testing.T) {
	e := &fakeEngine{}
	assert.Equal(t, http.StatusRequestEntityTooLarge, post(e, strings.Repeat("x", provider.MaxBody+1)).Code)
	assert.Empty(t, e.got)
	assert.Equal(t, http.StatusOK, post(e, strings.Repeat("x", provider.MaxBody)).Code)
}
