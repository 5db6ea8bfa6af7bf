package cmcom

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Config names an account of CM.com: its Conversational Router and its Agent
// Inbox.
type Config struct {
	Name string // of the provider; default "cmcom"

	// Account is the id of the CONVERSATIONAL technical link, and Adapter that of
	// the TwoWay adapter of the host: both are in the adapter's address. Inbox is
	// the id of the adapter of Mobile Service Cloud in the same router.
	Account, Adapter, Inbox string

	// Token is the product token: it goes with every request to the router.
	Token string

	// Key and Secret are those of the Agent Inbox API. The key alone is that of
	// the presence check.
	Key, Secret string

	// Secrets are what the router sends along with webhooks, in the header
	// [Header] or, in the address, as [Parameter]. Two while one is changed.
	Secrets []string

	// Skills maps queues to routing keywords, Stores to referrers of web stores.
	// A queue without one goes where CM.com's own rules send it.
	Skills, Stores map[string]string

	// Context is further context of every handover.
	Context map[string]string

	// Domain makes addresses for users who have none, so that their chats are
	// found in Agent Inbox: nobody needs to receive mail there. Empty: chats of
	// such users have agents without names, and end with the router's session.
	Domain string

	Channel  string // of messages; default [DefaultChannel]
	Presence string // the channel whose presence is checked; default [DefaultPresence]
	Title    string // of every chat; default [DefaultTitle]

	// Poll is how often Agent Inbox is asked about each chat; default
	// [DefaultPoll]. CM.com allows 3 requests a second and 180 a minute for all.
	Poll time.Duration

	// Return is the word with which an agent's message gives the conversation
	// back to the bot: what stands behind it is for the bot. Default
	// [provider.DefaultReturn]; [provider.NoReturn] is none.
	Return string

	// Redact removes from the transcript what CM.com must not get; nil removes
	// nothing.
	Redact func(text string) string

	// URL is where the router is, InboxURL the Agent Inbox API, PresenceURL the
	// presence check; the defaults are CM.com's.
	URL, InboxURL, PresenceURL string

	HTTP *http.Client // nil: a sensible one
}

// The defaults of a [Config].
const (
	DefaultChannel  = "CXWebConversations"
	DefaultPresence = "WebChat"
	DefaultTitle    = "Chat from the bot"
	DefaultPoll     = 15 * time.Second
)

// Header and Parameter are where the secret of a webhook is.
const (
	Header    = "X-Handoff-Secret"
	Parameter = "secret"
)

// MaxBytes is the longest message that the adapter sends.
const MaxBytes = 4000

// StayOut is how long CM.com's own bot stays out of a conversation after a
// handover: the router's session ends after so long without a message. Give it to
// [handoff.Queue] as StayOut, which counts from the agent's end; by itself the
// host's bot goes on when the agent has ended the chat.
const StayOut = 24 * time.Hour

// A Provider connects an engine with Mobile Service Cloud.
type Provider struct {
	cfg      Config
	router   provider.Client
	inbox    provider.Client
	presence provider.Client

	chats sync.Map // that are read now, by reference: *watch
}

var (
	_ handoff.Provider            = (*Provider)(nil)
	_ handoff.Receiver            = (*Provider)(nil)
	_ handoff.Streamer            = (*Provider)(nil)
	_ handoff.StateReader         = (*Provider)(nil)
	_ handoff.AvailabilityChecker = (*Provider)(nil)
	_ handoff.Ticketer            = (*Provider)(nil)
)

func isHTTP(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// New returns a provider. It does no I/O. A Config that cannot work is a
// *[handoff.InvalidError].
func New(c Config) (*Provider, error) {
	c.defaults()
	if field, why := c.wrong(); field != "" {
		return nil, &handoff.InvalidError{Field: "Config." + field, Why: why}
	}
	c.Return, _ = provider.ReturnWord(c.Return)
	// Of Agent Inbox and presence together: they count as one.
	const perSecond, atOnce = 3, 3
	limit := provider.NewLimiter(perSecond, atOnce)
	p := &Provider{cfg: c}
	p.router = provider.Client{
		Base: strings.TrimSuffix(c.URL, "/"), HTTP: c.HTTP, Limit: provider.NewLimiter(0, 0),
		Authorize: func(r *http.Request) error {
			r.Header.Set("X-Cm-Producttoken", c.Token)
			return nil
		},
	}
	p.inbox = provider.Client{
		Base: strings.TrimSuffix(c.InboxURL, "/"), HTTP: c.HTTP, Limit: limit,
		Authorize: func(r *http.Request) error {
			r.SetBasicAuth(c.Key, c.Secret)
			return nil
		},
	}
	p.presence = provider.Client{Base: strings.TrimSuffix(c.PresenceURL, "/"), HTTP: c.HTTP, Limit: limit}
	return p, nil
}

func (c *Config) defaults() {
	for _, d := range []struct {
		to *string
		is string
	}{
		{&c.Name, "cmcom"},
		{&c.Channel, DefaultChannel},
		{&c.Presence, DefaultPresence},
		{&c.Title, DefaultTitle},
		{&c.URL, "https://api.conversational.cm.com/conversational"},
		{&c.InboxURL, "https://api.robinhq.com"},
		{&c.PresenceURL, "https://presence.robinhq.com"},
	} {
		if *d.to == "" {
			*d.to = d.is
		}
	}
	if c.Poll == 0 {
		c.Poll = DefaultPoll
	}
}

// wrong names a field that cannot work, and says why.
func (c *Config) wrong() (field, why string) {
	for _, f := range []struct{ name, value string }{
		{"Account", c.Account},
		{"Adapter", c.Adapter},
		{"Inbox", c.Inbox},
		{"Token", c.Token},
		{"Key", c.Key},
		{"Secret", c.Secret},
	} {
		if f.value == "" {
			return f.name, "is empty"
		}
	}
	for _, f := range []struct{ name, value string }{
		{"URL", c.URL}, {"InboxURL", c.InboxURL}, {"PresenceURL", c.PresenceURL},
	} {
		if !isHTTP(f.value) {
			return f.name, "is no http address"
		}
	}
	_, isWord := provider.ReturnWord(c.Return)
	switch {
	case !isWord:
		return "Return", "has a space in it"
	case c.Inbox == c.Adapter:
		return "Inbox", "is the adapter of the host"
	case len(c.Secrets) == 0:
		return "Secrets", "is empty"
	case c.Poll < 0:
		return "Poll", "is negative"
	case strings.ContainsAny(c.Domain, "@ /"):
		return "Domain", "is no domain"
	}
	return "", ""
}

// Info implements [handoff.Provider].
func (p *Provider) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: p.cfg.Name, Custody: handoff.CustodyQueue, MaxBytes: MaxBytes,
		Can: handoff.Capabilities{Availability: true, Files: true, Transfer: true, AgentReturns: p.cfg.Return != "", Ticket: true, ReadsState: true},
	}
}
