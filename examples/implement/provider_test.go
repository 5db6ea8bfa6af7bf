package implement_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/examples/implement"
	"github.com/seed-2a427302/handoff/providertest"
)

func TestProvider(t *testing.T) {
	providertest.Run(t, func(*testing.T) providertest.Harness {
		d := &double{attempts: map[string]string{}, seen: map[string]bool{}}
		again := func() handoff.Provider {
			return &implement.Helpdesk{URL: "http://helpdesk.example", Secret: secret, Client: providertest.Client(d)}
		}
		return providertest.Harness{Provider: again(), Vendor: d, Again: again}
	})
}

const secret = "a very secret secret"

// double is the platform: what its server would do, and what its agents do.
type double struct {
	mu       sync.Mutex
	chats    []providertest.Chat
	agents   []handoff.Party   // of each chat
	attempts map[string]string // chat of an attempt
	seen     map[string]bool   // ids of messages
	out      []handoff.Webhook
	events   int
	broken   providertest.Failure
}

// ServeHTTP is the platform's interface.
func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	broken := d.broken
	d.mu.Unlock()
	switch broken {
	case providertest.Hangs:
		<-r.Context().Done()
		return
	case providertest.Busy:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case providertest.Refuses:
		w.WriteHeader(http.StatusForbidden)
		return
	case providertest.LosesAnswer:
		defer panic(http.ErrAbortHandler)
	case providertest.Works:
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var in struct {
		ID, Attempt, Note, From, Text string
		Said                          []struct{ From, Text string }
	}
	if r.Header.Get("Authorization") != "Bearer "+secret || json.NewDecoder(r.Body).Decode(&in) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.URL.Path == "/chats" {
		chat := d.attempts[in.Attempt]
		if chat == "" {
			chat = "chat-" + strconv.Itoa(len(d.chats))
			c := providertest.Chat{Reference: chat, Open: true, Internal: []string{in.Note}}
			for _, s := range in.Said {
				c.Messages = append(c.Messages, providertest.Said{From: handoff.Role(s.From), Text: s.Text})
			}
			d.chats, d.attempts[in.Attempt] = append(d.chats, c), chat
			d.agents = append(d.agents, handoff.Party{})
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"chat": chat})
		return
	}
	path := strings.Split(r.URL.Path, "/")
	i := d.find(path[2])
	switch {
	case i < 0:
		w.WriteHeader(http.StatusNotFound)
	case path[3] == "close":
		d.chats[i].Open = false
	case !d.chats[i].Open:
		w.WriteHeader(http.StatusConflict)
	case !d.seen[path[2]+"/"+in.ID]:
		d.seen[path[2]+"/"+in.ID] = true
		d.chats[i].Messages = append(d.chats[i].Messages, providertest.Said{From: handoff.Role(in.From), Text: in.Text})
	}
}

func (d *double) find(chat string) int {
	return slices.IndexFunc(d.chats, func(c providertest.Chat) bool { return c.Reference == chat })
}

// Do is what happens at the platform's desks.
func (d *double) Do(a providertest.Act) bool {
	what := map[providertest.ActKind]string{
		providertest.Join: "joined", providertest.Say: "said", providertest.Leave: "left", providertest.Transfer: "joined",
		providertest.End: "closed", providertest.Return: "returned",
	}[a.Kind]
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.find(a.Chat)
	if what == "" || i < 0 {
		return false
	}
	if !d.chats[i].Open {
		return true
	}
	switch what {
	case "joined":
		d.agents[i] = a.Agent
	case "said":
		d.chats[i].Messages = append(d.chats[i].Messages, providertest.Said{From: handoff.RoleAgent, Text: a.Text})
	case "closed", "returned":
		d.chats[i].Open = false
	}
	d.events++
	d.out = append(d.out, webhook(map[string]any{
		"id": "e" + strconv.Itoa(d.events), "chat": a.Chat, "what": what, "at": time.Now(),
		"agent": d.agents[i].ID, "name": d.agents[i].Name, "text": a.Text,
	}))
	return true
}

func webhook(event map[string]any) handoff.Webhook {
	body, _ := json.Marshal(event)
	header := http.Header{}
	header.Set("X-Helpdesk-Signature", hex.EncodeToString(implement.Sign(secret, body)))
	return handoff.Webhook{Method: http.MethodPost, Path: "/hook", Header: header, Body: body}
}

func (d *double) Webhooks() []handoff.Webhook {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.out
	d.out = nil
	return out
}

func (d *double) Chats() []providertest.Chat {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := slices.Clone(d.chats)
	for i := range out {
		out[i].Messages = slices.Clone(out[i].Messages)
	}
	return out
}

func (d *double) Break(f providertest.Failure) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = f
}

func (d *double) Secrets() []string { return []string{secret} }

// Forged is what an attacker would send.
func (d *double) Forged() []handoff.Webhook {
	event := map[string]any{"id": "e0", "chat": "chat-0", "what": "said", "at": time.Now(), "text": "hello"}
	changed := webhook(event)
	changed.Body = append(changed.Body, ' ')
	unsigned := webhook(event)
	unsigned.Header = nil
	event["at"] = time.Now().AddDate(0, 0, -2)
	return []handoff.Webhook{changed, unsigned, webhook(event)}
}
