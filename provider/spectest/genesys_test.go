package spectest_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/seed-2a427302/handoff/provider/genesys"
	"github.com/seed-2a427302/handoff/provider/genesys/genesystest"
	"github.com/seed-2a427302/handoff/provider/spectest"
	"github.com/seed-2a427302/handoff/providertest"
)

// Every request of the whole suite, by Genesys Cloud's Swagger document, as
// github.com/api-evangelist/genesys has it in parts. Genesys allows nobody to pass
// it on, so that the folder of documents may lack it.
func TestGenesys(t *testing.T) {
	var parts []func(r *http.Request, body []byte) error
	for _, name := range []string{"conversations", "routing", "analytics", "task-management"} {
		parts = append(parts, spectest.Spec{
			Name: "genesys", File: "genesys/genesys-" + name + "-api-openapi.yml", MayLack: true,
		}.Load(t))
	}
	for _, body := range []string{`{"text":"x"}`, `{"channel":{"from":{"id":"u"},"time":"2026-01-01T00:00:00.000Z"},"text":"x"}`, `{"channel":"u"}`} {
		bad, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://double/api/v2/conversations/messages/i/inbound/open/message", nil)
		if err != nil {
			t.Fatal(err)
		}
		bad.Header.Set("Content-Type", "application/json")
		if err := parts[0](bad, []byte(body)); err == nil || errors.Is(err, spectest.ErrNoOperation) {
			t.Fatalf("the document takes %s: %v", body, err)
		}
	}
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := genesystest.New(t)
		d.Validate(func(r *http.Request, body []byte) error {
			if r.URL.Path == "/oauth/token" {
				return nil // another interface
			}
			var errs []error
			for _, check := range parts {
				err := check(r, body)
				if err == nil || !errors.Is(err, spectest.ErrNoOperation) {
					return err
				}
				errs = append(errs, err)
			}
			return errors.Join(errs...)
		})
		p, err := genesys.NewSuite(genesys.Config{
			URL: genesystest.URL, Login: genesystest.Login, Integration: genesystest.Integration, Client: genesystest.Client,
			Secret: genesystest.ClientKey, Secrets: []string{genesystest.Secret}, Queues: map[string]string{"support": genesystest.Queue},
			HTTP: providertest.Client(d),
		}, genesys.Workitems{Type: genesystest.Worktype})
		if err != nil {
			t.Fatal(err)
		}
		return providertest.Harness{Provider: p, Vendor: d}
	})
}
