// Package intercomtest is a double of Intercom, as far as package intercom
// depends on it: for that package's tests and for those of hosts.
package intercomtest

import (
	"crypto/hmac"
	"crypto/sha1" // what Intercom signs with
	_ "embed"
	"encoding/hex"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// What a Config needs to reach the double.
const (
	URL    = "https://intercom.example"
	Admin  = "99"
	Team   = "700"
	Token  = "intercom-access-t0ken"
	Secret = "intercom-client-s3cret"
)

//go:embed schema.json
var schema []byte

// A Double is a workspace of Intercom.
type Double struct {
	*vendortest.Double

	contacts []contact
	parts    map[string][]fields // by conversation
	names    map[string]string   // of teammates
}

type contact struct{ id, external, email string }

type fields = map[string]any

// New returns an Intercom without conversations, with a teammate who is not
// away.
func New(tb testing.TB) *Double {
	tb.Helper()
	d := &Double{Double: vendortest.New(tb, schema), parts: map[string][]fields{}, names: map[string]string{}}
	d.Keep = []string{Token, Secret}
	d.Auth = func(r *http.Request) bool {
		return r.Header.Get("Authorization") == "Bearer "+Token && r.Header.Get("Intercom-Version") == "2.16"
	}
	d.Handle("GET /contacts/find_by_external_id/{external}", d.findContact)
	d.Handle("POST /contacts", d.addContact)
	d.Handle("POST /conversations", d.open)
	d.Handle("POST /conversations/search", d.search)
	d.Handle("GET /conversations/{conversation}", d.on(func(_ *vendortest.In, c *vendortest.Chat) vendortest.Out {
		return vendortest.Out{JSON: d.conversation(c, d.parts[c.Reference]...)}
	}))
	d.Handle("POST /conversations/{conversation}/reply", d.on(d.reply))
	d.Handle("POST /conversations/{conversation}/parts", d.on(d.manage))
	d.Handle("GET /admins/{admin}", func(in *vendortest.In) vendortest.Out {
		id := in.PathValue("admin")
		return vendortest.Out{JSON: fields{"type": "admin", "id": id, "name": d.names[id]}}
	})
	d.Handle("GET /admins", func(*vendortest.In) vendortest.Out {
		return vendortest.Out{JSON: fields{"type": "admin.list", "admins": []fields{
			{"id": "7", "name": "Ann", "away_mode_enabled": false, "has_inbox_seat": true, "team_ids": []int{700}},
			{"id": Admin, "name": "Handoff", "away_mode_enabled": false, "has_inbox_seat": true, "team_ids": []int{}},
		}}}
	})
	return d
}

func failure(status int, code string) vendortest.Out {
	return vendortest.Out{Status: status, JSON: fields{"type": "error.list", "errors": []fields{{"code": code, "message": code}}}}
}

func (d *Double) on(h func(in *vendortest.In, c *vendortest.Chat) vendortest.Out) func(in *vendortest.In) vendortest.Out {
	return func(in *vendortest.In) vendortest.Out {
		c := d.Find(in.PathValue("conversation"))
		if c == nil {
			return failure(http.StatusNotFound, "not_found")
		}
		return h(in, c)
	}
}

func (d *Double) findContact(in *vendortest.In) vendortest.Out {
	for _, c := range d.contacts {
		if c.external == in.PathValue("external") {
			return vendortest.Out{JSON: fields{"type": "contact", "id": c.id, "external_id": c.external}}
		}
	}
	return failure(http.StatusNotFound, "not_found")
}

func (d *Double) addContact(in *vendortest.In) vendortest.Out {
	var body struct {
		External string `json:"external_id"`
		Email    string
	}
	in.Into(&body)
	for _, c := range d.contacts {
		if c.external == body.External || body.Email != "" && c.email == body.Email {
			return failure(http.StatusConflict, "conflict")
		}
	}
	n, _ := strconv.Atoi(d.NextID())
	c := contact{id: hex.EncodeToString(slices.Concat(make([]byte, 10), []byte{byte(n >> 8), byte(n)})), external: body.External, email: body.Email}
	d.contacts = append(d.contacts, c)
	return vendortest.Out{JSON: fields{"type": "contact", "id": c.id, "external_id": c.external}}
}

func (d *Double) open(in *vendortest.In) vendortest.Out {
	var body struct {
		From struct{ ID string }
		Body string
	}
	in.Into(&body)
	if !slices.ContainsFunc(d.contacts, func(c contact) bool { return c.id == body.From.ID }) {
		return failure(http.StatusNotFound, "not_found")
	}
	c := d.Start(d.NextID())
	c.Data["contact"], c.Data["source"], c.Data["state"] = body.From.ID, body.Body, "open"
	c.Internal = append(c.Internal, body.Body)
	return vendortest.Out{JSON: fields{"type": "user_message", "id": d.NextID(), "conversation_id": c.Reference, "body": body.Body}}
}

func (d *Double) search(in *vendortest.In) vendortest.Out {
	var body struct{ Query struct{ Value string } }
	in.Into(&body)
	list := []fields{}
	c := d.Search(func(c *vendortest.Chat) bool {
		return slices.Contains(strings.Fields(c.Data["source"]), body.Query.Value)
	})
	if c != nil {
		list = append(list, d.conversation(c))
	}
	return vendortest.Out{JSON: fields{"type": "conversation.list", "conversations": list, "total_count": len(list)}}
}

func paragraph(text string) string {
	return "<p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "<br>") + "</p>"
}

func (d *Double) reply(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
	var body struct {
		MessageType string `json:"message_type"`
		Type        string
		User        string `json:"intercom_user_id"`
		Admin       string `json:"admin_id"`
		Body        string
		CreatedAt   int64    `json:"created_at"`
		Files       []string `json:"attachment_urls"`
	}
	in.Into(&body)
	m := vendortest.Message{From: handoff.RoleUser, Text: body.Body}
	who := fields{"type": "user", "id": body.User, "name": "Ursula"}
	content := paragraph(body.Body)
	if body.Type == "admin" {
		who = fields{"type": "admin", "id": body.Admin, "name": "Handoff"}
		content = "<p>" + body.Body + "</p>"                      // HTML is rendered
		m.From, m.Text = handoff.RoleBot, provider.Plain(content) // as it reads
	} else if body.User != c.Data["contact"] {
		return failure(http.StatusNotFound, "not_found")
	}
	for _, f := range body.Files {
		m.Files = append(m.Files, handoff.File{URL: f})
	}
	if body.MessageType == "note" {
		c.Internal = append(c.Internal, m.Text)
	} else {
		d.Add(c, m)
	}
	if body.Type == "user" {
		c.Data["state"], c.Open = "open", true // who writes in a conversation opens it again
	}
	topic := map[string]string{"user": "conversation.user.replied", "admin": "conversation.admin.replied"}[body.Type]
	if body.MessageType == "note" {
		topic = "conversation.admin.noted"
	}
	d.part(c, topic, fields{"part_type": body.MessageType, "body": content, "author": who}, body.CreatedAt)
	return vendortest.Out{JSON: d.conversation(c)}
}

func (d *Double) manage(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
	var body struct {
		MessageType string `json:"message_type"`
		Admin       string `json:"admin_id"`
		Assignee    string `json:"assignee_id"`
	}
	in.Into(&body)
	who := fields{"type": "admin", "id": body.Admin, "name": "Handoff"}
	switch body.MessageType {
	case "assignment":
		c.Data["team"] = body.Assignee
		d.part(c, "conversation.admin.assigned", fields{"part_type": "assignment", "author": who, "assigned_to": fields{"type": "team", "id": body.Assignee}}, 0)
	case "close":
		d.close(c, who)
	}
	return vendortest.Out{JSON: d.conversation(c)}
}

func (d *Double) close(c *vendortest.Chat, who fields) {
	if c.Data["state"] == "closed" {
		return
	}
	c.Data["state"], c.Open = "closed", false
	d.part(c, "conversation.admin.closed", fields{"part_type": "close", "author": who}, 0)
}

// part adds a part, and tells of it.
func (d *Double) part(c *vendortest.Chat, topic string, f fields, at int64) {
	if at == 0 {
		at = time.Now().Unix()
	}
	f["type"], f["id"], f["created_at"] = "conversation_part", d.NextID(), at
	d.parts[c.Reference] = append(d.parts[c.Reference], f)
	d.Push(Sign(Secret, vendortest.JSON(fields{
		"type": "notification_event", "id": "notif_" + d.NextID(), "topic": topic, "app_id": "app", "created_at": time.Now().Unix(), "delivery_attempts": 1,
		"data": fields{"type": "notification_event_data", "item": d.conversation(c, f)},
	})))
}

// conversation is one as Intercom tells it, with some of its parts.
func (d *Double) conversation(c *vendortest.Chat, parts ...fields) fields {
	if parts == nil {
		parts = []fields{}
	}
	var admin, team any
	if c.Agent.ID != "" {
		admin, _ = strconv.Atoi(c.Agent.ID)
	}
	if c.Data["team"] != "" {
		team = c.Data["team"]
	}
	return fields{
		"type": "conversation", "id": c.Reference, "state": c.Data["state"], "open": c.Open, "admin_assignee_id": admin, "team_assignee_id": team,
		"source":             fields{"type": "conversation", "body": paragraph(c.Data["source"]), "author": fields{"type": "user", "id": c.Data["contact"]}},
		"contacts":           fields{"type": "contact.list", "contacts": []fields{{"type": "contact", "id": c.Data["contact"]}}},
		"conversation_parts": fields{"type": "conversation_part.list", "conversation_parts": parts, "total_count": len(parts)},
	}
}

// Sign returns a webhook with a body, as Intercom signs it.
func Sign(secret string, body []byte) handoff.Webhook {
	m := hmac.New(sha1.New, []byte(secret))
	m.Write(body)
	h := http.Header{}
	h.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(m.Sum(nil)))
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
	person := func(p handoff.Party) fields { return fields{"type": "admin", "id": p.ID, "name": p.Name} }
	switch a.Kind {
	case providertest.Join, providertest.Transfer:
		d.names[a.Agent.ID] = a.Agent.Name
		if c.Agent.ID == a.Agent.ID {
			return true
		}
		by := a.Agent
		if a.Kind == providertest.Transfer && c.Agent.ID != "" {
			by = c.Agent
		}
		c.Agent = a.Agent
		d.part(c, "conversation.admin.assigned", fields{"part_type": "assignment", "author": person(by), "assigned_to": fields{"type": "admin", "id": a.Agent.ID}}, 0)
	case providertest.Leave:
		by := c.Agent
		if by.ID == "" {
			return true
		}
		c.Agent = handoff.Party{}
		d.part(c, "conversation.admin.assigned", fields{"part_type": "assignment", "author": person(by), "assigned_to": nil}, 0)
	case providertest.Say:
		d.Add(c, vendortest.Message{From: handoff.RoleAgent, Text: a.Text, Files: a.Files})
		var list []fields
		for _, f := range a.Files {
			list = append(list, fields{"type": "upload", "name": f.Name, "url": f.URL, "content_type": f.Type, "filesize": f.Size})
		}
		d.part(c, "conversation.admin.replied", fields{"part_type": "comment", "body": paragraph(a.Text), "author": person(c.Agent), "attachments": list}, 0)
	case providertest.Write:
		c.Internal = append(c.Internal, a.Text)
		d.part(c, "conversation.admin.noted", fields{"part_type": "note", "body": paragraph(a.Text), "author": person(c.Agent)}, 0)
	case providertest.End:
		d.close(c, person(c.Agent))
	default:
		return false
	}
	return true
}

// Forged implements providertest.Forger.
func (d *Double) Forged() []handoff.Webhook {
	const part = `{"id":"5","part_type":"close","author":{"type":"admin","id":"7"}}`
	body := []byte(`{"topic":"conversation.admin.closed","data":{"item":{"id":"1","conversation_parts":{"conversation_parts":[` + part + `]}}}}`)
	return vendortest.Forge(Sign(Secret, body), "X-Hub-Signature")
}
