package provider_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// No secret, and nothing that was said or is known of a user, is in any error,
// log, hook, reply or explanation, whatever goes wrong at a platform and whatever
// it quotes in its answers; no secret is in the log of a handoff either.
func TestCanary(t *testing.T) {
	for where, list := range map[string]map[string]opener{"outside": platforms, "within": within} {
		for name, open := range list {
			t.Run(where+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { checkCanary(t, open) })
			})
		}
	}
}

const (
	canary     = "CANARY-4711"
	canaryMail = "canary-4711@users.example"
)

// answers are the statuses with which a platform quotes, in short runs some.
func answers() []int {
	if testing.Short() {
		return []int{400, 429, 500, 200}
	}
	return []int{400, 401, 403, 404, 409, 422, 423, 429, 500, 503, 200}
}

// outputs is what an engine and its adapter have said to the host.
type outputs struct {
	mu   sync.Mutex
	said map[string][]string // by where
}

func (o *outputs) add(where string, what ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, v := range what {
		o.said[where] = append(o.said[where], fmt.Sprintf("%v %+v %#v", v, v, v))
		if err, ok := v.(error); ok {
			for ; err != nil; err = errors.Unwrap(err) {
				o.said[where] = append(o.said[where], fmt.Sprintf("%v %+v", err, err))
			}
		}
	}
}

// hooks notes what hooks get.
func (o *outputs) hooks() handoff.Hooks {
	return handoff.Hooks{
		Span: func(ctx context.Context, _ string, _ handoff.ID) (context.Context, func(error)) {
			return ctx, func(err error) { o.add("span", err) }
		},
		Changed:   func(_ context.Context, c handoff.Change) { o.add("change", c) },
		Delivered: func(_ context.Context, d handoff.Delivered) { o.add("delivery", d, d.Err) },
	}
}

func checkCanary(t *testing.T, open opener) {
	out := &outputs{said: map[string][]string{}}
	s := play(t, open, func(c *handoff.Config) { c.Hooks = out.hooks() })
	trouble := func(status int) vendortest.Trouble {
		quote := strings.Join(append(s.d.Secrets(), canary, canaryMail), " ")
		b := vendortest.JSON(map[string]any{
			"ok": false, "success": false, "error": quote, "message": quote, "code": quote, "title": quote, "description": quote, "errorType": quote,
			"errors": []any{map[string]any{"code": quote, "title": quote, "message": quote}}, "type": quote,
		})
		return vendortest.Trouble{Status: status, Body: string(b), RetryAfter: quote}
	}
	s.Says("c", canary)
	s.d.Next(trouble(http.StatusInternalServerError), trouble(http.StatusTooManyRequests), trouble(http.StatusBadGateway))
	id := s.Asks("c", func(r *handoff.Request) {
		r.Note, r.Summary, r.Answers, r.Flags = canary, canary, map[string]string{"order": canary}, []string{"angry"}
		r.User = &handoff.Contact{ID: "u-" + canary, Name: canary, Mail: canaryMail, Phone: canary}
	}).ID
	s.pass(2)
	require.Equal(t, handoff.StateQueued, s.Now(id).State)
	ref := s.d.Chats()[len(s.d.Chats())-1].Reference
	s.do(1, providertest.Act{Kind: providertest.Join, Chat: ref, Agent: ann})
	require.Equal(t, handoff.StateActive, s.Now(id).State)
	s.do(1, providertest.Act{Kind: providertest.Say, Chat: ref, Text: canary})
	for _, status := range answers() {
		s.d.Next(slices.Repeat([]vendortest.Trouble{trouble(status)}, 4)...)
		s.Says("c", canary+" again")
		out.add("verb", s.UserTyping(t.Context(), "c", true))
		_, err := s.Note(t.Context(), id, handoff.BySupervisor("sue"), canary)
		out.add("verb", err)
		e, err := s.Explain(t.Context(), id)
		out.add("explanation", e, err)
		s.settle(1)
		s.pass(1)
	}
	checkCalls(t, s, out, trouble)
	s.do(1, providertest.Act{Kind: providertest.End, Chat: ref})
	s.d.Next(slices.Repeat([]vendortest.Trouble{trouble(http.StatusForbidden)}, 2)...)
	_, err := s.LeaveMessage(t.Context(), id, canary, map[string]string{"phone": canary})
	out.add("verb", err)
	s.pass(5)
	out.add("log", s.logs.String())
	require.NotEmpty(t, s.logs.String())
	require.NotEmpty(t, out.said["span"])
	secrets := s.d.Secrets()
	require.NotEmpty(t, secrets)
	for where, list := range out.said {
		not := append(slices.Clone(secrets), canary, canaryMail)
		if where == "explanation" {
			not = secrets // it is for people who may read the handoff
		}
		for _, text := range list {
			for _, secret := range not {
				if strings.Contains(text, secret) {
					t.Fatalf("%s holds %q: %s", where, secret, text)
				}
			}
		}
	}
	for _, en := range s.Entries(id) {
		for _, secret := range secrets {
			assert.NotContains(t, fmt.Sprintf("%+v", en), secret, "entry %s", en.Kind)
		}
	}
}

// checkCalls asks an adapter itself while its platform quotes everything, and sends
// webhooks that are not the platform's.
func checkCalls(t *testing.T, s *scene, out *outputs, trouble func(status int) vendortest.Trouble) {
	t.Helper()
	call := func(what string, f func(ctx context.Context) error) {
		for _, status := range answers() {
			s.d.Next(slices.Repeat([]vendortest.Trouble{trouble(status)}, 4)...)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			out.add(what, f(ctx))
			cancel()
			s.pass(2)
		}
	}
	o := handoff.Opening{Attempt: "other.1.1", Note: canary, Handoff: handoff.Handoff{
		ID: handoff.ID{Conversation: "other", Number: 1}, Need: handoff.Need{Queue: "support"}, User: &handoff.Contact{Name: canary, Mail: canaryMail},
	}}
	call("Open", func(ctx context.Context) error { _, err := s.p.Open(ctx, o); return err })
	if f, ok := s.p.(handoff.Finder); ok {
		call("Find", func(ctx context.Context) error { _, _, err := f.Find(ctx, o.Attempt); return err })
	}
	if a, ok := s.p.(handoff.AvailabilityChecker); ok {
		call("Available", func(ctx context.Context) error { _, err := a.Available(ctx, o.Handoff.Need); return err })
	}
	if k, ok := s.p.(handoff.Ticketer); ok {
		call("Ticket", func(ctx context.Context) error { _, err := k.Ticket(ctx, o.Handoff, canary, "t1"); return err })
	}
	f, ok := s.d.(providertest.Forger)
	if !ok {
		require.True(t, s.read, "what cannot be forged is read")
		return
	}
	h := provider.Handler(s.Engine, s.name)
	for _, w := range f.Forged() {
		r := httptest.NewRequestWithContext(t.Context(), w.Method, "/hooks?key=x", bytes.NewReader(w.Body))
		r.Header = w.Header
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		out.add("reply", rec.Body.String(), rec.Header())
	}
}
