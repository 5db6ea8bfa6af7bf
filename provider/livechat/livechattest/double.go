// Package livechattest is a double of LiveChat, as far as package livechat
// depends on it: for that package's tests and for those of hosts.
package livechattest

import (
	"bytes"
	"cmp"
	_ "embed"
	"maps"
	"net/http"
	"net/url"
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
	URL          = "https://api.livechat.example"
	Accounts     = "https://accounts.livechat.example"
	Organization = "390e44e6-f1e6-0368c-z6ddb-74g14508c2ex"
	ClientID     = "9cbf3a968289727cb3cdfe83ab1d9836"
	ClientSecret = "livechat-client-s3cret"
	RefreshToken = "livechat-refresh-t0ken"
	Secret       = "livechat-webhook-s3cret"
	Group        = 19
)

// Stopped says, as the text of an agent who types, that he no longer does.
const Stopped = "stopped"

// life is how long tokens last.
const life = 8 * time.Hour

//go:embed schema.json
var schema []byte

// A Double is an organization of LiveChat, with the app and its property.
type Double struct {
	*vendortest.Double

	Offline bool // no agent accepts chats: only a continuous one can begin

	tokens map[string]token
	events map[string][]fields // by chat
	names  map[string]string   // of agents

	sockets []*Socket
}

// token is of a customer, or of the app.
type token struct {
	customer string
	until    time.Time
}

type fields = map[string]any

const (
	agentAPI    = "/v3.6/agent/action/"
	customerAPI = "/v3.6/customer/action/"
)

// New returns a LiveChat without chats, with an agent who accepts them.
func New(tb testing.TB) *Double {
	tb.Helper()
	d := &Double{Double: vendortest.New(tb, schema), tokens: map[string]token{}, events: map[string][]fields{}, names: map[string]string{}}
	d.Keep = []string{ClientSecret, RefreshToken, Secret}
	d.Auth = d.authorized
	d.Handle("POST /v2/token", func(in *vendortest.In) vendortest.Out {
		form, err := url.ParseQuery(string(in.Raw))
		if err != nil || form.Get("refresh_token") != RefreshToken || form.Get("client_secret") != ClientSecret {
			return failure(http.StatusUnauthorized, "authentication")
		}
		return d.grant("")
	})
	d.Handle("POST /v2/customer/token", func(in *vendortest.In) vendortest.Out {
		var body struct {
			Entity string `json:"entity_id"`
		}
		in.Into(&body)
		if body.Entity == "" {
			body.Entity = "customer-" + d.NextID()
		}
		return d.grant(body.Entity)
	})
	d.Handle("POST "+agentAPI+"list_chats", d.listChats)
	d.Handle("POST "+agentAPI+"get_chat", d.on(func(_ *vendortest.In, c *vendortest.Chat) vendortest.Out { return vendortest.Out{JSON: d.chat(c)} }))
	d.Handle("POST "+agentAPI+"list_routing_statuses", func(*vendortest.In) vendortest.Out {
		return vendortest.Out{JSON: []fields{{"agent_id": "smith@example.com", "status": "accepting_chats"}, {"agent_id": "agent@example.com", "status": "not_accepting_chats"}}}
	})
	d.Handle("POST "+customerAPI+"update_customer", func(*vendortest.In) vendortest.Out { return vendortest.Out{JSON: fields{}} })
	d.Handle("POST "+customerAPI+"start_chat", d.start)
	d.Handle("POST "+customerAPI+"send_event", d.on(d.send))
	d.Handle("POST "+customerAPI+"upload_file", func(in *vendortest.In) vendortest.Out {
		name, _ := in.File("file")
		return vendortest.Out{JSON: fields{"url": "https://cdn.livechat-files.example/" + d.NextID() + "/" + name}}
	})
	d.Handle("POST "+customerAPI+"send_sneak_peek", d.on(func(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
		var body struct {
			Text string `json:"sneak_peek_text"`
		}
		in.Into(&body)
		c.UserTypes = body.Text != ""
		return vendortest.Out{JSON: fields{}}
	}))
	d.Handle("POST "+customerAPI+"deactivate_chat", d.on(func(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
		if !c.Open {
			return failure(http.StatusUnprocessableEntity, "chat_inactive")
		}
		d.end(c, d.tokens[bearer(in.Request)].customer)
		return vendortest.Out{JSON: fields{}}
	}))
	return d
}

