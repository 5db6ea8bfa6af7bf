// Package genesystest is a double of Genesys Cloud, as far as package genesys
// depends on it: for that package's tests and for those of hosts.
package genesystest

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"maps"
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
	URL         = "https://api.genesys.example"
	Login       = "https://login.genesys.example"
	Integration = "5a8c1c2e-3bd7-4a0d-9b6e-0f6d6cf0a001"
	Queue       = "0c9f3f2a-77f1-4a52-8d4a-1b1f0e2d3c4b"
	Client      = "7d1b7a52-client"
	ClientKey   = "genesys-client-s3cret"
	Token       = "genesys-access-t0ken"
	Secret      = "genesys-webhook-s3cret"
	Worktype    = "3e6f1b52-9f0c-4d57-8f0e-5b0a6c1d2e3f"
)

//go:embed schema.json
var schema []byte

// A Double is an organisation in Genesys Cloud.
type Double struct {
	*vendortest.Double

	// Wait is the estimate of the queue's wait; 0 is none.
	Wait time.Duration

	talks map[string]*talk // by the id of the conversation
	seen  map[string]bool  // messageId and time of what was taken
	typed time.Time        // when a customer wrote last
	items []fields         // work items
	login int              // how often tokens were revoked
}

// talk is a conversation.
type talk struct {
	chat   *vendortest.Chat
	people []fields
	said   []fields // the customer's messages
}

type fields = map[string]any

// New returns an organisation without conversations, with an agent on the
// queue.
func New(tb testing.TB) *Double {
	tb.Helper()
	d := &Double{Double: vendortest.New(tb, schema), talks: map[string]*talk{}, seen: map[string]bool{}}
	d.Keep = []string{ClientKey, Token, Secret}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(Client+":"+ClientKey))
	d.Auth = func(r *http.Request) bool {
		want := "Bearer " + d.token()
		if r.URL.Path == "/oauth/token" {
			want = basic
		}
		return r.Header.Get("Authorization") == want
	}
	const talks = "/api/v2/conversations/messages/"
	d.Handle("POST /oauth/token", func(*vendortest.In) vendortest.Out {
		return vendortest.Out{JSON: fields{"access_token": d.token(), "token_type": "bearer", "expires_in": 86399}}
	})
	d.Handle("POST "+talks+"{integration}/inbound/open/message", d.inbound)
	d.Handle("POST "+talks+"{integration}/inbound/open/event", func(in *vendortest.In) vendortest.Out {
		var body inbound
		in.Into(&body)
		if c := d.Find(body.Channel.From.ID); c != nil && c.Open {
			c.UserTypes, d.typed = true, time.Now()
		}
		return vendortest.Out{Status: http.StatusAccepted, JSON: fields{"type": "Event"}}
	})
	d.Handle("GET "+talks+"{conversation}", d.on(func(_ *vendortest.In, t *talk) vendortest.Out {
		return vendortest.Out{JSON: fields{"id": t.chat.Data["conversation"], "participants": t.participants()}}
	}))
	d.Handle("GET "+talks+"{message}/details", func(in *vendortest.In) vendortest.Out {
		for id, t := range d.talks {
			for _, m := range t.said {
				if m["id"] == in.PathValue("message") {
					return vendortest.Out{JSON: fields{"id": m["id"], "conversationId": id}}
				}
			}
		}
		return failure(http.StatusNotFound, "not.found")
	})
	d.Handle("POST "+talks+"{conversation}/messages/bulk", d.on(func(in *vendortest.In, t *talk) vendortest.Out {
		var ids []string
		in.Into(&ids)
		list := []fields{}
		for _, m := range t.said {
			for _, id := range ids {
				if m["id"] == id {
					list = append(list, m)
				}
			}
		}
		return vendortest.Out{JSON: fields{"entities": list}}
	}))
	d.Handle("POST /api/v2/conversations/{conversation}/disconnect", d.on(func(_ *vendortest.In, t *talk) vendortest.Out {
		t.over("client")
		return vendortest.Out{Status: http.StatusAccepted, JSON: "accepted"}
	}))
	d.Handle("POST /api/v2/analytics/conversations/details/query", d.query)
	d.Handle("POST /api/v2/analytics/queues/observations/query", func(*vendortest.In) vendortest.Out {
		return vendortest.Out{JSON: fields{"results": []fields{{
			"group": fields{"queueId": Queue},
			"data":  []fields{{"metric": "oOnQueueUsers", "qualifier": "IDLE", "stats": fields{"count": 1}}},
		}}}}
	})
	const items = "/api/v2/taskmanagement/workitems"
	d.Handle("POST "+items, func(in *vendortest.In) vendortest.Out {
		item := fields{}
		in.Into(&item)
		if item["typeId"] != Worktype {
			return failure(http.StatusNotFound, "not.found.error")
		}
		item["id"] = d.uuid()
		d.items = append(d.items, item)
		return vendortest.Out{Status: http.StatusCreated, JSON: item}
	})
	d.Handle("POST "+items+"/query", func(in *vendortest.In) vendortest.Out {
		var body struct {
			Filters []struct {
				Name   string
				Values []string
			}
		}
		in.Into(&body)
		list := slices.DeleteFunc(slices.Clone(d.items), func(item fields) bool {
			for _, f := range body.Filters {
				if item[f.Name] != f.Values[0] {
					return true
				}
			}
			return false
		})
		return vendortest.Out{JSON: fields{"entities": list}}
	})
	d.Handle("GET /api/v2/routing/queues/{queue}/mediatypes/message/estimatedwaittime", func(*vendortest.In) vendortest.Out {
		if d.Wait == 0 {
			return failure(http.StatusNotFound, "not.found")
		}
		return vendortest.Out{JSON: fields{"results": []fields{{
			"intent": "MESSAGE", "formula": "BEST", "estimatedWaitTimeSeconds": int(d.Wait.Seconds()),
		}}}}
	})
	return d
}

