package cisco

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Config names a chat feed of Cisco Customer Collaboration Platform.
type Config struct {
	Name string // of the provider; default "cisco"

	// URL is where the platform is: https://ccp.example.org.
	URL string

	// Path is where the chat interface is there; default [DefaultPath]. Older
	// releases have it at /ccp/chat.
	Path string

	// Feed is the id of the chat feed, such as 100053, or its whole refURL as
	// the platform lists it, if that begins otherwise than URL.
	Feed string

	// Queues maps queues to the tags of Contact Service Queues: Chat_Csq30. Tag
	// is that of all other queues; without it they are refused.
	Queues map[string]string
	Tag    string

	// Title is that of every chat; default [DefaultTitle].
	Title string

	// Author is the customer's name where the user has none; default "Customer".
	Author string

	// Form names the fields that agents see. Fields are further ones, the same
	// for each chat: what the widget of the host's own web page would send.
	Form   Form
	Fields map[string]string

	// Poll is how often a chat is read; default [DefaultPoll]. Cisco asks for 5 s
	// or less.
	Poll time.Duration

	// Linger is how long a chat that its last agent has left is read on, in case
	// a transfer brings another one; until then he has it. By default it is over
	// with him.
	Linger time.Duration

	// KeepWaiting leaves a chat in the queue when the platform says that nobody
	// is there to take it. Otherwise that ends the attempt, and the engine goes
	// on with the next provider of the queue or the bot.
	KeepWaiting bool

	// Return is the word with which an agent's message gives the conversation
	// back to the bot: what stands behind it is for the bot. Default
	// [provider.DefaultReturn]; [provider.NoReturn] is none.
	Return string

	// Redact removes from the transcript what the platform must not get; nil
	// removes nothing.
	Redact func(text string) string

	// HTTP makes the requests; nil is a sensible client. Its Jar is not used:
	// each chat has its own cookies.
	HTTP *http.Client
}

// A Form names the fields of a chat. An empty name is the default; "-" leaves a
// field out. Fields whose names begin with h_ are hidden from agents.
type Form struct {
	User, Mail, Phone string // default Name, Email, PhoneNumber
	Note              string // reason, flags, answers and what was said so far; default Note
	Attempt           string // our id of the attempt; default h_attempt
}

// The defaults of a [Config].
const (
	DefaultPath  = "/ccp/rest/chat"
	DefaultPoll  = 5 * time.Second
	DefaultTitle = "Chat from the bot"
)

// Limits of what the adapter sends: of a message and of the field with the note,
// in bytes.
const (
	MaxBytes = 4000
	MaxNote  = 8000
)

// MaxFields is how many fields of its own a [Config] may have: a chat has 100.
const MaxFields = 90

// A Provider connects an engine with Cisco Unified Contact Center Express.
type Provider struct {
	cfg Config
	api provider.Client
}

var (
	_ handoff.Provider = (*Provider)(nil)
	_ handoff.Streamer = (*Provider)(nil)
	_ handoff.Typist   = (*Provider)(nil)
)

// New returns a provider. It does no I/O. A Config that cannot work is a
// *[handoff.InvalidError].
func New(c Config) (*Provider, error) {
	bad := func(field, why string) (*Provider, error) {
		return nil, &handoff.InvalidError{Field: "Config." + field, Why: why}
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return bad("URL", "is no http address")
	case c.Path != "" && !strings.HasPrefix(c.Path, "/") || strings.ContainsAny(c.Path, "?#"):
		return bad("Path", "is no path")
	case c.Feed == "":
		return bad("Feed", "is empty")
	case !isFeed(c.Feed):
		return bad("Feed", "is neither a number nor an http address")
	case len(c.Queues) == 0 && c.Tag == "":
		return bad("Queues", "is empty, and so is Tag")
	case len(c.Fields) > MaxFields:
		return bad("Fields", "has more than "+strconv.Itoa(MaxFields))
	case c.Poll < 0:
		return bad("Poll", "is negative")
	case c.Linger < 0:
		return bad("Linger", "is negative")
	}
	for queue, tag := range c.Queues {
		if tag == "" {
			return bad("Queues["+queue+"]", "is empty")
		}
	}
	for name := range c.Fields {
		if strings.TrimSpace(name) == "" {
			return bad("Fields", "has one without a name")
		}
	}
	var ok bool
	if c.Return, ok = provider.ReturnWord(c.Return); !ok {
		return bad("Return", "has a space in it")
	}
	c.defaults()
	h := http.Client{}
	if c.HTTP != nil {
		h = *c.HTTP
		h.Jar = nil
		c.HTTP = &h
	}
	p := &Provider{cfg: c, api: provider.Client{
		Base: strings.TrimSuffix(c.URL, "/") + strings.TrimSuffix(c.Path, "/"), HTTP: c.HTTP, Judge: judge, Limit: provider.NewLimiter(0, 0),
	}}
	return p, nil
}

// isFeed reports whether s is an id of a feed, or the address of one.
func isFeed(s string) bool {
	if strings.Trim(s, "0123456789") == "" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

func (c *Config) defaults() {
	for _, d := range []struct {
		to *string
		is string
	}{
		{&c.Name, "cisco"},
		{&c.Path, DefaultPath},
		{&c.Title, DefaultTitle},
		{&c.Author, "Customer"},
		{&c.Form.User, "Name"},
		{&c.Form.Mail, "Email"},
		{&c.Form.Phone, "PhoneNumber"},
		{&c.Form.Note, "Note"},
		{&c.Form.Attempt, "h_attempt"},
	} {
		if *d.to == "" {
			*d.to = d.is
		}
	}
	if c.Poll == 0 {
		c.Poll = DefaultPoll
	}
	c.Feed = feedURL(strings.TrimSuffix(c.URL, "/"), c.Feed)
}

// feedURL is the address of a feed, of which the id may be known alone.
func feedURL(base, feed string) string {
	if strings.Contains(feed, "://") {
		return feed
	}
	return base + "/ccp-webapp/ccp/feed/" + feed
}

// Info implements [handoff.Provider].
func (p *Provider) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: p.cfg.Name, Custody: handoff.CustodyQueue, MaxBytes: MaxBytes,
		Can: handoff.Capabilities{TypingIn: true, TypingOut: true, Transfer: true, AgentReturns: p.cfg.Return != "", NamesOnly: true},
	}
}
