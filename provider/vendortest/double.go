package vendortest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/providertest"
)

// A Double is a platform without its own ways. Everything but [Double.Lock],
// [Double.Unlock] and what says so is called with the lock held: handlers of
// [Double.Handle] have it already, and what a test calls takes it itself.
type Double struct {
	// Auth says whether a request has the right credentials; nil is any. One
	// without gets 401.
	Auth func(r *http.Request) bool

	// Keep names what must not be seen in errors and logs, besides the state of
	// sessions, which the suite looks at itself.
	Keep []string

	mu         sync.Mutex
	mux        *http.ServeMux
	routes     map[string]*route
	checks     []func(r *http.Request, body []byte) error
	chats      []*Chat
	hooks      []handoff.Webhook
	last       int
	failure    providertest.Failure
	trouble    []Trouble
	losing     int // the answer to this request that changes something is lost
	requests   []Request
	violations []string
}

// A Chat is a chat as the platform keeps it.
type Chat struct {
	Reference string
	Attempt   string // our mark, where the platform keeps one
	Open      bool
	Agent     handoff.Party // who has it; zero while nobody has
	Messages  []Message
	Internal  []string          // notes, attributes: what only agents see
	UserTypes bool              // the user is writing
	Data      map[string]string // what else the platform keeps
}

// A Message is one message of a chat.
type Message struct {
	ID    string
	From  handoff.Role
	Text  string
	Files []handoff.File
	Mark  string // our mark, where the platform keeps one
}

// A Request is one that the adapter made.
type Request struct {
	Pattern string // of the handler
	Method  string
	URL     string
	Header  http.Header
	Body    []byte
	Status  int // that it was answered with; 0: it was not answered
}

// New returns a double. schemas is a JSON object: for each pattern of a handler
// (see [Double.Handle]) what a request may be, as {"query": schema, "form":
// schema, "body": schema, "xml": schema, "raw": true for a body of any bytes}, all
// optional, besides "$defs" for all of them; what is not foreseen is not allowed. A form and a query are objects of strings; XML is an object with its
// root, an element without others in it a string, one that comes twice a list.
func New(tb testing.TB, schemas []byte) *Double {
	tb.Helper()
	routes, err := parseRoutes(schemas)
	if err != nil {
		tb.Fatal(err)
	}
	return &Double{mux: http.NewServeMux(), routes: routes}
}

// Lock locks the double, as a script of what happens there has to.
func (d *Double) Lock() { d.mu.Lock() }

// Unlock unlocks it.
func (d *Double) Unlock() { d.mu.Unlock() }

// NextID returns another number, as text.
func (d *Double) NextID() string {
	d.last++
	return strconv.Itoa(d.last)
}

// Start adds an open chat.
func (d *Double) Start(reference string) *Chat {
	c := &Chat{Reference: reference, Open: true, Data: map[string]string{}}
	d.chats = append(d.chats, c)
	return c
}

// Find returns the latest chat with a reference, or nil.
func (d *Double) Find(reference string) *Chat {
	return d.Search(func(c *Chat) bool { return c.Reference == reference })
}

// Search returns the latest chat that fits, or nil.
func (d *Double) Search(fits func(c *Chat) bool) *Chat {
	for _, c := range slices.Backward(d.chats) {
		if fits(c) {
			return c
		}
	}
	return nil
}

// Add adds a message to a chat, with an id if it has none.
func (d *Double) Add(c *Chat, m Message) Message {
	if m.ID == "" {
		m.ID = d.NextID()
	}
	c.Messages = append(c.Messages, m)
	return m
}

// Push sends a webhook: the test takes it with Webhooks.
func (d *Double) Push(w handoff.Webhook) {
	if w.Method == "" {
		w.Method = http.MethodPost
	}
	if w.Path == "" {
		w.Path = "/"
	}
	d.hooks = append(d.hooks, w)
}

// Webhooks implements providertest.Vendor. It takes the lock.
func (d *Double) Webhooks() []handoff.Webhook {
	d.Lock()
	defer d.Unlock()
	out := d.hooks
	d.hooks = nil
	return out
}

// Chats implements providertest.Vendor. It takes the lock.
func (d *Double) Chats() []providertest.Chat {
	d.Lock()
	defer d.Unlock()
	var out []providertest.Chat
	for _, c := range d.chats {
		p := providertest.Chat{Reference: c.Reference, Open: c.Open, Internal: slices.Clone(c.Internal), UserTypes: c.UserTypes}
		for _, m := range c.Messages {
			p.Messages = append(p.Messages, providertest.Said{From: m.From, Text: m.Text, Files: len(m.Files)})
		}
		out = append(out, p)
	}
	return out
}

// Secrets implements providertest.Vendor. It takes the lock.
func (d *Double) Secrets() []string {
	d.Lock()
	defer d.Unlock()
	return slices.Clone(d.Keep)
}

// Requests returns what the adapter asked for, oldest first. It takes the lock.
func (d *Double) Requests() []Request {
	d.Lock()
	defer d.Unlock()
	return slices.Clone(d.requests)
}

// Violations implements providertest.Checker: what was asked for that the
// platform's document does not allow. It takes the lock.
func (d *Double) Violations() []string {
	d.Lock()
	defer d.Unlock()
	return slices.Clone(d.violations)
}

// Validate adds a check of every request: of a platform's official document,
// for instance. It takes the lock.
func (d *Double) Validate(check func(r *http.Request, body []byte) error) {
	d.Lock()
	defer d.Unlock()
	d.checks = append(d.checks, check)
}

// ReturnByWord turns the return of a chat into what an agent writes for it, where
// the platform has no other way.
func ReturnByWord(a providertest.Act) providertest.Act {
	if a.Kind == providertest.Return {
		a.Kind, a.Text = providertest.Say, strings.TrimSpace(provider.DefaultReturn+" "+a.Text)
	}
	return a
}

// Forge returns changed copies of a genuine webhook that must be refused: for
// each of the headers, without it and with another value, and with another
// body.
func Forge(w handoff.Webhook, headers ...string) []handoff.Webhook {
	var out []handoff.Webhook
	for _, name := range headers {
		for _, value := range []string{"", "0", "sha256=00", w.Header[http.CanonicalHeaderKey(name)][0] + "x"} {
			forged := w
			forged.Header = maps.Clone(w.Header)
			http.Header(forged.Header).Set(name, value)
			if value == "" {
				http.Header(forged.Header).Del(name)
			}
			out = append(out, forged)
		}
	}
	body := w
	body.Body = append(slices.Clone(w.Body), ' ')
	return append(out, body)
}

// JSON returns a value as JSON; what cannot be is a fault of the double.
func JSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("vendortest: %v", err))
	}
	return b
}
