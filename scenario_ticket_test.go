package handoff_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// ticketing is a platform that makes tickets.
type ticketing struct {
	platform

	mu     sync.Mutex // the receivers of entries and what acts on them ask at the same time
	broken int
	made   map[string]string
}

func (p *ticketing) Ticket(_ context.Context, _ handoff.Handoff, text, id string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken > 0 {
		p.broken--
		return "", &handoff.ProviderError{Op: "ticket", Retryable: true, Err: errors.New("down")}
	}
	p.made[id] = text
	return "T-" + id, nil
}

// What is left and what is missed becomes a ticket, once, also when the ticket
// system is down at first; an agent can make one by hand.
func TestTickets(t *testing.T) {
	desk := &ticketing{platform: platform{name: "vendor"}, broken: 2, made: map[string]string{}}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := say(t, r, "c1", "m1", "my parcel is gone")
		_, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"})
		require.NoError(t, err)
		r.Sleep(10*time.Minute + 2*time.Second) // polls have jitter
		say(t, r, "c1", "m2", "dana@example.com")
		r.Sleep(5 * time.Minute)
		require.Len(t, desk.made, 1)
		for _, text := range desk.made {
			require.Equal(t, "mail: dana@example.com\n\nReason: user_requested. mail: dana@example.com. "+
				"First: “my parcel is gone” Last of 2: “dana@example.com” (bot: 0)", text)
		}
		require.Equal(t, 1, count(r, handoff.ID{Conversation: "c1", Number: 1}, handoff.KindTicket))

		// Nobody fills in the form: the missed request is a ticket all the same.
		clear(desk.made)
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c2", Queue: "support"})
		require.NoError(t, err)
		r.Sleep(30 * time.Minute)
		require.Len(t, desk.made, 1)

		clear(desk.made)
		ann := r.Agent("ann", 1)
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c3", Queue: "support"})
		require.NoError(t, err)
		r.Wait()
		h := ann.Accept()
		for range 2 {
			ref, err := r.Ticket(r.Ctx, h.ID, ann.By().Once("t1"), "call the carrier")
			require.NoError(t, err)
			require.Equal(t, "T-c3.1.tticket%2Fa%3Aann%2Ft1", ref)
		}
		ann.Ends(h.ID)
		r.Sleep(time.Minute)
		require.Len(t, desk.made, 1)
	}, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{desk}
		c.Queues[0].Tickets = "vendor"
		c.Queues[0].Offline = handoff.Absence{Ticket: true, Form: &handoff.Form{Fields: []handoff.Field{{Name: "mail", Kind: handoff.FieldMail}}}}
	})
}
