// Package zendesk finds and keeps customers as users of Zendesk Support, and
// opens cases as tickets.
//
// Not verified against an account, and taken from Zendesk's documentation of
// its API alone:
//
//	what                                      if it is otherwise
//	users/create_or_update finds a user by    a second user is made
//	  external_id or email
//	Idempotency-Key on tickets (kept two      a repeat later than that makes a second ticket
//	  hours)
package zendesk

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/crm"
)

// A Config names an account of Zendesk.
type Config struct {
	URL   string // https://acme.zendesk.com
	Email string // of the agent whose token it is
	Token string // an API token: Admin Center → Apps and integrations → APIs

	HTTP *http.Client // nil: a sensible one
}

type client struct {
	url string
	api provider.Client
}

// New returns a CRM. It does no I/O. A Config that cannot work is a
// *[handoff.InvalidError].
func New(c Config) (crm.CRM, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, &handoff.InvalidError{Field: "Config.URL", Why: "is no http address"}
	case c.Email == "":
		return nil, &handoff.InvalidError{Field: "Config.Email", Why: "is empty"}
	case c.Token == "":
		return nil, &handoff.InvalidError{Field: "Config.Token", Why: "is empty"}
	}
	base := strings.TrimSuffix(c.URL, "/")
	return &client{url: base, api: provider.Client{
		Base: base + "/api/v2", HTTP: c.HTTP, Limit: provider.NewLimiter(0, 0),
		Authorize: func(r *http.Request) error { r.SetBasicAuth(c.Email+"/token", c.Token); return nil },
	}}, nil
}

type user struct {
	ID           int64    `json:"id,omitempty"`
	Name         string   `json:"name,omitempty"`
	Email        string   `json:"email,omitempty"`
	Phone        string   `json:"phone,omitempty"`
	ExternalID   string   `json:"external_id,omitempty"`
	Tags         []string `json:"tags,omitempty"`
	Notes        string   `json:"notes,omitempty"`
	Organization int64    `json:"organization_id,omitempty"`
}

func (c *client) customer(u *user) handoff.Customer {
	id := strconv.FormatInt(u.ID, 10)
	out := handoff.Customer{
		Source: "zendesk", ID: id, Name: u.Name, Mail: u.Email, Phone: u.Phone, URL: c.url + "/agent/users/" + id,
	}
	for label, value := range map[string]string{"Tags": strings.Join(u.Tags, ", "), "Notes": u.Notes} {
		if value != "" {
			out.Fields = append(out.Fields, handoff.CustomerField{Label: label, Value: value})
		}
	}
	if len(out.Fields) == 2 && out.Fields[0].Label == "Tags" {
		out.Fields[0], out.Fields[1] = out.Fields[1], out.Fields[0] // always in one order
	}
	return out
}

// Find looks for the host's id of the user first, then for mail and phone.
func (c *client) Find(ctx context.Context, who handoff.Contact) ([]handoff.Customer, error) {
	var queries []url.Values
	if who.ID != "" {
		queries = append(queries, url.Values{"external_id": {who.ID}})
	}
	for field, value := range map[string]string{"email": who.Mail, "phone": who.Phone} {
		if value != "" {
			queries = append(queries, url.Values{"query": {field + `:"` + strings.ReplaceAll(value, `"`, "") + `"`}})
		}
	}
	var out []handoff.Customer
	seen := map[int64]bool{}
	for _, q := range queries {
		var found struct {
			Users []user `json:"users"`
		}
		if err := c.api.Do(ctx, provider.Call{Op: "find", Path: "/users/search.json", Query: q}, &found); err != nil {
			return nil, err
		}
		for i := range found.Users {
			if u := &found.Users[i]; !seen[u.ID] {
				seen[u.ID] = true
				out = append(out, c.customer(u))
			}
		}
	}
	return out, nil
}

// Upsert makes a user or brings him up to date.
func (c *client) Upsert(ctx context.Context, who handoff.Contact) (handoff.Customer, error) {
	in := user{Name: who.Name, Email: who.Mail, Phone: who.Phone, ExternalID: who.ID}
	if in.Name == "" {
		in.Name = strings.TrimSpace(in.Email + " " + in.Phone) // Zendesk wants one
	}
	if in.Name == "" {
		in.Name = in.ExternalID
	}
	var out struct {
		User user `json:"user"`
	}
	err := c.api.Do(ctx, provider.Call{
		Op: "upsert", Method: http.MethodPost, Path: "/users/create_or_update.json", JSON: map[string]user{"user": in}, Repeatable: true,
	}, &out)
	return c.customer(&out.User), err
}

// OpenCase makes a ticket.
func (c *client) OpenCase(ctx context.Context, k crm.Case) (string, error) {
	type comment struct {
		Body   string `json:"body"`
		Public bool   `json:"public"`
	}
	type ticket struct {
		Subject    string   `json:"subject"`
		Comment    comment  `json:"comment"`
		Requester  int64    `json:"requester_id,omitempty"`
		ExternalID string   `json:"external_id"`
		Tags       []string `json:"tags,omitempty"`
	}
	requester, _ := strconv.ParseInt(k.Customer, 10, 64)
	in := ticket{Subject: k.Subject, Comment: comment{Body: k.Text, Public: true}, Requester: requester, ExternalID: k.ID, Tags: k.Tags}
	h := http.Header{}
	h.Set("Idempotency-Key", provider.Cut(k.ID, 255))
	var out struct {
		Ticket struct {
			ID int64 `json:"id"`
		} `json:"ticket"`
	}
	err := c.api.Do(ctx, provider.Call{
		Op: "case", Method: http.MethodPost, Path: "/tickets.json", Header: h, JSON: map[string]ticket{"ticket": in}, Repeatable: true,
	}, &out)
	return strconv.FormatInt(out.Ticket.ID, 10), err
}