func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// authorized says whether a request has a token of the right kind that has not
// run out.
func (d *Double) authorized(r *http.Request) bool {
	if r.URL.Path == "/v2/token" {
		return true
	}
	t, ok := d.tokens[bearer(r)]
	ok = ok && time.Now().Before(t.until)
	if strings.HasPrefix(r.URL.Path, customerAPI) {
		return ok && t.customer != "" && r.URL.Query().Get("organization_id") == Organization
	}
	return ok && t.customer == ""
}

func (d *Double) grant(customer string) vendortest.Out {
	name := "dal:t0ken-" + d.NextID()
	d.tokens[name] = token{customer: customer, until: time.Now().Add(life)}
	d.Keep = append(d.Keep, name)
	out := fields{"access_token": name, "expires_in": int(life.Seconds()), "token_type": "Bearer", "organization_id": Organization}
	if customer != "" {
		out["entity_id"], out["client_id"] = customer, ClientID
	}
	return vendortest.Out{JSON: out}
}

func failure(status int, code string) vendortest.Out {
	return vendortest.Out{Status: status, JSON: fields{"error": fields{"type": code, "message": code}}}
}

// on finds the chat of a request; a customer has only his own.
func (d *Double) on(h func(in *vendortest.In, c *vendortest.Chat) vendortest.Out) func(in *vendortest.In) vendortest.Out {
	return func(in *vendortest.In) vendortest.Out {
		var body struct {
			ChatID string `json:"chat_id"`
			ID     string
		}
		in.Into(&body)
		c := d.Find(body.ChatID + body.ID)
		if who := d.tokens[bearer(in.Request)].customer; c == nil || who != "" && who != c.Data["customer"] {
			return failure(http.StatusNotFound, "not_found")
		}
		return h(in, c)
	}
}

// now is the time; no two things happen at the same.
func (d *Double) now() string {
	n, _ := strconv.Atoi(d.NextID())
	return time.Now().UTC().Add(time.Duration(n) * time.Microsecond).Format("2006-01-02T15:04:05.000000Z")
}

func (d *Double) listChats(in *vendortest.In) vendortest.Out {
	var body struct {
		Filters struct {
			Properties map[string]map[string]struct{ Values []string }
		}
	}
	in.Into(&body)
	want := body.Filters.Properties[ClientID]["attempt"].Values
	list := []fields{}
	if c := d.Search(func(c *vendortest.Chat) bool { return slices.Contains(want, c.Attempt) }); c != nil {
		list = append(list, fields{
			"id": c.Reference, "users": d.users(c), "properties": fields{ClientID: fields{"attempt": c.Attempt}},
			"last_thread_summary": fields{"id": c.Data["thread"], "active": c.Open},
		})
	}
	return vendortest.Out{JSON: fields{"chats_summary": list, "found_chats": len(list)}}
}

func (d *Double) users(c *vendortest.Chat) []fields {
	list := []fields{{"id": c.Data["customer"], "type": "customer", "present": true}}
	if c.Agent.ID != "" {
		list = append(list, d.agent(c.Agent.ID))
	}
	return list
}

func (d *Double) agent(id string) fields {
	return fields{
		"id": id, "name": d.names[id], "email": id, "type": "agent", "present": true, "visibility": "all",
		"events_seen_up_to": d.now(),
	}
}

