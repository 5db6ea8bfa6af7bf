package provider

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/seed-2a427302/handoff"
)

// MaxBody is the longest webhook that Handler reads.
const MaxBody = 1 << 20

// A Webhooker takes webhooks; *handoff.Engine is one.
type Webhooker interface {
	Webhook(ctx context.Context, provider string, w handoff.Webhook) (handoff.WebhookReply, error)
}

// Handler feeds the webhooks of one provider to an engine. It reads at most
// [MaxBody] bytes, and answers when the effect is stored: with what the
// adapter wants to reply, with its refusal, or with 503 so that the platform
// sends the webhook again. It tells the sender nothing else.
//
// Mount it where the platform posts to:
//
//	mux.Handle("/hooks/chatwoot", provider.Handler(engine, "chatwoot"))
func Handler(e Webhooker, name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
		if err != nil {
			status := http.StatusBadRequest
			var tooLong *http.MaxBytesError
			if errors.As(err, &tooLong) {
				status = http.StatusRequestEntityTooLarge
			}
			w.WriteHeader(status)
			return
		}
		reply, err := e.Webhook(r.Context(), name, handoff.Webhook{
			Method: r.Method, Path: r.URL.Path, Header: r.Header, Query: r.URL.Query(), Body: body,
		})
		switch {
		case err == nil && reply.Status == 0:
			reply.Status = http.StatusOK
		case err != nil && reply.Status < http.StatusBadRequest:
			// Not stored: whatever the adapter would have liked to say.
			reply = handoff.WebhookReply{Status: http.StatusServiceUnavailable}
		}
		if reply.Type != "" {
			w.Header().Set("Content-Type", reply.Type)
		}
		w.WriteHeader(reply.Status)
		_, _ = w.Write(reply.Body)
	})
}
