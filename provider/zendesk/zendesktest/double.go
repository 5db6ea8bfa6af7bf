// Package zendesktest is a double of Zendesk, as far as package zendesk depends
// on it: for that package's tests and for those of hosts.
package zendesktest

import (
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
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
	URL           = "https://acme.zendesk.example"
	App           = "5d8cff3cd55b040010928b5b"
	KeyID         = "app_key"
	Key           = "zendesk-app-s3cret"
	Bot           = "bot"
	Secret        = "zendesk-webhook-s3cret"
	TriggerSecret = "zendesk-trigger-s3cret"
	Email         = "agent@acme.example"
	Token         = "zendesk-api-t0ken"
)

//go:embed schema.json
var schema []byte

// A Double is an account of Zendesk.
type Double struct {
	*vendortest.Double

	users    map[string]bool
	said     map[string][]fields // messages by conversation
	tickets  map[string]int      // by Idempotency-Key
	comments map[string][]fields // by ticket
	names    map[string]string   // of agents
	inside   bool
}

type fields = map[string]any

// NewInside returns a Zendesk with a conversation for each id but those that say
// they are unknown: users write there, and the bot has control.
func NewInside(tb testing.TB) *Double {
	tb.Helper()
	d := New(tb)
	d.inside = true
	return d
}

// New returns a Zendesk without conversations.
func New(tb testing.TB) *Double {
	tb.Helper()
	d := &Double{
		Double: vendortest.New(tb, schema), users: map[string]bool{}, said: map[string][]fields{}, tickets: map[string]int{},
		comments: map[string][]fields{}, names: map[string]string{},
	}
	d.Keep = []string{Key, Secret, TriggerSecret, Token}
	d.Auth = func(r *http.Request) bool {
		user, secret, _ := r.BasicAuth()
		if strings.HasPrefix(r.URL.Path, "/sc/") {
			return user == KeyID && secret == Key
		}
		return user == Email+"/token" && secret == Token
	}
	const app = "/sc/v2/apps/{app}"
	d.Handle("POST "+app+"/users", d.addUser)
	d.Handle("GET "+app+"/conversations", d.list)
	d.Handle("POST "+app+"/conversations", d.open)
	d.Handle("GET "+app+"/conversations/{conversation}/messages", d.on(d.messages))
	d.Handle("POST "+app+"/conversations/{conversation}/messages", d.on(d.post))
	d.Handle("POST "+app+"/conversations/{conversation}/passControl", d.on(d.pass))
	d.Handle("GET "+app+"/conversations/{conversation}", d.on(func(_ *vendortest.In, c *vendortest.Chat) vendortest.Out {
		return vendortest.Out{JSON: fields{"conversation": conversation(c)}}
	}))
	d.Handle("POST /api/v2/tickets.json", d.ticket)
	d.support()
	return d
}

func failure(status int, code string) vendortest.Out {
	return vendortest.Out{Status: status, JSON: fields{"errors": []fields{{"code": code, "title": code}}}}
}

func (d *Double) on(h func(in *vendortest.In, c *vendortest.Chat) vendortest.Out) func(in *vendortest.In) vendortest.Out {
	return func(in *vendortest.In) vendortest.Out {
		c := d.conversation(in.PathValue("conversation"))
		if c == nil {
			return failure(http.StatusNotFound, "conversation_not_found")
		}
		return h(in, c)
	}
}

// conversation returns a conversation, or nil.
func (d *Double) conversation(id string) *vendortest.Chat {
	c := d.Find(id)
	if c == nil && d.inside && !strings.Contains(id, "unknown") {
		c = d.Start(id)
		c.Open, c.Data["active"] = false, Bot
	}
	return c
}

func (d *Double) addUser(in *vendortest.In) vendortest.Out {
	var body struct{ ExternalID string }
	in.Into(&body)
	if d.users[body.ExternalID] {
		return failure(http.StatusConflict, "conflict")
	}
	d.users[body.ExternalID] = true
	return vendortest.Out{Status: http.StatusCreated, JSON: fields{"user": fields{"id": d.id(), "externalId": body.ExternalID}}}
}

func (d *Double) id() string {
	n, _ := strconv.Atoi(d.NextID())
	return fmt.Sprintf("%024x", n)
}

func (d *Double) list(in *vendortest.In) vendortest.Out {
	user := in.URL.Query().Get("filter[userExternalId]")
	if !d.users[user] {
		return failure(http.StatusNotFound, "user_not_found")
	}
	list := []fields{}
	if c := d.Search(func(c *vendortest.Chat) bool { return c.Data["user"] == user }); c != nil {
		list = append(list, conversation(c))
	}
	return vendortest.Out{JSON: fields{"conversations": list, "meta": fields{"hasMore": false}}}
}

