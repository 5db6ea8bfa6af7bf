package dynamics_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/crm"
	"github.com/seed-2a427302/handoff/provider/crm/dynamics"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

const schema = `{
	"$defs": {"contact": {"type": "object", "additionalProperties": false, "properties": {"firstname": {"type": "string"}, "lastname": {"type": "string"},
		"emailaddress1": {"type": "string"}, "telephone1": {"type": "string"}, "externaluseridentifier": {"type": "string"}}},
		"incident": {"type": "object", "required": ["title", "description"], "additionalProperties": false, "properties": {"title": {"type": "string", "minLength": 1},
		"description": {"type": "string"}, "customerid_contact@odata.bind": {"type": "string", "pattern": "^/contacts\\([^()]+\\)$"}}}},
	"POST /tenant/oauth2/v2.0/token": {"form": {"type": "object", "required": ["grant_type", "client_id", "client_secret", "scope"],
		"properties": {"grant_type": {"const": "client_credentials"}, "scope": {"const": "https://acme.crm.example/.default"}}}},
	"GET /api/data/v9.2/contacts": {"query": {"type": "object", "required": ["$filter", "$select"]}},
	"POST /api/data/v9.2/contacts": {"body": {"$ref": "#/$defs/contact"}},
	"PATCH /api/data/v9.2/{entity}": {"body": {"anyOf": [{"$ref": "#/$defs/contact"}, {"$ref": "#/$defs/incident"}]}}
}`

const secret = "entra-s3cret"

func environment(t *testing.T) (c crm.CRM, d *vendortest.Double, filters *[]string, tokens *int) {
	t.Helper()
	type fields map[string]any
	d = vendortest.New(t, []byte(schema))
	filters, tokens = new([]string), new(int)
	incidents := map[string]bool{}
	d.Auth = func(r *http.Request) bool {
		return strings.HasPrefix(r.URL.Path, "/tenant/") || r.Header.Get("Authorization") == "Bearer bearer-t0ken"
	}
	d.Handle("POST /tenant/oauth2/v2.0/token", func(in *vendortest.In) vendortest.Out {
		*tokens++
		if f, _ := url.ParseQuery(string(in.Raw)); f.Get("client_secret") != secret {
			return vendortest.Out{Status: http.StatusUnauthorized, JSON: fields{"error": "invalid_client"}}
		}
		return vendortest.Out{JSON: fields{"access_token": "bearer-t0ken", "expires_in": 3600}}
	})
	d.Handle("GET /api/data/v9.2/contacts", func(in *vendortest.In) vendortest.Out {
		*filters = append(*filters, in.URL.Query().Get("$filter"))
		list := []fields{}
		if strings.Contains(in.URL.Query().Get("$filter"), "u@example.org") {
			list = []fields{
				{"contactid": "c-2", "fullname": "Other", "emailaddress1": "u@example.org"},
				{"contactid": "c-1", "fullname": "Ursula", "emailaddress1": "u@example.org", "externaluseridentifier": "u1", "jobtitle": "Queen"},
			}
		}
		return vendortest.Out{JSON: fields{"value": list}}
	})
	d.Handle("POST /api/data/v9.2/contacts", func(in *vendortest.In) vendortest.Out {
		if in.Header.Get("Prefer") != "return=representation" {
			return vendortest.Out{Status: http.StatusNoContent}
		}
		return vendortest.Out{Status: http.StatusCreated, JSON: fields{"contactid": "c-9", "fullname": "New"}}
	})
	d.Handle("PATCH /api/data/v9.2/{entity}", func(in *vendortest.In) vendortest.Out {
		entity := in.PathValue("entity")
		switch {
		case entity == "contacts(c-1)" && in.Header.Get("If-Match") == "*":
			return vendortest.Out{JSON: fields{"contactid": "c-1", "fullname": "Ursula"}}
		case strings.HasPrefix(entity, "incidents(") && in.Header.Get("If-None-Match") != "*":
			return vendortest.Out{Status: http.StatusNoContent} // what an agent has changed is written over
		case incidents[entity] && in.Header.Get("If-None-Match") == "*":
			return vendortest.Out{Status: http.StatusPreconditionFailed}
		}
		incidents[entity] = true
		return vendortest.Out{Status: http.StatusNoContent}
	})
	c, err := dynamics.New(dynamics.Config{
		URL: "https://acme.crm.example", Tenant: "tenant", Client: "app", Secret: secret, Contact: "c-0", Login: "https://login.example",
		HTTP: providertest.Client(d),
	})
	require.NoError(t, err)
	return c, d, filters, tokens
}

