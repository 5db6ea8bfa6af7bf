// Package chatwoottest is a double of Chatwoot, as far as package chatwoot
// depends on it: for that package's tests and for those of hosts.
package chatwoottest

import (
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// What a Config needs to reach the double.
const (
	URL     = "https://chatwoot.example"
	Account = 1
	Inbox   = 3
	Name    = "inbox-identifier" // of the inbox in the client API
	Token   = "chatwoot-access-t0ken"
	Secret  = "chatwoot-webhook-s3cret"
)

//go:embed schema.json
var schema []byte

// A Double is Chatwoot with one account and one inbox.
type Double struct {
	*vendortest.Double

	contacts []*contact
	sources  map[string]int64 // contact inboxes: source → contact
	updates  int
}

type contact struct {
	id         int64
	identifier string
	email      string
}

const (
	app    = "/api/v1/accounts/{account}"
	public = "/public/api/v1/inboxes/{inbox}/contacts/{source}"
)

// New returns a Chatwoot without conversations, with an agent online.
func New(tb testing.TB) *Double {
	tb.Helper()
	d := &Double{Double: vendortest.New(tb, schema), sources: map[string]int64{}}
	d.Keep = []string{Token, Secret}
	d.Auth = func(r *http.Request) bool {
		return strings.HasPrefix(r.URL.Path, "/public/") || r.Header.Get("Api_access_token") == Token
	}
	d.Handle("GET "+public+"/conversations", d.ofSource)
	d.Handle("POST "+public+"/conversations/{conversation}/toggle_typing", d.on(func(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
		c.UserTypes = in.URL.Query().Get("typing_status") == "on"
		return vendortest.Out{}
	}))
	d.Handle("GET "+app+"/contacts/search", d.search)
	d.Handle("POST "+app+"/contacts", d.addContact)
	d.Handle("POST "+app+"/contacts/{contact}/contact_inboxes", d.addSource)
	d.Handle("POST "+app+"/conversations", d.open)
	d.Handle("GET "+app+"/conversations/{conversation}", d.on(func(_ *vendortest.In, c *vendortest.Chat) vendortest.Out {
		return vendortest.Out{JSON: d.standing(c)}
	}))
	d.Handle("GET "+app+"/conversations/{conversation}/messages", d.on(d.list))
	d.Handle("POST "+app+"/conversations/{conversation}/messages", d.on(d.say))
	d.Handle("POST "+app+"/conversations/{conversation}/toggle_status", d.on(func(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
		var body struct{ Status string }
		in.Into(&body)
		d.setStatus(c, body.Status)
		return vendortest.Out{JSON: fields{"payload": fields{"success": true, "conversation_id": num(c.Reference)}}}
	}))
	for _, what := range []string{"labels", "toggle_priority"} {
		d.Handle("POST "+app+"/conversations/{conversation}/"+what, d.on(func(*vendortest.In, *vendortest.Chat) vendortest.Out {
			return vendortest.Out{JSON: fields{}}
		}))
	}
	d.Handle("GET "+app+"/inbox_members/{inbox}", func(*vendortest.In) vendortest.Out {
		return vendortest.Out{JSON: fields{"payload": []fields{{"id": 7, "name": "Ann", "availability_status": "online"}}}}
	})
	return d
}

type fields map[string]any

func num(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// on finds the conversation of a request.
func (d *Double) on(h func(in *vendortest.In, c *vendortest.Chat) vendortest.Out) func(in *vendortest.In) vendortest.Out {
	return func(in *vendortest.In) vendortest.Out {
		c := d.Find(in.PathValue("conversation"))
		if c == nil || in.PathValue("source") != "" && c.Data["source"] != in.PathValue("source") {
			return vendortest.Out{Status: http.StatusNotFound, JSON: fields{"error": "Resource could not be found"}}
		}
		return h(in, c)
	}
}

func (d *Double) ofSource(in *vendortest.In) vendortest.Out {
	source := in.PathValue("source")
	if d.sources[source] == 0 {
		return vendortest.Out{Status: http.StatusNotFound, JSON: fields{"error": "Resource could not be found"}}
	}
	list := []fields{}
	if c := d.Search(func(c *vendortest.Chat) bool { return c.Data["source"] == source }); c != nil {
		list = append(list, d.standing(c))
	}
	return vendortest.Out{JSON: list}
}

func (d *Double) search(in *vendortest.In) vendortest.Out {
	list := []fields{}
	for _, c := range d.contacts {
		if strings.Contains(c.identifier, in.URL.Query().Get("q")) {
			list = append(list, fields{"id": c.id, "identifier": c.identifier})
		}
	}
	return vendortest.Out{JSON: fields{"payload": list}}
}

func (d *Double) addContact(in *vendortest.In) vendortest.Out {
	var body struct{ Identifier, Email string }
	in.Into(&body)
	for _, c := range d.contacts {
		if c.identifier == body.Identifier || body.Email != "" && c.email == body.Email {
			return vendortest.Out{Status: http.StatusUnprocessableEntity, JSON: fields{"message": "has already been taken"}}
		}
	}
	c := &contact{id: num(d.NextID()), identifier: body.Identifier, email: body.Email}
	d.contacts = append(d.contacts, c)
	return vendortest.Out{JSON: fields{"payload": fields{"contact": fields{"id": c.id, "identifier": c.identifier}}}}
}

func (d *Double) addSource(in *vendortest.In) vendortest.Out {
	var body struct {
		Source string `json:"source_id"`
	}
	in.Into(&body)
	if d.sources[body.Source] != 0 {
		return vendortest.Out{Status: http.StatusUnprocessableEntity, JSON: fields{"message": "Source has already been taken"}}
	}
	d.sources[body.Source] = num(in.PathValue("contact"))
	return vendortest.Out{JSON: fields{"source_id": body.Source}}
}

func (d *Double) open(in *vendortest.In) vendortest.Out {
	var body struct {
		Source     string `json:"source_id"`
		Status     string
		Attributes map[string]any `json:"custom_attributes"`
	}
	in.Into(&body)
	if d.sources[body.Source] == 0 {
		return vendortest.Out{Status: http.StatusNotFound, JSON: fields{"error": "Resource could not be found"}}
	}
	c := d.Start(d.NextID())
	c.Data["source"], c.Data["status"] = body.Source, or(body.Status, "open")
	c.Attempt, _ = body.Attributes["handoff_attempt"].(string)
	return vendortest.Out{JSON: fields{"id": num(c.Reference), "account_id": Account, "inbox_id": Inbox}}
}

func (d *Double) list(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
	const page = 20
	before := num(in.URL.Query().Get("before"))
	list := []fields{}
	for _, m := range slices.Backward(c.Messages) {
		if id := num(m.ID); (before == 0 || id < before) && len(list) < page {
			list = append(list, fields{"id": id, "content": m.Text, "source_id": m.Mark})
		}
	}
	for _, m := range slices.Backward(c.Internal) {
		if markOf, _, ok := strings.Cut(m, "\x00"); ok && before == 0 {
			list = append(list, fields{"id": 1 << 30, "source_id": markOf}) // among the newest, wherever it is
		}
	}
	slices.Reverse(list)
	return vendortest.Out{JSON: fields{"payload": list}}
}

func (d *Double) say(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
	var body struct {
		Content string
		Type    string `json:"message_type"`
		Private bool
		Mark    string `json:"source_id"`
	}
	in.Into(&body)
	var files []handoff.File
	if name, _ := in.File("attachments[]"); name != "" {
		body.Content, body.Type, body.Mark = in.FormValue("content"), in.FormValue("message_type"), in.FormValue("source_id")
		files = []handoff.File{{Name: name}}
	}
	m := vendortest.Message{From: handoff.RoleBot, Text: body.Content, Files: files, Mark: body.Mark}
	if body.Type == "incoming" {
		m.From = handoff.RoleUser
		if c.Data["status"] == "resolved" {
			d.setStatus(c, "open") // a contact who writes opens his conversation again
		}
	}
	who := fields{"id": 1, "name": "API", "type": "user"}
	if body.Type == "incoming" {
		who = fields{"id": d.sources[c.Data["source"]], "name": "Ursula", "type": "contact"}
	}
	if body.Private {
		m.ID = d.NextID()
		c.Internal = append(c.Internal, body.Mark+"\x00"+body.Content)
	} else {
		m = d.Add(c, m)
	}
	d.tellMessage(c, &m, body.Type, body.Private, who)
	return vendortest.Out{JSON: fields{"id": num(m.ID), "content": m.Text}}
}

func (d *Double) setStatus(c *vendortest.Chat, status string) {
	if c.Data["status"] == status {
		return
	}
	c.Data["status"], c.Open = status, status == "open"
	d.tell("conversation_status_changed", d.standing(c))
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// standing is a conversation as Chatwoot tells it.
func (d *Double) standing(c *vendortest.Chat) fields {
	d.updates++
	f := fields{
		"id": num(c.Reference), "inbox_id": Inbox, "status": c.Data["status"], "channel": "Channel::Api",
		"contact_inbox": fields{"source_id": c.Data["source"]},
		"updated_at":    float64(time.Now().UnixMicro()+int64(d.updates)) / 1e6,
		"meta":          fields{"assignee": person(c.Agent)},
	}
	if c.Attempt != "" {
		f["custom_attributes"] = fields{"handoff_attempt": c.Attempt}
	}
	return f
}

func person(p handoff.Party) any {
	if p.ID == "" {
		return nil
	}
	return fields{"id": num(p.ID), "name": p.Name + " Agent", "available_name": p.Name, "type": "user", "availability_status": "online"}
}

func (d *Double) tellMessage(c *vendortest.Chat, m *vendortest.Message, typ string, private bool, sender any) {
	f := fields{
		"id": num(m.ID), "content": m.Text, "created_at": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "message_type": typ,
		"content_type": "text", "private": private, "source_id": nil, "sender": sender,
		"inbox": fields{"id": Inbox}, "account": fields{"id": Account}, "conversation": d.standing(c),
	}
	if m.Mark != "" {
		f["source_id"] = m.Mark
	}
	var list []fields
	for _, file := range m.Files {
		list = append(list, fields{"id": 1, "file_type": "file", "data_url": file.URL, "file_size": file.Size})
	}
	if list != nil {
		f["attachments"] = list
	}
	d.tell("message_created", f)
}

func (d *Double) tell(event string, f fields) {
	f["event"] = event
	d.Push(Sign(Secret, "delivery-"+d.NextID(), time.Now(), vendortest.JSON(f)))
}

// Sign returns a webhook with a body, as Chatwoot signs it at a time.
func Sign(secret, delivery string, at time.Time, body []byte) handoff.Webhook {
	stamp := strconv.FormatInt(at.Unix(), 10)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(stamp + "." + string(body)))
	h := http.Header{}
	h.Set("X-Chatwoot-Signature", "sha256="+hex.EncodeToString(m.Sum(nil)))
	h.Set("X-Chatwoot-Timestamp", stamp)
	h.Set("X-Chatwoot-Delivery", delivery)
	h.Set("Content-Type", "application/json")
	return handoff.Webhook{Method: http.MethodPost, Path: "/", Header: h, Body: body}
}

// Do implements providertest.Vendor.
func (d *Double) Do(a providertest.Act) bool {
	d.Lock()
	defer d.Unlock()
	c := d.Find(a.Chat)
	if c == nil || !c.Open {
		return c != nil
	}
	switch a.Kind {
	case providertest.Join, providertest.Transfer:
		d.assign(c, a.Agent)
	case providertest.Leave:
		d.assign(c, handoff.Party{})
	case providertest.Say:
		m := d.Add(c, vendortest.Message{From: handoff.RoleAgent, Text: a.Text, Files: a.Files})
		d.tellMessage(c, &m, "outgoing", false, person(c.Agent))
	case providertest.Write:
		c.Internal = append(c.Internal, a.Text)
		d.tellMessage(c, &vendortest.Message{ID: d.NextID(), Text: a.Text}, "outgoing", true, person(c.Agent))
	case providertest.Type:
		d.tell("conversation_typing_on", fields{"user": person(c.Agent), "conversation": d.standing(c), "is_private": false})
	case providertest.End:
		d.setStatus(c, "resolved")
	case providertest.Return:
		d.setStatus(c, "pending")
	default:
		return false
	}
	return true
}

func (d *Double) assign(c *vendortest.Chat, to handoff.Party) {
	if c.Agent.ID == to.ID {
		return
	}
	before := c.Agent
	c.Agent = to
	f := d.standing(c)
	id := func(p handoff.Party) any {
		if p.ID == "" {
			return nil
		}
		return num(p.ID)
	}
	f["changed_attributes"] = []fields{{"assignee_id": fields{"previous_value": id(before), "current_value": id(to)}}}
	d.tell("conversation_updated", f)
}

// Forged implements providertest.Forger.
func (d *Double) Forged() []handoff.Webhook {
	body := []byte(`{"event":"conversation_status_changed","id":1,"status":"resolved","updated_at":946684800.5}`)
	return vendortest.Forge(Sign(Secret, "forged", time.Now(), body), "X-Chatwoot-Signature", "X-Chatwoot-Timestamp")
}