func (d *Double) chat(c *vendortest.Chat) fields {
	thread := fields{"id": c.Data["thread"], "active": c.Open, "events": append([]fields{}, d.events[c.Reference]...)}
	if c.Agent.ID == "" && c.Open {
		thread["queue"] = fields{"position": 1, "wait_time": 60, "queued_at": d.now()}
	}
	return fields{"id": c.Reference, "users": d.users(c), "thread": thread, "properties": fields{ClientID: fields{"attempt": c.Attempt}}}
}

// posted is an event as a customer sends it.
type posted struct {
	Type       string
	Text       string
	URL        string
	Recipients string
	CustomID   string `json:"custom_id"`
}

func (d *Double) start(in *vendortest.In) vendortest.Out {
	var body struct {
		Chat struct {
			Properties map[string]map[string]string
			Thread     struct{ Events []posted }
		}
		Continuous bool
	}
	in.Into(&body)
	if d.Offline && !body.Continuous {
		return failure(http.StatusUnprocessableEntity, "groups_offline")
	}
	c := d.Start("P" + d.NextID())
	c.Data["customer"], c.Data["thread"] = d.tokens[bearer(in.Request)].customer, "T"+d.NextID()
	c.Attempt = body.Chat.Properties[ClientID]["attempt"]
	for _, e := range body.Chat.Thread.Events {
		d.add(c, e)
	}
	d.tell("incoming_chat", fields{"chat": d.chat(c)})
	return vendortest.Out{JSON: fields{"chat_id": c.Reference, "thread_id": c.Data["thread"]}}
}

func (d *Double) send(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
	var body struct{ Event posted }
	in.Into(&body)
	if !c.Open {
		return failure(http.StatusUnprocessableEntity, "chat_inactive")
	}
	ev := d.add(c, body.Event)
	d.tell("incoming_event", fields{"chat_id": c.Reference, "thread_id": c.Data["thread"], "event": ev})
	return vendortest.Out{JSON: fields{"event_id": ev["id"]}}
}

// add keeps an event of a customer.
func (d *Double) add(c *vendortest.Chat, e posted) fields {
	m := vendortest.Message{From: handoff.RoleUser, Text: e.Text}
	if e.Type == "file" {
		m.Files = []handoff.File{{URL: e.URL}}
	}
	text, bot := strings.CutPrefix(e.Text, "[bot] ")
	switch {
	case bot:
		m.From, m.Text = handoff.RoleBot, text
		d.Add(c, m)
	case e.Recipients == "agents":
		c.Internal = append(c.Internal, e.Text)
	default:
		d.Add(c, m)
	}
	f := fields{"type": e.Type, "author_id": c.Data["customer"], "custom_id": e.CustomID, "visibility": "all"}
	if e.Recipients == "agents" {
		f["visibility"] = "agents"
	}
	if e.Type == "file" {
		f["url"], f["name"], f["content_type"] = e.URL, "file", "application/pdf"
	} else {
		f["text"] = e.Text
	}
	return d.keep(c, f)
}

func (d *Double) keep(c *vendortest.Chat, f fields) fields {
	f["id"], f["created_at"] = c.Data["thread"]+"_"+d.NextID(), d.now()
	d.events[c.Reference] = append(d.events[c.Reference], f)
	return f
}

func (d *Double) end(c *vendortest.Chat, who string) {
	c.Open, c.UserTypes = false, false
	d.tell("chat_deactivated", fields{"chat_id": c.Reference, "thread_id": c.Data["thread"], "user_id": who})
}

func (d *Double) tell(action string, payload fields) {
	d.Push(Sign(Secret, vendortest.JSON(fields{"webhook_id": "1", "action": action, "organization_id": Organization, "payload": payload, "additional_data": fields{}})))
}

