// Package slacktest is a double of Slack, as far as package slack depends on
// it: for that package's tests and for those of hosts.
package slacktest

import (
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
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
	URL     = "https://slack.example/api"
	Token   = "xoxb-slack-bot-t0ken"
	Secret  = "slack-signing-s3cret"
	Channel = "C0HANDOFF"
)

//go:embed schema.json
var schema []byte

// A Double is a Slack workspace with one channel.
type Double struct {
	*vendortest.Double

	n     int64
	files map[string]string // id → name
}

// New returns a Slack whose channel is empty, and where somebody is active.
func New(tb testing.TB) *Double {
	tb.Helper()
	d := &Double{Double: vendortest.New(tb, schema), files: map[string]string{}}
	d.Keep = []string{Token, Secret}
	d.Auth = func(r *http.Request) bool {
		return strings.HasPrefix(r.URL.Path, "/upload/") || r.Header.Get("Authorization") == "Bearer "+Token
	}
	d.Handle("POST /api/chat.postMessage", d.post)
	d.Handle("POST /api/chat.update", d.update)
	d.Handle("GET /api/conversations.history", d.history)
	d.Handle("GET /api/conversations.replies", d.replies)
	d.Handle("GET /api/users.getPresence", func(*vendortest.In) vendortest.Out { return ok(fields{"presence": "active"}) })
	d.Handle("POST /api/files.getUploadURLExternal", func(in *vendortest.In) vendortest.Out {
		id := "F" + d.NextID()
		d.files[id] = form(in).Get("filename")
		return ok(fields{"upload_url": "https://slack.example/upload/" + id, "file_id": id})
	})
	d.Handle("POST /upload/{file}", func(in *vendortest.In) vendortest.Out {
		return vendortest.Out{Body: fmt.Appendf(nil, "OK - %d", len(in.Raw))}
	})
	d.Handle("POST /api/files.completeUploadExternal", d.complete)
	return d
}

type fields map[string]any

func ok(f fields) vendortest.Out {
	f["ok"] = true
	return vendortest.Out{JSON: f}
}

func failed(code string) vendortest.Out {
	return vendortest.Out{JSON: fields{"ok": false, "error": code}}
}

func form(in *vendortest.In) url.Values {
	f, _ := url.ParseQuery(string(in.Raw))
	return f
}

// ts names another message.
func (d *Double) ts() string {
	d.n++
	return fmt.Sprintf("%d.%06d", time.Now().Unix(), d.n)
}

func reference(ts string) string { return Channel + ":" + ts }

var unescaper = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// metadata is what our messages carry.
type metadata struct {
	Payload struct {
		Kind string `json:"kind"`
		ID   string `json:"id"`
	} `json:"event_payload"`
}

func (d *Double) post(in *vendortest.In) vendortest.Out {
	f := form(in)
	if f.Get("channel") != Channel {
		return failed("channel_not_found")
	}
	var meta metadata
	_ = json.Unmarshal([]byte(f.Get("metadata")), &meta)
	ts, text := d.ts(), unescaper.Replace(f.Get("text"))
	if f.Get("thread_ts") == "" {
		c := d.Start(reference(ts))
		c.Data["meta"], c.Data["kind"] = f.Get("metadata"), meta.Payload.Kind
		if meta.Payload.Kind != "opening" {
			c.Open = false // a message that begins no chat
		}
		c.Attempt = meta.Payload.ID
		return ok(fields{"ts": ts, "channel": Channel})
	}
	c := d.Find(reference(f.Get("thread_ts")))
	if c == nil {
		return failed("thread_not_found")
	}
	switch meta.Payload.Kind {
	case "message":
		from := handoff.RoleUser
		if f.Get("username") == "Bot" {
			from = handoff.RoleBot
		}
		m := vendortest.Message{ID: ts, From: from, Text: text, Mark: f.Get("metadata")}
		if name := c.Data["file"]; name != "" {
			m.Files = []handoff.File{{Name: name}}
			delete(c.Data, "file")
		}
		d.Add(c, m)
	default:
		c.Internal = append(c.Internal, text)
		c.Data["marks"] += f.Get("metadata") + "\n"
	}
	d.event(fields{
		"type": "message", "channel": Channel, "user": "U0BOT", "bot_id": "B0BOT", "text": f.Get("text"), "ts": ts, "thread_ts": f.Get("thread_ts"),
	})
	return ok(fields{"ts": ts, "channel": Channel})
}

func (d *Double) update(in *vendortest.In) vendortest.Out {
	f := form(in)
	c := d.Find(f.Get("channel") + ":" + f.Get("ts"))
	if c == nil {
		return failed("message_not_found")
	}
	c.Open = false
	return ok(fields{"ts": f.Get("ts")})
}

func posted(ts, meta string) fields {
	var m any
	_ = json.Unmarshal([]byte(meta), &m)
	return fields{"type": "message", "ts": ts, "metadata": m}
}

func (d *Double) history(*vendortest.In) vendortest.Out {
	list := []fields{}
	d.Search(func(c *vendortest.Chat) bool {
		_, ts, _ := strings.Cut(c.Reference, ":")
		list = append(list, posted(ts, c.Data["meta"]))
		return false
	})
	return ok(fields{"messages": list})
}

