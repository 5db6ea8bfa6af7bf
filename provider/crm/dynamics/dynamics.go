// Package dynamics finds and keeps customers as contacts of Microsoft Dynamics
// 365 (Dataverse), and opens cases as incidents, by the Web API v9.2.
//
// Not verified against an environment, and taken from Microsoft's
// documentation of the Web API alone:
//
//	what                                           if it is otherwise
//	a record can be made under an id of ours with  a repeat makes a second case
//	  PATCH and If-None-Match: *; 412 is a repeat
//	Prefer: return=representation answers with     the contact's id is missing, and the case
//	  the record                                     belongs to nobody
//	a case without a customer is taken             a message of a user of whom nothing is known makes no case,
//	                                                 unless Config.Contact gives it a customer
package dynamics

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/crm"
)

// A Config names an environment and an application registered with Entra.
type Config struct {
	URL    string // of the environment: https://acme.crm.dynamics.com
	Tenant string // id of the directory
	Client string // id of the application; it needs an application user in the environment
	Secret string // of the application

	// Contact is the id of a contact who is the customer of cases without one: of
	// users of whom neither id nor mail nor phone is known. Empty: such cases have none.
	Contact string

	Login string       // where tokens come from; default https://login.microsoftonline.com
	HTTP  *http.Client // nil: a sensible one
}

type client struct {
	cfg   Config
	api   provider.Client
	login provider.Client

	mu    sync.Mutex
	token string
	until time.Time
}

// New returns a CRM. It does no I/O. A Config that cannot work is a
// *[handoff.InvalidError].
func New(c Config) (crm.CRM, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, &handoff.InvalidError{Field: "Config.URL", Why: "is no http address"}
	}
	for field, v := range map[string]string{"Tenant": c.Tenant, "Client": c.Client, "Secret": c.Secret} {
		if v == "" {
			return nil, &handoff.InvalidError{Field: "Config." + field, Why: "is empty"}
		}
	}
	if c.Login == "" {
		c.Login = "https://login.microsoftonline.com"
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	out := &client{cfg: c, login: provider.Client{Base: strings.TrimSuffix(c.Login, "/"), HTTP: c.HTTP}}
	out.api = provider.Client{
		Base: c.URL + "/api/data/v9.2", HTTP: c.HTTP, Limit: provider.NewLimiter(0, 0),
		Authorize: func(r *http.Request) error {
			token, err := out.bearer(r.Context())
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("OData-Version", "4.0")
			return err
		},
	}
	return out, nil
}

// bearer returns a token that is good for another minute.
func (c *client) bearer(ctx context.Context) (string, error) {
	c.mu.Lock()
	token, until := c.token, c.until
	c.mu.Unlock()
	if time.Until(until) > time.Minute {
		return token, nil
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.cfg.Client}, "client_secret": {c.cfg.Secret}, "scope": {c.cfg.URL + "/.default"},
	}
	var out struct {
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	err := c.login.Do(ctx, provider.Call{
		Op: "token", Method: http.MethodPost, Path: "/" + url.PathEscape(c.cfg.Tenant) + "/oauth2/v2.0/token",
		Body: []byte(form.Encode()), Type: "application/x-www-form-urlencoded", Repeatable: true,
	}, &out)
	if err == nil && out.Token == "" {
		err = provider.AnswerLacks("token")
	}
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token, c.until = out.Token, time.Now().Add(time.Duration(out.Seconds)*time.Second)
	return out.Token, nil
}

type contact struct {
	ID        string `json:"contactid,omitempty"`
	FullName  string `json:"fullname,omitempty"`
	FirstName string `json:"firstname,omitempty"`
	LastName  string `json:"lastname,omitempty"`
	Mail      string `json:"emailaddress1,omitempty"`
	Phone     string `json:"telephone1,omitempty"`
	External  string `json:"externaluseridentifier,omitempty"`
	JobTitle  string `json:"jobtitle,omitempty"`
}

const columns = "contactid,fullname,emailaddress1,telephone1,externaluseridentifier,jobtitle"

func (c *client) customer(k *contact) handoff.Customer {
	out := handoff.Customer{
		Source: "dynamics", ID: k.ID, Name: k.FullName, Mail: k.Mail, Phone: k.Phone,
		URL: c.cfg.URL + "/main.aspx?etn=contact&pagetype=entityrecord&id=" + url.QueryEscape(k.ID),
	}
	if k.JobTitle != "" {
		out.Fields = []handoff.CustomerField{{Label: "Job title", Value: k.JobTitle}}
	}
	return out
}

// quote is text within a filter: a quote in it is doubled.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Find looks for the host's id of the user, for mail and for phone at once.
func (c *client) Find(ctx context.Context, who handoff.Contact) ([]handoff.Customer, error) {
	var terms []string
	for _, f := range [][2]string{{"externaluseridentifier", who.ID}, {"emailaddress1", who.Mail}, {"telephone1", who.Phone}} {
		if f[1] != "" {
			terms = append(terms, f[0]+" eq "+quote(f[1]))
		}
	}
	if len(terms) == 0 {
		return nil, nil
	}
	var found struct {
		Value []contact `json:"value"`
	}
	q := url.Values{"$select": {columns}, "$filter": {strings.Join(terms, " or ")}, "$top": {"10"}}
	if err := c.api.Do(ctx, provider.Call{Op: "find", Path: "/contacts", Query: q}, &found); err != nil {
		return nil, err
	}
	var exact, out []handoff.Customer
	for i := range found.Value {
		if k := &found.Value[i]; who.ID != "" && k.External == who.ID {
			exact = append(exact, c.customer(k))
		} else {
			out = append(out, c.customer(k))
		}
	}
	return append(exact, out...), nil
}

// Upsert makes a contact or brings it up to date.
func (c *client) Upsert(ctx context.Context, who handoff.Contact) (handoff.Customer, error) {
	found, err := c.Find(ctx, who)
	if err != nil {
		return handoff.Customer{}, err
	}
	first, last, ok := strings.Cut(who.Name, " ")
	if !ok {
		first, last = "", who.Name
	}
	in := contact{FirstName: first, LastName: last, Mail: who.Mail, Phone: who.Phone, External: who.ID}
	call := provider.Call{Op: "upsert", Method: http.MethodPost, Path: "/contacts", JSON: in, Header: http.Header{}}
	if len(found) > 0 {
		call.Method, call.Path, call.Repeatable = http.MethodPatch, "/contacts("+url.PathEscape(found[0].ID)+")", true
		call.Header.Set("If-Match", "*") // never make one here
	}
	call.Header.Set("Prefer", "return=representation")
	var out contact
	err = c.api.Do(ctx, call, &out)
	return c.customer(&out), err
}

// OpenCase makes an incident under an id that is made of ours.
func (c *client) OpenCase(ctx context.Context, k crm.Case) (string, error) {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte("handoff:case:"+k.ID)).String()
	in := map[string]string{"title": provider.Cut(k.Subject, 200), "description": k.Text}
	if k.Customer == "" {
		k.Customer = c.cfg.Contact
	}
	if k.Customer != "" {
		in["customerid_contact@odata.bind"] = "/contacts(" + url.PathEscape(k.Customer) + ")"
	}
	h := http.Header{}
	h.Set("If-None-Match", "*")
	err := c.api.Do(ctx, provider.Call{
		Op: "case", Method: http.MethodPatch, Path: "/incidents(" + id + ")", Header: h, JSON: in, Repeatable: true,
	}, nil)
	return id, provider.Tolerate(err, http.StatusPreconditionFailed) // it is there
}