func (d *Double) open(in *vendortest.In) vendortest.Out {
	var body struct {
		Participants []struct{ UserExternalID string }
	}
	in.Into(&body)
	if len(body.Participants) != 1 || !d.users[body.Participants[0].UserExternalID] {
		return failure(http.StatusNotFound, "user_not_found")
	}
	c := d.Start(d.id())
	c.Data["user"], c.Data["active"] = body.Participants[0].UserExternalID, Bot
	return vendortest.Out{Status: http.StatusCreated, JSON: fields{"conversation": conversation(c)}}
}

const workspace = "zd:agentWorkspace"

// conversation is one as Zendesk tells it.
func conversation(c *vendortest.Chat) fields {
	kind := "custom"
	if c.Data["active"] == workspace {
		kind = workspace
	}
	return fields{
		"id": c.Reference, "type": "personal",
		"activeSwitchboardIntegration": fields{"id": "5ef21b86e933b7355c11c604", "name": c.Data["active"], "integrationType": kind},
	}
}

func (d *Double) post(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
	var body struct {
		Author   struct{ Type, UserExternalID string }
		Content  struct{ Type, Text, MediaURL string }
		Metadata fields
	}
	in.Into(&body)
	m := vendortest.Message{From: handoff.RoleUser, Text: body.Content.Text}
	author := fields{"type": body.Author.Type}
	if body.Author.Type == "business" {
		m.From = handoff.RoleBot
	} else if body.Author.UserExternalID != c.Data["user"] {
		return failure(http.StatusNotFound, "user_not_found")
	}
	content := fields{"type": body.Content.Type, "text": body.Content.Text}
	if body.Content.MediaURL != "" {
		m.Files = []handoff.File{{URL: body.Content.MediaURL}}
		content["mediaUrl"] = body.Content.MediaURL
	}
	d.Add(c, m)
	if m.From == handoff.RoleUser && c.Data["active"] == workspace && c.Data["status"] == "solved" {
		c.Open = true // his ticket is open again: it is not closed yet
		d.trigger(c, "open")
	}
	return vendortest.Out{Status: http.StatusCreated, JSON: fields{"messages": []fields{d.message(c, "api:conversations", author, content, body.Metadata)}}}
}

// messages is a page: those before a cursor, the newest of them.
func (d *Double) messages(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
	const page = 30
	list := append([]fields{}, d.said[c.Reference]...)
	if before := in.URL.Query().Get("page[before]"); before != "" {
		list = list[:max(0, slices.IndexFunc(list, func(m fields) bool { return m["id"] == before }))]
	}
	meta := fields{"hasMore": len(list) > page}
	if len(list) > page {
		list = list[len(list)-page:]
		meta["beforeCursor"] = list[0]["id"]
	}
	return vendortest.Out{JSON: fields{"messages": list, "meta": meta}}
}

// message adds a message, and tells of it.
func (d *Double) message(c *vendortest.Chat, source string, author, content, metadata fields) fields {
	f := fields{"id": d.id(), "received": now(), "author": author, "content": content, "source": fields{"type": source}}
	if metadata != nil {
		f["metadata"] = metadata
	}
	d.said[c.Reference] = append(d.said[c.Reference], f)
	d.tell("conversation:message", fields{"conversation": conversation(c), "message": f})
	return f
}

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

func (d *Double) tell(what string, payload fields) {
	d.Push(Bare(Secret, vendortest.JSON(fields{
		"app": fields{"id": App}, "webhook": fields{"id": "5f4eaef81e3dcc117c7ba48a", "version": "v2"},
		"events": []fields{{"id": d.id(), "createdAt": now(), "type": what, "payload": payload}},
	})))
}

func (d *Double) pass(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
	var body struct {
		To       string `json:"switchboardIntegration"`
		Metadata fields
	}
	in.Into(&body)
	if body.To != workspace && body.To != Bot {
		return failure(http.StatusBadRequest, "switchboard_invalid_target")
	}
	if body.To != c.Data["active"] {
		for key, v := range body.Metadata {
			if _, field, ok := strings.Cut(key, "dataCapture.ticketField."); ok {
				c.Internal = append(c.Internal, fmt.Sprint(field, ": ", v))
			} else {
				c.Data[key] = fmt.Sprint(v) // tags: no text for the agents to read
			}
		}
		d.control(c, body.To)
	}
	return vendortest.Out{JSON: fields{}}
}

func (d *Double) control(c *vendortest.Chat, to string) {
	if c.Data["active"], c.Open = to, to == workspace; c.Open {
		c.Data["ticket"], c.Data["status"], c.Agent = d.NextID(), "open", handoff.Party{} // each time another ticket
	}
	d.tell("switchboard:passControl", fields{"conversation": conversation(c)})
}

