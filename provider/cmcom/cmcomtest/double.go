// Package cmcomtest is a double of CM.com's Conversational Router with Agent
// Inbox behind it, as far as package cmcom depends on them: for that package's
// tests and for those of hosts.
package cmcomtest

import (
	"crypto/md5"
	_ "embed"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// What a Config needs to reach the double.
const (
	URL         = "https://router.example/conversational"
	InboxURL    = "https://inbox.example"
	PresenceURL = "https://presence.example"

	Account = "0e5a1f6c-6f3d-4a5e-9a55-5a2c4f0c1d01" // of the technical link
	Adapter = "7c0b7a90-1e0f-4d13-8d43-21b9f6b1a002" // of the host
	Inbox   = "3f1d2f8e-92a4-4f0c-bb0e-77d0c9e5a003" // of Agent Inbox

	Token  = "cm-product-t0ken"
	Key    = "robin-api-k3y"
	Secret = "robin-api-s3cret"
	Hook   = "cm-webhook-s3cret" // of webhooks
)

// The endpoints, for the failures of [vendortest.Double.Next].
const (
	TwoWay   = "POST /conversational/twoway/v2/accounts/{account}/adapters/{adapter}"
	Mutation = "POST /conversational/control/v1/accounts/{account}/chats/{chat}/routing/mutationrequests"
	Read     = "POST /conversations"
	Presence = "GET /api/v1"
)

//go:embed schema.json
var schema []byte

// A Double is an account with agents.
type Double struct {
	*vendortest.Double

	Online bool // an agent is; true at first

	// NoMedia makes the router refuse messages with files.
	NoMedia bool

	chats map[string]*twoWayChat // of the router, by id
	page  int                    // conversations of an answer of Agent Inbox
}

type fields = map[string]any

// twoWayChat is a chat of the router.
type twoWayChat struct {
	chat fields
	open bool // linked with Agent Inbox
	fit  bool // the message for the agents has come
}

// New returns an account without chats, with an agent online.
func New(tb testing.TB) *Double {
	tb.Helper()
	d := &Double{Double: vendortest.New(tb, schema), Online: true, chats: map[string]*twoWayChat{}, page: 2}
	d.Keep = []string{Token, Key, Secret, Hook}
	d.Auth = func(r *http.Request) bool {
		switch r.URL.Path {
		case "/conversations":
			user, password, ok := r.BasicAuth()
			return ok && user == Key && password == Secret
		case "/api/v1":
			return r.URL.Query().Get("apikey") == Key
		}
		return r.Header.Get("X-Cm-Producttoken") == Token
	}
	d.Handle(TwoWay, d.said)
	d.Handle(Mutation, d.mutated)
	d.Handle(Read, d.read)
	d.Handle(Presence, func(*vendortest.In) vendortest.Out {
		if d.Online {
			return vendortest.Out{Body: []byte("Online")}
		}
		return vendortest.Out{Body: []byte("Offline")}
	})
	return d
}

func refused(status int, why string) vendortest.Out {
	return vendortest.Out{Status: status, JSON: fields{"message": why}}
}

// guid derives an id, as the router does from client, host and channel.
func guid(parts ...any) string {
	sum := md5.Sum([]byte(fmt.Sprint(parts...)))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:])
}

func (d *Double) said(in *vendortest.In) vendortest.Out {
	var body struct {
		Chat                 fields
		ConversationMessages []struct {
			Type  string `json:"$type"`
			ID    string
			Text  string
			Media struct{ MediaURI, MediaName string }
		}
	}
	in.Into(&body)
	if in.PathValue("account") != Account || in.PathValue("adapter") != Adapter || body.Chat["accountId"] != Account {
		return refused(http.StatusForbidden, "not yours")
	}
	// Whatever the request says: the id is the router's.
	id := guid(body.Chat["conversationClientId"], body.Chat["conversationHostId"], body.Chat["channel"])
	body.Chat["id"], body.Chat["sessionId"] = id, guid("session", id)
	t := d.chats[id]
	if t == nil {
		t = &twoWayChat{chat: body.Chat}
		d.chats[id] = t
	}
	said := vendortest.Message{From: handoff.RoleUser}
	for _, m := range body.ConversationMessages {
		if m.Type == "media" && d.NoMedia {
			return refused(http.StatusBadRequest, "MessageBase cannot be made of "+m.Media.MediaURI)
		}
		said.Text += m.Text
		if m.Media.MediaURI != "" {
			said.Files = append(said.Files, handoff.File{Name: m.Media.MediaName, URL: m.Media.MediaURI})
		}
	}
	if text, bot := strings.CutPrefix(said.Text, "[bot] "); bot {
		said.From, said.Text = handoff.RoleBot, text
	}
	if c := d.Find(id); c != nil && t.open {
		if !t.fit {
			t.fit = true
			c.Internal = append(c.Internal, said.Text) // what it was opened with
		} else {
			d.Add(c, said)
		}
	}
	return vendortest.Out{Status: http.StatusCreated, JSON: fields{"chat": body.Chat, "message": "Message(s) accepted"}}
}

