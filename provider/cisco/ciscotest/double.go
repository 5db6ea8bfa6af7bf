// Package ciscotest is a double of Cisco Customer Collaboration Platform, as far
// as package cisco depends on it: for that package's tests and for those of
// hosts.
package ciscotest

import (
	"bytes"
	_ "embed"
	"encoding/xml"
	"fmt"
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
	URL  = "https://ccp.example"
	Feed = "100053"
	Tag  = "Chat_Csq30"

	PushFeed = "100061"
	User     = "ccpadmin"
	Password = "ccp-admin-s3cret"
)

const (
	pushURL    = URL + "/ccp-webapp/ccp/feed/" + PushFeed
	feedURL    = URL + "/ccp-webapp/ccp/feed/" + Feed
	contacts   = URL + "/ccp-webapp/ccp/socialcontact/"
	cookieName = "JSESSIONID"
)

//go:embed schema.json
var schema []byte

// A Double is a platform with one chat feed.
type Double struct {
	*vendortest.Double

	// Root is the name of the element around events; Cisco writes it both ways.
	Root string

	rooms map[string]*room // by cookie
	typed time.Time        // when a customer wrote last
	left  []string         // what was pushed
}

// room is where a chat takes place.
type room struct {
	chat   *vendortest.Chat
	author string
	here   []handoff.Party
	events []event
}

// event is something that happened, with its XML.
type event struct {
	id   int
	ours bool
	xml  string
}

// New returns a platform without chats.
func New(tb testing.TB) *Double {
	tb.Helper()
	d := &Double{Double: vendortest.New(tb, schema), Root: "chatEvents", rooms: map[string]*room{}}
	d.Keep = []string{Password}
	d.Auth = func(r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		return !strings.HasPrefix(r.URL.Path, "/ccp-webapp/") || user == User && password == Password
	}
	d.Handle("POST /ccp-webapp/ccp/socialcontact/{$}", func(in *vendortest.In) vendortest.Out {
		var body struct {
			Feed  string `xml:"feedRefURL"`
			Words string `xml:"description"`
		}
		if xml.Unmarshal(in.Raw, &body) != nil || body.Feed != pushURL {
			return failure(http.StatusBadRequest, "invalidInput")
		}
		d.left = append(d.left, body.Words)
		return vendortest.Out{Status: http.StatusCreated, Header: http.Header{"Location": {contacts + d.NextID()}}}
	})
	const chat = "/ccp/rest/chat"
	d.Handle("POST "+chat, d.create)
	d.Handle("GET "+chat, d.in(func(in *vendortest.In, r *room) vendortest.Out {
		after, err := strconv.Atoi(in.URL.Query().Get("eventid"))
		if err != nil {
			return failure(http.StatusBadRequest, "invalidInput")
		}
		return d.tell(r, after, in.URL.Query().Get("all") == "true")
	}))
	d.Handle("PUT "+chat, d.in(func(in *vendortest.In, r *room) vendortest.Out {
		var body struct {
			Text string `xml:"body"`
		}
		if xml.Unmarshal(in.Raw, &body) != nil || !r.chat.Open {
			return failure(http.StatusBadRequest, "invalidInput")
		}
		m := vendortest.Message{From: handoff.RoleUser, Text: body.Text}
		if text, bot := strings.CutPrefix(body.Text, "[bot] "); bot {
			m.From, m.Text = handoff.RoleBot, text
		}
		d.Add(r.chat, m)
		d.happens(r, "MessageEvent", "from", r.author, "body", url.QueryEscape(body.Text)).ours = true
		return vendortest.Out{}
	}))
	d.Handle("PUT "+chat+"/event", d.in(func(in *vendortest.In, r *room) vendortest.Out {
		r.chat.UserTypes = bytes.Contains(in.Raw, []byte("<status>composing</status>")) && r.chat.Open
		d.typed = time.Now()
		return vendortest.Out{}
	}))
	d.Handle("PUT "+chat+"/leaveChat", d.in(func(_ *vendortest.In, r *room) vendortest.Out {
		if !r.chat.Open {
			return failure(http.StatusBadRequest, "invalidInput")
		}
		r.chat.Open = false
		return vendortest.Out{}
	}))
	return d
}

func failure(status int, kind string) vendortest.Out {
	return answer(status, "<apiErrors><apiError><errorMessage>"+kind+"</errorMessage><errorType>"+kind+"</errorType></apiError></apiErrors>")
}

func answer(status int, body string) vendortest.Out {
	return vendortest.Out{
		Status: status, Header: http.Header{"Content-Type": {"application/xml"}},
		Body: []byte(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + body),
	}
}

// in finds the room of a request by its cookie.
func (d *Double) in(h func(in *vendortest.In, r *room) vendortest.Out) func(in *vendortest.In) vendortest.Out {
	return func(in *vendortest.In) vendortest.Out {
		c, err := in.Cookie(cookieName)
		if err != nil || d.rooms[c.Value] == nil {
			return failure(http.StatusNotFound, "notFound")
		}
		return h(in, d.rooms[c.Value])
	}
}