// Sign returns a webhook with a body, into which LiveChat puts the secret.
func Sign(secret string, body []byte) handoff.Webhook {
	if rest, ok := bytes.CutPrefix(body, []byte("{")); ok {
		key := `{"secret_key":` + string(vendortest.JSON(secret))
		if !bytes.HasPrefix(bytes.TrimSpace(rest), []byte("}")) {
			key += ","
		}
		body = append([]byte(key), rest...)
	}
	h := http.Header{}
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
	at := fields{"chat_id": c.Reference, "thread_id": c.Data["thread"]}
	with := func(more fields) fields {
		maps.Copy(more, at)
		return more
	}
	switch a.Kind {
	case providertest.Type:
		return d.push(c, "incoming_typing_indicator", fields{
			"typing_indicator": fields{"author_id": c.Agent.ID, "recipients": "all", "timestamp": time.Now().Unix(), "is_typing": a.Text != Stopped},
		})
	case providertest.Queue:
		if d.push(c, "queue_position_updated", fields{"queue": fields{"position": a.Position, "wait_time": cmp.Or(int(a.Wait.Seconds()), 60*a.Position)}}) {
			return true
		}
		d.tell("chat_transferred", with(fields{
			"reason": "other", "transferred_to": fields{"group_ids": []int{Group}},
			"queue": fields{"position": a.Position, "wait_time": 60 * a.Position, "queued_at": d.now()},
		}))
	case providertest.Join, providertest.Transfer:
		d.names[a.Agent.ID] = a.Agent.Name
		if c.Agent.ID == a.Agent.ID {
			return true
		}
		before := c.Agent.ID
		c.Agent = a.Agent
		if before != "" {
			d.tell("chat_transferred", with(fields{
				"reason": "manual", "requester_id": before, "transferred_to": fields{"group_ids": []int{Group}, "agent_ids": []string{a.Agent.ID}},
			}))
			d.tell("user_removed_from_chat", with(fields{"user_id": before, "user_type": "agent", "reason": "manual", "requester_id": before}))
		}
		d.tell("user_added_to_chat", with(fields{"user": d.agent(a.Agent.ID), "user_type": "agent", "reason": "assigned"}))
	case providertest.Leave:
		if c.Agent.ID == "" {
			return true
		}
		before := c.Agent.ID
		c.Agent = handoff.Party{}
		d.tell("user_removed_from_chat", with(fields{"user_id": before, "user_type": "agent", "reason": "manual", "requester_id": before}))
	case providertest.Say:
		d.Add(c, vendortest.Message{From: handoff.RoleAgent, Text: a.Text, Files: a.Files})
		if a.Text != "" {
			ev := d.keep(c, fields{"type": "message", "text": a.Text, "author_id": c.Agent.ID, "visibility": "all"})
			d.tell("incoming_event", with(fields{"event": ev}))
		}
		for _, f := range a.Files {
			ev := d.keep(c, fields{"type": "file", "url": f.URL, "name": f.Name, "content_type": f.Type, "size": f.Size, "author_id": c.Agent.ID, "visibility": "all"})
			d.tell("incoming_event", with(fields{"event": ev}))
		}
	case providertest.Write:
		c.Internal = append(c.Internal, a.Text)
		ev := d.keep(c, fields{"type": "message", "text": a.Text, "author_id": c.Agent.ID, "visibility": "agents"})
		d.tell("incoming_event", with(fields{"event": ev}))
	case providertest.End:
		ev := d.keep(c, fields{"type": "system_message", "text": "archived the chat", "system_message_type": "manual_archived_agent", "recipients": "all"})
		d.tell("incoming_event", with(fields{"event": ev}))
		d.end(c, c.Agent.ID)
	default:
		return false
	}
	return true
}

// Forged implements providertest.Forger.
func (d *Double) Forged() []handoff.Webhook {
	body := []byte(`{"action":"chat_deactivated","payload":{"chat_id":"P1","thread_id":"T2"}}`)
	header := Sign("", body)
	header.Header["Secret_key"] = []string{Secret}
	return []handoff.Webhook{{Method: http.MethodPost, Path: "/", Body: body}, header, Sign("", body), Sign(Secret+"x", body), Sign(ClientSecret, body)}
}
