package slack

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Config names a workspace's app and the channels where people answer.
type Config struct {
	Name string // of the provider; default "slack"

	Token   string   // of the bot: xoxb-…
	Secrets []string // signing secrets of the app; two while it is changed

	// Channel is the id of the channel (C…) where threads are begun; Channels
	// names others by queue. The bot must be a member.
	Channel  string
	Channels map[string]string

	// Agents maps the ids of people (U…) who answer to the names that users
	// see. With it availability can be told: somebody is active. Without it,
	// availability is unknown, and names are those that the buttons tell.
	Agents map[string]string

	// NotePrefix begins messages in a thread that are for colleagues only;
	// default "//".
	NotePrefix string

	// Redact removes from what was said what Slack must not get; nil removes
	// nothing.
	Redact func(text string) string

	URL  string       // of the Web API; default https://slack.com/api
	HTTP *http.Client // nil: a sensible one

	// Files fetches the files that users send and brings them to where Slack
	// wants them. Nil: a client that only reaches public addresses.
	Files *http.Client
}

// MaxBytes is the longest message: Slack advises to stay below 4,000
// characters.
const MaxBytes = 3900

// A Provider connects an engine with Slack.
type Provider struct {
	cfg      Config
	api      provider.Client
	channels []string // all of them
}

var (
	_ handoff.Provider            = (*Provider)(nil)
	_ handoff.Receiver            = (*Provider)(nil)
	_ handoff.Finder              = (*Provider)(nil)
	_ handoff.AvailabilityChecker = (*Provider)(nil)
	_ handoff.Noter               = (*Provider)(nil)
	_ handoff.Ticketer            = (*Provider)(nil)
	_ handoff.BotReturner         = (*Provider)(nil)
)

// New returns a provider. It does no I/O. A Config that cannot work is a
// *[handoff.InvalidError].
func New(c Config) (*Provider, error) {
	bad := func(field, why string) (*Provider, error) {
		return nil, &handoff.InvalidError{Field: "Config." + field, Why: why}
	}
	if c.URL == "" {
		c.URL = "https://slack.com/api"
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return bad("URL", "is no http address")
	case c.Token == "":
		return bad("Token", "is empty")
	case len(c.Secrets) == 0:
		return bad("Secrets", "is empty")
	case c.Channel == "":
		return bad("Channel", "is empty")
	}
	if c.Name == "" {
		c.Name = "slack"
	}
	if c.NotePrefix == "" {
		c.NotePrefix = "//"
	}
	if c.Files == nil {
		c.Files = provider.Guard{}.Client()
	}
	p := &Provider{cfg: c, channels: []string{c.Channel}}
	for _, ch := range c.Channels {
		if !slices.Contains(p.channels, ch) {
			p.channels = append(p.channels, ch)
		}
	}
	slices.Sort(p.channels)
	p.api = provider.Client{
		Base: strings.TrimSuffix(c.URL, "/"), HTTP: c.HTTP, Judge: judge,
		Limit:     provider.NewLimiter(0, 0), // Slack allows bursts: wait only when it says so
		Authorize: func(r *http.Request) error { r.Header.Set("Authorization", "Bearer "+c.Token); return nil },
	}
	return p, nil
}

// Info implements [handoff.Provider].
func (p *Provider) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: p.cfg.Name, Custody: handoff.CustodyQueue, MaxBytes: MaxBytes,
		Can: handoff.Capabilities{
			Availability: true, Files: true, Notes: true, ReturnToBot: true, AgentReturns: true, Ticket: true, FindsAttempt: true, SendsOnce: true,
		},
	}
}
