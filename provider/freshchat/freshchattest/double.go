// Package freshchattest is a double of Freshchat and of Freshdesk's tickets, as
// far as package freshchat depends on them: for that package's tests and for
// those of hosts.
package freshchattest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// What a Config needs to reach the double.
const (
	URL     = "https://acme.freshchat.example/v2"
	Desk    = "https://acme.freshdesk.example"
	Agent   = "99d304e8-31fd-4e4a-85e8-b62edb95d53f"
	Channel = "600a9b8d-0321-4b05-a7fb-70b4a5e5e371"
	Group   = "4cf5d9b8-b782-499f-b93c-541229df3729"
	Token   = "freshchat-api-t0ken"
	DeskKey = "freshdesk-api-k3y"
)

// Key is the key that signs the double's webhooks: one for the process. It is
// short, so that tests with many webhooks are fast.
var Key = sync.OnceValue(NewKey)

// NewKey makes another key.
func NewKey() *rsa.PrivateKey {
	const bits = 1024
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic("freshchattest: " + err.Error())
	}
	return key
}

// PEM is the public half of a key as Freshchat shows it: on one line, and
// called an RSA PUBLIC KEY.
func PEM(key *rsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic("freshchattest: " + err.Error())
	}
	return "-----BEGIN RSA PUBLIC KEY----- " + base64.StdEncoding.EncodeToString(der) + " -----END RSA PUBLIC KEY-----"
}

//go:embed schema.json
var schema []byte

// A Double is an account of Freshchat, and one of Freshdesk.
type Double struct {
	*vendortest.Double

	users    []user
	messages map[string][]fields // by conversation, oldest first
	tickets  []ticket
	names    map[string]string // of agents
}

type user struct{ id, reference string }

type ticket struct {
	id                 int
	requester, subject string
	words              string // HTML
}

type fields = map[string]any

// New returns a Freshchat without conversations, with an agent who is available.
func New(tb testing.TB) *Double {
	tb.Helper()
	d := &Double{Double: vendortest.New(tb, schema), messages: map[string][]fields{}, names: map[string]string{"7": "Ann"}}
	d.Keep = []string{Token, DeskKey}
	d.Auth = func(r *http.Request) bool {
		if name, password, ok := r.BasicAuth(); ok {
			return strings.HasPrefix(r.URL.Path, "/api/v2/") && name == DeskKey && password == "X"
		}
		return strings.HasPrefix(r.URL.Path, "/v2/") && r.Header.Get("Authorization") == "Bearer "+Token
	}
	d.Handle("GET /v2/users", d.findUser)
	d.Handle("POST /v2/users", d.addUser)
	d.Handle("GET /v2/users/{user}/conversations", func(in *vendortest.In) vendortest.Out {
		list := []fields{}
		c := d.Search(func(c *vendortest.Chat) bool { return c.Data["user"] == in.PathValue("user") })
		if c != nil {
			list = append(list, fields{"id": c.Reference, "link": fields{"rel": "conversation", "href": "/v2/conversations/" + c.Reference}})
		}
		return vendortest.Out{JSON: fields{"conversations": list}}
	})
	d.Handle("POST /v2/conversations", d.open)
	d.Handle("GET /v2/conversations/{conversation}", d.on(func(_ *vendortest.In, c *vendortest.Chat) vendortest.Out {
		return vendortest.Out{JSON: conversation(c)}
	}))
	d.Handle("PUT /v2/conversations/{conversation}", d.on(d.update))
	d.Handle("GET /v2/conversations/{conversation}/messages", d.on(d.list))
	d.Handle("POST /v2/conversations/{conversation}/messages", d.on(d.say))
	d.Handle("GET /v2/agents/{agent}", func(in *vendortest.In) vendortest.Out {
		return vendortest.Out{JSON: d.agent(in.PathValue("agent"))}
	})
	d.Handle("GET /v2/agents", func(*vendortest.In) vendortest.Out {
		return vendortest.Out{JSON: fields{"agents": []fields{d.agent(Agent), d.agent("7")}, "pagination": fields{"total_items": 2, "total_pages": 1, "current_page": 1}}}
	})
	d.Handle("GET /api/v2/tickets", d.findTickets)
	d.Handle("POST /api/v2/tickets", d.addTicket)
	return d
}

