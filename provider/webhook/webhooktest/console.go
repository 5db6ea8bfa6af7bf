// Package webhooktest is an agent console behind the generic bridge, in
// memory: for the bridge's own tests and for those of hosts. It is also what a
// console in another language has to do, in few lines.
package webhooktest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/provider/webhook"
	"github.com/seed-2a427302/handoff/providertest"
)

// Secret is the console's.
const Secret = "whsec_aGFuZG9mZi1jb25zb2xlLXNlY3JldC0xMjM0NTY3OA=="

// URL is the console's, for Config.URL.
const URL = "https://console.example/hook"

// A Console is the double. It implements providertest.Vendor.
type Console struct {
	*vendortest.Double

	schema *vendortest.Schema
	answer map[string]vendortest.Out // by webhook-id
}

// New returns a console without chats.
func New(tb testing.TB) *Console {
	tb.Helper()
	schema, err := vendortest.ParseSchema(webhook.Schema())
	if err != nil {
		tb.Fatal(err)
	}
	routes := vendortest.JSON(map[string]any{
		"$defs": schema.Defs, "POST /hook": map[string]any{"body": map[string]string{"$ref": "#/$defs/out"}},
	})
	c := &Console{Double: vendortest.New(tb, routes), schema: schema, answer: map[string]vendortest.Out{}}
	c.Keep = []string{Secret, strings.TrimPrefix(Secret, "whsec_")}
	c.Auth = c.signed
	c.Handle("POST /hook", c.take)
	return c
}

// sign returns the signature of a webhook.
func sign(secret, id, stamp string, body []byte) string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + stamp + "." + string(body)))
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// Sign returns a webhook of the console with a body, signed at a time.
func Sign(secret, id string, at time.Time, body []byte) handoff.Webhook {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	h.Set("Webhook-Signature", sign(secret, id, stamp, body))
	h.Set("Content-Type", "application/json")
	return handoff.Webhook{Method: http.MethodPost, Path: "/", Header: h, Body: body}
}

