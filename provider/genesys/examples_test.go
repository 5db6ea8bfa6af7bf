package genesys_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/genesys/genesystest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
)

// Webhooks as Genesys Cloud shows them; where it has a placeholder, a value stands.
// testdata/README.md has the pages.
func TestExamples(t *testing.T) {
	const who = "messaging-user@externalservice.com"
	envelope := func(rest string) string {
		return `{"id":"9e7e8c5a-6f0b-4a53-8a3b-3c0f4d3f2b10","channel":{"id":"` + genesystest.Integration + `","platform":"Open","type":"Private",
			"to":{"id":"` + who + `"},"from":{"nickname":"Open","id":"` + genesystest.Integration + `","idType":"Opaque"},"time":"2023-09-25T13:41:24.276Z",
			"messageId":"9e7e8c5a-6f0b-4a53-8a3b-3c0f4d3f2b10"},` + rest + `,"direction":"Outbound"}`
	}
	examples := []vendortest.Example{
		{
			Source: "outboundMessages: a text message", Body: envelope(`"type":"Text","text":"Outbound message text!"`),
			Kinds: []handoff.ProviderEventKind{handoff.EventMessage}, Reference: who, Text: "Outbound message text!",
		},
		{
			Source: "the same for another integration", Body: `{"id":"1","channel":{"id":"another","platform":"Open","to":{"id":"` + who + `"}},"type":"Text","text":"x"}`,
		},
		{Source: "a receipt", Body: envelope(`"type":"Receipt","status":"Delivered"`)},
	}
	for _, body := range vendortest.Files(t, "testdata/*.json") {
		examples = append(examples, vendortest.Example{
			Source: "typing", Body: string(body), Kinds: []handoff.ProviderEventKind{handoff.EventTyping}, Reference: who,
		})
	}
	assert.Len(t, examples, 4)
	sign := func(body []byte) handoff.Webhook { return genesystest.Sign(genesystest.Secret, body) }
	vendortest.CheckExamples(t, adapter(t, genesystest.New(t)), sign, examples)
}