func (d *Double) agent(id string) fields {
	return fields{
		"id": id, "first_name": d.names[id], "last_name": "", "email": id + "@acme.example", "is_deactivated": false,
		"availability_status": "AVAILABLE", "groups": []string{Group},
	}
}

func failure(status int, code string) vendortest.Out {
	return vendortest.Out{Status: status, JSON: fields{"code": status, "status": code, "message": strings.ToLower(code)}}
}

func (d *Double) on(h func(in *vendortest.In, c *vendortest.Chat) vendortest.Out) func(in *vendortest.In) vendortest.Out {
	return func(in *vendortest.In) vendortest.Out {
		c := d.Find(in.PathValue("conversation"))
		if c == nil {
			return failure(http.StatusNotFound, "CONVERSATION_NOT_FOUND")
		}
		return h(in, c)
	}
}

func (d *Double) findUser(in *vendortest.In) vendortest.Out {
	list := []fields{}
	for _, u := range d.users {
		if u.reference == in.URL.Query().Get("reference_id") {
			list = append(list, fields{"id": u.id, "reference_id": u.reference})
		}
	}
	return vendortest.Out{JSON: fields{"users": list}}
}

func (d *Double) addUser(in *vendortest.In) vendortest.Out {
	var body struct {
		Reference string `json:"reference_id"`
	}
	in.Into(&body)
	u := user{id: "user-" + d.NextID(), reference: body.Reference}
	d.users = append(d.users, u)
	return vendortest.Out{Status: http.StatusCreated, JSON: fields{"id": u.id, "reference_id": u.reference, "created_time": d.now()}}
}

// now is the time; no two things happen at the same.
func (d *Double) now() string {
	n, _ := strconv.Atoi(d.NextID())
	return time.Now().UTC().Add(time.Duration(n) * time.Millisecond).Format("2006-01-02T15:04:05.000Z")
}

func (d *Double) open(in *vendortest.In) vendortest.Out {
	var body struct {
		Group    string `json:"assigned_group_id"`
		Users    []struct{ ID string }
		Messages []posted
	}
	in.Into(&body)
	if len(body.Users) != 1 || !slices.ContainsFunc(d.users, func(u user) bool { return u.id == body.Users[0].ID }) {
		return failure(http.StatusNotFound, "USER_NOT_FOUND")
	}
	c := d.Start("conversation-" + d.NextID())
	c.Data["user"], c.Data["group"], c.Data["status"] = body.Users[0].ID, body.Group, "new"
	for _, m := range body.Messages {
		c.Internal = append(c.Internal, m.text())
		d.message(c, m)
	}
	return vendortest.Out{Status: http.StatusCreated, JSON: conversation(c)}
}

func conversation(c *vendortest.Chat) fields {
	out := fields{"conversation_id": c.Reference, "app_id": "app", "channel_id": Channel, "status": c.Data["status"], "skill_id": 0}
	if c.Agent.ID != "" {
		out["assigned_agent_id"] = c.Agent.ID
	}
	if c.Data["group"] != "" {
		out["assigned_group_id"] = c.Data["group"]
	}
	return out
}

func (d *Double) update(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
	var body struct{ Status string }
	in.Into(&body)
	if body.Status == "resolved" {
		d.resolve(c, "system", "")
	}
	return vendortest.Out{JSON: conversation(c)}
}

func (d *Double) resolve(c *vendortest.Chat, kind, who string) {
	if !c.Open {
		return
	}
	c.Open, c.Data["status"] = false, "resolved"
	d.tell(kind, who, "conversation_resolution", fields{"resolve": fields{
		"resolver": kind, "resolver_id": who, "conversation": conversation(c), "interaction_id": "515435468500047-1628507537000",
	}})
}

// posted is a message as it is sent to Freshchat.
type posted struct {
	Type      string `json:"message_type"`
	ActorType string `json:"actor_type"`
	ActorID   string `json:"actor_id"`
	Parts     []struct {
		Text  *struct{ Content string } `json:"text,omitempty"`
		Image fields                    `json:"image,omitempty"`
		File  fields                    `json:"file,omitempty"`
	} `json:"message_parts"`
}

