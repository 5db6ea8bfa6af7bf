package spectest_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/spectest"
	"github.com/seed-2a427302/handoff/provider/zendesk"
	"github.com/seed-2a427302/handoff/provider/zendesk/zendesktest"
	"github.com/seed-2a427302/handoff/providertest"
)

// Every request of the whole suite, by the OpenAPI document of Sunshine
// Conversations. Tickets are another interface, without one.
func TestZendesk(t *testing.T) {
	check := spectest.Spec{
		Name: "zendesk", File: "zendesk-sunco/openapi.yaml", Prefix: "/sc",
		// A destination is oneOf two schemas that require nothing, so that each
		// fits both.
		Repair: func(text []byte) []byte {
			const two = "      - $ref: '#/components/schemas/integrationId'"
			return bytes.ReplaceAll(text, []byte("      oneOf:\n"+two), []byte("      anyOf:\n"+two))
		},
	}.Load(t)
	suite := func(t *testing.T, double func(tb testing.TB) *zendesktest.Double, connect func(c zendesk.Config) (handoff.Provider, error)) {
		providertest.Run(t, func(t *testing.T) providertest.Harness {
			d := double(t)
			d.Validate(func(r *http.Request, body []byte) error {
				if !strings.HasPrefix(r.URL.Path, "/sc/") {
					return nil
				}
				return check(r, body)
			})
			p, err := connect(zendesk.Config{
				URL: zendesktest.URL, App: zendesktest.App, KeyID: zendesktest.KeyID, Secret: zendesktest.Key, Bot: zendesktest.Bot,
				Secrets: []string{zendesktest.Secret}, TriggerSecrets: []string{zendesktest.TriggerSecret},
				Email: zendesktest.Email, Token: zendesktest.Token, ReferenceField: "11", NoteField: "12", HTTP: providertest.Client(d),
			})
			if err != nil {
				t.Fatal(err)
			}
			return providertest.Harness{Provider: p, Vendor: d}
		})
	}
	suite(t, zendesktest.New, func(c zendesk.Config) (handoff.Provider, error) { return zendesk.New(c) })
	t.Run("within", func(t *testing.T) {
		suite(t, zendesktest.NewInside, func(c zendesk.Config) (handoff.Provider, error) { return zendesk.NewSwitchboard(c) })
	})
}
