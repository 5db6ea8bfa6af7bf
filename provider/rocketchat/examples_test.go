package rocketchat_test

import (
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/rocketchat/rocketchattest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
)

// Webhooks as Rocket.Chat shows them, shortened.
var examples = []vendortest.Example{
	{
		Source: "https://docs.rocket.chat/docs/webhooks (sample JSON data)",
		Body: `{"_id":"Tc5SyBZHovD4k8BXv","label":"James","createdAt":"2023-02-02T10:16:07.230Z","lastMessageAt":"2023-02-02T10:22:14.087Z","tags":["self"],
			"visitor":{"_id":"63db8d4990fe6eda42ad429a","name":"James","username":"guest-3","email":[{"address":"james@example.org"}],"phone":null},
			"agent":{"_id":"aXjjcPwq4Pcp7xftH","username":"user1","name":"User One","email":"one@example.org"},"type":"LivechatSession","messages":[]}`,
		Kinds: []handoff.ProviderEventKind{handoff.EventEnded}, Reference: "Tc5SyBZHovD4k8BXv",
	},
	{
		Source: "https://docs.rocket.chat/guides/omnichannel/webhooks-managers-guide (end of a session)",
		Body: `{"type":"LivechatSession","_id":"fasd6f5a4sd6f8a4sdf","label":"title","topic":"topic of the session","code":123123,"createdAt":"2016-06-01T18:41:16.856Z",
			"tags":["tag1","tag2"],"customFields":{"productId":"123456"},"visitor":{"_id":"","name":"visitor name","username":"visitor-username"},
			"agent":{"_id":"asdf89as6df8","username":"agent.username","name":"Agent Name"},"messages":[{"username":"visitor-username","msg":"message content",
			"ts":"2016-06-01T18:41:16.856Z"},{"username":"agent.username","agentId":"asdf89as6df8","msg":"message content from agent","ts":"2016-06-01T18:41:16.856Z"}]}`,
		Kinds: []handoff.ProviderEventKind{handoff.EventEnded}, Reference: "fasd6f5a4sd6f8a4sdf",
	},
	{
		Source: "the same page (offline message)",
		Body: `{"type":"LivechatOfflineMessage","sentAt":"2016-06-01T19:55:53.867Z","visitor":{"name":"name from the form","email":"v@example.org"},
			"message":"message from the form"}`,
	},
}

func TestExamples(t *testing.T) {
	vendortest.CheckExamples(t, adapter(t, nil), func(body []byte) handoff.Webhook { return rocketchattest.Sign(rocketchattest.Secret, body) }, examples)
}