func (m *posted) text() string {
	var lines []string
	for _, p := range m.Parts {
		if p.Text != nil {
			lines = append(lines, p.Text.Content)
		}
	}
	return strings.Join(lines, "\n")
}

func (d *Double) say(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
	var m posted
	in.Into(&m)
	if m.ActorType == "user" && m.ActorID != c.Data["user"] {
		return failure(http.StatusForbidden, "USER_NOT_IN_CONVERSATION")
	}
	said := vendortest.Message{From: handoff.RoleUser, Text: m.text()}
	if m.ActorType == "agent" {
		said.From = handoff.RoleBot
	}
	for _, p := range m.Parts {
		for _, f := range []fields{p.Image, p.File} {
			if address, ok := f["url"].(string); ok {
				said.Files = append(said.Files, handoff.File{URL: address})
			}
		}
	}
	if m.ActorType == "user" && !c.Open {
		c.Open, c.Data["status"] = true, "reopened" // by who writes in it
	}
	if m.Type == "private" {
		c.Internal = append(c.Internal, said.Text)
	} else {
		d.Add(c, said)
	}
	return vendortest.Out{Status: http.StatusCreated, JSON: d.message(c, m)}
}

// message keeps a message, and tells of it.
func (d *Double) message(c *vendortest.Chat, m posted) fields {
	var list []fields
	for _, p := range m.Parts {
		switch {
		case p.Text != nil:
			list = append(list, fields{"text": fields{"content": p.Text.Content}})
		case p.Image != nil:
			list = append(list, fields{"image": p.Image})
		case p.File != nil:
			list = append(list, fields{"file": p.File})
		}
	}
	return d.keep(c, m.Type, m.ActorType, m.ActorID, list)
}

func (d *Double) keep(c *vendortest.Chat, kind, actor, who string, parts []fields) fields {
	f := fields{
		"id": "message-" + d.NextID(), "message_parts": parts, "app_id": "app", "actor_type": actor, "actor_id": who, "channel_id": Channel,
		"conversation_id": c.Reference, "message_type": kind, "user_id": c.Data["user"], "created_time": d.now(),
	}
	d.messages[c.Reference] = append(d.messages[c.Reference], f)
	d.tell(actor, who, "message_create", fields{"message": f})
	return f
}

// list returns the newest messages first, a page of them.
func (d *Double) list(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
	query := in.URL.Query()
	page, _ := strconv.Atoi(query.Get("page"))
	per, _ := strconv.Atoi(query.Get("items_per_page"))
	since := query.Get("from_time")
	all := []fields{}
	for _, m := range slices.Backward(d.messages[c.Reference]) {
		if at, _ := m["created_time"].(string); at >= since {
			all = append(all, m)
		}
	}
	first := min((page-1)*per, len(all))
	out := fields{"messages": all[first:min(first+per, len(all))]}
	if first+per < len(all) {
		query.Set("page", strconv.Itoa(page+1))
		out["link"] = fields{"rel": "next", "href": in.URL.Path + "?" + query.Encode()}
	}
	return vendortest.Out{JSON: out}
}

func (d *Double) findTickets(in *vendortest.In) vendortest.Out {
	query := in.URL.Query()
	who := query.Get("email") + query.Get("unique_external_id")
	list := []fields{}
	for _, t := range d.tickets {
		if t.requester == who {
			list = append(list, fields{"id": t.id, "subject": t.subject, "status": 2})
		}
	}
	if len(list) == 0 {
		return vendortest.Out{Status: http.StatusBadRequest, JSON: fields{"description": "Validation failed", "errors": []fields{{"field": "email", "code": "invalid_value"}}}}
	}
	return vendortest.Out{JSON: list}
}

