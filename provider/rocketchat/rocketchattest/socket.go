package rocketchattest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/vendortest"
)

// A Socket is one connection to the double's real-time interface.
type Socket struct {
	*vendortest.Pipe

	Address string            // that was dialed
	Heard   []string          // all that was said on it. Lock for it
	Subs    map[string]string // "stream event", by the id of its subscription. Lock for it
}

// Dial is a provider.Dialer: it opens the real-time interface (DDP), which tells the
// visitor of a room what happens in it.
func (d *Double) Dial(_ context.Context, address string, _ http.Header) (provider.Conn, error) {
	if address != "wss://chat.example/websocket" {
		return nil, vendortest.ErrCut
	}
	here, there := vendortest.NewPipe()
	s := &Socket{Pipe: there, Address: address, Subs: map[string]string{}}
	d.Lock()
	defer d.Unlock()
	d.sockets = append(d.sockets, s)
	go d.serve(s)
	return here, nil
}

// Sockets returns the connections that are open, oldest first. It takes the lock.
func (d *Double) Sockets() []*Socket {
	d.Lock()
	defer d.Unlock()
	return d.open()
}

func (d *Double) open() (out []*Socket) {
	for _, s := range d.sockets {
		select {
		case <-s.Closed():
		default:
			out = append(out, s)
		}
	}
	return out
}

// serve answers until the connection is over: it is, if a ping is not answered.
func (d *Double) serve(s *Socket) {
	_ = s.Write(context.Background(), []byte(`{"server_id":"0"}`))
	for pinged := false; ; {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		message, err := s.Read(ctx)
		cancel()
		if err != nil {
			return
		}
		var w struct {
			Msg    string            `json:"msg"`
			Name   string            `json:"name"`
			Method string            `json:"method"`
			ID     string            `json:"id"`
			Params []json.RawMessage `json:"params"`
		}
		if json.Unmarshal(message, &w) != nil {
			_ = s.Close()
			return
		}
		d.Lock()
		s.Heard = append(s.Heard, string(message))
		var out []fields
		switch w.Msg {
		case "connect":
			out = append(out, fields{"msg": "connected", "session": "s1"})
		case "ping":
			if out = append(out, fields{"msg": "pong"}); !pinged {
				out = append(out, fields{"msg": "ping", "id": "p1"}) // and a ping of its own
			} else if !slices.Contains(s.Heard, `{"msg":"pong","id":"p1"}`) {
				_ = s.Close()
			}
			pinged = true
		case "sub":
			if d.maySubscribe(w.Params) {
				var event string
				_ = json.Unmarshal(w.Params[0], &event)
				s.Subs[w.ID] = w.Name + " " + event
				out = append(out, fields{"msg": "ready", "subs": []string{w.ID}})
			} else {
				out = append(out, fields{"msg": "nosub", "id": w.ID, "error": fields{"isClientSafe": true, "error": "not-allowed", "errorType": "Meteor.Error"}})
			}
		case "method":
			if w.Method == "stream-notify-room" {
				d.visitorWrites(s, w.Params)
			}
			out = append(out, fields{"msg": "result", "id": w.ID}, fields{"msg": "updated", "methods": []string{w.ID}})
		case "unsub":
			delete(s.Subs, w.ID)
			out = append(out, fields{"msg": "nosub", "id": w.ID})
		}
		d.Unlock()
		for _, f := range out {
			_ = s.Write(context.Background(), vendortest.JSON(f))
		}
	}
}

// maySubscribe reports whether somebody is the visitor of a room, as he says.
func (d *Double) maySubscribe(params []json.RawMessage) bool {
	var event string
	var how struct {
		Args []struct {
			Token   string `json:"token"`
			Visitor string `json:"visitorToken"`
		} `json:"args"`
	}
	if len(params) != 2 || json.Unmarshal(params[0], &event) != nil || json.Unmarshal(params[1], &how) != nil || len(how.Args) != 1 {
		return false
	}
	room, _, notify := strings.Cut(event, "/")
	token := how.Args[0].Visitor
	if notify {
		token = how.Args[0].Token
	}
	c := d.Find(room)
	return c != nil && token != "" && c.Data["token"] == token
}

// visitorWrites shows the agents of a room that its visitor writes, if it is he who
// says so, and tells whoever else reads the room's stream. What is not allowed is
// passed over.
func (d *Double) visitorWrites(s *Socket, params []json.RawMessage) {
	var event, who string
	var activities []string
	var as struct {
		Token string `json:"token"`
	}
	if len(params) != 4 || json.Unmarshal(params[0], &event) != nil || json.Unmarshal(params[1], &who) != nil ||
		json.Unmarshal(params[2], &activities) != nil || activities == nil || json.Unmarshal(params[3], &as) != nil {
		return
	}
	room, what, _ := strings.Cut(event, "/")
	c := d.Find(room)
	if c == nil || what != "user-activity" || who != Visitor || as.Token == "" || c.Data["token"] != as.Token {
		return
	}
	c.UserTypes = slices.Contains(activities, "user-typing")
	d.pushBut(s, "stream-notify-room", event, who, activities, as)
}

// push tells whoever has subscribed, and reports whether somebody has.
func (d *Double) push(stream, event string, args ...any) (told bool) {
	return d.pushBut(nil, stream, event, args...)
}

// pushBut does not tell him on whose connection it was said.
func (d *Double) pushBut(origin *Socket, stream, event string, args ...any) (told bool) {
	frame := vendortest.JSON(fields{"msg": "changed", "collection": stream, "id": "id", "fields": fields{"eventName": event, "args": args}})
	for _, s := range d.open() {
		if s == origin {
			continue
		}
		for _, sub := range s.Subs {
			if sub == stream+" "+event {
				_ = s.Write(context.Background(), frame)
				told = true
			}
		}
	}
	return told
}

// writes tells that somebody writes, as old and new clients are told it.
func (d *Double) writes(c *vendortest.Chat, on bool) bool {
	activities := []string{}
	if on {
		activities = append(activities, "user-typing")
	}
	who := strings.ToLower(c.Agent.Name)
	d.push("stream-notify-room", c.Reference+"/typing", who, on)
	return d.push("stream-notify-room", c.Reference+"/user-activity", who, activities, fields{})
}

// queued tells a visitor his place, as the enterprise edition does.
func (d *Double) queued(c *vendortest.Chat, place int, wait float64) {
	d.waits[c.Reference] = wait
	d.push("stream-livechat-room", c.Reference, fields{"type": "queueData", "data": fields{
		"spot": place, "estimatedWaitTimeSeconds": wait, "message": fields{"text": "", "user": fields{"_id": "rocket.cat", "username": "rocket.cat"}},
	}})
}