func (d *Double) replies(in *vendortest.In) vendortest.Out {
	ts := in.URL.Query().Get("ts")
	c := d.Find(reference(ts))
	if c == nil {
		return failed("thread_not_found")
	}
	list := []fields{posted(ts, c.Data["meta"])}
	for _, m := range c.Messages {
		list = append(list, posted(m.ID, m.Mark))
	}
	for meta := range strings.SplitSeq(c.Data["marks"], "\n") {
		if meta != "" {
			list = append(list, posted("1.000001", meta))
		}
	}
	page, next := paged(in, list)
	return ok(fields{"messages": page, "response_metadata": fields{"next_cursor": next}})
}

// paged is the page of a list that was asked for, and where the next begins.
func paged(in *vendortest.In, list []fields) (page []fields, next string) {
	q := in.URL.Query()
	from, _ := strconv.Atoi(q.Get("cursor"))
	limit, _ := strconv.Atoi(q.Get("limit"))
	list = list[min(from, len(list)):]
	if limit == 0 || len(list) <= limit {
		return list, ""
	}
	return list[:limit], strconv.Itoa(from + limit)
}

// complete shows an uploaded file in a thread; the double shows it with the
// message that follows.
func (d *Double) complete(in *vendortest.In) vendortest.Out {
	f := form(in)
	var list []struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal([]byte(f.Get("files")), &list)
	c := d.Find(reference(f.Get("thread_ts")))
	if c == nil || len(list) != 1 || d.files[list[0].ID] == "" {
		return failed("file_not_found")
	}
	c.Data["file"] = d.files[list[0].ID]
	return ok(fields{"files": list})
}

// Sign returns a webhook with a body, as Slack signs it at a time.
func Sign(secret, typ string, at time.Time, body []byte) handoff.Webhook {
	stamp := strconv.FormatInt(at.Unix(), 10)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("v0:" + stamp + ":" + string(body)))
	h := http.Header{}
	h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(m.Sum(nil)))
	h.Set("X-Slack-Request-Timestamp", stamp)
	h.Set("Content-Type", typ)
	return handoff.Webhook{Method: http.MethodPost, Path: "/", Header: h, Body: body}
}

func (d *Double) event(event fields) {
	body := vendortest.JSON(fields{
		"type": "event_callback", "team_id": "T0", "api_app_id": "A0", "event_id": "Ev" + d.NextID(), "event_time": time.Now().Unix(), "event": event,
	})
	d.Push(Sign(Secret, "application/json", time.Now(), body))
}

func (d *Double) press(c *vendortest.Chat, who handoff.Party, action string) {
	_, ts, _ := strings.Cut(c.Reference, ":")
	payload := vendortest.JSON(fields{
		"type": "block_actions", "user": fields{"id": who.ID, "name": who.Name, "username": who.Name}, "channel": fields{"id": Channel},
		"container": fields{"type": "message", "channel_id": Channel, "message_ts": ts},
		"actions":   []fields{{"type": "button", "action_id": action, "block_id": "handoff", "action_ts": d.ts()}},
	})
	body := url.Values{"payload": {string(payload)}}.Encode()
	d.Push(Sign(Secret, "application/x-www-form-urlencoded", time.Now(), []byte(body)))
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// typed is a text as Slack sends it: escaped, and addresses in brackets.
func typed(s string) string {
	s = escaper.Replace(s)
	if strings.HasPrefix(s, "https://") && !strings.ContainsAny(s, " \n") {
		s = "<" + s + ">"
	}
	return s
}

// Do implements providertest.Vendor.
func (d *Double) Do(a providertest.Act) bool {
	d.Lock()
	defer d.Unlock()
	c := d.Find(a.Chat)
	if c == nil || !c.Open {
		return c != nil
	}
	_, thread, _ := strings.Cut(c.Reference, ":")
	switch a.Kind {
	case providertest.Join, providertest.Transfer:
		c.Agent = a.Agent
		d.press(c, a.Agent, "handoff_take")
	case providertest.Leave:
		d.press(c, c.Agent, "handoff_release")
		c.Agent = handoff.Party{}
	case providertest.Say, providertest.Write:
		text := a.Text
		if a.Kind == providertest.Write {
			text = "// " + text
			c.Internal = append(c.Internal, a.Text)
		}
		ts := d.ts()
		event := fields{"type": "message", "channel": Channel, "user": c.Agent.ID, "text": typed(text), "ts": ts, "thread_ts": thread}
		if len(a.Files) > 0 {
			event["subtype"] = "file_share"
			event["files"] = []fields{{"id": "F1", "name": a.Files[0].Name, "mimetype": a.Files[0].Type, "url_private": "https://files.slack.com/f", "size": a.Files[0].Size}}
		}
		if a.Kind == providertest.Say {
			d.Add(c, vendortest.Message{ID: ts, From: handoff.RoleAgent, Text: a.Text, Files: a.Files})
		}
		d.event(event)
	case providertest.End:
		c.Open = false
		d.press(c, c.Agent, "handoff_end")
	case providertest.Return:
		c.Open = false
		d.press(c, c.Agent, "handoff_return")
	default:
		return false
	}
	return true
}

// Forged implements providertest.Forger.
func (d *Double) Forged() []handoff.Webhook {
	body := []byte(`{"type":"event_callback","event_id":"Ev","event":{"type":"message","channel":"C0HANDOFF","user":"U7","text":"x","ts":"2.000001","thread_ts":"1.000001"}}`)
	return vendortest.Forge(Sign(Secret, "application/json", time.Now(), body), "X-Slack-Signature", "X-Slack-Request-Timestamp")
}