func TestDynamics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, d, filters, tokens := environment(t)
		who := handoff.Contact{ID: "u1", Mail: "u@example.org", Name: "Ursula B"}
		found, err := c.Find(t.Context(), who)
		require.NoError(t, err)
		require.Len(t, found, 2)
		assert.Equal(t, "c-1", found[0].ID, "who has the host's id comes first")
		assert.Equal(t, []handoff.CustomerField{{Label: "Job title", Value: "Queen"}}, found[0].Fields)
		_, err = c.Find(t.Context(), handoff.Contact{Mail: "x' or true or 'a' eq 'a"})
		require.NoError(t, err)
		assert.Equal(t, "emailaddress1 eq 'x'' or true or ''a'' eq ''a'", (*filters)[1], "a quote ends no text")

		made, err := c.Upsert(t.Context(), who)
		require.NoError(t, err)
		assert.Equal(t, "c-1", made.ID)
		made, err = c.Upsert(t.Context(), handoff.Contact{Mail: "new@example.org", Name: "New One"})
		require.NoError(t, err)
		assert.Equal(t, "c-9", made.ID)

		d.LoseAnswer(1)
		a, err := c.OpenCase(t.Context(), crm.Case{ID: "c.1.5", Subject: "s", Text: "t", Customer: "c-1"})
		require.NoError(t, err, "the answer was lost, and the repeat finds the case")
		b, err := c.OpenCase(t.Context(), crm.Case{ID: "c.1.5", Subject: "s", Text: "t"})
		require.NoError(t, err)
		other, err := c.OpenCase(t.Context(), crm.Case{ID: "c.1.6", Subject: "s", Text: "t"})
		require.NoError(t, err)
		assert.Equal(t, a, b)
		assert.NotEqual(t, a, other)
		assert.Empty(t, d.Violations())
		var of []string
		for _, r := range d.Requests() {
			if strings.Contains(r.URL, "/incidents(") {
				id, _, _ := strings.Cut(string(r.Body), ")")
				of = append(of, id[strings.LastIndex(id, "(")+1:])
			}
		}
		assert.Equal(t, []string{"c-1", "c-1", "c-0", "c-0"}, of)

		assert.Equal(t, 1, *tokens, "a token is used as long as it is good")
		time.Sleep(2 * time.Hour)
		_, err = c.Find(t.Context(), who)
		require.NoError(t, err)
		assert.Equal(t, 2, *tokens)

		// Microsoft's protection limits say how long to wait.
		d.Next(vendortest.Trouble{Status: http.StatusTooManyRequests, RetryAfter: "4"})
		start := time.Now()
		_, err = c.Find(t.Context(), who)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, time.Since(start), 4*time.Second)
		vendortest.CheckSchemas(t, d)
	})
}

// All that is known of a user is looked for, and nothing else.
func TestWhoIsLookedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, d, filters, _ := environment(t)
		_, err := c.Find(t.Context(), handoff.Contact{ID: "u'1", Mail: "a@example.org", Phone: "+1 555"})
		require.NoError(t, err)
		assert.Equal(t, []string{"externaluseridentifier eq 'u''1' or emailaddress1 eq 'a@example.org' or telephone1 eq '+1 555'"}, *filters)
		found, err := c.Find(t.Context(), handoff.Contact{Name: "Ursula"})
		require.NoError(t, err)
		assert.Empty(t, found)
		assert.Len(t, *filters, 1, "nothing is known by which he could be found")
		assert.Empty(t, d.Violations())
	})
}

// A name has a last part always, and a first one if there are two.
func TestNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, d, _, _ := environment(t)
		for name, want := range map[string]string{
			"Ursula": `"lastname":"Ursula"`, "Ursula Ann B": `"firstname":"Ursula","lastname":"Ann B"`,
		} {
			_, err := c.Upsert(t.Context(), handoff.Contact{Mail: "new@example.org", Name: name})
			require.NoError(t, err)
			requests := d.Requests()
			body := string(requests[len(requests)-1].Body)
			assert.True(t, strings.HasPrefix(body, "{"+want+","), body)
		}
	})
}

// A repeated case changes nothing in the one that is there, and no id of a
// customer leads out of its place.
func TestCaseIsMadeOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, d, _, _ := environment(t)
		for range 2 {
			_, err := c.OpenCase(t.Context(), crm.Case{ID: "c.1.5", Subject: "s", Text: "t", Customer: "x)/y("})
			require.NoError(t, err)
		}
		made := 0
		for _, r := range d.Requests() {
			if strings.Contains(r.URL, "/incidents(") {
				assert.Contains(t, string(r.Body), `"/contacts(x%29%2Fy%28)"`)
				if r.Status == http.StatusNoContent {
					made++
				}
			}
		}
		assert.Equal(t, 1, made)
		assert.Empty(t, d.Violations())
	})
}

// A login that is answered without a token is repeated, and the answer is not kept
// for as long as it says.
func TestLoginWithoutToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, d, _, tokens := environment(t)
		d.Next(vendortest.Trouble{Status: http.StatusOK, Body: `{"expires_in": 3600}`})
		_, err := c.Find(t.Context(), handoff.Contact{ID: "u1"})
		require.NoError(t, err)
		assert.Equal(t, 1, *tokens, "after the one that had none")
	})
}

func TestSecretsStayInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, d, _, _ := environment(t)
		c, err := dynamics.New(dynamics.Config{
			URL: "https://acme.crm.example", Tenant: "tenant", Client: "app", Secret: "wr0ng", Login: "https://login.example", HTTP: providertest.Client(d),
		})
		require.NoError(t, err)
		_, err = c.Find(t.Context(), handoff.Contact{ID: "u1"})
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe)
		assert.Equal(t, http.StatusUnauthorized, pe.Status)
		assert.NotContains(t, err.Error(), "wr0ng")
		_, err = dynamics.New(dynamics.Config{URL: "https://acme.crm.example", Tenant: "t", Client: "c"})
		require.ErrorContains(t, err, "Config.Secret")
	})
}
