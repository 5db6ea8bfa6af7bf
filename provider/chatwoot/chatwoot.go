package chatwoot

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Config names an account and an inbox of Chatwoot.
type Config struct {
	Name string // of the provider; default "chatwoot"

	URL     string // of Chatwoot: https://app.chatwoot.com, or your own
	Account int64  // the number in the console's addresses
	Inbox   int64  // the number of the inbox, of the kind API

	// InboxIdentifier is the inbox's name in the client API, which its
	// settings show.
	InboxIdentifier string

	// Token is the access token of a user or of an agent bot: an
	// administrator's, or an agent's of the inbox.
	Token string

	// Secrets sign the webhooks; Chatwoot makes them. Two while one is changed.
	Secrets []string

	// Teams maps queues to numbers of teams. A queue without one goes to
	// nobody in particular.
	Teams map[string]int64

	// Redact removes from the transcript what Chatwoot must not get; nil
	// removes nothing.
	Redact func(text string) string

	HTTP *http.Client // nil: a sensible one

	// Files fetches the files that users send, to pass them on. Nil: a client
	// that only reaches public addresses; see provider.Guard.
	Files *http.Client
}

// MaxBytes is the longest message: Chatwoot takes 150,000 characters.
const MaxBytes = 100_000

// A Provider connects an engine with an inbox of Chatwoot.
type Provider struct {
	cfg Config
	api provider.Client
}

var (
	_ handoff.Provider            = (*Provider)(nil)
	_ handoff.Receiver            = (*Provider)(nil)
	_ handoff.Finder              = (*Provider)(nil)
	_ handoff.StateReader         = (*Provider)(nil)
	_ handoff.AvailabilityChecker = (*Provider)(nil)
	_ handoff.Typist              = (*Provider)(nil)
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
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return bad("URL", "is no http address")
	case c.Account < 1:
		return bad("Account", "is below 1")
	case c.Inbox < 1:
		return bad("Inbox", "is below 1")
	case c.InboxIdentifier == "":
		return bad("InboxIdentifier", "is empty")
	case c.Token == "":
		return bad("Token", "is empty")
	case len(c.Secrets) == 0:
		return bad("Secrets", "is empty")
	}
	if c.Name == "" {
		c.Name = "chatwoot"
	}
	if c.Files == nil {
		c.Files = provider.Guard{}.Client()
	}
	return &Provider{cfg: c, api: provider.Client{
		Base: strings.TrimSuffix(c.URL, "/"), HTTP: c.HTTP,
		Authorize: func(r *http.Request) error {
			if !strings.Contains(r.URL.Path, "/public/") { // the client API knows contacts by their ids
				r.Header.Set("Api_access_token", c.Token)
			}
			return nil
		},
	}}, nil
}

// Info implements [handoff.Provider].
func (p *Provider) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: p.cfg.Name, Custody: handoff.CustodyQueue, MaxBytes: MaxBytes,
		Can: handoff.Capabilities{
			Availability: true, TypingIn: true, TypingOut: true, Files: true, Transfer: true, Notes: true, ReturnToBot: true, AgentReturns: true, Ticket: true,
			FindsAttempt: true, SendsOnce: true, ReadsState: true,
		},
	}
}