func (d *Double) create(in *vendortest.In) vendortest.Out {
	var body struct {
		Feed   string `xml:"feedRefURL"`
		Author string `xml:"author"`
		Fields []struct {
			Name  string `xml:"name"`
			Value string `xml:"value"`
		} `xml:"extensionFields>extensionField"`
	}
	if xml.Unmarshal(in.Raw, &body) != nil || body.Feed != feedURL {
		return failure(http.StatusBadRequest, "invalidInput")
	}
	n := d.NextID()
	id, secret := fmt.Sprintf("6EEF968810000132%016s", n), "cookie-s3cret-"+n
	r := &room{chat: d.Start(id), author: body.Author}
	d.rooms[secret] = r
	d.Keep = append(d.Keep, secret)
	for _, f := range body.Fields {
		r.chat.Data[f.Name] = f.Value
		if !strings.HasPrefix(f.Name, "h_") {
			r.chat.Internal = append(r.chat.Internal, f.Name+": "+f.Value)
		}
	}
	d.happens(r, "StatusEvent", "status", "chat_ok")
	out := answer(http.StatusCreated, "<SocialContact><author>"+quoted(body.Author)+"</author><id>"+id+"</id><status>unread</status></SocialContact>")
	out.Header.Set("Location", contacts+id)
	out.Header.Set("Set-Cookie", (&http.Cookie{Name: cookieName, Value: secret, Path: "/ccp", Secure: true, HttpOnly: true}).String())
	return out
}

func quoted(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
	return b.String()
}

// happens adds an event with elements: pairs of name and text.
func (d *Double) happens(r *room, kind string, elements ...string) *event {
	id, err := strconv.Atoi(d.NextID())
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<%s><id>%d</id>", kind, id)
	for pair := range slices.Chunk(elements, 2) {
		fmt.Fprintf(&b, "<%s>%s</%s>", pair[0], quoted(pair[1]), pair[0])
	}
	b.WriteString("</" + kind + ">")
	r.events = append(r.events, event{id: id, xml: b.String()})
	return &r.events[len(r.events)-1]
}

// tell answers with the events after one.
func (d *Double) tell(r *room, after int, all bool) vendortest.Out {
	var b strings.Builder
	b.WriteString("<" + d.Root + ">")
	for _, e := range r.events {
		if e.id > after && (all || !e.ours) {
			b.WriteString(e.xml)
		}
	}
	b.WriteString("</" + d.Root + ">")
	return answer(http.StatusOK, b.String())
}

// Left returns what was pushed, oldest first. It takes the lock.
func (d *Double) Left() []string {
	d.Lock()
	defer d.Unlock()
	return slices.Clone(d.left)
}

// Forget ends the session of a chat, as a restart of the platform does. It takes
// the lock.
func (d *Double) Forget(reference string) {
	d.Lock()
	defer d.Unlock()
	for secret, r := range d.rooms {
		if r.chat.Reference == reference {
			r.chat.Open = false
			delete(d.rooms, secret)
		}
	}
}

// Status tells the status of a chat: chat_issue, chat_timedout_waiting_for_agent.
// It takes the lock.
func (d *Double) Status(reference, status string) {
	d.Lock()
	defer d.Unlock()
	if r := d.room(reference); r != nil {
		d.happens(r, "StatusEvent", "status", status, "detail", "All agents are busy.")
	}
}

// Answer returns what the platform answers to who reads all of a chat. It takes
// the lock.
func (d *Double) Answer(reference string) []byte {
	d.Lock()
	defer d.Unlock()
	return d.tell(d.room(reference), 0, false).Body
}

func (d *Double) room(reference string) *room {
	for _, r := range d.rooms {
		if r.chat.Reference == reference {
			return r
		}
	}
	return nil
}

// Chats implements providertest.Vendor. A customer of whom nothing is heard is
// forgotten to write.
func (d *Double) Chats() []providertest.Chat {
	d.Lock()
	if time.Since(d.typed) > 10*time.Second {
		for _, r := range d.rooms {
			r.chat.UserTypes = false
		}
	}
	d.Unlock()
	return d.Double.Chats()
}

// Do implements providertest.Vendor.
func (d *Double) Do(a providertest.Act) bool {
	d.Lock()
	defer d.Unlock()
	a = vendortest.ReturnByWord(a)
	switch a.Kind {
	case providertest.Join, providertest.Transfer, providertest.Say, providertest.Type, providertest.End:
	default:
		return false // it has no such thing
	}
	r := d.room(a.Chat)
	if r == nil || !r.chat.Open {
		return r != nil || d.Find(a.Chat) != nil
	}
	switch a.Kind {
	case providertest.Join, providertest.Transfer:
		d.enter(r, a.Agent)
	case providertest.Say:
		d.Add(r.chat, vendortest.Message{From: handoff.RoleAgent, Text: a.Text})
		d.happens(r, "MessageEvent", "from", r.chat.Agent.Name, "body", url.QueryEscape(a.Text))
	case providertest.Type:
		d.happens(r, "TypingEvent", "from", r.chat.Agent.Name, "status", "composing")
	default:
		d.leave(r, "")
		r.chat.Open = false
	}
	return true
}

// enter lets an agent into the room, and the one who was there before out.
func (d *Double) enter(r *room, agent handoff.Party) {
	if r.chat.Agent.Name == agent.Name {
		return
	}
	r.chat.Agent = agent
	r.here = append(r.here, agent)
	d.happens(r, "PresenceEvent", "from", agent.Name, "status", "joined")
	d.leave(r, agent.Name)
}

// leave lets everybody but one leave.
func (d *Double) leave(r *room, but string) {
	r.here = slices.DeleteFunc(r.here, func(p handoff.Party) bool {
		if p.Name == but {
			return false
		}
		d.happens(r, "PresenceEvent", "from", p.Name, "status", "left")
		return true
	})
}
