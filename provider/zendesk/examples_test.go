package zendesk_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/provider/zendesk"
	"github.com/seed-2a427302/handoff/provider/zendesk/zendesktest"
)

// exampleApp is the app of the examples.
const exampleApp = "5ebee0975ac5304b664a12fa"

// Webhooks as Zendesk shows them, shortened: the examples of the OpenAPI
// document of Sunshine Conversations,
// https://github.com/zendesk/sunshine-conversations-java/blob/master/api/openapi.yaml
func examples(within bool) []vendortest.Example {
	const (
		app     = `{"app":{"id":"` + exampleApp + `"},"webhook":{"id":"5f4eaef81e3dcc117c7ba48a","version":"v2"},"events":[{"id":"5f74a0d52b5315fc007e798a",`
		when    = `"createdAt":"2020-09-30T15:14:29.834Z",`
		bot     = `"activeSwitchboardIntegration":{"id":"5eecde2dcdbffb08f5c3ed37","name":"bot","integrationId":"5f11a650e4e987667c2051d1","integrationType":"custom"}`
		id      = "f52b01137aa6c250bc7251fa"
		talk    = `"payload":{"conversation":{"id":"` + id + `","type":"personal",` + bot + `}`
		message = `,"message":{"id":"5f74c7d84a146f3abd72af1d","received":"2020-09-30T18:00:56.820Z","author":{"userId":"26508c10541a4b0ff472e5e2",` +
			`"avatarUrl":"https://s3.amazonaws.com/avatar.jpg","displayName":"Steve Rogers","type":"user","user":{"id":"26508c10541a4b0ff472e5e2",` +
			`"externalId":"912382197","authenticated":true}},"content":{"type":"text","text":"hello"},"source":{"integrationId":"5ec69c6e12dda33be985cb1a",` +
			`"originalMessageId":"374","originalMessageTimestamp":"2020-09-30T18:00:56.000Z","type":"telegram"}}}}]}`
	)
	said := vendortest.Example{Source: "conversationMessageEvent", Body: app + when + `"type":"conversation:message",` + talk + message}
	if within {
		said.Kinds, said.Reference, said.Text = []handoff.ProviderEventKind{handoff.EventUserMessage}, id, "hello"
	}
	returned := []handoff.ProviderEventKind{handoff.EventReturned}
	return []vendortest.Example{
		said,
		{Source: "switchboardPassControlEvent", Body: app + when + `"type":"switchboard:passControl",` + talk + `}}]}`, Kinds: returned, Reference: id},
		{
			Source: "switchboardPassControlFailureEvent",
			Body: app + when + `"type":"switchboard:passControl:failure",` + talk +
				`,"error":{"code":"switchboard_invalid_target","message":"Switchboard invalid target"}}}]}`,
		},
		{
			Source: "conversationTypingEvent: a user's",
			Body: app + when + `"type":"conversation:typing",` + talk + `,"activity":{"type":"typing:start","author":{"type":"user",` +
				`"userId":"7283cdd6f586679a5fc43cfb","user":{"id":"7283cdd6f586679a5fc43cfb","authenticated":false}},` +
				`"source":{"type":"web","integrationId":"5ecff63ffc3ab25f4561c8a0"}}}}]}`,
		},
		{
			Source: "the same of the business, which is no example of Zendesk's", Kinds: []handoff.ProviderEventKind{handoff.EventTyping}, Reference: id,
			Body: app + when + `"type":"conversation:typing",` + talk + `,"activity":{"type":"typing:stop","author":{"type":"business"}}}}]}`,
		},
		{
			Source: "switchboardReleaseControlEvent", Kinds: returned, Reference: id,
			Body: app + when + `"type":"switchboard:releaseControl","payload":{"conversation":{"id":"` + id + `","type":"personal"}}}]}`,
		},
	}
}

func TestExamples(t *testing.T) {
	sign := func(body []byte) handoff.Webhook { return zendesktest.Bare(zendesktest.Secret, body) }
	outside, within := config(zendesktest.New(t)), config(zendesktest.NewInside(t))
	outside.App, within.App = exampleApp, exampleApp
	p, err := zendesk.New(outside)
	require.NoError(t, err)
	vendortest.CheckExamples(t, p, sign, examples(false))
	s, err := zendesk.NewSwitchboard(within)
	require.NoError(t, err)
	vendortest.CheckExamples(t, s, sign, examples(true))
}
