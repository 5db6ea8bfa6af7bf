package provider_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// The schemas of the doubles bite: a request of any adapter with one thing wrong is
// one that its double notes. Each endpoint that has a schema is asked for.
func TestSchemasBite(t *testing.T) {
	for where, list := range map[string]map[string]opener{"outside": platforms, "within": within} {
		for name, open := range list {
			t.Run(where+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d, in, p, err := open(t)
					require.NoError(t, err)
					askEverything(t, d, p)
					n := vendortest.CheckSchemas(t, in, unasked[where+"/"+name]...)
					require.Greater(t, n, 20)
					t.Logf("%d spoiled requests", n)
				})
			})
		}
	}
}

// unasked are endpoints that an adapter asks in other cases only: what the double
// has for another topology, and what webhooks say less than they may.
var unasked = map[string][]string{
	"outside/genesys": {"GET /api/v2/conversations/messages/{message}/details"},
	"within/zendesk": {
		"POST /sc/v2/apps/{app}/users", "GET /sc/v2/apps/{app}/conversations", "POST /sc/v2/apps/{app}/conversations",
		"GET /sc/v2/apps/{app}/conversations/{conversation}/messages",
	},
}

// askEverything makes every call that an adapter has.
func askEverything(t *testing.T, d double, p handoff.Provider) {
	t.Helper()
	ctx := t.Context()
	did := func(err error) {
		t.Helper()
		require.NoError(t, err)
		time.Sleep(10 * time.Second) //nolint:forbidigo // in a bubble: an adapter may limit its rate
	}
	now := time.Now()
	o := handoff.Opening{
		Attempt: "c.1.1", Note: "Reason: user_requested",
		Handoff: handoff.Handoff{
			ID: handoff.ID{Conversation: "c", Number: 1}, Flags: []string{"angry"}, Language: "en", Created: now, Updated: now,
			Need: handoff.Need{Queue: "support", Skills: []handoff.Skill{{Name: "billing"}}, Priority: 1},
			User: &handoff.Contact{ID: "u1", Name: "Ursula", Mail: "u@example.org", Phone: "+301234567"},
		},
		Transcript: []handoff.Entry{{ID: "e1", Kind: handoff.KindMessage, From: handoff.Party{Role: handoff.RoleUser}, Text: "hello", At: now}},
	}
	if a, ok := p.(handoff.AvailabilityChecker); ok {
		_, err := a.Available(ctx, o.Handoff.Need)
		did(err)
	}
	s, err := p.Open(ctx, o)
	did(err)
	if f, ok := p.(handoff.Finder); ok {
		s, _, err = f.Find(ctx, o.Attempt)
		did(err)
	}
	if r, ok := p.(handoff.Refresher); ok {
		s, err = r.Refresh(ctx, s)
		did(err)
	}
	if r, ok := p.(handoff.Streamer); ok {
		reading, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- r.Stream(reading, s, func(handoff.ProviderEvent) error { return nil }) }()
		defer func() {
			stop()
			require.NoError(t, <-done)
		}()
		did(nil) // it reads while nobody has the chat
	}
	hear := func(a providertest.Act) {
		t.Helper()
		a.Chat, a.Agent = s.Reference, ann
		d.Do(a)
		for _, w := range d.Webhooks() {
			_, _, err := p.(handoff.Receiver).Receive(ctx, w)
			did(err)
		}
	}
	hear(providertest.Act{Kind: providertest.Join})
	hear(providertest.Act{Kind: providertest.Say, Text: "hello"})
	m := handoff.ProviderMessage{ID: "m1", From: handoff.Party{Role: handoff.RoleUser, Name: "Ursula"}, Text: "see this", At: now}
	if p.Info().Can.Files {
		m.Files = []handoff.File{{Name: "bill.pdf", Type: "application/pdf", URL: "https://example.org/bill.pdf", Size: 4}}
	}
	did(p.Send(ctx, s, m))
	m.Again = true
	did(p.Send(ctx, s, m))
	did(p.Send(ctx, s, handoff.ProviderMessage{ID: "m2", From: handoff.Party{Role: handoff.RoleBot}, Text: "from the bot", At: now}))
	if n, ok := p.(handoff.Noter); ok {
		note := handoff.ProviderMessage{ID: "n1", From: handoff.Party{Role: handoff.RoleSupervisor, Name: "Sue"}, Text: "be kind", At: now}
		did(n.Note(ctx, s, note))
		note.Again = true
		did(n.Note(ctx, s, note))
	}
	if y, ok := p.(handoff.Typist); ok {
		did(y.Typing(ctx, s, true))
		did(y.Typing(ctx, s, false))
	}
	if r, ok := p.(handoff.StateReader); ok {
		_, _, err := r.ReadState(ctx, s)
		did(err)
	}
	if k, ok := p.(handoff.Ticketer); ok {
		_, err := k.Ticket(ctx, o.Handoff, "please call me", "t1")
		did(err)
	}
	if b, ok := p.(handoff.BotReturner); ok {
		did(b.ReturnToBot(ctx, s))
	}
	did(p.Close(ctx, s, handoff.ReasonWithdrawn))
}
