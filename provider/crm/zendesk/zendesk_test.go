package zendesk_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/crm"
	"github.com/seed-2a427302/handoff/provider/crm/zendesk"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

const schema = `{
	"GET /api/v2/users/search.json": {"query": {"type": "object", "properties": {"query": {"type": "string"}, "external_id": {"type": "string"}}, "additionalProperties": false}},
	"POST /api/v2/users/create_or_update.json": {"body": {"type": "object", "required": ["user"], "properties": {"user": {
		"type": "object", "required": ["name"], "additionalProperties": false,
		"properties": {"name": {"type": "string", "minLength": 1}, "email": {"type": "string"}, "phone": {"type": "string"}, "external_id": {"type": "string"}}}}}},
	"POST /api/v2/tickets.json": {"body": {"type": "object", "required": ["ticket"], "properties": {"ticket": {
		"type": "object", "required": ["comment"], "additionalProperties": false,
		"properties": {"subject": {"type": "string"}, "external_id": {"type": "string"}, "requester_id": {"type": "integer"}, "tags": {"type": "array"},
			"comment": {"type": "object", "required": ["body"], "properties": {"body": {"type": "string", "minLength": 1}, "public": {"type": "boolean"}}}}}}}}
}`

const token = "zendesk-t0ken"

func account(t *testing.T) (crm.CRM, *vendortest.Double) {
	t.Helper()
	type fields map[string]any
	d := vendortest.New(t, []byte(schema))
	d.Auth = func(r *http.Request) bool {
		name, pass, _ := r.BasicAuth()
		return name == "agent@example.org/token" && pass == token
	}
	users := []fields{{"id": 7, "name": "Ursula", "email": "u@example.org", "external_id": "u1", "tags": []string{"vip"}, "notes": "kind"}}
	tickets := map[string]int{}
	d.Handle("GET /api/v2/users/search.json", func(in *vendortest.In) vendortest.Out {
		q := in.URL.Query()
		found := slices.DeleteFunc(slices.Clone(users), func(u fields) bool {
			return q.Get("external_id") != "" && q.Get("external_id") != u["external_id"] ||
				q.Get("query") != "" && q.Get("query") != `email:"`+u["email"].(string)+`"`
		})
		return vendortest.Out{JSON: fields{"users": found}}
	})
	d.Handle("POST /api/v2/users/create_or_update.json", func(*vendortest.In) vendortest.Out {
		return vendortest.Out{Status: http.StatusCreated, JSON: fields{"user": fields{"id": 8, "name": "New"}}}
	})
	d.Handle("POST /api/v2/tickets.json", func(in *vendortest.In) vendortest.Out {
		key := in.Header.Get("Idempotency-Key")
		if tickets[key] == 0 {
			tickets[key] = len(tickets) + 100
		}
		return vendortest.Out{Status: http.StatusCreated, JSON: fields{"ticket": fields{"id": tickets[key]}}}
	})
	c, err := zendesk.New(zendesk.Config{URL: "https://acme.zendesk.example", Email: "agent@example.org", Token: token, HTTP: providertest.Client(d)})
	require.NoError(t, err)
	return c, d
}

func TestZendesk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, d := account(t)
		found, err := c.Find(t.Context(), handoff.Contact{ID: "u1", Mail: "u@example.org"})
		require.NoError(t, err)
		require.Len(t, found, 1, "he is found twice and told once")
		assert.Equal(t, handoff.Customer{
			Source: "zendesk", ID: "7", Name: "Ursula", Mail: "u@example.org", URL: "https://acme.zendesk.example/agent/users/7",
			Fields: []handoff.CustomerField{{Label: "Notes", Value: "kind"}, {Label: "Tags", Value: "vip"}},
		}, found[0])
		found, err = c.Find(t.Context(), handoff.Contact{Mail: `x" OR *`})
		require.NoError(t, err)
		assert.Empty(t, found)
		list := d.Requests()
		asked, err := url.Parse(list[len(list)-1].URL)
		require.NoError(t, err)
		assert.Equal(t, `email:"x OR *"`, asked.Query().Get("query"), "nobody ends the quotes")

		made, err := c.Upsert(t.Context(), handoff.Contact{Mail: "new@example.org"})
		require.NoError(t, err)
		assert.Equal(t, "8", made.ID)

		d.LoseAnswer(1)
		a, err := c.OpenCase(t.Context(), crm.Case{ID: "c.1.5", Subject: "s", Text: "t", Customer: "7"})
		require.NoError(t, err)
		b, err := c.OpenCase(t.Context(), crm.Case{ID: "c.1.5", Subject: "s", Text: "t"})
		require.NoError(t, err)
		other, err := c.OpenCase(t.Context(), crm.Case{ID: "c.1.6", Subject: "s", Text: "t"})
		require.NoError(t, err)
		assert.Equal(t, []string{"100", "100", "101"}, []string{a, b, other})
		assert.Empty(t, d.Violations())
		vendortest.CheckSchemas(t, d)

		d.Next(vendortest.Trouble{Status: http.StatusForbidden, Body: token})
		_, err = c.Find(t.Context(), handoff.Contact{ID: "u1"})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), token)
	})
}
