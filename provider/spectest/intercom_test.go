package spectest_test

import (
	"testing"

	"github.com/seed-2a427302/handoff/provider/intercom"
	"github.com/seed-2a427302/handoff/provider/intercom/intercomtest"
	"github.com/seed-2a427302/handoff/provider/spectest"
	"github.com/seed-2a427302/handoff/providertest"
)

// Every request of the whole suite, by Intercom's OpenAPI document.
func TestIntercom(t *testing.T) {
	check := spectest.Spec{
		Name: "intercom", File: "intercom/api.intercom.io-2.16.yaml",
		AnyFormat: true, // it gives contacts ids of the format uuid and of 24 characters
	}.Load(t)
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := intercomtest.New(t)
		d.Validate(check)
		p, err := intercom.New(intercom.Config{
			URL: intercomtest.URL, Admin: intercomtest.Admin, Token: intercomtest.Token, Secrets: []string{intercomtest.Secret},
			Teams: map[string]string{"support": intercomtest.Team}, HTTP: providertest.Client(d),
		})
		if err != nil {
			t.Fatal(err)
		}
		return providertest.Harness{Provider: p, Vendor: d}
	})
}