// token is the one that is good now.
func (d *Double) token() string {
	if d.login == 0 {
		return Token
	}
	return Token + "-" + strconv.Itoa(d.login)
}

// Revoke makes the token that was given out worthless. It takes the lock.
func (d *Double) Revoke() {
	d.Lock()
	defer d.Unlock()
	d.login++
	d.Keep = append(d.Keep, d.token())
}

// Workitems returns the descriptions of the work items, oldest first. It takes the
// lock.
func (d *Double) Workitems() (out []string) {
	d.Lock()
	defer d.Unlock()
	for _, item := range d.items {
		words, _ := item["description"].(string)
		out = append(out, words)
	}
	return out
}

func failure(status int, code string) vendortest.Out {
	return vendortest.Out{Status: status, JSON: fields{"status": status, "code": code, "message": code, "contextId": "x"}}
}

// on finds the conversation of a request.
func (d *Double) on(h func(in *vendortest.In, t *talk) vendortest.Out) func(in *vendortest.In) vendortest.Out {
	return func(in *vendortest.In) vendortest.Out {
		t := d.talks[in.PathValue("conversation")]
		if t == nil {
			return failure(http.StatusNotFound, "not.found")
		}
		return h(in, t)
	}
}

type inbound struct {
	Channel struct {
		From      struct{ ID, Nickname, Email string }
		Time      string
		MessageID string
	}
	Text    string
	Content []struct {
		Attachment struct{ URL, Filename string }
	}
}

func (d *Double) inbound(in *vendortest.In) vendortest.Out {
	if in.PathValue("integration") != Integration {
		return failure(http.StatusNotFound, "not.found")
	}
	var body inbound
	in.Into(&body)
	c := d.Find(body.Channel.From.ID)
	key := body.Channel.From.ID + " " + body.Channel.MessageID + " " + body.Channel.Time
	switch {
	case d.seen[key]:
		return d.taken(in, c, &body)
	case c == nil || !c.Open:
		c = d.begin(body.Channel.From.ID)
		c.Internal = append(c.Internal, body.Text) // what it was opened with
	default:
		m := vendortest.Message{From: handoff.RoleUser, Text: body.Text}
		if text, bot := strings.CutPrefix(body.Text, "[bot] "); bot {
			m.From, m.Text = handoff.RoleBot, text
		}
		for _, a := range body.Content {
			m.Files = append(m.Files, handoff.File{Name: a.Attachment.Filename, URL: a.Attachment.URL})
		}
		d.Add(c, m)
	}
	d.seen[key] = true
	t := d.talks[c.Data["conversation"]]
	t.said = append(t.said, fields{"id": d.uuid(), "providerMessageId": body.Channel.MessageID, "direction": "inbound", "status": "received"})
	return d.taken(in, c, &body)
}

// taken is the answer to a message.
func (d *Double) taken(in *vendortest.In, c *vendortest.Chat, body *inbound) vendortest.Out {
	out := fields{"id": d.uuid(), "type": "Text", "text": body.Text, "channel": fields{
		"id": Integration, "platform": "Open", "type": "Private", "messageId": body.Channel.MessageID, "time": body.Channel.Time,
		"from": fields{"id": body.Channel.From.ID, "idType": "Opaque"}, "to": fields{"id": Integration},
	}}
	if in.URL.Query().Get("prefetchConversationId") == "true" {
		out["conversationId"] = c.Data["conversation"]
	}
	return vendortest.Out{JSON: out}
}

func (d *Double) uuid() string { return fmt.Sprintf("%08s-0000-4000-8000-000000000000", d.NextID()) }

// begin is a new conversation, which a flow has put into the queue.
func (d *Double) begin(customer string) *vendortest.Chat {
	c := d.Start(customer)
	c.Data["conversation"] = d.uuid()
	t := &talk{chat: c}
	d.talks[c.Data["conversation"]] = t
	t.enter(d.uuid(), "customer", "Ursula", nil)
	t.enter(d.uuid(), "acd", "Support", nil)
	return c
}

func stamp() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