func (d *Double) ticket(in *vendortest.In) vendortest.Out {
	key := in.Header.Get("Idempotency-Key")
	if d.tickets[key] == 0 {
		d.tickets[key] = len(d.tickets) + 1
	}
	return vendortest.Out{Status: http.StatusCreated, JSON: fields{"ticket": fields{"id": d.tickets[key]}}}
}

// Bare returns a webhook of Sunshine Conversations.
func Bare(secret string, body []byte) handoff.Webhook {
	h := http.Header{}
	h.Set("X-Api-Key", secret)
	h.Set("Content-Type", "application/json")
	return handoff.Webhook{Method: http.MethodPost, Path: "/", Header: h, Body: body}
}

// Sign returns a webhook of a trigger, as Zendesk signs it.
func Sign(secret, invocation string, at time.Time, body []byte) handoff.Webhook {
	stamp := at.UTC().Format(time.RFC3339)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(stamp))
	m.Write(body)
	h := http.Header{}
	h.Set("X-Zendesk-Webhook-Signature", base64.StdEncoding.EncodeToString(m.Sum(nil)))
	h.Set("X-Zendesk-Webhook-Signature-Timestamp", stamp)
	h.Set("X-Zendesk-Webhook-Invocation-Id", invocation)
	h.Set("Content-Type", "application/json")
	return handoff.Webhook{Method: http.MethodPost, Path: "/", Header: h, Body: body}
}

func (d *Double) trigger(c *vendortest.Chat, status string) {
	c.Data["status"] = status
	if c.Agent.ID != "" {
		d.names[c.Agent.ID] = c.Agent.Name
	}
	d.Push(Sign(TriggerSecret, d.id(), time.Now(), vendortest.JSON(fields{
		"conversation": c.Reference, "status": status, "agent_id": c.Agent.ID, "agent_name": c.Agent.Name,
	})))
}

// Do implements providertest.Vendor.
func (d *Double) Do(a providertest.Act) bool {
	d.Lock()
	defer d.Unlock()
	if a.Kind == providertest.TakeControl && d.inside {
		c := d.conversation(a.Conversation)
		d.control(c, workspace)
		c.Agent = a.Agent
		d.trigger(c, "open")
		return true
	}
	c := d.Find(a.Chat)
	if c == nil || !c.Open {
		return c != nil
	}
	switch a.Kind {
	case providertest.UserSays:
		if !d.inside {
			return false
		}
		f := d.Add(c, vendortest.Message{ID: a.ID, From: handoff.RoleUser, Text: a.Text})
		d.tell("conversation:message", fields{"conversation": conversation(c), "message": fields{
			"id": f.ID, "received": now(), "author": fields{"type": "user", "userId": "u"},
			"content": fields{"type": "text", "text": a.Text}, "source": fields{"type": "messenger"},
		}})
	case providertest.Join, providertest.Transfer:
		if c.Agent.ID != a.Agent.ID {
			c.Agent = a.Agent
			d.trigger(c, "open")
		}
	case providertest.Leave:
		if c.Agent.ID != "" {
			c.Agent = handoff.Party{}
			d.trigger(c, "open")
		}
	case providertest.Say:
		d.Add(c, vendortest.Message{From: handoff.RoleAgent, Text: a.Text, Files: a.Files})
		content := fields{"type": "text", "text": a.Text}
		for _, f := range a.Files {
			content = fields{"type": "file", "text": a.Text, "altText": f.Name, "mediaUrl": f.URL, "mediaType": f.Type, "mediaSize": f.Size}
		}
		d.message(c, "zd:agentWorkspace", fields{"type": "business", "userId": c.Agent.ID, "displayName": c.Agent.Name}, content, nil)
	case providertest.Write:
		c.Internal = append(c.Internal, a.Text) // nobody is told
	case providertest.End:
		c.Open = false
		d.trigger(c, "solved")
	case providertest.Return:
		d.control(c, Bot)
	default:
		return false
	}
	return true
}

// Tags returns the tags of a conversation's ticket.
func (d *Double) Tags(reference string) string {
	d.Lock()
	defer d.Unlock()
	if c := d.Find(reference); c != nil {
		return c.Data["dataCapture.systemField.tags"]
	}
	return ""
}

// Forged implements providertest.Forger.
func (d *Double) Forged() []handoff.Webhook {
	body := []byte(`{"conversation":"000000000000000000000001","status":"solved","agent_id":"7","agent_name":"Ann"}`)
	out := vendortest.Forge(Sign(TriggerSecret, "i", time.Now(), body), "X-Zendesk-Webhook-Signature", "X-Zendesk-Webhook-Signature-Timestamp")
	wrong := Bare("wrong", []byte(`{"events":[]}`))
	none := Bare("", []byte(`{"events":[]}`))
	return append(out, wrong, none)
}
