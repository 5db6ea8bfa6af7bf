package spectest_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/seed-2a427302/handoff/provider/chatwoot"
	"github.com/seed-2a427302/handoff/provider/chatwoot/chatwoottest"
	"github.com/seed-2a427302/handoff/provider/spectest"
	"github.com/seed-2a427302/handoff/providertest"
)

// Every request of the whole suite, by Chatwoot's OpenAPI document.
func TestChatwoot(t *testing.T) {
	check := spectest.Spec{
		Name: "chatwoot", File: "chatwoot/chatwoot-openapi-mirror.yml",
		// The form of a message with files lacks source_id, which Chatwoot
		// takes: app/builders/messages/message_builder.rb.
		Repair: func(text []byte) []byte {
			const files = "                attachments[]:\n                  type: array\n"
			return bytes.Replace(text, []byte(files), []byte("                source_id:\n                  type: string\n"+files), 1)
		},
	}.Load(t)
	files := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("%PDF")) })
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := chatwoottest.New(t)
		d.Validate(check)
		p, err := chatwoot.New(chatwoot.Config{
			URL: chatwoottest.URL, Account: chatwoottest.Account, Inbox: chatwoottest.Inbox, InboxIdentifier: chatwoottest.Name,
			Token: chatwoottest.Token, Secrets: []string{chatwoottest.Secret},
			HTTP: providertest.Client(d), Files: providertest.Client(files),
		})
		if err != nil {
			t.Fatal(err)
		}
		return providertest.Harness{Provider: p, Vendor: d}
	})
}
