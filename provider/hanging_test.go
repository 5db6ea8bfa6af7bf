package provider_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/providertest"
)

// A webhook is answered within the time of the strictest platform, and what it
// tells is told, also when an adapter asks its platform for a name that the webhook
// lacks, and the platform does not answer. In a bubble: the time is exact.
func TestWebhooksDoNotWaitForThePlatform(t *testing.T) {
	const strictest = 3 * time.Second // Slack's
	for where, list := range map[string]map[string]opener{"outside": platforms, "within": within} {
		for name, open := range list {
			t.Run(where+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d, _, p, err := open(t)
					require.NoError(t, err)
					rc, push := p.(handoff.Receiver)
					if !push {
						return // who is read sends nothing
					}
					s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{
						ID: handoff.ID{Conversation: "c", Number: 1}, Need: handoff.Need{Queue: "support"}, User: &handoff.Contact{ID: "u1", Mail: "u@example.org"},
					}})
					require.NoError(t, err)
					d.Webhooks() // of the opening
					for _, a := range []providertest.Act{
						{Kind: providertest.Join, Agent: ann},
						{Kind: providertest.Say, Text: "hello"},
						{Kind: providertest.Transfer, Agent: handoff.Party{ID: "8", Name: "Bob"}},
						{Kind: providertest.Say, Text: "I am Bob"},
						{Kind: providertest.End},
					} {
						a.Chat = s.Reference
						d.Do(a)
					}
					d.Break(providertest.Hangs)
					said := 0
					for _, w := range d.Webhooks() {
						start := time.Now()
						events, _, err := rc.Receive(t.Context(), w)
						require.NoError(t, err)
						assert.Less(t, time.Since(start), strictest)
						for i := range events {
							if events[i].Kind == handoff.EventMessage {
								said++
							}
						}
					}
					assert.Equal(t, 2, said, "what agents say is told")
				})
			})
		}
	}
}