func (t *talk) enter(id, purpose, name string, user *handoff.Party) {
	p := fields{"id": id, "purpose": purpose, "name": name, "state": "connected", "startTime": stamp(), "connectedTime": stamp()}
	if user != nil {
		p["user"] = fields{"id": user.ID, "name": user.Name}
	}
	if purpose == "acd" {
		p["queue"] = fields{"id": Queue, "name": name}
	}
	t.people = append(t.people, p)
}

// leave disconnects everybody of a kind; all if it is empty.
func (t *talk) leave(purpose, why string) {
	for _, p := range t.people {
		if (purpose == "" || p["purpose"] == purpose) && p["endTime"] == nil {
			p["state"], p["endTime"], p["disconnectType"] = "disconnected", stamp(), why
		}
	}
}

func (t *talk) over(why string) {
	t.chat.Open = false
	t.leave("", why)
}

func (t *talk) participants() []fields {
	out := make([]fields, 0, len(t.people))
	for _, p := range t.people {
		p = maps.Clone(p) // it is written out after the lock is gone
		if p["purpose"] == "customer" {
			var list []fields
			for _, m := range t.said {
				list = append(list, fields{"messageId": m["id"], "messageStatus": "received"})
			}
			p["messages"] = list
		}
		out = append(out, p)
	}
	return out
}

func (d *Double) query(in *vendortest.In) vendortest.Out {
	var body struct {
		SegmentFilters []struct {
			Predicates []struct{ Value string }
		}
	}
	in.Into(&body)
	list := []fields{}
	for id, t := range d.talks {
		if t.chat.Reference == body.SegmentFilters[0].Predicates[0].Value {
			f := fields{"conversationId": id, "originatingDirection": "inbound"}
			if !t.chat.Open {
				f["conversationEnd"] = stamp()
			}
			list = append(list, f)
		}
	}
	return vendortest.Out{JSON: fields{"conversations": list, "totalHits": len(list)}}
}

// Chats implements providertest.Vendor. Nobody tells Genesys Cloud that a
// customer no longer writes: it forgets.
func (d *Double) Chats() []providertest.Chat {
	d.Lock()
	if time.Since(d.typed) > 5*time.Second {
		for _, t := range d.talks {
			t.chat.UserTypes = false
		}
	}
	d.Unlock()
	return d.Double.Chats()
}

// tell sends a webhook of a conversation.
func (d *Double) tell(c *vendortest.Chat, f fields) {
	id := d.uuid()
	f["id"], f["direction"] = id, "Outbound"
	f["channel"] = fields{
		"id": Integration, "platform": "Open", "type": "Private", "messageId": id, "time": stamp(),
		"to":   fields{"id": c.Reference},
		"from": fields{"nickname": "Bot", "id": Integration, "idType": "Opaque"},
	}
	f["conversationId"] = c.Data["conversation"]
	d.Push(Sign(Secret, vendortest.JSON(f)))
}

// Sign returns a webhook with a body, as Genesys Cloud sends it.
func Sign(secret string, body []byte) handoff.Webhook {
	h := http.Header{}
	h.Set("X-Hub-Signature-256", "sha256="+base64.StdEncoding.EncodeToString(provider.MAC(sha256.New, secret, body)))
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
		return c != nil && a.Kind != providertest.Write
	}
	t := d.talks[c.Data["conversation"]]
	switch a.Kind {
	case providertest.Queue:
		d.Wait = a.Wait
	case providertest.Join, providertest.Transfer:
		if c.Agent.ID == a.Agent.ID {
			return true
		}
		t.leave("agent", "transfer")
		t.leave("acd", "transfer")
		c.Agent = a.Agent
		t.enter(d.uuid(), "agent", a.Agent.Name, &a.Agent)
	case providertest.Leave:
		if c.Agent.ID != "" {
			c.Agent = handoff.Party{}
			t.leave("agent", "transfer")
			t.enter(d.uuid(), "acd", "Support", nil)
		}
	case providertest.Say:
		d.Add(c, vendortest.Message{From: handoff.RoleAgent, Text: a.Text, Files: a.Files})
		f := fields{"type": "Text"}
		if a.Text != "" {
			f["text"] = a.Text
		}
		var list []fields
		for _, file := range a.Files {
			list = append(list, fields{"contentType": "Attachment", "attachment": fields{
				"mediaType": "File", "url": file.URL, "mime": file.Type, "filename": file.Name, "contentSizeBytes": file.Size,
			}})
		}
		if list != nil {
			f["content"] = list
		}
		d.tell(c, f)
	case providertest.Type:
		d.tell(c, fields{"type": "Event", "events": []fields{{"eventType": "Typing", "typing": fields{"type": "On", "duration": 5000}}}})
	case providertest.End:
		t.over("client")
	default:
		return false
	}
	return true
}

// Forged implements providertest.Forger.
func (d *Double) Forged() []handoff.Webhook {
	body := fmt.Sprintf(`{"id":"m1","type":"Text","text":"hello","direction":"Outbound","channel":{"id":%q,"to":{"id":"handoff-1"}}}`, Integration)
	return vendortest.Forge(Sign(Secret, []byte(body)), "X-Hub-Signature-256")
}
