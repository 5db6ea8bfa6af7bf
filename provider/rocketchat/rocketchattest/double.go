// Package rocketchattest is a double of Rocket.Chat's omnichannel, as far as
// package rocketchat depends on it: for that package's tests and for those of
// hosts.
package rocketchattest

import (
	"cmp"
	_ "embed"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// What a Config needs to reach the double.
const (
	URL    = "https://chat.example"
	User   = "aobEdbYhXfu5hkeqG"
	Token  = "rocketchat-personal-t0ken"
	Secret = "rocketchat-webhook-s3cret"
)

// Visitor is the name that the double gives to each visitor.
const Visitor = "guest-1"

// Stopped says, as the text of an agent who types, that he no longer does.
const Stopped = "stopped"

//go:embed schema.json
var schema []byte

// A Double is a workspace of Rocket.Chat.
type Double struct {
	*vendortest.Double

	// Mails are what the offline form has sent. Lock for it.
	Mails []Mail

	// Sort is the order of the queue, as the list of who waits is asked for it.
	// Lock for it.
	Sort string

	// Estimate is the wait in seconds that is told to a visitor who asks; 0 is
	// none. Lock for it.
	Estimate float64

	visitors map[string]string // the department, by token
	ids      map[string]bool   // of messages
	rooms    []string          // oldest first
	ahead    map[string]int    // how many wait before a room, by room
	files    map[string][]handoff.File
	sockets  []*Socket
	waits    map[string]float64 // seconds, by room
}

// A Mail is one of the offline form.
type Mail struct{ Name, Email, Message, Department string }

type fields = map[string]any

const v1 = "/api/v1/livechat/"

// New returns a workspace without rooms, with an agent online.
func New(tb testing.TB) *Double {
	tb.Helper()
	d := &Double{
		Double: vendortest.New(tb, schema), visitors: map[string]string{}, ids: map[string]bool{}, ahead: map[string]int{}, waits: map[string]float64{},
		files: map[string][]handoff.File{},
	}
	d.Keep, d.Sort = []string{Token, Secret}, `{"ts":1}`
	d.Auth = func(r *http.Request) bool {
		return strings.HasPrefix(r.URL.Path, v1) && r.URL.Path != v1+"inquiries.list" || r.Header.Get("X-User-Id") == User && r.Header.Get("X-Auth-Token") == Token
	}
	d.Handle("POST "+v1+"visitor", func(in *vendortest.In) vendortest.Out {
		var body struct {
			Visitor struct{ Token, Department string }
		}
		in.Into(&body)
		d.visitors[body.Visitor.Token] = body.Visitor.Department
		return ok(fields{"visitor": fields{"_id": "v1", "token": body.Visitor.Token}})
	})
	d.Handle("GET "+v1+"visitor/{token}", func(in *vendortest.In) vendortest.Out {
		if _, ok := d.visitors[in.PathValue("token")]; !ok {
			return refused("invalid-token")
		}
		return ok(fields{"visitor": fields{"_id": "v1", "token": in.PathValue("token")}})
	})
	d.Handle("GET "+v1+"room", d.room)
	d.Handle("GET "+v1+"message/{id}", d.on(query, func(in *vendortest.In, _ *vendortest.Chat) vendortest.Out {
		if !d.ids[in.PathValue("id")] {
			return refused("invalid-message")
		}
		return ok(fields{"message": fields{"_id": in.PathValue("id")}})
	}))
	d.Handle("POST "+v1+"message", d.on(inBody, d.say))
	d.Handle("POST "+v1+"upload/{room}", d.on(func(in *vendortest.In) (string, string) {
		return in.PathValue("room"), in.Header.Get("X-Visitor-Token")
	}, func(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
		name, _ := in.File("file")
		d.files[c.Reference] = append(d.files[c.Reference], handoff.File{Name: name})
		return ok(fields{"_id": d.NextID(), "rid": c.Reference})
	}))
	d.Handle("POST "+v1+"room.close", d.on(inBody, func(_ *vendortest.In, c *vendortest.Chat) vendortest.Out {
		if !c.Open {
			return refused("room-closed")
		}
		d.close(c, "visitor", handoff.Party{})
		return ok(fields{"rid": c.Reference})
	}))
	d.Handle("POST "+v1+"offline.message", func(in *vendortest.In) vendortest.Out {
		var m Mail
		in.Into(&m)
		d.Mails = append(d.Mails, m)
		d.Push(Sign(Secret, vendortest.JSON(fields{
			"type": "LivechatOfflineMessage", "sentAt": stamp(), "visitor": fields{"name": m.Name, "email": m.Email}, "message": m.Message,
		})))
		return ok(fields{"message": "Livechat offline message sent"})
	})
	d.Handle("GET "+v1+"config", func(in *vendortest.In) vendortest.Out {
		f := fields{"enabled": true, "online": true}
		token := in.URL.Query().Get("token")
		if c := d.Search(func(c *vendortest.Chat) bool { return token != "" && c.Data["token"] == token && c.Open }); c != nil {
			f["room"] = fields{"_id": c.Reference}
			if n := cmp.Or(d.waits[c.Reference], d.Estimate); n > 0 && c.Agent.ID == "" {
				f["queueInfo"] = fields{"spot": d.ahead[c.Reference] + 1, "estimatedWaitTimeSeconds": n}
			}
		}
		return ok(fields{"config": f})
	})
	d.Handle("GET "+v1+"inquiries.list", d.list)
	d.Handle("GET /api/v1/rooms.info", func(in *vendortest.In) vendortest.Out {
		c := d.Find(in.URL.Query().Get("roomId"))
		if c == nil {
			return refused("error-room-not-found")
		}
		f := fields{"_id": c.Reference, "t": "l"}
		if c.Open {
			f["open"] = true
		}
		if c.Agent.ID != "" {
			f["servedBy"] = fields{"_id": c.Agent.ID, "username": c.Agent.Name}
		}
		return ok(fields{"room": f})
	})
	return d
}

func ok(f fields) vendortest.Out {
	f["success"] = true
	return vendortest.Out{JSON: f}
}

func refused(code string) vendortest.Out {
	return vendortest.Out{Status: http.StatusBadRequest, JSON: fields{"success": false, "error": "not so [" + code + "]", "errorType": code}}
}

func query(in *vendortest.In) (room, token string) {
	return in.URL.Query().Get("rid"), in.URL.Query().Get("token")
}

func inBody(in *vendortest.In) (room, token string) {
	var body struct{ Rid, Token string }
	in.Into(&body)
	return body.Rid, body.Token
}

// on finds the room of a request, whose visitor has to be the one who asks.
func (d *Double) on(which func(in *vendortest.In) (room, token string), h func(in *vendortest.In, c *vendortest.Chat) vendortest.Out) func(in *vendortest.In) vendortest.Out {
	return func(in *vendortest.In) vendortest.Out {
		room, token := which(in)
		c := d.Find(room)
		if c == nil || c.Data["token"] != token {
			return refused("invalid-room")
		}
		return h(in, c)
	}
}

func (d *Double) room(in *vendortest.In) vendortest.Out {
	token := in.URL.Query().Get("token")
	department, known := d.visitors[token]
	if !known {
		return refused("invalid-token")
	}
	c := d.Search(func(c *vendortest.Chat) bool { return c.Data["token"] == token && c.Open })
	fresh := c == nil
	if fresh {
		c = d.Start("room" + d.NextID())
		c.Data["token"], c.Data["department"] = token, department
		d.rooms = append(d.rooms, c.Reference)
		d.tell(c, "LivechatSessionStart", fields{})
	}
	return ok(fields{"room": fields{"_id": c.Reference, "open": true, "v": fields{"_id": "v1", "username": Visitor, "token": token}}, "newRoom": fresh})
}

func (d *Double) say(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
	var body struct {
		Msg string
		ID  string `json:"_id"`
	}
	in.Into(&body)
	switch {
	case !c.Open:
		return refused("room-closed")
	case d.ids[body.ID]:
		return refused("error-duplicate")
	}
	d.ids[body.ID] = true
	if c.Data["begun"] == "" {
		c.Data["begun"] = "yes"
		c.Internal = append(c.Internal, body.Msg) // what it was opened with
	} else {
		m := vendortest.Message{ID: body.ID, From: handoff.RoleUser, Text: body.Msg, Files: d.files[c.Reference]}
		if text, bot := strings.CutPrefix(body.Msg, "[bot] "); bot {
			m.From, m.Text = handoff.RoleBot, text
		}
		for _, f := range m.Files {
			m.Text = strings.TrimSuffix(strings.TrimSuffix(m.Text, f.Name), "\n")
		}
		delete(d.files, c.Reference)
		d.Add(c, m)
	}
	d.tell(c, "Message", fields{"messages": []fields{{"_id": body.ID, "username": Visitor, "msg": body.Msg, "ts": stamp()}}})
	return ok(fields{"message": fields{"_id": body.ID, "msg": body.Msg}})
}

func (d *Double) close(c *vendortest.Chat, closer string, by handoff.Party) {
	c.Open = false
	f := fields{"closedAt": stamp(), "closer": closer, "messages": []fields{}}
	if by.ID != "" {
		f["closedBy"] = fields{"_id": by.ID, "username": by.Name}
	}
	d.tell(c, "LivechatSession", f)
}

func stamp() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

// tell sends a webhook.
func (d *Double) tell(c *vendortest.Chat, typ string, f fields) {
	f["_id"], f["type"] = c.Reference, typ
	f["visitor"] = fields{"_id": "v1", "token": c.Data["token"], "username": Visitor}
	if c.Agent.ID != "" {
		f["agent"] = fields{"_id": c.Agent.ID, "username": strings.ToLower(c.Agent.Name), "name": c.Agent.Name}
		f["servedBy"] = fields{"_id": c.Agent.ID, "username": strings.ToLower(c.Agent.Name), "ts": c.Data["taken"]}
	}
	d.Push(Sign(Secret, vendortest.JSON(f)))
}

// Sign returns a webhook with a body, as Rocket.Chat sends it.
func Sign(secret string, body []byte) handoff.Webhook {
	h := http.Header{}
	h.Set("X-Rocketchat-Livechat-Token", secret)
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
	case providertest.Queue:
		d.ahead[c.Reference] = a.Position - 1
		d.queued(c, a.Position, cmp.Or(a.Wait.Seconds(), float64(60*a.Position)))
	case providertest.Type:
		return d.writes(c, a.Text != Stopped)
	case providertest.Join, providertest.Transfer:
		if c.Agent.ID == a.Agent.ID {
			return true
		}
		typ, f := "LivechatSessionTaken", fields{}
		if a.Kind == providertest.Transfer && c.Agent.ID != "" {
			typ, f = "LivechatSessionForwarded", fields{"oldServedBy": fields{"_id": c.Agent.ID}}
		}
		c.Agent, c.Data["taken"] = a.Agent, stamp()
		d.tell(c, typ, f)
	case providertest.Leave:
		if c.Agent.ID == "" {
			return true
		}
		c.Agent = handoff.Party{}
		d.tell(c, "LivechatSessionQueued", fields{"messages": []fields{{"_id": d.NextID()}}})
	case providertest.Say:
		m := d.Add(c, vendortest.Message{From: handoff.RoleAgent, Text: a.Text, Files: a.Files})
		f := fields{"_id": "m" + m.ID, "username": "agent", "msg": a.Text, "ts": stamp(), "agentId": c.Agent.ID}
		var list []fields
		for _, file := range a.Files {
			list = append(list, fields{"title": file.Name, "title_link": file.URL})
		}
		if list != nil {
			f["attachments"] = list
		}
		d.tell(c, "Message", fields{"messages": []fields{f}})
	case providertest.End:
		d.close(c, "user", c.Agent)
	default:
		return false
	}
	return true
}

// Forged implements providertest.Forger.
func (d *Double) Forged() []handoff.Webhook {
	w := Sign(Secret, []byte(`{"_id":"room1","type":"LivechatSession","closer":"user","closedAt":"2000-01-01T00:00:00.000Z"}`))
	forged := vendortest.Forge(w, "X-Rocketchat-Livechat-Token")
	return forged[:len(forged)-1] // the token signs no body
}
