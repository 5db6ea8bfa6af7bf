package livechattest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/vendortest"
)

// A Socket is one connection to the double's RTM API.
type Socket struct {
	*vendortest.Pipe

	Address  string   // that was dialed
	Heard    []string // all that was said on it. Lock for it
	customer string   // who is logged in
	pushes   map[string][]string
}

// Dial is a provider.Dialer: it opens the RTM API for customers, which tells a
// customer who has logged in what happens in his chats.
func (d *Double) Dial(_ context.Context, address string, _ http.Header) (provider.Conn, error) {
	here, there := vendortest.NewPipe()
	s := &Socket{Pipe: there, Address: address}
	d.Lock()
	defer d.Unlock()
	if u, err := url.Parse(address); err != nil || u.Scheme != "wss" || u.Path != "/v3.6/customer/rtm/ws" || u.Query().Get("organization_id") != Organization {
		return nil, vendortest.ErrCut
	}
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

// serve answers until the connection is over: it is, 30 seconds after the last word.
func (d *Double) serve(s *Socket) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		message, err := s.Read(ctx)
		cancel()
		if err != nil {
			return
		}
		var r struct {
			Action  string `json:"action"`
			Payload struct {
				Token  string              `json:"token"`
				Pushes map[string][]string `json:"pushes"`
			} `json:"payload"`
		}
		if json.Unmarshal(message, &r) != nil {
			_ = s.Close()
			return
		}
		d.Lock()
		s.Heard = append(s.Heard, string(message))
		out := fields{"action": r.Action, "type": "response", "success": true, "payload": fields{}}
		if r.Action == "login" {
			t, ok := d.tokens[strings.TrimPrefix(r.Payload.Token, "Bearer ")]
			if !ok || t.customer == "" || !time.Now().Before(t.until) {
				out["success"], out["payload"] = false, fields{"error": fields{"type": "authentication", "message": r.Payload.Token}}
			} else {
				s.customer, s.pushes = t.customer, r.Payload.Pushes
			}
		}
		d.Unlock()
		_ = s.Write(context.Background(), vendortest.JSON(out))
	}
}

// push tells the customer of a chat, and reports whether somebody heard it.
func (d *Double) push(c *vendortest.Chat, action string, payload fields) (told bool) {
	payload["chat_id"], payload["thread_id"] = c.Reference, c.Data["thread"]
	for _, s := range d.open() {
		for _, name := range s.pushes["3.6"] {
			if s.customer == c.Data["customer"] && name == action {
				_ = s.Write(context.Background(), vendortest.JSON(fields{"version": "3.6", "action": action, "type": "push", "payload": payload}))
				told = true
			}
		}
	}
	return told
}