func (d *Double) addTicket(in *vendortest.In) vendortest.Out {
	var body struct {
		Email    string
		External string `json:"unique_external_id"`
		Subject  string
		Words    string `json:"description"`
	}
	in.Into(&body)
	n, _ := strconv.Atoi(d.NextID())
	d.tickets = append(d.tickets, ticket{id: n, requester: body.Email + body.External, subject: body.Subject, words: body.Words})
	return vendortest.Out{Status: http.StatusCreated, JSON: fields{"id": n, "subject": body.Subject, "status": 2}}
}

// Tickets returns the descriptions of the tickets, as they read, oldest first. It
// takes the lock.
func (d *Double) Tickets() (out []string) {
	d.Lock()
	defer d.Unlock()
	for _, t := range d.tickets {
		out = append(out, provider.Plain(t.words))
	}
	return out
}

func (d *Double) tell(actor, who, action string, data fields) {
	d.Push(Sign(Key(), vendortest.JSON(fields{
		"actor": fields{"actor_type": actor, "actor_id": who}, "action": action, "action_time": d.now(), "data": data,
	})))
}

// Sign returns a webhook with a body, as Freshchat signs it.
func Sign(key *rsa.PrivateKey, body []byte) handoff.Webhook {
	sum := sha256.Sum256(body)
	mac, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic("freshchattest: " + err.Error())
	}
	h := http.Header{}
	h.Set("X-Freshchat-Signature", base64.StdEncoding.EncodeToString(mac))
	h.Set("X-Freshchat-Payload-Version", "v2")
	h.Set("X-Retry-Count", "0")
	h.Set("Content-Type", "application/json")
	return handoff.Webhook{Method: http.MethodPost, Path: "/", Header: h, Body: body}
}

// Do implements providertest.Vendor.
func (d *Double) Do(a providertest.Act) bool {
	d.Lock()
	defer d.Unlock()
	a = vendortest.ReturnByWord(a)
	c := d.Find(a.Chat)
	if c == nil || !c.Open {
		return c != nil
	}
	switch a.Kind {
	case providertest.Join, providertest.Transfer:
		d.names[a.Agent.ID] = a.Agent.Name
		if c.Agent.ID != a.Agent.ID {
			d.assign(c, a.Agent)
		}
	case providertest.Leave:
		if c.Agent.ID != "" {
			d.assign(c, handoff.Party{})
		}
	case providertest.Say:
		d.Add(c, vendortest.Message{From: handoff.RoleAgent, Text: a.Text, Files: a.Files})
		var list []fields
		if a.Text != "" {
			list = append(list, fields{"text": fields{"content": a.Text}})
		}
		for _, f := range a.Files {
			list = append(list, fields{"file": fields{"url": f.URL, "name": f.Name, "content_type": f.Type, "file_size_in_bytes": f.Size}})
		}
		d.keep(c, "normal", "agent", c.Agent.ID, list)
	case providertest.Write:
		c.Internal = append(c.Internal, a.Text)
		d.keep(c, "private", "agent", c.Agent.ID, []fields{{"text": fields{"content": a.Text}}})
	case providertest.End:
		d.resolve(c, "agent", c.Agent.ID)
	default:
		return false
	}
	return true
}

// assign gives a conversation to an agent, or to nobody.
func (d *Double) assign(c *vendortest.Chat, to handoff.Party) {
	from := c.Agent.ID
	by := from
	if by == "" {
		by = to.ID
	}
	c.Agent, c.Data["status"] = to, "assigned"
	if to.ID == "" {
		c.Data["status"] = "new"
	}
	d.tell("agent", by, "conversation_assignment", fields{"assignment": fields{
		"assignor": "agent", "assignor_id": by, "to_agent_id": to.ID, "from_agent_id": from, "to_group_id": c.Data["group"], "from_group_id": c.Data["group"],
		"conversation": conversation(c), "interaction_id": "515435468500047-1628507537000",
	}})
}

// Forged implements providertest.Forger.
func (d *Double) Forged() []handoff.Webhook {
	body := []byte(`{"action":"conversation_resolution","action_time":"2022-04-01T06:16:34.207Z","data":{"resolve":{"resolver":"agent","conversation":{"conversation_id":"c"}}}}`)
	return append(vendortest.Forge(Sign(Key(), body), "X-Freshchat-Signature"), Sign(NewKey(), body))
}
