package ownprovider_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/examples/ownprovider"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

const (
	token  = "acme-t0ken"
	secret = "acme-s3cret"
)

const schema = `{
	"$defs": {"said": {"type": "object", "required": ["id", "from", "text"], "additionalProperties": false,
		"properties": {"id": {"type": "string"}, "from": {"enum": ["user", "bot", "agent"]}, "text": {"type": "string", "maxLength": 4000}}}},
	"POST /chats": {"body": {"type": "object", "required": ["attempt", "said"], "additionalProperties": false,
		"properties": {"attempt": {"type": "string"}, "note": {"type": "string"}, "said": {"type": "array", "items": {"$ref": "#/$defs/said"}}}}},
	"GET /chats": {"query": {"type": "object", "required": ["attempt"]}},
	"GET /chats/{chat}": {},
	"POST /chats/{chat}/messages": {"body": {"$ref": "#/$defs/said"}},
	"PUT /chats/{chat}": {"body": {"type": "object", "properties": {"state": {"const": "closed"}}, "additionalProperties": false}}
}`

// acme is the double.
type acme struct{ *vendortest.Double }

func newAcme(tb testing.TB) *acme {
	d := &acme{vendortest.New(tb, []byte(schema))}
	d.Keep = []string{token, secret}
	d.Auth = func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+token }
	type said struct {
		ID, Text string
		From     handoff.Role
	}
	byAttempt := func(attempt string) *vendortest.Chat {
		return d.Search(func(c *vendortest.Chat) bool { return c.Attempt == attempt })
	}
	on := func(h func(in *vendortest.In, c *vendortest.Chat) vendortest.Out) func(in *vendortest.In) vendortest.Out {
		return func(in *vendortest.In) vendortest.Out {
			if c := d.Find(in.PathValue("chat")); c != nil {
				return h(in, c)
			}
			return vendortest.Out{Status: http.StatusNotFound}
		}
	}
	d.Handle("POST /chats", func(in *vendortest.In) vendortest.Out {
		var o struct {
			Attempt, Note string
			Said          []said
		}
		in.Into(&o)
		c := byAttempt(o.Attempt)
		if c == nil {
			c = d.Start("chat-" + d.NextID())
			c.Attempt, c.Internal = o.Attempt, []string{o.Note}
			for _, s := range o.Said {
				d.Add(c, vendortest.Message{ID: s.ID, From: s.From, Text: s.Text})
			}
		}
		return vendortest.Out{JSON: map[string]string{"chat": c.Reference}}
	})
	d.Handle("GET /chats", func(in *vendortest.In) vendortest.Out {
		if c := byAttempt(in.URL.Query().Get("attempt")); c != nil {
			return vendortest.Out{JSON: map[string]string{"chat": c.Reference}}
		}
		return vendortest.Out{Status: http.StatusNotFound}
	})
	d.Handle("GET /chats/{chat}", on(func(_ *vendortest.In, c *vendortest.Chat) vendortest.Out {
		state := "waiting"
		if c.Agent.ID != "" {
			state = "open"
		}
		if !c.Open {
			state = "closed"
		}
		return vendortest.Out{JSON: map[string]string{"chat": c.Reference, "state": state, "agent": c.Agent.ID, "name": c.Agent.Name}}
	}))
	d.Handle("POST /chats/{chat}/messages", on(func(in *vendortest.In, c *vendortest.Chat) vendortest.Out {
		var s said
		in.Into(&s)
		for _, m := range c.Messages {
			if m.Mark == s.ID {
				return vendortest.Out{}
			}
		}
		d.Add(c, vendortest.Message{From: s.From, Text: s.Text, Mark: s.ID})
		return vendortest.Out{}
	}))
	d.Handle("PUT /chats/{chat}", on(func(_ *vendortest.In, c *vendortest.Chat) vendortest.Out {
		c.Open = false
		return vendortest.Out{}
	}))
	return d
}

func sign(secret string, at time.Time, body []byte) handoff.Webhook {
	stamp := strconv.FormatInt(at.Unix(), 10)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(stamp + "." + string(body)))
	h := http.Header{}
	h.Set("X-Acme-Time", stamp)
	h.Set("X-Acme-Signature", hex.EncodeToString(m.Sum(nil)))
	return handoff.Webhook{Method: http.MethodPost, Header: h, Body: body}
}

func (d *acme) Do(a providertest.Act) bool {
	d.Lock()
	defer d.Unlock()
	c := d.Find(a.Chat)
	if c == nil || !c.Open {
		return c != nil
	}
	what := ""
	switch a.Kind {
	case providertest.Join, providertest.Transfer:
		what, c.Agent = "joined", a.Agent
	case providertest.Say:
		what = "said"
		d.Add(c, vendortest.Message{From: handoff.RoleAgent, Text: a.Text})
	case providertest.Leave:
		what, c.Agent = "left", handoff.Party{}
	case providertest.End:
		what, c.Open = "closed", false
	default:
		return false
	}
	d.Push(sign(secret, time.Now(), vendortest.JSON(map[string]any{
		"id": "e" + d.NextID(), "chat": c.Reference, "attempt": c.Attempt, "what": what, "at": time.Now(), "agent": c.Agent.ID, "name": c.Agent.Name, "text": a.Text,
	})))
	return true
}

func (d *acme) Forged() []handoff.Webhook {
	return vendortest.Forge(sign(secret, time.Now(), []byte(`{"id":"e","chat":"chat-1","what":"closed"}`)), "X-Acme-Time", "X-Acme-Signature")
}

func adapter(tb testing.TB, h http.Handler, secrets ...string) *ownprovider.Provider {
	p, err := ownprovider.New(ownprovider.Config{URL: "https://acme.example", Token: token, Secrets: secrets, HTTP: providertest.Client(h)})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := newAcme(t)
		return providertest.Harness{Provider: adapter(t, d, secret), Vendor: d, Again: func() handoff.Provider { return adapter(t, d, secret) }}
	})
}

func TestSignatures(t *testing.T) {
	// printf '1770000000.{"id":"e","what":"typing"}' | openssl dgst -sha256 -hmac acme
	h := http.Header{}
	h.Set("X-Acme-Time", "1770000000")
	h.Set("X-Acme-Signature", "4ba6b70cb88146055855bc5aeb2b66ba2bfbfaeb0420689c7b711e616305a655")
	vendortest.Scheme{
		New: func(secrets ...string) handoff.Receiver { return adapter(t, nil, secrets...) },
		Vectors: []vendortest.Vector{{
			Source: "openssl", Secret: "acme", At: time.Unix(1770000000, 0),
			Webhook: handoff.Webhook{Header: h, Body: []byte(`{"id":"e","what":"typing"}`)},
		}},
		Sign:   func(s string, at time.Time) handoff.Webhook { return sign(s, at, []byte(`{"id":"e","what":"typing"}`)) },
		Header: "X-Acme-Signature", Timed: true,
	}.Check(t)
}
