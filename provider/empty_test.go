package provider_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/vendortest"
)

// An empty list is an answer, and so is what a platform has instead of one:
// nothing is there, nobody is.
func TestEmptyIsAnAnswer(t *testing.T) {
	const availability = "availability"
	for _, c := range []struct{ name, call, on, body string }{
		{"livechat", "find", "POST /v3.6/agent/action/list_chats", `{"chats_summary":[],"found_chats":0}`},
		{"livechat", "find", "POST /v3.6/agent/action/list_chats", `{"found_chats":0}`},
		{"livechat", availability, "POST /v3.6/agent/action/list_routing_statuses", `[]`},
		{"zendesk", "find", "GET /sc/v2/apps/{app}/conversations", `{"conversations":[]}`},
		{"zendesk", availability, "GET /api/v2/agent_availabilities", `{"data":[]}`},
		{"intercom", "find", "POST /conversations/search", `{"conversations":[]}`},
		{"intercom", availability, "GET /admins", `{"admins":[]}`},
		{"freshchat", "find", "GET /v2/users", `{"users":[]}`},
		{"freshchat", "find", "GET /v2/users/{user}/conversations", `{"conversations":[]}`},
		{"freshchat", availability, "GET /v2/agents", `{"agents":[]}`},
		{"chatwoot", availability, "GET /api/v1/accounts/{account}/inbox_members/{inbox}", `{"payload":[]}`},
		{"genesys", "find", "POST /api/v2/analytics/conversations/details/query", `{"totalHits":0}`},
		{"genesys", "find", "POST /api/v2/analytics/conversations/details/query", `{}`},
		{"genesys", availability, "POST /api/v2/analytics/queues/observations/query", `{"results":[]}`},
		{"rocketchat", availability, "GET /api/v1/livechat/config", `{"success":true,"config":{"enabled":false}}`}, // the omnichannel is off
		{"webhook", "find", "POST /hook", `{"found":false}`},
	} {
		t.Run(c.name+"/"+c.call, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, in, p, err := platforms[c.name](t)
				require.NoError(t, err)
				_, err = p.Open(t.Context(), handoff.Opening{Attempt: "have.1.1", Note: "n", Handoff: handoff.Handoff{
					ID: handoff.ID{Conversation: "have", Number: 1}, Need: handoff.Need{Queue: "support"},
				}})
				require.NoError(t, err)
				d.Next(vendortest.Trouble{On: c.on, Status: http.StatusOK, Body: c.body})
				before := len(in.Requests())
				if c.call == "find" {
					f, ok := p.(handoff.Finder)
					require.True(t, ok)
					_, found, err := f.Find(t.Context(), "have.1.1")
					require.NoError(t, err)
					assert.False(t, found)
				} else {
					a, ok := p.(handoff.AvailabilityChecker)
					require.True(t, ok)
					av, err := a.Available(t.Context(), handoff.Need{Queue: "support"})
					require.NoError(t, err)
					assert.Equal(t, handoff.Offline, av)
				}
				asked := in.Requests()[before:]
				require.NotEmpty(t, asked)
				assert.Equal(t, c.on, asked[len(asked)-1].Pattern, "nothing is asked after that")
			})
		})
	}
}

// How another chat stands says nothing about the one that was asked for.
func TestAnswerOfAnotherChat(t *testing.T) {
	for name, body := range map[string]string{
		"livechat":   `{"id":"x","thread":{"active":false}}`,
		"genesys":    `{"id":"x","participants":[]}`,
		"rocketchat": `{"success":true,"room":{"_id":"x","open":false}}`,
		"zendesk":    `{"conversation":{"id":"x"}}`,
		"intercom":   `{"id":"987654321","state":"closed"}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, _, p, err := platforms[name](t)
				require.NoError(t, err)
				s, err := p.Open(t.Context(), handoff.Opening{Attempt: "have.1.1", Note: "n", Handoff: handoff.Handoff{
					ID: handoff.ID{Conversation: "have", Number: 1}, Need: handoff.Need{Queue: "support"},
				}})
				require.NoError(t, err)
				r, ok := p.(handoff.StateReader)
				require.True(t, ok)
				d.Next(vendortest.Trouble{Status: http.StatusOK, Body: body})
				st, _, err := r.ReadState(t.Context(), s)
				var pe *handoff.ProviderError
				require.ErrorAs(t, err, &pe)
				assert.Equal(t, []any{handoff.SessionUnknown, "state", "answer", true, false}, []any{st, pe.Op, pe.Code, pe.Retryable, pe.Ambiguous})
			})
		})
	}
}