func (c *Console) signed(r *http.Request) bool {
	body, err := io.ReadAll(r.Body)
	want := sign(Secret, r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp"), body)
	for got := range strings.FieldsSeq(r.Header.Get("Webhook-Signature")) {
		if err == nil && hmac.Equal([]byte(got), []byte(want)) {
			return true
		}
	}
	return false
}

// An order is what a console gets.
type order struct {
	Type string
	Data struct {
		Reference string
		Attempt   string
		Note      string
		Text      string
		On        bool
		Message   said
		Handoff   struct{ Conversation string }

		Transcript []said
	}
}

type said struct {
	ID    string
	From  struct{ Role handoff.Role }
	Text  string
	Files []handoff.File
}

func (s *said) message() vendortest.Message {
	return vendortest.Message{ID: s.ID, From: s.From.Role, Text: s.Text, Files: s.Files}
}

// take does what it is told, once for each webhook-id.
func (c *Console) take(in *vendortest.In) vendortest.Out {
	id := in.Header.Get("Webhook-Id")
	if out, ok := c.answer[id]; ok {
		return out
	}
	var o order
	in.Into(&o)
	out := c.do(&o)
	if out.Status < http.StatusInternalServerError {
		c.answer[id] = out
	}
	return out
}

func (c *Console) do(o *order) vendortest.Out {
	type fields map[string]any
	ok := func(f fields) vendortest.Out { return vendortest.Out{JSON: f} }
	byAttempt := func(chat *vendortest.Chat) bool { return chat.Attempt == o.Data.Attempt }
	switch o.Type {
	case "chat.open":
		chat := c.Search(byAttempt)
		if chat == nil {
			chat = c.Start("chat-" + c.NextID())
			chat.Attempt, chat.Internal = o.Data.Attempt, []string{o.Data.Note}
			chat.Data["conversation"] = o.Data.Handoff.Conversation
			for i := range o.Data.Transcript {
				c.Add(chat, o.Data.Transcript[i].message())
			}
		}
		return ok(fields{"reference": chat.Reference})
	case "chat.find":
		if chat := c.Search(byAttempt); chat != nil {
			return ok(fields{"found": true, "reference": chat.Reference})
		}
		return ok(fields{"found": false})
	case "availability.get":
		return ok(fields{"availability": "online"})
	case "ticket.create":
		return ok(fields{"reference": "ticket-" + c.NextID()})
	}
	chat := c.Find(o.Data.Reference)
	if chat == nil {
		return vendortest.Out{Status: http.StatusNotFound}
	}
	switch o.Type {
	case "message.send":
		if !chat.Open {
			return vendortest.Out{Status: http.StatusConflict}
		}
		c.Add(chat, o.Data.Message.message())
	case "note.add":
		chat.Internal = append(chat.Internal, o.Data.Message.Text)
	case "user.typing":
		chat.UserTypes = o.Data.On
	case "chat.close", "chat.return":
		if chat.Open {
			chat.Open = false
			c.tell(chat, "chat.ended", fields{})
		}
	case "chat.state":
		f := fields{"state": state(chat)}
		if chat.Agent.ID != "" {
			f["agent"] = person(chat.Agent)
		}
		return ok(f)
	}
	return vendortest.Out{Status: http.StatusNoContent}
}

func state(c *vendortest.Chat) handoff.SessionState {
	switch {
	case !c.Open:
		return handoff.SessionEnded
	case c.Agent.ID != "":
		return handoff.SessionActive
	}
	return handoff.SessionQueued
}

func person(p handoff.Party) map[string]string {
	return map[string]string{"id": p.ID, "name": p.Name}
}

// tell sends a webhook about a chat.
func (c *Console) tell(chat *vendortest.Chat, typ string, data map[string]any) {
	data["reference"] = chat.Reference
	for name, v := range map[string]string{"attempt": chat.Attempt, "conversation": chat.Data["conversation"]} {
		if v != "" {
			data[name] = v
		}
	}
	body := vendortest.JSON(map[string]any{"type": typ, "timestamp": time.Now().UTC().Format(time.RFC3339Nano), "data": data})
	if err := c.schema.CheckJSON(body); err != nil {
		panic("webhooktest: " + err.Error() + ": " + string(body)) // a mistake of the double
	}
	c.Push(Sign(Secret, "event-"+c.NextID(), time.Now(), body))
}

// Do implements providertest.Vendor.
func (c *Console) Do(a providertest.Act) bool {
	c.Lock()
	defer c.Unlock()
	type fields = map[string]any
	chat := c.Find(a.Chat)
	if a.Kind == providertest.TakeControl {
		chat = c.Start("chat-" + c.NextID())
		chat.Data["conversation"], chat.Agent = a.Conversation, a.Agent
		c.tell(chat, "agent.joined", fields{"agent": person(a.Agent)})
		return true
	}
	if chat == nil || !chat.Open {
		return chat != nil
	}
	agent := fields{"agent": person(chat.Agent)}
	if chat.Agent.ID == "" {
		agent = fields{}
	}
	switch a.Kind {
	case providertest.Queue:
		c.tell(chat, "chat.queued", fields{"position": a.Position, "wait_seconds": 180})
	case providertest.Join:
		chat.Agent = a.Agent
		c.tell(chat, "agent.joined", fields{"agent": person(a.Agent)})
	case providertest.Say:
		m := c.Add(chat, vendortest.Message{From: handoff.RoleAgent, Text: a.Text, Files: a.Files})
		agent["message_id"], agent["text"] = m.ID, a.Text
		if len(a.Files) > 0 {
			agent["files"] = a.Files
		}
		c.tell(chat, "agent.message", agent)
	case providertest.Write:
		chat.Internal = append(chat.Internal, a.Text)
		agent["text"] = a.Text
		c.tell(chat, "agent.note", agent)
	case providertest.Type:
		c.tell(chat, "agent.typing", agent)
	case providertest.Leave:
		chat.Agent = handoff.Party{}
		c.tell(chat, "agent.left", agent)
	case providertest.Transfer:
		chat.Agent = a.Agent
		c.tell(chat, "chat.transferred", fields{"agent": person(a.Agent)})
		c.tell(chat, "agent.joined", fields{"agent": person(a.Agent)})
	case providertest.End:
		chat.Open = false
		c.tell(chat, "chat.ended", agent)
	case providertest.Return:
		chat.Open = false
		if a.Text != "" {
			agent["text"] = a.Text
		}
		c.tell(chat, "chat.returned", agent)
	case providertest.UserSays:
		c.Add(chat, vendortest.Message{ID: a.ID, From: handoff.RoleUser, Text: a.Text})
		c.tell(chat, "user.message", fields{"message_id": a.ID, "text": a.Text})
	default:
		return false
	}
	return true
}

// Forged implements providertest.Forger.
func (c *Console) Forged() []handoff.Webhook {
	body := json.RawMessage(`{"type":"agent.joined","timestamp":"2000-01-01T00:00:00Z","data":{"reference":"chat-1","agent":{"id":"7"}}}`)
	return vendortest.Forge(Sign(Secret, "forged", time.Now(), body), "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature")
}