func (d *Double) mutated(in *vendortest.In) vendortest.Out {
	var body struct {
		ChatID    string `json:"ChatId"`
		Mutations []struct{ Action, SourceAdapterID, TargetAdapterID string }
		Context   map[string]string
	}
	in.Into(&body)
	t := d.chats[in.PathValue("chat")]
	m := body.Mutations[0]
	switch {
	case in.PathValue("account") != Account:
		return refused(http.StatusForbidden, "not yours")
	case t == nil || body.ChatID != in.PathValue("chat") || m.SourceAdapterID != Adapter || m.TargetAdapterID != Inbox:
		return refused(http.StatusNotFound, "no such chat or link")
	}
	c := d.Find(body.ChatID)
	t.open = m.Action == "Enable"
	switch {
	case t.open && (c == nil || !c.Open):
		c = d.Start(body.ChatID)
		c.Data = map[string]string{"guid": guid("conversation", d.NextID()), "began": time.Now().UTC().Format("2006-01-02T15:04:05")}
		maps.Copy(c.Data, body.Context)
		t.fit = false
	case !t.open && c != nil:
		c.Open = false
	}
	return vendortest.Out{Status: http.StatusAccepted, JSON: fields{}}
}

// read is what Agent Inbox tells of conversations.
func (d *Double) read(in *vendortest.In) vendortest.Out {
	var body struct {
		EmailAddress, GUID string
		Skip               int
	}
	in.Into(&body)
	found := []fields{}
	for _, t := range d.chats {
		c := d.Find(fmt.Sprint(t.chat["id"]))
		if c == nil {
			continue
		}
		if body.GUID == c.Data["guid"] || body.EmailAddress != "" && strings.Contains(c.Data["CustomerInfo"], `"`+body.EmailAddress+`"`) {
			found = append(found, d.conversation(c))
		}
	}
	slices.SortFunc(found, func(a, b fields) int { return strings.Compare(fmt.Sprint(a["guid"]), fmt.Sprint(b["guid"])) })
	found = found[min(body.Skip, len(found)):]
	return vendortest.Out{JSON: fields{"conversations": found[:min(d.page, len(found))]}}
}

func (d *Double) conversation(c *vendortest.Chat) fields {
	said := []fields{}
	for _, text := range c.Internal {
		said = append(said, fields{"sender": fields{"type": "Relation"}, "content": text, "scope": "External"})
	}
	for _, m := range c.Messages {
		typ := "Relation"
		if m.From == handoff.RoleAgent {
			typ = "User"
		}
		said = append(said, fields{"sender": fields{"type": typ}, "content": m.Text, "scope": "External"})
	}
	f := fields{
		"guid": c.Data["guid"], "channel": "WebChat", "state": "Open", "owner": fields{"type": "None"}, "startDateTime": c.Data["began"], "messages": said,
	}
	if c.Agent.ID != "" {
		f["owner"] = fields{"type": "User", "name": c.Agent.Name, "emailAddress": c.Agent.ID}
	}
	if !c.Open {
		f["state"] = "Archived"
	}
	return f
}

// Sign returns a webhook of the message or the handover endpoint.
func Sign(secret string, body []byte) handoff.Webhook {
	h := http.Header{}
	h.Set("X-Handoff-Secret", secret)
	h.Set("Content-Type", "application/json")
	return handoff.Webhook{Method: http.MethodPost, Path: "/", Header: h, Body: body}
}

// SignEvent returns one of the event endpoint, whose secret is in its address.
func SignEvent(secret string, body []byte) handoff.Webhook {
	w := Sign(secret, body)
	delete(w.Header, "X-Handoff-Secret")
	w.Query = url.Values{"secret": {secret}}
	return w
}

// Do implements providertest.Vendor.
func (d *Double) Do(a providertest.Act) bool {
	d.Lock()
	defer d.Unlock()
	a = vendortest.ReturnByWord(a)
	c := d.Find(a.Chat)
	if c == nil || !c.Open {
		return c != nil && a.Kind != providertest.Type && a.Kind != providertest.Queue
	}
	switch a.Kind {
	case providertest.Join, providertest.Transfer:
		c.Agent = a.Agent
	case providertest.Leave:
		c.Agent = handoff.Party{}
	case providertest.Write:
		c.Internal = append(c.Internal, a.Text) // told to nobody
	case providertest.Say:
		m := d.Add(c, vendortest.Message{From: handoff.RoleAgent, Text: a.Text, Files: a.Files})
		f := fields{"id": guid("message", m.ID), "direction": "ClientTerminated", "createdOn": time.Now().UTC().Format(time.RFC3339Nano)}
		var list []fields
		for i, file := range a.Files {
			list = append(list, fields{
				"$type": "media", "id": guid("file", m.ID, i), "direction": "ClientTerminated",
				"media": fields{"mediaUri": file.URL, "mediaName": file.Name, "mimeType": file.Type},
			})
		}
		if a.Text != "" {
			f["$type"], f["text"] = "text", a.Text
			list = append([]fields{f}, list...)
		}
		d.Push(Sign(Hook, vendortest.JSON(fields{
			"chat": d.chats[c.Reference].chat, "conversationMessages": list, "targetAdaptersInfo": []fields{{"id": Adapter}},
		})))
	case providertest.End:
		c.Open = false
	default:
		return false
	}
	return true
}

// EndSession ends the router's session of a chat, as 24 hours without a message
// do: the event endpoint hears of it.
func (d *Double) EndSession(reference string) {
	d.Lock()
	defer d.Unlock()
	if t := d.chats[reference]; t != nil {
		d.Push(SignEvent(Hook, vendortest.JSON(fields{
			"chat": t.chat, "conversationEvents": []fields{{"$type": "RouterSessionEnded", "id": guid("event", d.NextID()), "createdOn": time.Now().UTC().Format(time.RFC3339)}},
		})))
	}
}

// HandOver sends what the handover endpoint is told of a chat, with its form as
// it is by default; an empty context is none.
func (d *Double) HandOver(reference, context string) {
	d.Lock()
	defer d.Unlock()
	c := d.chats[reference].chat
	d.Push(Sign(Hook, fmt.Appendf(nil,
		`{"chatId":%q,"sessionId":%q,"accountId":%q,"channel":%q,"conversationHostId":%q,"conversationClientId":%q,"context":%s}`,
		reference, c["sessionId"], Account, c["channel"], Adapter, c["conversationClientId"], context,
	)))
}

// Context returns the context of a chat's handover. It takes the lock.
func (d *Double) Context(reference string) map[string]string {
	d.Lock()
	defer d.Unlock()
	out := map[string]string{}
	if c := d.Find(reference); c != nil {
		for k, v := range c.Data {
			if k != "guid" && k != "began" {
				out[k] = v
			}
		}
	}
	return out
}

// Forged implements providertest.Forger.
func (d *Double) Forged() []handoff.Webhook {
	body := fmt.Appendf(nil, `{"chat":{"id":"c1","accountId":%q},"conversationMessages":[{"$type":"text","id":"m1","direction":"ClientTerminated","text":"hello"}]}`, Account)
	forged := vendortest.Forge(Sign(Hook, body), "X-Handoff-Secret")
	forged = forged[:len(forged)-1] // nothing signs the body
	twice := SignEvent(Hook, body)
	twice.Query["secret"] = []string{Hook, Hook}
	return append(forged, SignEvent("", body), SignEvent(Hook+"x", body), SignEvent(Hook[1:], body), twice)
}
